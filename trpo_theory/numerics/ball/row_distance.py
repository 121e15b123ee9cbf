"""Which pairs of rows of a matrix of balls can be furthest apart, by floats with their ends rounded outward.

The few that are left are compared in balls: of S²/2 pairs a handful, unless they are alike.
"""

from __future__ import annotations

import numpy as np
from flint import arb

from trpo_theory.numerics.ball import raw as r

_ROUNDING = 2.0**-52
"""Twice the relative rounding of a float's sum."""


def furthest(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs s ≤ t of rows among which is one with the largest Σ_u |M(s,u) − M(t,u)|, as two arrays.

    Args:
        matrix: (S, U), a bare array of finite balls.
    """
    size, width = matrix.shape
    ends = np.array([r.float_ends(arb(x.raw)) for x in matrix.flat]).reshape(size, width, 2)
    low, high = ends[..., 0], ends[..., 1]
    rounding = (width + 4) * _ROUNDING  # of `width` differences, each rounded, and their sum
    least, most = np.zeros((size, size)), np.full((size, size), -np.inf)
    with np.errstate(over="ignore"):
        for s in range(size):
            one, other = high[s] - low[s:], high[s:] - low[s]
            least[s, s:] = np.maximum(0.0, -np.minimum(one, other)).sum(1) * (1 - rounding)
            most[s, s:] = np.maximum(one, other).sum(1) * (1 + rounding)
    one, other = np.nonzero(~(most < least.max()) & np.triu(np.ones((size, size), dtype=bool)))
    return one, other
