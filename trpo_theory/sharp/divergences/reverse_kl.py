"""KL(new ‖ old), that of much code: f(l) = l log l − l + 1."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.sharp.divergence import Divergence, Reduction

_LARGEST_EXPONENT = 700.0
"""eˣ is a float up to x = 709; an l beyond e^700 is no different to the program from e^700."""


def _generator(ratio: np.ndarray) -> np.ndarray:
    return np.where(ratio > 0, ratio * np.log(np.where(ratio > 0, ratio, 1.0)) - ratio + 1, 1.0)


def _peak(c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """l = exp(c/λ)."""
    return np.exp(np.minimum(c / multiplier, _LARGEST_EXPONENT))


def _conjugate(c: fmpq | arb, multiplier: fmpq | arb) -> arb | fmpq:
    """λ (exp(c/λ) − 1)."""
    if multiplier == 0:
        return fmpq(0) if c <= 0 else arb("inf")
    return arb(c / multiplier).expm1() * multiplier


DIVERGENCE = Divergence(
    name="reverse-kl",
    notation="KL(new, old)",
    unit="nats",
    field="reverse_kl",
    reductions=(
        Reduction("reverse-max-kl", "reverse_max_kl"),
        Reduction("reverse-mean-kl", "reverse_mean_kl", mean=True),
    ),
    generator=_generator,
    at_zero=1.0,
    at_infinity=np.inf,
    centred=_generator,
    tilt=0.0,
    peak=_peak,
    enclosed=lambda ratio: ratio * arb(ratio).log() - ratio + 1,
    conjugate=_conjugate,
    second_derivative=Fraction(1),
)
