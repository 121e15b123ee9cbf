"""Divergences against mpmath at 60 digits, in the generalised form that stored rows call for, and their laws."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mpf
from strategies_small import dyadic

from trpo_theory.errors import InvalidInput
from trpo_theory.numerics import divergence

RTOL = 1e-12
ORDERS = (0.1, 0.25, 0.5, 0.75, 0.9)
SUBNORMAL = 1e-321  # a sum of a few subnormal terms is known to this, not to 1e-12 of itself


def mp_kl_term(p, q):
    if p == 0:
        return q
    return mpmath.inf if q == 0 else p * mpmath.log(p / q) - p + q


def mp_kl(p, q):
    return mpmath.fsum(mp_kl_term(x, y) for x, y in zip(p, q, strict=True))


def mp_tv(p, q):
    return mpmath.fsum(abs(x - y) for x, y in zip(p, q, strict=True)) / 2


def mp_chi2(p, q):
    terms = [mpf(0) if x == y else mpmath.inf if y == 0 else (x - y) ** 2 / y for x, y in zip(p, q, strict=True)]
    return mpmath.fsum(terms)


def mp_jensen_shannon(p, q):
    middle = [(x + y) / 2 for x, y in zip(p, q, strict=True)]
    return (mp_kl(p, middle) + mp_kl(q, middle)) / 2


def mp_hellinger2(p, q):
    return mpmath.fsum((mpmath.sqrt(x) - mpmath.sqrt(y)) ** 2 for x, y in zip(p, q, strict=True)) / 2


def mp_renyi(p, q, order):
    a = mpf(order)
    b = 1 - a
    excess = mpmath.fsum((x**a) * (y**b) - a * x - b * y for x, y in zip(p, q, strict=True) if x != y)
    return mpmath.inf if excess == -1 else mpmath.log1p(excess) / -b


DIVERGENCES = {
    "kl": (divergence.kl, mp_kl),
    "reverse": (lambda p, q, **k: divergence.kl(q, p, **k), lambda p, q: mp_kl(q, p)),
    "tv": (divergence.tv, mp_tv),
    "chi2": (divergence.chi2, mp_chi2),
    "jeffreys": (divergence.jeffreys, lambda p, q: mp_kl(p, q) + mp_kl(q, p)),
    "jensen_shannon": (divergence.jensen_shannon, mp_jensen_shannon),
    "hellinger2": (divergence.hellinger2, mp_hellinger2),
} | {
    f"renyi {order}": (
        lambda p, q, order=order, **k: divergence.renyi(p, q, order, **k),
        lambda p, q, order=order: mp_renyi(p, q, order),
    )
    for order in ORDERS
}
SYMMETRIC = ("tv", "jeffreys", "jensen_shannon", "hellinger2", "renyi 0.5")
INFINITE_OFF_SUPPORT = ("kl", "chi2", "jeffreys")
every_divergence = pytest.mark.parametrize("name", DIVERGENCES)


def check(name: str, p: np.ndarray, q: np.ndarray, rtol: float = RTOL) -> None:
    mine, oracle = DIVERGENCES[name]
    got = float(mine(np.asarray(p, dtype=float), np.asarray(q, dtype=float)))
    with mpmath.workdps(60):
        want = oracle([mpf(float(x)) for x in p], [mpf(float(x)) for x in q])
        if want > np.finfo(float).max:
            assert got == np.inf
        else:
            assert abs(mpf(got) - want) <= rtol * abs(want) + SUBNORMAL, (got, mpmath.nstr(want, 20), p, q)


def close_pairs(exponent: int, count: int = 8) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(exponent)
    pairs = []
    for _ in range(count):
        p = rng.dirichlet(np.full(rng.integers(2, 7), 0.7))
        q = p * np.exp(10.0**-exponent * rng.normal(size=p.shape))
        pairs.append((p, q / q.sum()))
    return pairs


@every_divergence
@pytest.mark.parametrize("exponent", range(14))
def test_divergence_of_close_rows_has_relative_accuracy(name, exponent):
    for p, q in close_pairs(exponent):
        check(name, p, q)


def test_the_close_pairs_reach_a_kl_of_1e_minus_24():
    assert min(float(divergence.kl(p, q)) for p, q in close_pairs(12)) < 1e-24


@every_divergence
def test_divergence_of_unrelated_rows(name):
    rng = np.random.default_rng(7)
    for _ in range(60):
        concentration = 10.0 ** rng.uniform(-1.5, 1)
        p, q = np.maximum(rng.dirichlet(np.full(5, concentration), size=2), 1e-300)
        check(name, p, q)


@every_divergence
@pytest.mark.parametrize(
    ("p", "q"),
    [
        ([0.5, 0.5, 0.0], [0.25, 0.25, 0.5]),
        ([0.5, 0.5, 0.0], [0.5, 0.5, 0.0]),
        ([1.0, 0.0], [1.0, 0.0]),
        ([1.0, 0.0], [1.0 - 1e-9, 1e-9]),
        ([0.0, 1.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]),
        ([0.5, 0.5, 0.0], [1.0, 0.0, 0.0]),
        ([0.5, 0.5, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0]),
        ([1.0, 5e-324], [1.0, 1e-310]),
        ([1.0, 1e-310], [1.0, 5e-324]),
        ([1.0, 5e-324], [0.5, 0.5]),
        ([0.5, 0.5], [1.0, 5e-324]),
        ([0.5, 0.5], [1.0, 1e-310]),
        ([1.0, 1e-310, 0.0], [0.75, 0.0, 0.25]),
        ([1.0, 1e-200], [1.0, 1e-100]),
        ([1e-160, 1.0], [3e-160, 1.0]),
        ([0.2, 0.8], [0.25, 0.75]),  # q/p − 1 = ±1/4: where the series and the logarithm meet
        ([0.4, 0.6], [0.5, 0.5]),
        ([0.5, 0.5], [0.375, 0.625]),
    ],
)
def test_divergence_with_zeros_and_subnormal_probabilities(name, p, q):
    check(name, p, q)
    check(name, q, p)


@every_divergence
def test_divergence_of_disjoint_rows(name):
    """KL and chi2 are infinite, and so is Rényi's, however the rows round; TV, H² and JS take their largest values."""
    largest = {"tv": 1.0, "hellinger2": 1.0, "jensen_shannon": np.log(2.0)}.get(name, np.inf)
    rng = np.random.default_rng(3)
    for _ in range(50):
        p = np.concatenate([rng.dirichlet(np.ones(3)), np.zeros(3)])
        q = np.concatenate([np.zeros(3), rng.dirichlet(np.ones(3))])
        np.testing.assert_allclose(DIVERGENCES[name][0](p, q), largest, rtol=1e-14)


@pytest.mark.parametrize("order", [0.01, 0.03, 0.97, 0.99])
def test_renyi_of_an_extreme_order_keeps_relative_accuracy(order):
    rng = np.random.default_rng(11)
    for _ in range(40):
        p, q = rng.dirichlet(np.ones(4), size=2)
        with mpmath.workdps(60):
            want = mp_renyi([mpf(x) for x in p], [mpf(x) for x in q], order)
        assert float(divergence.renyi(p, q, order)) == pytest.approx(float(want), rel=RTOL, abs=0)


@pytest.mark.parametrize("order", [0.0, 1.0, -0.5, 2.0, np.nan, 1e-6, 1 - 1e-6])
def test_renyi_refuses_an_order_outside_its_validity(order):
    with pytest.raises(InvalidInput, match=r"wanted 0.01 <= order <= 0.99"):
        divergence.renyi(np.array([0.5, 0.5]), np.array([0.25, 0.75]), order)


def test_textbook_values():
    p, q = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    assert float(divergence.kl(p, q)) == pytest.approx(np.log(2) - np.log(3) / 2, rel=1e-15)
    assert float(divergence.tv(p, q)) == 0.25
    assert float(divergence.chi2(p, q)) == pytest.approx(1 / 3, rel=1e-15)
    assert float(divergence.hellinger2(p, q)) == pytest.approx(1 - (np.sqrt(1 / 8) + np.sqrt(3 / 8)), rel=1e-14)


def test_x_minus_log1p_to_a_few_units_in_the_last_place():
    magnitudes = 10.0 ** np.linspace(-300, 300, 401)
    near = np.nextafter([0.25, 0.25, -0.25, -0.25, -1.0], [0, 1, 0, -1, 0])
    x = np.concatenate([magnitudes, -magnitudes[magnitudes < 1], near, [0.25, -0.25, -0.999, -0.5, 0.1, -0.1]])
    got = divergence.x_minus_log1p(x)
    with mpmath.workdps(700):
        want = [mpf(v) - mpmath.log1p(mpf(v)) for v in x]
        normal = [w > mpf(2) ** -1020 for w in want]
        for g, w, keep in zip(got, want, normal, strict=True):
            assert not keep or abs(mpf(float(g)) - w) <= 1e-15 * w
    np.testing.assert_array_equal(divergence.x_minus_log1p(np.array([0.0, -0.0, -1.0])), [0.0, 0.0, np.inf])


# --- laws ---------------------------------------------------------------------------------------------------------

rows = st.lists(st.integers(0, 9), min_size=4, max_size=4).filter(any).map(lambda w: dyadic(np.array(w)))


@every_divergence
@given(p=rows, q=rows)
def test_a_divergence_is_positive_unless_the_rows_are_equal(name, p, q):
    got = float(DIVERGENCES[name][0](p, q))
    assert (got == 0.0) if (p == q).all() else (got > 0.0)


@pytest.mark.parametrize("name", SYMMETRIC)
@given(p=rows, q=rows)
def test_a_symmetric_divergence_does_not_mind_the_order(name, p, q):
    forward, backward = DIVERGENCES[name][0](p, q), DIVERGENCES[name][0](q, p)
    np.testing.assert_allclose(forward, backward, rtol=1e-13)


@pytest.mark.parametrize("name", INFINITE_OFF_SUPPORT)
@given(p=rows, q=rows)
def test_infinite_where_p_has_mass_and_q_has_none_and_only_there(name, p, q):
    uncovered = ((p > 0) & (q == 0)).any() or (name == "jeffreys" and ((q > 0) & (p == 0)).any())
    assert np.isinf(DIVERGENCES[name][0](p, q)) == uncovered


@given(p=rows, q=rows)
def test_the_classical_inequalities_between_divergences(p, q):
    kl, tv, chi2 = (float(DIVERGENCES[name][0](p, q)) for name in ("kl", "tv", "chi2"))
    hellinger2 = float(divergence.hellinger2(p, q))
    slack = 1e-14
    assert 2 * tv**2 <= kl * (1 + slack)  # Pinsker
    assert kl <= np.log1p(chi2) * (1 + slack)
    assert hellinger2 <= tv * (1 + slack)
    assert tv <= np.sqrt(hellinger2 * (2 - hellinger2)) * (1 + slack)


# --- arrays -------------------------------------------------------------------------------------------------------


@every_divergence
def test_batches_broadcast_and_each_row_is_as_if_alone(name):
    mine = DIVERGENCES[name][0]
    rng = np.random.default_rng(5)
    p, q = rng.dirichlet(np.ones(3), size=(2, 1, 4)), rng.dirichlet(np.ones(3), size=(5, 1))
    got = mine(p, q)
    assert got.shape == (2, 5, 4)
    for i, j, k in np.ndindex(2, 5, 4):
        assert got[i, j, k] == pytest.approx(float(mine(p[i, 0, k], q[j, 0])), rel=1e-13)


@every_divergence
@pytest.mark.parametrize("axis", [0, 1, -2])
def test_the_axis_that_is_reduced(name, axis):
    mine = DIVERGENCES[name][0]
    rng = np.random.default_rng(6)
    p, q = rng.dirichlet(np.ones(3), size=(2, 4, 5)), rng.dirichlet(np.ones(3), size=(2, 4, 5))
    moved = mine(np.moveaxis(p, -1, axis), np.moveaxis(q, -1, axis), axis=axis)
    np.testing.assert_allclose(moved, mine(p, q), rtol=1e-13)


@every_divergence
def test_the_arguments_are_left_alone(name):
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.75, 0.0])
    p.flags.writeable = q.flags.writeable = False
    assert 0.0 < DIVERGENCES[name][0](p, q) < 1.0


@pytest.mark.parametrize("kind", ["list", "integers", "single precision"])
@every_divergence
def test_lists_integers_and_single_precision_are_read_as_numbers(name, kind):
    convert = {"list": list, "integers": lambda row: np.array(row, int), "single precision": np.float32}[kind]
    p, q = convert([1, 0, 0]), convert([1, 0, 0] if kind == "integers" else [0.5, 0.25, 0.25])
    mine = DIVERGENCES[name][0]
    assert float(mine(p, q)) == float(mine(np.array(p, dtype=float), np.array(q, dtype=float)))


@pytest.mark.parametrize("p", [1.0, 1e-100, 3e-200, 7e-300])
@pytest.mark.parametrize("factor", [0.5, 0.75, 1.5, 3.0, 1e5])
def test_the_term_of_tiny_probabilities_keeps_every_digit(p, factor):
    """log(q/p), not log q - log p, whose two terms are near 700 and cancel."""
    q = p * factor
    with mpmath.workdps(40):
        wanted = mp_kl_term(mpf(p), mpf(q))
        assert abs(mpf(float(divergence.kl_div(np.array([p]), np.array([q]))[0])) - wanted) <= 4e-15 * wanted
