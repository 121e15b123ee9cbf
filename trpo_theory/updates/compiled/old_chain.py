"""A and ρ of old and their errors, as `data_error` says, for one dense discounted MDP."""

from __future__ import annotations

import numpy as np

from trpo_theory.updates.compiled.jit import entry, part
from trpo_theory.updates.compiled.loops import dot, ends, total
from trpo_theory.updates.data_error import PASSES, STEP


@part
def _centred(values: np.ndarray) -> np.ndarray:
    """Less the middle of their range."""
    low, high = ends(values)
    middle, out = low + 0.5 * (high - low), np.empty(len(values))
    for i in range(len(values)):
        out[i] = values[i] - middle
    return out


@part
def _in_steps(residual: float, rounding: float) -> float:
    """A bound on residual + rounding, in steps of the rounding, as there."""
    step = STEP * rounding
    return rounding + step * (np.floor(residual / (step if step > 0 else 1.0)) + 1)


@part
def _earning(reward: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """The reward less the middle of its range, 0 where it is not to be had."""
    low, high = np.inf, -np.inf
    states, actions = reward.shape
    for s in range(states):
        for a in range(actions):
            if usable[s, a]:
                low, high = min(low, reward[s, a]), max(high, reward[s, a])
    middle = low + 0.5 * (high - low)
    out = np.zeros((states, actions))
    for s in range(states):
        for a in range(actions):
            if usable[s, a]:
                out[s, a] = reward[s, a] - middle
    return out


@part
def _factors(kernel: np.ndarray) -> np.ndarray:
    """LU of (I − γP_π)ᵀ, both in one: without pivots, as its columns are dominant, so that what is 0 or positive stays so."""
    size = len(kernel)
    lu = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            lu[i, j] = (1.0 if i == j else 0.0) - kernel[j, i]
    for k in range(size):
        for i in range(k + 1, size):
            if lu[i, k] != 0:
                lu[i, k] /= lu[k, k]
                for j in range(k + 1, size):
                    lu[i, j] -= lu[i, k] * lu[k, j]
    return lu


@part
def _solve(lu: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(I − γP_π)⁻¹ right = L⁻ᵀ U⁻ᵀ right."""
    size, x = len(right), right.copy()
    for i in range(size):
        x[i] /= lu[i, i]
        for j in range(i + 1, size):
            x[j] -= lu[i, j] * x[i]
    for i in range(size - 1, -1, -1):
        for j in range(i):
            x[j] -= lu[i, j] * x[i]
    return x


@part
def _solve_transposed(lu: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(I − γP_πᵀ)⁻¹ right = U⁻¹ L⁻¹ right."""
    size, x = len(right), right.copy()
    for i in range(size):
        for j in range(i):
            x[i] -= lu[i, j] * x[j]
    for i in range(size - 1, -1, -1):
        for j in range(i + 1, size):
            x[i] -= lu[i, j] * x[j]
        x[i] /= lu[i, i]
    return x


@part
def _advantages(
    laws: np.ndarray, earning: np.ndarray, usable: np.ndarray, old: np.ndarray, factors: np.ndarray, unit: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """A (S, A), its error but for that of V, (S,), and the residual of V in steps; laws are γ P over its sums."""
    states, actions = old.shape
    earned, earned_size = np.zeros(states), 0.0
    for s in range(states):
        size = 0.0
        for a in range(actions):
            earned[s] += old[s, a] * earning[s, a]
            size += old[s, a] * abs(earning[s, a])
        earned_size = max(earned_size, size)
    h, passes = _centred(_solve(factors, earned)), PASSES
    moved, residual = np.zeros((states, actions)), np.zeros(states)
    while True:
        for s in range(states):
            for a in range(actions):
                moved[s, a] = dot(laws[s, a], h)
            residual[s] = earned[s] + dot(old[s], moved[s]) - h[s]
        (low, high), (least, most) = ends(h), ends(residual)
        size, span = max(-low, high), most - least
        rounding = 2 * unit * (2 * size + earned_size)
        if passes == 0 or not span >= STEP * rounding:
            break
        passes -= 1
        better = _solve(factors, _centred(residual))
        for s in range(states):
            better[s] += h[s]
        h = _centred(better)
    advantage, error = np.zeros((states, actions)), np.zeros(states)
    for s in range(states):
        mean = largest = 0.0
        for a in range(actions):
            mean += old[s, a] * (earning[s, a] + moved[s, a])
            largest = max(largest, abs(earning[s, a]))
        for a in range(actions):
            if usable[s, a]:
                advantage[s, a] = (earning[s, a] + moved[s, a]) - mean
        error[s] = unit * (2 * largest + 4 * size)
    return advantage, error, _in_steps(span, rounding)


@part
def _visits(
    laws: np.ndarray, old: np.ndarray, factors: np.ndarray, start: np.ndarray, unit: float
) -> tuple[np.ndarray, float]:
    """ρ, and its residual and rounding, summed over states."""
    states, actions = old.shape
    rho, passes = _solve_transposed(factors, start), PASSES
    for s in range(states):
        rho[s] = max(rho[s], 0.0)
    residual = np.zeros(states)
    while True:
        for to in range(states):
            residual[to] = 0.0
        for s in range(states):
            for a in range(actions):
                weight = old[s, a] * rho[s]
                for to in range(states):
                    residual[to] += weight * laws[s, a, to]
        left = 0.0
        for s in range(states):
            residual[s] = start[s] + residual[s] - rho[s]
            left += abs(residual[s])
        whole = unit * (2 * total(rho) + total(start))
        if passes == 0 or not left >= STEP * whole:
            return rho, _in_steps(left, whole)
        passes -= 1
        better = _solve_transposed(factors, residual)
        for s in range(states):
            rho[s] = max(rho[s] + better[s], 0.0) if rho[s] > 0 else 0.0


@entry(
    "(f8[:,:,:]; f8[:,:,:]; b1[:,:,:]; f8[:,:]; f8[:,:]; f8[:,:]; f8[:]; f8[:])",
    *("f8[:,:,:]", "f8[:,:]", "f8[:]", "b1[:,:]", "f8[:,:]", "f8", "f8", "f8"),
)
def chain_of_old(
    transition: np.ndarray,
    reward: np.ndarray,
    initial: np.ndarray,
    available: np.ndarray,
    policy: np.ndarray,
    gamma: float,
    complement: float,
    unit: float,
) -> tuple[np.ndarray, ...]:
    """What a `Surrogate` has of old, not finite where floats do not hold it.

    That is old, A, what is available (A, S, 1), ρ and the errors of A and ρ (S, 1), Σ|ρ − ρ*| and ε (1,).

    Args:
        transition: P, (S, A, S).
        reward: r, (S, A).
        initial: ρ₀, (S,).
        available: whether an action is available, (S, A).
        policy: old, (S, A).
        gamma: γ.
        complement: 1 − γ of the decimal.
        unit: `data_error.roundings`.
    """
    states, actions = reward.shape
    old, start = np.empty((states, actions)), np.empty(states)
    laws, kernel = np.zeros((states, actions, states)), np.zeros((states, states))
    whole = total(initial)
    for s in range(states):
        start[s] = initial[s] / whole
        taken = total(policy[s])
        for a in range(actions):
            old[s, a] = policy[s, a] / taken
            mass = total(transition[s, a])
            if available[s, a] and mass > 0:
                for to in range(states):
                    laws[s, a, to] = gamma * (transition[s, a, to] / mass)
                    kernel[s, to] += old[s, a] * laws[s, a, to]
    factors = _factors(kernel)
    advantage, error, in_value = _advantages(laws, _earning(reward, available), available, old, factors, unit)
    rho, in_visits = _visits(laws, old, factors, start, unit)
    missed, largest = in_visits / complement, 0.0
    rows, gains = np.empty((actions, states, 1)), np.empty((actions, states, 1))
    usable = np.empty((actions, states, 1), dtype=np.bool_)
    visits, errors, misses = np.empty((states, 1)), np.empty((states, 1)), np.empty((states, 1))
    for s in range(states):
        visits[s, 0], misses[s, 0] = rho[s], missed
        errors[s, 0] = error[s] + gamma * in_value / complement
        for a in range(actions):
            rows[a, s, 0], gains[a, s, 0], usable[a, s, 0] = policy[s, a], advantage[s, a], available[s, a]
            largest = max(largest, abs(advantage[s, a]))
    return rows, gains, usable, visits, errors, misses, np.array([missed]), np.array([largest])
