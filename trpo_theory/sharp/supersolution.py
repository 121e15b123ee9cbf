"""The upper bound on the sharp gap: a convex piecewise linear supersolution with its multipliers, in floats, made sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trpo_theory.errors import NotSolved
from trpo_theory.sharp.program import Divergence, Program

_MARGIN = 1 + 1e-6
_GUARD = 1e-12
"""Relative: float rounding must not make what stands on the right grow with l."""
_CUT = 1e-12
_ENOUGH = 1e-3
_ROUNDS = 12
_BUMPS = (0.0, 1e-11, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""Added to μ, at a cost of as much: the program's own tolerance may let the right-hand side grow with l, slowly."""


@dataclass(frozen=True, eq=False)
class Supersolution:
    """w on nodes 0 = x_0 < x_1 < ..., linear between them and of slope `slope` beyond, with multipliers at each and at ∞.

    For every node x, l ≥ 0 and A = ±1:  w(x) ≥ |x − 1| (l − 1) A + γ w(x l) + λ (D − f(l)) − μ (l − 1) − ν A. Since w is
    convex, and with it what stands on the right at the best law, the inequality holds between the nodes too: G ≤ w(1).

    Attributes:
        divergence, gamma, radius, mean, expected: of the program.
        nodes, w: with x_0 = 0; one of them is 1.
        slope: of w beyond the last node.
        price, mu, nu: λ, μ, ν at each node and, last, at ∞.
    """

    divergence: Divergence
    gamma: float
    radius: float
    mean: bool
    expected: bool
    nodes: np.ndarray
    w: np.ndarray
    slope: float
    price: np.ndarray
    mu: np.ndarray
    nu: np.ndarray

    @property
    def bound(self) -> float:
        """What it proves: w(1), and λ D/(1 − γ) for a mean."""
        start = float(self.w[np.searchsorted(self.nodes, 1.0)])
        return start + (float(self.price[0]) * self.radius / (1 - self.gamma) if self.mean else 0.0)

    def excess(self) -> np.ndarray:
        """How far the inequality fails at each node, and last at ∞: ≤ 0 where it holds."""
        return np.max(
            [np.concatenate([value.max(1) for value, _ in self._by_place(sign)]) for sign in self._signs], 0
        ) - (self._held)

    def violations(self, least: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where it fails by more than `least` (a number a place): places, ratios l and signs, the worst of each segment."""
        found = []
        for sign in self._signs:
            start = 0
            for value, peak in self._by_place(sign):
                held = (self._held + least)[start : start + len(value), None]
                place, segment = np.nonzero(value > held)
                found.append((start + place, peak[place, segment], np.full(len(place), sign)))
                start += len(value)
        places, ratios, signs = (np.concatenate(part) for part in zip(*found, strict=True))
        return places, ratios, signs

    @property
    def _signs(self) -> tuple[float, ...]:
        return (1.0,) if self.expected else (1.0, -1.0)

    @property
    def _held(self) -> np.ndarray:
        return np.append(self.w, self.slope)

    def _by_place(self, sign: float) -> Iterator[tuple[Any, Any]]:
        """The right-hand side's largest value over each segment of l, and where: at x = 0, at the other nodes, and at ∞."""
        x, count = self.nodes, len(self.nodes)
        slopes = np.append(np.diff(self.w) / np.diff(x), self.slope)
        offsets = self.w - slopes * x
        at_zero, one, at_end = np.array([[0.0]]), np.array([[1.0]]), np.array([[np.inf]])
        yield self._best(sign, one, 0 * one, self.gamma * self.w[0] * one, at_zero, at_end, slice(0, 1))
        inner = x[1:, None]
        low, high = x[None] / inner, np.append(x[1:], np.inf)[None] / inner
        climb, base = self.gamma * slopes[None] * inner, self.gamma * offsets[None]
        yield self._best(sign, np.abs(inner - 1), climb, base, low, high, slice(1, count))
        climb = self.gamma * self.slope * one
        yield self._best(sign, one, climb, 0 * one, at_zero, at_end, slice(count, count + 1))

    def _best(self, sign: float, weight: Any, climb: Any, base: Any, low: Any, high: Any, at: slice) -> tuple[Any, Any]:
        """The largest right-hand side over l in each of the segments [low, high], and where: concave on each, one peak."""
        price, mu, nu = (part[at][:, None] for part in (self.price, self.mu, self.nu))
        if self.mean and at.start == len(self.nodes):
            price = 0 * price
        reward = 0.0 if self.expected else sign * weight
        slope = reward + climb - mu
        level = base + mu - reward + (weight if self.expected else -sign * nu)
        budget = 0.0 if self.mean else self.radius
        with np.errstate(all="ignore"):
            peak = np.clip(self.divergence.peak(slope, np.maximum(price, 1e-300)), low, high)
            cost = np.where(peak > 0, self.divergence.generator(np.where(peak > 0, peak, 1.0)), self.divergence.at_zero)
            value = (
                level + np.where(peak > 0, slope * peak, 0.0) + price * budget - np.where(price > 0, price * cost, 0.0)
            )
        return np.where(np.isnan(value), np.inf, value), peak


def least_supersolution(program: Program) -> Supersolution:
    """Cuts, until the supersolution is hardly above the program's own value, or they are used up; the best of the rounds."""
    best: Supersolution | None = None
    for _ in range(_ROUNDS):
        try:
            raw = supersolution(program.solve())
        except NotSolved:
            if best is None:
                raise
            break
        lifted = sound(raw)
        if np.isfinite(lifted.bound) and (best is None or lifted.bound < best.bound):
            best = lifted
        if best is not None and best.bound <= (1 + _ENOUGH) * program.value:
            break
        if not cut(program, raw):
            break
    if best is None:
        raise NotSolved(
            "got no finite supersolution of the sharp gap's program; wanted one; fix: use more nodes, or a radius "
            "and gamma further from their limits"
        )
    return best


def supersolution(program: Program) -> Supersolution:
    """That of a solved program, on the vertices of its convex hull."""
    told = program.multipliers()
    count = len(program.nodes)
    order = np.concatenate([[count], np.arange(count)])
    x = np.append(0.0, program.nodes)
    w, slope = told["w"][order], float(told["w"][count + 1])
    vertices = _hull(x, w, slope, keep=1 + count // 2)
    places = np.append(order[vertices], count + 1)
    return Supersolution(
        program.divergence,
        program.gamma,
        program.radius,
        program.mean,
        program.expected,
        x[vertices],
        w[vertices],
        slope,
        *(told[name][places] for name in ("price", "mu", "nu")),
    )


def sound(solution: Supersolution) -> Supersolution:
    """Lifted by c (1 + x), the least that makes every inequality hold: T(w + c (1 + x)) = T w + γ c (1 + x), as E l = 1."""
    x = np.append(solution.nodes, 0.0)
    unit = solution.divergence.largest(solution.radius)
    tried = [replace(solution, mu=solution.mu + bump * unit * (1 + x)) for bump in _BUMPS]
    best = np.array([one.excess() for one in tried]).argmin(0)
    solution = replace(solution, mu=solution.mu + np.array(_BUMPS)[best] * unit * (1 + x))
    excess = solution.excess() / (1 + x)
    guard = _GUARD * np.append(solution.w, solution.slope) / (1 + x)
    lift = max(0.0, float((excess + 2 * guard).max()) / (1 - solution.gamma) * _MARGIN)
    return lifted(replace(solution, mu=solution.mu + guard), lift)


def lifted(solution: Supersolution, lift: float) -> Supersolution:
    """w + lift (1 + x): every inequality gains (1 − γ) lift (1 + x)."""
    return replace(
        solution,
        w=solution.w + lift * (1 + solution.nodes),
        slope=solution.slope + lift,
        mu=solution.mu + solution.gamma * lift * np.append(solution.nodes, 1.0),
    )


def cut(program: Program, solution: Supersolution) -> int:
    """Add to the program the constraints that its own solution violates, the worst of each segment; how many."""
    count = len(program.nodes)
    place_of = np.append(np.searchsorted(program.nodes, solution.nodes), count + 1)
    place_of[0] = count
    places, ratios, signs = solution.violations(_CUT * program.scale(place_of) * program.unit)
    wanted = ratios > 0
    program.add(place_of[places[wanted]], np.minimum(ratios[wanted], 1e15), signs[wanted])
    return int(wanted.sum())


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
    return bool((w[j] - w[i]) * (x[k] - x[i]) >= (w[k] - w[i]) * (x[j] - x[i]))


def _with_start(kept: list[int], keep: int, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """1 lies above the hull, which cannot be at an optimum: w(1) is what is minimised."""
    w[keep] = np.interp(x[keep], x[kept], w[kept])
    return np.array(sorted({*kept, keep}))
