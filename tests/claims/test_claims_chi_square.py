"""The claims about chi-square where they are equalities, against closed forms by hand and the chains of the zoo."""

from __future__ import annotations

import math

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory import claims, zoo


def one_row(old: list[float], new: list[float], gamma: float = 0.5) -> tt.step.quantities.Quantities:
    actions = len(old)
    return tt.compare(tt.FiniteMDP(np.ones((1, actions, 1)), np.zeros((1, actions)), gamma), [old], [new])


@pytest.mark.parametrize(("low", "high"), [(0.5, 1.5), (0.9, 3.0), (0.0, 1.01)])
def test_two_ratios_attain_the_clip(low, high):
    p = (high - 1) / (high - low)
    q = one_row([p, 1 - p], [p * low, (1 - p) * high])
    assert float(claims["chi2/clip"](q)) == pytest.approx(0, abs=1e-15)
    assert float(q.reverse_max_chi2) == pytest.approx((1 - low) * (high - 1), rel=1e-12)


@pytest.mark.parametrize(
    ("cap", "kl", "most"), [(1.2, 0.001, 0.0022459), (2, 0.01, 0.031932), (5, 0.01, 0.066278), (20, 0.01, 0.22412)]
)
def test_the_largest_chi_square_under_a_cap(cap, kl, most):
    """The law on B and m with that KL, found by bisection, has the printed chi-square, and slack 0."""
    low, high = 0.0, 1 / cap
    for _ in range(200):
        mass = (low + high) / 2
        rest = (1 - mass * cap) / (1 - mass)
        over = -mass * math.log(cap) - (1 - mass) * math.log(rest) > kl
        low, high = (low, mass) if over else (mass, high)
    q = one_row([mass, 1 - mass], [mass * cap, (1 - mass) * rest])
    assert float(q.reverse_max_chi2) == pytest.approx(most, rel=3e-5)
    assert float(np.max(np.abs(claims["chi2/cap"](q)))) < 1e-15


def test_three_ratios_are_below_the_cap():
    q = one_row([0.2, 0.3, 0.5], [0.4, 0.3, 0.3])
    assert float(claims["chi2/cap"](q)[0]) > 1e-3
    assert float(claims["chi2/clip"](q)) == pytest.approx((0.4 * 1 - 0.28) / 1.28)


def test_the_occupancy_of_the_chain():
    """χ²(d_new‖d_old) = (1 − γ) Σ_{t<n} γᵗ((1 + c)ᵗ − 1) and more at the end; κ² as n grows, where it is attained."""
    family = zoo.chi2_advantage_tight(gamma=0.3, c=0.2, n=12)
    q = tt.compare(family.mdp, family.old, family.new)
    bound = 0.3 * 0.2 / (1 - 0.3 * 1.2)
    assert 0 <= float(claims["chi2/occupancy"](q)) < 1e-4 * bound


def test_the_chain_of_transitions_loses_information():
    q = one_row([0.5, 0.5], [0.75, 0.25])
    assert claims["transition/data-processing"](q) == pytest.approx([0.25])


@pytest.mark.parametrize(("slope", "certified"), [(0.99, True), (1.01, False)])
def test_the_certificate_ends_where_the_gain_does(slope, certified):
    """(κ CV)² = slope in the limit of n, where η(new) − η(old) = (1 − slope)/(1 − γ) changes sign."""
    gamma, c = 0.2, 0.1
    kappa = math.sqrt(gamma * c / (1 - gamma * (1 + c)))
    family = zoo.cv_certificate_tight(gamma=gamma, c=c, n=16, mean=1.0, slope=slope / kappa**2)
    q = tt.compare(family.mdp, family.old, family.new)
    assert bool(claims["update/cv-certificate"].met(q)) is certified
    assert bool(claims["update/cv-certificate-wider"].met(q))
    assert float(claims["update/cv-certificate"](q)) == pytest.approx((1 - slope) / (1 - gamma), abs=1e-6)


@pytest.mark.parametrize("name", ["update/cv-certificate-cv2", "update/cv-certificate-wider"])
def test_a_wider_certificate_is_refuted_by_the_chain(name):
    gamma, c = 0.2, 0.1
    kappa = math.sqrt(gamma * c / (1 - gamma * (1 + c)))
    family = zoo.cv_certificate_tight(gamma=gamma, c=c, n=16, mean=1.0, slope=1.01 / kappa**2)
    q = tt.compare(family.mdp, family.old, family.new)
    assert bool(claims[name].met(q))
    assert float(claims[name](q)) == pytest.approx(-0.0125, abs=1e-6)
