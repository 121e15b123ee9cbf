"""`chi2/floor`: the least mean against the conditions of optimality, the printed instance, steps that it certifies."""

from __future__ import annotations

import numpy as np
import pytest
from test_chi2 import random_step, three_states

import trpo_theory as tt
from trpo_theory import bounds
from trpo_theory.bounds.floor import LossOfRatio
from trpo_theory.numerics.ball.raw import precision
from trpo_theory.step.exact import ExactInstance

FLOOR, MEAN_MAX = bounds.get("chi2/floor"), bounds.get("chi2/mean-max")


def loss_at(a: np.ndarray, law: np.ndarray, v: float) -> float:
    """E a − min E X a, of states that `a` alone distinguishes."""
    states = len(a)
    mdp = tt.FiniteMDP(np.eye(states)[:, None], np.zeros((states, 1)), 0.5, np.full(states, 1 / states))
    q = tt.compare(mdp, np.ones((states, 1)), np.ones((states, 1)))
    lost = LossOfRatio(q, a)
    return float((lost.unit * lost.at(law[None], np.array([v])))[0])


def least_mean(a: np.ndarray, law: np.ndarray, v: float) -> float:
    """min {E X a : X ≥ 0, E X = 1, E (X − 1)² ≤ v} by bisection in the level b of X ∝ (b − a)⁺, which is optimal."""
    lowest = a[law > 0].min()
    if law[a == lowest].sum() * (1 + v) >= 1:
        return float(lowest)

    def squared(b: float) -> float:
        y = np.maximum(b - a, 0)
        return float(law @ y**2 / (law @ y) ** 2)

    low, high = lowest + 1e-12, lowest + 1.0
    while squared(high) > 1 + v:
        high += 2 * (high - lowest)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if squared(middle) > 1 + v else (low, middle)
    y = np.maximum(high - a, 0)
    return float(law @ (y * a) / (law @ y))


@pytest.mark.parametrize("seed", range(40))
def test_the_least_mean_of_a_ratio(seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=6) if seed % 2 else rng.integers(-1, 2, 6).astype(float)
    law, v = rng.dirichlet(np.full(6, 0.5)), 10 ** rng.uniform(-3, 1.5)
    assert loss_at(a, law, v) == pytest.approx(law @ a - least_mean(a, law, v), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("v", [1e-6, 1e-12, 1e-20])
def test_a_small_ratio_is_lost_without_cancellation(v):
    a, law = np.array([1.0, -1.0, 3.0]), np.array([0.5, 0.25, 0.25])
    sd = np.sqrt(law @ (a - law @ a) ** 2)
    assert loss_at(a, law, v) == pytest.approx(sd * np.sqrt(v), rel=1e-6)


def test_two_values_by_hand():
    """a = (0, 1), p = (⅓, ⅔): X = (1 + √(2v), 1 − √(v/2)) while v ≤ 2, then all of it is on the first."""
    a, law = np.array([0.0, 1.0]), np.array([1 / 3, 2 / 3])
    for v in (0.02, 0.5, 1.99, 2.0):
        assert loss_at(a, law, v) == pytest.approx(2 / 3 * np.sqrt(v / 2), rel=1e-12)
    assert loss_at(a, law, 7.0) == pytest.approx(2 / 3, rel=1e-12)


def test_the_instance_with_known_numbers():
    q = tt.compare(*three_states())
    assert FLOOR.lower_bound(q) - q.expected_return_old == pytest.approx(0.0245203947, abs=6e-11)


def test_it_is_never_above_the_form_that_it_refines():
    for seed in range(60):
        q = tt.compare(*random_step(seed))
        assert FLOOR.penalty(q) <= MEAN_MAX.penalty(q) * (1 + 1e-12)
        assert bool(FLOOR.check(q).holds)


@pytest.mark.parametrize("far", [1e-3, 0.1, 1.0])
def test_a_step_that_is_nowhere_worse_is_certified(far):
    """A mixture with a greedy policy, of any size: Ā ≥ 0 everywhere."""
    for seed in range(20):
        mdp, old, _ = random_step(seed)
        advantage = tt.compare(mdp, old, old).advantage
        greedy = np.eye(mdp.actions)[np.asarray(advantage).argmax(1)]
        q = tt.compare(mdp, old, (1 - far) * old + far * greedy)
        assert FLOOR.lower_bound(q) >= q.expected_return_old - 1e-12 * abs(q.expected_return_old)


def test_also_where_new_goes_where_old_never_does():
    mdp = tt.FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[0, 1], [0, 0]], 0.9, [1, 0])
    q = tt.compare(mdp, [[1, 0], [1, 0]], [[0, 1], [1, 0]])
    assert FLOOR.lower_bound(q) >= q.expected_return_old
    assert bool(FLOOR.check(q).holds)


def test_a_batch_is_its_instances():
    steps = [random_step(seed) for seed in range(8)]
    fields = ("transition", "reward", "gamma", "initial")
    mdp = tt.FiniteMDP(*(np.stack([getattr(step[0], field) for step in steps]) for field in fields))
    batch = FLOOR.penalty(tt.compare(mdp, *(np.stack([step[k] for step in steps]) for k in (1, 2))))
    np.testing.assert_allclose(batch, [FLOOR.penalty(tt.compare(*step)) for step in steps], rtol=1e-11)


@pytest.mark.parametrize("seed", [3, 4])
def test_balls_enclose_what_floats_compute(seed):
    step = random_step(seed)
    with precision(1024):
        exact = FLOOR.penalty(ExactInstance.of(*step).quantities())
    assert exact.midpoint == pytest.approx(float(FLOOR.penalty(tt.compare(*step))), rel=1e-9)


def test_a_tie_of_thresholds_is_decided_in_balls():
    """Old leaves s0 with probability p, new never: all of X is on s0, with E X² = 1/pᵗ as it has to be."""
    mdp = tt.FiniteMDP([[[0, 1], [1, 0]], [[0, 1], [0, 1]]], [[0.25, -0.5], [-0.5, 1]], 0.75, [1, 0])
    step = (mdp, [[0.5, 0.5], [0.75, 0.25]], [[0, 1], [0, 1]])
    with precision(1024):
        exact = FLOOR.penalty(ExactInstance.of(*step).quantities())
    assert exact.midpoint == pytest.approx(float(FLOOR.penalty(tt.compare(*step))), rel=1e-9)
