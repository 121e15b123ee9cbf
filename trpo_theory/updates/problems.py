"""The update problems as values: what is maximised, and which divergence is held down."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any

from trpo_theory import bounds
from trpo_theory.bounds import Bound
from trpo_theory.errors import InvalidInput
from trpo_theory.updates.sharp_penalty import SHARP_MAX_KL


def _radius(delta: Any, name: str, unit: str) -> float:
    real = isinstance(delta, numbers.Real) and not isinstance(delta, bool)
    if not real or not math.isfinite(float(delta)) or delta < 0:
        raise InvalidInput(
            got=f"delta = {delta!r} for {name}", wanted=f"a radius of 0 or more, in {unit}", fix="pass delta=0.01"
        )
    return float(delta)


@dataclass(frozen=True)
class Penalty:
    """Problem (11): maximise L_old(new) − C max_s KL(old_s‖new_s), in nats.

    Args:
        coefficient: C, at least 0; or
        bound: a bound of the catalogue (its id) or of one's own that depends on new through max_kl only; its penalty
            is subtracted, so that the step is provably monotone, equation (10), where the bound is true. "sharp/max-kl" is
            the best that any such bound can be, ε G(γ, max-KL), computed where it is needed in some seconds for each γ;
            for steps below 1e-7 nats it is chain-rule/kl.
    """

    coefficient: Any = None
    bound: Any = None

    def __post_init__(self) -> None:
        if (self.coefficient is None) == (self.bound is None):
            raise InvalidInput(
                got=f"coefficient = {self.coefficient!r} and bound = {self.bound!r}",
                wanted="one of the two",
                fix='write Penalty(2.0) or Penalty(bound="chain-rule/kl")',
            )
        if self.coefficient is not None:
            object.__setattr__(self, "coefficient", _coefficient(self.coefficient))
        elif isinstance(self.bound, str):
            named = SHARP_MAX_KL if self.bound == SHARP_MAX_KL.id else bounds.get(self.bound)
            object.__setattr__(self, "bound", named)
        elif not isinstance(self.bound, Bound):
            raise InvalidInput(
                got=f"bound = {self.bound!r}",
                wanted="the id of a bound, or a Bound",
                fix='write bound="chain-rule/kl"',
            )

    name = "penalty"


def _coefficient(value: Any) -> float:
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not math.isfinite(float(value)) or value < 0:
        raise InvalidInput(got=f"coefficient = {value!r}", wanted="a number, 0 or more", fix="pass coefficient=1.0")
    return float(value)


@dataclass(frozen=True)
class MaxKL:
    """Problem (12): maximise L_old(new) subject to max_s KL(old_s‖new_s) ≤ delta nats."""

    delta: Any
    name = "max-kl"

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", _radius(self.delta, "max-kl", "nats"))


@dataclass(frozen=True)
class MeanKL:
    """Problem (13): maximise L_old(new) subject to Σ_s d_old(s) KL(old_s‖new_s) ≤ delta nats."""

    delta: Any
    name = "mean-kl"

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", _radius(self.delta, "mean-kl", "nats"))


@dataclass(frozen=True)
class ReverseMaxKL:
    """The sibling of (12) that code often solves: max_s KL(new_s‖old_s) ≤ delta nats."""

    delta: Any
    name = "reverse-max-kl"

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", _radius(self.delta, "reverse-max-kl", "nats"))


@dataclass(frozen=True)
class ReverseMeanKL:
    """The sibling of (13) that code often solves: Σ_s d_old(s) KL(new_s‖old_s) ≤ delta nats."""

    delta: Any
    name = "reverse-mean-kl"

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", _radius(self.delta, "reverse-mean-kl", "nats"))


@dataclass(frozen=True)
class MaxTV:
    """Maximise L_old(new) subject to max_s TV(old_s, new_s) ≤ delta."""

    delta: Any
    name = "max-tv"

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", _radius(self.delta, "max-tv", "total variation"))


Problem = Penalty | MaxKL | MeanKL | ReverseMaxKL | ReverseMeanKL | MaxTV
