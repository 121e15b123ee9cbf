"""Transitions told by their moves: dense while that is small, sparse beyond."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import scipy.sparse as sp

DENSE_UP_TO = 2_000_000
"""Entries S·A·S of a dense transition."""


def transition_of(states: int, actions: int, moves: Iterable[tuple[int, Any, Any]]) -> Any:
    """P, (S, A, S), or sparse (S·A, S) where S·A·S > 2·10⁶.

    Args:
        states: S.
        actions: A.
        moves: (a, s', p): action a leads from state s to s'[s] with probability p[s] besides what other moves say; (S,) or
            one for all.
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
