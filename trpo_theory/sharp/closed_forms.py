"""Supersolutions in closed form, with the nodes 0 and 1: of total variation, and of radii that exclude nothing.

docs/theory.md, "Total variation in closed form" and "Radii that exclude nothing".
"""

from __future__ import annotations

import numpy as np

from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.supersolution import Supersolution

_EPSILON = 2.0**-52
"""Of floats: numbers are rounded up by some of these, so that every inequality still holds for the rounded ones."""


def closed_supersolution(setting: Setting) -> Supersolution | None:
    """The one whose bound is the sharp gap itself: of TV, and where the radius excludes nothing; else None."""
    if setting.horizon is not None:
        return None
    if setting.excludes_nothing:
        return unbounded(setting)
    if not setting.divergence.coupled:
        return None
    return min(_parted(setting), key=lambda one: one.bound) if setting.mean else _coupled(setting)


def unbounded(setting: Setting) -> Supersolution:
    """w(x) = (|x − 1| + γ (1 + x)/(1 − γ)), of any radius: |Ā| ≤ ε and E|x X_t − 1| ≤ 1 + x; G ≤ 2γ/(1 − γ)."""
    gamma = setting.gamma
    whole = 1 / (1 - gamma)
    slope = whole * (1 + 16 * _EPSILON * whole)
    free = 0.0 if setting.expected else 1.0  # μ = −ν at both ends, for A = ±1
    above = 1 + 4 * _EPSILON
    return Supersolution(
        setting,
        nodes=np.array([0.0, 1.0]),
        w=np.array([slope, 2 * gamma * whole * (1 + 64 * _EPSILON * whole**2)]),
        slope=slope,
        multiplier=np.zeros(3),
        mu=np.array([free, gamma * slope * above, (gamma * slope + free) * above]),
        nu=np.array([-free, 0.0, -free]),
    )


def _coupled(setting: Setting) -> Supersolution:
    """w(x) = m ((1 + x)/(1 − γ) − 2 min(x, 1)/(1 − γ(1 − α))), m the largest |Ā|/ε, for TV ≤ α.

    E|x X_t − 1| = 1 + x − 2 E min(x X_t, 1), and E min(x X_t, 1) ≥ (1 − α)ᵗ min(x, 1).
    """
    gamma, radius = setting.gamma, setting.radius
    most = 1.0 if setting.expected else min(2 * radius, 1.0)
    whole, met = 1 / (1 - gamma), 1 / (1 - gamma + gamma * radius)
    slope = most * whole * (1 + 16 * _EPSILON * whole)
    at_one = 2 * most * gamma * radius * met * whole * (1 + 64 * _EPSILON * (1 + whole**2 / met))
    charged = 0.0 if setting.expected or radius > 0.5 else 2.0
    free = 1.0 if radius > 0.5 and not setting.expected else 0.0
    above, over = 1 + 4 * _EPSILON, 64 * _EPSILON * gamma * most * whole**2
    return Supersolution(
        setting,
        nodes=np.array([0.0, 1.0]),
        w=np.array([slope, at_one]),
        slope=slope,
        multiplier=np.array(
            [charged, 2 * gamma * most * met * above + over, charged and charged + 8 * _EPSILON * slope]
        ),
        mu=np.array(
            [free, gamma * most * gamma * radius * met * whole, (gamma * slope + free) * (1.0 if charged else above)]
        ),
        nu=np.array([-free, 0.0, -free]),
    )


def _parted(setting: Setting) -> list[Supersolution]:
    """Of a mean of TV, one for each λ at which the best laws change: w = v_λ, which is linear on either side of 1.

    docs/theory.md, "Total variation in closed form".
    """
    gamma, whole = setting.gamma, 1 / (1 - setting.gamma)
    slope = whole * (1 + 16 * _EPSILON * whole)
    found = [unbounded(setting)]
    price = 2 * gamma * whole if setting.expected else max(gamma * whole, 4 * gamma / (2 - gamma))
    left = slope * (1.0 if setting.expected else max(1 - price / 2, 0.0))
    found.append(_at_price(setting, slope, left, 0.0, gamma * (slope + left) * (1 + 8 * _EPSILON)))
    if not setting.expected and price > 2:
        price = 2 * (1 + 8 * _EPSILON)
        found.append(_at_price(setting, slope, 0.0, (gamma * slope - price) + 8 * _EPSILON * slope, price))
    return found


def _at_price(setting: Setting, slope: float, at_zero: float, at_one: float, price: float) -> Supersolution:
    gamma = setting.gamma
    spent = 0.0 if setting.expected else max(1 - price / 2, 0.0) * (1 + 2 * _EPSILON)
    alone = 0.0 if setting.expected else 1.0
    mu = gamma * (slope - at_zero) / 2 if at_one == 0 else gamma * slope - price / 2 + 2 * _EPSILON * slope
    return Supersolution(
        setting,
        nodes=np.array([0.0, 1.0]),
        w=np.array([at_zero, at_one]),
        slope=slope,
        multiplier=np.full(3, price),
        mu=np.array([spent, mu, (gamma * slope + alone) * (1 + 4 * _EPSILON)]),
        nu=np.array([-spent, 0.0, -alone]),
    )
