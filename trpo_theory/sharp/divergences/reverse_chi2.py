"""χ²(new ‖ old) = Σ (new − old)²/old: f(l) = (l − 1)²."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.sharp.divergence import Divergence, Reduction


def _generator(ratio: np.ndarray) -> np.ndarray:
    return (ratio - 1) ** 2


def _peak(c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """l = 1 + c/(2λ), from 0 on."""
    return np.maximum(1 + c / multiplier / 2, 0.0)


def _conjugate(c: fmpq | arb, multiplier: fmpq | arb) -> arb | fmpq:
    """c + c²/(4λ), for c ≥ −2λ, where l = 0 is better: −λ."""
    if multiplier == 0:
        return fmpq(0) if c <= 0 else arb("inf")
    return c + c * c / (4 * multiplier) if c >= -2 * multiplier else -multiplier


DIVERGENCE = Divergence(
    name="reverse-chi2",
    notation="chi2(new, old)",
    unit="χ²",
    field="reverse_chi2",
    reductions=(
        Reduction("reverse-max-chi2", "reverse_max_chi2"),
        Reduction("reverse-mean-chi2", "reverse_mean_chi2", mean=True),
    ),
    generator=_generator,
    at_zero=1.0,
    at_infinity=np.inf,
    centred=_generator,
    tilt=0.0,
    peak=_peak,
    enclosed=lambda ratio: (ratio - 1) ** 2,
    conjugate=_conjugate,
    second_derivative=Fraction(2),
    largest_variance=lambda radius: radius,  # it is E (l − 1)²; an atom split into 0 and a large l adds to it
)
