"""Transitions built from a list of moves: a dense array while that is small, a sparse matrix beyond."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

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
    parts = np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))
    matrix = sp.csr_array(sp.coo_array(parts, shape=(states * actions, states)))
    matrix.eliminate_zeros()
    dense = states * actions * states <= DENSE_UP_TO
    return matrix.toarray().reshape(states, actions, states) if dense else matrix
