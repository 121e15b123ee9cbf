"""Processes divided into more states and actions, steps as long as hypotheses allow, steps that overflow, even moves."""

import itertools

import numpy as np
import pytest

from trpo_theory.bounds.record import Claim
from trpo_theory.search.agreement import names_sizes
from trpo_theory.search.battery import family_instances
from trpo_theory.search.dividing import divided, without_idle_actions
from trpo_theory.search.draws.numbers import LARGEST_REWARD
from trpo_theory.search.draws.policies import two_policies
from trpo_theory.search.mutation import mutated
from trpo_theory.search.screen import Screen
from trpo_theory.search.stretching import stretched_to_fit
from trpo_theory.step.instances import Instances
from trpo_theory.zoo import families


def made(formula, **details):
    return Claim("mine/made", formula, "a statement", **details)


def f1():
    one = families.coupling_tight(gamma=np.array([0.3, 0.9]), x=np.array([0.25, 0.001]))
    return Instances.of(one.mdp, one.old, one.new)


def returns(batch, i):
    """η(old), η(new), max TV, by plain NumPy."""
    found = []
    for policy in (batch.old[i], batch.new[i]):
        chain = np.einsum("sa,sat->st", policy, batch.transition[i])
        value = np.linalg.solve(np.eye(len(chain)) - batch.gamma[i] * chain, (policy * batch.reward[i]).sum(1))
        found.append(batch.initial[i] @ value)
    return [*found, np.abs(batch.new[i] - batch.old[i]).sum(1).max() / 2]


def test_a_process_divided_into_more_states_and_actions_keeps_its_returns_and_divergences():
    batch = f1()
    for states, actions in itertools.product((2, 3, 5), (3, 4, 6)):
        larger = divided(batch, states, actions)
        assert larger.shape == (states, actions)
        np.testing.assert_allclose(larger.transition.sum(-1), 1, rtol=1e-15)
        for i in range(len(batch)):
            np.testing.assert_allclose(returns(larger, i), returns(batch, i), rtol=1e-12)


def test_what_neither_policy_takes_is_made_unavailable():
    batch = f1()
    masked = without_idle_actions(batch)
    assert len(masked) == 2
    assert not masked.available[:, 1, 2].any()
    assert masked.available.sum() == 10
    np.testing.assert_allclose(
        [returns(masked, i) for i in range(2)], [returns(batch, i) for i in range(2)], rtol=1e-12
    )
    everywhere = batch.replace(old=np.full_like(batch.old, 1 / 3))
    assert len(without_idle_actions(everywhere)) == 0


def helper(q):
    return q.max_tv if q.gamma < 2 or q.actions == 4 else 0


def test_sizes_are_named_in_the_formula_in_hypotheses_or_in_what_they_call():
    most = 4
    few = lambda q: q.actions <= most  # noqa: E731
    assert names_sizes(made(lambda q: q.max_tv, given=lambda q: few(q)))
    assert names_sizes(made(lambda q: q.max_tv + q.states))
    assert names_sizes(made(lambda q: helper(q)))
    assert not names_sizes(made(lambda q: q.max_tv, given=lambda q: q.gamma < 0.5))


def test_steps_are_stretched_to_where_hypotheses_stop_holding():
    batch = f1()
    tv = np.array([returns(batch, i)[2] for i in range(2)])
    for radius in (1e-3, 0.05, 0.4):
        claim = made(lambda q: q.max_tv, given=lambda q, radius=radius: q.max_tv <= radius)
        long = stretched_to_fit(Screen(claim), batch)
        limited = (tv * 1e-3 <= radius) & (radius < np.minimum(30 * tv, 0.5))
        assert len(long) == limited.sum()
        found = np.array([returns(long, i)[2] for i in range(len(long))])
        assert (found <= radius).all()
        assert (found >= 0.99 * radius).all()
    no_limit = made(lambda q: q.max_tv, given=lambda q: q.gamma < 1)
    assert len(stretched_to_fit(Screen(no_limit), batch)) == 0


def test_a_step_that_overflows_says_nothing_and_is_no_error():
    def exponential(q):
        weight = q.old * q.exp(q.size * q.advantage)
        return weight / q.sum_a(weight)[:, None]

    screen = Screen(made(lambda q: q.max_tv - 1, given=lambda q: q.gamma < 1, step=exponential))
    batch = f1().replace(size=np.array([1e6, 1.0]))
    screened = screen(batch)
    assert list(screened.met) == [False, True]
    assert list(screen.violation(batch) > 0) == [True, False]
    large = divided(batch, 40, 3)
    assert list(screen(large).met) == [False, True]


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
def test_rewards_of_children_and_families_stay_within_a_million(scale):
    generator = np.random.default_rng(0)
    for part in family_instances(generator, 20):
        assert np.abs(part.reward).max() <= LARGEST_REWARD * (1 + 1e-12)
    batch = f1()
    batch = batch.replace(reward=batch.reward * scale).take(np.zeros(300, dtype=int))
    for _ in range(30):
        batch = mutated(batch, generator)
    assert np.abs(batch.reward).max() <= 1e6 * (1 + 1e-12)
    assert np.abs(batch.reward[np.abs(batch.reward).max((1, 2)) > 0]).max((1, 2)).min() >= min(scale, 1e-6)


def test_some_rows_of_four_or_more_actions_move_up_and_down_by_the_same():
    for actions in (4, 5, 6):
        old, new = two_policies(np.random.default_rng(0), (400, 1, actions))
        change = np.sort(new - old, axis=-1)[:, 0]
        even = (np.abs(change[:, 0] + change[:, -1]) < 1e-12) & (change[:, -1] > 1e-3)
        even &= np.abs(change[:, actions // 2 - 1] - change[:, 0]) < 1e-12
        assert even.sum() >= 5
