"""Both ends of an update problem in ball arithmetic: old, new and multipliers in exact rationals, A and ρ in balls.

For λ ≥ 0 and ν ≥ max A (ν > A where old has mass), row by row,
    max_p Σ (p − old) A − λ KL(old‖p)  ≤  ν − Σ old A − λ + λ Σ old log(λ / (ν − A)),
and for any ν, with y = A − ν,
    max_p Σ (p − old) A − λ χ²(p‖old)  ≤  Σ old · (y²/(4λ) where y ≥ −2λ, else −λ − y);
the sum of ρ times these bounds the objective of every policy of the class; the objective of a feasible policy is the
other end. docs/theory.md, "Certificates" and "One row under chi-square". The conditions λ ≥ 0, ν ≥ max A and new ≥ 0 are
tested exactly, whatever solver the numbers came from.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from trpo_theory.errors import NotSolved
from trpo_theory.numerics.ball import raw
from trpo_theory.numerics.ball.raw import arb, fmpq, fraction
from trpo_theory.proofs.update_feasible import EnclosedCost, retreat
from trpo_theory.updates.rows.forward_kl import FORWARD_KL

_NEWTON_STEPS = 2
"""For ν: each squares its relative error, and the float solver's start is within 1e-12."""
_LIFT = 4
"""ν is above every A by so many radii of A's balls at least: chosen, a logarithm of ν − A is then known to a digit."""
_LEAST_EXCESS = fmpq(1, 10**200)
"""A ν closer to max A is not polished: its slope is beyond the balls' use."""


class Reduction(enum.StrEnum):
    """What the divergence does to the objective; the value is the problem's name in a file."""

    PENALTY = "penalty"
    MAX = "max-kl"
    MEAN = "mean-kl"
    REVERSE_MAX_CHI2 = "reverse-max-chi2"
    REVERSE_MEAN_CHI2 = "reverse-mean-chi2"

    @property
    def shares_multiplier(self) -> bool:
        """Whether a mean is held down, with one λ for all rows."""
        return self in (Reduction.MEAN, Reduction.REVERSE_MEAN_CHI2)

    @property
    def of_chi2(self) -> bool:
        """Whether the divergence is χ²(new‖old), and not KL(old‖new)."""
        return self in (Reduction.REVERSE_MAX_CHI2, Reduction.REVERSE_MEAN_CHI2)


@dataclass(frozen=True)
class ExactProblem:
    """A penalty of `amount` times max-KL, or a radius of `amount` for a divergence, at the discount gamma."""

    reduction: Reduction
    amount: fmpq
    gamma: fmpq

    @property
    def penalised(self) -> bool:
        """Whether the divergence is subtracted, problem (11), and not held down."""
        return self.reduction is Reduction.PENALTY

    @property
    def horizon(self) -> fmpq:
        """1/(1 − γ), the sum of ρ."""
        return 1 / (1 - self.gamma)


@dataclass(frozen=True)
class EnclosedRow:
    """One row of the policy class over the available actions: ρ and A_old enclosed, old and new exact.

    Raises:
        NotSolved: for an old or new that is no distribution.
    """

    rho: arb
    old: Sequence[fmpq]
    new: Sequence[fmpq]
    advantage: Sequence[arb]

    def __post_init__(self) -> None:
        for name, row in (("old", self.old), ("new", self.new)):
            if min(row) < 0 or sum(row, fmpq(0)) != 1:
                raise NotSolved(
                    f"got a row of {name} that is no distribution, with least entry {float(fraction(min(row))):.3g}; wanted "
                    "entries of 0 or more that sum to 1; fix: solve again"
                )

    @cached_property
    def mean(self) -> arb:
        """Σ old A: 0 for the advantages themselves, not for rounded ones."""
        return _dot(self.old, self.advantage)

    @cached_property
    def gain(self) -> arb:
        """Σ (new − old) A."""
        return _dot([n - o for n, o in zip(self.new, self.old, strict=True)], self.advantage)

    @cached_property
    def best(self) -> fmpq:
        """The least rational that is known to be no smaller than any A."""
        return max(raw.end(a, "upper") for a in self.advantage)

    @cached_property
    def kl(self) -> arb:
        """KL(old‖new)."""
        total = arb(0)
        for o, n in zip(self.old, self.new, strict=True):
            if o > 0:
                total += arb(o) * (arb(o / n).log() if n > 0 else arb("inf"))
        return total

    @cached_property
    def reverse_chi2(self) -> arb:
        """χ²(new‖old)."""
        pairs = [(o, n) for o, n in zip(self.old, self.new, strict=True) if o != n]
        return sum((arb((n - o) * (n - o) / o) if o > 0 else arb("inf") for o, n in pairs), arb(0))

    def divergence(self, reduction: Reduction) -> arb:
        """The one that the problem holds down."""
        return self.reverse_chi2 if reduction.of_chi2 else self.kl

    def value(self, reduction: Reduction, multiplier: fmpq) -> arb:
        """An upper bound on max_p Σ (p − old) A − λ times the divergence."""
        return self.chi2_bound(multiplier) if reduction.of_chi2 else self.bound(multiplier)

    def chi2_bound(self, multiplier: fmpq) -> arb:
        """Σ old · (y²/(4λ) where y ≥ −2λ, else −λ − y), y = A − ν; and never more than that of λ = 0.

        With m and μ the mass and mean of A of the best actions, ν = μ − 2λ (1 − m)/m for whatever A is in the balls: their
        part is V/(4λ) + λ (1 − m)²/m, V = Σ old (A − μ)², which no rounding of ν enters, however rare they are.
        """
        taken = [(o, a) for o, a in zip(self.old, self.advantage, strict=True) if o > 0]
        taken.sort(key=lambda pair: raw.dyadic(pair[1].mid()), reverse=True)
        greedy, price = arb(max(raw.end(a, "upper") for _, a in taken)) - self.mean, arb(multiplier)
        if multiplier == 0:
            return greedy
        (mass, mean), spread, count = taken[0], arb(0), 1
        for o, a in taken[1:]:
            if not arb(mass) * (mean - a) < 2 * price:
                break
            apart = mean - a  # not squared by **, which is nan of an arb on both sides of 0, as where actions tie
            spread += arb(o * mass / (mass + o)) * (apart * apart)
            mean = arb(mass / (mass + o)) * mean + arb(o / (mass + o)) * a
            mass, count = mass + o, count + 1
        value = spread / (4 * price) + price * arb((1 - mass) ** 2 / mass)
        for o, a in taken[count:]:
            y = (
                a - mean + 2 * price * arb((1 - mass) / mass)
            )  # where y < −2λ is not certain, the first term is no smaller
            value += arb(o) * (-price - y if y < -2 * price else y * y / (4 * price))
        return value if value < greedy else greedy

    def bound(self, multiplier: fmpq) -> arb:
        """ν − Σ old A − λ + λ Σ old log(λ/(ν − A)) for a ν ≥ max A near the best one.

        Raises:
            NotSolved: where ν > A is not proved for an action that old takes.
        """
        if multiplier == 0:
            return arb(self.best) - self.mean
        nu = self._polished(self.best + self._excess(multiplier), multiplier)
        radius = max(raw.end(a.rad(), "upper") for a in self.advantage)
        if radius > 0:  # an action that old takes may be the best one, and ν − A has to be more than a rounding error
            nu = max(nu, self.best + _LIFT * radius)
        rooms = self._rooms(nu)
        if rooms is None:
            raise NotSolved("got a nu that is not proved to be above every A; wanted one; fix: solve again")
        total = sum((arb(o) * (arb(multiplier) / room).log() for o, room in rooms), arb(0))
        return arb(nu - multiplier) - self.mean + arb(multiplier) * total

    def _rooms(self, nu: fmpq) -> list[tuple[fmpq, arb]] | None:
        """Where old has mass: that mass and ν − A > 0. None unless that, and ν ≥ A everywhere, is proved."""
        if nu < self.best:
            return None
        rooms = []
        for o, a in zip(self.old, self.advantage, strict=True):
            if o > 0:
                middle = a.mid()
                room = arb(nu - raw.dyadic(middle)) - (a - middle)
                if not room > 0:
                    return None
                rooms.append((o, room))
        return rooms

    def _excess(self, multiplier: fmpq) -> fmpq:
        """u = ν − max A, from the float solver: any u ≥ 0 (> 0 where old's own action is best) gives a bound."""
        old = np.array([float(fraction(x)) for x in self.old])
        advantage = np.array([float(a.mid()) for a in self.advantage])
        if not np.isfinite(advantage).all():  # beyond floats there is no float solver
            return multiplier
        rows = FORWARD_KL.rows(old[:, None], advantage[:, None], np.ones((len(old), 1), dtype=bool))
        solved = FORWARD_KL.at_multiplier(rows, np.array([float(fraction(multiplier))]))
        u = float(solved.state[0]) * float(rows.scale[0])
        if rows.scale[0] == 0:
            u = float(fraction(multiplier))
        elif rows.outside[0] >= 0 and u < 1e-200 * rows.scale[0] and not old[advantage == advantage.max()].any():
            u = 0.0
        return rational(u) if np.isfinite(u) else multiplier

    def _polished(self, nu: fmpq, multiplier: fmpq) -> fmpq:
        """ν after Newton steps on Σ λ old/(ν − A) = 1: the bound is quadratic in ν's error, and λ may be large."""
        if nu - self.best < _LEAST_EXCESS:
            return nu
        pairs = [(o, a) for o, a in zip(self.old, self.advantage, strict=True) if o > 0]
        for _ in range(_NEWTON_STEPS):
            weights = [arb(multiplier * o) / (arb(nu) - a) for o, a in pairs]
            excess = sum(weights, arb(0)) - 1
            slope = sum((w / (arb(nu) - a) for w, (_, a) in zip(weights, pairs, strict=True)), arb(0))
            stepped = arb(nu) + excess / slope
            if not stepped.is_finite():
                break
            better = raw.dyadic(stepped.mid())
            if better <= self.best:
                break
            nu = better
        return nu


def upper_end(problem: ExactProblem, rows: Sequence[EnclosedRow], multipliers: Sequence[fmpq]) -> arb:
    """An upper bound on the objective of every policy of the class, by weak duality, from a multiplier λ ≥ 0 a row.

    For a mean λ is one number, the largest; for a penalty they are scaled so that Σ ρ λ is at most the coefficient.

    Raises:
        NotSolved: for a multiplier below 0.
    """
    if min(multipliers) < 0:
        least = float(fraction(min(multipliers)))
        raise NotSolved(f"got the multiplier {least:.6g}; wanted 0 or more; fix: solve again")
    if problem.amount == 0 and not problem.penalised:
        return arb(0)
    visited = [(row, price) for row, price in zip(rows, multipliers, strict=True) if not row.rho.is_zero()]
    rows, multipliers = [row for row, _ in visited], [price for _, price in visited]
    spent = sum((row.rho * arb(price) for row, price in visited), arb(0))
    if problem.reduction.shares_multiplier:
        multipliers = [max(multipliers)] * len(multipliers)
    elif problem.penalised and not spent <= arb(problem.amount):
        share = problem.amount / raw.end(spent, "upper")
        multipliers = [price * share for price in multipliers]
    values = [row.value(problem.reduction, price) for row, price in zip(rows, multipliers, strict=True)]
    upper = sum((row.rho * value for row, value in zip(rows, values, strict=True)), arb(0))
    if problem.reduction.shares_multiplier:
        upper += arb(multipliers[0] * problem.amount * problem.horizon) if rows else arb(0)
    elif not problem.penalised:
        upper += spent * arb(problem.amount)
    return upper


def lower_end(problem: ExactProblem, rows: Sequence[EnclosedRow], costs: Sequence[EnclosedCost] = ()) -> arb:
    """The objective of new, moved back towards old by at most 2⁻³⁰ where that is what makes it feasible.

    Raises:
        NotSolved: where new is further from feasible.
    """
    gain = sum((row.rho * row.gain for row in rows), arb(0))
    if problem.penalised:
        worst = arb(0)
        for row in rows:  # all of them: max-KL counts states that old never visits, too
            worst = worst.max(row.kl)
        return gain - (arb(problem.amount) * worst if problem.amount else arb(0))
    spent = [row.divergence(problem.reduction) for row in rows]
    if problem.reduction.shares_multiplier:
        share = arb(1 / problem.horizon)
        of_rows = zip(rows, spent, strict=True)
        spent = [sum((share * row.rho * divergence for row, divergence in of_rows if not row.rho.is_zero()), arb(0))]
    return gain * arb(1 - retreat(spent, problem.amount, costs))


def rational(value: Any) -> fmpq:
    """The dyadic rational that a float is."""
    return fmpq(*float(value).as_integer_ratio())


def normalised(row: Sequence[fmpq]) -> list[fmpq]:
    """A row over its exact sum."""
    total = sum(row, fmpq(0))
    return [entry / total for entry in row]


def _dot(x: Sequence[fmpq], y: Sequence[arb]) -> arb:
    return sum((arb(a) * b for a, b in zip(x, y, strict=True)), arb(0))
