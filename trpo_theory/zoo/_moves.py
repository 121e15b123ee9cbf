"""Transitions built from a list of moves: a dense array while that is small, a sparse matrix beyond."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from trpo_theory.entries.sparse import sp

DENSE_UP_TO = 2_000_000
"""The most entries S·A·S of a dense transition; chosen: 16 MB of float64, which a batch or an LU still fits beside."""


def transition_of(
    states: int, actions: int, moves: Iterable[tuple[int, ArrayLike, ArrayLike]]
) -> np.ndarray | sp.csr_array:
    """P, (S, A, S), or sparse (S·A, S) where S·A·S > 2·10⁶.

    Args:
        states: S.
        actions: A.
        moves: triples (a, s', p): action a leads from state s to s'[s] with probability p[s]; both have shape (S,) or are
            one number for all states. Probabilities of moves to the same successor add up.
    """
    site, rows, columns, weights = np.arange(states), [], [], []
    for action, successor, probability in moves:
        rows.append(site * actions + action)
        columns.append(np.broadcast_to(successor, site.shape))
        weights.append(np.broadcast_to(np.asarray(probability, dtype=np.float64), site.shape))
    weight, row, column = (np.concatenate(parts) for parts in (weights, rows, columns))
    size = states * actions * states
    if size <= DENSE_UP_TO:
        return np.bincount(row * states + column, weight, size).reshape(states, actions, states)
    matrix = sp.csr_array(sp.coo_array((weight, (row, column)), shape=(states * actions, states)))
    matrix.eliminate_zeros()
    return matrix
