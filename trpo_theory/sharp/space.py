"""`Space`: where the sharp gap's dynamic program has its values, and `Chords`, a function between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trpo_theory.sharp.setting import Setting

_DECAYS = 10.0
"""The core reaches to where visits, by old or by new, have fallen to exp(−10) = 5e-5. Chosen: v bends little beyond."""
_LEAST_STEPS = 8
"""The core reaches at least so many steps from 1. Chosen, for small γ, where a path is only a few steps long."""
_WIDEST = 14.0
"""The core's reach in log x, at most: beyond x = e¹⁴ = 1e6, |x − 1| is 1 or x to 1e-6, and v a line."""
_COARSEST = 3.0
"""The widest spacing of the core, in finest ones. Chosen: measured, a finer tail costs time and a coarser one width."""
_CLOSEST = 0.1
"""For a mean, nodes come as close to 1 as this share of the radius, each half as far as the last: rare large steps leave the
other actions a ratio that close to 1. Chosen."""
_GROWTH = 1.35
"""Of the far nodes' log x, from one to the next. Chosen: v is nearly a line there."""
_FAR = 3.0
"""Far nodes reach to this log x, and a third of the core further. Chosen: x = 20, beyond which |x − 1| and x differ little."""

_FAR_MEAN = 12.0
"""Likewise for a mean, whose price λ f(l) is small beside |x − 1| only at large x. Chosen: λ is some 1/(1 − γ) at most where it
counts, and x = 1e5; measured, mean-Jeffreys' lower end is 3 % too low without."""


@dataclass(frozen=True, eq=False)
class Space:
    """The nodes of the program.

    A law at a node leads from its position p to p + stretch · (l − 1). For paths, p = x − 1 and stretch = x; for the limit of
    small radii p and the step are in units of √(2D), and stretch = 1.

    Attributes:
        positions: p_1 < ... < p_N; one of them is 0, where a path starts.
        stretch: of each node.
        floor: the least position that there is: −1, that of x = 0, or −∞.
    """

    positions: np.ndarray
    stretch: np.ndarray
    floor: float = -1.0

    @property
    def size(self) -> int:
        """N."""
        return len(self.positions)

    @cached_property
    def start(self) -> int:
        """The node at 0."""
        return int(np.searchsorted(self.positions, 0.0))

    @cached_property
    def weight(self) -> np.ndarray:
        """|x − 1|."""
        return np.abs(self.positions)

    def excess(self, node: np.ndarray, target: np.ndarray) -> np.ndarray:
        """l − 1 of the law's atom that leads from node to target."""
        return (self.positions[target] - self.positions[node]) / self.stretch[node]


def ratio_space(ratios: np.ndarray) -> Space:
    """The space of paths over some likelihood ratios, 1 among them."""
    return Space(ratios - 1, ratios)


@dataclass(frozen=True, eq=False)
class Chords:
    """A piecewise linear function on a space: linear from node to node, and a line beyond either end.

    Attributes:
        space: with its nodes.
        values: at them.
        left, right: slopes of the outer lines.
    """

    space: Space
    values: np.ndarray
    left: float
    right: float

    @cached_property
    def slopes(self) -> np.ndarray:
        """N + 1 of them: the left line's, between the nodes, the right line's."""
        inner = np.diff(self.values) / np.diff(self.space.positions)
        return np.concatenate([[self.left], inner, [self.right]])

    def segment(self, node: np.ndarray, excess: np.ndarray) -> np.ndarray:
        """Which of the N + 1 lines holds p + stretch · excess."""
        space = self.space
        target = space.positions[node] + space.stretch[node] * excess
        return np.searchsorted(space.positions, target, side="right")

    def ahead(self, node: np.ndarray, excess: np.ndarray) -> np.ndarray:
        """The function at p + stretch · excess."""
        space = self.space
        segment = self.segment(node, excess)
        knot = np.maximum(segment - 1, 0)
        distance = (space.positions[node] - space.positions[knot]) + space.stretch[node] * excess
        return self.values[knot] + self.slopes[segment] * distance


def grid(setting: Setting, per_step: float, *, closest: float | None = None) -> np.ndarray:
    """Likelihood ratios about 1, symmetric in log x: even near 1, wider further out, and a few far ones.

    Chords over-estimate v, and states that know the next node alone fall short of it, each by at most a share (spacing/m)²/8
    where v bends. log X walks in steps of about m with drift −m²/2, so that what lies at a distance y is visited exp(−κ y) as
    often, by old or by new, κ = √(¼ + 2 log(1/γ)/m²) − ½; the spacing grows with the cube root of that.

    Args:
        setting: which gap.
        per_step: nodes in a step near 1.
        closest: for a mean, the radius that nodes come close to 1 for.

    Returns:
        x_1 .. x_N, with 1 in the middle.
    """
    step = float(np.log1p(setting.width))
    decay = float(np.sqrt(0.25 + 2 * np.log(1 / setting.memory) / step**2) - 0.5)
    core = min(max(_DECAYS / decay, _LEAST_STEPS * step), _WIDEST)
    first, side = step / per_step, [0.0]
    while side[-1] < core:
        side.append(side[-1] + first * min(float(np.exp(decay * side[-1] / 3)), _COARSEST))
    while side[-1] < (_FAR if closest is None else _FAR_MEAN) + core / 3:
        side.append(side[-1] * _GROWTH)
    half = np.array(side)
    if closest is not None:
        halvings = np.ceil(np.log2(max(2.0, first / (_CLOSEST * closest))))
        half = np.concatenate([[0.0], (first / 2.0 ** np.arange(1, 1 + halvings))[::-1], half[1:]])
    return np.exp(np.concatenate([-half[:0:-1], half]))
