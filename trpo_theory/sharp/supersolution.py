"""The upper bound on the sharp gap: a convex piecewise linear supersolution with its multipliers, in floats.

docs/theory.md, "Supersolutions".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from trpo_theory.sharp.iteration import Solution
from trpo_theory.sharp.laws import Prices
from trpo_theory.sharp.peaks import highest_everywhere
from trpo_theory.sharp.pricing import LARGEST_EXCESS, Stage, best_of
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.space import Chords, Space

_MARGIN = 1 + 1e-6
"""The lift is larger than needed by this factor, for its own rounding. Chosen."""
_GUARD = 1e-12
"""Added to μ, relative to w: the rounding of w's slopes, some 1e-14, must not make the right-hand side grow with l. Chosen."""
_BUMPS = (1e-11, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""Tried on μ where the right-hand side is not bounded, in largest gains: laws that are best up to a tolerance may let it grow
with l, slowly; a bump ends that at a cost of as much. Chosen: from rounding to a per cent."""
_DEARER = (1.1, 1.2, 1.5, 2.0, 4.0)
"""Tried before on λ, each times the last. Chosen: e^(c/λ) is what l may be at most, so that little suffices."""
_STRAIGHT = 1e-13
"""A node is dropped that is below the chord over it by less than this, relative to the values: rounding. Slopes then increase for
certain, and the checker need not look at every line."""

_WRITTEN = 2.0**-50
"""Likewise of a node's x, which a proof reads as a decimal: between nodes 1e-8 apart that turns a slope."""


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
        ahead: values at the same nodes, and slope, of the function that γ multiplies, where that is not w itself: over a horizon.
    """

    setting: Setting
    nodes: np.ndarray
    w: np.ndarray
    slope: float
    multiplier: np.ndarray
    mu: np.ndarray
    nu: np.ndarray
    ahead: tuple[np.ndarray, float] | None = None

    @property
    def bound(self) -> float:
        """The upper bound on G: w(1), for a mean with λ D/(1 − γ), times the normaliser's factor."""
        at_one = float(self.w[np.searchsorted(self.nodes, 1.0)])
        return (at_one + float(self.multiplier[0]) * self.setting.whole_radius) * self.setting.factor

    def lifted(self, lift: float, spare: float = 0.0) -> Supersolution:
        """w + lift (1 + x): every inequality gains (1 − γ) lift (1 + x).

        Args:
            lift: by how much.
            spare: the share of that gain which goes into μ, and lowers the slope in l: where the conjugate is finite up to
                a slope only, as for total variation, a slope that a rounding error puts beyond it is no matter of w.
        """
        gamma, x = self.setting.gamma, np.append(self.nodes, 0.0)
        up = lift * (gamma * np.append(self.nodes, 1.0) + spare * (1 - gamma) * (1 + x))
        return replace(self, w=self.w + lift * (1 + self.nodes), slope=self.slope + lift, mu=self.mu + up)

    @cached_property
    def _stages(self) -> tuple[Stage, Stage, Stage]:
        """At x = 0, at the other nodes, at ∞: with the future as a function of position."""
        setting, gamma = self.setting, self.setting.gamma
        w, slope = (self.w, self.slope) if self.ahead is None else self.ahead
        left = float((w[1] - w[0]) / self.nodes[1])
        inner = Chords(Space(self.nodes[1:] - 1, self.nodes[1:]), w[1:], left, slope)
        end = Space(np.array([-1.0]), np.zeros(1))
        zero = Chords(end, w[:1], 0.0, 0.0)
        # at ∞ positions are ratios to where one is: w is s times them
        away = Chords(Space(np.array([-1.0]), np.ones(1)), np.array([slope]), slope, slope)
        multiplier = float(self.multiplier[0]) if setting.mean else 0.0
        return (
            Stage(setting, zero, gamma, multiplier),
            Stage(setting, inner, gamma, multiplier),
            Stage(setting, away, gamma, 0.0),
        )

    def excess(self, at: np.ndarray | None = None) -> np.ndarray:
        """How far the inequality fails at each node, and last at ∞: 0 where it holds.

        Args:
            at: of which of them; all.
        """
        last = len(self.nodes)
        at = np.arange(last + 1) if at is None else at
        found = np.empty(len(at))
        for stage, part in zip(self._stages, (at == 0, (at > 0) & (at < last), at == last), strict=True):
            chosen = at[part]
            if len(chosen):
                node = np.clip(chosen - 1, 0, stage.space.size - 1)
                found[part] = self._excess(stage, node, chosen)
        return found

    def growth(self, at: np.ndarray) -> np.ndarray:
        """The slope with which the right-hand side grows with l at last, at some nodes."""
        setting = self.setting
        x, inner = np.append(self.nodes, 1.0)[at], at < len(self.nodes)
        weight = 0.0 if setting.expected else np.where(inner, np.abs(x - 1), 1.0)
        slope = self.slope if self.ahead is None else self.ahead[1]
        ahead = setting.gamma * slope * np.where(at == 0, 0.0, x)
        limit = setting.divergence.at_infinity
        spent = np.where(self._charged(at) > 0, self._charged(at) * limit, 0.0) if np.isfinite(limit) else np.inf
        return weight + ahead - self.mu[at] - spent

    def _charged(self, at: np.ndarray) -> np.ndarray:
        """λ at some nodes; none at ∞ for a mean, as old never comes there."""
        return np.where(self.setting.mean & (at == len(self.nodes)), 0.0, self.multiplier[at])

    def _excess(self, stage: Stage, node: np.ndarray, at: np.ndarray) -> np.ndarray:
        setting, multiplier = self.setting, self._charged(at)
        budget = 0.0 if setting.mean else multiplier * setting.radius
        mu = self.mu[at] - setting.divergence.tilt * multiplier
        left = np.append(self.w, self.slope)[at]
        prices = Prices(left - budget, mu, self.nu[at], multiplier)
        found = best_of(highest_everywhere(stage, node, prices), stage.only_new(node, prices))
        return np.where(self._grows(stage, node, prices), np.inf, np.maximum(found.gain, 0.0))

    def _grows(self, stage: Stage, node: np.ndarray, prices: Prices) -> np.ndarray:
        """Whether the right-hand side grows with l for ever, or nearly."""
        setting = stage.setting
        if np.isfinite(setting.divergence.support[1]):
            return np.zeros(len(node), dtype=bool)
        weight = 0.0 if setting.expected else stage.space.weight[node]
        climb = stage.discount * stage.chords.right * stage.space.stretch[node] + weight - prices.mu
        climb = climb - setting.divergence.tilt * prices.multiplier
        positive = prices.multiplier > 0
        peak = setting.divergence.peak(climb, np.where(positive, prices.multiplier, 1.0))
        return np.where(positive, peak > LARGEST_EXCESS, climb > 0)


def supersolution(solution: Solution) -> Supersolution:
    """That of the best laws on the vertices of its convex hull, lifted until every inequality holds."""
    setting, ends, space = solution.setting, solution.ends, solution.space
    x = np.append(0.0, 1 + space.positions)
    w = np.append(ends.value, solution.stage.chords.values)
    kept = hull(x, w, ends.slope, keep=1 + space.start)
    parts = {}
    for name in ("multiplier", "mu", "nu"):
        zero, infinity = getattr(ends.zero, name), getattr(ends.infinity, name)
        parts[name] = np.concatenate([zero, getattr(solution.prices, name), infinity])[np.append(kept, len(x))]
    charged = parts["multiplier"].copy()
    if setting.mean:
        parts["multiplier"] = np.full(len(kept) + 1, solution.laws.shared)
        charged = np.append(parts["multiplier"][:-1], 0.0)
    parts["mu"] = parts["mu"] + setting.divergence.tilt * charged
    return sound(Supersolution(setting, x[kept], w[kept], ends.slope, **parts))


def sound(solution: Supersolution) -> Supersolution:
    """Lifted by c (1 + x), the least that makes every inequality hold: T(w + c (1 + x)) = T w + γ c (1 + x), as E l = 1."""
    solution, short = bounded(solution)
    return solution.lifted(short / (1 - solution.setting.gamma) * _MARGIN)


def bounded(solution: Supersolution) -> tuple[Supersolution, float]:
    """With every right-hand side bounded, and the most that an inequality fails by, in units of 1 + x."""
    x = np.append(solution.nodes, 0.0)
    unit = solution.setting.width
    guard = _GUARD * np.append(solution.w, solution.slope) / (1 + x)
    solution = replace(solution, mu=solution.mu + guard)
    excess = solution.excess()
    if not solution.setting.mean and np.isinf(solution.setting.divergence.at_infinity):
        solution = _dearer(solution, excess)
    at = np.flatnonzero(~np.isfinite(excess))
    if len(at):
        mu = solution.mu.copy()
        mu[at] += np.maximum(solution.growth(at), 0.0) + guard[at]
        solution = replace(solution, mu=mu)
        excess[at] = solution.excess(at)
    for bump in _BUMPS:
        at = np.flatnonzero(~np.isfinite(excess))
        if not len(at):
            break
        mu = solution.mu.copy()
        mu[at] += bump * unit * (1 + x[at])
        solution = replace(solution, mu=mu)
        excess[at] = solution.excess(at)
    return solution, max(0.0, float(((excess / (1 + x)) + 2 * guard).max()))


def _dearer(solution: Supersolution, excess: np.ndarray) -> Supersolution:
    """With a larger λ where the right-hand side is not bounded, and f grows faster than l: it costs D times as much as μ."""
    for factor in _DEARER:
        at = np.flatnonzero(~np.isfinite(excess))
        if not len(at):
            break
        multiplier = solution.multiplier.copy()
        multiplier[at] *= factor
        # μ is that of f, and prices are of the centred one
        dearer = replace(
            solution,
            multiplier=multiplier,
            mu=solution.mu + solution.setting.divergence.tilt * (multiplier - solution.multiplier),
        )
        excess[at] = dearer.excess(at)
        solution = dearer
    return solution


def hull(x: np.ndarray, w: np.ndarray, slope: float, keep: int) -> np.ndarray:
    """The vertices of the lower convex hull of (x, w) and the direction (1, slope); x[keep] = 1 is always one of them."""
    kept: list[int] = []
    for i in range(len(x)):
        while len(kept) >= 2 and _straight(x, w, kept[-2], kept[-1], i):
            kept.pop()
        kept.append(i)
    while len(kept) >= 2 and (w[kept[-1]] - w[kept[-2]]) / (x[kept[-1]] - x[kept[-2]]) > slope * (1 - _STRAIGHT):
        kept.pop()
    return np.array(sorted({*kept, keep})) if keep in kept else _with_start(kept, keep, x, w)


def _straight(x: np.ndarray, w: np.ndarray, i: int, j: int, k: int) -> bool:
    """Whether (x, w) of j is on the chord from i to k, up to rounding, or above it."""
    slope = (w[k] - w[i]) / (x[k] - x[i])
    chord = w[i] + slope * (x[j] - x[i])
    return bool(w[j] >= chord - _STRAIGHT * abs(chord) - _WRITTEN * abs(slope * x[j]))


def _with_start(kept: list[int], keep: int, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Put 1 on the hull: it can be above it only by rounding."""
    w[keep] = np.interp(x[keep], x[kept], w[kept])
    return np.array(sorted({*kept, keep}))
