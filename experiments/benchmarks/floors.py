"""What compiled scalar code pays for (11)-(13): rows one after the other, no certificate, no checks, nothing that is rare.

Every action is taken by old and every row can gain; KL is summed as x − log(1 + x), which is exact enough from 1e-4 nats on. It
is a floor of time, written to be compared with; `solution` says how far its steps are from those of `Dual`.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit  # of QuantEcon, in the extra [peers]

_STEPS, _RTOL = 60, 1e-13


@njit(cache=False)
def _point(old: np.ndarray, deficit: np.ndarray, u: float) -> tuple[float, float, float, float]:
    """m, V, KL and the gain of a row at u, in the notation of `updates/rows/forward_kl.py`."""
    m = w = 0.0
    for a in range(len(old)):
        z = 1.0 / (1.0 + deficit[a] / u)
        m += old[a] * z
        w += old[a] * z * deficit[a] / u
    v = kl = gain = 0.0
    for a in range(len(old)):
        y = deficit[a] / u
        x = (w - m * y) / (1.0 + y) / m
        v += old[a] * x * x
        kl += old[a] * (x - math.log1p(x))
        gain -= old[a] * x * deficit[a]
    return m, v, kl, gain


@njit(cache=False)
def _at_radius(old: np.ndarray, deficit: np.ndarray, radius: float) -> tuple[float, float, float]:
    """λ, its −dlog λ/dKL, and the gain."""
    mean = variance = 0.0
    for a in range(len(old)):
        mean += old[a] * deficit[a]
    for a in range(len(old)):
        variance += old[a] * (deficit[a] - mean) ** 2
    size = math.sqrt(variance / (2.0 * radius))
    u = size / (1.0 + mean / size)
    goal = math.log(math.expm1(radius))
    m, v, kl, gain = _point(old, deficit, u)
    for _ in range(_STEPS):
        if abs(kl - radius) <= _RTOL * radius:
            break
        u *= math.exp((math.log(math.expm1(kl)) - goal) * -math.expm1(-kl) / (m * v))
        m, v, kl, gain = _point(old, deficit, u)
    return u / m, (1.0 + v) / v, gain


@njit(cache=False)
def _at_multiplier(
    old: np.ndarray, deficit: np.ndarray, multiplier: float, start: float
) -> tuple[float, float, float, float]:
    """KL, its −d/dlog λ, the gain and u."""
    u = start
    m, v, kl, gain = _point(old, deficit, u)
    for _ in range(_STEPS):
        if abs(u / m - multiplier) <= _RTOL * multiplier:
            break
        u *= math.exp((math.log(multiplier) - math.log(u / m)) / (m * (1.0 + v)))
        m, v, kl, gain = _point(old, deficit, u)
    return kl, v / (1.0 + v), gain, u


@njit(cache=False)
def max_kl(old: np.ndarray, deficit: np.ndarray, rho: np.ndarray, delta: float) -> float:
    """The gain of (12); old and deficit are (S, A)."""
    total = 0.0
    for s in range(len(old)):
        total += rho[s] * _at_radius(old[s], deficit[s], delta)[2]
    return total


@njit(cache=False)
def penalty(old: np.ndarray, deficit: np.ndarray, rho: np.ndarray, coefficient: float) -> float:
    """The objective of (11): Newton on log t for Σ ρ λ(t) = C."""
    deviation = 0.0
    for s in range(len(old)):
        mean = variance = 0.0
        for a in range(old.shape[1]):
            mean += old[s, a] * deficit[s, a]
        for a in range(old.shape[1]):
            variance += old[s, a] * (deficit[s, a] - mean) ** 2
        deviation += rho[s] * math.sqrt(variance)
    radius, gained = 0.5 * (deviation / coefficient) ** 2, 0.0
    for _ in range(_STEPS):
        price = slope = gained = 0.0
        for s in range(len(old)):
            multiplier, steep, gain = _at_radius(old[s], deficit[s], radius)
            price += rho[s] * multiplier
            slope += rho[s] * multiplier * steep * radius
            gained += rho[s] * gain
        if abs(price - coefficient) <= _RTOL * coefficient:
            break
        radius *= math.exp(math.log(price / coefficient) * price / slope)
    return gained - coefficient * radius


@njit(cache=False)
def mean_kl(old: np.ndarray, deficit: np.ndarray, weight: np.ndarray, delta: float) -> float:
    """The gain of (13) times 1 − γ: Newton on log λ for Σ weight KL = δ, with weight = (1 − γ) ρ."""
    variance, roots = 0.0, np.empty(len(old))
    for s in range(len(old)):
        mean = 0.0
        for a in range(old.shape[1]):
            mean += old[s, a] * deficit[s, a]
        for a in range(old.shape[1]):
            variance += weight[s] * old[s, a] * (deficit[s, a] - mean) ** 2
        roots[s] = mean
    multiplier, gained = math.sqrt(variance / (2.0 * delta)), 0.0
    for s in range(len(old)):
        roots[s] = max(multiplier - roots[s], 1e-3 * multiplier)
    for _ in range(_STEPS):
        spent = slope = gained = 0.0
        for s in range(len(old)):
            kl, steep, gain, roots[s] = _at_multiplier(old[s], deficit[s], multiplier, roots[s])
            spent += weight[s] * kl
            slope += weight[s] * steep
            gained += weight[s] * gain
        if abs(spent - delta) <= _RTOL * delta:
            break
        multiplier *= math.exp(math.log(spent / delta) * spent / slope)
    return gained
