"""Divergences that no bound reads, from their definitions: exact rationals in balls, and floats of tiny steps."""

from fractions import Fraction as F

import mpmath
import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.numerics.ball.raw import precision
from trpo_theory.step.exact import ExactInstance

OLD = [[F(1, 2), F(1, 3), F(1, 6)], [F(1), F(0), F(0)], [F(1, 4), F(3, 4), F(0)]]
NEW = [[F(1, 4), F(1, 4), F(1, 2)], [F(1, 2), F(1, 2), F(0)], [F(3, 4), F(1, 4), F(0)]]


def pairs():
    return [[(p, q) for p, q in zip(*rows, strict=True) if p or q] for rows in zip(OLD, NEW, strict=True)]


RATIONAL = {
    "le_cam": [sum((p - q) ** 2 / (p + q) for p, q in row) / 2 for row in pairs()],
    "samson": [sum((p - q) ** 2 / max(p, q) for p, q in row) for row in pairs()],
    "ratio_deviation": [max(abs(q / p - 1) if p else np.inf for p, q in row) for row in pairs()],
}
ORDERS = {"renyi_half": F(1, 2), "renyi_tenth": F(1, 10), "renyi_nine_tenths": F(9, 10)}


def exact_step():
    uniform = np.full((3, 3, 3), F(1, 3), dtype=object)
    return ExactInstance(
        transition=uniform, reward=np.eye(3), gamma=F(1, 2), initial=[F(1, 3)] * 3, old=np.array(OLD), new=np.array(NEW)
    )


@pytest.mark.parametrize("name", RATIONAL)
def test_rational_divergences_are_exact(name):
    with precision(64):
        q = exact_step().quantities()
        rows = getattr(q, name)
        assert [one.upper if one.is_finite else np.inf for one in rows] == RATIONAL[name]
        assert all(one.is_exact for one in rows if one.is_finite)


@pytest.mark.parametrize("name", ORDERS)
def test_renyi_by_name(name):
    a = ORDERS[name]
    with precision(128), mpmath.workdps(40):
        power = mpmath.mpf(a.numerator) / a.denominator
        mp = [[mpmath.mpf(x.numerator) / x.denominator for x in pair] for pair in pairs()[0]]
        oracle = mpmath.log(mpmath.fsum(p**power * q ** (1 - power) for p, q in mp)) / (power - 1)
        found = getattr(exact_step().quantities(), name)[0]
        assert abs(found.midpoint - oracle) < 1e-15


def test_jeffreys_is_kl_both_ways():
    """¼ log 2 + 1/12 log 4/3 + ⅓ log 3 in the first state; ∞ in the second, where new takes what old does not."""
    with precision(128), mpmath.workdps(40):
        found = exact_step().quantities().jeffreys
        oracle = mpmath.log(2) / 4 + mpmath.log(mpmath.mpf(4) / 3) / 12 + mpmath.log(3) / 3
        assert abs(found[0].midpoint - oracle) < 1e-15
        assert not found[1].is_finite


@pytest.mark.parametrize("name", ["le_cam", "samson", "ratio_deviation", "jeffreys", "renyi_half"])
def test_tiny_steps_keep_their_digits(name):
    """To leading order in x: new/old = 1 ± x."""
    x = 2.0**-40
    old, new = np.array([[0.5, 0.5]]), np.array([[(1 - x) / 2, (1 + x) / 2]])
    mdp = tt.zoo.dirichlet(np.random.default_rng(0), states=1, actions=2, gamma=0.5)
    leading = {"le_cam": x**2 / 4, "samson": x**2, "ratio_deviation": x, "jeffreys": x**2, "renyi_half": x**2 / 4}
    assert float(getattr(tt.compare(mdp, old, new), name)[0]) == pytest.approx(leading[name], rel=1e-11)
