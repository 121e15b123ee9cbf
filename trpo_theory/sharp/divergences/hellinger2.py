"""The squared Hellinger distance 1 − Σ √(old new): f(l) = 1 − √l."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.sharp.divergence import Divergence, Reduction


def _centred(ratio: np.ndarray) -> np.ndarray:
    """(√l − 1)²/2, with √l − 1 = (l − 1)/(√l + 1)."""
    return ((ratio - 1) / (np.sqrt(ratio) + 1)) ** 2 / 2


def _peak(c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """l = (λ/(2c))², for c < 0."""
    return np.where(c < 0, (multiplier / np.where(c < 0, 2 * c, 1.0)) ** 2, np.inf)


def _conjugate(c: fmpq | arb, multiplier: fmpq | arb) -> arb | fmpq:
    """−λ − λ²/(4c), for c < 0."""
    if multiplier == 0 or c >= 0:
        return fmpq(0) if multiplier == 0 and c <= 0 else arb("inf")
    return -multiplier - multiplier * multiplier / (4 * c)


DIVERGENCE = Divergence(
    name="hellinger2",
    notation="H2(old, new)",
    unit="squared Hellinger",
    field="hellinger2",
    reductions=(
        Reduction("max-hellinger2", "max_hellinger2"),
        Reduction("mean-hellinger2", "mean_hellinger2", mean=True),
    ),
    generator=lambda ratio: 1 - np.sqrt(ratio),
    at_zero=1.0,
    at_infinity=0.0,
    centred=_centred,
    tilt=0.5,
    peak=_peak,
    enclosed=lambda ratio: (ratio + 1) / 2 - arb(ratio).sqrt(),
    conjugate=_conjugate,
    second_derivative=Fraction(1, 4),
    largest_radius=1.0,  # it is at most 1
)
