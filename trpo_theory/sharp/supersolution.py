"""The upper bound on the sharp gap: a convex piecewise linear supersolution with its multipliers, in floats.

docs/theory.md, "Supersolutions".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from trpo_theory.errors import NotSolved
from trpo_theory.sharp.inequalities import Inequalities
from trpo_theory.sharp.program import Program
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.solution import Solution

_MARGIN = 1 + 1e-6
"""The lift is larger than needed by this factor, for its own rounding. Chosen."""
_GUARD = 1e-12
"""Added to μ, relative to w: the rounding of w's slopes, some 1e-14, must not make the right-hand side grow with l. Chosen."""
_CUT = 1e-12
"""An inequality that fails by more than this, in scaled units, is added to the program: below it is rounding."""
_ENOUGH = 1e-3
"""Cuts end where the supersolution is this close to the program's value: far less than the nodes leave between the bounds."""
_ROUNDS = 12
"""Of cuts, at most. Measured: 1 to 6 suffice as a rule; a mean at gamma = 0.99 uses all."""
_LARGEST_CUT = 1e15
"""An inequality at a larger l is added at this one: the largest that keeps a digit of l − 1's coefficient."""
_BUMPS = (0.0, 1e-11, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""Tried on μ at each place, in largest gains: the solver's tolerance may let the right-hand side grow with l, slowly; a bump ends
that at a cost of as much. Chosen: from rounding to a per cent."""
_LEAST_MULTIPLIER = 1e-300
"""In place of λ = 0 in a quotient: what it yields there is infinite or clipped, and then not used."""


@dataclass(frozen=True, eq=False)
class Supersolution:
    """w on nodes 0 = x_0 < x_1 < ..., linear between them and of slope `slope` beyond, with multipliers at each and at ∞.

    For every node x, l ≥ 0 and A = ±1:  w(x) ≥ |x − 1| (l − 1) A + γ w(x l) + λ (D − f(l)) − μ (l − 1) − ν A. Since w is
    convex, and with it the right-hand side at the best law, the inequality holds between the nodes too: G ≤ w(1).

    Attributes:
        setting: which gap.
        nodes, w: with x_0 = 0; one of the nodes is 1.
        slope: of w beyond the last node.
        multiplier, mu, nu: λ, μ, ν at each node and, last, at ∞.
    """

    setting: Setting
    nodes: np.ndarray
    w: np.ndarray
    slope: float
    multiplier: np.ndarray
    mu: np.ndarray
    nu: np.ndarray

    @property
    def bound(self) -> float:
        """The upper bound on G: w(1), for a mean with λ D/(1 − γ)."""
        at_one = float(self.w[np.searchsorted(self.nodes, 1.0)])
        setting = self.setting
        return at_one + (float(self.multiplier[0]) * setting.radius / (1 - setting.gamma) if setting.mean else 0.0)

    def excess(self) -> np.ndarray:
        """How far the inequality fails at each node, and last at ∞: ≤ 0 where it holds."""
        highest = [np.concatenate([value.max(1) for value, _ in self._by_place(sign)]) for sign in self._signs]
        return np.max(highest, 0) - self._left

    def violations(self, least: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where it fails by more than `least` (a number a place): places, ratios l and signs, the worst of each segment."""
        found = []
        for sign in self._signs:
            start = 0
            for value, peak in self._by_place(sign):
                allowed = (self._left + least)[start : start + len(value), None]
                place, segment = np.nonzero(value > allowed)
                found.append((start + place, peak[place, segment], np.full(len(place), sign)))
                start += len(value)
        places, ratios, signs = (np.concatenate(part) for part in zip(*found, strict=True))
        return places, ratios, signs

    @property
    def _signs(self) -> tuple[float, ...]:
        return (1.0,) if self.setting.expected else (1.0, -1.0)

    @property
    def _left(self) -> np.ndarray:
        """The left-hand side: w(x) at the nodes, the slope at ∞."""
        return np.append(self.w, self.slope)

    def _by_place(self, sign: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The right-hand side's largest value over each segment of l, and where: at x = 0, at the other nodes, and at ∞."""
        x, count, gamma = self.nodes, len(self.nodes), self.setting.gamma
        slopes = np.append(np.diff(self.w) / np.diff(x), self.slope)
        offsets = self.w - slopes * x
        at_zero, one, at_end = np.array([[0.0]]), np.array([[1.0]]), np.array([[np.inf]])
        yield self._best(sign, one, (0 * one, gamma * self.w[0] * one), (at_zero, at_end), slice(0, 1))
        inner = x[1:, None]
        segment = x[None] / inner, np.append(x[1:], np.inf)[None] / inner
        ahead = gamma * slopes[None] * inner, gamma * offsets[None]
        yield self._best(sign, np.abs(inner - 1), ahead, segment, slice(1, count))
        yield self._best(sign, one, (gamma * self.slope * one, 0 * one), (at_zero, at_end), slice(count, count + 1))

    def _best(
        self,
        sign: float,
        weight: np.ndarray,
        ahead: tuple[np.ndarray, np.ndarray],
        segment: tuple[np.ndarray, np.ndarray],
        at: slice,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The largest right-hand side over l in each segment [low, high], and where: concave on each, one peak.

        Args:
            sign: A.
            weight: |x − 1|.
            ahead: slope and offset in l of γ w(x l), a segment each.
            segment: low and high.
            at: the places.
        """
        setting, divergence = self.setting, self.setting.divergence
        multiplier, mu, nu = (part[at][:, None] for part in (self.multiplier, self.mu, self.nu))
        if setting.mean and at.start == len(self.nodes):
            multiplier = 0 * multiplier
        reward = 0.0 if setting.expected else sign * weight
        slope = reward + ahead[0] - mu
        level = ahead[1] + mu - reward + (weight if setting.expected else -sign * nu)
        budget = 0.0 if setting.mean else setting.radius
        with np.errstate(all="ignore"):
            peak = np.clip(divergence.peak(slope, np.maximum(multiplier, _LEAST_MULTIPLIER)), *segment)
            positive = peak > 0
            cost = np.where(positive, divergence.generator(np.where(positive, peak, 1.0)), divergence.at_zero)
            gain = level + np.where(positive, slope * peak, 0.0) + multiplier * budget
            value = gain - np.where(multiplier > 0, multiplier * cost, 0.0)
        return np.where(np.isnan(value), np.inf, value), peak


def least_supersolution(program: Program) -> tuple[Supersolution, Solution]:
    """The lowest supersolution of some rounds of cuts, and the solution of the last program.

    The rounds end when the supersolution is hardly above the program's own value.

    Raises:
        NotSolved: if the first program is not solved, or no supersolution is finite.
    """
    best: Supersolution | None = None
    solution: Solution | None = None
    for _ in range(_ROUNDS):
        try:
            solution = program.solve()
        except NotSolved:
            if best is None:
                raise
            break
        found = supersolution(solution)
        candidate = sound(found)
        if np.isfinite(candidate.bound) and (best is None or candidate.bound < best.bound):
            best = candidate
        if best is not None and best.bound <= (1 + _ENOUGH) * solution.value:
            break
        if not cut(program, found):
            break
    if best is None or solution is None:
        raise NotSolved(
            "got no finite supersolution of the sharp gap's program; wanted one; fix: use more nodes, or a radius "
            "and gamma further from their limits"
        )
    return best, solution


def supersolution(solution: Solution) -> Supersolution:
    """That of a solved program, on the vertices of its convex hull: its inequalities may still fail a little."""
    places, found = solution.places, solution.multipliers
    order = np.concatenate([[places.zero], np.arange(len(places.nodes))])
    x = np.append(0.0, places.nodes)
    w, slope = found.w[order], float(found.w[places.infinity])
    vertices = _hull(x, w, slope, keep=1 + places.one)
    at = np.append(order[vertices], places.infinity)
    return Supersolution(
        solution.setting, x[vertices], w[vertices], slope, found.multiplier[at], found.mu[at], found.nu[at]
    )


def sound(solution: Supersolution) -> Supersolution:
    """Lifted by c (1 + x), the least that makes every inequality hold: T(w + c (1 + x)) = T w + γ c (1 + x), as E l = 1."""
    x = np.append(solution.nodes, 0.0)
    unit = solution.setting.largest_gain
    tried = [replace(solution, mu=solution.mu + bump * unit * (1 + x)) for bump in _BUMPS]
    best = np.array([one.excess() for one in tried]).argmin(0)
    solution = replace(solution, mu=solution.mu + np.array(_BUMPS)[best] * unit * (1 + x))
    excess = solution.excess() / (1 + x)
    guard = _GUARD * np.append(solution.w, solution.slope) / (1 + x)
    lift = max(0.0, float((excess + 2 * guard).max()) / (1 - solution.setting.gamma) * _MARGIN)
    return lifted(replace(solution, mu=solution.mu + guard), lift)


def lifted(solution: Supersolution, lift: float, spare: float = 0.0) -> Supersolution:
    """w + lift (1 + x): every inequality gains (1 − γ) lift (1 + x).

    Args:
        solution: what is lifted.
        lift: by how much.
        spare: the share of that gain which goes into μ, and lowers the slope in l: where the conjugate is finite up to
            a slope only, as for total variation, a slope that a rounding error puts beyond it is no matter of w.
    """
    gamma, x = solution.setting.gamma, np.append(solution.nodes, 0.0)
    return replace(
        solution,
        w=solution.w + lift * (1 + solution.nodes),
        slope=solution.slope + lift,
        mu=solution.mu + lift * (gamma * np.append(solution.nodes, 1.0) + spare * (1 - gamma) * (1 + x)),
    )


def cut(program: Program, solution: Supersolution) -> int:
    """Add to the program the inequalities that its own solution violates, the worst of each segment; how many."""
    places = program.places
    place_of = np.append(np.searchsorted(places.nodes, solution.nodes), places.infinity)
    place_of[0] = places.zero
    found, ratios, signs = solution.violations(_CUT * places.scale(place_of) * program.unit)
    inner = ratios > 0
    program.add(Inequalities(place_of[found[inner]], np.minimum(ratios[inner], _LARGEST_CUT), signs[inner]))
    return int(inner.sum())


def _hull(x: np.ndarray, w: np.ndarray, slope: float, keep: int) -> np.ndarray:
    """The vertices of the lower convex hull of (x, w) and the direction (1, slope); x[keep] = 1 is always one of them."""
    kept: list[int] = []
    for i in range(len(x)):
        while len(kept) >= 2 and _above(x, w, kept[-2], kept[-1], i):
            kept.pop()
        kept.append(i)
    while len(kept) >= 2 and (w[kept[-1]] - w[kept[-2]]) / (x[kept[-1]] - x[kept[-2]]) > slope:
        kept.pop()
    return np.array(sorted({*kept, keep})) if keep in kept else _with_start(kept, keep, x, w)


def _above(x: np.ndarray, w: np.ndarray, i: int, j: int, k: int) -> bool:
    """Whether (x, w) of j is on or above the chord from i to k."""
    return bool((w[j] - w[i]) * (x[k] - x[i]) >= (w[k] - w[i]) * (x[j] - x[i]))


def _with_start(kept: list[int], keep: int, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Put 1 on the hull: it can be above it only by rounding, as w(1) is what is minimised."""
    w[keep] = np.interp(x[keep], x[kept], w[kept])
    return np.array(sorted({*kept, keep}))
