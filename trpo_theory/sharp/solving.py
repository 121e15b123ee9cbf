"""Both ends of a sharp gap in floats, as close to each other as is asked: the supersolution and the witness."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from trpo_theory.errors import NotSolved
from trpo_theory.sharp.closed_forms import closed_supersolution, unbounded
from trpo_theory.sharp.horizon import HorizonSupersolution, horizon_supersolution, steps
from trpo_theory.sharp.iteration import Solution, solved
from trpo_theory.sharp.mean import CLOSE, price_below, solved_for_mean, within
from trpo_theory.sharp.refining import cost_of, divided
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.space import Space, grid, ratio_space
from trpo_theory.sharp.supersolution import Supersolution, supersolution
from trpo_theory.sharp.witness import SharpWitness, family_witness, horizon_witness, sharp_witness

_COARSE, _LEAST_COARSE, _COARSE_MEAN = 4.0, 3.0, 3.0
"""Nodes in a step to begin with, where more are put where they are needed. Measured: from 2 to 8 the time is about the same."""
_SPREAD = 3.0
"""m²/(1 − γ), the variance of a long path's log x, from which on fewer will do: further out the gap saturates. Measured for KL
and χ² in both directions, at radii 1e-4 to 0.3 and discounts up to 0.9999."""
_AHEAD = 0.8
"""Nodes are added until this share of a goal is expected. Chosen, as it is only expected."""
_DIVISIONS = 30
"""Of the nodes, at most, before both ends are computed. Measured: 1 to 6, each for some 0.4 of the cost."""
_CLOSE_COARSE, _CLOSE_SHARE = 1e-3, 0.02
"""How close to the best price of a mean one comes, relatively: on the first nodes, and as a share of the width. Chosen."""
_FALL = 0.3
"""On nodes that are divided once more a mean's price is lower by about this share of what they cost. Measured; where more nodes
follow, a price that is too low does little harm, and at one too high nothing is spent and no node seems to be needed."""
_LEAST_SHARE = 0.5
"""A goal is at most so much smaller than what is expected. Chosen, as that is more or less in proportion."""
_PER_STEP, _WIDTH_THERE = 16.0, 1e-3
"""So many nodes in a step leave about this width at most, over a horizon; it falls with the square. Measured."""
_LEAST_PER_STEP, _MOST_PER_STEP = 3.0, 400.0
"""Nodes in a step, at least and at most."""
_COARSEST = 0.05
"""Nodes in a step, at least, where their number is given."""
_FINER = 1.15
"""Nodes are added by this factor more than the width asks for: chosen, as the next width is only expected."""
_TRIES = 8
"""Of numbers of nodes, at most: the width is then what it is."""
_WORTH_WHILE = 0.8
"""More nodes shall bring the ends closer by this factor, or there are no more. Chosen: twice as many should bring 1/4."""
_IDLE = 1
"""Times in succession that nodes put where they are needed may bring nothing, as a mean's price moves. Chosen."""
_MOST_NODES = 30_000
"""Beyond it, a minute's work is not enough. Chosen."""
_WIDE_MEAN = 0.05
"""A mean's space is that of a largest divergence of this radius, if its own is smaller: its laws make rare steps that are large.
Chosen: measured at radii 1e-6 to 1e-2."""


class BothEnds(NamedTuple):
    """A sharp gap from above and below."""

    upper: Supersolution | HorizonSupersolution
    lower: SharpWitness

    @property
    def width(self) -> float:
        """upper/lower − 1."""
        return self.upper.bound / self.lower.gap - 1 if self.lower.gap > 0 else np.inf


def both_ends(setting: Setting, width: float, nodes: int | None = None) -> BothEnds:
    """The two ends at most `width` apart, if so many nodes suffice.

    Args:
        setting: which gap.
        width: that is aimed at, upper/lower − 1.
        nodes: on each side of 1, in place of a width.

    Raises:
        NotSolved: where no two ends are found.
    """
    closed = closed_supersolution(setting)
    family = None if closed is None else family_witness(setting)
    if closed is not None and family is not None:
        return BothEnds(closed, family)
    most = setting.divergence.most_nodes
    if most is not None:
        nodes = most if nodes is None else min(nodes, most)
    if nodes is not None:
        return _on(setting, _with_nodes(setting, nodes), None)[0]
    even = setting.horizon is not None
    return _on_even_nodes(setting, width) if even else _on_nodes_put_where_needed(setting, width)


def _on_nodes_put_where_needed(setting: Setting, width: float) -> BothEnds:
    """From a few nodes on, more of them in the segments that cost most, until all of them cost less than the width."""
    solution, _ = _solved(setting, space_of(setting, _coarse_per_step(setting)), None, _CLOSE_COARSE)
    goal, best, idle = width, None, 0
    for _ in range(_TRIES):
        solution = _divided_to(solution, goal)
        try:
            found, above = _on(setting, solution.space, solution, max(_CLOSE_SHARE * width, CLOSE))
        except NotSolved:
            if best is None:
                raise
            break
        assert above is not None
        gained = best is None or found.width < _WORTH_WHILE * best.width
        idle = 0 if gained else idle + 1
        best = found if best is None or found.width < best.width else best
        if best.width <= width or idle > _IDLE or above.space.size >= _MOST_NODES:
            break
        solution = above
        goal = _AHEAD * cost_of(above).whole * max(min(width / found.width, 1.0), _LEAST_SHARE)
    assert best is not None
    return best


def _divided_to(solution: Solution, goal: float) -> Solution:
    """On nodes whose segments cost less than the goal."""
    setting = solution.setting
    for _ in range(_DIVISIONS):
        cost = cost_of(solution)
        if cost.whole <= goal or solution.space.size >= _MOST_NODES:
            break
        price = price_below(solution) * max(1 - _FALL * cost.whole, _LEAST_SHARE) if setting.mean else 0.0
        solution = solved(setting, divided(solution.space, cost, _AHEAD * goal), start=solution, multiplier=price)
    return solution


def _coarse_per_step(setting: Setting) -> float:
    """The nodes in a step to begin with: few where paths go so far that the gap saturates, as it does with most divergences."""
    if setting.mean:
        return _COARSE_MEAN
    far = 1 + setting.width**2 / (1 - setting.gamma) / _SPREAD
    return max(_COARSE / far**0.5, _LEAST_COARSE)


def _on_even_nodes(setting: Setting, width: float) -> BothEnds:
    """On nodes evenly apart near 1, and of those as many as the width asks for."""
    least = min(max(_PER_STEP * float(np.sqrt(_WIDTH_THERE / width)), _LEAST_PER_STEP), _MOST_PER_STEP)
    per_step = least
    best: BothEnds | None = None
    start: Solution | None = None
    space: Space | None = None
    for _ in range(_TRIES):
        last, space = space, space_of(setting, per_step)
        if best is not None and (space.size > _MOST_NODES or (last is not None and space.size == last.size)):
            break
        try:
            found, start = _on(setting, space, start)
        except NotSolved:
            if best is None:
                raise
            break
        gained = best is None or found.width < _WORTH_WHILE * best.width
        if best is None or found.width < best.width:
            best = found
        if best.width <= width or not gained:
            break
        finer = np.sqrt(best.width / width) if np.isfinite(best.width) else 2.0
        per_step = max(min(per_step * min(_FINER * max(float(finer), _FINER), 4.0), _MOST_PER_STEP), least)
    assert best is not None
    return best


def _on(
    setting: Setting, space: Space, start: Solution | None, close: float = CLOSE
) -> tuple[BothEnds, Solution | None]:
    """Both ends on some nodes; and the solution from above, to begin others with."""
    if setting.horizon is not None:
        found = steps(setting, space)
        return BothEnds(horizon_supersolution(found), horizon_witness(found)), None
    above, about = _solved(setting, space, start, close)
    upper = min(supersolution(above), unbounded(setting), key=lambda one: one.bound)
    family = family_witness(setting)
    if family is not None:
        return BothEnds(upper, family), above
    candidates = within(about) if setting.mean else [above]
    return BothEnds(upper, max(map(sharp_witness, candidates), key=lambda one: one.gap)), above


def _solved(setting: Setting, space: Space, start: Solution | None, close: float) -> tuple[Solution, list[Solution]]:
    """The best laws, of a mean at its price; and those of the prices about it."""
    if setting.mean:
        return solved_for_mean(setting, space, start=start, close=close)
    found = solved(setting, space, start=start)
    return found, [found]


def space_of(setting: Setting, per_step: float) -> Space:
    """The nodes for a setting, so many in a step; a mean's laws make rare steps that are larger than its radius."""
    wide = replace(setting, radius=max(setting.radius, _WIDE_MEAN)) if setting.mean else setting
    return ratio_space(grid(wide, per_step, closest=setting.radius if setting.mean else None))


def _with_nodes(setting: Setting, nodes: int) -> Space:
    """The space with so many nodes on each side of 1, or the next larger one."""
    low, high = _COARSEST, _MOST_PER_STEP
    for _ in range(40):
        middle = np.sqrt(low * high)
        low, high = (low, middle) if space_of(setting, middle).start >= nodes else (middle, high)
    return space_of(setting, high)
