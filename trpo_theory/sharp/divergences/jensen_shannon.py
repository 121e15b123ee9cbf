"""Jensen-Shannon, ½ KL(old ‖ m) + ½ KL(new ‖ m), m the mean of both: f(l) = ½ log(2/(1 + l)) + ½ l log(2l/(1 + l))."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.numerics.divergence import x_minus_log1p
from trpo_theory.sharp.divergence import Divergence, Reduction

_LOG_2 = float(np.log(2.0))


def _generator(ratio: np.ndarray) -> np.ndarray:
    """½ h(y) + ½ l h(−y/l) with h(y) = y − log(1 + y) and y = (l − 1)/2: neither term cancels."""
    half = (ratio - 1) / 2
    return (x_minus_log1p(half) + ratio * x_minus_log1p(-half / ratio)) / 2


def _peak(c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """l = E/(2 − E) with E = exp(2c/λ) < 2."""
    twice = 2 * (c / multiplier)
    inside = twice < _LOG_2
    power = np.exp(np.where(inside, twice, 0.0))
    return np.where(inside & (power < 2), power / np.where(power < 2, 2 - power, 1.0), np.inf)


def _conjugate(c: fmpq | arb, multiplier: fmpq | arb) -> arb | fmpq:
    """−½ λ log(2 − exp(2c/λ)), for 2c < λ log 2."""
    if multiplier == 0:
        return fmpq(0) if c <= 0 else arb("inf")
    left = 1 - arb(2 * c / multiplier).expm1()
    return -left.log() * multiplier / 2 if left > 0 else arb("inf")


def _ends() -> tuple[arb, arb]:
    """½ log 2, both."""
    return arb(2).log() / 2, arb(2).log() / 2


DIVERGENCE = Divergence(
    name="jensen-shannon",
    notation="JS(old, new)",
    unit="nats",
    field="jensen_shannon",
    reductions=(
        Reduction("max-jensen-shannon", "max_jensen_shannon"),
        Reduction("mean-jensen-shannon", "mean_jensen_shannon", mean=True),
    ),
    generator=_generator,
    at_zero=_LOG_2 / 2,
    at_infinity=_LOG_2 / 2,
    centred=_generator,
    tilt=0.0,
    peak=_peak,
    enclosed=lambda ratio: (arb(2 / (1 + ratio)).log() + arb(2 * ratio / (1 + ratio)).log() * ratio) / 2,
    conjugate=_conjugate,
    second_derivative=Fraction(1, 4),
    exact_ends=_ends,
    largest_radius=_LOG_2,  # it is at most log 2
)
