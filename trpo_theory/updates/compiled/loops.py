"""Sums and ends of vectors, one entry after the other: array expressions take Numba seconds each to compile."""

from __future__ import annotations

import numpy as np

from trpo_theory.updates.compiled.jit import part


@part
def dot(left: np.ndarray, right: np.ndarray) -> float:
    """Σ left right."""
    summed = 0.0
    for i in range(len(left)):
        summed += left[i] * right[i]
    return summed


@part
def total(values: np.ndarray) -> float:
    """Their sum."""
    summed = 0.0
    for value in values:
        summed += value
    return summed


@part
def ends(values: np.ndarray) -> tuple[float, float]:
    """The least and the largest."""
    low, high = values[0], values[0]
    for value in values:
        low, high = min(low, value), max(high, value)
    return low, high


@part
def scaled(values: np.ndarray, factor: float) -> np.ndarray:
    """Each times a factor."""
    out = np.empty(len(values))
    for i in range(len(values)):
        out[i] = factor * values[i]
    return out
