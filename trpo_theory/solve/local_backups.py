"""Bellman backups of a large sparse MDP where values still change: what an exact policy iteration need not wait for."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

_FEW = 0.125
"""A share of the states: where more gain by a new action, that policy's evaluation is the better next step."""
_EFFORT = 200.0
"""Backups of so many times all states cost about what an evaluation does: a frontier is not followed for longer at once."""
_PICKED = 6.0
"""What the backup of a state picked out costs, in backups of all states a state."""


class LocalBackups:
    """V(s) ← max_a r(s,a) + γ Σ_s' P(s'|s,a) V(s'), only in states with a successor whose value has just risen.

    Started at V ≤ T V, such as a policy's own value, V rises towards V* and never beyond it, so that a policy greedy for it
    is at least as good as one greedy for the start. A frontier that moves by one state a policy, as from the goal of a grid,
    moves on without a linear solve a state. Source: Puterman (2005), section 6.3; Moore and Atkeson (1993), prioritized sweeping.

    Args:
        transition: P, sparse (S·A, S).
        reward: r(s, a), (S, A); −∞ for an unavailable action.
        gamma: γ.
    """

    def __init__(self, transition: Any, reward: np.ndarray, gamma: float) -> None:
        self._transition, self._reward, self._gamma = transition, reward, gamma
        self._predecessors: Any = None

    def raised(self, value: np.ndarray, q_value: np.ndarray, least: float) -> np.ndarray | None:
        """V after local backups, from V and its Q(s, a) on, until no state rises by more than `least`; None if too many do."""
        states, best = len(value), q_value.max(1)
        rising = np.flatnonzero(best - value > least)
        if len(rising) > _FEW * states:
            return None
        value = value.copy()
        value[rising] = best[rising]
        left = _EFFORT * states
        while 0 < len(rising) <= 4 * _FEW * states and left > 0:
            above = self._states_before(rising)
            if all_of_them := _PICKED * len(above) > states:
                above = np.arange(states)
            best = self._backed_up(slice(None) if all_of_them else above, value)
            higher = best - value[above] > least
            rising = above[higher]
            value[rising] = best[higher]
            left -= states if all_of_them else _PICKED * len(above)
        return value

    def greedy(self, value: np.ndarray) -> np.ndarray:
        """The first best action of each state for V, (S,)."""
        return self._q_value(slice(None), value).argmax(1)

    def _backed_up(self, states: Any, value: np.ndarray) -> np.ndarray:
        return self._q_value(states, value).max(1)

    def _q_value(self, states: Any, value: np.ndarray) -> np.ndarray:
        reward, transition = self._reward[states], self._transition
        if not isinstance(states, slice):
            transition = transition[(states[:, None] * reward.shape[1] + np.arange(reward.shape[1])).ravel()]
        return reward + self._gamma * (transition @ value).reshape(reward.shape)

    def _states_before(self, states: np.ndarray) -> np.ndarray:
        """Those with an action that may lead to one of these, sorted."""
        if self._predecessors is None:
            self._predecessors = _predecessors(self._transition, self._reward.shape[1])
        marked = np.zeros(len(self._reward), dtype=bool)
        marked[self._predecessors[states].indices] = True
        return np.flatnonzero(marked)


def _predecessors(transition: Any, actions: int) -> Any:
    """Boolean (S, S): row s' has an entry for every (s, a) with P(s'|s,a) stored, duplicates and all."""
    states = transition.shape[1]
    matrix: Any = sp.csr_array(
        (np.ones(transition.nnz, dtype=bool), transition.indices, transition.indptr[::actions]), shape=(states, states)
    )
    return sp.csr_array(matrix.T)
