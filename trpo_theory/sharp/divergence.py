"""`Divergence`: all that the sharp gap needs to know of an f-divergence, so that adding one takes one file.

A file in `divergences/` holds one value, `DIVERGENCE`; `DIVERGENCES` there, the command line's help and its error messages are
made from the files. tests/sharp/test_divergences.py checks the parts of each against each other and against `Quantities`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trpo_theory.sharp.normaliser import Normaliser

if TYPE_CHECKING:
    from trpo_theory.numerics.ball.raw import arb, fmpq
    from trpo_theory.zoo.families import Instance

RETREAT = 1e-12
"""A witness keeps its divergence at most radius (1 − RETREAT), so that the rounding of its own evaluation, some 1e-14, does
not put it outside. Chosen."""


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

    In floats, functions take and return arrays. In ball arithmetic they take exact rationals.

    Attributes:
        name: in proof files, such as "kl".
        notation: in the sentences of proof files, after "max-" or "mean-", such as "KL(old, new)".
        unit: of the radius, such as "nats".
        field: the divergence of each state in `Quantities`, such as "kl".
        reductions: those that are offered.
        generator: f at l > 0, convex, f(1) = 0, strictly convex or piecewise linear with its corner at 1.
        at_zero: f(0), exact as a float: what an action costs that only old takes; ∞ if new must take it.
        at_infinity: lim f(l)/l, exact as a float: what an action costs that only new takes; ∞ if it must not.
        centred: f(l) + tilt (l − 1) at l > 0, without cancellation; its least value is f(1) = 0, so that it is small where the
            divergence is. As E l = 1, it stands for f.
        tilt: −f'(1), or any subgradient's, exact as a float.
        peak: (c, λ) -> the l ≥ 0 that maximises c l − λ f(l), for λ > 0; ∞ where it grows for ever.
        largest_gain: radius -> max E[(l − 1) A] over |A| ≤ 1, E A = 0 at this radius, or a number above it that agrees with it
            to leading order.
        enclosed: l > 0 -> `centred`, exactly or enclosed.
        conjugate: (c, λ) -> sup over l > 0 of c l − λ f(l), λ ≥ 0, exactly or enclosed; ∞ where it grows for ever.
        largest_radius: beyond it the gap does not change, or the program's numbers do not suffice.
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
    largest_gain: Callable[[float], float]
    enclosed: Callable[[fmpq], arb | fmpq]
    conjugate: Callable[[fmpq, fmpq], arb | fmpq]
    largest_radius: float = 20.0
    most_nodes: int | None = None
    family: Callable[[bool, Normaliser, float, float], Instance | None] | None = None
