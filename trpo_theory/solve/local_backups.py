"""Bellman backups of a large sparse MDP in the few states where values still change, between policy evaluations."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.entries.sparse import sp
from trpo_theory.solve.chosen import largest

_FEW = 0.125
"""The largest share of states to back up locally; where more of them change, a full evaluation is faster. Chosen."""
_EFFORT = 40.0
"""A limit on local backups, in sweeps over all states. Chosen: a full evaluation costs more, and a frontier needs less."""
_PICKED = 6.0
"""Cost of one indexed backup, in units of a full sweep's cost per state. Measured."""


class LocalBackups:
    """V(s) ← max_a r(s,a) + γ Σ_s' P(s'|s,a) V(s'), only in states with a successor whose value has just risen.

    From a V ≤ T V (T the optimal Bellman operator), such as the value of a policy, V rises towards V* and never exceeds it,
    so that the policy greedy for the result is at least as good as the one greedy for the start. Where the policy changes
    along a frontier, as around the goal of a grid, this replaces one linear solve for each state that the frontier passes.
    Source: Puterman (2005), section 6.3; Moore and Atkeson (1993), prioritized sweeping.

    Args:
        transition: P, sparse (S·A, S).
        reward: r(s, a), (S, A); −∞ for an unavailable action.
        gamma: γ.
    """

    def __init__(self, transition: sp.csr_array, reward: np.ndarray, gamma: float) -> None:
        self._transition, self._reward, self._gamma = transition, reward, gamma
        self._predecessors: Any = None

    def raised(self, value: np.ndarray, q_value: np.ndarray, least: float) -> np.ndarray | None:
        """V after local backups, until no state rises by more than `least`; None if too many states rise at once.

        Args:
            value: V with V ≤ T V, (S,).
            q_value: Q(s, a) of V, (S, A).
            least: changes up to this are ignored.
        """
        states, best = len(value), largest(q_value)
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
        """The greedy action of each state for V, (S,); of several, the first."""
        return self._q_value(slice(None), value).argmax(1)

    def _backed_up(self, states: Any, value: np.ndarray) -> np.ndarray:
        return largest(self._q_value(states, value))

    def _q_value(self, states: Any, value: np.ndarray) -> np.ndarray:
        reward, transition = self._reward[states], self._transition
        if not isinstance(states, slice):
            transition = transition[(states[:, None] * reward.shape[1] + np.arange(reward.shape[1])).ravel()]
        return reward + self._gamma * (transition @ value).reshape(reward.shape)

    def _states_before(self, states: np.ndarray) -> np.ndarray:
        """The states with an action that may lead to one of `states`, sorted."""
        if self._predecessors is None:
            self._predecessors = _predecessors(self._transition, self._reward.shape[1])
        marked = np.zeros(len(self._reward), dtype=bool)
        marked[self._predecessors[states].indices] = True
        return np.flatnonzero(marked)


def _predecessors(transition: Any, actions: int) -> Any:
    """Boolean (S, S): row s' has an entry in column s for every stored P(s'|s,a), duplicates kept."""
    states = transition.shape[1]
    matrix: Any = sp.csr_array(
        (np.ones(transition.nnz, dtype=bool), transition.indices, transition.indptr[::actions]), shape=(states, states)
    )
    return sp.csr_array(matrix.T)
