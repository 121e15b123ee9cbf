"""The exact values of one deterministic policy after another, as policy iteration reads them, of dense and sparse MDPs."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from trpo_theory.model.policy import deterministic
from trpo_theory.numerics.arithmetic import solved_from
from trpo_theory.numerics.floats import CheckedFloats
from trpo_theory.numerics.layout import batch_first, batch_last
from trpo_theory.solve.chain import PolicyChain
from trpo_theory.solve.chosen import largest, taken, tie
from trpo_theory.solve.criterion import Kernel


class Evaluated(NamedTuple):
    """A policy's values; batch axes are last.

    Attributes:
        value: V, (S, *batch).
        q_value: Q, (S, A, *batch); −∞ for an unavailable action.
        own: Q(s, π(s)), (S, *batch).
        highest: max_a Q(s, a), (S, *batch).
        expected_return: η, (*batch).
        rounding: an action is better only if its Q is larger by more than this, (*batch).
    """

    value: np.ndarray
    q_value: np.ndarray
    own: np.ndarray
    highest: np.ndarray
    expected_return: np.ndarray
    rounding: np.ndarray


class Evaluator(Protocol):
    """What evaluates policies of one MDP."""

    def __call__(self, action: np.ndarray, guess: np.ndarray | None) -> Evaluated:
        """The values of the policy that takes action (S, *batch), from a V that is close if one is given."""
        ...


class DenseEvaluator:
    """Policies of a dense MDP or a batch.

    Args:
        kernel: of the criterion.
        reward: r(s, a), (S, A, *batch).
        available: likewise.
    """

    def __init__(self, kernel: Kernel, reward: np.ndarray, available: np.ndarray) -> None:
        self._kernel, self._reward, self._available = kernel, reward, available
        self._largest_reward = np.abs(reward).max((0, 1))

    def __call__(self, action: np.ndarray, guess: np.ndarray | None) -> Evaluated:
        """The values of a policy; it is not asked where to start from."""
        chain = PolicyChain(CheckedFloats(), self._kernel, self._reward, policy_of(action, self._reward.shape[1]))
        q_value = np.where(self._available, chain.q_value, -np.inf)
        return Evaluated(
            value=chain.value,
            q_value=q_value,
            own=np.take_along_axis(q_value, action[:, None], 1)[:, 0],
            highest=q_value.max(1),
            expected_return=chain.expected_return,
            rounding=tie(np.abs(chain.value).max(0) + self._largest_reward),
        )


class SparseEvaluator:
    """Policies of one sparse MDP: only the rows that a policy takes are read for its chain.

    Args:
        kernel: of the criterion.
        offered: r(s, a), (S, A); −∞ for an unavailable action.
        largest_reward: max |r|.
    """

    def __init__(self, kernel: Kernel, offered: np.ndarray, largest_reward: float) -> None:
        self._kernel, self._offered, self._largest_reward = kernel, offered, largest_reward

    def __call__(self, action: np.ndarray, guess: np.ndarray | None) -> Evaluated:
        """The values of a policy. A sparse solve leaves a residual, which also perturbs Q-values."""
        states, actions = self._offered.shape
        transition, gamma, start = self._kernel.transition, self._kernel.gamma, self._kernel.start
        chain = transition[np.arange(states) * actions + action]
        resolvent = CheckedFloats().resolvent(chain, np.ones((states, 1)), gamma)
        value = solved_from(resolvent, taken(self._offered, action), guess)
        q_value = (transition @ value).reshape(states, actions)
        q_value *= gamma
        q_value += self._offered
        own = taken(q_value, action)
        rounding = tie(np.abs(value).max() + self._largest_reward)
        return Evaluated(
            value=value,
            q_value=q_value,
            own=own,
            highest=largest(q_value),
            expected_return=(start * value).sum(),
            rounding=rounding + 4 * np.abs(own - value).max(),
        )


def policy_of(action: np.ndarray, actions: int) -> np.ndarray:
    """The deterministic policy, (S, *batch) -> (S, A, *batch)."""
    return batch_last(deterministic(batch_first(action, action.ndim - 1), actions), action.ndim - 1)
