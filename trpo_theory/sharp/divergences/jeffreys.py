"""Jeffreys's divergence, KL both ways added: f(l) = (l − 1) log l."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.sharp.divergence import Divergence, Reduction

_LARGEST_EXPONENT = 700.0
"""eˣ is a float up to x = 709; an l beyond e^700 is no different to the program from e^700."""
_LARGE = 10**20
"""Beyond it e^z is not formed, and z − log z < y < z suffices for log y. Chosen."""


def _generator(ratio: np.ndarray) -> np.ndarray:
    return (ratio - 1) * np.log(ratio)


def _peak(c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """l = 1/ω(1 − c/λ), ω Wright's function: y + log y = z at y = ω(z)."""
    from scipy.special import wrightomega

    z = 1 - c / multiplier
    inside = z > -_LARGEST_EXPONENT
    return np.where(inside, 1 / wrightomega(np.where(inside, z, 1.0)), np.exp(_LARGEST_EXPONENT))


def _conjugate(c: fmpq | arb, multiplier: fmpq | arb) -> arb | fmpq:
    """λ (1/y − 1 − log y) with y + log y = z = 1 − c/λ, so that y = W(e^z), Lambert's function."""
    if multiplier == 0:
        return fmpq(0) if c <= 0 else arb("inf")
    z = arb(1 - c / multiplier)
    y = z.exp().lambertw() if z < _LARGE else z.union(z - z.log())
    return (1 / y - 1 - y.log()) * multiplier if y > 0 else arb("inf")


DIVERGENCE = Divergence(
    name="jeffreys",
    notation="Jeffreys(old, new)",
    unit="nats",
    field="jeffreys",
    reductions=(Reduction("max-jeffreys", "max_jeffreys"), Reduction("mean-jeffreys", "mean_jeffreys", mean=True)),
    generator=_generator,
    at_zero=np.inf,
    at_infinity=np.inf,
    centred=_generator,
    tilt=0.0,
    peak=_peak,
    enclosed=lambda ratio: (ratio - 1) * arb(ratio).log(),
    conjugate=_conjugate,
    second_derivative=Fraction(2),
)
