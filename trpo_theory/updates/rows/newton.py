"""Roots of the rows, one a row, by Newton in a bracket, for divergences whose rows have no closed form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

NEWTON_STEPS = 200
"""Bracketed Newton needs some 5 steps, and bisection of the bracket, its last resort, at most some 80 on a log scale:
chosen far above both, so that reaching it would be a defect and not a setting."""

NEWTON_RTOL = 1e-14
"""The relative accuracy of a root: some 50 roundings of a float, as many as the sums over actions have."""

LAST_STEP = 1e-8
"""A Newton step that is relatively as short is the last one: it leaves an error of its square times a factor that does not exceed
100, as sums over actions of rational or exponential functions of log u bend on the scale of 1."""

PATIENCE = 20
"""Newton's steps after which every second one halves the bracket. Chosen: twice what it needs otherwise."""

FEW = 64
"""Rows that are solved together to the end: chosen, where gathering those that are left costs more than solving all again."""

Step = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""At a point, (N,): whether the root is above it, Newton's next point, and whether it is the root itself to rounding."""


def newton_roots(
    step_of: Callable[[np.ndarray | None], Step],
    start: np.ndarray,
    low: np.ndarray | float,
    high: np.ndarray | float,
    *,
    last_step: float = LAST_STEP,
) -> np.ndarray:
    """Roots of functions of a positive number, (N,).

    Args:
        step_of: makes the step of some of the rows, by their indices; of all for None.
        start: where to begin; what is outside the bracket, or nan, is brought inside.
        low: the bracket's ends, (N,) or of all rows, positive, and
        high: likewise.
        last_step: a step that is relatively as short is the last one.
    """
    here = np.minimum(np.fmax(start, low), high)  # fmax: nan is none
    roots, some, step = here, None, step_of(None)
    done = np.zeros(here.shape, dtype=bool)
    for count in range(NEWTON_STEPS):
        up, guess, settled = step(here)
        low, high = np.where(up, here, low), np.where(up, high, here)
        inside = (guess >= low) & (guess <= high)
        if (
            count > PATIENCE and count % 2
        ):  # as where actions tie but for a rounding: Newton's steps would go to and fro
            inside &= False
        last = settled | (np.abs(guess - here) <= last_step * here)
        if not inside.all():
            narrow = high - low <= NEWTON_RTOL * low  # Newton's steps may all be outside by then
            last = settled | narrow | (inside & last)
            guess = np.where(inside, guess, np.sqrt(low) * np.sqrt(high))
        here = np.where(done | settled, here, guess)
        done |= last
        if done.all():
            break
        if len(done) > FEW:
            roots, some = _placed(roots, some, here), _left(some, done)
            here, low, high = here[~done], low[~done], high[~done]
            done, step = np.zeros(here.shape, dtype=bool), step_of(some)
    return _placed(roots, some, here)


def at_once(step: Step, start: np.ndarray) -> np.ndarray | None:
    """The roots, where one step from the start is the last one of every row; else None."""
    _, guess, settled = step(start)
    last = settled | (np.abs(guess - start) <= LAST_STEP * start)
    return np.where(settled, start, guess) if last.all() else None


def _left(some: np.ndarray | None, done: np.ndarray) -> np.ndarray:
    left = np.flatnonzero(~done)
    return left if some is None else some[left]


def _placed(roots: np.ndarray, some: np.ndarray | None, found: np.ndarray) -> np.ndarray:
    """The roots with those of some rows in their places."""
    if some is None:
        return found
    out = roots.copy()
    out[some] = found
    return out
