"""`SparseImprovement`: between two exact evaluations of policy iteration on a large sparse MDP, many cheap improvements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trpo_theory.solve.criterion import Kernel
from trpo_theory.solve.local_backups import LocalBackups
from trpo_theory.solve.modified import ModifiedPolicyIteration

_AT_ONCE = 128
"""States up to which policy iteration starts from the best rewards. Chosen: an exact evaluation takes less than a millisecond."""


class SparseImprovement:
    """The next policy to evaluate, and a value to start its evaluation from: both guesses, of which nothing is claimed.

    Where few states improve, their values are propagated by `LocalBackups`; where many do, by `ModifiedPolicyIteration`.

    Args:
        transition: P, sparse (S·A, S).
        kernel: of the criterion, without negative entries.
        reward: r(s, a), (S, A); −∞ for an unavailable action.
        gamma: γ.
        allowed: whether a policy, an action (S,), has a value by the criterion.
    """

    def __init__(
        self, transition: Any, kernel: Kernel, reward: np.ndarray, gamma: float, allowed: Callable[[np.ndarray], bool]
    ) -> None:
        self._local = LocalBackups(transition, reward, gamma)
        self._modified = ModifiedPolicyIteration(kernel.transition, reward, float(kernel.gamma), kernel.levels)
        self._discounted = kernel.levels and kernel.gamma < 1
        self._allowed = allowed
        self._tried_at: np.ndarray | None = None
        self._misled = False
        self.guessed: bool = False
        """Whether the policy to evaluate is one of modified policy iteration, which may be worse than the last."""

    def first(self, action: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """(action, V to start from), in place of the first policy of policy iteration."""
        if not self._discounted or len(action) <= _AT_ONCE:
            return action, None
        value, guess = self._modified.from_start()
        if not np.isfinite(value).all():
            return action, None
        self.guessed = True
        return guess, value

    def following(
        self, value: np.ndarray, q_value: np.ndarray, action: np.ndarray, rounding: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """(action, V to start from) from the exact V and Q of a policy, and the policy that improves on it."""
        self.guessed = False
        raised = self._local.raised(value, q_value, rounding)
        if raised is not None:
            return self._local.greedy(raised), raised
        if self._tried_at is not None and not (value > self._tried_at + rounding).any():
            self._misled = True
        if self._modified.settles and not self._misled:
            self._tried_at = value
            guess, further = self._modified.onward(value, action)
            if np.isfinite(guess).all() and self._allowed(further):
                self.guessed = True
                return further, guess
        return action, value
