"""What a bound promises of a step: its lower bound on η(new) − η(old), and whether floats can tell that it is above 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trpo_theory.bounds import Bound
from trpo_theory.bounds.checked import shift_rounding
from trpo_theory.step.quantities import Quantities

_INSIDE = 1e-9
"""The share of the gain that must be left of it: keeps steps strictly inside the radius at which the promise is 0. Chosen: far
above a penalty's relative rounding, and far below what a step's length matters."""


@dataclass(frozen=True, eq=False)
class Promise:
    """Of each step of a batch, (*batch), in discounted reward.

    Attributes:
        gain: the centre less η(old): the surrogate gain, and the shift of a bound that has one.
        penalty: what the bound subtracts from it; ∞ where it says nothing.
        rounding: the most that float error makes of the promise, and how far above 0 it must be.
    """

    gain: np.ndarray
    penalty: np.ndarray
    rounding: np.ndarray

    @property
    def value(self) -> np.ndarray:
        """gain − penalty, a lower bound on η(new) − η(old)."""
        return self.gain - self.penalty

    @property
    def certified(self) -> np.ndarray:
        """Whether the promise is above 0, by more than its rounding: what is nearer to 0 counts as not certified."""
        return self.value > self.rounding


def promised(bound: Bound, q: Quantities) -> Promise:
    """What a bound promises of a step. It is computed from the gain itself, which keeps its digits for tiny steps."""
    with np.errstate(over="ignore", invalid="ignore"):
        penalty = bound.penalty(q)
        gain, terms = q.surrogate_gain, abs(q.surrogate_gain)
        if bound.shift is not None:
            shift = bound.shift(q)
            gain, terms = gain + shift, terms + abs(shift)
        rounding = shift_rounding(q) + _INSIDE * terms
    parts = (np.asarray(part, dtype=np.float64) for part in (gain, penalty, rounding))
    return Promise(*np.broadcast_arrays(*parts))


def joined(parts: list[Promise]) -> Promise:
    """Batches end to end."""
    names = ("gain", "penalty", "rounding")
    columns: list[Any] = [np.concatenate([np.atleast_1d(getattr(part, name)) for part in parts]) for name in names]
    return Promise(*columns)
