"""Which column of a node's linear program gains most at given prices: in closed form between nodes, or from node to node."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trpo_theory.sharp.laws import Atoms, Found, Prices
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.space import Chords, Space

_STEPS = 4.0
"""Columns within so many steps of l = 1, in log l, are tried in each search; `peaks` finds those beyond. Chosen: optimal laws of
a largest divergence lie near l = 1 ± m."""
_LONGEST_STEP = 3.0
"""Of a step down, in log l, where m is nearly 1: chosen, l = 1/20."""
_ENTRIES = 2_000_000
"""Of a table of nodes times columns. Chosen: 16 MB an array."""
_INSTEAD_OF_INFINITY = 1e3
"""The l − 1 that is tried where what a column gains grows for ever, on a line that begins at 1 or below, else so many times where
it begins: it ends that, and the action that only new takes follows. Chosen: with larger ones the duals lose digits."""
LARGEST_EXCESS = 1e6
"""Of an atom, where nothing else bounds it: beyond it, it is an action that only new takes."""
_LEAST_MULTIPLIER = 1e-300
"""In place of λ = 0 in a quotient: what it yields there is infinite or clipped."""


@dataclass(frozen=True, eq=False)
class Stage:
    """One step of the program: what a law at a node earns at once, and what the function ahead is worth.

    Attributes:
        setting: which gap.
        chords: v of what follows.
        discount: γ, of what follows.
        multiplier: λ of a mean, part of what is earned.
    """

    setting: Setting
    chords: Chords
    discount: float
    multiplier: float = 0.0

    @property
    def space(self) -> Space:
        """Of the nodes."""
        return self.chords.space

    def gains(self, node: np.ndarray, atoms: Atoms) -> np.ndarray:
        """|x − 1| (l − 1) A + γ v(x l), for a mean − λ f(l), of columns at nodes."""
        node = node[:, None]
        ahead = self.chords.ahead(node, atoms.excess)
        alone = self.chords.right * self.space.stretch[node] * atoms.excess
        return self.earned(node, atoms) + self.discount * np.where(atoms.own > 0, ahead, alone)

    def earned(self, node: np.ndarray, atoms: Atoms) -> np.ndarray:
        """|x − 1| (l − 1) A, or |x − 1|, for a mean − λ f(l)."""
        weight = self.space.weight[node]
        alone = 0.0 if self.setting.expected else atoms.excess
        signed = 1.0 if self.setting.expected else atoms.excess * atoms.sign
        reward = weight * np.where(atoms.own > 0, signed, alone)
        return reward - self.multiplier * atoms.cost if self.setting.mean else reward

    def only_new(self, node: np.ndarray, prices: Prices) -> Found:
        """The action that only new takes: −∞ where the divergence forbids it."""
        setting, one = self.setting, np.ones(len(node))
        cost = setting.cost_at_infinity
        if not np.isfinite(cost):
            return Found(-np.inf * one, Atoms(0 * one, one, 0 * one, 0 * one))
        atoms = Atoms(0 * one, one, 0 * one, one * cost / unit(setting))
        gain = self.gains(node, Atoms(*(part[:, None] for part in atoms)))[:, 0] - prices.mu
        return Found(gain if setting.mean else gain - prices.multiplier * cost, atoms)

    @cached_property
    def signs(self) -> tuple[float, ...]:
        """The values of A that count: none where the gap is normalised by max|Ā|."""
        return (0.0,) if self.setting.expected else (1.0, -1.0)


def unit(setting: Setting) -> float:
    """Of costs in the laws' columns: the radius, for a largest divergence."""
    return 1.0 if setting.mean else setting.radius


@dataclass(frozen=True, eq=False)
class Between:
    """Columns that lead anywhere: on each line of the chords what a column gains is concave in l, with one peak."""

    stage: Stage

    def __call__(self, node: np.ndarray, prices: Prices) -> Found:
        """The best, within some steps."""
        return best_of(_in_parts(self._near, self.stage, node, prices), self.stage.only_new(node, prices))

    def _near(self, node: np.ndarray, prices: Prices, segment: np.ndarray, inside: np.ndarray) -> Found:
        space, chords = self.stage.space, self.stage.chords
        at = node[:, None]
        knot = np.maximum(segment - 1, 0)
        ends = np.concatenate([[space.floor], space.positions, [np.inf]])
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = ((ends[segment + k] - space.positions[at]) / space.stretch[at] for k in (0, 1))
        slope = chords.slopes[segment]
        level = chords.values[knot] + slope * (space.positions[at] - space.positions[knot])
        return highest(self.stage, node, prices, (slope, level), (low, high), inside)


@dataclass(frozen=True, eq=False)
class ToNodes:
    """Columns that lead from node to node, in the limit of small radii: exact rationals have their values."""

    stage: Stage

    def __call__(self, node: np.ndarray, prices: Prices) -> Found:
        """The best, within some steps."""
        return _in_parts(self._near, self.stage, node, prices)

    def rounded(self, node: np.ndarray, prices: Prices, found: Found) -> Found:
        """The better of the columns to the two nodes about where columns lead."""
        segment = self.stage.chords.segment(node, found.atoms.excess)
        about = np.stack([segment - 1, segment], axis=1)
        inside = (about >= 0) & (about < self.stage.space.size)
        return self._near(node, prices, np.maximum(about, 0), inside)

    def _near(self, node: np.ndarray, prices: Prices, segment: np.ndarray, inside: np.ndarray) -> Found:
        stage, at = self.stage, node[:, None]
        target = np.minimum(segment, stage.space.size - 1)
        excess = stage.space.excess(at, target)
        cost = stage.setting.cost(excess)
        inside = inside & (excess >= stage.setting.least_excess) & np.isfinite(cost)
        cost = np.where(inside, cost, 0.0)
        common = stage.discount * stage.chords.values[target] - (prices.value + 0.0)[:, None]
        common = common - prices.mu[:, None] * excess - prices.multiplier[:, None] * cost
        weight = stage.space.weight[at]
        found = []
        for sign in stage.signs:
            reward = weight if stage.setting.expected else sign * weight * excess - sign * prices.nu[:, None]
            found.append(np.where(inside, common + reward, -np.inf))
        return _picked(stage, found, [excess] * len(found), [cost] * len(found))


def highest(
    stage: Stage,
    node: np.ndarray,
    prices: Prices,
    line: tuple[np.ndarray, np.ndarray],
    ends: tuple[np.ndarray, np.ndarray],
    inside: np.ndarray,
) -> Found:
    """The best column on lines, (nodes, lines).

    Args:
        stage: of the program.
        node: nodes.
        prices: at them.
        line: slope in position and value at the node's own position of each line.
        ends: the least and the largest l − 1 on it.
        inside: which count.
    """
    setting, space = stage.setting, stage.space
    multiplier, tilt = prices.multiplier[:, None], setting.divergence.tilt
    weight, stretch = space.weight[node][:, None], space.stretch[node][:, None]
    level = stage.discount * line[1] - prices.value[:, None] + (weight if setting.expected else 0.0)
    least, most = setting.divergence.support
    values, excesses, costs = [], [], []
    for sign in stage.signs:
        climb = stage.discount * line[0] * stretch + sign * weight - prices.mu[:, None]
        with np.errstate(all="ignore"):
            peak = setting.divergence.peak(climb - multiplier * tilt, np.maximum(multiplier, _LEAST_MULTIPLIER))
            excess = np.where(np.isinf(peak), np.maximum(1.0, ends[0]) * _INSTEAD_OF_INFINITY, peak - 1)
            excess = np.clip(excess, np.maximum(ends[0], least), np.minimum(ends[1], min(LARGEST_EXCESS, most)))
            cost = setting.cost(excess)
            value = (
                level - sign * prices.nu[:, None] + climb * excess - np.where(multiplier > 0, multiplier * cost, 0.0)
            )
        possible = inside & np.isfinite(value) & np.isfinite(cost)
        values.append(np.where(possible, value, -np.inf))
        excesses.append(excess)
        costs.append(cost)
    return _picked(stage, values, excesses, costs)


def best_of(*found: Found) -> Found:
    """The better one at each node."""
    best = found[0]
    for other in found[1:]:
        better = other.gain > best.gain
        atoms = Atoms(*(np.where(better, b, a) for a, b in zip(best.atoms, other.atoms, strict=True)))
        best = Found(np.where(better, other.gain, best.gain), atoms)
    return best


def _picked(stage: Stage, values: list[np.ndarray], excesses: list[np.ndarray], costs: list[np.ndarray]) -> Found:
    """The best column of tables (nodes, columns), one for each sign."""
    found = []
    for sign, value, excess, cost in zip(stage.signs, values, excesses, costs, strict=True):
        place = value.argmax(1)
        at = np.arange(len(value)), place
        one = np.ones(len(value))
        found.append(Found(value[at], Atoms(one, excess[at], sign * one, cost[at] / unit(stage.setting))))
    return best_of(*found)


def _in_parts(near, stage: Stage, node: np.ndarray, prices: Prices) -> Found:
    """`near` on the nodes, a part at a time, with the lines about each that are within some steps."""
    space, count = stage.space, stage.space.size
    low, high = (space.positions[node] + space.stretch[node] * z for z in _reach(stage.setting, space))
    first = np.searchsorted(space.positions, low)
    last = np.searchsorted(space.positions, high, side="right")
    columns = int((last - first).max(initial=0)) + 1
    parts = []
    size = max(1, _ENTRIES // columns)
    for begin in range(0, len(node), size):
        part = slice(begin, begin + size)
        segment = first[part, None] + np.arange(columns)
        inside = segment <= last[part, None]
        parts.append(near(node[part], prices.of(np.arange(len(node))[part]), np.minimum(segment, count), inside))
    gain = np.concatenate([part.gain for part in parts])
    return Found(gain, Atoms(*(np.concatenate(part) for part in zip(*(one.atoms for one in parts), strict=True))))


def _reach(setting: Setting, space: Space) -> tuple[float, float]:
    """l − 1 from and to."""
    m = setting.width
    if not np.isfinite(space.floor):
        return -_STEPS * m, _STEPS * m
    down = min(-float(np.log1p(-m)), _LONGEST_STEP) if m < 1 else _LONGEST_STEP
    step = _STEPS * max(float(np.log1p(m)), down)
    return float(np.expm1(-step)), float(np.expm1(step))
