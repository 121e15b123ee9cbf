"""Transitions of a witness as sparse rows, whose numbers may be exact."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class SparseRows(NamedTuple):
    """A sparse (S·A, S) matrix in CSR form, whose data may be exact.

    Attributes:
        data: floats, or `Fraction`s.
        indices, indptr: as of SciPy's.
        shape: (S·A, S).
    """

    data: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    shape: tuple[int, int]


def successors(transition: np.ndarray | SparseRows, s: int, a: int, actions: int) -> set[int]:
    """The states that an action leads to."""
    if isinstance(transition, SparseRows):
        part = slice(*transition.indptr[s * actions + a : s * actions + a + 2])
        return {int(t) for t, entry in zip(transition.indices[part], transition.data[part], strict=True) if entry}
    return {int(t) for t in np.flatnonzero(transition[s, a])}
