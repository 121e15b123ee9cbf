"""Nodes where they are needed: in the segments that keep the ends of a sharp gap apart most.

docs/theory.md, "Both ends as computed".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trpo_theory.sharp.iteration import Flow, Solution
from trpo_theory.sharp.space import Space, ratio_space

_LEFT = 0.4
"""Of what a segment costs, that is left after it was divided: 1/4 of one with targets all over it, none of one with a single
target, unless it moves. Measured."""
_BULK = 0.9
"""Share of the whole cost in the segments that are divided at once. Chosen: with less there are more rounds, with more nodes."""
_EDGE = 0.05
"""Of a segment, that a new node keeps from its ends. Chosen."""


class Cost(NamedTuple):
    """Of the segments between neighbouring nodes, (N − 1,).

    Attributes:
        each: by how much each keeps both ends apart, relative to the gap.
        centre: the mean position of the targets in it, weighted likewise; NaN where there are none.
    """

    each: np.ndarray
    centre: np.ndarray

    @property
    def whole(self) -> float:
        """By how much all keep them apart."""
        return float(self.each.sum())


def cost_of(solution: Solution) -> Cost:
    """By how much each segment keeps the two ends apart, estimated from the upper one's laws.

    An atom leads from x to x l between two nodes. There the upper end has the chord of v, which is above v. The lower one leads
    to these nodes, with the same mean: of |x − 1| (l − 1) A + γ v(x l) − λ f(l), which touches its price at l and is concave, it
    has the chord, which is below. Both have the chord of v, and so they are apart by λ times what the chord of f is above f, for
    every path that comes there.
    """
    setting, space, atoms, masses = solution.setting, solution.space, solution.laws.atoms, solution.masses
    node = np.arange(space.size)[:, None]
    segment = solution.stage.chords.segment(node, atoms.excess)
    inner = (segment > 0) & (segment < space.size) & (atoms.own > 0)
    left, right = np.clip(segment - 1, 0, None), np.clip(segment, None, space.size - 1)
    ends = [space.excess(node, at) for at in (left, right)]
    gap = ends[1] - ends[0]
    share = np.where(gap > 0, (atoms.excess - ends[0]) / np.where(gap > 0, gap, 1.0), 0.0)
    below, above, itself = (setting.cost(np.where(inner, excess, 0.0)) for excess in (*ends, atoms.excess))
    price = solution.laws.shared if setting.mean else solution.prices.multiplier[:, None]
    visits = Flow(space, atoms, masses, solution.frozen).visits(setting.gamma, space.start)
    apart = np.maximum((1 - share) * below + share * above - itself, 0.0)
    weight = np.where(inner, price * apart * masses * visits[:, None], 0.0)
    count = space.size - 1
    each = np.bincount(left[inner], weights=weight[inner], minlength=count)[:count]
    target = space.positions[node] + space.stretch[node] * atoms.excess
    moment = np.bincount(left[inner], weights=(weight * target)[inner], minlength=count)[:count]
    with np.errstate(invalid="ignore"):
        return Cost(each / solution.value, moment / each)


def divided(space: Space, cost: Cost, goal: float) -> Space:
    """The space with one node more in the segments that cost most: in as many as bring the whole cost to the goal, if all can."""
    order = np.argsort(-cost.each, kind="stable")
    total = cost.whole
    so_far = np.cumsum(cost.each[order])
    enough = np.searchsorted(so_far, min(_BULK * total, (total - goal) / (1 - _LEFT)))
    chosen = order[: int(enough) + 1]
    chosen = chosen[cost.each[chosen] > 0]
    low, high = space.positions[chosen], space.positions[chosen + 1]
    edge = _EDGE * (high - low)
    return ratio_space(np.union1d(space.stretch, 1 + np.clip(cost.centre[chosen], low + edge, high - edge)))
