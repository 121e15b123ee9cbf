"""Row problems under TV(old, p): mass moves from the worst actions to a best one, a fractional knapsack.

Moving a unit of mass from action a gains d(a) and costs one unit of TV, so that the actions of largest d go first; the
multiplier is the d of the action at the margin.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.updates.rows.conic import ConicRows
from trpo_theory.updates.rows.divergence import RowDivergence
from trpo_theory.updates.rows.rows import Rows, Solved


class TotalVariation(RowDivergence):
    """TV(old, new) = ½ Σ |new − old|."""

    stem = "tv"
    unit = "total variation"

    def measure(self, old: np.ndarray, new: np.ndarray, change: np.ndarray) -> np.ndarray:
        """½ Σ |change|."""
        return 0.5 * np.abs(change).sum(0)

    def rows(self, old: np.ndarray, advantage: np.ndarray, available: np.ndarray) -> Rows:
        """Old's support is where it is positive."""
        return Rows.of(old, advantage, available, rare=0.0)

    def at_radius(self, rows: Rows, radius: np.ndarray, guess: np.ndarray | None = None) -> Solved:
        """Maximise Σ p A subject to TV(old, p) ≤ radius, (N,), in closed form, so that guess does not matter."""
        order = np.argsort(-rows.deficit, axis=0, kind="stable")
        old = np.take_along_axis(rows.old, order, 0)
        worst_first = np.take_along_axis(rows.deficit, order, 0)
        before = np.cumsum(old, axis=0) - old
        moved_sorted = np.where(worst_first > 0, np.clip(radius - before, 0.0, old), 0.0)
        moved = np.zeros_like(rows.old)
        np.put_along_axis(moved, order, moved_sorted, 0)
        unfinished = (old > 0) & (moved_sorted < old) & (worst_first > 0)
        margin = np.where(unfinished, worst_first, 0.0).max(0)
        return _solved(rows, moved, rows.scale * margin)

    def at_multiplier(self, rows: Rows, multiplier: np.ndarray, guess: np.ndarray | None = None) -> Solved:
        """Maximise Σ p A − λ TV(old, p): every action with d > λ is left; guess does not matter."""
        return _solved(rows, np.where(rows.scale * rows.deficit > multiplier, rows.old, 0.0), multiplier)

    def step_at(self, radius: float) -> float:
        """TV = ½ Σ old |x|."""
        return 2 * radius

    def reach(self, radius: np.ndarray) -> np.ndarray:
        """Σ|p − old| = 2 TV."""
        return np.minimum(2 * radius, 2.0)

    def step_outside(self, step: float) -> float:
        """TV counts mass outside old's support as any other."""
        return step

    def conic(self, block: ConicRows, x: Any) -> Any:
        """½ ‖new − old‖₁."""
        import cvxpy as cp

        change = cp.multiply(block.unit / block.radius, x)
        return 0.5 * cp.norm1(change, axis=1)


TOTAL_VARIATION: RowDivergence = TotalVariation()
"""The one instance."""


def _solved(rows: Rows, moved: np.ndarray, multiplier: np.ndarray) -> Solved:
    change = -moved
    columns: np.ndarray = np.arange(int(moved.shape[1]))
    best = np.where(rows.old > 0, rows.deficit, np.inf).argmin(0)
    target = np.where(rows.outside >= 0, rows.outside, best)
    divergence = moved.sum(0)
    change[target, columns] += divergence
    gain = rows.scale * (moved * rows.deficit).sum(0)
    none = np.zeros(divergence.shape)
    return Solved(change, np.maximum(rows.old + change, 0.0), divergence, gain, multiplier, none, none)
