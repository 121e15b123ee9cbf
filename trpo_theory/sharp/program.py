"""The dual of the sharp gap's dynamic program, docs/theory.md, "The program", as a linear program over nodes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from trpo_theory.errors import NotSolved
from trpo_theory.sharp.inequalities import Inequalities, first_inequalities
from trpo_theory.sharp.places import Places
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.solution import Solution

_WEIGHT = 1e4
"""Of w(1) in the objective where λ is chosen: the solver's tolerance is absolute, and the laws of states that are hardly visited
count in a mean. Chosen."""
_DUAL_TOLERANCE = 1e-10
"""HiGHS's smallest, where λ is chosen: the laws are its dual variables."""


@dataclass
class Program:
    """The least w(1) over piecewise linear w with multipliers that satisfy a finite list of inequalities.

    The unknowns are z = (ω, λ', μ', the shared λ, ν'), each but the fourth one a place; scaled, so that all are of order 1.

    Attributes:
        setting: which gap.
        nodes: x_1 .. x_N, with 1 in the middle.
        places: of the unknowns.
        unit: of the values w, in max|A| or max|Ā|.
        lattice: whether laws lead from node to node only. What they gain, a finite MDP gains: the value is below G.
        multiplier: for a mean, the λ to use. None: λ is chosen, and w is least at 1 only, not at every node.
    """

    setting: Setting
    nodes: np.ndarray
    lattice: bool = False
    multiplier: float | None = None
    places: Places = field(init=False)
    unit: float = field(init=False)
    _parts: list[Inequalities] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.places = Places(self.nodes)
        # a gap normalised by max|A| is made of gains: the program is solved in units of the largest
        self.unit = 1.0 if self.setting.mean or self.setting.expected else self.setting.largest_gain
        self._parts += first_inequalities(self.setting, self.nodes, lattice=self.lattice)

    def add(self, more: Inequalities) -> None:
        """Further inequalities."""
        self._parts.append(more)

    @property
    def inequalities(self) -> Inequalities:
        """All, in one."""
        return Inequalities(*(np.concatenate(part) for part in zip(*self._parts, strict=True)))

    @property
    def _chooses(self) -> bool:
        return self.setting.mean and self.multiplier is None

    def solve(self) -> Solution:
        """Minimise w(1) by HiGHS.

        Raises:
            NotSolved: if it ends without an optimum.
        """
        from scipy.optimize import linprog

        rows = self.inequalities
        matrix, right = self._matrix(rows)
        options = {"dual_feasibility_tolerance": _DUAL_TOLERANCE} if self._chooses else {}
        for presolve in (True, False):  # the one may end well where the other does not
            found = linprog(
                self._objective(),
                A_ub=-matrix,
                b_ub=-right,
                bounds=self._bounds(),
                method="highs-ipm",
                options={**options, "presolve": presolve},
            )
            if found.status == 0:
                return Solution(self.setting, self.places, self.unit, found.x, -found.ineqlin.marginals, rows)
        raise NotSolved(
            f"got no solution of the sharp gap's program ({found.message.strip()}); wanted an optimum; "
            "fix: use fewer nodes, or a radius and gamma further from their limits"
        )

    def _objective(self) -> np.ndarray:
        one, total, setting = self.places.one, self.places.total, self.setting
        objective = np.zeros(4 * total + 1)
        if self._chooses:
            objective[one] = _WEIGHT * self.places.scale(one)
            objective[3 * total] = _WEIGHT * setting.radius / (1 - setting.gamma) / self.unit
        else:
            objective[:total] = 1.0
            objective[one] += self.places.scale(one)
        return objective

    def _bounds(self) -> list[tuple[float | None, float | None]]:
        total, chooses = self.places.total, self._chooses
        free, positive = (None, None), (0, None)
        shared = positive if chooses or not self.setting.mean else (self.multiplier, self.multiplier)
        w = free if chooses else positive
        return [w] * total + [positive] * total + [free] * total + [shared] + [free] * total

    def _matrix(self, rows: Inequalities) -> tuple[sp.csr_array, np.ndarray]:
        """A and b of A z ≥ b, one row an inequality: w(x) − γ w(x l) − λ (D − f(l)) + μ (l − 1) + ν A ≥ |x − 1| (l − 1) A."""
        place, ratio, sign = rows
        places, setting, total = self.places, self.setting, self.places.total
        scale, infinite = places.scale(place), np.isinf(ratio)
        own = np.where(infinite, 0.0, 1.0)  # an action that old never takes has no share in w(x), D and E A
        excess = np.where(infinite, 1.0, np.where(infinite, 1.0, ratio) - 1)
        weight = np.where(place == places.infinity, 1.0, np.abs(places.ratios(place) - 1))
        cost = self._cost(ratio)
        entries = _Entries(scale)
        entries.put(place, own * scale)
        self._put_continuation(entries, place, ratio)
        if setting.mean:
            entries.put(3 * total, np.where(place == places.infinity, 0.0, cost) / self.unit)
        else:
            entries.put(total + place, (cost - own * setting.radius) / setting.radius * scale)
        entries.put(2 * total + place, excess / self.unit * scale)
        if not setting.expected:
            entries.put(3 * total + 1 + place, sign * own * scale)
        right = (own * weight if setting.expected else sign * weight * excess) / self.unit / scale
        factor = scale / places.row_scale(rows)
        return entries.matrix(factor, 4 * total + 1), right * factor

    def _cost(self, ratio: np.ndarray) -> np.ndarray:
        """The centred f at 0 ≤ l ≤ ∞; 0 where it is infinite, for no inequality is there."""
        divergence, infinite = self.setting.divergence, np.isinf(ratio)
        inner = (ratio > 0) & ~infinite
        at_zero, at_infinity = divergence.at_zero - divergence.tilt, divergence.at_infinity + divergence.tilt
        cost = np.where(inner, divergence.centred(np.where(inner, ratio, 1.0)), at_zero)
        cost = np.where(infinite, at_infinity, cost)
        return np.where(np.isfinite(cost), cost, 0.0)

    def _put_continuation(self, entries: _Entries, place: np.ndarray, ratio: np.ndarray) -> None:
        """−γ w(x l), w interpolated between the nodes about x l; from ∞ the slope's −γ l s."""
        gamma, scale, count = self.setting.gamma, self.places.scale, len(self.nodes)
        zero, infinity, last = self.places.zero, self.places.infinity, count - 1
        x = self.places.ratios(place)
        finite = np.isfinite(ratio) & (place < count)
        target = np.where(finite, np.where(finite, ratio, 0) * np.where(finite, x, 0), 0.0)
        knots = np.append(0.0, self.nodes)
        segment = np.clip(np.searchsorted(knots, target, side="right") - 1, 0, count)
        beyond = finite & (segment == count) & (target > knots[-1])
        inside = finite & ~beyond
        left = np.minimum(segment, count - 1)
        share = np.where(inside, (target - knots[left]) / (knots[left + 1] - knots[left]), 0.0)
        at_left, at_right = (np.where(knot == 0, zero, knot - 1) for knot in (left, left + 1))
        entries.put(at_left, -gamma * (1 - share) * scale(at_left), inside & (share < 1))
        entries.put(at_right, -gamma * share * scale(at_right), inside & (share > 0))
        entries.put(last, -gamma * scale(last), beyond)
        entries.put(infinity, -gamma * (target - knots[-1]), beyond)
        entries.put(zero, -gamma, np.isfinite(ratio) & (place == zero))
        entries.put(infinity, -gamma * np.where(np.isfinite(ratio), ratio, 1.0), place == infinity)
        entries.put(infinity, -gamma * np.where(place < count, x, 0.0), ~np.isfinite(ratio) & (place < count))


class _Entries:
    """A sparse matrix by its columns; each row is divided by its scale."""

    def __init__(self, scale: np.ndarray) -> None:
        self._scale = scale
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def put(self, column: np.ndarray | int, value: np.ndarray | float, where: np.ndarray | bool = True) -> None:
        """One entry in each of the rows `where`."""
        size = (len(self._scale),)
        at = np.flatnonzero(np.broadcast_to(where, size))
        columns, values = (np.broadcast_to(part, size)[at] for part in (column, value))
        self._parts.append((at, columns, values / self._scale[at]))

    def matrix(self, factor: np.ndarray, columns: int) -> sp.csr_array:
        """All entries, each row multiplied by its factor; those of one place in the matrix are added."""
        at, column, values = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        return sp.csr_array((values * factor[at], (at, column)), shape=(len(factor), columns))
