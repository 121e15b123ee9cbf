"""A finite horizon against backward induction in plain NumPy, in every arithmetic, sparse and dense, and best policies."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.float_array import float_array
from trpo_theory.numerics.floats import Floats
from trpo_theory.solve.criteria import DISCOUNTED
from trpo_theory.solve.layers import layered_transition
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.instances import Instances
from trpo_theory.step.posing import posed

GENERATOR = np.random.default_rng(21)
STATES, ACTIONS = 4, 2
TRANSITION = GENERATOR.dirichlet(np.ones(STATES), (STATES, ACTIONS))
REWARD = GENERATOR.normal(size=(STATES, ACTIONS))
INITIAL = GENERATOR.dirichlet(np.ones(STATES))


def mdp(gamma=1.0, sparse=False):
    rows = sp.csr_array(TRANSITION.reshape(-1, STATES)) if sparse else TRANSITION
    return tt.FiniteMDP(rows, REWARD, gamma, INITIAL)


def policies(steps):
    return GENERATOR.dirichlet(np.ones(ACTIONS), (steps, STATES))


def induction(policy, gamma):
    """Values of each step, (T, S)."""
    value, out = np.zeros(STATES), []
    for rows in reversed(policy):
        value = (rows * (REWARD + gamma * TRANSITION @ value)).sum(1)
        out.append(value)
    return np.array(out[::-1])


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("gamma", [1.0, 0.7])
def test_values_are_those_of_backward_induction(sparse, gamma):
    for policy in (policies(6), np.repeat(policies(1), 6, 0)):
        given = policy[0] if (policy == policy[0]).all() else policy
        found = tt.evaluate(mdp(gamma, sparse), given, horizon=6)
        np.testing.assert_allclose(found.value, induction(policy, gamma), atol=1e-13)
        assert found.expected_return == pytest.approx(INITIAL @ induction(policy, gamma)[0], abs=1e-13)
        law, laws = INITIAL, []
        for t, rows in enumerate(policy):
            laws.append(gamma**t * law)
            law = np.einsum("s,sa,sat->t", law, rows, TRANSITION)
        np.testing.assert_allclose(found.visitation, laws, atol=1e-13)
        np.testing.assert_allclose(found.occupancy, np.array(laws) / np.sum(laws), atol=1e-13)
        assert (found.criterion, found.horizon) == ("finite-horizon", 6)


def test_the_layered_mdp_is_an_mdp_with_an_end():
    layered = tt.finite_horizon(mdp(), 5)
    assert (layered.states, layered.state_labels[5], layered.state_labels[-1]) == (21, "(1, 1)", "end")
    policy = policies(5)
    rows = np.concatenate([policy.reshape(-1, ACTIONS), [[1, 0]]])
    found = tt.evaluate(layered, rows)
    assert found.criterion == "episodic"
    np.testing.assert_allclose(found.value[:-1].reshape(5, STATES), induction(policy, 1.0), atol=1e-13)


def test_a_batch_of_several_horizons_is_each_of_them():
    old, new = policies(3), policies(3)
    lengths = np.array([1, 4, 2])
    costs = GENERATOR.normal(size=(STATES, ACTIONS, 1))
    batch = Instances.of_arrays(TRANSITION, REWARD, 1.0, INITIAL, old, new, horizon=lengths, costs=costs)
    q = posed(batch.quantities(), DISCOUNTED, horizon=True)
    for index, steps in enumerate(lengths):
        alone = tt.compare(mdp(), old[index], new[index], horizon=int(steps))
        for name in ("surrogate_gap", "surrogate", "expected_return_new", "mean_tv", "max_abs_advantage", "mean_kl"):
            np.testing.assert_allclose(getattr(q, name)[index], getattr(alone, name), atol=1e-13)
        paid = tt.compare(
            tt.FiniteMDP(TRANSITION, costs[..., 0], 1.0, INITIAL), old[index], new[index], horizon=int(steps)
        )
        cost = q.with_cost_names(("c",)).cost("c")
        for name in ("expected_return_new", "max_abs_advantage", "surrogate_gap"):
            np.testing.assert_allclose(getattr(cost, name)[index], getattr(paid, name), atol=1e-13)


def test_the_layered_transition_of_a_batch_goes_to_the_next_layer_until_the_run_ends():
    rng, lengths = np.random.default_rng(2), np.array([1, 3, 2])
    transition = rng.random((2, 2, 2, 3))
    for given in (transition, float_array(transition)):
        made = layered_transition(Floats(), given, lengths)
        assert type(made) is type(given)
        for i, length in enumerate(lengths):
            for t, s, a, u, to in np.ndindex(3, 2, 2, 3, 2):
                want = transition[s, a, to, i] if u == t + 1 < length else 0.0
                assert made[2 * t + s, a, 2 * u + to, i] == want


@pytest.mark.parametrize(("steps", "gap"), [(2, "1/4"), (3, "11/16"), (5, "499/256"), (10, "1631913/262144")])
def test_f1_over_a_horizon(steps, gap):
    """F1 with x = 1/4 and eps = 1, from G."""
    ratio = Fraction(gap)
    to = np.eye(2)
    transition = [[to[0], to[0], to[1]], [to[1]] * 3]
    step = {"old": [["1/2", "1/2", 0]] * 2, "new": [["1/2", "1/4", "1/4"], ["1/4", "3/4", 0]]}
    one = ExactInstance(transition=transition, reward=[[1, -1, 1]] * 2, gamma=1, initial=[1, 0], horizon=steps, **step)
    q = posed(one.quantities(), DISCOUNTED, horizon=True)
    assert -q.surrogate_gap == ratio
    assert q.expected_return_new - q.surrogate == -ratio
    coupling = tt.bounds["horizon/coupling"]
    assert coupling.penalty(q) == ratio
    assert (tt.bounds["horizon/tv"].penalty(q) == ratio) == (steps == 2)


@pytest.mark.parametrize("sparse", [False, True])
def test_the_best_policy_over_a_horizon_is_best_of_all(sparse):
    steps = 3
    best = tt.optimal(mdp(sparse=sparse), horizon=steps)
    every = [np.eye(ACTIONS)[list(one)] for one in product(range(ACTIONS), repeat=STATES)]
    value = np.zeros(STATES)
    for _ in range(steps):
        value = np.max([(rows * (REWARD + TRANSITION @ value)).sum(1) for rows in every], axis=0)
    assert best.expected_return == pytest.approx(INITIAL @ value, abs=1e-13)
    assert best.policy.shape == (steps, STATES, ACTIONS)
    found = tt.evaluate(mdp(), best.policy, horizon=steps)
    assert found.expected_return == pytest.approx(best.expected_return, abs=1e-13)


def test_the_best_average_and_the_best_episode_are_best_of_all():
    every = [np.eye(ACTIONS)[list(one)] for one in product(range(ACTIONS), repeat=STATES)]
    gains = [tt.evaluate(mdp(), one, criterion="average").expected_return for one in every]
    best = tt.optimal(mdp(), criterion="average")
    assert best.expected_return == pytest.approx(max(gains), abs=1e-13)
    assert best.error_bound < 1e-13
    transition, reward = TRANSITION.copy(), REWARD.copy()
    transition[-1], reward[-1] = np.eye(STATES)[-1], 0
    ends = tt.FiniteMDP(transition, reward, 1.0, INITIAL)
    returns = [tt.evaluate(ends, one).expected_return for one in every]
    assert tt.optimal(ends).expected_return == pytest.approx(max(returns), abs=1e-12)


def test_a_loop_that_costs_is_left_and_one_that_pays_is_refused():
    to = np.eye(2)
    transition = [[to[0], to[1]], [to[1], to[1]]]
    assert tt.optimal(tt.FiniteMDP(transition, [[-1, -5], [0, 0]], 1.0, [1, 0])).expected_return == -5
    with pytest.raises(InvalidInput, match="policy on the way to the best one that never reaches the end from state 0"):
        tt.optimal(tt.FiniteMDP(transition, [[1, -5], [0, 0]], 1.0, [1, 0]))


@pytest.mark.parametrize("name", ["FrozenLake-v1", "CliffWalking-v1"])
def test_gymnasium_up_to_the_end_and_with_a_limit(name):
    pytest.importorskip("gymnasium")
    lake = tt.load(f"gym:{name}", gamma=1.0)
    policy = np.full((lake.states, lake.actions), 1 / lake.actions)
    value, transition = np.zeros(lake.states), lake.transition
    for _ in range(100):
        value = (policy * (lake.reward + transition @ value)).sum(1)
    found = tt.evaluate(lake, policy, horizon=100)
    np.testing.assert_allclose(found.value[0], value, rtol=1e-12, atol=1e-12)
    found = tt.evaluate(lake, policy)
    np.testing.assert_allclose(
        found.value, (policy * (lake.reward + transition @ found.value)).sum(1), rtol=1e-9, atol=1e-12
    )
    power = np.einsum("sa,sat->st", policy, transition)
    earned = (policy * lake.reward).sum(1)
    for _ in range(40):  # the first 2^40 steps: sums of 2^k steps are doubled
        earned, power = earned + power @ earned, power @ power
    np.testing.assert_allclose(found.value, earned, rtol=1e-6, atol=1e-9)


def test_policies_of_another_number_of_steps_are_refused():
    with pytest.raises(InvalidInput, match=r"one policy a step, \(3, 4, 2\)"):
        tt.evaluate(mdp(), policies(2), horizon=3)
    with pytest.raises(InvalidInput, match="loop over the batch"):
        tt.evaluate(tt.FiniteMDP(TRANSITION[None], REWARD[None], 1.0), policies(1)[0], horizon=3)


def test_the_policy_of_an_evaluation_is_one_a_step():
    mdp = tt.FiniteMDP(TRANSITION, REWARD, 1.0, INITIAL)
    rows = np.random.default_rng(5).dirichlet(np.ones(ACTIONS), (3, STATES))
    assert tt.evaluate(mdp, rows, horizon=3).policy.tolist() == rows.tolist()
    assert tt.evaluate(mdp, rows[0], horizon=2).policy.tolist() == [rows[0].tolist()] * 2
