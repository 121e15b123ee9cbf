"""Supersolutions for intervals of radii: conjugates and divergences at 60 digits, h(0) of another code, gaps at single radii."""

from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from cheap import long

from trpo_theory.errors import NotSolved
from trpo_theory.numerics.ball.raw import raw
from trpo_theory.sharp.gap import sharp_gap
from trpo_theory.sharp.limit import sharp_limit
from trpo_theory.sharp.radius_interval import SKEWNESS, proved_on, skewed, supersolution_on

HALF, NINE_TENTHS = Fraction(1, 2), Fraction(9, 10)
KNOWN = 1.184981, 1.185335
"""h(0) at gamma = 1/2 between the floats of a code that shares nothing with this one."""
DIVERGENCES = {
    "kl": (1, lambda z: z - mpmath.log1p(z)),
    "reverse-kl": (1, lambda z: (1 + z) * mpmath.log1p(z) - z),
    "hellinger2": (mpmath.mpf(1) / 4, lambda z: (mpmath.sqrt(1 + z) - 1) ** 2 / 2),
    "jensen-shannon": (
        mpmath.mpf(1) / 4,
        lambda z: (-mpmath.log(1 + z / 2) + (1 + z) * (mpmath.log1p(z) - mpmath.log(1 + z / 2))) / 2,
    ),
    "le-cam": (mpmath.mpf(1) / 2, lambda z: z**2 / (2 * (2 + z))),
    "jeffreys": (2, lambda z: z * mpmath.log1p(z)),
    "chi2": (2, lambda z: z**2 / (1 + z)),
    "reverse-chi2": (2, lambda z: z**2),
}
"""f''(1) and the centred f(1 + z)."""


@pytest.fixture(scope="module")
def narrow():
    return supersolution_on(HALF, Fraction(2, 3), Fraction(1, 10), Fraction(11, 100), 16.0)


@pytest.mark.parametrize("name", SKEWNESS)
def test_a_divergence_is_above_its_skewed_chi_square_which_no_other_skewness_touches_as_closely(name):
    second, f = DIVERGENCES[name]
    with mpmath.workdps(60):
        theta = mpmath.mpf(SKEWNESS[name].numerator) / SKEWNESS[name].denominator
        steps = [mpmath.mpf(10) ** -k for k in (12, 6, 3, 1)] + [mpmath.mpf(n) / 10 for n in (3, 5, 9, 20, 100, 10**6)]
        for z in (*steps, *(-z for z in steps if z < 1)):
            assert f(z) >= second * z**2 / (1 + theta * z) / 2 - mpmath.mpf(10) ** -50 * z**2
        z = mpmath.mpf(10) ** -12
        assert abs(f(z) / (second * z**2 / 2) - 1 + theta * z) < 10 * z**2


@pytest.mark.parametrize("c", ["-3", "-1/7", "1/50", "2", "29/2"])
def test_the_conjugate_is_the_largest_value(c):
    below, above, price = Fraction(1, 30), Fraction(1, 20), Fraction(7, 9)
    c = Fraction(c)
    found = skewed(below, above).conjugate(raw(c), raw(price))
    with mpmath.workdps(40):
        slope, k = mpmath.mpf(c.numerator) / c.denominator, mpmath.mpf(1) / (20 if c > 0 else 30)
        lam = mpmath.mpf(7) / 9

        def value(z):
            return slope * (1 + z) - lam * z**2 / (1 + k * z)

        peak = mpmath.findroot(lambda z: mpmath.diff(value, z), slope)
        assert float(found) == pytest.approx(float(value(peak)), rel=1e-12)
    assert not skewed(below, above).conjugate(raw(Fraction(16)), raw(price)).is_finite()


def test_without_an_interval_it_is_the_constant_of_small_radii():
    found = proved_on(supersolution_on(HALF, Fraction(2, 3), Fraction(0), Fraction(0), 16.0))
    assert KNOWN[0] <= found <= 1.001 * KNOWN[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "second", "radius"),
    [("max-chi2", 2, 0.02), long("reverse-max-chi2", 2, 0.02), long("max-le-cam", 0.5, 0.02), ("max-kl", 1, 0.02)],
)
def test_at_one_radius_it_is_about_the_sharp_gap(name, second, radius):
    """For χ² both ways and Le Cam's divergence f is its skewed χ², and the interval's program the sharp gap's itself."""
    sigma = Fraction(int(np.sqrt(2 * radius / second) * 10**6), 10**6)
    theta = SKEWNESS[name.replace("max-", "")]
    found = float(proved_on(supersolution_on(HALF, theta, sigma, sigma + Fraction(1, 10**6), 16.0)))
    gap = sharp_gap(name, 0.5, radius, width=1e-3)
    assert gap.lower <= 2 * found * radius / second <= gap.upper * 1.003


@pytest.mark.slow
def test_it_bounds_the_gap_at_every_radius_of_the_interval(narrow):
    constant = float(proved_on(narrow))
    for radius in (0.005, 0.0055, 0.00605):
        assert sharp_gap("max-kl", 0.5, radius, width=4e-3).lower <= 2 * constant * radius
    longer = supersolution_on(HALF, Fraction(2, 3), Fraction(1, 10), Fraction(1, 5), 16.0)
    assert proved_on(longer) > proved_on(narrow)


@pytest.mark.parametrize("gamma", [HALF, long(NINE_TENTHS)])
def test_the_law_of_small_radii_is_proved_for_kl_on_an_interval(gamma):
    lower = sharp_limit(gamma, certify=True, width=1e-3).lower
    found = supersolution_on(gamma, SKEWNESS["kl"], Fraction(1, 5), Fraction(21, 100), 16.0)
    assert proved_on(found) < lower


def test_what_is_no_supersolution_is_not_proved(narrow):
    for wrong in (
        {"w": narrow.w * (1 - 1e-3)},
        {"w": narrow.w[::-1].copy()},
        {"multiplier": -narrow.multiplier},
        {"width": narrow.width * Fraction(9, 10)},
        {"high": Fraction(1, 5)},
        {"low": Fraction(1, 20)},
        {"theta": Fraction(0)},
        {"gamma": Fraction(51, 100)},
        {"nodes": narrow.nodes + 1e-3},
    ):
        with pytest.raises(NotSolved):
            proved_on(replace(narrow, **wrong))
