"""The program of small radii, solved in floats on nodes: docs/theory.md, "Small radii".

h(y) = sup { E[|y| ξ A + γ h(y + ξ)] : E ξ = 0, E ξ² ≤ 1, E A = 0, A = ±1 } is the program of the sharp gap with y for x − 1,
y + ξ for x l − 1 and ξ² for the divergence, and no bound on ξ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.sharp.divergence import Divergence
from trpo_theory.sharp.iteration import Solution, solved
from trpo_theory.sharp.laws import Prices
from trpo_theory.sharp.peaks import highest_everywhere
from trpo_theory.sharp.pricing import Stage
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.space import Chords, Space
from trpo_theory.sharp.supersolution import hull

_FURTHEST = 1e6
"""Of |ξ|, where nothing else bounds it. Chosen: as of the laws' largest l."""
_DECAYS = 12.0
"""The core reaches to where visits have fallen to exp(−12) = 6e-6. Chosen: h bends little beyond."""
_LEAST_STEPS = 8
"""The core reaches at least so many steps. Chosen, for small γ."""
_COARSEST = 3.0
"""The widest spacing of the core, in finest ones. Chosen: as of paths."""
_GROWTH = 1.35
"""Of the far nodes, from one to the next. Chosen: h is nearly a line there."""
_FAR = 1.6
"""Far nodes reach to so many cores. Chosen."""
_UNIT = 2.0**20
"""Nodes are multiples of 1/_UNIT: exact rationals stay short. Chosen."""
_LEAST_PRICE = 1e-12
"""λ of ξ² is at least this share of h(0): λ = 0 proves nothing. Chosen: it costs as much."""
_MARGIN, _ROUNDING = 1 + 1e-6, 1e-13
"""The lift is larger than needed by this factor and, relative to the function's largest value, by this. Chosen: it covers the
rounding of some 1e-16 that is in it."""


def _peak(c: np.ndarray, multiplier: np.ndarray) -> np.ndarray:
    """1 + c/(2λ)."""
    return 1 + np.clip(c / (2 * multiplier), -_FURTHEST, _FURTHEST)


def _conjugate(c: fmpq | arb, multiplier: fmpq | arb) -> arb | fmpq:
    """c + c²/(4λ)."""
    if multiplier == 0:
        return c if c == 0 else arb("inf")
    return c + c * c / (4 * multiplier)


SQUARE = Divergence(
    name="square",
    notation="square",
    unit="1",
    field="",
    reductions=(),
    generator=lambda ratio: (ratio - 1) ** 2,
    at_zero=1.0,
    at_infinity=math.inf,
    centred=lambda ratio: (ratio - 1) ** 2,
    tilt=0.0,
    peak=_peak,
    enclosed=lambda ratio: (ratio - 1) ** 2,
    conjugate=_conjugate,
    second_derivative=Fraction(2),
    support=(-math.inf, math.inf),
)
"""What every smooth divergence is at small radii: ξ², for ξ = l − 1 of either sign and any size."""


@dataclass(frozen=True, eq=False)
class EvenSupersolution:
    """w(y) = w(−y), linear from node to node 0 = y_0 < y_1 < ... and of slope 1/(1 − γ) beyond, with multipliers.

    Attributes:
        gamma: γ.
        nodes, w: y ≥ 0.
        multiplier, mu, nu: λ of E ξ² ≤ 1, μ of E ξ = 0 and ν of E A = 0, at each node.
    """

    gamma: Fraction
    nodes: np.ndarray
    w: np.ndarray
    multiplier: np.ndarray
    mu: np.ndarray
    nu: np.ndarray


@dataclass(frozen=True, eq=False)
class NodeLaws:
    """Laws of (ξ, A) that lead from node to node.

    Attributes:
        gamma: γ.
        positions: y of the nodes, 0 among them.
        target, sign: of each law's atoms, (nodes, 4): the node that ξ leads to, and A. Masses follow from the constraints.
        frozen: nodes without a law.
    """

    gamma: Fraction
    positions: np.ndarray
    target: np.ndarray
    sign: np.ndarray
    frozen: np.ndarray


def setting_of(gamma: float, exact_gamma: Fraction) -> Setting:
    """The setting of the program of small radii."""
    return Setting(SQUARE, gamma, 1.0, exact_gamma=exact_gamma, exact_radius=Fraction(1))


def line_space(gamma: float, per_step: float) -> Space:
    """Nodes symmetric about 0, evenly spaced near it and wider further out.

    A random walk with steps of 1 that ends with probability 1 − γ visits |y| about exp(−k |y|) as often as 0, cosh k = 1/γ.
    """
    decay = float(np.arccosh(1 / gamma))
    core, first = max(_DECAYS / decay, _LEAST_STEPS), 1 / per_step
    side = [0.0]
    while side[-1] < core:
        side.append(side[-1] + first * min(float(np.exp(decay * side[-1] / 3)), _COARSEST))
    while side[-1] < _FAR * core:
        side.append(side[-1] * _GROWTH)
    half = np.round(np.array(side) * _UNIT) / _UNIT
    return Space(np.concatenate([-half[:0:-1], half]), np.ones(2 * len(half) - 1), -math.inf)


def from_above(setting: Setting, space: Space, start: Solution | None = None) -> tuple[EvenSupersolution, Solution]:
    """A supersolution, in floats: that of laws which lead anywhere, on the vertices of its convex hull, and lifted."""
    solution = solved(setting, space, start=start)
    right = np.arange(space.start, space.size)
    y, slope = space.positions[right], 1 / (1 - setting.gamma)
    values = solution.stage.chords.values[right].copy()
    kept = hull(y, values, slope, keep=0)
    y, w = y[kept], values[kept]
    multiplier, mu, nu = (getattr(solution.prices, name)[right][kept].copy() for name in ("multiplier", "mu", "nu"))
    multiplier = np.maximum(multiplier, _LEAST_PRICE * w[0])
    even = Space(np.concatenate([-y[:0:-1], y]), np.ones(2 * len(y) - 1), -math.inf)
    chords = Chords(even, np.concatenate([w[:0:-1], w]), -slope, slope)
    node = np.arange(even.start, even.size)
    excess = highest_everywhere(
        Stage(setting, chords, setting.gamma), node, Prices(w - multiplier, mu, nu, multiplier)
    ).gain
    lift = (float(excess.max()) * _MARGIN + _ROUNDING * float(w[-1])) / (1 - setting.gamma)
    return EvenSupersolution(setting.proved_gamma, y, w + lift, multiplier, mu, nu), solution


def from_below(setting: Setting, space: Space, start: Solution | None = None) -> tuple[NodeLaws, float]:
    """Laws from node to node, and their value at 0 in floats."""
    solution = solved(setting, space, lattice=True, start=start)
    leads = space.positions[:, None] + solution.laws.atoms.excess
    target = np.searchsorted((space.positions[:-1] + space.positions[1:]) / 2, leads)
    laws = NodeLaws(setting.proved_gamma, space.positions, target, solution.laws.atoms.sign, solution.frozen)
    return laws, float(solution.values[space.start])
