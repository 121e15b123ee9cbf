"""Policy iteration on the sharp gap's program: a law at each node, the values of the laws, better laws, until none is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trpo_theory.entries.sparse import sp
from trpo_theory.errors import NotSolved
from trpo_theory.sharp.ends import Ends, chords_of, ends_of
from trpo_theory.sharp.laws import Atoms, Found, Laws, Prices
from trpo_theory.sharp.peaks import highest_everywhere
from trpo_theory.sharp.pricing import Between, Stage, ToNodes, best_of, unit
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.space import Chords, Space

_ROUNDS = 120
"""Of policy iteration, at most. Measured: 3 to 9; up to 60 at gamma .9999, where better laws spread from node to node."""
_STALLED, _ROUGH = 12, 1e-6
"""Rounds without a change half as large as any before, after which one of this size, relative to the whole, ends it: columns that
gain next to nothing are exchanged for ever. Chosen: what that costs is far below usual widths, and in what the ends prove."""
_EXACT = 2e-8
"""Columns that gain less, relative to what a step gains of the whole, are not exchanged. Chosen: far below the widths that one
asks for."""


@dataclass(frozen=True, eq=False)
class Solution:
    """Laws that none is better than, with their values.

    Attributes:
        stage: what the last improvement was made for: its chords are the laws' values before it.
        laws, masses: at each node.
        prices: the duals of that improvement.
        values: of the laws.
        ends: of the space.
        frozen: nodes of a lattice at which every action leads back.
    """

    stage: Stage
    laws: Laws
    masses: np.ndarray
    prices: Prices
    values: np.ndarray
    ends: Ends
    frozen: np.ndarray

    @property
    def setting(self) -> Setting:
        """Which gap."""
        return self.stage.setting

    @property
    def space(self) -> Space:
        """Of the nodes."""
        return self.stage.space

    @property
    def value(self) -> float:
        """G of the program, for a mean with what the radius is worth."""
        return float(self.values[self.space.start]) + self.laws.shared * self.setting.whole_radius


def solved(
    setting: Setting, space: Space, *, lattice: bool = False, start: Solution | None = None, multiplier: float = 0.0
) -> Solution:
    """Laws that none is better than by more than rounding.

    Args:
        setting: which gap.
        space: the nodes.
        lattice: whether laws lead from node to node only, in the limit of small radii; their value is then below, and else above.
        start: a solution to begin with, of these nodes or others.
        multiplier: for a mean, λ.

    Raises:
        NotSolved: if policy iteration does not end.
    """
    ends = ends_of(setting, space, multiplier)
    if lattice:
        laws, frozen = first_laws_of_lattice(setting, space)
    else:
        laws, frozen = first_laws(setting, space, start, multiplier), np.zeros(space.size, dtype=bool)
    nodes = np.flatnonzero(~frozen)
    values = None if start is None or start.space.size != space.size else start.values
    if values is None:
        values = evaluated(setting, space, laws, ends, frozen)
    least, stalled = np.inf, 0
    for _ in range(_ROUNDS):
        stage = Stage(setting, chords_of(space, values, ends), setting.gamma, multiplier)
        share = 1.0 if lattice else 1 - setting.gamma
        tolerance = _EXACT * share * _size(stage, values) * scale_of(space)
        prices = improved(stage, laws, nodes, tolerance[nodes], lattice=lattice)
        after = evaluated(setting, space, laws, ends, frozen)
        change = float((np.abs(after - values) / scale_of(space)).max())
        size = _size(stage, after)
        near = _EXACT * (1 if lattice else 10 * (1 - setting.gamma)) * size
        stalled = 0 if change < least / 2 else stalled + 1
        least = min(least, change)
        if change <= near or (stalled >= _STALLED and change <= _ROUGH * size):
            return Solution(stage, laws, laws.masses(), _at_all_nodes(prices, nodes, space), after, ends, frozen)
        values = after
    raise NotSolved(
        f"got laws that still change after {_ROUNDS} rounds; wanted the best ones; fix: use a radius and a gamma further "
        "from their limits"
    )


def improved(stage: Stage, laws: Laws, nodes: np.ndarray, tolerance: np.ndarray, *, lattice: bool) -> Prices:
    """The best laws at some nodes for what is ahead, and their duals."""
    search = ToNodes(stage) if lattice else Between(stage)
    laws.improve(nodes, stage.gains, search, tolerance)

    def anywhere(node: np.ndarray, prices: Prices) -> Found:
        found = highest_everywhere(stage, node, prices)
        if isinstance(search, ToNodes):
            return search.rounded(node, prices, found)
        return best_of(found, stage.only_new(node, prices))

    return laws.improve(nodes, stage.gains, anywhere, tolerance)


def evaluated(setting: Setting, space: Space, laws: Laws, ends: Ends, frozen: np.ndarray) -> np.ndarray:
    """v of the laws at the nodes: what they earn, and γ times v ahead, between nodes by its chords."""
    earned = _earned(setting, space, laws.atoms, laws.shared)
    return Flow(space, laws.atoms, laws.masses(), frozen).value(setting.gamma, earned, ends.value, ends.slope)


def _earned(setting: Setting, space: Space, atoms: Atoms, multiplier: float) -> np.ndarray:
    """What each atom earns at its node, a mean's price included."""
    nothing = Chords(space, np.zeros(space.size), 0.0, 0.0)
    return Stage(setting, nothing, setting.gamma, multiplier).earned(np.arange(space.size)[:, None], atoms)


class Flow:
    """Where laws lead: P of old from node to node, shared between both ends of a chord; to x = 0; and beyond the nodes.

    Args:
        space: the nodes.
        atoms: of the laws.
        masses: of the atoms.
        frozen: nodes where every action leads back.
    """

    def __init__(self, space: Space, atoms: Atoms, masses: np.ndarray, frozen: np.ndarray) -> None:
        self._space, self._masses = space, masses
        node, last = np.arange(space.size)[:, None], space.size - 1
        target = space.positions[node] + space.stretch[node] * atoms.excess
        segment = np.searchsorted(space.positions, target, side="right")
        left, right = np.clip(segment - 1, 0, last), np.clip(segment, 0, last)
        gap = space.positions[right] - space.positions[left]
        share = np.where(gap > 0, (target - space.positions[left]) / np.where(gap > 0, gap, 1.0), 0.0)
        share = np.where(share < _SNAP, 0.0, np.where(share > 1 - _SNAP, 1.0, share))
        zero = np.zeros(target.shape)
        if np.isfinite(space.floor):
            zero = np.where(segment == 0, (space.positions[0] - target) / (space.positions[0] - space.floor), 0.0)
        past = np.where(segment > last, target - space.positions[last], 0.0)
        if not np.isfinite(space.floor):
            past = past + np.where(segment == 0, space.positions[0] - target, 0.0)
        past = np.where(atoms.own > 0, past, space.stretch[node] * atoms.excess)
        self._to_zero = np.where(frozen, 0.0, (masses * atoms.own * zero).sum(1))
        self._past = np.where(frozen, 0.0, (masses * past).sum(1))
        stays = np.broadcast_to(frozen[:, None], target.shape)
        here = np.broadcast_to(node, target.shape)
        carried = masses * atoms.own * np.where(stays, 1.0, 1 - zero)
        left, right, share = np.where(stays, here, left), np.where(stays, here, right), np.where(stays, 0.0, share)
        entries = np.concatenate([(carried * (1 - share)).ravel(), (carried * share).ravel()])
        places = (np.concatenate([here.ravel()] * 2), np.concatenate([left.ravel(), right.ravel()]))
        self.matrix: sp.csr_array = sp.csr_array((entries, places), shape=(space.size, space.size))
        self.matrix.eliminate_zeros()

    def value(self, gamma: float, earned: np.ndarray, at_zero: float, slope: float) -> np.ndarray:
        """v = earned + γ v ahead, at the nodes.

        Args:
            gamma: γ.
            earned: by each atom.
            at_zero: v(0).
            slope: of v beyond the nodes.
        """
        right = (self._masses * earned).sum(1) + gamma * (self._to_zero * at_zero + self._past * slope)
        return _summed(gamma * self.matrix, right)

    def visits(self, gamma: float, start: int) -> np.ndarray:
        """How often old's paths from a node visit each, discounted: Σ_t γᵗ P(x_t = x)."""
        return _summed(gamma * self.matrix.T, np.eye(1, self._space.size, start)[0])


def _summed(matrix: Any, right: np.ndarray) -> np.ndarray:
    """Σ_t matrixᵗ right, of a sparse matrix."""
    from scipy.sparse.linalg import spsolve

    return np.asarray(spsolve((sp.eye_array(len(right)) - matrix).tocsc(), right))


_SNAP = 1e-9
"""A target nearer to a node than this share of the way to the next is the node itself: the rounding of l, of a lattice's laws."""


def first_laws(setting: Setting, space: Space, start: Solution | None, multiplier: float) -> Laws:
    """Laws to begin with, that lead anywhere."""
    if start is None:
        return Laws(setting, _spread(setting, np.full(space.size, setting.width)), multiplier)
    near = np.minimum(np.searchsorted(start.space.positions, space.positions), start.space.size - 1)
    return Laws(setting, Atoms(*(part[near].copy() for part in start.laws.atoms)), multiplier)


def first_laws_of_lattice(setting: Setting, space: Space) -> tuple[Laws, np.ndarray]:
    """Laws to begin with, that lead from node to node on a line without ends, and which nodes have no others than to stay."""
    m, every = setting.width, np.arange(space.size)
    up = np.searchsorted(space.positions, space.positions + space.stretch * m * (1 - _SNAP))
    down = np.searchsorted(space.positions, space.positions - space.stretch * m * (1 - _SNAP), side="right") - 1
    frozen = (up >= space.size) | (down < 0)
    higher = np.where(frozen, m, space.excess(every, np.minimum(up, space.size - 1)))
    lower = np.where(frozen, m, -space.excess(every, np.maximum(down, 0)))
    return Laws(setting, _spread(setting, higher, lower)), frozen


def _spread(setting: Setting, up: np.ndarray, down: np.ndarray | None = None) -> Atoms:
    """A feasible basis: l = 1 + up with A = 1, l = 1 − down with A = −1, and l = 1 with either sign; the radius is spent."""
    down = up if down is None else down
    nothing, one = np.zeros_like(up), np.ones_like(up)
    excess = np.stack([up, -down, nothing, nothing], axis=1)
    sign = np.stack([one, -one, one, -one], axis=1)
    cost = setting.cost(excess) / unit(setting)
    own = np.ones_like(excess)
    if setting.mean or setting.spares:  # the third column has the sign that is left over
        sign[:, 2] = np.where(down > up, -1.0, 1.0)
    if setting.spares and not setting.mean:
        own[:, 3], sign[:, 3], cost[:, 3] = 0.0, 0.0, 1.0
    rows = 4 - setting.expected - setting.mean
    if setting.expected:
        sign = 0 * sign
    kept = [0, 1, 3] if setting.expected and not setting.mean and setting.spares else slice(0, rows)
    return Atoms(*(np.ascontiguousarray(part[:, kept]) for part in (own, excess, sign, cost)))


def _at_all_nodes(prices: Prices, nodes: np.ndarray, space: Space) -> Prices:
    """Of all nodes: those that are frozen have none."""
    whole = [np.full(space.size, np.nan) for _ in Prices._fields]
    for part, new in zip(whole, prices, strict=True):
        part[nodes] = new
    return Prices(*whole)


def _size(stage: Stage, values: np.ndarray) -> float:
    """About G, which errors are measured by: w(1), for a mean with what the radius is worth."""
    at_start = float(values[stage.space.start])
    return max(at_start + stage.multiplier * stage.setting.whole_radius, np.finfo(float).tiny)


def scale_of(space: Space) -> np.ndarray:
    """1 + x: what lifts the function, and adds to every inequality alike."""
    return 2 + space.positions if np.isfinite(space.floor) else 1 + space.weight
