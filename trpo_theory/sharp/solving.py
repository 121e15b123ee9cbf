"""Both ends of a sharp gap in floats, as close to each other as is asked: the supersolution and the witness."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from trpo_theory.errors import NotSolved
from trpo_theory.sharp.closed_forms import closed_supersolution, unbounded
from trpo_theory.sharp.horizon import HorizonSupersolution, horizon_supersolution, steps
from trpo_theory.sharp.iteration import Solution, solved
from trpo_theory.sharp.mean import solved_for_mean
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.space import Space, grid, ratio_space
from trpo_theory.sharp.supersolution import Supersolution, supersolution
from trpo_theory.sharp.witness import SharpWitness, family_witness, horizon_witness, sharp_witness

_PER_STEP, _WIDTH_THERE = 16.0, 2.5e-3
"""So many nodes in a step leave about this width, of a largest divergence; it falls with the square. Measured."""
_SPREAD = 3.0
"""m²/(1 − γ), the variance of a long path's log x, at which that is half the width: further out the gap saturates. Measured for
KL and χ² in both directions, at radii 1e-4 to 0.3 and discounts up to 0.9999; where it is not so, a second try has more nodes."""
_PER_STEP_MEAN, _WIDTH_MEAN = 12.0, 5e-3
"""Likewise of a mean."""
_LEAST_PER_STEP, _MOST_PER_STEP = 3.0, 400.0
"""Nodes in a step, at least and at most."""
_COARSEST = 0.05
"""Nodes in a step, at least, where their number is given."""
_FINER = 1.15
"""Nodes are added by this factor more than the width asks for: chosen, as the next width is only expected."""
_TRIES = 5
"""Of numbers of nodes, at most: the width is then what it is."""
_WORTH_WHILE = 0.8
"""More nodes shall bring the ends closer by this factor, or there are no more. Chosen: twice as many should bring 1/4."""
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
    per_step, usual = _first_per_step(setting, width)
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
        gained = best is None or per_step <= usual or found.width < _WORTH_WHILE * best.width
        if best is None or found.width < best.width:
            best = found
        if best.width <= width or not gained:
            break
        finer = np.sqrt(best.width / width) if np.isfinite(best.width) else 2.0
        per_step = max(min(per_step * min(_FINER * max(float(finer), _FINER), 4.0), _MOST_PER_STEP), usual)
    assert best is not None
    return best


def _first_per_step(setting: Setting, width: float) -> tuple[float, float]:
    """The nodes in a step that are tried first for a width, and those that suffice whatever the gap saturates at, as a rule."""
    first, there = (_PER_STEP_MEAN, _WIDTH_MEAN) if setting.mean else (_PER_STEP, _WIDTH_THERE)
    usual = first * float(np.sqrt(there / width))
    saturates = not setting.mean and setting.horizon is None and not np.isfinite(setting.divergence.support[1])
    far = 1 + setting.width**2 / (1 - setting.gamma) / _SPREAD if saturates else 1.0
    tried, usual = np.clip([usual / far**0.5, usual], _LEAST_PER_STEP, _MOST_PER_STEP).tolist()
    return tried, usual


def _on(setting: Setting, space: Space, start: Solution | None) -> tuple[BothEnds, Solution | None]:
    """Both ends on some nodes; and the solution from above, to begin others with."""
    if setting.horizon is not None:
        above, below = (steps(setting, space, lattice=lattice) for lattice in (False, True))
        return BothEnds(horizon_supersolution(above), horizon_witness(below)), None
    solve = solved_for_mean if setting.mean else solved
    above = solve(setting, space, start=start)
    upper = min(supersolution(above), unbounded(setting), key=lambda one: one.bound)
    family = family_witness(setting)
    if family is not None:
        return BothEnds(upper, family), above
    below = solve(setting, space, lattice=True, start=above)
    return BothEnds(upper, sharp_witness(below)), above


def space_of(setting: Setting, per_step: float) -> Space:
    """The nodes for a setting, so many in a step; a mean's laws make rare steps that are larger than its radius."""
    wide = replace(setting, radius=max(setting.radius, _WIDE_MEAN)) if setting.mean else setting
    return ratio_space(grid(wide, per_step, closest=setting.radius if setting.mean else None))


def _with_nodes(setting: Setting, nodes: int) -> Space:
    """The space with so many nodes on each side of 1, or the next larger one."""
    bounded = np.isfinite(setting.divergence.support[1])  # a law of a lattice must reach the next nodes
    low, high = (1.0 if bounded else _COARSEST), _MOST_PER_STEP
    for _ in range(40):
        middle = np.sqrt(low * high)
        low, high = (low, middle) if space_of(setting, middle).start >= nodes else (middle, high)
    return space_of(setting, high)
