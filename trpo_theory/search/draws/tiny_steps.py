"""Steps as small as TV 1e-12 whose size floats keep.

Of new = old + w (target − old), divided by its sum, floats keep w to 1e-16 only: of a step of 1e-12 four digits. Here all
probabilities are multiples of 2⁻⁵³, which floats add and subtract without error as long as sums stay below 1: rows sum to
exactly 1, and new − old, which sums to exactly 0, is the float that it is in exact arithmetic.
"""

from __future__ import annotations

import numpy as np

from trpo_theory.search.draws.rows import along_rows, largest_of, one_hot

GRID = 2.0**53
"""Probabilities are multiples of 1 over it: the spacing of floats below 1."""
_LOST = 1e-6
"""A change whose entries add up to more than this share of its size has lost digits. Chosen."""
_ROUNDING = 4 / GRID
"""Steps below it are what dividing a row by its sum leaves. Measured: at most 2 / GRID."""


def on_grid(rows: np.ndarray) -> np.ndarray:
    """The rows in multiples of the grid, their largest entry such that they sum to exactly 1."""
    rounded = np.rint(rows * GRID)
    return _with_sum(rounded, rows, GRID) / GRID


def exact_step(old: np.ndarray, change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """old and new = old + change, both on the grid.

    Args:
        old: rows of probabilities, (..., A).
        change: likewise, each row with sum 0 to rounding, no entry below −old but by rounding, and the largest entry of old
            not used up.
    """
    old = on_grid(old)
    steps = np.maximum(np.rint(change * GRID), -old * GRID)
    return old, old + _with_sum(steps, old, 0.0) / GRID


def tiny_made_exact(old: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same, but for the rows whose change has lost digits: those are put on the grid, where what it cannot hold is no step.

    Such as from (1, 0) to (1, 1e-30), which is half of the step in floats, since 1 is 1 − 1e-30.
    """
    change = new - old
    size = along_rows(np.maximum, np.abs(change))[..., 0]
    lost = (size > 0) & ((size < _ROUNDING) | (np.abs(along_rows(np.add, change)[..., 0]) > _LOST * size))
    (at,) = np.nonzero(lost.reshape(-1))
    if not len(at):
        return old, new
    old, new = old.copy(), new.copy()
    exact, moved = exact_step(*(rows.reshape(-1, rows.shape[-1]).take(at, 0) for rows in (old, change)))
    still = (size.reshape(-1)[at] < _ROUNDING)[:, None]
    for rows, found in ((old, exact), (new, np.where(still, exact, moved))):
        rows.reshape(-1, rows.shape[-1])[at] = found
    return old, new


def _with_sum(steps: np.ndarray, rows: np.ndarray, total: float) -> np.ndarray:
    """Whole numbers with this sum: the entry where the rows are largest is what the others leave."""
    largest = one_hot(largest_of(rows), rows.shape[-1])
    others = np.where(largest, 0.0, steps)
    return np.where(largest, total - along_rows(np.add, others), others)
