"""Penalties φ(t) that are convex in the divergence t: where they are, their slopes, and their conjugates sup_t Λ t − φ(t).

Only φ's values are used: slopes are differences, whose error moves a maximiser and hence its value to second
order only. Proofs: docs/theory.md, "Penalties that are not linear".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trpo_theory.updates.penalties import penalty_at
from trpo_theory.updates.problems import Penalty
from trpo_theory.updates.sharp_penalty import SteppedBound
from trpo_theory.updates.surrogate import Surrogate

LOG_RANGE = (-640.0, 10.0)
"""Logarithms of the divergences that are distinguished, 1e-278 to 2e4: below, floats end; above, every row has moved."""

_RADII = np.geomspace(1e-24, 600.0, 60)
"""At which a penalty's values must be convex: chosen, two or three a decade over all sizes that steps have."""

_ROUNDINGS = 8
"""Of a value of the penalty, in units of ε: what slopes between such values may fall by."""

_STEP = 1e-6
"""Of differences, relative: chosen, their rounding, 1e-10, is that of a maximiser's place, whose value it moves by 1e-20."""

_SHARES = np.arange(1, 64) / 64
"""Of an interval at whose points slopes are compared with Λ: chosen, as many as cost about as much as one."""

_ROUNDS = 7
"""Of such intervals: LOG_RANGE, which is 650 wide, down to 1e-10."""

_STEPS = 200
"""Of a bracket's secants, each third of which halves it: chosen above what halving alone takes."""

_RTOL = 1e-9
"""Relative accuracy of the slopes' equality: ten times the rounding of differences; values depend on its square."""


def is_convex(surrogate: Surrogate, problem: Penalty) -> bool:
    """Whether φ is 0 at 0 and convex, as its values at radii of all sizes tell."""
    if isinstance(problem.bound, SteppedBound) or problem.coupled:
        return False
    radii = np.concatenate([[0.0], _RADII])[:, None]
    values = penalty_at(surrogate, problem, radii)
    with np.errstate(invalid="ignore"):
        slopes = np.diff(values, axis=0) / np.diff(radii, axis=0)
        noise = _ROUNDINGS * np.finfo(np.float64).eps * np.abs(values[1:]) / np.diff(radii, axis=0)
        rising = (slopes[1:] + noise[1:] + noise[:-1] >= slopes[:-1]) | np.isinf(values[2:])
    return bool(rising.all() and (values[0] == 0).all())


def slope_at(surrogate: Surrogate, problem: Penalty, radius: np.ndarray) -> np.ndarray:
    """φ′ at radii t > 0, (..., B); ∞ beyond the radii at which φ is finite."""
    below, above = penalty_at(surrogate, problem, np.stack([radius * (1 - _STEP), radius * (1 + _STEP)]))
    with np.errstate(invalid="ignore"):
        slope = (above - below) / (2 * _STEP * radius)
    return np.where(np.isfinite(above), slope, np.inf)


def conjugate(surrogate: Surrogate, problem: Penalty, price: np.ndarray) -> np.ndarray:
    """An upper bound on sup_t Λ t − φ(t), (B,), for a convex φ and Λ ≥ 0, (B,).

    h(t) = Λ t − φ(t) is concave: from a point m near its maximiser it rises by no more than its slope from the point before
    allows, up to the point after, at which it falls.
    """
    low, high = (np.full(price.shape, end) for end in LOG_RANGE)
    for _ in range(_ROUNDS):
        points = low + (high - low) * _SHARES[:, None]
        rising = (slope_at(surrogate, problem, np.exp(points)) < price).sum(0)
        low, high = (
            np.take_along_axis(ends, rising[None], 0)[0]
            for ends in (np.vstack([low, points]), np.vstack([points, high]))
        )
    radius = np.exp(low)
    near = radius * (1 + _STEP * np.array([-1.0, 0.0, 1.0])[:, None])
    before, at, after = price * near - penalty_at(surrogate, problem, near)
    with np.errstate(invalid="ignore"):
        rise = np.maximum(np.maximum(at - before, at - after), 0.0)
        rounding = _ROUNDINGS * np.finfo(np.float64).eps * price * radius
        bound = np.maximum(at, 0.0) + rise + rounding
    bound = np.where(np.isfinite(bound), bound, np.inf)
    return np.where((low == LOG_RANGE[0]) | (price == 0), 0.0, np.where(high == LOG_RANGE[1], np.inf, bound))


def crossing(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where decreasing functions, one an instance, cross 0 in [low, high], (B,): the last brackets' ends, and the best point.

    Secants of the bracket's ends, halving it in each third step. A function of one sign only is crossed at an end.
    """
    everywhere = np.ones(low.shape, dtype=bool)
    lower, upper = low.copy(), high.copy()
    at_lower, at_upper = function(lower, everywhere), function(upper, everywhere)
    going = (at_lower > 0) & (at_upper <= 0)
    lower, upper = np.where(at_upper > 0, upper, lower), np.where(at_lower > 0, upper, lower)
    best = lower.copy()
    for step in range(_STEPS):
        if not going.any():
            break
        middle = 0.5 * (lower + upper)
        with np.errstate(invalid="ignore", divide="ignore"):
            guess = (lower * at_upper - upper * at_lower) / (at_upper - at_lower)
        inside = np.isfinite(guess) & (guess > lower) & (guess < upper) & (step % 3 != 2)
        x = np.where(going, np.where(inside, guess, middle), best)
        value = function(x, going)
        right = value > 0
        lower, at_lower = np.where(going & right, x, lower), np.where(going & right, value, at_lower)
        upper, at_upper = np.where(going & ~right, x, upper), np.where(going & ~right, value, at_upper)
        best = np.where(going, x, best)
        closed = upper - lower <= 4e-16 * np.maximum(np.abs(x), 1.0)
        going &= ~closed & ~(np.abs(value) <= _RTOL)
    return lower, upper, best
