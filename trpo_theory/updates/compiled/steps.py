"""The maximisers of (12), (13) and (11), where old takes the best action of each row, as `solvers/dual.py` finds them."""

from __future__ import annotations

import numpy as np

from trpo_theory.updates.compiled.jit import entry, part
from trpo_theory.updates.compiled.loops import ends, scaled
from trpo_theory.updates.compiled.row import at_multiplier, at_radius, moments, near_radius, point, usual
from trpo_theory.updates.rows.forward_kl import RARE
from trpo_theory.updates.rows.forward_kl_point import LEAST_NEW
from trpo_theory.updates.solvers.roots import LEAP
from trpo_theory.updates.solvers.shared import LOG_MULTIPLIERS, RTOL

MAX, MEAN, PENALTY = 12, 13, 11
"""The problems, by their equations."""

_STEPS = 60
"""Of Newton's for what rows share, at most: some 5 are needed. Chosen, where a problem is left to NumPy."""
_LEAST_STEP = 4e-16
"""Of the logarithm of what rows share, where it is of the size of 1: where it ends, as there."""


@part
def deficits(
    old: np.ndarray, advantage: np.ndarray, available: np.ndarray, rho: np.ndarray
) -> tuple[np.ndarray, np.ndarray, bool]:
    """(max A − A)/scale, (A, G), scale, (G,), and whether the rows are known here, as `Rows.of`.

    The scale of rows that stay is 0: they are never visited, or gain nothing. Rows whose best action old never takes are unknown,
    and all if none moves.
    """
    actions, groups = old.shape
    deficit, scale, moves = np.zeros((actions, groups)), np.zeros(groups), False
    for g in range(groups):
        if not rho[g] > 0:
            continue
        best = taken = -np.inf
        for a in range(actions):
            if available[a, g]:
                best = max(best, advantage[a, g])
            if old[a, g] > RARE:
                taken = max(taken, advantage[a, g])
        if not taken >= best:
            return deficit, scale, False
        for a in range(actions):
            if old[a, g] > RARE:
                deficit[a, g] = best - advantage[a, g]
                scale[g] = max(scale[g], deficit[a, g])
        for a in range(actions):
            if scale[g] > 0:
                deficit[a, g] = deficit[a, g] / scale[g] if old[a, g] > RARE else 1.0
                moves = True
    return deficit, scale, moves


@part
def _guess(x: float, rise: float, low: float, high: float, slow: bool) -> float:
    """The next point of a search in a bracket, from Newton's step, as `solvers/roots.py`."""
    bounded = low > -LOG_MULTIPLIERS and high < LOG_MULTIPLIERS
    guess = x + (LEAP * rise if slow and not bounded else rise)
    if guess <= low == -LOG_MULTIPLIERS:
        return low
    return guess if low < guess < high and (not slow or not bounded) else 0.5 * (low + high)


@part
def _within_mean(
    old: np.ndarray,
    deficit: np.ndarray,
    scale: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    weight: np.ndarray,
    delta: float,
) -> tuple[np.ndarray, bool]:
    """The roots of rows at the λ at which Σ w KL = δ, by Newton's steps on log λ, and whether they ended."""
    groups, size, largest = len(scale), 0.0, ends(scale)[1]
    for g in range(groups):
        size += weight[g] * variance[g] * (scale[g] / largest) ** 2
    x = np.log(largest) + 0.5 * np.log(size / (2 * delta))
    roots, fall = np.ones(groups), np.zeros(groups)
    for g in range(groups):
        if scale[g] > 0:
            target = np.exp(x) / scale[g]
            roots[g] = target - mean[g] + variance[g] / target
    goal = delta + np.log(-np.expm1(-delta))
    low, high, last, spent, steepest = -LOG_MULTIPLIERS, LOG_MULTIPLIERS, np.inf, 0.0, 0
    for _ in range(_STEPS):
        spent = steep = most = 0.0
        for g in range(groups):
            if scale[g] == 0:
                continue
            roots[g] = at_multiplier(old, deficit, mean[g], g, np.exp(x) / scale[g], roots[g])
            m, v, kl, _, _ = point(old, deficit, mean[g], g, roots[g])
            spent += weight[g] * kl
            steep += weight[g] * (v / (1 + v))
            fall[g] = 1 / (m * (1 + v))
            if weight[g] * (v / (1 + v)) > most:
                most, steepest = weight[g] * (v / (1 + v)), g
        if abs(spent - delta) <= RTOL * delta or (x == -LOG_MULTIPLIERS and spent < delta):  # no policy spends it
            return roots, True
        if spent > delta:
            low = x
        else:
            high = x
        below_one = -np.expm1(-spent)
        value = spent + np.log(below_one) - goal
        guess = _guess(x, value * below_one / steep, low, high, abs(value) > 0.5 * last)
        last = abs(value)
        if not abs(guess - x) > _LEAST_STEP * max(abs(x), 1.0):
            break
        for g in range(groups):
            roots[g] *= np.exp((guess - x) * fall[g])
        x = guess
    else:
        return roots, False
    kl = point(old, deficit, mean[steepest], steepest, roots[steepest])[2]
    rest = kl + (delta - spent) / weight[steepest]  # finer than a float λ can express, as `_spend_the_rest` there
    if not (rest > 0 and x > 1 - LOG_MULTIPLIERS):
        return roots, False
    roots[steepest] = at_radius(old, deficit, mean[steepest], steepest, rest, roots[steepest])
    return roots, True


@part
def _penalised(
    old: np.ndarray,
    deficit: np.ndarray,
    scale: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    skew: np.ndarray,
    rho: np.ndarray,
    coefficient: float,
) -> tuple[np.ndarray, bool]:
    """The roots of rows at the radius t at which Σ ρ λ = C, by Newton's steps on log(eᵗ − 1), and whether they ended."""
    groups, deviation = len(scale), 0.0
    for g in range(groups):
        deviation += rho[g] * scale[g] * np.sqrt(variance[g])
    straight = 2 * np.log(deviation / coefficient) - np.log(2.0)
    radius = np.logaddexp(0.0, straight)
    roots, fall = np.ones(groups), np.zeros(groups)
    for g in range(groups):
        if scale[g] > 0:
            roots[g] = near_radius(mean[g], variance[g], skew[g], radius)
    low, high, last = -LOG_MULTIPLIERS, LOG_MULTIPLIERS, np.inf
    for _ in range(_STEPS):
        price = steep = 0.0
        below_one = -np.expm1(-radius)
        for g in range(groups):
            if scale[g] == 0:
                continue
            roots[g] = at_radius(old, deficit, mean[g], g, radius, roots[g])
            m, v, _, _, _ = point(old, deficit, mean[g], g, roots[g])
            share = rho[g] * (scale[g] * (roots[g] / m) / coefficient)  # not λ: over V it may be out of range
            price += share
            steep += share * (1 + v) / v
            fall[g] = below_one / (m * v)
        if abs(price - 1) <= RTOL:
            return roots, True
        if price > 1:
            low = straight
        else:
            high = straight
        value = np.log(price)
        guess = _guess(straight, value * price / (steep * below_one), low, high, abs(value) > 0.5 * last)
        last = abs(value)
        if not abs(guess - straight) > _LEAST_STEP * max(abs(straight), 1.0):
            return roots, True
        for g in range(groups):
            roots[g] *= np.exp((straight - guess) * fall[g])
        straight = guess
        radius = np.logaddexp(0.0, straight)
    return roots, False


@entry("(f8[:,:]; f8[:,:]; f8[:]; f8[:]; b1)", "i8", "f8[:,:]", "f8[:,:]", "b1[:,:]", "f8[:]", "f8", "f8")
def answer(
    problem: int,
    old: np.ndarray,
    advantage: np.ndarray,
    available: np.ndarray,
    rho: np.ndarray,
    complement: float,
    size: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, bool]:
    """new − old and new, (A, G), λ and u of the rows, (G,), and whether they were found.

    Args:
        problem: MAX, MEAN or PENALTY.
        old: (A, G), and so the next.
        advantage: A.
        available: whether an action is.
        rho: ρ, (G,).
        complement: 1 − γ.
        size: δ, or C.
    """
    actions, groups = old.shape
    deficit, scale, known = deficits(old, advantage, available, rho)
    if not known:
        return np.empty(old.shape), np.empty(old.shape), scale, scale, False
    mean, variance, skew = moments(old, deficit)
    change, new, multiplier = np.empty((actions, groups)), np.empty((actions, groups)), np.empty(groups)
    if problem == MAX:
        roots, ended = np.ones(groups), True
        for g in range(groups):
            if scale[g] > 0:
                start = near_radius(mean[g], variance[g], skew[g], size)
                roots[g] = at_radius(old, deficit, mean[g], g, size, start)
    elif problem == MEAN:
        roots, ended = _within_mean(old, deficit, scale, mean, variance, scaled(rho, complement), size)
    else:
        roots, ended = _penalised(old, deficit, scale, mean, variance, skew, rho, size)
    for g in range(groups):
        if scale[g] == 0:
            multiplier[g] = 0.0
            for a in range(actions):
                change[a, g], new[a, g] = 0.0, old[a, g]
            continue
        m, v, kl, _, _ = point(old, deficit, mean[g], g, roots[g])
        if not (ended and kl * v > 0):  # or nan
            return change, new, multiplier, roots, False
        multiplier[g] = scale[g] * (roots[g] / m)
        w = total = 0.0
        for a in range(actions):
            y = deficit[a, g] / roots[g]
            w += old[a, g] * y / (1 + y)
        for a in range(actions):
            y = deficit[a, g] / roots[g]
            ratio = 1 / ((1 + y) * m)
            change[a, g] = old[a, g] * ((w - m * y) * ratio)
            new[a, g] = max(old[a, g] * ratio, min(old[a, g], LEAST_NEW))
            total += change[a, g]
        change[usual(old, g), g] -= total
    return change, new, multiplier, roots, True
