"""`cv_certificate`: three numbers of a step, whatever made it, that may certify it; free of the scale of the rewards."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import TYPE_CHECKING, Any

from trpo_theory._checks import as_float, scalar, shown
from trpo_theory._outward import Toward, float_toward
from trpo_theory.errors import InvalidInput
from trpo_theory.model.decimals import as_written, dyadic

if TYPE_CHECKING:
    Number = float | Fraction | Decimal
else:  # what callers pass is checked below, with a message, also where the tests check types at run time
    Number = object


@dataclass(frozen=True)
class CVCertificate:
    """What `cv_certificate` returns.

    Attributes:
        gamma, c, mean, sd: what it was asked of.
        cv: sd/mean, the coefficient of variation of Ā over d_old; ∞ where mean ≤ 0 < sd.
        largest: the c below which a step of this mean and sd is certified, (1 − γ)/(γ (1 + cv²)), rounded down; ∞ for γ = 0.
        certified: whether c is below it and mean > 0: then η(new) > η(old).
    """

    gamma: float
    c: float
    mean: float
    sd: float
    cv: float
    largest: float
    certified: bool


def cv_certificate(gamma: Number, c: Number, mean: Number, sd: Number) -> CVCertificate:
    """Whether a step raises η, from its largest χ² and the mean and the spread of its expected advantage.

    η(new) > η(old) if mean > 0 and c < (1 − γ)/(γ (1 + CV²)), CV = sd/mean; decided in rationals.
    Source: derived in docs/theory.md, "The coefficient of variation"; `update/cv-certificate`. It cannot be widened.

    Args:
        gamma: the discount, in [0, 1); a float is the decimal that it is written as.
        c: max_s χ²(new_s ‖ old_s) over the states that old visits, or anything above it; may be ∞.
        mean: E_d Ā, the mean of Ā(s) = Σ_a new(a|s) A_old(s,a) over d_old, in discounted reward; or anything below it.
        sd: the standard deviation of Ā over d_old, or anything above it.

    Returns:
        A `CVCertificate`.

    Raises:
        InvalidInput: for other numbers.

    >>> cv_certificate(0.9, 0.05, mean=1.0, sd=1.0)
    CVCertificate(gamma=0.9, c=0.05, mean=1.0, sd=1.0, cv=1.0, largest=0.05555555555555555, certified=True)
    """
    g = _rational(gamma, "gamma")
    g = as_written(gamma) if isinstance(gamma, float) else g
    if not 0 <= g < 1:
        raise InvalidInput(got=f"gamma = {shown(gamma)}", wanted="a discount in [0, 1)", fix="pass gamma=0.99")
    gamma, c, mean, sd = (
        scalar(value, name) for name, value in [("gamma", gamma), ("c", c), ("mean", mean), ("sd", sd)]
    )
    finite = math.isfinite(as_float(c))
    size = _rational(c, "c") if finite else Fraction(0)
    m, s = _rational(mean, "mean"), _rational(sd, "sd")
    if size < 0 or s < 0 or not (finite or as_float(c) == math.inf):
        raise InvalidInput(
            got=f"c = {shown(c)}, sd = {shown(sd)}", wanted="0 or more, c may be infinite", fix="check the signs"
        )
    largest: Fraction | None = largest_chi2(g, m, s) if m > 0 and g > 0 else None
    return CVCertificate(
        gamma=float(gamma),
        c=as_float(c),
        mean=float(mean),
        sd=float(sd),
        cv=float(s / m) if m > 0 else (math.inf if s > 0 else math.nan),
        largest=float_toward(largest, Toward.DOWN) if largest is not None else (math.inf if m > 0 else 0.0),
        certified=finite and m > 0 and (largest is None or size < largest),
    )


def largest_chi2(gamma: Any, mean: Any, sd: Any) -> Any:
    """(1 − γ)/(γ (1 + CV²)), CV = sd/mean, without dividing by the mean: of rationals, or of arrays."""
    return (1 - gamma) / gamma * mean**2 / (mean**2 + sd**2)


def _rational(value: Number, name: str) -> Fraction:
    if not math.isfinite(as_float(value)):
        raise InvalidInput(got=f"{name} = {shown(value)}", wanted="a finite number", fix="pass a float or a Fraction")
    return Fraction(value) if isinstance(value, (Rational, Decimal)) else dyadic(float(value))
