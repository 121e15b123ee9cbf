"""One inequality over all l ≥ 0: balls decide what is clear, exact rationals what is a tie, and nothing false is proved."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from trpo_theory.numerics.ball.raw import precision, raw
from trpo_theory.sharp.divergences import BY_NAME
from trpo_theory.sharp.inequality import OneLine, Place
from trpo_theory.sharp.small_radii import SQUARE

F = Fraction

CONJUGATES = {
    "kl": lambda c, k: k * (mpmath.log(k / -c) - 1) if c < 0 else mpmath.inf,
    "reverse-kl": lambda c, k: k * (mpmath.exp(c / k) - 1),
    "chi2": lambda c, k: 2 * k - 2 * mpmath.sqrt(k * (k - c)) if c <= k else mpmath.inf,
    "reverse-chi2": lambda c, k: c + c * c / (4 * k) if c >= -2 * k else -k,
    "hellinger2": lambda c, k: -k - k * k / (4 * c) if c < 0 else mpmath.inf,
    "tv": lambda c, k: max(c, -k / 2) if c <= k / 2 else mpmath.inf,
    "le-cam": lambda c, k: (
        mpmath.inf if 2 * c > k else -k / 2 if c < -1.5 * k else 2 * k - c - 2 * mpmath.sqrt(k * (k - 2 * c))
    ),
    "jensen-shannon": lambda c, k: (
        -k / 2 * mpmath.log(2 - mpmath.exp(2 * c / k)) if 2 * c < k * mpmath.log(2) else mpmath.inf
    ),
}
"""docs/theory.md, "Supersolutions": the table, in 60 digits."""


def failed(divergence, c, multiplier, room):
    """By how much c l − λ f(l) ≤ room is not proved; 0 if it is."""
    zero, one = raw(0), raw(1)
    place = Place("", 1, divergence, raw(multiplier), raw(room), OneLine(raw(c), zero), one, zero, zero)
    with precision(128):
        checks, excess = place.check()
    assert checks == 1
    return excess


def exactly(x):
    return mpmath.mpf(x.numerator) / x.denominator


@pytest.mark.parametrize("name", CONJUGATES)
def test_what_is_proved_is_so_in_60_digits_and_what_is_clear_is_proved(name):
    """At random slopes and prices, huge and tiny, and at the ends of where the supremum has its closed form."""
    rng = np.random.default_rng(list(CONJUGATES).index(name))
    sizes = 10.0 ** rng.uniform(-12, 12, size=60)
    slopes = [F(float(c)) / 3 for c in np.concatenate([sizes[:30], -sizes[30:]])] + [F(0), F(5e-324), F(-5e-324)]
    decided = 0
    with mpmath.workdps(60):
        for i, c in enumerate(slopes):
            price = F(float(sizes[i % 60 - 1])) / 7
            for k in (price, abs(c), abs(c) / 2, 2 * abs(c), abs(c) * F(2, 3), abs(c) * (1 + F(1, 10**50))):
                if k == 0 or abs(c) > 60 * k:  # beyond it numbers of the exponential are too long to write out
                    continue
                top = CONJUGATES[name](exactly(c), exactly(k))
                if top == mpmath.inf:
                    assert failed(BY_NAME[name], c, k, F(10**300))
                    continue
                scale = F(int(mpmath.ceil(max(abs(top), exactly(abs(c)), exactly(k)) * 10**25)), 10**25)
                about = F(int(mpmath.nint(top * 10**70)), 10**70)
                hair = scale * F(1, 10**30)
                assert failed(BY_NAME[name], c, k, about - hair - F(1, 10**60))
                assert not failed(BY_NAME[name], c, k, about + hair + F(1, 10**60))
                decided += 1
    assert decided > 100


@pytest.mark.parametrize("hair", [F(0), F(-1, 10**60)])
def test_a_tie_is_left_to_exact_numbers(hair):
    """TV at c = 1/3: the supremum is 1/3 itself, which no ball is sure of."""
    assert bool(failed(BY_NAME["tv"], F(1, 3), F(5, 7), F(1, 3) + hair)) is (hair < 0)


@pytest.mark.parametrize("c", [F(1, 3), F(-1, 3)])
def test_without_a_price_only_a_falling_slope_is_bounded(c):
    assert bool(failed(BY_NAME["kl"], c, F(0), F(0))) is (c > 0)


@pytest.mark.parametrize("hair", [F(0), F(-1, 10**60)])
def test_where_l_may_be_negative_the_supremum_falls_in_c_and_c_is_not_rounded(hair):
    """c + c²/(4 λ) at c = −10/3, λ = 1: −5/9, which falls in c there."""
    assert bool(failed(SQUARE, F(-10, 3), F(1), F(-5, 9) + hair)) is (hair < 0)
