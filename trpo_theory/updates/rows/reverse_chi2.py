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
from typing import Any

import numpy as np

from trpo_theory.updates.rows.conic import ConicRows
from trpo_theory.updates.rows.divergence import RowDivergence
from trpo_theory.updates.rows.rows import Rows, Solved

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
        moving = (rows.scale > 0) & (radius > 0)
        sums = _sums(rows)
        part = sums.first(sums.staying_at_radius(radius))
        size = np.clip(np.sqrt(np.maximum(radius - part.corner, 0.0)), *part.between())
        with np.errstate(all="ignore"):
            multiplier = np.where(part.spread > 0, 0.5 * rows.scale * (part.spread / size), 0.0)
        return _solved(rows, sums, part, size, multiplier, moving)

    def at_multiplier(self, rows: Rows, multiplier: np.ndarray, guess: np.ndarray | None = None) -> Solved:
        """Maximise Σ p A − λ χ²(p‖old) for multipliers λ > 0, (N,), in closed form, so that guess does not matter."""
        moving = (rows.scale > 0) & (multiplier > 0) & np.isfinite(multiplier)
        with np.errstate(over="ignore"):
            t = np.minimum(0.5 * rows.scale / np.where(moving, multiplier, 1.0), _LARGEST)
        sums = _sums(rows)
        part = sums.first(sums.staying_at_slope(t))
        return _solved(rows, sums, part, t * part.spread, multiplier, moving)

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


@dataclass(frozen=True, eq=False)
class Part:
    """The actions that stay, the first few, (N,).

    Attributes:
        last: the last of them, in the order of d.
        mass, lost: m and q.
        spread: √V.
        corner: q M/m, the χ² of losing q alone.
        enter, leave: the t at which the first one that is lost has been lost, and at which the last that stays will be.
        rest_gain: Σ old (d − μ) of the ones that are lost.
    """

    last: np.ndarray
    mass: np.ndarray
    lost: np.ndarray
    spread: np.ndarray
    corner: np.ndarray
    enter: np.ndarray
    leave: np.ndarray
    rest_gain: np.ndarray

    def between(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the largest t √V."""
        return self.spread * self.enter, np.where(self.spread > 0, self.spread, 1.0) * self.leave


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over the actions in the order of d, (A, N).

    Attributes:
        order: the actions in the order of d.
        old, gap: in that order; gap is d less that of the action before.
        total: M, (N,).
        mass, rest: Σ old of the actions up to this one, and after it.
        turn: T.
        spread: √V of the actions up to this one.
    """

    order: np.ndarray
    old: np.ndarray
    gap: np.ndarray
    total: np.ndarray
    mass: np.ndarray
    rest: np.ndarray
    turn: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, rows: Rows) -> Sums:
        """Of rows. T grows by m times the gap, and V by old m/(m + old) (T/m)², m that of the actions before."""
        order = np.argsort(rows.deficit, axis=0, kind="stable")
        old, deficit = (np.take_along_axis(part, order, 0) for part in (rows.old, rows.deficit))
        gap = np.diff(deficit, axis=0, prepend=deficit[:1])
        mass = np.cumsum(old, axis=0)
        before = np.concatenate([mass[:1], mass[:-1]])
        turn = np.cumsum(before * gap, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            grown = np.where(turn > 0, np.sqrt(old * (before / mass)) * (turn / before), 0.0)
        return cls(order, old, gap, mass[-1], mass, _after(old), turn, np.hypot.accumulate(grown, axis=0))

    def staying_at_slope(self, t: np.ndarray) -> np.ndarray:
        """The last action that stays, (N,), at t: those with t T < M do."""
        return (self.turn[1:] * t < self.total).sum(0)

    def staying_at_radius(self, radius: np.ndarray) -> np.ndarray:
        """The last action that stays, (N,), within χ² ≤ radius: each does up to the χ² at which t T = M."""
        with np.errstate(all="ignore"):
            size = np.where(self.turn[1:] > 0, self.spread[:-1] * (self.total / self.turn[1:]), np.inf)
            lost_at = self.total * (self.rest[:-1] / self.mass[:-1]) + size * size
        return np.logical_and.accumulate(lost_at > radius, axis=0).sum(0)

    def first(self, last: np.ndarray) -> Part:
        """The part of the actions up to `last`, (N,)."""
        columns = np.arange(len(last))
        after = np.minimum(last + 1, len(self.old) - 1)
        some_lost = after > last
        mass, lost, turn = self.mass[last, columns], self.rest[last, columns], self.turn[after, columns]
        with np.errstate(all="ignore"):
            corner = np.where(some_lost, lost * (self.total / mass), 0.0)
            enter = np.where(some_lost, self.total / turn, 0.0)
            leave = self.total / self.turn[last, columns]
            beyond = np.arange(len(self.old))[:, None] > after
            further = np.cumsum(np.where(beyond, self.gap, 0.0), axis=0)
            over = lost * (turn / mass) + np.where(beyond, self.old * further, 0.0).sum(0)
        return Part(last, mass, lost, self.spread[last, columns], corner, enter, leave, np.where(some_lost, over, 0.0))

    def lean(self, part: Part) -> np.ndarray:
        """m (μ − d) of the actions that stay, (A, N): Σ old (d_j − d) over those after less T, those before."""
        stays = np.arange(len(self.old))[:, None] <= part.last
        return _after(_after(np.where(stays, self.old, 0.0), shift=0) * self.gap) - self.turn


def _after(values: np.ndarray, shift: int = 1) -> np.ndarray:
    """Σ of the entries after each one, along axis 0; with shift = 0 from each one on."""
    sums = np.cumsum(values[::-1], axis=0)[::-1]
    return np.concatenate([sums[1:], np.zeros_like(sums[:1])]) if shift else sums


def _solved(rows: Rows, sums: Sums, part: Part, size: np.ndarray, multiplier: np.ndarray, moving: np.ndarray) -> Solved:
    """At size = t √V."""
    stays = np.arange(len(sums.old))[:, None] <= part.last
    pushed = size * (sums.lean(part) / np.where(part.spread > 0, part.spread, 1.0))
    moved = np.where(stays, np.maximum(sums.old * ((part.lost + pushed) / part.mass), -sums.old), -sums.old)
    kept = np.where(stays, sums.old * np.maximum((sums.total + pushed) / part.mass, 0.0), 0.0)
    change, new = np.empty_like(rows.old), np.empty_like(rows.old)
    np.put_along_axis(change, sums.order, np.where(moving, moved, 0.0), 0)
    np.put_along_axis(new, sums.order, np.where(moving, kept, sums.old), 0)
    rows.balance(change)
    parts = (
        part.corner + size * size,
        rows.scale * (size * part.spread + part.rest_gain),
        multiplier,
        2 * size * size,
    )
    chi2, gain, multiplier, slope = (np.where(moving, of_rows, 0.0) for of_rows in parts)
    return Solved(change, new, chi2, gain, multiplier, slope, np.zeros(size.shape))
