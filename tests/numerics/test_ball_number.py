"""`Ball` against fractions, where it is exact, and mpmath at 60 digits, where it encloses."""

from __future__ import annotations

import math
import operator
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trpo_theory.errors import InvalidInput, TrpoTheoryError
from trpo_theory.numerics.ball import raw
from trpo_theory.numerics.ball.arrays import balls
from trpo_theory.numerics.ball.number import Ball, larger, smaller
from trpo_theory.numerics.ball.raw import Undecided, arb, float_ends, fmpq, precision, rounded_constants

INF, NAN = math.inf, math.nan
rationals = st.fractions(min_value=-50, max_value=50, max_denominator=60)
positive = st.fractions(min_value=Fraction(1, 60), max_value=50, max_denominator=60)
BINARY = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)


@pytest.fixture(autouse=True)
def _digits():
    with mpmath.workdps(60):
        yield


def mp(x: Fraction) -> mpmath.mpf:
    return mpmath.mpf(x.numerator) / x.denominator


def encloses(ball: Ball, truth: mpmath.mpf, *, bits: int = 53) -> bool:
    """The truth, known to 60 digits, is inside; and the enclosure is tight to a few units of its precision."""
    allowance = mpmath.mpf(10) ** -55 * max(1, abs(truth))
    inside = mp(ball.lower) - allowance <= truth <= mp(ball.upper) + allowance
    return inside and mp(ball.upper) - mp(ball.lower) <= mpmath.mpf(2) ** (12 - bits) * max(1, abs(truth))


def straddling_zero() -> Ball:
    """An enclosure of the number 0 that no precision makes exact."""
    root = Ball(2).sqrt()
    return root - Ball(2).sqrt()


# --- exact arithmetic ---------------------------------------------------------------------------------------------


@given(rationals, rationals)
def test_rationals_stay_exact(x, y):
    for name, op in BINARY.items():
        if name == "/" and y == 0:
            continue
        got = op(Ball(x), Ball(y))
        assert got.is_exact
        assert got.fraction == got.lower == got.upper == op(x, y)
    assert (-Ball(x)).fraction == -x
    assert abs(Ball(x)).fraction == abs(x)


@given(rationals, st.integers(-7, 7))
def test_integer_powers_are_exact(x, n):
    assume(x != 0 or n >= 0)
    assert (Ball(x) ** n).fraction == x**n
    assert (Ball(x) ** Fraction(n)).fraction == (Ball(x) ** float(n)).fraction == x**n


short_decimals = st.integers(-(10**14) + 1, 10**14 - 1).flatmap(
    lambda digits: st.integers(0, 20).map(lambda places: Fraction(digits, 10**places))
)


@given(rationals, short_decimals, st.integers(-9, 9))
def test_a_float_is_the_decimal_that_it_is_written_as_on_either_side(x, d, n):
    cases = {float(d): d, n: n, np.int32(n): n, np.bool_(n > 0): n > 0, n > 0: n > 0, d: d}
    for other, exact in [*cases.items(), (np.float64(float(d)), d), (np.float32(n / 8), Fraction(n, 8))]:
        assert (Ball(x) + other).fraction == (other + Ball(x)).fraction == x + exact
        assert (Ball(x) * other).fraction == (other * Ball(x)).fraction == x * exact
        assert (Ball(x) - other).fraction == -(other - Ball(x)).fraction == x - exact
        if exact:
            assert (Ball(x) / other).fraction == x / exact
        if x:
            assert (other / Ball(x)).fraction == exact / x
        for compare in COMPARISONS:
            assert bool(compare(Ball(x), other)) is compare(x, exact)
            assert bool(compare(other, Ball(x))) is compare(exact, x)


@pytest.mark.parametrize(
    ("rounded", "meant"),
    [
        (1 / 3, Fraction(1, 3)),
        (2 / 3, Fraction(2, 3)),
        (1 - 0.9, Fraction(1, 10)),
        (1.1 - 1, Fraction(1, 10)),
        (0.1 + 0.2, Fraction(3, 10)),
        (0.1 + 0.2 - 0.3, Fraction(0)),
        (0.57 * 100, Fraction(57)),
        (1e10 / 3, Fraction(10**10, 3)),
        (np.float64(1) / 3, Fraction(1, 3)),
        (np.float32(1) / np.float32(3), Fraction(1, 3)),
        (np.float16(1) / np.float16(3), Fraction(1, 3)),
    ],
)
def test_a_rounded_float_is_an_interval_that_holds_what_was_meant(rounded, meant):
    with rounded_constants() as seen:
        ball = Ball(rounded)
    assert seen == {float(rounded)}
    assert not ball.is_exact
    assert ball.lower <= meant <= ball.upper
    unit = Fraction(float(np.finfo(type(rounded)).eps)) * max(1, abs(meant))
    assert ball.upper - ball.lower < Fraction(21, 10) * unit
    with pytest.raises(Undecided):
        assert Ball(meant) <= rounded
    with pytest.raises(Undecided):
        assert rounded * Ball(2) == 2 * meant


def test_a_decimal_array_is_read_entry_by_entry():
    narrow = np.array([0.9, 0.25], dtype=np.float32)
    assert [entry.fraction for entry in balls(narrow)] == [Fraction(9, 10), Fraction(1, 4)]
    assert [entry.fraction for entry in balls([Ball(1), Ball(2)]) * np.array([0.7, 0.3])] == [
        Fraction(7, 10),
        Fraction(3, 5),
    ]
    assert (Ball(1) + Decimal("0.1")).fraction == Fraction(11, 10)
    assert raw.datum(0.1) == fmpq(*(0.1).as_integer_ratio())


@given(positive, st.sampled_from([Fraction(1, 2), Fraction(3, 2), Fraction(-1, 2), Fraction(1, 3), Fraction(2, 5)]))
def test_rational_roots_are_exact(x, exponent):
    base = x**exponent.denominator
    assert (Ball(base) ** exponent).fraction == x**exponent.numerator
    assert Ball(x * x).sqrt().fraction == x
    assert (Ball(x * x) ** 0.5).fraction == x


def test_values_that_are_exact():
    assert Ball(1).log().fraction == Ball(0).exp() - 1 == Ball(0).log1p() == Ball(0).expm1() == Ball(0).sqrt() == 0
    assert (Ball(1) ** 0.3).fraction == (Ball(7) ** 0).fraction == (Ball(0.5) ** 0.0).fraction == 1
    assert (Ball(2).log() * 0).fraction == 0
    assert (0 / Ball(2).log()).fraction == 0
    assert (Ball(2).sqrt() / INF).fraction == 0


# --- enclosures ---------------------------------------------------------------------------------------------------


@given(positive, rationals, st.sampled_from([64, 128, 190]))
def test_functions_enclose_mpmath(x, y, bits):
    with precision(bits):
        cases = [
            (Ball(x).sqrt(), mpmath.sqrt(mp(x))),
            (Ball(x).log(), mpmath.log(mp(x))),
            (Ball(x).log1p(), mpmath.log1p(mp(x))),
            (Ball(y / 10).exp(), mpmath.exp(mp(y) / 10)),
            (Ball(y / 10).expm1(), mpmath.expm1(mp(y) / 10)),
            (Ball(x) ** 0.75, mpmath.power(mp(x), mpmath.mpf("0.75"))),
            (Ball(x) ** (y / 20), mpmath.power(mp(x), mp(y) / 20)),
            (Ball(x) ** (Ball(2).sqrt() / 2), mpmath.power(mp(x), mpmath.sqrt(2) / 2)),
        ]
        for ball, truth in cases:
            assert encloses(ball, truth, bits=min(bits, 170))


@given(positive, positive, rationals)
def test_operators_enclose_mpmath_however_exact_and_open_mix(x, y, z):
    with precision(150):
        log, root = Ball(x).log(), Ball(y).sqrt()
        a, b = mpmath.log(mp(x)), mpmath.sqrt(mp(y))
        for ball, truth in [
            (log + root, a + b),
            (log - z, a - mp(z)),
            (z - log, mp(z) - a),
            (log * root * z, a * b * mp(z)),
            (log / root, a / b),
            (z / root, mp(z) / b),
            (abs(log), abs(a)),
            (-log, -a),
            (log**2, a**2),
            (log**3, a**3),
            (root**-3, b**-3),
            (larger(log, root), max(a, b)),
            (smaller(log, z), min(a, mp(z))),
        ]:
            assert encloses(ball, truth, bits=140)
        for compare in COMPARISONS:
            if abs(a - b) > mpmath.mpf(2) ** -100:
                assert compare(log, root) is bool(compare(a, b))
                assert compare(log, Ball(z)) is bool(compare(a, mp(z))) or abs(a - mp(z)) < mpmath.mpf(2) ** -100


def test_the_logarithm_keeps_its_digits_next_to_one():
    x = Fraction(1, 10**30)
    with precision(64):
        log = Ball(1 + x).log()
        assert log.upper - log.lower < x / 10**15
        assert mp(log.lower) <= mpmath.log1p(mp(x)) <= mp(log.upper)


def test_long_rationals_stay_exact():
    x = Fraction(3**6000, 2**9000)
    ball = Ball(x)
    for _ in range(3):
        ball, x = ball * ball + 1, x * x + 1
    assert ball.fraction == x
    assert ball.lower == ball.upper
    assert repr(ball).endswith("exact)")


# --- infinities, nothing, undefined ---------------------------------------------------------------------------------

SPECIAL = [0.0, 1.0, -2.5, 7.0, INF, -INF]


@pytest.mark.parametrize("x", SPECIAL)
@pytest.mark.parametrize("y", SPECIAL)
def test_infinities_are_numpys(x, y):
    with np.errstate(all="ignore"):
        for op in BINARY.values():
            expected = op(np.float64(x), np.float64(y))
            for got in (op(Ball(x), Ball(y)), op(Ball(x), y), op(x, Ball(y))):
                assert got.midpoint == expected or (got.is_nothing and np.isnan(expected))
        for compare in COMPARISONS:
            assert compare(Ball(x), Ball(y)) is compare(x, y)
        for got, expected in ((larger(x, y), max(x, y)), (smaller(x, y), min(x, y))):
            assert got.midpoint == expected
        expected = np.float64(x) ** np.float64(y)
        got = Ball(x) ** Ball(y)
        assert got.midpoint == pytest.approx(expected, rel=1e-15) or (
            got.is_undefined and (np.isnan(expected) or x == -INF)
        )


def test_an_enclosure_beside_an_infinity():
    log = Ball(0.5).log()
    assert (log * INF).midpoint == (log / 0).midpoint == (INF / log).midpoint == -INF
    assert (log + INF).midpoint == INF
    assert log < INF
    assert log > -INF
    assert larger(log, INF).midpoint == INF
    assert larger(log, -INF) is not None
    assert larger(log, -INF).upper == log.upper


def test_nothing_compares_as_nan_and_stays():
    for nothing in (Ball(0) * INF, Ball(INF) - INF, Ball(0) / 0, Ball(NAN), Ball(INF) / INF):
        assert nothing.is_nothing
        assert not nothing.is_undefined
        assert [compare(nothing, 0) for compare in COMPARISONS] == [False] * 5 + [True]
        for got in (nothing + 1, nothing * 0, 1 / nothing, -nothing, abs(nothing), nothing.sqrt(), nothing.log()):
            assert got.is_nothing
        assert larger(nothing, 1).is_nothing
        assert smaller(INF, nothing).is_nothing


def test_a_root_of_a_negative_number_is_no_nothing():
    """0 · ∞ says nothing, and a claim with it holds; √−1 is a mistake, and no claim may rest on it."""
    for wrong in (
        Ball(-1).sqrt(),
        Ball(-1).log(),
        Ball(-2).log1p(),
        Ball(-8) ** Fraction(1, 3),
        (-Ball(2).sqrt()) ** 0.5,
        (-Ball(2).sqrt()).log(),
    ):
        assert wrong.is_undefined
        assert [compare(wrong, 0) for compare in COMPARISONS] == [False] * 5 + [True]
        for got in (
            wrong + 1,
            wrong * INF,
            wrong - NAN,
            0 / wrong,
            abs(wrong),
            -wrong,
            wrong.exp(),
            larger(wrong, NAN),
        ):
            assert got.is_undefined


# --- what is open is not guessed ------------------------------------------------------------------------------------


def test_overlapping_enclosures_are_undecided():
    one, other = Ball(2).log(), Ball(8).log() / 3
    for compare in COMPARISONS:
        with pytest.raises(Undecided, match="bits"):
            compare(one, other)
    assert larger(one, other).lower <= one.upper
    with pytest.raises(Undecided):
        bool(one - other)


def test_an_indeterminate_ball_never_becomes_an_infinity():
    zero = straddling_zero()
    assert not zero.is_exact
    assert zero.lower < 0 < zero.upper
    for attempt in (
        lambda: 1 / zero,
        lambda: INF / zero * 0 + 1 / zero,
        lambda: zero / zero,
        lambda: zero / 0,
        lambda: zero * INF,
        zero.sqrt,
        zero.log,
        (zero - 1).log1p,
        lambda: zero**-1,
        lambda: zero**0.5,
        lambda: zero**0.3,
        lambda: Ball(0) ** zero,
        lambda: zero < 0,
    ):
        with pytest.raises(Undecided):
            attempt()
    assert issubclass(Undecided, TrpoTheoryError)
    assert issubclass(Undecided, ArithmeticError)


def test_what_cannot_be_negative_is_not_enclosed_below_zero():
    zero = straddling_zero()
    assert (zero**2).lower == (zero**4).lower == abs(zero).lower == 0
    assert (zero**2) >= 0
    assert abs(zero) >= 0
    assert np.square(zero) >= 0


def test_two_close_numbers_are_told_apart_by_precision():
    def less() -> bool:
        return Ball(2).sqrt() < Ball(2).sqrt() + Fraction(1, 10**40)

    with precision(64), pytest.raises(Undecided):
        less()
    with precision(256):
        assert less()


def test_precision_is_given_back():
    with precision(300):
        fine = Ball(3).sqrt()
    with pytest.raises(ZeroDivisionError), precision(500):
        raise ZeroDivisionError
    coarse = Ball(3).sqrt()
    assert fine.upper - fine.lower < Fraction(1, 2**280)
    assert coarse.upper - coarse.lower > Fraction(1, 2**100)


def test_very_large_and_very_small_numbers_end_in_short_fractions():
    tiny = Ball(-(10**9)).exp()
    assert 0 == tiny.lower < tiny.upper < Fraction(1, 10**1000)
    assert -tiny.upper == (-tiny).lower
    assert (-tiny).upper == 0
    assert tiny > 0
    with pytest.raises(OverflowError, match="too large"):
        _ = Ball(10**9).exp().upper
    assert Ball(2) ** 10**12 > 10**3000


# --- a ball among NumPy's arrays ------------------------------------------------------------------------------------


def test_a_ball_has_no_float_value_and_says_what_to_write():
    for value in (Ball(2).sqrt(), Ball(0.5)):
        with pytest.raises(TypeError, match=r"q\.sqrt\(x\).*x\.midpoint"):
            float(value)
        with pytest.raises(TypeError, match="no float value"):
            math.sqrt(value)
        with pytest.raises(TypeError, match="no float value"):
            np.asarray([value], dtype=float)
    assert Ball(2).sqrt().midpoint == pytest.approx(2**0.5, rel=1e-15)


@pytest.mark.parametrize("wrong", ["1", None, [1], 1j, object()])
def test_only_numbers_are_made_into_balls(wrong):
    with pytest.raises(TypeError):
        Ball(wrong)
    if not isinstance(wrong, list):
        with pytest.raises(TypeError):
            Ball(1) + wrong


def test_only_exact_balls_are_fractions_and_only_finite_ones_have_ends():
    with pytest.raises(InvalidInput, match="lower"):
        _ = Ball(2).sqrt().fraction
    with pytest.raises(InvalidInput, match="finite"):
        _ = Ball(INF).lower


def test_arrays_of_floats_and_of_balls_mix():
    ball = Ball(Fraction(1, 3))
    left, right = ball * np.array([1.0, 2.0]), np.array([1.0, 2.0]) * ball
    for array in (left, right, np.float64(1) * left, np.zeros(2) + left):
        assert [x.fraction for x in array] == [Fraction(1, 3), Fraction(2, 3)]
    assert (np.float64(0.5) * ball).fraction == Fraction(1, 6)
    mask = left > 0.5
    assert mask.dtype == bool
    assert mask.tolist() == [False, True]
    assert (mask * left).sum().fraction == Fraction(2, 3)
    assert (left @ right).fraction == Fraction(5, 9)
    assert np.einsum("i,i->", left, right).fraction == Fraction(5, 9)
    assert left.sum(where=mask).fraction == Fraction(2, 3)
    assert np.mean(left).fraction == Fraction(1, 2)
    left[0] = 0.25
    assert left.max().fraction == Fraction(2, 3)
    assert np.sqrt(left)[0].fraction == Fraction(1, 2)


def test_numpys_maximum_does_not_ask_which():
    tied = balls([Ball(2).log(), Ball(8).log() / 3])
    for got in (tied.max(), tied.max(0), np.max(tied), np.maximum(tied[0], tied[1]), np.maximum(*tied), -(-tied).min()):
        assert encloses(got, mpmath.log(2))
    assert balls([[1, 2], [3, 4]]).max().fraction == 4
    assert balls([[1, 2], [3, 4]]).min(axis=1).tolist() == [1, 3]


def test_numpy_asks_of_each_what_kind_it_is():
    array = balls([1, INF, NAN])
    assert np.isfinite(array).tolist() == [True, False, False]
    assert np.isinf(array).tolist() == [False, True, False]
    assert np.isnan(array).tolist() == [False, False, True]


def test_signs_and_a_number_to_the_power_of_a_ball():
    assert (+Ball(Fraction(2, 3))).fraction == Fraction(2, 3)
    assert (4 ** Ball(Fraction(3, 2))).fraction == 8
    assert encloses(3 ** Ball(2).sqrt(), mpmath.power(3, mpmath.sqrt(2)))
    for operation in (operator.sub, operator.pow):
        for left, right in ((Ball(1), "1"), ("1", Ball(1))):
            with pytest.raises(TypeError):
                operation(left, right)


def test_a_number_is_true_unless_it_is_zero():
    assert all(map(bool, (Ball(-1), Ball(Fraction(1, 3)), Ball(2).sqrt(), -Ball(2).sqrt(), Ball(-INF))))
    assert not Ball(0)


def test_exponentials_of_infinities():
    assert Ball(INF).exp().midpoint == Ball(INF).expm1().midpoint == INF
    assert Ball(-INF).exp().fraction == 0
    assert Ball(-INF).expm1().fraction == -1
    assert Ball(NAN).expm1().is_nothing


def test_the_floats_on_either_side_of_an_enclosure():
    with precision(128):
        low, high = float_ends(Ball(1).exp().raw)
    assert mpmath.mpf(low) < mpmath.e < mpmath.mpf(high)
    assert math.nextafter(low, INF) == high
    assert float_ends(arb(0.75)) == (0.75, 0.75)
    assert float_ends(arb("inf")) == (INF, INF)
    assert float_ends(arb("-inf")) == (-INF, -INF)
    with pytest.raises(Undecided, match="indeterminate"):
        float_ends(arb("nan"))


def test_what_a_balls_text_shows():
    assert repr(Ball(Fraction(-3, 7))) == "Ball(-3/7)"
    assert repr(Ball(2) ** 119) == f"Ball({2**119})"
    assert repr(Ball(2) ** 121).endswith("..., exact)")
    assert [repr(Ball(x)) for x in (INF, -INF, NAN)] == ["Ball(inf)", "Ball(-inf)", "Ball(nothing)"]
    assert repr(Ball(-1).sqrt()) == "Ball(undefined)"
    assert repr(Ball(2).sqrt()).startswith("Ball([1.4142135623730")
