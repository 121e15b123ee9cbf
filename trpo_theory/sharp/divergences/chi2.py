"""χ²(old ‖ new) = Σ (old − new)²/new: f(l) = (l − 1)²/l."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.sharp.divergence import Divergence, Reduction


def _generator(ratio: np.ndarray) -> np.ndarray:
    return (ratio - 1) ** 2 / ratio


def _peak(c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """l = √(λ/(λ − c)), for c < λ."""
    return np.where(c < multiplier, np.sqrt(multiplier / np.where(c < multiplier, multiplier - c, 1.0)), np.inf)


def _conjugate(c: fmpq | arb, multiplier: fmpq | arb) -> arb | fmpq:
    """2 λ − 2 √(λ (λ − c)), for c ≤ λ."""
    return 2 * (multiplier - arb(multiplier * (multiplier - c)).sqrt()) if c <= multiplier else arb("inf")


DIVERGENCE = Divergence(
    name="chi2",
    notation="chi2(old, new)",
    unit="χ²",
    field="chi2",
    reductions=(Reduction("max-chi2", "max_chi2"), Reduction("mean-chi2", "mean_chi2", mean=True)),
    generator=_generator,
    at_zero=np.inf,
    at_infinity=1.0,
    centred=_generator,
    tilt=0.0,
    peak=_peak,
    enclosed=lambda ratio: (ratio - 1) ** 2 / ratio,
    conjugate=_conjugate,
    second_derivative=Fraction(2),
)
