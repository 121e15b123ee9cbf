"""Slacks in floats are within their stated rounding of the proved ones, also where rewards share a constant that dwarfs them."""

import numpy as np
import pytest
from cheap import is_deep, long

import trpo_theory as tt
from trpo_theory import bounds
from trpo_theory.proofs.certified_bounds import certify_bounds

REWARDS = [(0.0, 1.0), (1e5, 1e-5), (1e10, 1e-5), (1e10, 1.0)]
EVERY = [(gamma, *reward) for gamma in (0.5, 0.99, 0.999) for reward in REWARDS]


@pytest.mark.parametrize(
    ("gamma", "offset", "spread"),
    EVERY if is_deep() else [*EVERY[:8:3], EVERY[8], *(long(*case) for case in EVERY[9:])],
)
def test_the_float_slack_is_within_its_rounding(gamma, offset, spread):
    """gamma .999, r = 1e10 +- 1e-5: 3.94 was printed as 9e-14. All rewards there, where rounding is largest."""
    rng = np.random.default_rng(7)
    mdp = tt.FiniteMDP(
        rng.dirichlet(np.ones(3), size=(3, 2)), offset + spread * rng.normal(size=(3, 2)), gamma, np.eye(3)[0]
    )
    old = rng.dirichlet(np.ones(2), size=3)
    new = 0.99 * old + 0.01 * rng.dirichlet(np.ones(2), size=3)
    new /= new.sum(1, keepdims=True)
    q = tt.compare(mdp, old, new)
    for proved in certify_bounds(mdp, old, new):
        check = bounds.get(proved.id).check(q)
        if np.isfinite(proved.slack):
            assert abs(check.slack - proved.slack) <= check.rounding + 1e-9 * abs(proved.slack), proved.id


def test_advantages_do_not_depend_on_a_constant_in_the_reward():
    rng = np.random.default_rng(1)
    moves, reward = rng.dirichlet(np.ones(3), size=(3, 2)), np.round(rng.normal(size=(3, 2)) * 64) / 64
    old = np.full((3, 2), 0.5)
    plain, shifted = (tt.FiniteMDP(moves, reward + c, 0.999) for c in (0.0, 2.0**34))
    want = tt.evaluate(plain, old).advantage
    assert tt.evaluate(shifted, old).advantage == pytest.approx(want, abs=1e-11)
    assert tt.compare(shifted, old, old).advantage == pytest.approx(want, abs=1e-11)
