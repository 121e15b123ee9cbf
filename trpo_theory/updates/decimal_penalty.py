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
from trpo_theory.numerics.ball.arrays import balls, plain
from trpo_theory.numerics.ball.balls import Balls
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.step.partial import KnownQuantities

NEAR_ONE = 1e-3
"""1 − γ below which the decimal is used: chosen, the float γ costs less than 1e-12 of a penalty with (1 − γ)² above it."""
_BITS = 192
"""Of the balls: as in a proof. What cancels, (1 − γ)² of 1e-24 say, costs 80 of them."""
_REMEMBERED = 256
"""Calls: chosen, those of some dozen updates, each of which asks for the same radii a few times."""
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
    near = np.flatnonzero((numbers["gamma"] > 1 - NEAR_ONE) & finite)
    rows = zip(*(np.asarray(of, dtype=float)[near].tolist() for of in numbers.values()), strict=True)
    for i, exact in zip(near, _in_balls(bound, tuple(numbers), tuple(rows)), strict=True):
        penalty[i] = penalty[i] if exact is None else exact
    return penalty


def relative_error(bound: Bound, gamma: np.ndarray, complement: np.ndarray, names: Iterable[str]) -> np.ndarray:
    """What γ and roundings may cost a penalty, a function of γ and `names`, relatively, (B,); complement is 1 − γ."""
    others = tuple(name for name in names if name != "gamma")
    error = _FLOAT_ROUNDINGS * np.finfo(np.float64).eps / complement
    near = np.flatnonzero(gamma > 1 - NEAR_ONE)
    if not near.size:
        return error
    rows = tuple((one, *(1.0 for _ in others)) for one in gamma[near].tolist())
    known = [exact is not None for exact in _in_balls(bound, ("gamma", *others), rows)]
    error[near[known]] = _DECIMAL_ROUNDINGS * np.finfo(np.float64).eps
    return error


@functools.lru_cache(maxsize=_REMEMBERED)
def _in_balls(bound: Bound, names: tuple[str, ...], rows: tuple[tuple[float, ...], ...]) -> tuple[float | None, ...]:
    """The float at or below each row's penalty; None for a formula that balls cannot evaluate, or of which they tell no number.

    All rows at once, as floats are; one by one where that fails, for which a single row is enough.
    """
    if not rows:
        return ()
    with raw.precision(_BITS):
        try:
            columns = zip(names, zip(*rows, strict=True), strict=True)
            known = {name: balls([Ball(_exact(name, number)) for number in column]) for name, column in columns}
            penalty = np.broadcast_to(plain(bound.penalty(KnownQuantities(Balls(), **known))), len(rows))
            return tuple(raw.float_ends(raw.arb(one.raw))[0] for one in penalty)
        except Exception:  # of a user's formula, which may be of any kind where it is written for floats only
            return (None,) if len(rows) == 1 else sum((_in_balls(bound, names, (row,)) for row in rows), ())


def _exact(name: str, number: float) -> Fraction | float:
    """γ is the decimal, any other number the float that it is; so is an infinite radius."""
    if not math.isfinite(number):
        return number
    return as_written(number) if name == "gamma" else dyadic(number)
