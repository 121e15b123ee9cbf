"""(I − γ P_π)⁻¹ in rationals and balls, and the matrices that it is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from flint import arb_mat, fmpq, fmpq_mat

from trpo_theory.numerics.arithmetic import Array, Policy
from trpo_theory.numerics.ball import raw as r
from trpo_theory.numerics.ball.arrays import BallArray, balls, plain
from trpo_theory.numerics.ball.number import Ball


class BallResolvent:
    """(I − γ P_π)⁻¹ by elimination in exact rationals; in balls only where the policy or the right-hand side is inexact."""

    def __init__(self, transition: Array, policy: Policy, gamma: Array) -> None:
        chain = chain_of(transition, policy)
        self._hold(balls(np.eye(len(chain))) - Ball(gamma) * chain)

    @classmethod
    def of_matrix(cls, matrix: Array) -> BallResolvent:
        """The inverse of a matrix I − M that is at hand."""
        made = cls.__new__(cls)
        made._hold(matrix)
        return made

    def _hold(self, matrix: Array) -> None:
        self._matrix: Any = matrix_of(matrix)
        self._exact = isinstance(self._matrix, fmpq_mat)

    def solve(self, b: Array) -> Array:
        """The x with x = b + γ P_π x.

        Raises:
            Undecided: where enclosures leave open whether the matrix is regular.
        """
        return self._applied(self._matrix, b)

    def solve_transposed(self, b: Array) -> Array:
        """The y with y = b + γ P_πᵀ y, likewise."""
        return self._applied(self._matrix.transpose(), b)

    def inverse(self) -> Array:
        """(I − γ P_π)⁻¹, (S, S).

        Raises:
            Undecided: as `solve`.
        """
        size = self._matrix.nrows()
        if self._exact:
            return array_of(self._matrix.inv(), (size, size))
        return np.stack([self.solve(balls(unit)) for unit in np.eye(size)], axis=1).view(BallArray)

    def _applied(self, matrix: Any, b: Array) -> Array:
        b = plain(b)
        entries = _raws(b)
        if any(isinstance(entry, float) for entry in entries):
            columns = [self._applied(matrix, unit) for unit in np.eye(len(b))]
            return product_of(plain(np.stack(columns, axis=1)), b)
        kind: Any = fmpq_mat if self._exact and _exact(entries) else arb_mat
        try:
            x = array_of(kind(matrix).solve(kind(len(b), 1, entries)), b.shape)
            if kind is arb_mat:  # 0 exactly where only 0 is reached, and not an enclosure of 0
                x = balls(np.where(_reaching(matrix, entries), plain(x), plain(0)))
            return x
        except ZeroDivisionError:
            if kind is fmpq_mat:
                raise
            raise r.Undecided("a linear system in balls could not be solved: raise the precision") from None


def chain_of(transition: Array, policy: Policy) -> Array:
    """P_π(s, s') = Σ_a π(a|s) P(s'|s,a), (S, S)."""
    rows = zip(plain(transition), plain(policy), strict=True)
    return np.stack([product_of(moves.T, row) for moves, row in rows]).view(BallArray)


def matrix_of(x: Array) -> Any:
    """A matrix of rationals, or of balls where an entry is none."""
    entries = _raws(x)
    kind: Any = fmpq_mat if _exact(entries) else arb_mat
    return kind(*x.shape, entries)


def _reaching(matrix: Any, entries: list[Any]) -> list[bool]:
    """Whether a row of the matrix leads, over entries that are not 0, to one of the right-hand side that is not 0."""
    size = matrix.nrows()
    edges = np.array([not (type(x) is fmpq and x == 0) for x in map(r.raw, matrix.entries())]).reshape(size, size)
    found = np.array([not (type(x) is fmpq and x == 0) for x in entries])
    while ((more := found | (edges & found).any(1)) != found).any():
        found = more
    return found.tolist()


def _raws(x: Array) -> list[Any]:
    return [entry.raw for entry in x.flat]


def _exact(entries: list[Any]) -> bool:
    return set(map(type, entries)) <= {fmpq}


def array_of(matrix: Any, shape: tuple[int, ...]) -> Array:
    """The entries of a matrix, in a shape."""
    out = np.empty(shape, dtype=object)
    out.ravel()[:] = [Ball(entry) for entry in matrix.entries()]
    return out.view(BallArray)


def product_of(matrix: np.ndarray, vector: np.ndarray) -> Array:
    """matrix · vector, of bare object arrays."""
    left, right = _raws(matrix), _raws(vector)
    if _exact(left) and _exact(right):
        return array_of(fmpq_mat(len(matrix), len(vector), left) * fmpq_mat(len(vector), 1, right), matrix.shape[:1])
    return np.add.reduce(balls(matrix) * balls(vector), axis=1)
