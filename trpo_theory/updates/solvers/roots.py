"""Roots of decreasing functions, one an instance, for the multiplier or the radius that rows share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_OUTER_STEPS = 200
"""Of Newton in a bracket for the multiplier or radius that rows share: some 10 are needed, bisection of the whole bracket
takes 60; chosen far above both."""


def decreasing_roots(
    function: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]],
    start: np.ndarray,
    moving: np.ndarray,
    low: float,
    high: float,
) -> np.ndarray:
    """Roots of decreasing functions, one an instance, by Newton in a bracket; function gives value, slope and accuracy."""
    lower, upper = np.full(start.shape, low), np.full(start.shape, high)
    x = np.clip(np.where(np.isfinite(start), start, 0.0), low, high)
    going = moving.copy()
    last = np.full(start.shape, np.inf)
    for _ in range(_OUTER_STEPS):
        if not going.any():
            break
        value, slope, settled = function(x, going)
        if (settled | ~going).all():
            break
        lower, upper = np.where(going & (value > 0), x, lower), np.where(going & (value <= 0), x, upper)
        with np.errstate(all="ignore"):
            guess = x - value / slope
        slow = np.abs(value) > 0.5 * last  # as where every root stands on its floor: Newton would creep
        last = np.abs(value)
        guess = np.where((guess > lower) & (guess < upper) & ~slow, guess, 0.5 * (lower + upper))
        going &= ~settled & (np.abs(guess - x) > 4e-16 * np.maximum(np.abs(x), 1.0))
        x = np.where(going, guess, x)
    return x
