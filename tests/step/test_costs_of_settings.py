"""A cost of a step in a setting: up to the end of the reward's runs, and without a price of entropy. By plain NumPy."""

import numpy as np
import pytest

import trpo_theory as tt

MOVES = np.array(
    [[[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]], [[0.25, 0.25, 0.5], [0.5, 0.0, 0.5]], [[0, 0, 1], [0, 0, 1]]]
)
TIME = np.ones((3, 2))
"""It is paid in the end, too, which no return up to the end has of it."""
MDP = tt.FiniteMDP(MOVES, [[1, 0], [0, 2], [0, 0]], 1.0, [0.5, 0.5, 0], costs={"time": TIME})
OLD, NEW = np.array([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]]), np.array([[0.75, 0.25], [0.5, 0.5], [0.5, 0.5]])


def times(policy):
    chain = np.einsum("sa,sat->st", policy, MOVES)[:2, :2]
    return np.linalg.solve(np.eye(2) - chain, np.ones(2))


def test_a_cost_of_every_step_is_the_length_of_runs():
    q = tt.compare(MDP, OLD, NEW).cost("time")
    assert q.expected_return_old == pytest.approx(times(OLD).mean(), rel=1e-13)
    assert q.expected_return_new == pytest.approx(times(NEW).mean(), rel=1e-13)
    evaluated = tt.evaluate(MDP, OLD).costs["time"]
    assert evaluated.value == pytest.approx([*times(OLD), 0], rel=1e-13)
    assert q.value == pytest.approx(evaluated.value, rel=1e-13)
    assert q.advantage[2] == pytest.approx([0, 0], abs=1e-15)


def test_an_update_keeps_to_a_limit_on_the_length_of_runs():
    limit = 0.98 * times(OLD).mean()
    step = tt.update(MDP, OLD, tt.MaxKL(0.2, costs={"time": limit}))
    assert step.status.name == "OPTIMAL"
    assert step.cost_surrogates["time"] <= limit * (1 + 1e-9)
    assert step.costs_new["time"] == pytest.approx(times(step.policy).mean(), rel=1e-12)


@pytest.mark.parametrize("setting", [{}, {"horizon": 3}])
def test_a_cost_has_no_price_of_entropy(setting):
    plain = tt.compare(MDP, OLD, NEW, **setting).cost("time")
    soft = tt.compare(MDP, OLD, NEW, **setting, temperature=2.0).cost("time")
    assert soft.expected_return_old == plain.expected_return_old
    assert soft.surrogate == plain.surrogate
    evaluated = tt.evaluate(MDP, OLD, **setting, temperature=2.0).costs["time"]
    assert evaluated.expected_return == pytest.approx(plain.expected_return_old, rel=1e-14)
