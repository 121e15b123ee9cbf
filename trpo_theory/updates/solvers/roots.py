"""Roots of decreasing functions, one an instance, for the multiplier or the radius that rows share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_OUTER_STEPS = 200
"""Of Newton in a bracket for the multiplier or radius that rows share: some 10 are needed, bisection of the whole bracket
takes 60; chosen far above both."""

LEAP = 4.0
"""Times Newton's step where it creeps towards a side that has no bound yet: chosen."""

_PROBE = 6
"""Steps after which those that creep down look at the low end itself, once: they end there if their root is below it. Chosen,
where Newton is done with most others."""


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
    last, probed = np.full(start.shape, np.inf), np.zeros(start.shape, dtype=bool)
    for count in range(_OUTER_STEPS):
        if not going.any():
            break
        value, slope, settled = function(x, going)
        if (settled | ~going).all():
            break
        lower, upper = np.where(going & (value > 0), x, lower), np.where(going & (value <= 0), x, upper)
        slow = np.abs(value) > 0.5 * last  # as where every root stands on its floor: Newton would creep
        last = np.abs(value)
        unbounded = (lower == low) | (upper == high)
        with np.errstate(all="ignore"):
            guess = x - np.where(slow & unbounded, LEAP, 1.0) * (value / slope)
        guess = np.where((guess > lower) & (guess < upper) & (unbounded | ~slow), guess, 0.5 * (lower + upper))
        if count >= _PROBE:
            probe = slow & (lower == low) & ~probed
            guess, probed = np.where(probe, low, guess), probed | probe
        going &= ~settled & (np.abs(guess - x) > 4e-16 * np.maximum(np.abs(x), 1.0))
        x = np.where(going, guess, x)
    return x
