# pyright: strict, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
# The arithmetic of formulas, and sparse matrices, are untyped.
"""The chain of old in a criterion's kernel as its errors see it: operators over exact row sums, and how errors grow at most.

| criterion | κ K | errors grow by at most |
|---|---|---|
| discounted | γ P | 1/(1 − γ) |
| episodic, or a horizon | γ P without what leads to an end | (I − κ K_π)⁻¹, state by state |
| average | P, relative to the gain | (I − K_π)⁻¹, K being P without the column of a state k that recurs, V(k) = 0 |

For the average: V − h = K_π (V − h) + e − (g − ĝ) with (V − h)(k) = 0 and |g − ĝ| ≤ d·|e|; d̂ − d = (f N 1) d − f N with
f = d̂ P_π − d̂ and N = (I − K_π)⁻¹. docs/theory.md, "Certificates".
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trpo_theory.entries.sparse import is_sparse, sp
from trpo_theory.errors import NotSolved, too_long
from trpo_theory.model.decimals import as_written
from trpo_theory.numerics.arithmetic import Resolvent
from trpo_theory.solve.criteria import AVERAGE, DISCOUNTED
from trpo_theory.solve.reachability import edges, recurrent
from trpo_theory.step.quantities import Quantities

_UNSOLVED = 0.5
"""Of an error: a residual above it tells nothing of what it grows to. Chosen: below, it grows to twice what is found at most."""
_ROUNDINGS = 64 * float(np.finfo(np.float64).eps)
"""Of a solution, which is what its residual may be: as of a sum of tens of terms. Chosen; runs are shorter than its inverse."""


@dataclass(frozen=True, eq=False)
class OldChain:
    """What `data_error` reads of the chain of old.

    Attributes:
        old: its rows over their sums, (S, A, *batch).
        usable: whether an action is available; None where all are.
        transition: K before κ and, of the average, before the gain is taken off, in the layout of P.
        sums: of the rows of P, by which those of K are divided.
        gamma: κ.
        levels: whether a constant in r or V changes no advantage.
        resolvent: (I − κ K_π)⁻¹ in floats.
        kernel_start: what its transpose is applied to, for ρ.
        start: of the flow ρ = start + κ K_πᵀ ρ; 0 of the average, whose ρ sums to 1.
        longest: 1/(1 − γ) of discounted returns, (*batch).
        growing: what errors grow by with other returns: the chain itself, or that without the column of k.
        recurrent: of the average, the states of the closed class.
        anchor: of the average, whether a state is k, (S, *batch).
    """

    q: Quantities
    old: np.ndarray
    usable: np.ndarray | None
    transition: Any
    sums: np.ndarray
    gamma: Any
    levels: bool
    resolvent: Resolvent
    kernel_start: np.ndarray
    start: np.ndarray
    longest: Any = None
    growing: OldChain | None = None
    recurrent: np.ndarray | None = None
    anchor: np.ndarray | None = None

    @property
    def is_sparse(self) -> bool:
        """Whether the MDP is."""
        return is_sparse(self.transition)

    def ahead(self, h: np.ndarray) -> np.ndarray:
        """κ Σ_s' K(s'|s,a) h(s'), (S, A, *batch)."""
        ahead = self.q.arithmetic.expect(self.transition, h) / self.sums
        return self.gamma * (ahead if self.usable is None else np.where(self.usable, ahead, 0.0))

    def onward(self, y: np.ndarray) -> np.ndarray:
        """κ Σ_{s,a} y(s) old(a|s) K(s'|s,a), (S, *batch)."""
        return self.gamma * self.q.arithmetic.push(self.transition, self.old * y[:, None] / self.sums)

    def grown(self, error: np.ndarray, *, of_visits: bool = False) -> np.ndarray:
        """A bound on (I − κ K_π)⁻¹ error, error ≥ 0, of a K without negative entries, (S, *batch): twice what floats find.

        Raises:
            NotSolved: where they do not find it to half of the error.
        """
        solve = self.resolvent.solve_transposed if of_visits else self.resolvent.solve
        found = np.maximum(solve(error), 0.0)
        back = self.onward(found) if of_visits else (self.old * self.ahead(found)).sum(1)
        if not (np.abs(error + back - found) <= _UNSOLVED * error + _ROUNDINGS * found).all():
            raise too_long()
        return 2 * found

    def visits(self, rho: np.ndarray, batch: tuple[int, ...]) -> np.ndarray:
        """A solution for ρ, none of it below 0; of the average 0 for states that are left for good, and of sum 1."""
        if rho.shape[1:] != batch:
            rho = np.broadcast_to(rho, (len(rho), *np.broadcast_shapes(rho.shape[1:], batch)))
        rho = np.maximum(rho, 0.0)
        if self.recurrent is None:
            return rho
        rho = np.where(self.recurrent, rho, 0.0)
        return rho / rho.sum(0)


def complement(gamma: np.ndarray) -> np.ndarray:
    """1 − γ of the decimals that γ is written as, to the last digit: 1 − 0.999999999999 is 1e-12."""
    if gamma.size == 1:
        return np.full(gamma.shape, _one_less(gamma.item()))
    values, inverse = np.unique(gamma, return_inverse=True)
    exact = np.array([_one_less(value) for value in values.tolist()])
    return exact[inverse].reshape(gamma.shape)


@functools.lru_cache(maxsize=1024)
def _one_less(gamma: float) -> float:
    return float(1 - as_written(gamma))


def old_chain(q: Quantities) -> OldChain:
    """Of the old policy.

    Raises:
        NotSolved: where runs are so long that floats tell nothing of them.
    """
    kernel = q._kernel  # pyright: ignore[reportPrivateUsage]
    resolvent = q._old.resolvent  # pyright: ignore[reportPrivateUsage]
    usable = None if q._all_available else np.asarray(q.available)  # pyright: ignore[reportPrivateUsage]
    sums = q.expect(np.ones((q.states, *q.batch_shape)))
    if usable is not None or not sums.min() > 0:
        sums = np.where((sums > 0) & (True if usable is None else usable), sums, 1.0)
    old = q.old / q.old.sum(1, keepdims=True)
    start = kernel.start / q.initial.sum(0)
    parts: dict[str, Any] = {"usable": usable, "sums": sums, "old": old, "resolvent": resolvent, "gamma": kernel.gamma}
    parts |= {"kernel_start": kernel.start, "start": start, "levels": kernel.levels}
    if q.criterion is DISCOUNTED:
        longest = 1 / complement(np.asarray(q.gamma, dtype=float))
        return OldChain(q, transition=q.transition, **parts, longest=longest)
    if q.criterion is not AVERAGE:
        chain = OldChain(q, transition=kernel.transition, **parts)
        return replace(chain, growing=_solvable(chain))
    closed = recurrent(edges(q.transition, q.old))
    rho = np.where(closed, q.visitation_old, -np.inf)
    anchor = np.arange(len(rho)).reshape(-1, *(1,) * (rho.ndim - 1)) == rho.argmax(0)
    if is_sparse(q.transition):
        taboo: Any = sp.csr_array(q.transition @ sp.diags_array(np.where(anchor, 0.0, 1.0)))
    else:
        taboo = np.where(anchor[None, None], 0.0, q.transition)
    solved: dict[str, Any] = {"resolvent": q.arithmetic.resolvent(taboo, old, 1.0)}
    growing = _solvable(OldChain(q, transition=taboo, **parts | solved))
    parts["start"] = 0 * start
    return OldChain(q, transition=q.transition, **parts, growing=growing, recurrent=closed, anchor=anchor)


def _solvable(chain: OldChain) -> OldChain:
    """The chain, of a K without negative entries, where floats tell the expected length of its runs.

    Raises:
        NotSolved: where they do not.
    """
    ones = np.ones((chain.q.states, *chain.q.batch_shape))
    try:
        chain.grown(ones)
    except (NotSolved, np.linalg.LinAlgError):
        raise too_long() from None
    return chain
