"""Deterministic policies of a large sparse MDP, one after another: their chains, Bellman backups, and the best action."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.entries.sparse import sp

_COLUMNS = 32
"""Actions up to which the largest of them is found column by column: NumPy takes 40 ns a row otherwise. Measured."""
_REPLACED = 0.125
"""The largest share of rows to be replaced one by one; where more change, all are picked anew. Measured."""


_ROUNDINGS = 32
"""Of the largest value and reward, each of size ε: by so much Q-values of tied actions may differ.

Q = r + κ Σ P V over n successors is off by (n + 2) ε/2 of that size, and so two of them differ by (n + 2) ε: derived for 30
successors; for more, errors grow as √n, and 32 is for a thousand (chosen: Wilkinson's rule of thumb for long sums)."""


def tie(size: Any) -> Any:
    """How much larger Q has to be for an action to be better, where values and rewards together are of that size."""
    return _ROUNDINGS * np.finfo(np.float64).eps * size


def largest(q_value: np.ndarray) -> np.ndarray:
    """max_a Q(s, a), (S, A) -> (S,)."""
    if q_value.shape[1] > _COLUMNS:
        return q_value.max(1)
    best = q_value[:, 0].copy()
    for action in range(1, q_value.shape[1]):
        np.maximum(best, q_value[:, action], out=best)
    return best


def taken(array: np.ndarray, action: np.ndarray) -> np.ndarray:
    """The entries of an array (S, A) that a policy takes, (S,)."""
    states, actions = array.shape
    return array.ravel()[np.arange(states) * actions + action]


class ChosenRows:
    """Rows of a factor times K, each that of a state's action: M_π = f K_π of a deterministic policy π.

    From one policy to the next only the rows of states whose action has changed are replaced, where these are few.

    Args:
        transition: K, sparse (S·A, S).
        reward: r(s, a), (S, A); −∞ for an unavailable action.
        factor: f, of which every entry is multiplied once, here.
    """

    def __init__(self, transition: Any, reward: np.ndarray, factor: float) -> None:
        data = transition.data if factor == 1 else transition.data * factor
        self._matrix: Any = sp.csr_array((data, transition.indices, transition.indptr), transition.shape)
        self._reward = reward
        self._first = np.arange(len(reward)) * reward.shape[1]
        self._rows: np.ndarray | None = None
        self._chain: Any = None

    def backed_up(self, value: np.ndarray) -> np.ndarray:
        """r + f K V, (S, A)."""
        q_value = (self._matrix @ value).reshape(self._reward.shape)
        q_value += self._reward
        return q_value

    def rows(self, action: np.ndarray) -> np.ndarray:
        """The rows of K that a policy takes, (S,)."""
        return self._first + action

    def chain(self, action: np.ndarray) -> Any:
        """f K_π, sparse (S, S); it is changed by the next call."""
        rows, before = self.rows(action), self._rows
        self._rows = rows
        if before is None or not self._replaced(np.flatnonzero(rows != before), rows):
            self._chain = self._matrix[rows]
        return self._chain

    def _replaced(self, states: np.ndarray, rows: np.ndarray) -> bool:
        """Whether the rows of some states could be put in the place of the old ones, for being few and of the same lengths."""
        if len(states) > _REPLACED * len(rows):
            return False
        matrix, chain = self._matrix, self._chain
        source, place = matrix.indptr[rows[states]], chain.indptr[states]
        lengths = matrix.indptr[rows[states] + 1] - source
        if (chain.indptr[states + 1] - place != lengths).any():
            return False
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        source, place = np.repeat(source, lengths) + within, np.repeat(place, lengths) + within
        chain.data[place] = matrix.data[source]
        chain.indices[place] = matrix.indices[source]
        return True
