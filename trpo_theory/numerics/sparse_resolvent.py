"""The resolvent of a sparse chain: sweeps, BiCGSTAB and sparse LU, each where it is the fastest, refined in double precision."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from trpo_theory.entries.sparse import sp
from trpo_theory.errors import NotSolved

_EPS = float(np.finfo(np.float64).eps)
_KRYLOV_ITERATIONS = 300
"""Of BiCGSTAB in one pass. Chosen: a chain that needs more is solved faster by sparse LU."""
_WATCHED, _HOPELESS = 60, 1.0
"""A pass that after so many iterations has more than this share of its residual left is given up for sparse LU where that fills
little. Measured: on queues in series and grids with a goal no such pass ended, on grids without one nearly every pass gained."""
_STARTS, _NEAR, _STEPS = 8, 1500, 10
"""LU fills little where from each of so many states at most so many are near, by so many steps either way. Chosen: a grid with
moves to eight neighbours has 441, a random graph has nearly all of its states."""
_KRYLOV_RTOL = 1e-13
"""The least relative residual that is required of a pass in double precision: chosen, some hundred units of rounding."""
_KRYLOV_USEFUL = 1e-3
"""A pass that stops short of its tolerance, or breaks down, but gains this factor is refined by another."""
_FACTORISE_UP_TO = 128
"""Sparse chains of so few states go to LU at once: no fill-in can hurt."""
_BAND, _SAMPLE = 256, 1000
"""A band of so many entries below times above the diagonal goes to LU at once, which then costs about as much as ten products.
Chosen; the first rows tell nearly always."""
_SINGLE_UP_TO = 0.9995
"""Discounts up to which passes run in single precision. Chosen: above, 1/(1 − γ) leaves float32 less than four digits."""
_SINGLE_RTOL = 1e-5
"""The least relative residual that is required of a pass in single precision: chosen, some hundred units of its rounding."""
_SINGLE_FROM = 4_000_000
"""Entries from which sweeps run in single precision, too. Measured: one of 2e7 entries then takes a third of the time, and one of
2e6 four fifths."""
_SINGLE_GAIN, _SINGLE_PASSES = 1e-5, 5
"""What such sweeps bring a residual down by at once, and how often. Chosen: as for passes of BiCGSTAB."""
_SWEEPS = 16
"""Of x = b + γPx before a second attempt. Chosen: enough to spread a right-hand side of one entry over its neighbours."""
_ROUND, _ROUNDS = 8, 32
"""A solution begins with so many sweeps, and with at most so many rounds of them. Chosen: as many products as four iterations of
BiCGSTAB, and as one pass of half as many as it may take."""
_GAIN, _GAIN_FROM_GUESS = 1e-2, 0.5
"""While a round brings the residual down by this factor, there is another. Chosen: BiCGSTAB gains as much where a chain forgets
fast, and next to a solution its start costs more."""
_REFINEMENTS = 16
"""At most so many passes. Chosen: each gains three digits, or is followed by sparse LU."""
_RESIDUAL_GOAL = 16 * _EPS
"""The scaled residual at which refinement stops. Chosen: rounding of b + γPx − x itself is of this size."""
_RESIDUAL_LIMIT = 1e-10
"""A sparse solution whose scaled residual stays above this is an error, not a number."""


class SparseResolvent:
    """BiCGSTAB, which needs some tens of products where the chain mixes, and sparse LU where it does not.

    The passes of BiCGSTAB, and of a large chain the sweeps, run in single precision while that gains digits (products are bound
    by memory); the residual that is refined is always computed in double precision.

    Args:
        transition: P, sparse (S, S), in rows.
        gamma: γ.
    """

    def __init__(self, transition: Any, gamma: float) -> None:
        self._transition, self._gamma = transition, gamma
        self._factors: Any = None
        self._made: dict[tuple[str, Any], Any] = {}
        if transition.shape[0] <= _FACTORISE_UP_TO:
            self._factorise()

    def solve(self, b: np.ndarray) -> np.ndarray:
        """The x with x = b + γPx."""
        return self.solve_from(b, None)

    def solve_from(self, b: np.ndarray, start: np.ndarray | None) -> np.ndarray:
        """The x with x = b + γPx, by refinement from `start`, an x that is close, if one is given."""
        if not b.any():  # x = 0, to which no x that is merely close can be refined: a residual is relative to x
            return np.zeros_like(b)
        return self._refined(self._transition, b, "N", lambda e: float(np.abs(e).max()), start)

    def solve_transposed(self, b: np.ndarray) -> np.ndarray:
        """The y with y = b + γPᵀy; where b ≥ 0 so is y."""
        y = self._refined(self._matrix("T"), b, "T", lambda e: float(np.abs(e).sum()))
        return np.maximum(y, 0.0) if (b >= 0).all() else y

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is not finite has no small residual
    def _refined(
        self, matrix: Any, b: np.ndarray, trans: str, norm: Any, start: np.ndarray | None = None
    ) -> np.ndarray:
        """Solve, then refine on the residual until it is at rounding level or no longer halves."""
        x, residual = (np.zeros_like(b), b) if start is None else (start, b + self._gamma * (matrix @ start) - start)
        size, attempts, attempt = norm(residual), self._attempts(trans), None
        gain = _GAIN if start is None else _GAIN_FROM_GUESS
        for swept_with in self._sweepers(trans) if self._factors is None and size > 0.0 else []:
            goal = 0.25 * _RESIDUAL_GOAL * max(norm(x), norm(b))
            swept = x + self._swept(swept_with, residual, norm, goal, gain)
            remains, before = b + self._gamma * (matrix @ swept) - swept, size
            if norm(remains) < size:
                x, residual, size = swept, remains, norm(remains)
            if size <= 4 * goal or size > _GAIN * before:
                break
        for _ in range(_REFINEMENTS):
            goal = _RESIDUAL_GOAL * max(norm(x), norm(b))
            if size <= goal:
                break
            if self._factors is None and self._is_banded:
                self._factorise()
            if self._factors is not None:
                correction, slow = self._factors.solve(residual, trans=trans), False
            else:
                rtol = 0.25 * goal / size
                attempt = next(attempts) if attempt is None else attempt
                correction, slow = _krylov(*attempt, self._gamma, residual, rtol, lambda: self._fills_little)
            candidate = x + correction
            remains = b + self._gamma * (matrix @ candidate) - candidate
            gained = norm(remains) <= (0.5 if self._factors is not None else _KRYLOV_USEFUL) * size
            if gained or norm(remains) <= goal:
                x, residual, size = candidate, remains, norm(remains)
            elif self._factors is not None:
                break
            elif slow or (attempt := next(attempts, None)) is None:
                self._factorise()
        scale = max(norm(x), norm(b))
        if not size <= _RESIDUAL_LIMIT * scale:
            raise NotSolved(
                f"got a residual of {size / scale:.1e} of the solution's size from both BiCGSTAB and sparse LU; "
                f"wanted at most {_RESIDUAL_LIMIT:g}; fix: lower gamma, or merge states"
            )
        return x

    @cached_property
    def _is_banded(self) -> bool:
        """Whether LU in the order of the states fills little: of a queue, or a chain."""
        matrix = self._transition
        for rows in (slice(0, _SAMPLE), slice(None)):
            part = matrix[rows]
            width = part.indices - np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
            if len(width) and (1 + max(0, -int(width.min()))) * (1 + max(0, int(width.max()))) > _BAND:
                return False
        return True

    @cached_property
    def _fills_little(self) -> bool:
        """Whether states have few states near them, as in the plane, so that small sets of them part a chain in two."""
        ahead, states = self._transition, self._transition.shape[0]
        back = sp.csr_array(ahead.T)
        for start in np.linspace(0, states - 1, _STARTS).astype(int):
            found, new = np.zeros(states, dtype=bool), np.array([start])
            for _ in range(_STEPS):
                found[new] = True
                near = np.concatenate([ahead[new].indices, back[new].indices])
                new = np.unique(near[~found[near]])
                if len(new) > _NEAR:
                    return False
            if np.count_nonzero(found) > _NEAR:
                return False
        return True

    def _swept(self, matrix: Any, residual: np.ndarray, norm: Any, goal: float, gain: float) -> np.ndarray:
        """Σ_k (γP)^k residual, while rounds of sweeps bring what is left down by the factor `gain`, or will come to the goal.

        With d_k = (γP)^k residual, Σ_{j<k} d_j leaves the residual d_k, and Σ_{j<k} d_j + d_k/(1 − γ) leaves
        (d_{k+1} − γ d_k)/(1 − γ), which is less where P forgets all but its stationary part.
        """
        scale = norm(residual)
        goal, change = goal / scale, (residual / scale).astype(matrix.dtype)
        if matrix.dtype == np.float32:
            goal = max(goal, _SINGLE_GAIN)
        gamma, factor, total = self._gamma, matrix.dtype.type(self._gamma), change.astype(np.float64)

        def left(previous: np.ndarray, change: np.ndarray) -> np.ndarray:
            return np.array([norm(change), norm(change - factor * previous) / (1 - gamma) if gamma < 1 else np.inf])

        previous, change = change, factor * (matrix @ change)
        before = left(previous, change)
        for further in reversed(range(_ROUNDS)):
            for _ in range(_ROUND):
                total += change
                previous, change = change, factor * (matrix @ change)
            now = left(previous, change)
            rate = now / before
            useful = (rate <= gain) | ((rate < 1) & (now * rate**further <= goal))
            if now.min() <= goal or not useful.any():
                break
            before = now
        if now[1] < now[0]:
            total += gamma / (1 - gamma) * previous
        return scale * total

    def _matrix(self, trans: str, precision: Any = np.float64) -> Any:
        """P or its transpose, in rows; made once."""
        key = trans, precision
        if key not in self._made:
            if precision is np.float32:
                of = self._matrix(trans)
                made: Any = sp.csr_array((of.data.astype(np.float32), of.indices, of.indptr), shape=of.shape)
            else:
                made = sp.csr_array(self._transition.T) if trans == "T" else self._transition
            self._made[key] = made
        return self._made[key]

    def _sweepers(self, trans: str) -> Iterator[Any]:
        """The matrices to sweep with, in turn, while they gain digits."""
        if self._gamma <= _SINGLE_UP_TO and self._transition.nnz >= _SINGLE_FROM:
            for _ in range(_SINGLE_PASSES):
                yield self._matrix(trans, np.float32)
        else:
            yield self._matrix(trans)

    def _attempts(self, trans: str) -> Iterator[tuple[Any, int]]:
        """What BiCGSTAB is tried with, in turn: a matrix, and how many sweeps x = b + γPx its first guess gets.

        A right-hand side of one entry breaks it down at once; spread out by sweeps, it does not.
        """
        for precision in (np.float32, np.float64) if self._gamma <= _SINGLE_UP_TO else (np.float64,):
            for sweeps in (0, _SWEEPS):
                yield self._matrix(trans, precision), sweeps

    def _factorise(self) -> None:
        from scipy.sparse.linalg import splu

        identity = sp.eye_array(self._transition.shape[0], format="csc")
        self._factors = splu(
            sp.csc_array(identity - self._gamma * self._transition),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )


class _Slow(Exception):
    """A pass of BiCGSTAB is given up."""


def _krylov(
    matrix: Any, sweeps: int, gamma: float, residual: np.ndarray, rtol: float, fills_little: Callable[[], bool]
) -> tuple[np.ndarray, bool]:
    """BiCGSTAB's x for x − γPx = residual, in the matrix's precision, and whether it took, or would take, too many iterations.

    It is given up early only where `fills_little`.
    """
    from scipy.sparse.linalg import LinearOperator, bicgstab

    scale = np.abs(residual).max()  # bicgstab takes a small right-hand side for a breakdown
    right = (residual / scale).astype(matrix.dtype)
    start = right
    factor = matrix.dtype.type(gamma)
    for _ in range(sweeps):
        start = right + factor * (matrix @ start)
    linear_operator: Any = LinearOperator
    operator = linear_operator(matrix.shape, matvec=lambda x: x - factor * (matrix @ x), dtype=matrix.dtype)
    rtol = max(rtol, _KRYLOV_RTOL if matrix.dtype == np.float64 else _SINGLE_RTOL)
    rtol, count = min(rtol, 0.1 * _KRYLOV_USEFUL), itertools.count(1)

    def watch(x: np.ndarray) -> None:
        if next(count) == _WATCHED:
            left = np.linalg.norm(right - operator.matvec(x)) / np.linalg.norm(right)
            if not left <= _HOPELESS and fills_little():
                raise _Slow

    with np.errstate(all="ignore"):
        try:
            x, info = bicgstab(operator, right, x0=start, rtol=rtol, maxiter=_KRYLOV_ITERATIONS, callback=watch)
        except _Slow:
            return np.zeros_like(residual), True
        return np.nan_to_num(x.astype(np.float64)) * scale, info > 0
