"""The largest |new/old − 1| of an action, at most e under a ratio clip [1 − e, 1 + e], as a hard constraint.

It is no f-divergence: |l − 1| ≤ e is the one whose generator is 0 there and ∞ beyond, `Divergence.at`. E |l − 1| ≤ e is weaker.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.sharp.divergence import Divergence, Reduction

_NAME, _NOTATION, _UNIT, _FIELD = "ratio-deviation", "|new/old - 1|", "|new/old − 1|", "ratio_deviation"
_REDUCTIONS = (Reduction("max-ratio-deviation", "max_ratio_deviation"),)


def _generator(ratio: np.ndarray) -> np.ndarray:
    return np.abs(ratio - 1)


def _peak(c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """0, the corner 1 or ∞, as for total variation."""
    return np.where(c + multiplier <= 0, 0.0, np.where(c - multiplier >= 0, np.inf, 1.0))


def _conjugate(c: fmpq | arb, multiplier: fmpq | arb) -> arb | fmpq:
    """The larger of −λ (at l = 0) and c (at l = 1), for c ≤ λ."""
    return max(c, -multiplier) if c <= multiplier else arb("inf")


def _largest_variance(radius: Fraction) -> Fraction:
    """That of the two ends 1 + e and max(1 − e, 0), into which every law between them may be spread."""
    return radius * min(radius, Fraction(1))


def _clip(radius: Fraction) -> Divergence:
    """The generator 0 on [1 − e, 1 + e], ∞ elsewhere: its conjugate is linear on either side of c = 0, whatever λ is."""
    least, most = max(1 - radius, Fraction(0)), 1 + radius
    low, high = float(least), float(most)
    exact_low, exact_high = fmpq(*least.as_integer_ratio()), fmpq(*most.as_integer_ratio())
    inside = 1e-15 * high  # an l that was meant to be an end, rounded

    def generator(ratio: np.ndarray) -> np.ndarray:
        return np.where((ratio >= low - inside) & (ratio <= high + inside), 0.0, np.inf)

    return Divergence(
        name=_NAME,
        notation=_NOTATION,
        unit=_UNIT,
        field=_FIELD,
        reductions=_REDUCTIONS,
        generator=generator,
        at_zero=0.0 if least == 0 else np.inf,
        at_infinity=np.inf,
        centred=generator,
        tilt=0.0,
        peak=lambda c, multiplier: np.where(c > 0, high, np.where(c < 0, low, 1.0)) + 0 * multiplier,
        enclosed=lambda ratio: fmpq(0) if exact_low <= ratio <= exact_high else arb("inf"),
        conjugate=lambda c, multiplier: c * (exact_high if c > 0 else exact_low),
        largest_variance=_largest_variance,
        support=(max(-float(radius), -1.0), float(radius)),
    )


DIVERGENCE = Divergence(
    name=_NAME,
    notation=_NOTATION,
    unit=_UNIT,
    field=_FIELD,
    reductions=_REDUCTIONS,
    generator=_generator,
    at_zero=1.0,
    at_infinity=1.0,
    centred=_generator,
    tilt=0.0,
    peak=_peak,
    enclosed=lambda ratio: abs(ratio - 1),
    conjugate=_conjugate,
    largest_variance=_largest_variance,
    of_worst=True,
    of_radius=_clip,
)
