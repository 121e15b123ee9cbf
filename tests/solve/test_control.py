"""Optimal values: textbook answers, exact enumeration of the policies, QuantEcon and pymdptoolbox."""

from __future__ import annotations

import itertools

import mdptoolbox.example
import mdptoolbox.mdp
import numpy as np
import pytest
import scipy.sparse as sp
from exact import error, nearest, policy_on
from hypothesis import given
from later import Later
from strategies_small import GAMMAS, mdps, random_mdp

from trpo_theory.errors import NotSolved
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import deterministic
from trpo_theory.solve import control
from trpo_theory.solve.control import optimal

DiscreteDP = Later("quantecon.markov", "DiscreteDP")
INF = float("inf")


def as_sparse(mdp: FiniteMDP) -> FiniteMDP:
    flat = sp.csr_array(mdp.transition.reshape(-1, mdp.states))
    return FiniteMDP(flat, mdp.reward, mdp.gamma, mdp.initial, available=mdp.available)


PUTERMAN = FiniteMDP([[[0.5, 0.5], [0, 1]], [[0, 1], [0.5, 0.5]]], [[5, 10], [-1, -INF]], 0.95, [1, 0])


@pytest.mark.parametrize("form", [lambda mdp: mdp, as_sparse], ids=["dense", "sparse"])
def test_putermans_two_state_example(form):
    """Puterman (2005), section 3.1: v* = (−60/7, −20) at discount 0.95."""
    best = optimal(form(PUTERMAN))
    np.testing.assert_allclose(best.value, [-60 / 7, -20], rtol=1e-14)
    np.testing.assert_array_equal(best.policy, [[1, 0], [1, 0]])
    np.testing.assert_allclose(best.q_value, [[-60 / 7, -9], [-20, -INF]], rtol=1e-14)
    assert best.expected_return == pytest.approx(-60 / 7, rel=1e-14)
    assert best.bellman_residual <= best.error_bound <= 1e-12


@pytest.mark.parametrize("form", [lambda mdp: mdp, as_sparse], ids=["dense", "sparse"])
def test_the_forest_of_pymdptoolbox(form):
    P, reward = mdptoolbox.example.forest()
    best = optimal(form(FiniteMDP(np.moveaxis(P, 0, 1), reward, 0.9)))
    np.testing.assert_allclose(best.value, [26.244, 29.484, 33.484], rtol=1e-14)
    np.testing.assert_array_equal(best.policy, deterministic(np.zeros(3, dtype=int), 2))


@pytest.mark.peers
@pytest.mark.parametrize("seed", range(5))
def test_pymdptoolbox_agrees_on_its_random_mdps(seed):
    np.random.seed(seed)  # noqa: NPY002  # mdptoolbox draws from the global generator
    P, reward = mdptoolbox.example.rand(6, 3)
    solver = mdptoolbox.mdp.PolicyIteration(P, reward, 0.9)
    solver.run()
    mdp = FiniteMDP(np.moveaxis(P, 0, 1), np.moveaxis(reward, 0, 1), 0.9)
    np.testing.assert_allclose(optimal(mdp).value, solver.V, rtol=1e-10)


@pytest.mark.slow
@pytest.mark.peers
@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_quantecon_agrees_on_200_random_mdps(form):
    for seed in range(200):
        rng = np.random.default_rng(seed)
        states, actions = int(rng.integers(1, 9)), int(rng.integers(1, 5))
        gamma = float(rng.choice([0.0, 0.5, 0.9, 0.99]))
        mdp = random_mdp(rng, states, actions, gamma)
        mask = rng.random((states, actions)) < 0.8
        mask[~mask.any(1), 0] = True
        mdp = FiniteMDP(mdp.transition, mdp.reward, gamma, mdp.initial, available=mask)
        if form == "dense":
            other = DiscreteDP(np.where(mask, mdp.reward, -INF), mdp.transition, gamma)
        else:
            s, a = np.nonzero(mask)
            other = DiscreteDP(mdp.reward[s, a], sp.csr_matrix(mdp.transition[s, a]), gamma, s, a)
            mdp = as_sparse(mdp)
        want = other.solve(method="policy_iteration").v
        np.testing.assert_allclose(
            optimal(mdp).value, want, rtol=1e-10, atol=1e-12 * np.abs(want).max(), err_msg=f"seed {seed}"
        )


@pytest.mark.slow
@given(mdps(max_states=3, max_actions=3))
def test_no_deterministic_policy_is_better_in_any_state_in_exact_rationals(mdp):
    best = optimal(mdp)
    choices = [np.flatnonzero(row) for row in mdp.available]
    values = [
        policy_on(mdp, deterministic(np.array(actions), mdp.actions)).value for actions in itertools.product(*choices)
    ]
    want = np.max(np.array(values), axis=0)
    tolerance = 1e-12 * (np.abs(mdp.reward).max() + np.abs(nearest(want)).max()) / (1 - mdp.gamma)
    assert error(best.value, want) <= tolerance
    assert error(best.value, policy_on(mdp, best.policy).value) <= tolerance
    assert error(best.value, want) <= best.error_bound + tolerance


@given(mdps())
def test_the_bellman_optimality_equation(mdp):
    best = optimal(mdp)
    backed_up = np.where(mdp.available, mdp.reward + mdp.gamma * mdp.transition @ best.value, -INF).max(1)
    scale = np.abs(mdp.reward).max() + np.abs(best.value).max()
    np.testing.assert_allclose(best.value, backed_up, rtol=0, atol=1e-13 * scale)
    assert best.bellman_residual <= 1e-13 * scale
    assert (best.policy[~mdp.available] == 0).all()
    assert ((best.policy == 0) | (best.policy == 1)).all()
    assert (best.policy.sum(1) == 1).all()
    assert best.expected_return == pytest.approx(mdp.initial @ best.value, rel=1e-13, abs=1e-13 * scale)
    assert (best.q_value[~mdp.available] == -INF).all()


@pytest.mark.parametrize("batch", [(7,), (2, 3)])
@pytest.mark.parametrize("states", [5, 33])
def test_a_batch_is_a_loop_over_its_members(batch, states):
    rng = np.random.default_rng(states)
    gamma = rng.choice(GAMMAS[:-1], size=batch)
    mdp = random_mdp(rng, states, 3, gamma, batch=batch)
    best = optimal(mdp)
    for index in np.ndindex(*batch):
        alone = optimal(FiniteMDP(mdp.transition[index], mdp.reward[index], float(gamma[index]), mdp.initial[index]))
        for name in ("value", "q_value", "expected_return"):
            np.testing.assert_allclose(getattr(best, name)[index], getattr(alone, name), rtol=1e-12, atol=1e-13)
        np.testing.assert_array_equal(best.policy[index], alone.policy)
    assert best.bellman_residual.shape == best.error_bound.shape == batch


def test_a_member_with_small_rewards_is_solved_beside_one_with_huge_rewards():
    """What counts as rounding is a matter of each MDP alone."""
    rng = np.random.default_rng(4)
    mdp = random_mdp(rng, 4, 3, 0.9, batch=(6,))
    scale = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1e15])[:, None, None]
    best = optimal(FiniteMDP(mdp.transition, scale * mdp.reward, 0.9, mdp.initial))
    for b in range(6):
        alone = optimal(FiniteMDP(mdp.transition[b], scale[b] * mdp.reward[b], 0.9, mdp.initial[b]))
        np.testing.assert_allclose(best.value[b], alone.value, rtol=1e-12)


@pytest.mark.parametrize("scale", [2.0**-60, 2.0**-30, 2.0**40])
def test_the_unit_of_reward_does_not_matter(scale):
    mdp = random_mdp(np.random.default_rng(6), 6, 3, 0.9)
    best, scaled = optimal(mdp), optimal(FiniteMDP(mdp.transition, scale * mdp.reward, 0.9, mdp.initial))
    assert best.iterations > 1
    np.testing.assert_array_equal(scaled.policy, best.policy)
    np.testing.assert_allclose(scaled.value, scale * best.value, rtol=1e-13)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("states", [4, 40])
def test_where_all_actions_tie_it_ends_at_once(states, gamma):
    """Each transition pays 1 and each state goes to one that looks the same: no policy is better than another."""
    mdp = random_mdp(np.random.default_rng(5), states, 4, gamma)
    best = optimal(FiniteMDP(mdp.transition, np.full(states, 0.1), gamma))
    np.testing.assert_allclose(best.value, 0.1 / (1 - gamma), rtol=1e-12)
    assert best.iterations <= 2


def test_an_optimum_is_read_only_and_shows_its_return():
    best = optimal(PUTERMAN)
    assert not any(getattr(best, name).flags.writeable for name in ("policy", "value", "q_value"))
    assert repr(best).startswith("Optimum(expected_return=-8.571428571429, error_bound=")
    with pytest.raises(AttributeError):
        best.value = 0


def test_not_solved_is_raised_when_policies_do_not_settle(monkeypatch):
    monkeypatch.setattr(control, "_MAX_ITERATIONS", 1)
    with pytest.raises(NotSolved, match=r"got .* wanted .* fix: "):
        optimal(PUTERMAN)


def test_a_sparse_best_policy_that_earns_nothing_at_all():
    """Values of 0 are refined from values that are close to 0, whose residual is never small next to them."""
    moves = [
        [0.30473249815361575, 0.0, 0.6952675018463842],
        [0.0011064364102998955, 0.06976897784976013, 0.9291245857399398],
        [0.03543731764410174, 0.655029778862698, 0.3095329034932002],
        [0.3028335723341013, 0.3048919501477309, 0.39227447751816774],
        [0.9089534000855973, 0.00013750900531176734, 0.09090909090909091],
        [0.11980670646190705, 0.0, 0.880193293538093],
        [0.0, 0.0, 1.0],
        [0.0, 0.0, 1.0],
        [0.0, 0.0, 1.0],
    ]
    reward = [[-1.0, -3.0, 0.0], [0.0, -3.0, -2.0], [0.0, 0.0, 0.0]]
    mdp = FiniteMDP(sp.csr_array(np.array(moves)), reward, 1.0)
    assert optimal(mdp).value.tolist() == [0, 0, 0]
