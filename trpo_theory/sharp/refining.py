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

    An atom that leads between two nodes, at the share t of the way h, comes to either of them by chance, so that x has a variance
    of t (1 − t) h² there. For the upper end that is worth ½ t (1 − t) h² v'' too much; for the lower one, whose state knows the
    node alone, as much is lost again of what x has spread before. v'' is the mean of that at both nodes.
    """
    setting, space, atoms, masses = solution.setting, solution.space, solution.laws.atoms, solution.masses
    node, count = np.arange(space.size)[:, None], space.size - 1
    target = space.positions[node] + space.stretch[node] * atoms.excess
    right = np.searchsorted(space.positions, target, side="right")
    inner = (right > 0) & (right <= count) & (atoms.own > 0)
    left = np.clip(right - 1, 0, count - 1)
    gaps = np.diff(space.positions)
    ahead, behind = space.positions[left + 1] - target, target - space.positions[left]
    visits = Flow(space, atoms, masses, solution.frozen).visits(setting.gamma, space.start)
    spread = np.where(inner, np.maximum(ahead * behind, 0.0) * masses * visits[:, None], 0.0)
    bends = np.diff(solution.stage.chords.slopes) / (np.append(gaps, gaps[-1]) + np.append(gaps[0], gaps)) * 2
    bend = np.maximum(bends[:-1] + bends[1:], 0.0) / 2
    weight = spread * bend[left] * setting.gamma
    each, moment = (
        np.bincount(left.ravel(), weights=part.ravel(), minlength=count) for part in (weight, weight * target)
    )
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
