"""KL(old ‖ new), TRPO's: f(l) = −log l."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.sharp.divergence import Divergence, Reduction


def _centred(ratio: np.ndarray) -> np.ndarray:
    """l − 1 − log l; the logarithm by log1p where l is not small, so that few digits cancel near 1."""
    return ratio - 1 - np.where(ratio > 0.5, np.log1p(np.maximum(ratio, 0.5) - 1), np.log(ratio))


def _peak(c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """l = λ/(−c), for c < 0."""
    return np.where(c < 0, multiplier / np.where(c < 0, -c, 1.0), np.inf)


def _conjugate(c: fmpq | arb, multiplier: fmpq | arb) -> arb | fmpq:
    """λ (log(λ/(−c)) − 1), for c < 0."""
    if multiplier == 0 or c >= 0:
        return fmpq(0) if multiplier == 0 and c <= 0 else arb("inf")
    return (arb(multiplier / -c).log() - 1) * multiplier


DIVERGENCE = Divergence(
    name="kl",
    notation="KL(old, new)",
    unit="nats",
    field="kl",
    reductions=(Reduction("max-kl", "max_kl"), Reduction("mean-kl", "mean_kl", mean=True)),
    generator=lambda ratio: -np.log(ratio),
    at_zero=np.inf,
    at_infinity=0.0,
    centred=_centred,
    tilt=1.0,
    peak=_peak,
    enclosed=lambda ratio: ratio - 1 - arb(ratio).log(),
    conjugate=_conjugate,
    second_derivative=Fraction(1),
)
