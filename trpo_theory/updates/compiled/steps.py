"""The maximisers of (12), (13) and (11), of rows that are all ordinary, as `solvers/dual.py` finds them."""

from __future__ import annotations

import numpy as np

from trpo_theory.updates.compiled.jit import entry, part
from trpo_theory.updates.compiled.loops import ends, scaled
from trpo_theory.updates.compiled.row import at_multiplier, at_radius, moments, near_radius, point
from trpo_theory.updates.rows.forward_kl_point import FAR, LEAST_NEW
from trpo_theory.updates.solvers.shared import RTOL, TAIL_RTOL

MAX, MEAN, PENALTY = 12, 13, 11
"""The problems, by their equations."""

_STEPS = 40
"""Of Newton's for what rows share, at most: some 5 are needed. Chosen, where a problem is left to the search with a bracket."""
_LEAST_STEP = 4e-16
"""Of the logarithm of what rows share, where it is of the size of 1: where it ends, as there."""


@part
def deficits(old: np.ndarray, advantage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(max A − A)/scale, (A, G), and scale, (G,); 0 in a row in which all actions are as good."""
    actions, groups = old.shape
    deficit, scale = np.empty((actions, groups)), np.zeros(groups)
    for g in range(groups):
        best = advantage[0, g]
        for a in range(actions):
            best = max(best, advantage[a, g])
        for a in range(actions):
            deficit[a, g] = best - advantage[a, g]
            scale[g] = max(scale[g], deficit[a, g])
        for a in range(actions):
            deficit[a, g] /= scale[g]
    return deficit, scale


@part
def are_ordinary(old: np.ndarray, available: np.ndarray, rho: np.ndarray, scale: np.ndarray) -> bool:
    """Whether every row is visited, is taken all of by old, and can gain."""
    actions, groups = old.shape
    for g in range(groups):
        if not (rho[g] > 0 and scale[g] > 0):
            return False
        for a in range(actions):
            if not (available[a, g] and old[a, g] > FAR):
                return False
    return True


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
    multiplier = largest * np.sqrt(size / (2 * delta))
    roots, fall = np.empty(groups), np.empty(groups)
    for g in range(groups):
        target = multiplier / scale[g]
        roots[g] = target - mean[g] + variance[g] / target
    goal = delta + np.log(-np.expm1(-delta))
    low, high = 0.0, np.inf
    for _ in range(_STEPS):
        spent = steep = 0.0
        for g in range(groups):
            roots[g] = at_multiplier(old, deficit, mean[g], g, multiplier / scale[g], roots[g])
            m, v, kl, _, _ = point(old, deficit, mean[g], g, roots[g])
            spent += weight[g] * kl
            steep += weight[g] * (v / (1 + v))
            fall[g] = 1 / (m * (1 + v))
        if abs(spent - delta) <= RTOL * delta:
            return roots, True
        if spent > delta:
            low = multiplier
        else:
            high = multiplier
        below_one = -np.expm1(-spent)
        rise = (spent + np.log(below_one) - goal) * below_one / steep
        if abs(rise) <= _LEAST_STEP:
            return roots, abs(spent - delta) <= TAIL_RTOL * delta
        guess = multiplier * np.exp(rise)
        if not low < guess < high:
            break
        multiplier = guess
        for g in range(groups):
            roots[g] *= np.exp(rise * fall[g])
    return roots, False


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
    roots, fall = np.empty(groups), np.empty(groups)
    for g in range(groups):
        roots[g] = near_radius(mean[g], variance[g], skew[g], radius)
    low, high = -np.inf, np.inf
    for _ in range(_STEPS):
        price = steep = 0.0
        below_one = -np.expm1(-radius)
        for g in range(groups):
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
        rise = np.log(price) * price / (steep * below_one)
        if abs(rise) <= _LEAST_STEP * max(abs(straight), 1.0):
            return roots, True
        guess = straight + rise
        if not low < guess < high:
            break
        straight = guess
        radius = np.logaddexp(0.0, straight)
        for g in range(groups):
            roots[g] *= np.exp(-rise * fall[g])
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
    deficit, scale = deficits(old, advantage)
    if not are_ordinary(old, available, rho, scale):
        return np.empty(old.shape), np.empty(old.shape), scale, scale, False
    mean, variance, skew = moments(old, deficit)
    change, new, multiplier = np.empty((actions, groups)), np.empty((actions, groups)), np.empty(groups)
    if problem == MAX:
        roots, ended = np.empty(groups), True
        for g in range(groups):
            start = near_radius(mean[g], variance[g], skew[g], size)
            roots[g] = at_radius(old, deficit, mean[g], g, size, start)
    elif problem == MEAN:
        roots, ended = _within_mean(old, deficit, scale, mean, variance, scaled(rho, complement), size)
    else:
        roots, ended = _penalised(old, deficit, scale, mean, variance, skew, rho, size)
    for g in range(groups):
        m, v, kl, _, _ = point(old, deficit, mean[g], g, roots[g])
        if not (ended and kl * v > 0):  # or nan
            return change, new, multiplier, roots, False
        multiplier[g] = scale[g] * (roots[g] / m)
        w = total = 0.0
        for a in range(actions):
            y = deficit[a, g] / roots[g]
            w += old[a, g] * y / (1 + y)
        most = 0
        for a in range(actions):
            y = deficit[a, g] / roots[g]
            ratio = 1 / ((1 + y) * m)
            change[a, g] = old[a, g] * ((w - m * y) * ratio)
            new[a, g] = max(old[a, g] * ratio, min(old[a, g], LEAST_NEW))
            total += change[a, g]
            if old[a, g] > old[most, g]:
                most = a
        change[most, g] -= total
    return change, new, multiplier, roots, True
