"""Criteria against plain NumPy: eigenvectors, sub-chains, backward induction, long discounted and undiscounted runs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.solve.criteria import AVERAGE, DISCOUNTED, EPISODIC
from trpo_theory.solve.criterion import Given
from trpo_theory.solve.reachability import ends
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.posing import posed

GENERATOR = np.random.default_rng(20)
STATES, ACTIONS = 5, 3
TRANSITION = GENERATOR.dirichlet(np.ones(STATES), (STATES, ACTIONS))
REWARD = GENERATOR.normal(size=(STATES, ACTIONS))
OLD, NEW = GENERATOR.dirichlet(np.ones(ACTIONS), (2, STATES))
MDP = tt.FiniteMDP(TRANSITION, REWARD, 0.9, [1, 0, 0, 0, 0])


def ending() -> tt.FiniteMDP:
    """The last state is an end, and γ = 1."""
    transition, reward = TRANSITION.copy(), REWARD.copy()
    transition[-1], reward[-1] = np.eye(STATES)[-1], 0.0
    return tt.FiniteMDP(transition, reward, 1.0, [0.5, 0.25, 0, 0, 0.25])


def chain(policy, transition=TRANSITION):
    return np.einsum("sa,sat->st", policy, transition)


def stationary(policy):
    values, vectors = np.linalg.eig(chain(policy).T)
    law = np.real(vectors[:, np.argmax(values.real)])
    return law / law.sum()


# --- average reward ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sparse", [False, True])
def test_the_average_is_that_of_the_stationary_law(sparse):
    rows = sp.csr_array(TRANSITION.reshape(-1, STATES)) if sparse else TRANSITION
    mdp = tt.FiniteMDP(rows, REWARD, 0.9, MDP.initial)
    found = tt.evaluate(mdp, OLD, criterion="average")
    law = stationary(OLD)
    gain = law @ (OLD * REWARD).sum(1)
    assert found.criterion == "average"
    np.testing.assert_allclose(found.expected_return, gain, atol=1e-14)
    np.testing.assert_allclose(found.visitation, law, atol=1e-14)
    np.testing.assert_allclose(found.occupancy, law, atol=1e-14)
    assert abs(found.value @ law) < 1e-14
    poisson = (OLD * REWARD).sum(1) - gain + chain(OLD) @ found.value
    np.testing.assert_allclose(found.value, poisson, atol=1e-14)
    np.testing.assert_allclose(
        found.advantage, REWARD - gain + TRANSITION @ found.value - found.value[:, None], atol=1e-14
    )
    assert 0 <= found.error_bound < 1e-13


def test_the_average_is_the_limit_of_discounted_returns():
    q = tt.compare(MDP, OLD, NEW, criterion="average")
    for rest in (1e-3, 1e-4, 1e-5):
        near = tt.compare(MDP.with_gamma(1 - rest), OLD, NEW)
        assert abs(rest * near.expected_return_new - q.expected_return_new) < 10 * rest
        assert abs(rest * near.surrogate_gap - q.surrogate_gap) < 10 * rest


def test_a_step_of_average_reward_by_its_definition():
    q = tt.compare(MDP, OLD, NEW, criterion="average")
    laws = [stationary(policy) for policy in (OLD, NEW)]
    gains = [law @ (policy * REWARD).sum(1) for law, policy in zip(laws, (OLD, NEW), strict=True)]
    np.testing.assert_allclose([q.expected_return_old, q.expected_return_new], gains, atol=1e-14)
    np.testing.assert_allclose(q.visitation_change, laws[1] - laws[0], atol=1e-14)
    surrogate = gains[0] + laws[0] @ q.expected_advantage
    np.testing.assert_allclose([q.surrogate, q.surrogate_gap], [surrogate, gains[1] - surrogate], atol=1e-14)
    np.testing.assert_allclose(q.mean_tv, laws[0] @ (np.abs(NEW - OLD).sum(1) / 2), atol=1e-14)


def test_the_reduction_by_a_minorisation_is_exact():
    """P = β ν + (1 − β) P': the average problem is β times the discounted one of (P', γ = 1 − β, ρ₀ = ν)."""
    third = Fraction(1, 3)
    transition = [
        [[third, 2 * third], [Fraction(1, 4), Fraction(3, 4)]],
        [[Fraction(1, 2)] * 2, [Fraction(1, 5), Fraction(4, 5)]],
    ]
    old, new = (
        [[third, 2 * third], [Fraction(1, 2)] * 2],
        [[Fraction(1, 4), Fraction(3, 4)], [Fraction(3, 4), Fraction(1, 4)]],
    )
    reward = [[1, Fraction(-2, 7)], [0, 3]]
    least = [min(row[t] for rows in transition for row in rows) for t in range(2)]
    beta = sum(least)
    rest = [[[(p - m) / (1 - beta) for p, m in zip(row, least, strict=True)] for row in rows] for rows in transition]
    step = {"reward": reward, "old": old, "new": new}
    whole = ExactInstance(transition=transition, gamma=1, initial=[1, 0], **step).quantities()
    average = posed(whole, AVERAGE)
    discounted = ExactInstance(
        transition=rest, gamma=1 - beta, initial=[one / beta for one in least], **step
    ).quantities()
    assert (average.advantage == discounted.advantage).all()
    assert average.surrogate_gap == beta * discounted.surrogate_gap
    assert average.expected_return_new == beta * discounted.expected_return_new


# --- with an end ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sparse", [False, True])
def test_up_to_the_end_the_rest_of_the_chain_is_solved(sparse):
    mdp = ending()
    rows = mdp.transition.reshape(-1, STATES)
    found = tt.evaluate(tt.FiniteMDP(sp.csr_array(rows), mdp.reward, 1.0, mdp.initial) if sparse else mdp, OLD)
    inner = chain(OLD, mdp.transition)[:-1, :-1]
    solve = np.linalg.inv(np.eye(STATES - 1) - inner)
    value, visits = solve @ (OLD * mdp.reward).sum(1)[:-1], solve.T @ mdp.initial[:-1]
    assert (found.criterion, found.horizon) == ("episodic", None)
    np.testing.assert_allclose(found.value, [*value, 0], atol=1e-13)
    np.testing.assert_allclose(found.visitation, [*visits, 0], atol=1e-13)
    np.testing.assert_allclose(found.occupancy, [*visits / visits.sum(), 0], atol=1e-14)
    np.testing.assert_allclose(found.expected_return, mdp.initial[:-1] @ value, atol=1e-13)


def test_a_long_horizon_is_an_episode():
    near, far = (tt.compare(ending(), OLD, NEW, **how) for how in ({}, {"horizon": 120}))
    np.testing.assert_allclose(near.surrogate_gap, far.surrogate_gap, rtol=1e-9)
    np.testing.assert_allclose(near.expected_return_new, far.expected_return_new, rtol=1e-9)


def given(transition, reward, available=None) -> Given:
    able = np.ones(np.shape(reward), dtype=bool) if available is None else np.asarray(available)
    return Given(1.0, np.asarray(transition, dtype=float), np.asarray(reward, dtype=float), able, np.ones(len(reward)))


def test_the_end_is_the_largest_set_without_rewards_that_is_never_left():
    to = np.eye(4)
    loop = [[to[1]], [to[2]], [to[1]], [to[3]]]
    assert ends(given(loop, [[0], [0], [0], [0]])).tolist() == [True] * 4
    assert ends(given(loop, [[0], [0], [1], [0]])).tolist() == [False, False, False, True]
    assert ends(given([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[0, 0], [0, 2]])).tolist() == [False, False]
    masked = given([[[1, 0], [0, 0]], [[0, 1], [0, 1]]], [[0, 0], [0, 2]], [[True, False], [True, True]])
    assert ends(masked).tolist() == [True, False]


@pytest.mark.parametrize("sparse", [False, True])
def test_what_never_ends_is_refused_with_its_states(sparse):
    to = np.eye(4)
    transition = np.array([[to[1], to[3]], [to[0], to[3]], [to[2], to[3]], [to[3], to[3]]])
    mdp = tt.FiniteMDP(
        sp.csr_array(transition.reshape(-1, 4)) if sparse else transition, [[1, 0], [1, 0], [1, 0], [0, 0]], 1.0
    )
    stuck = [[1, 0], [1, 0], [0.5, 0.5], [1, 0]]
    with pytest.raises(InvalidInput, match="never reaches the end from states 0, 1;"):
        tt.evaluate(mdp, stuck)
    with pytest.raises(InvalidInput, match="without an end"):
        tt.evaluate(MDP.with_gamma(1), OLD)
    with pytest.raises(InvalidInput, match="gamma = 1 for the discounted criterion"):
        tt.evaluate(mdp, stuck, criterion="discounted")
    if not sparse:
        with pytest.raises(InvalidInput, match=r"policy \[1\] that never reaches the end from states 0, 1;"):
            tt.evaluate(mdp, [np.full((4, 2), 0.5), stuck])


@pytest.mark.parametrize("sparse", [False, True])
def test_two_closed_classes_are_refused_and_named(sparse):
    to = np.eye(4)
    transition = np.array([[to[1]], [to[0]], [to[3]], [to[3]]])
    mdp = tt.FiniteMDP(sp.csr_array(transition.reshape(-1, 4)) if sparse else transition, np.ones((4, 1)), 0.5)
    with pytest.raises(InvalidInput, match="2 closed classes of states, among them states 0, 1 and state 3"):
        tt.evaluate(mdp, np.ones((4, 1)), criterion="average")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"criterion": "averge"}, "average"),
        ({"criterion": "average", "horizon": 3}, "sum"),
        ({"horizon": 0}, "1 or more"),
        ({"temperature": -1.0}, "temperature"),
    ],
)
def test_settings_that_are_none_are_refused(how, words):
    with pytest.raises(InvalidInput, match=words):
        tt.compare(MDP, OLD, NEW, **how)


def test_a_batch_has_one_criterion():
    both = tt.FiniteMDP(np.stack([ending().transition] * 2), np.stack([ending().reward] * 2), [0.5, 1.0])
    with pytest.raises(InvalidInput, match="one criterion for all of a batch"):
        tt.evaluate(both, OLD)
    each = tt.evaluate(both, OLD, criterion="episodic").expected_return
    alone = [
        tt.evaluate(
            tt.FiniteMDP(ending().transition, ending().reward, gamma), OLD, criterion="episodic"
        ).expected_return
        for gamma in (0.5, 1.0)
    ]
    np.testing.assert_allclose(each, alone, rtol=1e-13)


# --- entropy ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{}, {"criterion": "average"}, {"horizon": 4}])
def test_a_soft_return_counts_the_entropy(how):
    """The reward of a policy is r + τ H: the return of the MDP whose rewards are that, whatever is done."""
    tau = 0.3
    bonus = -tau * (NEW * np.log(NEW)).sum(1, keepdims=True)
    paid = tt.FiniteMDP(TRANSITION, REWARD + bonus, 0.9, MDP.initial)
    q = tt.compare(MDP, OLD, NEW, temperature=tau, **how)
    np.testing.assert_allclose(q.expected_return_new, tt.evaluate(paid, NEW, **how).expected_return, rtol=1e-12)
    np.testing.assert_allclose(q.surrogate_gap, q.expected_return_new - q.surrogate, atol=1e-13)
    at_old = tt.compare(MDP, OLD, OLD, temperature=tau, **how)
    assert np.abs(at_old.expected_advantage).max() == 0


@pytest.mark.parametrize("sparse", [False, True])
def test_entropy_is_earned_up_to_the_end_and_not_there(sparse):
    """A run from the end has no steps: the value, the advantage and the gain are 0 there, however random a policy is."""
    transition = np.array([[[0.5, 0.5], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    chain = sp.csr_array(transition.reshape(4, 2)) if sparse else transition
    mdp = tt.FiniteMDP(chain, np.array([[1.0, 2.0], [0.0, -0.0]]), 1.0, [1, 0])
    old, new = np.full((2, 2), 0.5), np.array([[0.3, 0.7], [0.9, 0.1]])
    found = tt.evaluate(mdp, old, temperature=1.0)
    value = (1.5 + np.log(2)) / 0.75
    np.testing.assert_allclose(found.value, [value, 0], rtol=1e-14)
    q = tt.compare(mdp, old, new, temperature=1.0)
    np.testing.assert_allclose(q.advantage, [[1 - value / 2, 2 - value], [0, 0]], rtol=1e-14)
    assert q.expected_advantage[1] == 0


@pytest.mark.parametrize("how", [{}, {"criterion": "average"}, {"horizon": 4}])
def test_derivatives_of_a_soft_return_are_those_of_finite_differences(how):
    old, new = (
        (OLD + 1) / (1 + ACTIONS),
        (NEW + 1) / (1 + ACTIONS),
    )  # no small probabilities, whose powers the error grows with
    q = tt.compare(MDP, old, new, temperature=0.3, **how)
    h = 1e-3
    returns = [tt.evaluate(MDP, old + t * (new - old), temperature=0.3, **how).expected_return for t in (-h, 0.0, h)]
    assert q.return_derivative == pytest.approx((returns[2] - returns[0]) / (2 * h), rel=1e-6)
    assert q.return_second_derivative == pytest.approx(
        (returns[2] - 2 * returns[1] + returns[0]) / h**2, rel=1e-5, abs=1e-8
    )


@pytest.mark.parametrize(
    ("how", "criterion", "horizon"),
    [({}, EPISODIC, False), ({"criterion": "average"}, AVERAGE, False), ({"horizon": 3}, DISCOUNTED, True)],
)
def test_posing_a_plain_step_is_comparing_in_the_setting(how, criterion, horizon):
    instance = ExactInstance.of(ending(), OLD, NEW).replace(horizon=3)
    exact = posed(instance.quantities(), criterion, horizon=horizon)
    q = tt.compare(ending(), OLD, NEW, **how)
    assert abs(Ball(exact.surrogate_gap).midpoint - q.surrogate_gap) < 1e-13
