"""Arrays of floats as balls: each the dyadic rational that it is, a row of probabilities over its exact sum."""

from __future__ import annotations

import numpy as np
from flint import fmpq, fmpz

from trpo_theory.numerics.arithmetic import Array
from trpo_theory.numerics.ball.arrays import BallArray
from trpo_theory.numerics.ball.number import Ball


def exact(array: np.ndarray) -> Array:
    """Each entry the rational that it is."""
    array = np.asarray(array, dtype=float)
    out = np.empty(array.size, dtype=object)
    out[:] = [Ball.of(fmpq(*x.as_integer_ratio())) for x in array.ravel().tolist()]
    return out.reshape(array.shape).view(BallArray)


def exact_rows(array: np.ndarray) -> Array:
    """Rows along the last axis over their exact sums; rows of 0 stay."""
    array = np.asarray(array, dtype=float)
    width, zero = array.shape[-1], Ball(0)
    out = np.empty((array.size // width, width), dtype=object)
    for place, row in enumerate(array.reshape(-1, width)):
        mantissas, exponents = np.frexp(row)
        played = row != 0
        least = int(exponents[played].min()) if played.any() else 0
        whole = [
            int(m) << (e - least) if m else 0
            for m, e in zip((mantissas * 2.0**53).tolist(), exponents.tolist(), strict=True)
        ]
        total = fmpz(sum(whole))
        out[place] = [Ball.of(fmpq(x, total)) if x else zero for x in whole]
    return out.reshape(array.shape).view(BallArray)
