"""The lower bound on the sharp gap: a finite MDP whose states are likelihood ratios, its actions the optimal laws' atoms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trpo_theory.entries.sparse import sp
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.sharp.divergence import retreat
from trpo_theory.sharp.ends import widest
from trpo_theory.sharp.horizon import Step
from trpo_theory.sharp.iteration import Solution
from trpo_theory.sharp.normaliser import Normaliser, copies
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.ways import Ways, joined, transition_of, ways_of
from trpo_theory.step.quantities import Quantities, quantities_of
from trpo_theory.zoo import families

_NEGLIGIBLE = 1e-12
"""An action with a smaller share of its state, in old and in new, is dropped: rounding of a basis' masses."""
_NEARLY_ONE = 1 - 1e-9
"""In the place of γ = 1 over a horizon, of a witness: chosen, it takes 1e-9 times the horizon off the gap."""
_STILL = 1e-11
"""A state of a smaller total variation between old and new: rounding of l = 1. Chosen: a tenth of the least radius."""
_PARTS = 1 - 1e-12
"""Share of new that leaves old's path where a radius excludes nothing. Chosen: not all of it, so that rounding is within."""
_HALVINGS = 60
"""Of the share of the way from old to new: more than a float's 53 bits."""


@dataclass(frozen=True, eq=False)
class SharpWitness:
    """An MDP that nearly attains the sharp gap.

    Attributes:
        mdp, old, new: the instance.
        gap: (L − η(new)) over max|A| (or max|Ā|), in floats.
    """

    mdp: FiniteMDP
    old: np.ndarray
    new: np.ndarray
    gap: float

    @property
    def gamma(self) -> float:
        """Of the MDP."""
        return float(self.mdp.gamma)


class _Rows(NamedTuple):
    """Laws as rows, (states, actions): mass in old and new, A, and where an action leads."""

    old: np.ndarray
    new: np.ndarray
    sign: np.ndarray
    ways: Ways


def sharp_witness(solution: Solution) -> SharpWitness:
    """The MDP of laws, over the states that they reach from x = 1.

    An action of likelihood ratio l leads from x to the nodes about x l, by chance and in the same mean; to x = 0 where only old
    takes it, and to ∞ where only new does. Chance is the same for old and new, so that the divergence is that of the laws.
    A is ±1 (or, normalised by max|Ā|, in proportion to l − 1, so that |Ā| = 1), of the sign that makes the gap: against new where
    x > 1.
    New is drawn back to old until the divergence is within the radius, and the gap is that of the MDP itself.
    """
    rows, more_visited = _rows(solution)
    return _assembled(solution.setting, rows, more_visited, solution.space.start, solution.setting.gamma)


def horizon_witness(found: list[Step]) -> SharpWitness:
    """Likewise over a horizon: states are a node and how many steps are left; after the last one a state of reward 0 remains.

    A gap of γ = 1 is shown by a discount a little below it, as it grows with γ.
    """
    setting, space = found[-1].setting, found[-1].space
    parts, visited = zip(*(_rows(step) for step in reversed(found)), strict=True)
    size = space.size + 2
    columns = parts[0].old.shape[1]
    end = np.full((1, columns), size * len(parts))
    later = [part.ways.numbered(np.arange(size) + size * (1 + k)) for k, part in enumerate(parts)]
    later[-1] = Ways.to(np.broadcast_to(end, (size, columns)))
    alone, nothing = (np.eye(1, columns, place) for place in (0, columns))
    rows = _Rows(
        np.concatenate([*(part.old for part in parts), alone]),
        np.concatenate([*(part.new for part in parts), alone]),
        np.concatenate([*(part.sign for part in parts), nothing]),
        joined(*later, Ways.to(end)),
    )
    more_visited = np.append(np.concatenate(visited), False)
    gamma = setting.gamma if setting.gamma < 1 else _NEARLY_ONE
    return _assembled(setting, rows, more_visited, space.start, gamma, end=size * len(parts))


def _assembled(
    setting: Setting, rows: _Rows, more_visited: np.ndarray, start: int, gamma: float, end: int | None = None
) -> SharpWitness:
    """The MDP of rows, over the states that they reach from the start; `end` earns nothing."""
    kept = _reached(rows, start)
    place = np.full(len(rows.old), -1)
    place[kept] = np.arange(len(kept))
    old, new = (part[kept] for part in (rows.old, rows.new))
    against = np.where(more_visited[kept], -1.0, 1.0)[:, None]
    itself = Ways.to(np.broadcast_to(np.arange(len(kept))[:, None], old.shape))
    ways = Ways(*(part[kept] for part in rows.ways)).numbered(place).where((old > 0) | (new > 0), itself)
    if setting.normaliser is Normaliser.SD:
        old, new = _spread(setting, old, new)
        ways = joined(ways, ways, axis=1)
        reward = np.where(kept == end, 0.0, 1.0)[:, None] * against * _standardised(old, new)
    elif setting.expected:
        earns = np.where(kept == end, 0.0, 1.0)[:, None]
        still = (np.abs(new - old).sum(1, keepdims=True) / 2 < _STILL) & (earns > 0)
        if still.any():
            old, new, apart = _copied(setting, old, new, still)
            ways = joined(ways, ways, axis=1)
        else:
            apart = np.zeros_like(old)
        reward = against * np.where(still, apart, earns * _of_size_one(old, new))
    else:
        reward = against * rows.sign[kept]
        reward = np.where((old > 0) | (new > 0), reward - (old * reward).sum(1, keepdims=True), 0.0)
    mdp = FiniteMDP(transition_of(ways), reward, gamma, np.eye(1, len(kept), place[start])[0])
    new = _within_radius(setting, mdp, old, new)
    if setting.normaliser is Normaliser.EXPECTED:  # new was drawn back
        size = np.abs(((new - old) * reward).sum(1, keepdims=True))
        mdp = FiniteMDP(mdp.transition, reward / np.where(size > 0, size, 1.0), gamma, mdp.initial)
    return witness_of(setting, mdp, old, new)


def _of_size_one(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """A with E A = 0 and Ā = 1 in each state: in proportion to l − 1, of its largest size where only new acts; 0 where l = 1."""
    taken, alone = old > 0, (old == 0) & (new > 0)
    advantage = np.where(taken, (new - old) / np.where(taken, old, 1.0), 0.0)
    advantage = advantage - (old * advantage).sum(1, keepdims=True)
    largest = np.abs(advantage).max(1, keepdims=True)
    advantage = np.where(taken, advantage, np.where(alone, np.where(largest > 0, largest, 1.0), 0.0))
    size = (new * advantage).sum(1, keepdims=True)
    return advantage / np.where(size > 0, size, 1.0)


def _copied(
    setting: Setting, old: np.ndarray, new: np.ndarray, still: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Old, new and A with two copies of each action; in the states where l = 1, A = ±M makes Ā = ±1."""
    scale = copies(setting.radius, smooth=setting.smooth)
    tilt = np.where(still, 1 / (2 * scale), 0.0)
    new = np.concatenate([new * (0.5 + tilt), new * (0.5 - tilt)], axis=1)
    apart = np.repeat([[scale, -scale]], old.shape[1], axis=1).reshape(1, -1)
    return np.concatenate([old, old], axis=1) / 2, new, apart


def _spread(setting: Setting, old: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two copies of each action, its l on either side of what it was, so that every state has the largest E (l − 1)².

    They lead to the same state, which is then visited by new as often as before: docs/theory.md, "Normalised by the standard
    deviation".
    """
    low, high = (1 + end for end in setting.divergence.support)
    ratio = np.where(old > 0, new / np.where(old > 0, old, 1.0), 0.0)
    if np.isfinite(high):
        up, down = high - ratio, ratio - low
    else:
        lacking = (1 + setting.factor**2) / (old * ratio**2).sum(1, keepdims=True) - 1
        lacking = np.where(lacking > _NEGLIGIBLE, lacking, 0.0)
        least = np.minimum(np.sqrt(lacking), 1.0)
        down, up = ratio * least, ratio * lacking / np.where(least > 0, least, 1.0)
    share = np.where(up + down > 0, down / np.where(up + down > 0, up + down, 1.0), 1.0)
    both = old * share, old * (1 - share)
    return np.concatenate(both, axis=1), np.concatenate([both[0] * (ratio + up), both[1] * (ratio - down)], axis=1)


def _standardised(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """(l − 1)/√E (l − 1)² of each row, the A of standard deviation 1 with the largest Ā; 0 where new is old."""
    excess = np.where(old > 0, (new - old) / np.where(old > 0, old, 1.0), 0.0)
    size = np.sqrt((old * excess**2).sum(1, keepdims=True))
    return excess / np.where(size > 0, size, 1.0)


def family_witness(setting: Setting) -> SharpWitness | None:
    """The MDP in closed form that attains this gap, if there is one."""
    family = setting.divergence.family
    if setting.excludes_nothing:
        family = _that_parts
    found = family(setting.mean, setting.normaliser, setting.gamma, setting.radius) if family else None
    return None if found is None else witness_of(setting, found.mdp, found.old, found.new)


def _that_parts(mean: bool, normaliser: Normaliser, gamma: float, radius: float) -> families.Instance:
    """The families whose new policy leaves old's path for ever."""
    if mean and normaliser is Normaliser.EXPECTED:
        return families.cpo_tight(gamma=gamma, x=_PARTS, scale=copies(radius, smooth=False))
    return families.coupling_tight(gamma=gamma, x=_PARTS)


def witness_of(setting: Setting, mdp: FiniteMDP, old: np.ndarray, new: np.ndarray) -> SharpWitness:
    """With its gap, from the definitions."""
    q = _quantities(mdp, old, new)
    return SharpWitness(mdp, old, new, float(-q.surrogate_gap / setting.normaliser.of(q)))


def _rows(solution: Solution | Step) -> tuple[_Rows, np.ndarray]:
    """The laws at the nodes, at x = 0 and at ∞; and where new comes more often than old."""
    space, atoms, mass = solution.space, solution.laws.atoms, solution.masses
    count = space.size
    old = mass * atoms.own
    new = mass * np.where(atoms.own > 0, 1 + atoms.excess, atoms.excess)
    new = np.where((atoms.own == 0) & (atoms.sign == 0) & (atoms.excess == 0), 0.0, new)  # what is left of the radius
    sign = np.where(atoms.own > 0, atoms.sign, 1.0)
    shape = (2, old.shape[1])
    stay = np.array([[count], [count + 1]]).repeat(shape[1], axis=1)
    ends = _Rows(np.zeros(shape), np.zeros(shape), np.zeros(shape), Ways.to(stay))
    for row, (up, down) in enumerate(_at_ends(solution)):
        ends.old[row, :2], ends.new[row, :2], ends.sign[row, :2] = 0.5, ((1 + up) / 2, (1 - down) / 2), (1.0, -1.0)
    rows = _Rows(
        np.concatenate([old, ends.old]),
        np.concatenate([new, ends.new]),
        np.concatenate([sign, ends.sign]),
        joined(ways_of(space, atoms), ends.ways),
    )
    small = np.maximum(rows.old, rows.new) <= _NEGLIGIBLE
    old, new = (np.where(small, 0.0, part) for part in (rows.old, rows.new))
    old, new = (part / part.sum(1, keepdims=True) for part in (old, new))
    return rows._replace(old=old, new=new), np.append(space.positions > 0, [False, True])


def _at_ends(solution: Solution | Step) -> list[tuple[float, float]]:
    """l − 1 up and down, at x = 0 and at ∞: the same future whatever happens."""
    setting = solution.setting
    if not setting.mean:
        return [(setting.width, setting.width)] * 2
    if setting.expected:
        return [(0.0, 0.0)] * 2  # Ā = ±1 costs nothing, in the limit
    width = float(widest(setting, np.ones(1), solution.laws.shared)[0])
    return [(width, width), (1.0, 1.0)]  # old never comes to ∞


def _reached(rows: _Rows, start: int) -> np.ndarray:
    """The states that old or new reaches from the start, breadth first."""
    from scipy.sparse.csgraph import breadth_first_order

    used = (rows.old > 0) | (rows.new > 0)
    states, actions = rows.old.shape
    leaves = np.tile(np.repeat(np.arange(states), actions)[used.ravel()], 2)
    comes = np.concatenate([rows.ways.first[used], rows.ways.second[used]])
    graph = sp.csr_array((np.ones(len(leaves)), (leaves, comes)), shape=(states, states))
    return np.asarray(breadth_first_order(graph, start, return_predecessors=False))


def _within_radius(setting: Setting, mdp: FiniteMDP, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """New drawn back to old, by states (all by the same share, for a mean), until the divergence is within the radius."""
    occupancy = np.asarray(_quantities(mdp, old, new).occupancy_old) if setting.mean else np.zeros(len(old))
    spare = retreat(min(setting.width, 1 - setting.gamma) if setting.mean else setting.width)
    within = setting.radius * (1 - spare)
    low, high = np.zeros((len(old), 1)), np.ones((len(old), 1))
    for step in range(_HALVINGS):
        share = high if step == 0 else (low + high) / 2
        divergence = _divergence(setting, old, old + share * (new - old))
        if setting.mean:
            visited = occupancy > 0
            divergence = np.full(len(old), (occupancy * np.where(visited, divergence, 0.0)).sum())
        fits = divergence[:, None] <= within
        low = np.where(fits, share, low)
        high = np.where(fits, high, share)
        if step == 0 and fits.all():
            low = high
            break
    inside = 1 - spare if np.isfinite(setting.divergence.support[1]) else 1.0  # it costs nothing up to its very end
    return new if (low * inside == 1).all() else old + low * inside * (new - old)


def _divergence(setting: Setting, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Of each state's rows."""
    taken = old > 0
    excess = np.where(taken, (new - old) / np.where(taken, old, 1.0), 0.0)
    with np.errstate(invalid="ignore"):
        alone = np.where((old == 0) & (new > 0), new * setting.cost_at_infinity, 0.0)
    return (np.where(taken, old * setting.cost(excess), 0.0) + alone).sum(1)


def _quantities(mdp: FiniteMDP, old: np.ndarray, new: np.ndarray) -> Quantities:
    """Of the actions that one of both policies takes: the others are padding, which the maxima must not see."""
    return quantities_of(mdp, old, new).replace(available=(old > 0) | (new > 0))
