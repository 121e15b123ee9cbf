"""The polylogarithm of a real order, in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.arrays import real_array
from trpo_theory.errors import InvalidInput
from trpo_theory.model.shapes import Float

_NEAR_ONE = 0.2
"""From here on the expansion about x = 1 takes over: |log x| < 1.61, so its terms fall at least as 0.26^k."""
_NEAR_INTEGER = 0.05
"""Distance of the order from a positive integer within which two terms of the expansion cancel more than two digits."""
_SERIES_TERMS = 30
"""Derived: the last is below 0.2^30 = 1e-21 of the first."""
_EXPANSION_TERMS = 34
"""Derived: the last is below 0.26^34 = 1e-19 of the first."""


def polylog(order: float, x: Float[np.ndarray, "*batch"] | float) -> Float[np.ndarray, "*batch"] | float:
    """Li_order(x) = Σ_{k≥1} x^k / k^order for x in [0, 1), to a relative accuracy near 1e-14.

    Near 1, with μ = log x:  Li_s(x) = Γ(1 − s)(−μ)^(s−1) + Σ_k ζ(s − k) μ^k / k!,
    and for a positive integer s the k = s − 1 term and Γ merge into μ^(s−1)/(s−1)! (H_(s−1) − log(−μ)).
    Source: DLMF 25.12.12. The chain-rule bound uses order −1/2.

    >>> round(float(polylog(1, 0.5)), 12)
    0.69314718056
    """
    order = _checks.number_between(order, "the order of a polylogarithm", -8.0, 8.0)
    if order > 0.5 and 0 < abs(order - round(order)) < _NEAR_INTEGER:
        raise InvalidInput(
            got=f"order = {order!r}, next to a positive integer, where two terms of the expansion cancel",
            wanted=f"an integer, or an order at least {_NEAR_INTEGER} from the positive ones",
            fix=f"use {round(order)}",
        )
    known = isinstance(x, (int, float, np.number, np.ndarray)) and np.asarray(x).dtype.kind in "fiub"
    x = np.asarray(x, dtype=np.float64) if known else real_array(x, "x")  # nan, and a batch of none, are numbers
    if not ((x >= 0) & (x < 1)).all():
        raise InvalidInput(got="x outside [0, 1)", wanted="0 <= x < 1, as a discount", fix="check gamma")
    out = np.where(x < _NEAR_ONE, _series(order, np.minimum(x, _NEAR_ONE)), 0.0)
    near = x >= _NEAR_ONE
    if near.any():
        out[near] = _expansion(order, x[near])
    return out[()]


def _series(order: float, x: Any) -> Any:
    total = np.zeros_like(x)
    for k in range(_SERIES_TERMS, 0, -1):
        total = (total + float(k) ** -order) * x
    return total


def _expansion(order: float, x: Any) -> Any:
    mu = np.log(x)
    whole = order == round(order) and order >= 1
    skipped = int(order) - 1 if whole else -1
    total = np.zeros_like(mu)
    for k in range(_EXPANSION_TERMS, -1, -1):
        coefficient = 0.0 if k == skipped else _zeta(order - k) / math.factorial(k)
        total = total * mu + coefficient
    if whole:
        harmonic = sum(1.0 / j for j in range(1, int(order)))
        return total + mu**skipped / math.factorial(skipped) * (harmonic - np.log(-mu))
    return total + math.gamma(1.0 - order) * (-mu) ** (order - 1.0)


def _zeta(s: float) -> float:
    """Riemann's ζ(s), s ≠ 1; below 0 by the functional equation."""
    from scipy.special import zeta

    if s == 0.0:
        return -0.5
    if s > 1.0:
        return float(zeta(s))
    if s < 0.0:
        if s == round(s) and round(s) % 2 == 0:
            return 0.0
        reflected = float(zeta(1.0 - s))
        return 2.0**s * math.pi ** (s - 1.0) * math.sin(math.pi * s / 2.0) * math.gamma(1.0 - s) * reflected
    # 0 < s < 1: the alternating series, accelerated as by Cohen, Rodriguez Villegas and Zagier (2000), Algorithm 1.
    n = 32
    d = (3.0 + math.sqrt(8.0)) ** n
    d = (d + 1.0 / d) / 2.0
    b, c, total = -1.0, -d, 0.0
    for k in range(n):
        c = b - c
        total += c * (k + 1.0) ** -s
        b *= (k + n) * (k - n) / ((k + 0.5) * (k + 1.0))
    return total / d / (1.0 - 2.0 ** (1.0 - s))
