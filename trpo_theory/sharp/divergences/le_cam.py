"""Le Cam's divergence ½ Σ (old − new)²/(old + new): f(l) = ½ (l − 1)²/(l + 1)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.sharp.divergence import Divergence, Reduction


def _generator(ratio: np.ndarray) -> np.ndarray:
    change = (ratio - 1) / (ratio + 1)
    return change * (ratio - 1) / 2


def _peak(c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """l = 2 √(λ/(λ − 2c)) − 1, from 0 on, for 2c < λ."""
    left = multiplier - 2 * c
    inside = left > 0
    return np.where(inside, np.maximum(2 * np.sqrt(multiplier / np.where(inside, left, 1.0)) - 1, 0.0), np.inf)


def _conjugate(c: fmpq | arb, multiplier: fmpq | arb) -> arb | fmpq:
    """2λ − c − 2 √(λ (λ − 2c)), for −3λ/2 ≤ c ≤ λ/2; below, l = 0 is better: −λ/2."""
    left = multiplier - 2 * c
    if left < 0:
        return arb("inf")
    if left > 4 * multiplier:
        return -multiplier / 2
    return 2 * multiplier - c - 2 * arb(multiplier * left).sqrt()


DIVERGENCE = Divergence(
    name="le-cam",
    notation="Le-Cam(old, new)",
    unit="Le Cam's distance",
    field="le_cam",
    reductions=(Reduction("max-le-cam", "max_le_cam"), Reduction("mean-le-cam", "mean_le_cam", mean=True)),
    generator=_generator,
    at_zero=0.5,
    at_infinity=0.5,
    centred=_generator,
    tilt=0.0,
    peak=_peak,
    enclosed=lambda ratio: (ratio - 1) ** 2 / (2 * (ratio + 1)),
    conjugate=_conjugate,
    second_derivative=Fraction(1, 2),
    largest_radius=1.0,  # it is at most 1
)
