"""Each divergence's parts against one another and against `Quantities`: whatever file is added is put to these tests."""

from fractions import Fraction

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.ball.raw import arb, float_ends, fmpq, precision, raw
from trpo_theory.sharp import divergences
from trpo_theory.sharp.divergences import BY_NAME, DIVERGENCES
from trpo_theory.sharp.normaliser import Normaliser

every = pytest.mark.parametrize("divergence", BY_NAME.values(), ids=lambda one: one.name)
RATIOS = np.exp(np.concatenate([np.linspace(-30, 30, 241), np.linspace(-1e-3, 1e-3, 41)]))
MULTIPLIERS = (1e-6, 0.3, 1.0, 7.0)
SLOPES = (-50.0, -3.0, -0.7, -0.1, -1e-3, 1e-3, 0.1, 0.45, 2.0)


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
    gain = divergence.largest_gain(radius)
    assert 0 < gain <= 1
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.array([1 + gain, 1 - gain])
        values = np.where(inner > 0, divergence.centred(np.where(inner > 0, inner, 1.0)), divergence.at_zero)
    assert values.mean() >= radius * (1 - 1e-9) or gain == 1  # no law within the radius gains more
    assert divergence.centred(1 + 0.9 * gain * np.array([1, -1])).mean() <= radius  # and nine tenths of it are gained


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
    np.testing.assert_allclose(getattr(q, divergence.field), total, rtol=1e-12)
    for reduction in divergence.reductions:
        if reduction.field is not None:
            by_hand = (q.occupancy_old * total).sum() if reduction.mean else total.max()
            np.testing.assert_allclose(getattr(q, reduction.field), by_hand, rtol=1e-12)


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
