"""Rényi's divergences as `Divergence`s: D_a = −log(1 − b E f)/b with b = 1 − a, f(l) = (1 − l^b)/b, as Σ old^a new^b = E l^b.

D_a is no f-divergence, but D_a ≤ D is E f ≤ r(D) = (1 − e^(−bD))/b. As r(D) ≤ D, E f ≤ D is weaker; what is D_a ≤ D itself has
the generator f D/r(D): `Divergence.at`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.numerics.divergence import expm1_minus, x_minus_log1p
from trpo_theory.sharp.divergence import Divergence, Reduction

_SMALL = 0.25
"""Below this |l − 1| the centred form is a difference of two remainders, from which l − 1 is gone. Chosen."""


@dataclass(frozen=True)
class RenyiOrder:
    """The parts of D_a, and of the f-divergence that it is at a radius.

    Attributes:
        order: a, between 0 and 1.
        word: "half" makes the divergence max-renyi-half, and the fields `renyi_half`, `max_renyi_half`.
        radius: D of the f-divergence f D/r(D); 0 for f itself, its limit.
    """

    order: Fraction
    word: str
    radius: Fraction = Fraction(0)

    def divergence(self) -> Divergence:
        """The record."""
        name, scale = f"renyi-{self.word}", self._scale
        itself = self.radius == 0
        return Divergence(
            name=name,
            notation=f"Renyi-{float(self.order):g}(old, new)",
            unit="nats",
            field=name.replace("-", "_"),
            reductions=(Reduction(f"max-{name}", f"max_{name}".replace("-", "_")),),
            generator=lambda ratio: -scale * np.expm1(self._b * np.log(ratio)) / self._b,
            at_zero=scale / self._b,
            at_infinity=0.0,
            centred=lambda ratio: scale * self._centred(ratio),
            tilt=scale,
            peak=self._peak,
            enclosed=self._enclosed,
            conjugate=self._conjugate,
            second_derivative=self.order if itself else None,
            exact_ends=lambda: (self._exact_scale() / self._exact_b, fmpq(0)),
            of_mean=(lambda mean: -np.log1p(-self._b * mean) / self._b) if itself else None,
            enclosed_of_mean=self._enclosed_of_mean if itself else None,
            of_radius=(lambda radius: RenyiOrder(self.order, self.word, radius).divergence()) if itself else None,
        )

    @cached_property
    def _b(self) -> float:
        return float(1 - self.order)

    @cached_property
    def _exact_b(self) -> fmpq:
        return _rational(1 - self.order)

    @cached_property
    def _scale(self) -> float:
        """D/r(D)."""
        spent = self._b * float(self.radius)
        return float(-spent / np.expm1(-spent)) if spent else 1.0

    def _exact_scale(self) -> arb | fmpq:
        spent = self._exact_b * _rational(self.radius)
        return spent / -arb(-spent).expm1() if spent else fmpq(1)

    def _centred(self, ratio: np.ndarray) -> np.ndarray:
        """l − 1 + (1 − l^b)/b."""
        x, b = ratio - 1, self._b
        small = np.abs(x) < _SMALL
        inner = np.where(small, x, 0.0)
        near = x_minus_log1p(inner) - expm1_minus(b * np.log1p(inner)) / b
        return np.where(small, near, x - np.expm1(b * np.log(ratio)) / b)

    def _peak(self, c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
        """l = (λ/(−c))^(1/a), for c < 0."""
        power = 1 / float(self.order)
        return np.where(c < 0, (multiplier * self._scale / np.where(c < 0, -c, 1.0)) ** power, np.inf)

    def _enclosed(self, ratio: fmpq) -> arb | fmpq:
        return (ratio - 1 + (1 - arb(ratio) ** self._exact_b) / self._exact_b) * self._exact_scale()

    def _conjugate(self, c: fmpq | arb, multiplier: fmpq | arb) -> arb | fmpq:
        """(a (−c) l − λ)/b with l = (λ/(−c))^(1/a), for c < 0."""
        if multiplier == 0 or c >= 0:
            return fmpq(0) if multiplier == 0 and c <= 0 else arb("inf")
        price = multiplier * self._exact_scale()
        peak = arb(price / -c) ** _rational(1 / self.order)
        return (-c * _rational(self.order) * peak - price) / self._exact_b

    def _enclosed_of_mean(self, mean: arb) -> arb:
        left = 1 - mean * self._exact_b
        return -left.log() / self._exact_b if left > 0 else arb("inf")


def _rational(x: Fraction) -> fmpq:
    return fmpq(x.numerator, x.denominator)
