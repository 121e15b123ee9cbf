"""`Divergence`: all that the sharp gap needs to know of an f-divergence, so that adding one takes one file.

A file in `divergences/` holds one value, `DIVERGENCE`; `DIVERGENCES` there, the command line's help and its error messages are
made from the files. tests/sharp/test_divergences.py checks the parts of each against each other and against `Quantities`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trpo_theory.sharp.normaliser import Normaliser

if TYPE_CHECKING:
    from trpo_theory.numerics.ball.raw import arb, fmpq
    from trpo_theory.zoo.families import Instance

_RETREAT, _ROUNDINGS = 1e-12, 64 * 2.0**-52
"""A witness keeps its divergence below its radius by this share, or by this over m, whichever is more: an l − 1 of size m is the
difference of two decimals, and has an error of some 2⁻⁵² / m. Chosen: well above rounding, and far below usual widths."""


def retreat(width: float) -> float:
    """The share of the radius that a witness leaves, so that the rounding of its rows does not put it outside.

    Args:
        width: m, of which size its l − 1 are; for a mean at most 1 − γ, as errors of its visits grow like 1/(1 − γ).
    """
    return max(_RETREAT, _ROUNDINGS / width)


@dataclass(frozen=True)
class Reduction:
    """A divergence over all states: its largest, or its mean under d_old.

    Attributes:
        name: on the command line, such as "max-kl".
        field: of `Quantities`, as a bound's formula reads it, such as "max_kl". None where `Quantities` has none, as no bound
            reads it; a first bound that does adds it there, a property such as `max_kl`, and here.
        mean: whether it is the mean under d_old.
    """

    name: str
    field: str | None = None
    mean: bool = False


class Reduced(NamedTuple):
    """A divergence with one of its reductions."""

    divergence: Divergence
    reduction: Reduction


@dataclass(frozen=True, eq=False)
class Divergence:
    """An f-divergence Σ_a old f(new/old) of a state's rows, l = new/old. docs/theory.md, "The sharp gap".

    In floats, functions take and return arrays. In ball arithmetic they take exact rationals, `conjugate` balls, too.

    Attributes:
        name: in proof files, such as "kl".
        notation: in the sentences of proof files, after "max-" or "mean-", such as "KL(old, new)".
        unit: of the radius, such as "nats".
        field: the divergence of each state in `Quantities`, such as "kl".
        reductions: those that are offered.
        generator: f at l > 0, convex, f(1) = 0, strictly convex or piecewise linear with its corner at 1; ∞ where it forbids l.
            The divergence is ≤ D only where E f ≤ D: "exactly where", but for `of_radius`.
        at_zero: f(0): what an action costs that only old takes; ∞ if new must take it. Exact as a float, or see `exact_ends`.
        at_infinity: lim f(l)/l, likewise: what an action costs that only new takes; ∞ if it must not.
        centred: f(l) + tilt (l − 1) at l > 0, without cancellation; its least value is f(1) = 0, so that it is small where the
            divergence is. As E l = 1, it stands for f.
        tilt: −f'(1), or any subgradient's, exact as a float.
        peak: (c, λ) -> the l ≥ 0 that maximises c l − λ f(l), for λ > 0; ∞ where it grows for ever.
        enclosed: l > 0 -> `centred`, exactly or enclosed.
        conjugate: (c, λ) -> sup over l > 0 of c l − λ f(l), λ ≥ 0, exactly or enclosed; ∞ where it grows for ever. Where f is
            ∞, λ f is, too, also for λ = 0. Both are rationals, or balls without radius; where a comparison of what is made of
            them is open, the larger value.
        second_derivative: f''(1), exactly: the divergence of a small step is f''(1)/2 E (l − 1)². None where f has none.
        exact_ends: () -> f(0) and lim f(l)/l, exactly or enclosed, where they are finite and no floats.
        of_mean: for a divergence that is an increasing function of E f: that function, in floats.
        enclosed_of_mean: the same, enclosed.
        of_worst: whether the divergence of a row is the largest f of its actions, and not their mean; ∞ where new takes an action
            that old does not.
        of_radius: D -> the f-divergence that is ≤ D exactly where this one is, for the two kinds above: see `at`.
        largest_variance: D -> the largest E (l − 1)² of a law whose divergence is ≤ D, exactly, where every such law can be
            spread, its mean kept, until it has that: what the normaliser sd needs. None where E (l − 1)² has no bound.
        support: f is finite between these l − 1; an engine in floats keeps to them, whatever λ is.
        largest_radius: beyond it the gap does not change, or the program's numbers do not suffice.
        coupled: whether the coupling argument is sharp for its largest value, as it is for total variation: `closed_forms`.
        most_nodes: more nodes a side do not bring the two bounds closer; None where they do.
        family: (mean, normaliser, gamma, radius) -> a family in closed form that attains the gap there, or None.
    """

    name: str
    notation: str
    unit: str
    field: str
    reductions: tuple[Reduction, ...]
    generator: Callable[[np.ndarray], np.ndarray]
    at_zero: float
    at_infinity: float
    centred: Callable[[np.ndarray], np.ndarray]
    tilt: float
    peak: Callable[[np.ndarray, np.ndarray], np.ndarray]
    enclosed: Callable[[fmpq], arb | fmpq]
    conjugate: Callable[[fmpq | arb, fmpq | arb], arb | fmpq]
    second_derivative: Fraction | None = None
    exact_ends: Callable[[], tuple[arb | fmpq, arb | fmpq]] | None = None
    of_mean: Callable[[np.ndarray], np.ndarray] | None = None
    enclosed_of_mean: Callable[[arb], arb] | None = None
    of_worst: bool = False
    of_radius: Callable[[Fraction], Divergence] | None = None
    largest_variance: Callable[[Fraction], Fraction] | None = None
    support: tuple[float, float] = (-1.0, math.inf)
    largest_radius: float = 20.0
    coupled: bool = False
    most_nodes: int | None = None
    family: Callable[[bool, Normaliser, float, float], Instance | None] | None = None

    def at(self, radius: Fraction) -> Divergence:
        """The f-divergence that is ≤ radius exactly where this divergence is: itself, if it is one.

        For |l − 1| ≤ D it has the generator 0 there, and ∞ beyond; for D_a ≤ D, which is E f ≤ r(D), the generator f D/r(D).
        Whatever is true of an f-divergence of radius D is true of it.
        """
        return self if self.of_radius is None else self.of_radius(radius)

    @property
    def largest(self) -> float:
        """f(0) + lim f(l)/l, which no pair of rows exceeds."""
        return self.at_zero + self.at_infinity

    def ends(self) -> tuple[arb | fmpq, arb | fmpq]:
        """f(0) and lim f(l)/l of the centred f, exactly or enclosed."""
        from trpo_theory.numerics.ball.raw import arb, fmpq

        at_zero, at_infinity = self.exact_ends() if self.exact_ends else map(arb, (self.at_zero, self.at_infinity))
        tilt = fmpq(*self.tilt.as_integer_ratio())
        return at_zero - tilt, at_infinity + tilt
