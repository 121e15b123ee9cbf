"""Sharp gaps in closed form: total variation at all sizes of the arguments, and radii beyond a divergence's largest value."""

import re
from fractions import Fraction

import numpy as np
import pytest

from trpo_theory.errors import InvalidInput
from trpo_theory.sharp.gap import sharp_gap

GAMMAS = ("0.001", "0.1", "0.66", "0.7", "0.99", "0.9999")
RADII = ("1e-10", "1e-6", "0.001", "0.25", "0.7", "1")


def of_max_tv(gamma, radius, largest):
    """2 m γ α/((1 − γ)(1 − γ(1 − α)))."""
    return 2 * largest * gamma * radius / ((1 - gamma) * (1 - gamma * (1 - radius)))


def of_mean_tv(gamma, radius):
    """Over max|A|, by the families of docs/theory.md: shares p and shifts y that spend the radius, and what they gain."""
    found = [Fraction(0)]
    for shift in (Fraction(0), Fraction(1), min(max((radius - (1 - gamma)) * 2 / gamma, Fraction(0)), Fraction(1))):
        share = min(radius / ((1 - gamma) + gamma * shift / 2), Fraction(1))
        found.append(gamma * share * (1 + shift) / (1 - gamma))
    return max(found)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("radius", RADII)
def test_both_ends_of_total_variation_are_proved_about_the_closed_form(gamma, radius):
    g, d = Fraction(gamma), Fraction(radius)
    exact = {
        ("max-tv", "max"): of_max_tv(g, d, min(2 * d, 1)),
        ("max-tv", "expected"): of_max_tv(g, d, 1),
        ("mean-tv", "max"): of_mean_tv(g, d),
        ("mean-tv", "expected"): min(2 * g * d / (1 - g) ** 2, 2 * g / (1 - g)),  # CPO's bound
    }
    for (name, normaliser), value in exact.items():
        gap = sharp_gap(name, g, d, normaliser, certify=True)
        assert Fraction(gap.lower) <= value <= Fraction(gap.upper), (name, normaliser)
        assert gap.upper / gap.lower - 1 < 2e-3, (name, normaliser)


@pytest.mark.parametrize("normaliser", ["max", "expected"])
@pytest.mark.parametrize(
    ("name", "radius"),
    [
        *((f"{reduction}-{name}", 1) for reduction in ("max", "mean") for name in ("tv", "hellinger2", "le-cam")),
        *((f"{reduction}-jensen-shannon", float(np.log(2))) for reduction in ("max", "mean")),
    ],
)
def test_a_radius_that_excludes_nothing_has_the_gap_of_no_radius(name, radius, normaliser):
    for gamma in (Fraction(1, 10), Fraction(9, 10)):
        gap = sharp_gap(name, gamma, radius, normaliser, certify=True)
        assert gap.lower <= 2 * gamma / (1 - gamma) <= gap.upper
        assert gap.upper / gap.lower - 1 < 1e-9


def test_a_mean_over_the_expected_advantage_needs_the_largest_value_only_once():
    gap = sharp_gap("mean-hellinger2", 0.99, 0.011, "expected", certify=True)
    assert gap.lower <= 198 <= gap.upper < gap.lower * (1 + 1e-6)


def test_a_radius_beyond_the_largest_is_refused_with_one_that_works():
    for name in ("mean-tv", "max-hellinger2", "mean-jensen-shannon"):
        with pytest.raises(InvalidInput) as caught:
            sharp_gap(name, 0.9, 7)
        fix = re.search(r"fix: pass ([\d.]+): beyond it", str(caught.value))
        assert fix is not None
        assert sharp_gap(name, 0.9, float(fix[1])).upper == pytest.approx(18)
    with pytest.raises(InvalidInput, match="radius = 21"):
        sharp_gap("max-kl", 0.9, 21)


@pytest.mark.parametrize("radius", ["1e-6", "1e-8"])
def test_a_narrow_clip_is_proved(radius):
    """|l - 1| <= e is TV <= e/2, and a single step of l = 1 +- e has the mean |l - 1| = e."""
    gamma, e = Fraction(1, 10), Fraction(radius)
    gap = sharp_gap("max-ratio-deviation", gamma, e, "expected", certify=True)
    assert gamma * e < gap.upper
    assert gap.lower < of_max_tv(gamma, e / 2, 1)
    assert gap.lower <= gap.upper < 1.01 * gap.lower
