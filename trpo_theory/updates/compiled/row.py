"""One row problem under KL(old‖p), in the notation of `rows/forward_kl.py`: at u, at a radius, at a multiplier.

A row is a column g of old and of its deficits, both (A, G), with the moments of those.
"""

from __future__ import annotations

import numpy as np

from trpo_theory.numerics.divergence import ARTANH, SMALL
from trpo_theory.updates.compiled.jit import part
from trpo_theory.updates.rows.forward_kl import LARGEST, LAST_STEP, LEAST, SMALL_STEP, TURN
from trpo_theory.updates.rows.forward_kl_point import FAR, LEAST_NEW
from trpo_theory.updates.rows.newton import LAST_STEP as LAST_NEWTON
from trpo_theory.updates.rows.newton import NEWTON_RTOL, PATIENCE

_STEPS = 100
"""At most: some 5 are needed, and every second one halves the bracket after `PATIENCE`."""


@part
def x_minus_log(x: float, ratio: float) -> float:
    """x − log(1 + x), of ratio = 1 + x."""
    if abs(x) >= SMALL:
        return x - np.log(ratio)
    s = x / (2.0 + x)
    square = s * s
    series = 0.0
    for coefficient in ARTANH:
        series = series * square + coefficient
    return s * (x - 2.0 * square * series)


@part
def moments(old: np.ndarray, deficit: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Σ old d, Var(d) and E(d − Σ old d)³/Var(d) of each row, (G,)."""
    actions, groups = old.shape
    mean, variance, skew = np.zeros(groups), np.zeros(groups), np.zeros(groups)
    for a in range(actions):
        for g in range(groups):
            mean[g] += old[a, g] * deficit[a, g]
    for a in range(actions):
        for g in range(groups):
            away = deficit[a, g] - mean[g]
            variance[g] += old[a, g] * away**2
            skew[g] += old[a, g] * away**3
    for g in range(groups):
        skew[g] /= variance[g] if variance[g] > 0 else 1.0
    return mean, variance, skew


@part
def point(
    old: np.ndarray, deficit: np.ndarray, mean: float, g: int, u: float
) -> tuple[float, float, float, float, float]:
    """m, V, KL, the gain over scale, and Σ old x³."""
    m = w = 0.0
    for a in range(len(old)):
        y = deficit[a, g] / u
        part = old[a, g] / (1.0 + y)
        m += part
        w += part * y
    v = kl = gain = skew = 0.0
    for a in range(len(old)):
        y = deficit[a, g] / u
        ratio = 1.0 / ((1.0 + y) * m)
        x = (w - m * y) * ratio
        change = old[a, g] * x
        v += change * x
        skew += change * x * x
        gain -= change * (deficit[a, g] - mean)
        if ratio > FAR:
            kl += old[a, g] * x_minus_log(x, ratio)
        elif old[a, g] > 0:
            new = max(old[a, g] * ratio, min(old[a, g], LEAST_NEW))
            kl += change - old[a, g] * (np.log(new) - np.log(old[a, g]))
    return m, v, kl, gain, skew


@part
def usual(old: np.ndarray, g: int) -> int:
    """The action that old takes most often, the first of several."""
    most = 0
    for a in range(len(old)):
        if old[a, g] > old[most, g]:
            most = a
    return most


@part
def near_radius(mean: float, variance: float, skew: float, radius: float) -> float:
    """About the u of a radius, as `_near_root` there."""
    size = np.sqrt(variance / (2 * radius))
    near = size - mean - (2 / 3) * skew
    return near if near > SMALL_STEP * size else size / (1 + mean / size)


@part
def at_radius(old: np.ndarray, deficit: np.ndarray, mean: float, g: int, radius: float, start: float) -> float:
    """The u at which KL is the radius, by Halley's steps in a bracket; nan where they do not end."""
    low, high = LEAST, LARGEST
    goal = radius + np.log(-np.expm1(-radius))
    u = min(max(start, low), high)
    for count in range(_STEPS):
        m, v, kl, _, skew = point(old, deficit, mean, g, u)
        if abs(kl - radius) <= NEWTON_RTOL * radius:
            return u
        if kl > radius:
            low = u
        else:
            high = u
        below_one = -np.expm1(-kl)
        newton = (kl + np.log(below_one) - goal) * (below_one / (m * v))
        bend = 1 - m * (3 - v + 2 * skew / v) - (1 - 1 / below_one) * m * v
        guess = u * np.exp(newton / (1 + min(max(0.5 * newton * bend, -TURN), TURN)))
        if low <= guess <= high and not (count > PATIENCE and count % 2):
            if abs(guess - u) <= LAST_STEP * u:
                return guess
        elif high - low <= NEWTON_RTOL * low:
            return u
        else:
            guess = np.sqrt(low) * np.sqrt(high)
        u = guess
    return np.nan


@part
def at_multiplier(old: np.ndarray, deficit: np.ndarray, mean: float, g: int, target: float, start: float) -> float:
    """The u with u/m(u) = λ/scale, by Newton's steps in a bracket; nan where they do not end."""
    low, high = max((target - mean) * (1 - 1e-14), LEAST), max(target * (1 + 1e-14), LEAST)
    u = min(max(start, low), high)
    for count in range(_STEPS):
        m = slope = 0.0
        for a in range(len(old)):
            z = 1 / (1 + deficit[a, g] / u)
            m += old[a, g] * z
            slope += old[a, g] * z * z
        value = u / m
        if abs(value - target) <= NEWTON_RTOL * target:
            return u
        if value <= target:
            low = u
        else:
            high = u
        guess = u + (target - value) * m * m / slope
        if low <= guess <= high and not (count > PATIENCE and count % 2):
            if abs(guess - u) <= LAST_NEWTON * u:
                return guess
        elif high - low <= NEWTON_RTOL * low:
            return u
        else:
            guess = np.sqrt(low) * np.sqrt(high)
        u = guess
    return np.nan
