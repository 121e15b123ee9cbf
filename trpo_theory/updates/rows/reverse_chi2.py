# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# CVXPY has no stubs.
"""Row problems under χ²(p‖old) = Σ (p − old)²/old: a projection, in closed form from sums over sorted actions.

With d(a) = max A − A(a) over old's support (p may not leave it), M = Σ old and t = 1/(2λ), actions in the order of d:
    p/old = (1 + t (b − d))⁺,   M = Σ p for the b,   an action k stays until t T_k = M,   T_k = Σ_{j<k} old_j (d_k − d_j).
The ones that stay are therefore the first few, with mass m, mean μ and V = Σ old (d − μ)² over them, and q = M − m is lost:
    p/old − 1 = q/m + t (μ − d),   χ² = q M/m + t² V,   gain = t V + Σ_lost old (d − μ).
Both t → χ² and its inverse are explicit once the first few are known; each sum has terms of one sign, so that nothing cancels.
Proofs: docs/theory.md, "One row under chi-square".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from trpo_theory.updates.rows.conic import ConicRows
from trpo_theory.updates.rows.divergence import RowDivergence
from trpo_theory.updates.rows.rows import Rows, Solved, Spent

_RARE = float(np.finfo(np.float64).tiny)
"""The least normal float: old's probabilities below it have lost digits, and are left as rare as they are."""

_LARGEST = 1e290
"""The largest t·scale, chosen 18 decades inside floats, for its products: all but the best actions are lost there."""


class ReverseChi2(RowDivergence):
    """χ²(new‖old), Pearson's: new may not leave old's support."""

    stem = "chi2"
    reverse = True
    unit = "chi-square"
    keeps_support = True
    curvature: ClassVar[float] = 2.0

    def measure(self, old: np.ndarray, new: np.ndarray, change: np.ndarray) -> np.ndarray:
        """Σ change²/old, and ∞ where new > 0 = old."""
        taken = old > 0
        ratio = change / np.where(taken, old, 1.0)
        return np.where(taken, change * ratio, np.where(new > 0, np.inf, 0.0)).sum(0)

    def rows(self, old: np.ndarray, advantage: np.ndarray, available: np.ndarray) -> Rows:
        """Only old's own actions count: those of denormal probability are left as rare as they are."""
        return SortedRows.of(old, advantage, available & (old > _RARE), rare=_RARE)

    def at_radius(self, rows: Rows, radius: np.ndarray, guess: np.ndarray | None = None) -> Solved:
        """Maximise Σ p A subject to χ²(p‖old) ≤ radius, (N,), in closed form, so that guess does not matter."""
        sums = _sums(rows)
        part = sums.first(sums.staying_at_radius(radius))
        size = np.clip(np.sqrt(np.maximum(radius - part.corner, 0.0)), *part.between())
        with np.errstate(all="ignore"):
            multiplier = np.where(part.spread > 0, 0.5 * rows.scale * (part.spread / size), 0.0)
        return _solved(rows, sums, part, size, multiplier, (rows.scale > 0) & (radius > 0))

    def at_multiplier(self, rows: Rows, multiplier: np.ndarray, guess: np.ndarray | None = None) -> Solved:
        """Maximise Σ p A − λ χ²(p‖old) for multipliers λ > 0, (N,), in closed form, so that guess does not matter."""
        sums, moving = _sums(rows), _moving(rows, multiplier)
        t = _inverse(rows, multiplier, moving)
        part = sums.first(sums.staying_at_slope(t))
        return _solved(rows, sums, part, t * part.spread, multiplier, moving)

    def spent_at(self, rows: Rows, multiplier: np.ndarray, guess: np.ndarray | None = None) -> Spent:
        """Without the rows themselves."""
        sums, moving = _sums(rows), _moving(rows, multiplier)
        t = _inverse(rows, multiplier, moving)
        part = sums.first(sums.staying_at_slope(t))
        return _spent(rows, part, t * part.spread, multiplier, moving)

    def step_at(self, radius: float) -> float:
        """χ² = Σ old x²."""
        return float(np.sqrt(radius))

    def reach(self, radius: np.ndarray) -> np.ndarray:
        """Σ|p − old| ≤ √χ² by Cauchy-Schwarz, and never above 2."""
        return np.minimum(np.sqrt(radius), 2.0)

    def conic(self, block: ConicRows, x: Any) -> Any:
        """Σ old (new/old − 1)², a second-order cone a row."""
        import cvxpy as cp

        weight = np.where(block.old > 0, np.sqrt(block.old / block.radius) * block.step, 0.0)
        return cp.square(cp.norm(cp.multiply(weight, x), 2, axis=1))


REVERSE_CHI2: RowDivergence = ReverseChi2()
"""The one instance."""


class SortedRows(Rows):
    """Rows with the sums over their actions in the order of d, made when they are first needed."""

    @cached_property
    def sums(self) -> Sums:
        """Those sums."""
        return Sums.of(self)


def _sums(rows: Rows) -> Sums:
    return rows.sums if isinstance(rows, SortedRows) else Sums.of(rows)


def _moving(rows: Rows, multiplier: np.ndarray) -> np.ndarray:
    """Where λ is one at which old is left."""
    return (rows.scale > 0) & (multiplier > 0) & np.isfinite(multiplier)


def _inverse(rows: Rows, multiplier: np.ndarray, moving: np.ndarray) -> np.ndarray:
    """t = scale/(2λ), (N,)."""
    with np.errstate(over="ignore"):
        return np.minimum(0.5 * rows.scale / np.where(moving, multiplier, 1.0), _LARGEST)


@dataclass(frozen=True, eq=False)
class Part:
    """The actions that stay, the first few, (N,).

    Attributes:
        sums: of the rows.
        last: the last of the actions that stay, in the order of d.
        spread: √V.
        corner: q M/m, the χ² of losing q alone.
        gain: Σ old (d − μ) of the ones that are lost.
    """

    sums: Sums
    last: np.ndarray
    spread: np.ndarray
    corner: np.ndarray
    gain: np.ndarray

    def between(self) -> tuple[np.ndarray, np.ndarray]:
        """The t √V between which just these actions stay: the next one is lost, and the last one is not."""
        turn = np.append(self.sums.turn, np.full_like(self.sums.turn[:1], np.inf), axis=0)
        columns = np.arange(len(self.last))
        with np.errstate(all="ignore"):
            low, high = (self.sums.total / turn[self.last + more, columns] for more in (1, 0))
        return self.spread * low, np.where(self.spread > 0, self.spread, 1.0) * high


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over the actions in the order of d, (A, N): what one has, if the actions up to it stay and the others are lost.

    Attributes:
        order: the actions in the order of d.
        old, gap: in that order; gap is d less that of the action before.
        total: M, (N,).
        mass, lost: m and q.
        turn: T.
        spread: √V.
        corner: q M/m.
        gain: Σ old (d − μ) of the actions that are lost.
    """

    order: np.ndarray
    old: np.ndarray
    gap: np.ndarray
    total: np.ndarray
    mass: np.ndarray
    lost: np.ndarray
    turn: np.ndarray
    spread: np.ndarray
    corner: np.ndarray
    gain: np.ndarray

    @classmethod
    def of(cls, rows: Rows) -> Sums:
        """Of rows. T grows by m times the gap, and V by old m/(m + old) (T/m)², m that of the actions before.

        The gain is q (d' − μ), m (d' − μ) = T' of the first action d' that is lost, and what the others lack of d'.
        """
        order = np.argsort(rows.deficit, axis=0, kind="stable")
        columns = np.arange(order.shape[1])
        old, deficit = rows.old[order, columns], rows.deficit[order, columns]
        gap = np.empty_like(deficit)
        np.subtract(deficit[1:], deficit[:-1], out=gap[1:])
        gap[:1] = 0.0
        mass, from_here = np.add.accumulate(old), np.add.accumulate(old[::-1])[::-1]
        lost, beyond, turn, grown = (np.zeros_like(old) for _ in range(4))
        lost[:-1] = from_here[1:]
        beyond[:-2] = np.add.accumulate((from_here * gap)[:1:-1])[::-1]
        turn[1:] = np.add.accumulate(mass[:-1] * gap[1:])
        with np.errstate(all="ignore"):
            grown[1:] = np.sqrt(old[1:] * (mass[:-1] / mass[1:])) * (turn[1:] / mass[:-1])
            corner = lost * (mass[-1] / mass)
            gain = beyond
            gain[:-1] += lost[:-1] * (turn[1:] / mass[:-1])
        return cls(order, old, gap, mass[-1], mass, lost, turn, np.hypot.accumulate(grown), corner, gain)

    def staying_at_slope(self, t: np.ndarray) -> np.ndarray:
        """The last action that stays, (N,), at t: those with t T < M do."""
        return (self.turn[1:] * t < self.total).sum(0)

    def staying_at_radius(self, radius: np.ndarray) -> np.ndarray:
        """The last action that stays, (N,), within χ² ≤ radius: each does up to the χ² at which t T = M."""
        with np.errstate(all="ignore"):
            size = np.where(self.turn[1:] > 0, self.spread[:-1] * (self.total / self.turn[1:]), np.inf)
            lost_at = self.corner[:-1] + size * size
        return np.logical_and.accumulate(lost_at > radius, axis=0).sum(0)

    def first(self, last: np.ndarray) -> Part:
        """The part of the actions up to `last`, (N,)."""
        columns = np.arange(len(last))
        return Part(self, last, self.spread[last, columns], self.corner[last, columns], self.gain[last, columns])

    def lean(self, stays: np.ndarray) -> np.ndarray:
        """m (μ − d) of the actions that stay, (A, N): Σ old (d_j − d) over those after less T, those before."""
        lean = -self.turn
        weighed = np.add.accumulate(np.where(stays, self.old, 0.0)[::-1])[::-1] * self.gap
        lean[:-1] += np.add.accumulate(weighed[:0:-1])[::-1]
        return lean


def _spent(rows: Rows, part: Part, size: np.ndarray, multiplier: np.ndarray, moving: np.ndarray) -> Spent:
    """At size = t √V."""
    parts = (part.corner + size * size, rows.scale * (size * part.spread + part.gain), multiplier, 2 * size * size)
    chi2, gain, multiplier, slope = (np.where(moving, of_rows, 0.0) for of_rows in parts)
    return Spent(chi2, gain, multiplier, slope, np.zeros(size.shape))


def _solved(rows: Rows, sums: Sums, part: Part, size: np.ndarray, multiplier: np.ndarray, moving: np.ndarray) -> Solved:
    """At size = t √V."""
    columns = np.arange(len(part.last))
    mass, lost = sums.mass[part.last, columns], sums.lost[part.last, columns]
    stays = np.arange(len(sums.old))[:, None] <= part.last
    pushed = size * (sums.lean(stays) / np.where(part.spread > 0, part.spread, 1.0))
    moved = np.where(stays, np.maximum(sums.old * ((lost + pushed) / mass), -sums.old), -sums.old)
    kept = np.where(stays, sums.old * np.maximum((sums.total + pushed) / mass, 0.0), 0.0)
    change, new = np.empty_like(rows.old), np.empty_like(rows.old)
    change[sums.order, columns] = np.where(moving, moved, 0.0)
    new[sums.order, columns] = np.where(moving, kept, sums.old)
    rows.balance(change)
    spent = _spent(rows, part, size, multiplier, moving)
    return Solved(change, new, spent.divergence, spent.gain, spent.multiplier, spent.slope, spent.state)
