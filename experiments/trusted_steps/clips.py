"""How large a certified step is when only the discount and the coefficient of variation of Ā are known.

With CV = sd(Ā)/mean(Ā), the same at all times, a step with max_s χ²(new‖old) ≤ c does not lower the return if
    c < (1 − γ)/(γ (1 + CV²))                              by chi2/expected-advantage,
    CV Σ_t γᵗ √((1 + c)ᵗ − 1) < Σ_t γᵗ                     by chi2/time-resolved,
and a clip |new/old − 1| ≤ e, as a constraint, has c ≤ e². docs/theory.md, "Time by time" and "Clips and caps".
"""

from __future__ import annotations

import math

import numpy as np

_BEYOND = 1e-14
"""The discount from which on times are left out of a sum of float64. Chosen: a hundred roundings."""

_HALVINGS = 100
"""Chosen: the bracket of log c is below the last digit after 60."""


def pooled(gamma: float, cv: float) -> float:
    """The largest χ² that chi2/expected-advantage certifies; 0 for γ = 1, where it says nothing."""
    return (1 - gamma) / (gamma * (1 + cv**2))


def by_time(gamma: float, cv: float, horizon: int | None = None) -> float:
    """The largest χ² that chi2/time-resolved certifies, over `horizon` times, or all of them.

    Args:
        gamma: the discount; 1 with a horizon only.
        cv: of Ā under the law of each time.
        horizon: how many times there are.
    """
    low, high = -40.0, math.log(gamma**-2 - 1) if horizon is None else 20.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _certified(math.exp(middle), gamma, cv, horizon) else (low, middle)
    return math.exp(low)


def _certified(c: float, gamma: float, cv: float, horizon: int | None) -> bool:
    """Whether CV Σ_t γᵗ √((1 + c)ᵗ − 1) < Σ_t γᵗ, the terms decaying as (γ √(1 + c))ᵗ."""
    log_decay = math.log(gamma) + math.log1p(c) / 2
    if horizon is None and log_decay >= 0:
        return False
    times = np.arange(horizon if horizon is not None else _times(log_decay))
    total = len(times) if gamma == 1 else -math.expm1(len(times) * math.log(gamma)) / (1 - gamma)
    growth = np.minimum(times * math.log1p(c), 1400.0)  # √ of its exponential is a float up to there
    roots = np.exp(growth / 2) * np.sqrt(-np.expm1(-growth))
    return cv * float(gamma**times @ roots) < (total if horizon is not None else 1 / (1 - gamma))


def _times(log_decay: float) -> int:
    """How many until the terms, which decay with that rate, are negligible, at most 10⁶."""
    return int(min(math.log(_BEYOND) / log_decay + 1, 1e6))
