"""Each divergence's parts against one another and against `Quantities`: whatever file is added is put to these tests."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.ball.raw import arb, float_ends, fmpq, precision, raw
from trpo_theory.sharp import divergences
from trpo_theory.sharp.divergences import BY_NAME, DIVERGENCES
from trpo_theory.sharp.normaliser import Normaliser
from trpo_theory.sharp.setting import Setting

every = pytest.mark.parametrize("divergence", BY_NAME.values(), ids=lambda one: one.name)
RATIOS = np.exp(np.concatenate([np.linspace(-30, 30, 241), np.linspace(-1e-3, 1e-3, 41)]))
MULTIPLIERS = (1e-6, 0.3, 1.0, 7.0)
SLOPES = (-50.0, -3.0, -0.7, -0.1, -1e-3, 1e-3, 0.1, 0.45, 2.0)
LOG = mpmath.log
GENERATORS = {  # f as the literature has it, and f''(1)
    "kl": (lambda x: -LOG(x), 1),
    "reverse-kl": (lambda x: x * LOG(x), 1),
    "chi2": (lambda x: (1 - x) ** 2 / x, 2),
    "reverse-chi2": (lambda x: x**2 - 1, 2),
    "hellinger2": (lambda x: (1 - mpmath.sqrt(x)) ** 2 / 2, "1/4"),
    "jensen-shannon": (lambda x: (x * LOG(x) - (1 + x) * LOG((1 + x) / 2)) / 2, "1/4"),
    "le-cam": (lambda x: (1 - x) / (1 + x), "1/2"),
    "jeffreys": (lambda x: x * LOG(x) - LOG(x), 2),
    "renyi-half": (lambda x: 2 * (1 - mpmath.sqrt(x)), "1/2"),
    "renyi-tenth": (lambda x: (1 - x ** (mpmath.mpf(9) / 10)) / 9 * 10, "1/10"),
    "renyi-nine-tenths": (lambda x: (1 - x ** (mpmath.mpf(1) / 10)) * 10, "9/10"),
}
WIDTHS = {  # the m of l = 1 ± m, by hand
    "kl": lambda d: mpmath.sqrt(1 - mpmath.exp(-2 * d)),
    "chi2": lambda d: mpmath.sqrt(d / (1 + d)),
    "reverse-chi2": mpmath.sqrt,
    "hellinger2": lambda d: 2 * (1 - d) * mpmath.sqrt(d * (2 - d)) if 2 * (1 - d) ** 2 > 1 else 1,
    "le-cam": lambda d: mpmath.sqrt(4 * d / (1 + d)),
    "tv": lambda d: 2 * d,
    "ratio-deviation": lambda d: d,
}
smooth = pytest.mark.parametrize("name", GENERATORS)
ROWS = [[(0.4, 0.1, 0.5), (0.2, 0.3, 0.5)], [(0.5, 0.5), (0.1, 0.9)], [(0.01, 0.99), (0.02, 0.98)]]


def at(function, *numbers):
    """A float function's value at one place: functions take arrays."""
    with np.errstate(over="ignore"):
        return float(function(*(np.array([number]) for number in numbers))[0])


def ends(value):
    """An exact rational, or a ball, between two floats."""
    return float_ends(arb(value))


@every
def test_the_centred_form_is_the_generator_tilted_with_its_least_value_at_one(divergence):
    f, centred = divergence.generator(RATIOS), divergence.centred(RATIOS)
    tilted = f + divergence.tilt * (RATIOS - 1)
    np.testing.assert_allclose(centred, tilted, rtol=1e-9, atol=1e-12)
    assert (centred >= 0).all()
    assert at(divergence.generator, 1.0) == at(divergence.centred, 1.0) == 0
    middle = (f[:-1] + f[1:]) / 2
    assert (divergence.generator((RATIOS[:-1] + RATIOS[1:]) / 2) <= middle * (1 + 1e-12) + 1e-12)[:240].all()  # convex


@every
def test_the_ends_are_limits(divergence):
    tiny, huge = np.array([1e-14, 1e-280]), np.array([1e14, 1e150])
    at_zero, at_infinity = divergence.generator(tiny), divergence.generator(huge) / huge
    for limit, values in ((divergence.at_zero, at_zero), (divergence.at_infinity, at_infinity)):
        if np.isinf(limit):
            assert values[1] > values[0] > 20
        else:
            np.testing.assert_allclose(values[1], limit, rtol=0, atol=1e-12)


@every
def test_the_enclosed_form_contains_the_float_one(divergence):
    with precision(128):
        for ratio in (1e-6, 0.3, 0.999999, 1.0, 1.25, 1e4):
            low, high = ends(divergence.enclosed(raw(ratio)))
            assert low <= high <= low + 1e-15 * abs(low)
            assert at(divergence.centred, ratio) == pytest.approx(low, rel=1e-9)


@smooth
def test_it_is_the_divergence_of_the_literature(name):
    """Up to a multiple of l − 1: `enclosed`, the floats and the ends, against 40 digits."""
    divergence, (f, second) = BY_NAME[name], GENERATORS[name]
    with mpmath.workdps(40), precision(160):
        slope = mpmath.diff(f, 1)
        for ratio in (0.0009765625, 0.3125, 0.96875, 1.0, 1.0078125, 5.0, 1024.0):
            oracle = f(mpmath.mpf(ratio)) - f(mpmath.mpf(1)) - slope * (ratio - 1)
            ball = arb(divergence.enclosed(raw(ratio)))
            assert abs(mpmath.mpf(ball.mid().str(45, radius=False)) - oracle) < 1e-28
            assert at(divergence.centred, ratio) == pytest.approx(float(oracle), rel=4e-15)
        assert abs(mpmath.diff(f, 1, 2) - mpmath.mpf(Fraction(second).numerator) / Fraction(second).denominator) < 1e-12
        assert divergence.second_derivative == Fraction(second)
        for end, exact, limit in zip(
            (divergence.at_zero - divergence.tilt, divergence.at_infinity + divergence.tilt),
            divergence.ends(),
            (enclosed_at(divergence, fmpq(1, 10**300)), enclosed_at(divergence, fmpq(10**300)) / fmpq(10**300)),
            strict=True,
        ):
            assert float(exact) == pytest.approx(end, rel=1e-15)
            assert not np.isfinite(end) or abs(exact - limit) < 1e-25


def enclosed_at(divergence, ratio):
    return arb(divergence.enclosed(ratio))


@smooth
@pytest.mark.parametrize("c", [-70.0, -2.0, -0.015625, 0.015625, 0.125])
def test_the_conjugate_is_the_supremum_to_25_digits(name, c):
    divergence, (f, _) = BY_NAME[name], GENERATORS[name]
    shift = mpmath.mpf(divergence.tilt)
    with mpmath.workdps(40), precision(160):
        slope = mpmath.diff(f, 1) + shift

        def gain(log_ratio):
            ratio = mpmath.exp(log_ratio)
            return c * ratio - 0.75 * (f(ratio) - f(mpmath.mpf(1)) - slope * (ratio - 1))

        peak = at(divergence.peak, c, 0.75)
        found = arb(divergence.conjugate(raw(c), raw(0.75)))
        if not np.isfinite(peak):
            assert not found.is_finite()
            return
        best = mpmath.findroot(lambda u: mpmath.diff(gain, u), mpmath.log(peak)) if peak else mpmath.mpf(-1000)
        top = gain(best)
        assert abs(mpmath.mpf(found.mid().str(45, radius=False)) - top) < abs(top) * mpmath.mpf(10) ** -25


def objective(divergence, c, multiplier, ratio):
    return c * ratio - multiplier * divergence.generator(ratio)


@every
@pytest.mark.parametrize("multiplier", MULTIPLIERS)
@pytest.mark.parametrize("c", SLOPES)
def test_the_peak_and_the_conjugate_are_the_supremum(divergence, c, multiplier):
    """Against every ratio of a grid, and where the supremum is infinite, along l → ∞."""
    peak = at(divergence.peak, c, multiplier)
    on_grid = objective(divergence, c, multiplier, RATIOS[RATIOS < 1e12]).max()
    if np.isfinite(divergence.at_zero):
        on_grid = max(on_grid, -multiplier * divergence.at_zero)
    with precision(128):
        conjugate = divergence.conjugate(raw(c), raw(multiplier))
        infinite = not arb(conjugate).is_finite()
        low, high = ends(conjugate)
    assert infinite or low <= high <= low + 1e-14 * abs(low)
    assert high >= on_grid - 1e-12 * abs(on_grid)
    if infinite:
        assert np.isinf(peak)
        assert c >= multiplier * divergence.at_infinity
    elif np.isfinite(peak) and peak < 1e200:  # attained there
        cost = at(divergence.generator, peak) if peak > 0 else divergence.at_zero
        assert c * peak - multiplier * cost == pytest.approx(high, rel=1e-9, abs=1e-12 * multiplier)


@every
def test_without_a_multiplier_only_a_falling_slope_has_a_finite_supremum(divergence):
    zero = fmpq(0)
    assert divergence.conjugate(fmpq(-1), zero) == 0
    assert divergence.conjugate(zero, zero) == 0
    assert not arb(divergence.conjugate(fmpq(1), zero)).is_finite()


@every
@pytest.mark.parametrize("radius", [1e-8, 1e-3, 0.1, 0.24])
def test_the_largest_gain_is_that_of_two_atoms(divergence, radius):
    """Half of old's mass at 1 + m with A = 1, half at 1 − m: E(l − 1)A = m at a divergence of (f(1 + m) + f(1 − m))/2."""
    gain = Setting(divergence.at(Fraction(radius)), 0.5, radius).width
    assert 0 < gain <= 1
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.array([1 + gain, 1 - gain])
        values = np.where(inner > 0, divergence.centred(np.where(inner > 0, inner, 1.0)), divergence.at_zero)
    assert spent(divergence, values) >= radius * (1 - 1e-9) or gain == 1  # no law within the radius gains more
    less = divergence.centred(1 + 0.9 * gain * np.array([1, -1]))
    assert spent(divergence, less) <= radius  # and nine tenths of it are gained


@pytest.mark.parametrize("radius", [1e-8, 1e-3, 0.1, 0.24])
@pytest.mark.parametrize("name", WIDTHS)
def test_the_largest_gain_has_its_closed_form(name, radius):
    width = Setting(BY_NAME[name].at(Fraction(radius)), 0.5, radius).width
    assert width == pytest.approx(float(WIDTHS[name](mpmath.mpf(radius))), rel=1e-9, abs=0)


def spent(divergence, values, weights=None):
    """The divergence of a row from f at each of its actions."""
    if divergence.of_worst:
        return values.max(-1)
    mean = np.average(values, axis=-1, weights=weights)
    return divergence.of_mean(mean) if divergence.of_mean else mean


@every
def test_quantities_has_the_divergence_of_each_state(divergence):
    old, new = np.random.default_rng(0).dirichlet(np.ones(4), (2, 5))
    new[0] = [0.25, 0.25, 0.25, 0.25]
    old[0] = [0.5, 0.5, 0, 0]  # new takes what old does not
    old[1], new[1] = new[0], old[0]
    mdp = tt.zoo.dirichlet(np.random.default_rng(1), states=5, actions=4, gamma=0.9)
    q = tt.compare(mdp, old, new)
    ratio = np.divide(new, old, out=np.ones_like(new), where=old > 0)
    inner = divergence.centred(np.where(ratio > 0, ratio, 1.0)) * np.where(ratio > 0, old, 0)
    total = inner.sum(1)
    with np.errstate(invalid="ignore"):
        total[0] += 0.5 * (divergence.at_infinity + divergence.tilt)
        total[1] += 0.5 * (divergence.at_zero - divergence.tilt)
    if divergence.of_worst:
        total = np.where(new > 0, np.abs(ratio - 1), 1.0).max(1)
        total[0] = np.inf
    elif divergence.of_mean:
        total = divergence.of_mean(total)
    np.testing.assert_allclose(getattr(q, divergence.field), total, rtol=1e-12)
    for reduction in divergence.reductions:
        if reduction.field is not None:
            by_hand = (q.occupancy_old * total).sum() if reduction.mean else total.max()
            np.testing.assert_allclose(getattr(q, reduction.field), by_hand, rtol=1e-12)


@every
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("share", [0.999, 1.001])
def test_at_a_radius_it_is_an_f_divergence_with_the_same_ball(divergence, rows, share):
    """Its E f is at most the radius exactly where the divergence, as `Quantities` has it, is; and its parts fit together."""
    old, new = (np.array([row]) for row in rows)
    mdp = tt.zoo.dirichlet(np.random.default_rng(1), states=1, actions=old.shape[1], gamma=0.5)
    itself = float(getattr(tt.compare(mdp, old, new), divergence.field)[0])
    radius = Fraction(itself * share)
    within = divergence.at(radius)
    ratio = new / old
    assert ((old * within.centred(ratio)).sum() <= float(radius)) == (share > 1)
    with precision(128):
        enclosed = [arb(within.enclosed(fmpq(*one.as_integer_ratio()))) for one in ratio[0]]
        for one, ball in zip(ratio[0], enclosed, strict=True):
            assert float(ball) == pytest.approx(at(within.centred, one), rel=1e-12)
        for c in (-2.0, -0.25, 0.0, 0.25):
            top = within.conjugate(raw(c), raw(1.5))
            peak = at(within.peak, c, 1.5)
            assert 0 <= peak <= np.inf
            for one in np.append(np.linspace(0.05, 3, 60), ratio[0]):
                cost = at(within.generator, one)
                assert cost == np.inf or not arb(top) < raw(c) * arb(float(one)) - raw(1.5) * arb(cost) - 1e-14
            if np.isfinite(peak) and peak > 0:
                assert float(arb(top)) == pytest.approx(
                    c * peak - 1.5 * at(within.generator, peak), rel=1e-9, abs=1e-12
                )


@every
def test_a_peak_is_never_nan(divergence):
    """Of any shape, and for slopes and multipliers from rounding errors up to those of a program that is unbounded."""
    c = np.concatenate([-np.logspace(-300, 300, 101), [0.0, -0.0], np.logspace(-300, 300, 101)])[:, None]
    multiplier = np.logspace(-300, 300, 51)[None]
    for one in (divergence, divergence.at(Fraction(1, 5))):
        with np.errstate(all="ignore"):
            peak = one.peak(c, multiplier)
            cube = one.peak(np.broadcast_to(c[:, :, None], (204, 51, 2)), multiplier[..., None])
        assert peak.shape == (204, 51)
        assert (peak >= 0).all()
        np.testing.assert_array_equal(cube[..., 1], peak)


@every
def test_a_family_stays_within_the_radius_and_below_the_gap(divergence):
    if divergence.family is None:
        return
    found = 0
    for reduction in divergence.reductions:
        for normaliser in Normaliser:
            family = divergence.family(reduction.mean, normaliser, 0.5, 0.2)
            if family is not None:
                found += 1
                q = tt.compare(family.mdp, family.old, family.new)
                assert getattr(q, reduction.field) <= 0.2
                gap = tt.sharp_gap(reduction.name, 0.5, 0.2, normaliser.value, nodes=10)
                assert 0.99 * gap.upper < -float(q.surrogate_gap) / normaliser.of(q) <= gap.upper
    assert found


def test_the_tables_hold_each_file_once():
    assert list(BY_NAME) == [divergence.name for divergence in BY_NAME.values()]
    assert [reduced.reduction.name for reduced in DIVERGENCES.values()] == list(DIVERGENCES)
    assert {"max-kl", "max-tv", "mean-kl", "mean-tv", "reverse-max-kl", "max-chi2"} <= DIVERGENCES.keys()


def test_a_file_without_a_divergence_or_with_anothers_name_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(divergences, "__path__", [*divergences.__path__, str(tmp_path)])
    (tmp_path / "empty_one.py").write_text("")
    with pytest.raises(InvalidInput, match=r"empty_one.*DIVERGENCE"):
        divergences._tables()
    (tmp_path / "empty_one.py").unlink()
    (tmp_path / "second_kl.py").write_text("from trpo_theory.sharp.divergences.kl import DIVERGENCE")
    with pytest.raises(InvalidInput, match="two divergences named 'kl'"):
        divergences._tables()


def test_a_radius_beyond_the_largest_is_refused():
    assert Fraction(BY_NAME["tv"].largest_radius) == 1
    with pytest.raises(InvalidInput, match=r"radius = 1\.0001"):
        tt.sharp_gap("mean-tv", 0.5, 1.0001)
