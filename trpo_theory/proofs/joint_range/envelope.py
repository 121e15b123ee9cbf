"""The least KL divergence, and Rényi's, at each total variation d, from below by formulas in d that are close to it.

With p = ½ + s − d/2 and q = p + d, D(s) has D'' = d² Σ f''(q/p)/p³ ≥ 2 a d², f'' = a l^(−1−a): f''(q/p)/p³ ≥ a max(p, q)⁻³, and
q + (1 − p) = 1 + d ≤ 2. So D(s) ≥ D(s₀) − D'(s₀)²/(4 a d²) for all s, with any s₀: a polynomial in d.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from trpo_theory.numerics.ball.raw import arb
from trpo_theory.proofs.joint_range.expression import Expression, constant
from trpo_theory.proofs.joint_range.intervals import rational
from trpo_theory.proofs.joint_range.pairs import D, log, number, order_of, value
from trpo_theory.proofs.joint_range.rows import row_field

Pair = tuple[Fraction, Fraction]
_NEAR_ZERO = Fraction(1, 8)
"""Up to where s₀ is a polynomial in d. Chosen."""
_DIGITS = 2**50
"""Denominators of s₀ away from 0. Chosen: finer than floats tell."""
_TINY = Fraction(1, 2**40)
"""Nearer to d = 1 floats do not tell the least pair from p = 0. Chosen."""


@dataclass(frozen=True)
class Envelope:
    """Of one divergence.

    Attributes:
        below: (from, to) -> a formula in d, at most the least divergence for d between these.
        pair: d -> p, q, nearly the least one's.
    """

    below: Callable[[Fraction, Fraction], Expression]
    pair: Callable[[Fraction], Pair]


def envelope(name: str) -> Envelope | None:
    """Of KL either way, and of Rényi's divergences; None of others."""
    order = Fraction(1) if name in ("kl", "reverse_kl") else order_of(name)
    if order is None:
        return None
    forward = "kl" if name == "reverse_kl" else name  # the same by p <-> q

    def below(low: Fraction, high: Fraction) -> Expression:
        if high == 1 and low > 0:
            return _far(order)
        if low == 0 and high <= _NEAR_ZERO:
            return _lower(forward, order, _near_zero(order))
        return _tangent(forward, order, (low + high) / 2)

    def pair(d: Fraction) -> Pair:
        p, q = _nearly_least(order, d) if 1 - d > _TINY else (Fraction(0), d)
        return (1 - q, 1 - p) if name == "reverse_kl" else (p, q)

    return Envelope(below, pair)


def _rounded(x: Fraction) -> Fraction:
    return Fraction(round(x * _DIGITS), _DIGITS)


def _lower(name: str, order: Fraction, s: Expression) -> Expression:
    """D(s) − D'(s)²/(4 a d²)."""
    p, q = (1 - D) / 2 + s, (1 + D) / 2 + s
    found = value(name, p, q)
    assert found is not None
    return found - _slope(order, p, q) ** 2 * D**-2 / (4 * order)


def _tangent(name: str, order: Fraction, d: Fraction) -> Expression:
    """The tangent plane at (p, q), q − p = d, of D, which is convex in both, is below D; s enters it by D'(s₀), nearly 0."""
    known = row_field(name)
    assert known is not None
    p, q = (rational(x) for x in _nearly_least(order, d))
    level, in_p, in_q = known.plane(p, q)
    return constant(level - abs(arb(in_p + in_q))) + constant((in_q - in_p) / 2) * (D - number(d))


def _nearly_least(order: Fraction, d: Fraction) -> Pair:
    half = (1 - d) / 2
    s = min(max(_rounded(Fraction(_least(order, float(d)))), -half), half)
    return half + s, half + s + d


def _slope(order: Fraction, p: Expression, q: Expression) -> Expression:
    """D' along p and q alike."""
    x, y = 1 - p, 1 - q
    if order == 1:
        return log(p / q) - log(x / y) + D / (q * y)
    b = 1 - order
    left = number(0)
    for u, v, sign in ((p, q, -1), (x, y, 1)):  # of −u^a v^b/b
        left = left + sign * (order * (v / u) ** b + b * (u / v) ** order) / b
    return left


def _far(order: Fraction) -> Expression:
    """For d ≥ ½, v = 1 − d: KL ≥ −(1 − v) log v − h(v), as p ≤ v and 1 − q ≤ v; E l^b ≤ v^a + v^b."""
    v = 1 - D
    if order == 1:
        return -log(v) + 2 * v * log(v) + D * log(D)
    return (1 - v**order - v ** (1 - order)) / (1 - order)


def _least(order: Fraction, d: float) -> float:
    """s of the least divergence, by halving on the sign of D', in floats."""
    if d == 0:
        return 0.0
    a, b = float(order), float(1 - order)
    low, high = -(1 - d) / 2, (1 - d) / 2
    for _ in range(60):
        s = (low + high) / 2
        p, q = (1 - d) / 2 + s, (1 + d) / 2 + s
        x, y = 1 - p, 1 - q
        if min(p, y) <= 0 or d >= min(q, x):
            break
        if order == 1:
            slope = math.log1p(-d / q) - math.log1p(d / y) + d / (q * y)
        else:
            slope = (-(a * (q / p) ** b + b * (p / q) ** a) + a * (y / x) ** b + b * (x / y) ** a) / b
        low, high = (s, high) if slope < 0 else (low, s)
    return (low + high) / 2


@cache
def _near_zero(order: Fraction) -> Expression:
    """s₀ = (1 − 2a)/6 d + x₁ d³ + x₂ d⁵: the first is exact, the others are short rationals near the true ones, for speed."""
    first = (1 - 2 * order) / 6
    grid = np.linspace(0.05, 0.3, 26)
    found = np.array([_least(order, d) for d in grid]) / grid - float(first)
    powers = np.stack([grid ** (2 * k) for k in range(1, 6)], axis=1)
    third, fifth, *_ = np.linalg.lstsq(powers, found, rcond=None)[0]
    return first * D + Fraction(float(third)).limit_denominator(200) * D**3 + Fraction(round(32 * fifth), 32) * D**5
