"""Implications by the independent checker alone: true formulas are proved, and false ones not, also at the ends of a region."""

import math
from fractions import Fraction as F

import pytest
from proof_implied import implied
from proof_numbers import Rejected
from proof_own_claims import Own


def kl(q):
    return 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_kl


def share(x):
    """The penalty of trpo/kl with something else for the divergence."""
    return lambda q: q.surrogate_gap + 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * x(q)


TRUE = {
    "itself": (share(lambda q: q.max_kl), "trpo/kl", {}),
    "two branches": (share(lambda q: q.max_kl if q.max_kl < 3 else 2 * q.max_kl), "trpo/kl", {}),
    "a minimum": (share(lambda q: q.minimum(q.max_kl, 1)), "bh/kl", {}),
    "some room": (share(lambda q: 1.01 * q.max_kl), "trpo/kl", {"gamma": (F(1, 2), F(1, 2)), "radius": (F(1), F(2))}),
    "a discount from which on it is known": (
        share(lambda q: q.mean_kl / 2),
        "mean-kl/linear-2",
        {"gamma": (F(21, 40), F(99, 100))},
    ),
    "a larger divergence": (share(lambda q: q.max_chi2), "trpo/kl with KL <= chi2", {}),
    "a root": (share(lambda q: q.max_chi2 / 4), "trpo/tv with TV^2 <= chi2/4 (Cauchy and Schwarz)", {}),
}
FALSE = {
    "at an infinite divergence": (lambda q: q.surrogate_gap + (kl(q) if q.max_kl < math.inf else -1), "trpo/kl", {}),
    "at a divergence of 0": (lambda q: q.surrogate_gap + (kl(q) if q.max_kl > 0 else -1), "trpo/kl", {}),
    "at gamma = 0": (lambda q: q.surrogate_gap + (kl(q) if q.gamma > 0 else -1), "trpo/kl", {}),
    "without advantages": (lambda q: q.surrogate_gap + (kl(q) if q.max_abs_advantage > 0 else -1), "trpo/kl", {}),
    "with the gap's other sign": (lambda q: kl(q) - q.surrogate_gap, "trpo/kl", {}),
    "of another difference": (lambda q: q.expected_return_new - q.expected_return_old + kl(q), "trpo/kl", {}),
    "at the last discount": (
        share(lambda q: q.max_kl if q.gamma < 0.5 else 0),
        "trpo/kl",
        {"gamma": (F(1, 2), F(1, 2)), "radius": (F(1), F(2))},
    ),
    "a little less": (
        share(lambda q: 0.999 * q.max_kl),
        "trpo/kl",
        {"gamma": (F(1, 2), F(1, 2)), "radius": (F(1), F(1))},
    ),
    "of degree two": (
        lambda q: q.surrogate_gap + kl(q) * q.max_abs_advantage,
        "trpo/kl",
        {"gamma": (F(1, 2), F(1, 2)), "radius": (F(1), F(1))},
    ),
    "a discount below": (share(lambda q: q.mean_kl / 2), "mean-kl/linear-2", {"gamma": (F(1, 2), F(1, 2))}),
}


def attempt(formula, by, gamma=None, radius=None):
    return implied(Own("mine/a", formula, "a"), f"implied by {by}", gamma, radius, None if radius is None else "max_kl")


@pytest.mark.parametrize("name", TRUE)
def test_what_is_true_is_proved(name):
    formula, by, region = TRUE[name]
    attempt(formula, by, **region)


@pytest.mark.parametrize("name", FALSE)
def test_what_is_false_somewhere_is_not(name):
    formula, by, region = FALSE[name]
    with pytest.raises(Rejected):
        attempt(formula, by, **region)
