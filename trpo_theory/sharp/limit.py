"""`sharp_limit`: the sharp gap of small radii, lim G(γ, D)/D = 2 h(0)/f''(1), from both sides."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from trpo_theory import _checks, bounds
from trpo_theory._outward import Toward, float_toward
from trpo_theory.entries.kinds import TRUTH, expect
from trpo_theory.errors import InvalidInput, NotKnown
from trpo_theory.model.types import RealLike
from trpo_theory.numerics.ball import rationals
from trpo_theory.numerics.ball.balls import Balls
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.numerics.ball.raw import precision
from trpo_theory.sharp.divergences import DIVERGENCES
from trpo_theory.sharp.gap import LARGEST_GAMMA, LEAST_GAMMA, LEAST_WIDTH, BoundAtRadius
from trpo_theory.sharp.iteration import Solution
from trpo_theory.sharp.normaliser import Normaliser
from trpo_theory.sharp.prove_limit import proved_above, proved_below
from trpo_theory.sharp.small_radii import EvenSupersolution, NodeLaws, from_above, from_below, line_space, setting_of
from trpo_theory.step.partial import KnownQuantities

if TYPE_CHECKING:
    import pandas as pd

_WIDTH = 1e-3
"""That is aimed at if none is given: a few seconds' work."""
_PER_STEP, _WIDTH_THERE = 32.0, 6e-4
"""So many nodes in a step leave about this width; it falls with the square. Measured at γ = 1/2 to 0.95."""
_LEAST_PER_STEP, _MOST_PER_STEP = 4.0, 400.0
"""Nodes in a step, at least and at most."""
_FINER, _TRIES = 1.15, 4
"""Nodes are added by this factor more than the width asks for, at most so often. Chosen: as of radii."""
_TINY = Fraction(1, 10**40)
"""The radius at which a bound's penalty is compared with its limit; G/D itself is at its limit there."""
_LINEAR = 1e-6
"""A penalty is linear in D at small radii if penalty/D changes by less than this from _TINY to _TINY/100."""
_BITS = 512
"""Of penalties at so small a radius: chosen, 1e-40 squared leaves more than two floats' bits."""


@dataclass(frozen=True, eq=False)
class LimitForDivergence:
    """lim G(γ, D)/D as D → 0, for one divergence.

    Attributes:
        divergence: such as "max-kl".
        gamma: γ, in floats.
        lower, upper: 2 h(0)/f''(1) is between them.
        certified: whether both are proved.
        bounds: each bound of the catalogue that is a function of γ, ε and this divergence and linear in it at small radii:
            its penalty over D at ε = 1, and lower over that, its share in the limit.
    """

    divergence: str
    gamma: float
    lower: float
    upper: float
    certified: bool
    bounds: list[BoundAtRadius]

    def to_frame(self) -> pd.DataFrame:
        """One row a bound."""
        import pandas as pd

        return pd.DataFrame(self.bounds)


@dataclass(frozen=True, eq=False)
class SharpLimit:
    """h(0) of docs/theory.md, "Small radii", between two bounds. It is the same for all divergences.

    Attributes:
        gamma: γ, in floats.
        exact_gamma: of what a proof is about.
        lower, upper: h(0) is between them; in floats, unless certified.
        certified: whether both were proved, in exact rationals.
        laws, supersolution: what proves lower and upper.
    """

    gamma: float
    exact_gamma: Fraction
    lower: float
    upper: float
    certified: bool
    laws: NodeLaws
    supersolution: EvenSupersolution

    def of(self, divergence: str) -> LimitForDivergence:
        """lim G(γ, D)/D = 2 h(0)/f''(1) of a largest divergence, and each bound's share in it.

        Args:
            divergence: a name of `DIVERGENCES`, such as "max-kl", whose f''(1) exists.

        Raises:
            InvalidInput: for another one.
        """
        second = second_derivative(divergence)
        ends = Fraction(self.lower) * 2 / second, Fraction(self.upper) * 2 / second
        lower, upper = (float_toward(end, toward) for end, toward in zip(ends, (Toward.DOWN, Toward.UP), strict=True))
        rows = _shares(divergence, self.exact_gamma, ends[0])
        return LimitForDivergence(divergence, self.gamma, lower, upper, self.certified, rows)

    def __repr__(self) -> str:
        kind = "proved" if self.certified else "in floats"
        return f"SharpLimit(gamma={self.gamma:.10g}: {self.lower:.8g} .. {self.upper:.8g}, {kind})"


def sharp_limit(gamma: RealLike, *, certify: bool = False, width: float | None = None) -> SharpLimit:
    """The constant h(0) of the sharp gap at small radii, from both sides: G(γ, D) ≈ 2 h(0) D/f''(1).

    The sharp gap's program in its limit, solved by policy iteration. docs/theory.md, "Small radii".

    Args:
        gamma: the discount; the rational that it is, or the decimal of a float, in proofs.
        certify: prove both bounds, in exact rationals.
        width: that is aimed at, upper/lower − 1; 0.1 % if none is given.

    Returns:
        A `SharpLimit`; its `of(divergence)` is the limit of G/D.

    Raises:
        InvalidInput: for numbers out of range.
        NotSolved: if policy iteration fails, or a proof.
    """
    expect(TRUTH, certify=certify)
    exact = rationals.number(gamma, "gamma")
    size = _checks.number_between(gamma, "gamma", LEAST_GAMMA, LARGEST_GAMMA)
    aim = _checks.number_between(_WIDTH if width is None else width, "width", LEAST_WIDTH, 1.0)
    setting = setting_of(size, exact)
    per_step = float(np.clip(_PER_STEP * np.sqrt(_WIDTH_THERE / aim), _LEAST_PER_STEP, _MOST_PER_STEP))
    best: SharpLimit | None = None
    start: Solution | None = None
    for _ in range(_TRIES):
        space = line_space(size, per_step)
        above, start = from_above(setting, space, start)
        laws, lower = from_below(setting, space, start)
        found = SharpLimit(size, exact, lower, float(above.w[0]), False, laws, above)
        best = found if best is None or _width(found) < _width(best) else best
        if _width(best) <= aim or per_step == _MOST_PER_STEP:
            break
        per_step = min(per_step * _FINER * max(float(np.sqrt(_width(best) / aim)), _FINER), _MOST_PER_STEP)
    assert best is not None
    return _proved(best) if certify else best


def _width(found: SharpLimit) -> float:
    return found.upper / found.lower - 1


def _proved(found: SharpLimit) -> SharpLimit:
    """With both ends proved, rounded outward.

    Raises:
        NotSolved: if a proof fails.
    """
    lower = float_toward(proved_below(found.laws), Toward.DOWN)
    upper = float_toward(proved_above(found.supersolution), Toward.UP)
    return SharpLimit(found.gamma, found.exact_gamma, lower, upper, True, found.laws, found.supersolution)


def second_derivative(divergence: str) -> Fraction:
    """f''(1) of a largest divergence that has one.

    Raises:
        InvalidInput: for another one.
    """
    smooth = {
        name: one.divergence.second_derivative
        for name, one in DIVERGENCES.items()
        if one.divergence.second_derivative is not None and not one.reduction.mean
    }
    _checks.known_name("divergence", divergence, DIVERGENCES)
    second = smooth.get(divergence)
    if second is None:
        raise InvalidInput(
            got=f"{divergence!r} for the limit of small radii",
            wanted=f"the largest of a divergence with a second derivative at 1: {', '.join(smooth)}",
            fix="choose one of them, or pass a radius",
        )
    return second


def _shares(divergence: str, gamma: Fraction, lower: Fraction) -> list[BoundAtRadius]:
    """Of the bounds that are linear at small radii, penalty/D, and `lower` over it."""
    field = DIVERGENCES[divergence].reduction.field
    rows: list[BoundAtRadius] = []
    for bound in bounds.plain().values():

        def over_radius(radius: Fraction, bound: bounds.Bound = bound) -> Ball:
            known = {"gamma": gamma, Normaliser.MAX.field: Fraction(1)} | ({} if field is None else {field: radius})
            exact = {name: Ball(x) for name, x in known.items()}
            return Ball(bound.penalty(KnownQuantities(Balls(), **exact))) / Ball(radius)

        try:
            with precision(_BITS):
                at, closer = over_radius(_TINY), over_radius(_TINY / 100)
        except NotKnown:
            continue
        penalty, other = at.midpoint, closer.midpoint
        if np.isfinite(penalty) and abs(other - penalty) <= _LINEAR * penalty:
            share = float_toward(lower / at.upper, Toward.DOWN)
            rows.append({"id": bound.id, "penalty": penalty, "ratio": share})
    return rows
