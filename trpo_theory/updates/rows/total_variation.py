"""Row problems under TV(old, p): mass moves from the worst actions to a best one, a fractional knapsack.

Moving a unit of mass from action a gains d(a) and costs one unit of TV, so that the actions of largest d go first; the
multiplier is the d of the action at the margin.
"""

from __future__ import annotations

import numpy as np

from trpo_theory.updates.rows.rows import Rows, Solved


def at_radius(rows: Rows, radius: np.ndarray, guess: np.ndarray | None = None) -> Solved:
    """Maximise Σ p A subject to TV(old, p) ≤ radius, (N,), in closed form."""
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


def at_multiplier(rows: Rows, multiplier: np.ndarray, guess: np.ndarray | None = None) -> Solved:
    """Maximise Σ p A − λ TV(old, p): every action with d > λ is left."""
    return _solved(rows, np.where(rows.scale * rows.deficit > multiplier, rows.old, 0.0), multiplier)


def _solved(rows: Rows, moved: np.ndarray, multiplier: np.ndarray) -> Solved:
    change = -moved
    columns = np.arange(moved.shape[1])
    best = np.where(rows.old > 0, rows.deficit, np.inf).argmin(0)
    target = np.where(rows.outside >= 0, rows.outside, best)
    divergence = moved.sum(0)
    change[target, columns] += divergence
    gain = rows.scale * (moved * rows.deficit).sum(0)
    none = np.zeros(divergence.shape)
    return Solved(change, np.maximum(rows.old + change, 0.0), divergence, gain, multiplier, none, none)
