"""True claims that a verdict on floats gets wrong: decimals that add up, discounts at the edge of a hypothesis, tight bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.bounds.record import Claim

QUANTITIES: dict[str, Callable[[Any], Any]] = {
    "tv": lambda q: q.max_tv,
    "kl": lambda q: q.max_kl,
    "return": lambda q: q.expected_return_old,
    "reward": lambda q: q.reward,
    "gap": lambda q: q.surrogate_gap,
    "advantage": lambda q: q.max_abs_advantage,
    "visitation": lambda q: q.visitation_old,
    "gamma": lambda q: q.gamma,
}
HORIZONS = {0.5: 2, 0.75: 4, 0.8: 5, 0.9: 10, 0.95: 20, 0.98: 50, 0.99: 100, 0.999: 1000}
"""gamma -> 1/(1 − gamma)."""
RENYI = {0.6: 1.5, 0.75: 3, 0.8: 4, 0.9: 9, 0.95: 19}
"""b -> b/(1 − b): D_b ≤ b/(1 − b) D_{1/2} for b ≥ 1/2 (van Erven and Harremoës 2014, Theorem 16)."""


def shares(rng: np.random.Generator, *, rounded: bool) -> list[float]:
    """Two to five numbers that add to 1: decimals of up to nine digits, or quotients p/q as floats."""
    parts = int(rng.integers(2, 6))
    unit = int(rng.integers(3, 1000)) if rounded else 10 ** int(rng.integers(1, 10))
    cuts = sorted(int(cut) for cut in rng.integers(1, unit, parts - 1))
    whole = np.diff([0, *cuts, unit])
    return [int(part) / unit for part in whole]


def drawn(rng: np.random.Generator, index: int) -> Claim:
    """One true claim."""
    kind = ("identity", "bound", "rounded", "hypothesis", "difference", "renyi", "narrow")[int(rng.integers(7))]
    name = list(QUANTITIES)[int(rng.integers(len(QUANTITIES)))]
    x, relation, given = QUANTITIES[name], ("=", ">=")[int(rng.integers(2))], None
    sign = (1, -1)[int(rng.integers(2))]
    if kind in ("identity", "rounded", "narrow"):
        parts: list[Any] = shares(rng, rounded=kind == "rounded")
        if kind == "narrow":
            parts = [np.float32(p) for p in (0.25, 0.1, 0.65)] if sign > 0 else [np.float64(p) for p in parts]

        def formula(q):
            return sign * (sum(part * x(q) for part in parts) - x(q))

    elif kind == "bound":
        parts, relation = shares(rng, rounded=False), ">="

        def formula(q):  # coupling/tv, attained by F1
            alpha = q.max_tv
            worst = 4 * q.max_abs_advantage * q.gamma * alpha**2 / ((1 - q.gamma) * (1 - q.gamma * (1 - alpha)))
            return q.surrogate_gap + sum(part * worst for part in parts)

    elif kind == "hypothesis":
        edge, horizon = list(HORIZONS.items())[int(rng.integers(len(HORIZONS)))]
        relation = ">="
        if sign > 0:
            given = lambda q: q.gamma <= edge  # noqa: E731

            def formula(q):
                return horizon * q.max_s(q.max_a(abs(q.reward))) - q.max_s(abs(q.value))
        else:
            given = lambda q: q.gamma >= edge  # noqa: E731

            def formula(q):
                return q.sum_s(q.visitation_old) - horizon

    elif kind == "difference":
        hundredths = int(rng.integers(1, 100))
        left, right = [(1 - hundredths / 100, (100 - hundredths) / 100), (1 + hundredths / 100 - 1, hundredths / 100)][
            int(rng.integers(2))
        ]

        def formula(q):
            return sign * (left * x(q) - right * x(q))

    else:
        order, most = list(RENYI.items())[int(rng.integers(len(RENYI)))]
        relation = ">="

        def formula(q):
            return most * q.renyi(0.5) - q.renyi(order)

    return Claim(f"decimal/{index}-{kind}-{name}", formula, f"{kind} {name}", given=given, relation=relation)


def exact_constants(rng: np.random.Generator, index: int) -> Claim:
    """A true affine identity in Fractions: nothing about it may be undecided."""
    q = int(rng.integers(2, 1000))
    p = int(rng.integers(1, q))
    name = list(QUANTITIES)[int(rng.integers(len(QUANTITIES)))]
    x = QUANTITIES[name]
    return Claim(
        f"decimal/{index}-fraction-{name}",
        lambda step: Fraction(p, q) * x(step) + (1 - Fraction(p, q)) * x(step) - x(step),
        name,
        relation="=",
    )


MEANT = {"1/3": 1 / 3, "pi": math.pi, "sqrt 2": 2**0.5, "1 - 0.9": 1 - 0.9, "1.1 - 1": 1.1 - 1}
"""Floats that need all their digits."""
