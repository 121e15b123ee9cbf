"""`optimal` on sparse MDPs: closed forms on chains, exact rationals, linear programming, and MDPs that mislead guesses."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from trpo_theory import FiniteMDP, optimal, zoo
from trpo_theory.solve import modified, sparse_improvement
from trpo_theory.solve.reachability import approaching, reaching, steps_to, successors


def deterministic_mdp(targets: np.ndarray, reward: np.ndarray, gamma: float) -> FiniteMDP:
    """Action a leads from s to targets[s, a], (S, A)."""
    states, actions = targets.shape
    rows = np.arange(states * actions)
    matrix = sp.csr_array((np.ones(len(rows)), (rows, targets.ravel())), shape=(len(rows), states))
    return FiniteMDP(matrix, reward, gamma)


def corridor(states: int, gamma: float) -> FiniteMDP:
    """Back, forward and wait, for 1 a step, until the absorbing last state: V(s) = −(1 − γⁿ)/(1 − γ), n steps from the end."""
    site = np.arange(states)
    targets = np.stack([np.maximum(site - 1, 0), np.minimum(site + 1, states - 1), site], axis=1)
    targets[-1] = states - 1
    reward = np.full((states, 3), -1.0)
    reward[-1] = 0.0
    return deterministic_mdp(targets, reward, gamma)


@pytest.mark.parametrize("gamma", [0.9, 0.9999, 1.0])
@pytest.mark.parametrize("states", [200, 3000])
def test_the_corridor_in_closed_form(states, gamma):
    best = optimal(corridor(states, gamma))
    left = states - 1 - np.arange(states)
    want = -(-np.expm1(left * np.log(gamma)) / (1 - gamma) if gamma < 1 else left)
    np.testing.assert_allclose(best.value, want, rtol=1e-11)
    reached = gamma ** np.maximum(left, 1) > 1e-11 * (
        1 - gamma
    )  # farther away rounding cannot tell forward from waiting
    reached[-1] = False
    assert best.policy[reached, 1].all()
    assert best.policy[-1, 0] == 1  # where all actions are the same, the first


def test_a_cycle_that_must_be_left_against_its_reward():
    """Staying pays 1; going round 500 states pays 0, and 600 at the end: worth it at γ = .9999, and not at .9."""
    states, prize = 500, 600.0
    site = np.arange(states)
    targets = np.stack([site, (site + 1) % states], axis=1)
    reward = np.stack([np.ones(states), np.where(site == states - 1, prize, 0.0)], axis=1)
    for gamma in (0.9999, 0.9):
        g = Fraction(str(gamma))
        lap = prize * g ** (states - 1) / (1 - g**states)  # of the state at the start of a lap
        stay = 1 / (1 - g)
        # from a state with n steps to the prize: go at once, or stay for ever
        first = max(lap, stay)
        want = np.array(
            [max(stay, g**n * (Fraction(prize) + g * first)) for n in range(states - 1, -1, -1)], dtype=object
        )
        best = optimal(deterministic_mdp(targets, reward, gamma))
        np.testing.assert_allclose(best.value, want.astype(float), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "mdp"),
    [
        ("grid", lambda: zoo.grid(size=15, gamma=0.99)),
        ("garnet", lambda: zoo.garnet(np.random.default_rng(1), states=300, actions=3, branching=3, gamma=0.95)),
        ("river", lambda: zoo.river_swim(states=200, gamma=0.99)),
        ("queue", lambda: zoo.queue(capacity=200, gamma=0.99)),
    ],
)
def test_linear_programming_agrees(name, mdp):
    """min Σ V subject to V ≥ r_a + γ P_a V, by HiGHS."""
    mdp = sparse(mdp())
    matrix = sp.kron(sp.eye_array(mdp.states), np.ones((mdp.actions, 1))) - mdp.gamma * mdp.transition
    solved = linprog(
        np.ones(mdp.states), A_ub=-sp.csr_array(matrix), b_ub=-mdp.reward.ravel(), bounds=(None, None), method="highs"
    )
    np.testing.assert_allclose(optimal(mdp).value, solved.x, rtol=1e-6, atol=1e-6)


def sparse(mdp: FiniteMDP) -> FiniteMDP:
    matrix = mdp.transition if mdp.is_sparse else sp.csr_array(mdp.transition.reshape(-1, mdp.states))
    return FiniteMDP(matrix, mdp.reward, mdp.gamma, mdp.initial, available=mdp.available)


@pytest.mark.parametrize("gap", [1e-3, 1e-9])
def test_near_ties_between_actions_are_told_apart(gap):
    """Each action leads everywhere alike, and they differ in reward: V = r_best + γ/(1 − γ) mean of it."""
    states, gamma = 400, 0.99
    generator = np.random.default_rng(2)
    reward = generator.standard_normal((states, 1)) + gap * np.arange(3)[None, ::-1] + np.zeros((states, 3))
    step = (np.arange(states)[:, None] + np.array([1, 57, 133])) % states
    rows = np.repeat(np.arange(3 * states), 3)
    matrix = sp.csr_array(
        (np.full(9 * states, 1 / 3), (rows, np.repeat(step, 3, axis=0).ravel())), (3 * states, states)
    )
    best = optimal(FiniteMDP(matrix, reward, gamma))
    assert best.policy[:, 0].all()
    law = np.zeros((states, states))
    for column in step.T:
        law[np.arange(states), column] += 1 / 3
    np.testing.assert_allclose(
        best.value, np.linalg.solve(np.eye(states) - gamma * law, reward[:, 0]), rtol=0, atol=1e-11
    )


def test_a_guess_that_is_worse_is_not_the_end(monkeypatch):
    """Whatever the guesses are, policy iteration goes on to the optimum."""
    mdp = zoo.grid(size=25, gamma=0.99)
    want = optimal(mdp).value
    states = mdp.states

    def wrong(self, value, action):
        return np.zeros(states), np.zeros(states, dtype=int)

    monkeypatch.setattr(modified.ModifiedPolicyIteration, "onward", wrong)
    monkeypatch.setattr("trpo_theory.solve.local_backups._FEW", -1.0)
    best = optimal(sparse(mdp))
    np.testing.assert_allclose(best.value, want, rtol=1e-12)
    monkeypatch.setattr(sparse_improvement, "_AT_ONCE", 10**9)
    np.testing.assert_allclose(optimal(sparse(mdp)).value, want, rtol=1e-12)


def test_values_that_overflow_in_a_guess_are_an_error_and_no_warning():
    from trpo_theory.errors import NotSolved

    mdp = corridor(300, 0.9999)
    with pytest.raises(NotSolved):
        optimal(FiniteMDP(mdp.transition, 1e306 * mdp.reward, 0.9999))


def test_distances_to_the_end_are_those_of_breadth_first_search():
    generator = np.random.default_rng(3)
    states, actions = 60, 2
    dense = generator.random((states, actions, states)) < 0.02
    goal = np.zeros(states, dtype=bool)
    goal[:2] = True
    chain = dense.any(1)
    want = np.full(states, np.inf)
    want[goal] = 0
    for k in range(1, states):
        want[(want == np.inf) & (chain & (want == k - 1)[None]).any(1)] = k
    np.testing.assert_array_equal(steps_to(sp.csr_array(chain), goal), want)
    np.testing.assert_array_equal(reaching(sp.csr_array(chain), goal), np.isfinite(want))
    leads = successors(sp.csr_array(dense.reshape(-1, states).astype(float)))
    able = np.ones((states, actions), dtype=bool)
    nearer = (dense & (want[None, None] < want[:, None, None])).any(2)
    np.testing.assert_array_equal(approaching(leads, able, goal), nearer)
