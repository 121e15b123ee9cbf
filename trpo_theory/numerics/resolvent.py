"""The resolvent (I − γP)⁻¹ of a chain: x = b + γPx, and its transpose, by the method that fits the chain.

The S axis is 0 and a batch trails, as in `Quantities`. I − γP is strictly row diagonally dominant, so elimination
needs no pivoting, and the residual of any x bounds its error:
    max|x − x*| ≤ max|b + γPx − x| / (1 − γ),        Σ|y − y*| ≤ Σ|b + γPᵀy − y| / (1 − γ).
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from trpo_theory.entries.sparse import is_sparse
from trpo_theory.numerics.arithmetic import Array, Resolvent
from trpo_theory.numerics.layout import batch_first, batch_last
from trpo_theory.numerics.sparse_resolvent import SparseResolvent

_ELIMINATE_BELOW = 32
"""Batches of chains with fewer states are eliminated across the batch; larger ones go to LAPACK one by one. Measured."""


def resolvent(transition: Array, gamma: Array) -> Resolvent:
    """The resolvent of a float chain: transition (S, S) dense or sparse, or (S, S, *batch)."""
    if is_sparse(transition):
        return SparseResolvent(transition, gamma)
    states = len(transition)
    matrix = -np.asarray(gamma) * transition
    matrix[np.arange(states), np.arange(states)] += 1.0
    if matrix.ndim == 2:
        return _Lapack(matrix)
    return _Eliminated(matrix) if states < _ELIMINATE_BELOW else _BatchedLapack(matrix)


class _Lapack:
    """LU of the transpose: strictly column dominant, so that partial pivoting never exchanges rows.

    Hence a state that cannot be reached has a visitation of exactly 0, and none is negative. Without a discount the matrix may
    be singular to rounding, where an end is hardly ever reached: solutions are then not finite.
    """

    def __init__(self, matrix: np.ndarray) -> None:
        from scipy.linalg import lapack

        # Not scipy.linalg.lu_factor and lu_solve: their checks cost ten times what a chain of a few states does.
        routines: Any = lapack
        self._back = routines.dgetrs
        self._factors = routines.dgetrf(matrix.T, overwrite_a=True)[:2]

    def solve(self, b: np.ndarray) -> np.ndarray:
        return self._apply(b, 1)

    def solve_transposed(self, b: np.ndarray) -> np.ndarray:
        return self._apply(b, 0)

    def _apply(self, b: np.ndarray, transposed: int) -> np.ndarray:
        return self._back(*self._factors, b, trans=transposed)[0]


class _BatchedLapack:
    def __init__(self, matrix: np.ndarray) -> None:
        self._matrix = np.ascontiguousarray(batch_first(matrix, matrix.ndim - 2))

    def solve(self, b: np.ndarray) -> np.ndarray:
        return self._apply(self._matrix, b)

    def solve_transposed(self, b: np.ndarray) -> np.ndarray:
        return self._apply(self._matrix.swapaxes(-1, -2), b)

    @staticmethod
    def _apply(matrix: np.ndarray, b: np.ndarray) -> np.ndarray:
        right = batch_first(b, b.ndim - 1)[..., None]
        try:
            x = np.linalg.solve(matrix, right)[..., 0]
        except np.linalg.LinAlgError:  # one of them is singular to rounding, as in `_Lapack`
            x = _solved_one_by_one(matrix, right)[..., 0]
        return batch_last(x, x.ndim - 1)


def _solved_one_by_one(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The solutions, nan where a matrix is singular."""
    shape = np.broadcast_shapes(matrix.shape[:-2], right.shape[:-2])
    matrix, right = (np.broadcast_to(x, (*shape, *x.shape[-2:])) for x in (matrix, right))
    out = np.full(right.shape, np.nan)
    for place in np.ndindex(shape):
        with contextlib.suppress(np.linalg.LinAlgError):
            out[place] = np.linalg.solve(matrix[place], right[place])
    return out


def _goes_back(matrix: np.ndarray) -> bool:
    """Whether some state leads to an earlier one, as in most chains: without such, as over a horizon, nothing is to eliminate."""
    return any(matrix[k, :k].any() for k in reversed(range(1, len(matrix))))


class _Eliminated:
    """LU without pivoting, one step for the whole batch: S steps, each on contiguous (S, S, *batch) memory."""

    def __init__(self, matrix: np.ndarray) -> None:
        self._lu, self._has_lower = matrix, _goes_back(matrix)
        for k in range(len(matrix) - 1 if self._has_lower else 0):
            below = matrix[k + 1 :, k]
            below /= matrix[k, k]
            matrix[k + 1 :, k + 1 :] -= below[:, None] * matrix[k, k + 1 :][None]

    def solve(self, b: np.ndarray) -> np.ndarray:
        x = self._right_hand_side(b)
        for k in range(1, len(x) if self._has_lower else 0):
            x[k] -= (self._lu[k, :k] * x[:k]).sum(0)
        for k in reversed(range(len(x))):
            x[k] -= (self._lu[k, k + 1 :] * x[k + 1 :]).sum(0)
            x[k] /= self._lu[k, k]
        return x

    def solve_transposed(self, b: np.ndarray) -> np.ndarray:
        y = self._right_hand_side(b)
        for k in range(len(y)):
            y[k] -= (self._lu[:k, k] * y[:k]).sum(0)
            y[k] /= self._lu[k, k]
        for k in reversed(range(len(y) - 1 if self._has_lower else 0)):
            y[k] -= (self._lu[k + 1 :, k] * y[k + 1 :]).sum(0)
        return y

    def _right_hand_side(self, b: np.ndarray) -> np.ndarray:
        return np.array(np.broadcast_to(b, (len(b), *np.broadcast_shapes(b.shape[1:], self._lu.shape[2:]))))
