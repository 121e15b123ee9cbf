"""The upper bound that multipliers prove and what errors of A and ρ add, as `weak_duality` says, where old takes best actions."""

from __future__ import annotations

import numpy as np

from trpo_theory.updates.compiled.jit import entry, part
from trpo_theory.updates.compiled.loops import dot, ends, scaled, total
from trpo_theory.updates.compiled.row import at_multiplier, moments, point, usual
from trpo_theory.updates.compiled.steps import MAX, PENALTY, deficits
from trpo_theory.updates.rows.forward_kl import NEAR, NOTHING
from trpo_theory.updates.weak_duality import FAR, LARGEST_SHARE


@part
def _reach(radius: float) -> float:
    """The most Σ|p − old| within a radius, by Pinsker."""
    return min(np.sqrt(2 * radius), 2.0)


@part
def _dual(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray], multiplier: np.ndarray
) -> float:
    """Σ ρ v(λ).

    With e = λ m/(scale u) − 1, v is at most gain − λ KL + λ e² at any u near the root, and + λ e² V at the root but for rounding,
    where gain − λ KL is stationary: it is λ V/(1 + V) e²/2 below its most.
    """
    old, deficit, scale, mean, rho, roots = rows
    total = 0.0
    for g in range(len(rho)):
        if scale[g] == 0:
            continue
        if multiplier[g] == 0:
            total += rho[g] * (scale[g] * mean[g])
            continue
        target, u = multiplier[g] / scale[g], roots[g]
        m, v, kl, gain, _ = point(old, deficit, mean[g], g, u)
        square = (target * m / u - 1) ** 2
        value, off = scale[g] * gain - multiplier[g] * kl, multiplier[g] * square
        if not (off <= NOTHING * value and square <= NEAR):
            u = at_multiplier(old, deficit, mean[g], g, target, u)
            m, v, kl, gain, _ = point(old, deficit, mean[g], g, u)
            value, off = scale[g] * gain - multiplier[g] * kl, multiplier[g] * (target * m / u - 1) ** 2 * min(v, 1.0)
        total += rho[g] * (value + off)
    return total


@part
def _of_penalty(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    multiplier: np.ndarray,
    coefficient: float,
    greedy: float,
) -> float:
    """The upper bound of (11) at a coefficient: of multipliers that are scaled to it."""
    price = dot(rows[4], multiplier)
    factor = coefficient / price if price > coefficient else 1.0
    return min(_dual(rows, scaled(multiplier, factor)), greedy)


@part
def _error_of_penalised(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    multiplier: np.ndarray,
    coefficient: float,
    coefficient_error: float,
    greedy: float,
    upper: float,
    error: float,
) -> float:
    """What the errors of A, ρ and C add under a penalty of C max-KL; error is that of A and ρ, a unit of Σ|p − old|."""
    taken, apart, ratio = 0.0, 2.0, error / coefficient
    radius = max(max(upper, 0.0) / coefficient, 0.5 * (ratio / LARGEST_SHARE) ** 2)
    if radius < FAR:
        apart = np.sqrt(0.5 * radius)
        taken = ratio / np.sqrt(2 * radius) if ratio > 0 else 0.0
    share = max(1 - taken - coefficient_error, 0.0)
    return max(_of_penalty(rows, multiplier, share * coefficient, greedy) - upper, 0.0) + error * apart


@part
def _most_gain(
    old: np.ndarray,
    advantage: np.ndarray,
    available: np.ndarray,
    rho: np.ndarray,
    advantage_error: np.ndarray,
    rho_error: np.ndarray,
    sizes: np.ndarray,
) -> float:
    """The most that any policy gains on the MDP itself."""
    gain = 0.0
    for g in range(len(rho)):
        best, most = -np.inf, usual(old, g)
        error = rho[g] * advantage_error[g] + rho_error[g] * sizes[g]
        for a in range(len(old)):
            if available[a, g]:
                best = max(best, advantage[a, g])
        rest = 0.0
        for a in range(len(old)):
            rest += old[a, g] if a != most else 0.0
        slack = lacking = 0.0
        for a in range(len(old)):
            if not available[a, g]:
                continue
            lack = best - advantage[a, g]
            lacking += old[a, g] * lack
            slack = max(slack, 2 * error * (rest if a == most else 1 - old[a, g]) - rho[g] * lack)
        gain += rho[g] * lacking + slack
    return gain


@entry(
    "(f8; f8)",
    "i8",
    "f8[:,:]",
    "f8[:,:]",
    "b1[:,:]",
    "f8[:]",
    "f8",
    "f8",
    "f8",
    "f8[:]",
    "f8[:]",
    "f8",
    "f8[:]",
    "f8[:]",
)
def certificate(
    problem: int,
    old: np.ndarray,
    advantage: np.ndarray,
    available: np.ndarray,
    rho: np.ndarray,
    complement: float,
    size: float,
    size_error: float,
    advantage_error: np.ndarray,
    rho_error: np.ndarray,
    total_error: float,
    multiplier: np.ndarray,
    roots: np.ndarray,
) -> tuple[float, float]:
    """An upper bound for A and ρ as they stand, and what their errors add; nan where rows have no root here.

    Args:
        problem: as of `steps.answer`, and so those up to size.
        old: (A, G).
        advantage: (A, G).
        available: (A, G).
        rho: (G,).
        complement: 1 − γ.
        size: δ, or C.
        size_error: the relative error of C; else 0.
        advantage_error: max_a |A − A*|, (G,).
        rho_error: |ρ − ρ*|, (G,).
        total_error: Σ |ρ − ρ*|.
        multiplier: λ, (G,).
        roots: u near their roots, (G,).
    """
    deficit, scale, known = deficits(old, advantage, available, rho)
    if not known:
        return np.nan, np.nan
    mean, _, _ = moments(old, deficit)
    groups, greedy, moves, moved, share = len(rho), 0.0, 0.0, 0.0, 0.0
    sizes, missed = np.empty(groups), np.empty(groups)
    for g in range(groups):
        sizes[g] = 0.0
        for a in range(len(old)):
            sizes[g] = max(sizes[g], abs(advantage[a, g]) if available[a, g] else 0.0)
        sizes[g] += advantage_error[g]
        missed[g] = min(rho_error[g] / rho[g], 1.0) if rho[g] > 0 else 0.0
        greedy += rho[g] * scale[g] * mean[g]
        moves += rho[g] * advantage_error[g]
        moved += rho_error[g] * sizes[g]
        share = max(share, missed[g])
    largest = ends(sizes)[1]
    moved = min(total_error * largest, moved)
    rows = (old, deficit, scale, mean, rho, roots)
    if problem == MAX:
        upper = min(_dual(rows, multiplier) + dot(rho, multiplier) * size, greedy)
        within = (moves + moved) * _reach(size)
    elif problem == PENALTY:
        upper = _of_penalty(rows, multiplier, size, greedy)
        within = _error_of_penalised(rows, multiplier, size, size_error, greedy, upper, moves + moved)
    else:
        price, visits = ends(multiplier)[1], total(rho)
        charge, reach = price * size / complement, _reach(size / (complement * visits))
        within = min(2 * share * largest * visits * reach if share < 0.5 else np.inf, 2 * moved)
        together = 2 * total_error * largest
        in_total = together < share * charge + within
        shared = np.empty(groups)
        for g in range(groups):
            shared[g] = price if in_total else price * (1 - missed[g])
        upper = min(_dual(rows, shared) + charge, greedy)
        within = 2 * ends(advantage_error)[1] * visits * reach + (together if in_total else within)
    if greedy - upper >= within:
        return upper, within
    return upper, min(
        within, max(_most_gain(old, advantage, available, rho, advantage_error, rho_error, sizes) - upper, 0.0)
    )
