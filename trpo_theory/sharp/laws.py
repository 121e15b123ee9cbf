"""`Laws`: at each node a law of (l, A) with as few atoms as it has constraints, and the simplex step that betters it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trpo_theory.errors import NotSolved
from trpo_theory.sharp.setting import Setting

_PIVOT = 1e-11
"""An entry of a pivot column at most this large is rounding: rows are scaled so that entries are of order 1."""
_ALIKE = 1e-4
"""A column whose l differs by less than this, in steps, from one of the basis and its sign does not enter: what it gains is about
the square of that."""
_LEAST_RATIO = 1e-6
"""l below which that is no longer in proportion to l. Chosen: laws from x = 10⁶ back to 1."""
_SAME = 1e-9
"""Likewise for a divergence with corners, where what it gains is in proportion to that."""
_ROUNDING = 4e-15
"""Of l − 1, a difference of nodes near 1."""
_PIVOTS = 200
"""At each node, at most. Measured: 10 to 40."""
_STALLED = 15
"""Exchanges in succession that gain nothing, at most: a degenerate basis takes a few, and then may go in circles. Measured: with
fewer than 10 the upper end moves."""


class Atoms(NamedTuple):
    """Columns of the nodes' linear programs, arrays of one shape (nodes, columns).

    Attributes:
        own: 1 for an action that old takes; 0 for one that only new takes (l = ∞), and for what is left of the radius.
        excess: l − 1; of an action that only new takes 1, as its mass is counted in new.
        sign: A.
        cost: the centred divergence, in radii for a largest one.
    """

    own: np.ndarray
    excess: np.ndarray
    sign: np.ndarray
    cost: np.ndarray

    def of(self, at: np.ndarray) -> Atoms:
        """At some of the nodes."""
        return Atoms(*(part[at] for part in self))


class Prices(NamedTuple):
    """Duals of the nodes' linear programs, (nodes,).

    Attributes:
        value: of one unit of mass: that of the law, but for the radius.
        mu, nu: μ of E l = 1 and ν of E A = 0.
        multiplier: λ of the divergence.
    """

    value: np.ndarray
    mu: np.ndarray
    nu: np.ndarray
    multiplier: np.ndarray

    def of(self, at: np.ndarray) -> Prices:
        """At some of the nodes."""
        return Prices(*(part[at] for part in self))


class Found(NamedTuple):
    """A column for each node, and how much it gains beyond its price."""

    gain: np.ndarray
    atoms: Atoms


Gains = Callable[[np.ndarray, Atoms], np.ndarray]
"""(nodes, their columns) -> what a unit of mass earns, the future included."""
Search = Callable[[np.ndarray, Prices], Found]
"""(nodes, their duals) -> the best columns."""


@dataclass(eq=False)
class Laws:
    """A basis of columns at each node: feasible, with masses of its own.

    The rows are mass 1, E l = 1, E A = 0 where A occurs, and E f = D for a largest divergence. A mean's cost is paid at the
    price λ that all nodes share, and is part of the gain.

    Attributes:
        setting: which gap.
        atoms: (nodes, rows).
        shared: λ of a mean.
    """

    setting: Setting
    atoms: Atoms
    shared: float = 0.0

    @property
    def size(self) -> int:
        """Nodes."""
        return len(self.atoms.own)

    def masses(self) -> np.ndarray:
        """Of the columns, (nodes, rows), at least 0."""
        right = np.broadcast_to(self._right[:, None], (self.size, len(self._right), 1))
        return np.maximum(_solved(self._features(self.atoms), right)[..., 0], 0.0)

    def prices(self, nodes: np.ndarray, gains: Gains) -> Prices:
        """The duals of the bases at some nodes."""
        atoms = self.atoms.of(nodes)
        features = np.swapaxes(self._features(atoms), 1, 2)
        duals = _solved(features, gains(nodes, atoms)[..., None])[..., 0]
        setting, nothing = self.setting, np.zeros(len(nodes))
        nu = nothing if setting.expected else duals[:, 2]
        multiplier = nothing + self.shared if setting.mean else duals[:, -1] / setting.radius
        return Prices(duals[:, 0], duals[:, 1] / setting.width, nu, np.maximum(multiplier, 0.0))

    def improve(self, nodes: np.ndarray, gains: Gains, search: Search, tolerance: np.ndarray) -> Prices:
        """Exchange columns until no other gains more than the tolerance at any of the nodes.

        Args:
            nodes: which.
            gains: of columns.
            search: for the best column.
            tolerance: one a node of these.

        Returns:
            The last duals, of all these nodes.
        """
        active = np.arange(len(nodes))
        reached, stalled = np.full(len(nodes), -np.inf), np.zeros(len(nodes), dtype=int)
        last = Prices(*(np.zeros(len(nodes)) for _ in Prices._fields))
        for _ in range(_PIVOTS if len(nodes) else 0):
            prices = self.prices(nodes[active], gains)
            for part, new in zip(last, prices, strict=True):
                part[active] = new
            worth = prices.value if self.setting.mean else prices.value + prices.multiplier * self.setting.radius
            gained = worth > reached[active] + tolerance[active]
            stalled[active] = np.where(gained, 0, stalled[active] + 1)
            reached[active] = np.where(gained, worth, reached[active])
            found = search(nodes[active], prices)
            better = (found.gain > tolerance[active]) & self._is_new(nodes[active], found.atoms)
            better &= stalled[active] <= _STALLED
            active = active[better]
            if not len(active):
                break
            active = active[self._exchange(nodes[active], found.atoms.of(better))]
        return last

    def _exchange(self, nodes: np.ndarray, entering: Atoms) -> np.ndarray:
        """One simplex step at each node; where it could be made."""
        features = self._features(self.atoms.of(nodes))
        column = self._features(Atoms(*(part[:, None] for part in entering)))[..., 0]
        right = np.broadcast_to(self._right, column.shape)
        solved = _solved(features, np.stack([right, column], axis=-1))
        mass, change = np.maximum(solved[..., 0], 0.0), solved[..., 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            quotient = np.where(change > _PIVOT, mass / change, np.inf)
        leaving = quotient.argmin(1)
        possible = np.isfinite(quotient[np.arange(len(nodes)), leaving])
        at, place = nodes[possible], leaving[possible]
        for part, new in zip(self.atoms, entering, strict=True):
            part[at, place] = new[possible]
        return possible

    def _is_new(self, nodes: np.ndarray, entering: Atoms) -> np.ndarray:
        """Whether no column of the basis is nearly the entering one: a basis of both would be nearly singular."""
        atoms = self.atoms.of(nodes)
        apart = np.abs(atoms.excess - entering.excess[:, None])
        alike = (atoms.own == entering.own[:, None]) & (atoms.sign == entering.sign[:, None])
        if self.setting.smooth:  # near l = 0 what counts is log l
            ratio = np.where(entering.own > 0, 1 + entering.excess, 1.0)
            least = _ALIKE * self.setting.width * np.clip(ratio, _LEAST_RATIO, 1.0)
        else:
            least = _SAME * self.setting.width
        return np.where(alike, apart, np.inf).min(1) >= np.maximum(least, _ROUNDING)

    @property
    def _right(self) -> np.ndarray:
        setting = self.setting
        return np.array([1.0, 0.0, *([] if setting.expected else [0.0]), *([] if setting.mean else [1.0])])

    def _features(self, atoms: Atoms) -> np.ndarray:
        """(nodes, rows, columns)."""
        rows = [atoms.own, atoms.excess / self.setting.width]
        if not self.setting.expected:
            rows.append(atoms.sign)
        if not self.setting.mean:
            rows.append(atoms.cost)
        return np.stack(rows, axis=1)


def _solved(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The solutions of many small systems.

    Raises:
        NotSolved: where one is singular in floats.
    """
    try:
        return np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        raise NotSolved(
            "got laws whose masses floats do not determine; wanted a regular basis; fix: use a radius and a gamma further "
            "from their limits"
        ) from None
