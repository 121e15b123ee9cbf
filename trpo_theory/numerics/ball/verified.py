"""Approximate solutions of x = b + γPx, refined with residuals in balls, and how far they are from the solution at most.

P is stochastic, and so for any x̂ and ŷ whatever
    max|x̂ − x| ≤ max|b + γPx̂ − x̂|/(1 − γ),        Σ|ŷ − y| ≤ Σ|b + γPᵀŷ − ŷ|/(1 − γ).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb

from trpo_theory.errors import NotSolved

_PASSES = 400
"""Of refinement, at most: each gains 4 digits at γ = 1 − 1e-12 and 13 at γ = ½, and the most bits are 4096, 1233 digits."""
_GAINS = 0.25
"""Refinement ends with the first pass that leaves more of the residual: chosen; it is down to the rounding of the balls."""
_USEFUL_BITS = 40
"""A solution is refused whose error, relative to its largest entry, is above 2 to minus this. Chosen: that is 12 digits."""


def refined(
    residual: Callable[[list[arb]], list[arb]], solve: Callable[[np.ndarray], np.ndarray], size: int, gamma: arb
) -> tuple[list[arb], list[arb]]:
    """An approximate solution in exact balls, and its residual.

    Args:
        residual: x̂ -> b + γPx̂ − x̂ in balls.
        solve: (I − γP)⁻¹ in floats, about.
        size: of x.
        gamma: γ.

    Raises:
        NotSolved: where it is no solution at all.
    """
    x = [arb(0)] * size
    left = residual(x)
    top = max_of(abs(r).abs_upper() for r in left)
    for _ in range(_PASSES):
        if top == 0:
            break
        unit = arb(2) ** _exponent(top)
        step = solve(np.array([float((r / unit).mid()) for r in left]))
        moved = [(v + unit * arb(float(c))).mid() for v, c in zip(x, step, strict=True)]
        after = residual(moved)
        reduced = max_of(abs(r).abs_upper() for r in after)
        if not reduced < top:
            break
        ended = not reduced < _GAINS * top
        x, left, top = moved, after, reduced
        if ended:
            break
    largest = max_of(abs(v).abs_upper() for v in x)
    if not top / (1 - gamma) <= largest * arb(2) ** -_USEFUL_BITS and top > 0:
        raise NotSolved(
            "got a linear system that floats do not solve to a single digit; wanted a discount further from 1; fix: use "
            "1 - 1e-12 or less"
        )
    return x, left


def of_values(x: list[arb], left: list[arb], gamma: arb) -> list[arb]:
    """x of x = b + γPx, enclosed."""
    return _widened(x, max_of(abs(r).abs_upper() for r in left) / (1 - gamma))


def of_visits(y: list[arb], left: list[arb], gamma: arb) -> list[arb]:
    """y of y = b + γPᵀy, enclosed."""
    return _widened(y, sum((abs(r).abs_upper() for r in left), arb(0)) / (1 - gamma))


def max_of(numbers: Any) -> arb:
    """The largest of exact balls, or an upper bound on it; 0 for none."""
    top = arb(0)
    for x in numbers:
        top = x if x >= top else top if x <= top else top.max(x)
    return top


def _widened(x: list[arb], radius: arb) -> list[arb]:
    """Each ± radius."""
    around = (-radius).union(radius)
    return [v + around for v in x]


def _exponent(x: arb) -> int:
    mantissa, exponent = x.man_exp()
    return int(exponent) + int(mantissa.bit_length())
