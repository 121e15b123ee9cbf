"""Total variation, with the ½: f(l) = |l − 1|/2."""

from __future__ import annotations

import numpy as np

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.sharp.divergence import RETREAT, Divergence, Reduction
from trpo_theory.sharp.normaliser import COPIES, Normaliser
from trpo_theory.zoo import families


def _generator(ratio: np.ndarray) -> np.ndarray:
    return np.abs(ratio - 1) / 2


def _peak(c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """0, the corner 1 or ∞: between them c l − λ f(l) is linear."""
    return np.where(c + multiplier / 2 <= 0, 0.0, np.where(c - multiplier / 2 >= 0, np.inf, 1.0))


def _conjugate(c: fmpq, multiplier: fmpq) -> arb | fmpq:
    """The larger of −λ/2 (at l = 0) and c (at l = 1), for c ≤ λ/2."""
    return max(c, -multiplier / 2) if c <= multiplier / 2 else arb("inf")


def _family(mean: bool, normaliser: Normaliser, gamma: float, radius: float) -> families.Instance | None:
    """The families that are tight for max-TV, and for mean-TV normalised by max|Ā|."""
    if (mean, normaliser) == (False, Normaliser.MAX):
        return families.coupling_tight(gamma=gamma, x=radius * (1 - RETREAT))
    if (mean, normaliser) == (True, Normaliser.EXPECTED):
        leak = (radius - gamma / (2 * COPIES)) / (1 - gamma) * (1 - RETREAT)
        return families.cpo_tight(gamma=gamma, x=leak, scale=COPIES) if 0 < leak <= 1 else None
    return None


DIVERGENCE = Divergence(
    name="tv",
    notation="TV(old, new)",
    unit="total variation",
    field="tv",
    reductions=(Reduction("max-tv", "max_tv"), Reduction("mean-tv", "mean_tv", mean=True)),
    generator=_generator,
    at_zero=0.5,
    at_infinity=0.5,
    centred=_generator,
    tilt=0.0,
    peak=_peak,
    enclosed=lambda ratio: abs(ratio - 1) / 2,
    conjugate=_conjugate,
    largest_radius=1.0,  # TV is at most 1
    most_nodes=20,  # measured: the upper bound then has ten digits, and the lower one is at most 0.2 % below it
    family=_family,
)
