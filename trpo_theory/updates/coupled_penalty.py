"""Penalties K(c) sd_d(Ā) of a radius c and of the spread of Ā over states, which couples the rows: exact for each c.

Rows meet only in x_g = Σ_a (p − old) A, which takes every value up to f_g(c). At a given K the maximiser of
    Σ ρ x − K sd_d(x),   x ≤ f(c),
evens x out from above, x = min(f, θ), and θ is explicit in the mean μ and variance v of f over the rows below it, with mass m:
    θ = μ + √(v/((1 + κ²) m − 1)),   κ = (1 − γ) K,   where (1 + κ²) m > 1.
Over c ∈ [a, b] the problem is at most that with f(b) and K(a). Closer: with z = (x − E x)/sd of the maximiser at b, sd(x) is at
least E z x and 1 − κ z ≥ 0 up to b, f is below its tangents in √c, and K above its own where it is convex in √c, which leaves
a quadratic in √c. Cells are cut until these bounds close.
Proofs: docs/theory.md, "Penalties that are not linear".
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from trpo_theory.errors import NotSolved
from trpo_theory.updates.penalties import penalty_at
from trpo_theory.updates.problems import Penalty
from trpo_theory.updates.solvers.answer import Answer
from trpo_theory.updates.solvers.blocks import Blocks
from trpo_theory.updates.status import Status
from trpo_theory.updates.surrogate import Surrogate

_RADII = np.geomspace(1e-16, 1e4, 121)
"""The first radii tried: chosen, six a decade over all sizes that steps have."""

_ROUNDS = 40
"""Of refinement at most, each of which cuts the worst cells in two."""

_CELLS = 12
"""Worst cells cut in a round: chosen, a few more than hold the maximum."""

_CLOSED = 1e-11
"""The relative gap at which refinement ends: a hundredth of the tolerance up to which an update passes as optimal."""

_TIGHT = 1e-9
"""The relative gap up to which the step may pass as optimal; where rows are evened out cells close to first order only."""

_LARGEST_SLOPE = 1e3
"""Of K over that of the best radius: a penalty is taken to be no steeper where the error of sd would count."""

_STEP = 1e-6
"""Of the difference that is K's slope, relative: chosen, its rounding is 1e-10 of what a cell is wide."""

_ROUNDINGS = 64
"""In units of ε, of slopes that may pass as equal: those of K at two radii."""


@dataclass(frozen=True)
class _Point:
    """A radius c, with what is known there.

    Attributes:
        gains, multiplier: f of the rows and their slopes in c, (G,).
        slope: K.
        steep: its slope in √c.
        levelled: the maximiser x, (G,).
        most: the maximum over rows, which is the objective where rows are states.
        value: the objective of the step.
    """

    radius: float
    gains: np.ndarray
    multiplier: np.ndarray
    slope: float
    steep: float
    levelled: np.ndarray
    most: float
    value: float


def evened(gains: np.ndarray, occupancy: np.ndarray, kappa: float) -> np.ndarray:
    """The maximiser of E x − κ sd(x) over x ≤ gains, (G,): gains ≥ 0, an occupancy that sums to 1."""
    order = np.argsort(gains)
    f, w = gains[order], occupancy[order]
    mass = np.cumsum(w)
    total = np.where(mass > 0, mass, 1.0)
    mean = np.cumsum(w * f) / total
    grown = np.concatenate([[0.0], np.where(mass[1:] > 0, w[1:] * mass[:-1] / total[1:], 0.0)])
    spread = np.cumsum(grown * (f - np.concatenate([[0.0], mean[:-1]])) ** 2) / total
    with np.errstate(all="ignore"):
        room = (1 + kappa**2) * mass - 1
        level = np.where((room > 0) & (mass > 0), mean + np.sqrt(spread / room), np.inf)
    above = np.concatenate([f[1:], [np.inf]])
    found = np.flatnonzero(level <= above)
    return np.minimum(gains, level[found[0]] if len(found) else np.inf)


def best_coupled_step(blocks: Blocks, surrogate: Surrogate, problem: Penalty) -> Answer:
    """The best radius and its step, with an upper bound over all policies; of a class that shares rows the best such step.

    There the spread over states is more than that over rows, with which the bound is computed.

    Raises:
        NotSolved: for a batch.
    """
    if len(surrogate.gamma) > 1:
        raise NotSolved("got a batch for a penalty of the spread of advantages; wanted one instance; loop over them")
    search = _Search(blocks, surrogate, problem)
    points = [search.point(0.0), *(search.point(float(c)) for c in _RADII)]
    cells: dict[tuple[float, float], float] = {}
    upper = np.inf
    for _ in range(_ROUNDS):
        most = max(point.most for point in points)
        steepest = max(points, key=lambda point: point.most).slope * _LARGEST_SLOPE
        for low, high in pairwise(points):
            if (low.radius, high.radius) not in cells:
                cells[low.radius, high.radius] = search.bound(low, high, steepest)
        bounds = sorted(((cells[a.radius, b.radius], a.radius, b.radius) for a, b in pairwise(points)), reverse=True)
        upper = max(bounds[0][0], most)
        if upper - most <= _CLOSED * most:
            break
        cut = [(low, high) for bound, low, high in bounds[:_CELLS] if bound > most * (1 + 0.5 * _CLOSED)]
        new = [search.point(float(np.sqrt(low * high)) if low > 0 else high / 16) for low, high in cut]
        points = sorted([*points, *new], key=lambda point: point.radius)
    best = max(points, key=lambda point: point.value)
    change = search.change(best.radius, best.gains, best.levelled)
    return Answer(
        change,
        np.maximum(surrogate.old + change, 0.0),
        np.zeros(surrogate.visitation.shape),
        upper=np.array([upper]),
        note=f"{len(points)} radii",
        status=None if upper - best.value <= _TIGHT * best.value else Status.HEURISTIC,
    )


class _Search:
    """The rows of one instance, and what is maximised at a radius."""

    def __init__(self, blocks: Blocks, surrogate: Surrogate, problem: Penalty) -> None:
        self.blocks, self.surrogate, self.problem = blocks, surrogate, problem
        self.rho = surrogate.visitation[:, 0]
        self.left = float(surrogate.complement[0])
        total = self.rho.sum()
        self.occupancy = self.rho / (total if total > 0 else 1.0)
        self.missed = 2 * float(np.max(surrogate.advantage_error))
        root = np.sqrt(np.concatenate([[0.0], _RADII]))
        slopes = np.array([self._slope(radius) for radius in root**2])
        slopes = slopes[np.isfinite(slopes)]
        rises = np.diff(slopes) / np.diff(root[: len(slopes)])
        self.convex = bool((rises[1:] >= rises[:-1] * (1 - _ROUNDINGS * np.finfo(np.float64).eps)).all())

    def _slope(self, radius: float) -> float:
        return float(penalty_at(self.surrogate, self.problem, np.array([radius]))[0])

    def point(self, radius: float) -> _Point:
        """What is known at a radius."""
        solved = self.blocks.solve(self.blocks.divergence.at_radius, np.array([radius]))
        gains, multiplier = solved[1][:, 0], solved[2][:, 0]
        slope, root = self._slope(radius), np.sqrt(radius)
        if not np.isfinite(slope):
            return _Point(radius, gains, multiplier, np.inf, np.inf, np.zeros_like(gains), -np.inf, -np.inf)
        above, below = (self._slope((root * (1 + sign * _STEP)) ** 2) for sign in (1, -1))
        steep = (above - below) / (2 * _STEP * root) if radius > 0 and np.isfinite(above) else np.inf
        levelled = evened(gains, self.occupancy, slope * self.left)
        most = self._objective(levelled, slope)
        value = most
        if self.surrogate.aggregation is not None:
            spread = self.surrogate.spread(self.change(radius, gains, levelled))
            value = float(self.rho @ levelled - slope * spread[0])
        return _Point(radius, gains, multiplier, slope, steep, levelled, most, value)

    def _objective(self, x: np.ndarray, slope: float) -> float:
        centred = x - self.occupancy @ x
        return float(self.rho @ x - slope * np.sqrt(self.occupancy @ centred**2))

    def bound(self, low: _Point, high: _Point, largest: float) -> float:
        """An upper bound on the objective of policies whose radius lies between.

        sd of the MDP itself is less by no more than the error of A.
        """
        if not np.isfinite(low.slope):
            return -np.inf
        slope = min(low.slope, largest)
        coarse = self._objective(evened(high.gains, self.occupancy, slope * self.left), slope) + slope * self.missed
        if not self.convex or low.radius == 0 or not np.isfinite(high.steep):
            return coarse
        x, root = high.levelled, np.sqrt(high.radius)
        centred = x - self.occupancy @ x
        spread = np.sqrt(self.occupancy @ centred**2)
        weight = self.occupancy * (centred / spread if spread > 0 else np.zeros_like(x))
        tangent = 2 * root * high.multiplier
        gain, gains = self.rho @ high.gains, self.rho @ tangent
        held, helds = weight @ high.gains, weight @ tangent
        left = np.sqrt(low.radius) - root
        if held + helds * left < 0 or held < 0:
            return coarse
        # (gain + gains u) − (K + K′ u) (held + helds u) for u from left to 0
        linear, square = gains - high.slope * helds - high.steep * held, -high.steep * helds
        at = [0.0, left]
        if square < 0 and left < -linear / (2 * square) < 0:
            at.append(-linear / (2 * square))
        fine = gain - high.slope * held + max(linear * u + square * u * u for u in at) + high.slope * self.missed
        return min(coarse, float(fine))

    def change(self, radius: float, gains: np.ndarray, levelled: np.ndarray) -> np.ndarray:
        """new − old, (A, G, 1): the steps within a radius, those above the level shortened to it."""
        answer = self.blocks.answer(self.blocks.divergence.at_radius, np.array([radius]))
        share = np.where(gains > 0, levelled / np.where(gains > 0, gains, 1.0), 1.0)
        return answer.change * share[:, None]
