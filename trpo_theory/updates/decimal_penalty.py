"""A bound's penalty near γ = 1, from the decimal that γ is written as.

C = 4εγ/(1 − γ)² of a float γ is wrong by up to a rounding of γ over 1 − γ, and any other formula by as much or more: 1e-3 at
γ = 1 − 1e-12. The formula is therefore evaluated in balls there, whose γ is the decimal itself.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from fractions import Fraction

import numpy as np

from trpo_theory.bounds import Bound
from trpo_theory.model.decimals import as_written, dyadic
from trpo_theory.numerics.ball import raw
from trpo_theory.numerics.ball.balls import Balls
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.step.partial import KnownQuantities

NEAR_ONE = 1e-3
"""1 − γ below which the decimal is used: chosen, the float γ costs less than 1e-12 of a penalty with (1 − γ)² above it."""
_BITS = 192
"""Of the balls: as in a proof. What cancels, (1 − γ)² of 1e-24 say, costs 80 of them."""
_REMEMBERED = 4096
"""Penalties: chosen, those of some hundred updates, each of which asks for the same ones a few times."""
_FLOAT_ROUNDINGS = 8
"""Roundings in a bound's coefficient, in units of ε/(1 − γ): 1 − γ enters squared, from a γ that is itself rounded."""
_DECIMAL_ROUNDINGS = 4
"""In units of ε: the ball's lower end becomes a float, and is divided by a radius and multiplied by another."""


def with_decimals(bound: Bound, numbers: Mapping[str, np.ndarray], penalty: np.ndarray) -> np.ndarray:
    """`penalty`, (N,), of the floats γ, replaced near γ = 1 by the float at or below that of the decimals.

    Args:
        bound: a function of `numbers` alone.
        numbers: by the names of `Quantities`, γ among them, (N,) each.
        penalty: in floats, (N,).
    """
    penalty = np.array(penalty, dtype=float)
    finite = np.isfinite(penalty) & np.isfinite(list(numbers.values())).all(0)
    for i in np.flatnonzero((numbers["gamma"] > 1 - NEAR_ONE) & finite):
        exact = _in_balls(bound, tuple((name, float(of[i])) for name, of in numbers.items()))
        penalty[i] = penalty[i] if exact is None else exact
    return penalty


def relative_error(bound: Bound, gamma: np.ndarray, complement: np.ndarray, names: Iterable[str]) -> np.ndarray:
    """What γ and roundings may cost a penalty, a function of γ and `names`, relatively, (B,); complement is 1 − γ."""
    ones = tuple((name, 1.0) for name in names if name != "gamma")
    error = _FLOAT_ROUNDINGS * np.finfo(np.float64).eps / complement
    for i in np.flatnonzero(gamma > 1 - NEAR_ONE):
        if _in_balls(bound, (("gamma", float(gamma[i])), *ones)) is not None:
            error[i] = _DECIMAL_ROUNDINGS * np.finfo(np.float64).eps
    return error


@functools.lru_cache(maxsize=_REMEMBERED)
def _in_balls(bound: Bound, numbers: tuple[tuple[str, float], ...]) -> float | None:
    """The float at or below the penalty; None for a formula that balls cannot evaluate, or of which they tell no number."""
    with raw.precision(_BITS):
        known = {name: Ball(_exact(name, number)) for name, number in numbers}
        q = KnownQuantities(Balls(), **known)
        try:
            penalty = bound.penalty(q)
            return raw.float_ends(raw.arb(Ball(penalty).raw))[0]
        except Exception:  # of a user's formula, which may be of any kind where it is written for floats only
            return None


def _exact(name: str, number: float) -> Fraction | float:
    """γ is the decimal, any other number the float that it is; so is an infinite radius."""
    if not math.isfinite(number):
        return number
    return as_written(number) if name == "gamma" else dyadic(number)
