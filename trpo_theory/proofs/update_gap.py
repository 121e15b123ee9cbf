"""The gap of an update, proved in ball arithmetic: an upper bound by weak duality, a lower bound by a feasible policy.

The problem is the surrogate as stored: A, ρ and γ are the dyadic rationals that the floats are, and each row of old and
of new is divided by its exact sum, so that it sums to one. For λ ≥ 0 and ν ≥ max A (> where old has mass), row by row,
    max_p Σ (p − old) A − λ KL(old‖p)  ≤  ν − Σ old A − λ + λ Σ old log(λ / (ν − A)).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.numerics.ball import raw
from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.updates.penalties import linear_coefficient
from trpo_theory.updates.rows import forward_kl
from trpo_theory.updates.rows.rows import Rows

_RETREATS = (None, 50, 46, 42, 38, 34, 30)
"""The policy is drawn back to old by 2 to minus one of these, the least that proves it feasible."""


@dataclass(frozen=True)
class CertifiedGap:
    """What was proved of an update.

    Attributes:
        objective: a lower bound on the objective of a feasible policy, drawn back to old by at most 2⁻³⁰.
        upper_bound: an upper bound on the objective of every policy of the class.
        precision: bits of the balls.
    """

    objective: float
    upper_bound: float
    precision: int

    @property
    def gap(self) -> float:
        """How much better any policy can be, at most."""
        return self.upper_bound - self.objective

    @property
    def relative_gap(self) -> float:
        """gap over upper_bound; 0 where both vanish."""
        return self.gap / self.upper_bound if self.upper_bound > 0 else 0.0


def certify_update(solution: Any, *, precision: int = 192) -> CertifiedGap:
    """Prove the gap of an `UpdateSolution` of (11), (12) or (13), one instance, in balls of so many bits.

    Raises:
        InvalidInput: for a batch, a sibling problem, or a penalty that is not a coefficient times max-KL.
    """
    problem, surrogate = solution.problem, solution.surrogate
    if problem.name not in ("penalty", "max-kl", "mean-kl") or surrogate.old.shape[2] != 1:
        raise InvalidInput(
            got=f"a solution of {problem.name}, {surrogate.old.shape[2]} instances",
            wanted="one instance of (11), (12) or (13)",
            fix="certify the instances one at a time; the siblings have float certificates only",
        )

    with raw.precision(precision):
        return _proved(solution, precision)


def _proved(solution: Any, precision: int) -> CertifiedGap:
    problem, surrogate = solution.problem, solution.surrogate
    groups = np.flatnonzero(surrogate.visitation[:, 0] > 0)
    rows = [_Row(solution, int(g)) for g in groups]
    penalised = problem.name == "penalty"
    coefficient = fmpq(0)
    if penalised:
        linear = linear_coefficient(surrogate, problem)
        if linear is None:
            raise InvalidInput(
                got="a penalty that is not a coefficient times max-KL",
                wanted="a linear one",
                fix="read its float upper_bound",
            )
        coefficient = _fraction(linear[0])
    budget = fmpq(0) if penalised else _fraction(problem.delta)
    horizon = 1 / (1 - _fraction(float(surrogate.gamma[0])))
    prices = [_fraction(value) for value in solution.multiplier_rows[groups, 0]]
    if problem.name == "mean-kl":
        prices = [max(prices)] * len(prices)
    elif penalised and (total := sum((row.rho * price for row, price in zip(rows, prices, strict=True)), fmpq(0))):
        prices = [price * min(fmpq(1), coefficient / total) for price in prices]
    if budget == 0 and not penalised:
        upper: Any = arb(0)
    else:
        upper = sum((arb(row.rho) * row.bound(price) for row, price in zip(rows, prices, strict=True)), arb(0))
        if problem.name == "mean-kl" and prices:
            upper += arb(prices[0] * budget * horizon)
        elif not penalised:
            upper += arb(sum((row.rho * price for row, price in zip(rows, prices, strict=True)), fmpq(0)) * budget)
    gain = sum((row.rho * row.gain for row in rows), fmpq(0))
    kls = [row.kl() for row in rows]
    if penalised:
        worst = arb(0)
        for kl in kls:
            worst = worst.max(kl)
        objective = arb(gain) - (arb(coefficient) * worst if coefficient else arb(0))
    else:
        spent = kls
        if problem.name == "mean-kl":
            spent = [sum((arb(row.rho / horizon) * kl for row, kl in zip(rows, kls, strict=True)), arb(0))]
        objective = arb(gain) * arb(1 - _retreat(spent, budget))
    return CertifiedGap(raw.float_ends(objective)[0], raw.float_ends(upper)[1], precision)


def _retreat(spent: list[Any], budget: Any) -> Any:
    """The least η at which (1 − η) of the step is proved feasible: KL(old‖·) is convex, hence at most (1 − η) KL."""
    for bits in _RETREATS:
        eta = fmpq(0) if bits is None else fmpq(1, 2**bits)
        if all(arb(1 - eta) * kl <= arb(budget) for kl in spent):
            return eta
    raise NotSolved(
        "got a policy over its constraint by more than 2^-30; wanted a feasible one; fix: solve with Dual()"
    )


class _Row:
    """A row of the surrogate in exact rationals: old, new = old + change, A and ρ, over the available actions."""

    def __init__(self, solution: Any, group: int) -> None:
        surrogate = solution.surrogate
        usable = np.flatnonzero(surrogate.available[:, group, 0])

        def exact(array: np.ndarray) -> list[Any]:
            return [_fraction(value) for value in array[usable, group, 0]]

        self.rho = _fraction(surrogate.visitation[group, 0])
        old, change = exact(surrogate.old), exact(solution.change_rows)
        new = [o + d if abs(d) * 4 < o else n for o, d, n in zip(old, change, exact(solution.new_rows), strict=True)]
        self._old, self._new = _normalised(old), _normalised(new)
        self._advantage = exact(surrogate.advantage)
        self._mean = _dot(self._old, self._advantage)
        self.gain = _dot(self._new, self._advantage) - self._mean
        self._guess = solution.surrogate.old[usable, group, 0], surrogate.advantage[usable, group, 0]

    def bound(self, price: Any) -> Any:
        """ν − Σ old A − λ + λ Σ old log(λ/(ν − A)) for a ν ≥ max A near the best."""
        best = max(self._advantage)
        if price == 0:
            return arb(best - self._mean)
        nu = self._polished(best + self._excess(price), price, best)
        total = arb(0)
        for o, a in zip(self._old, self._advantage, strict=True):
            if o > 0:
                total += arb(o) * arb(price / (nu - a)).log()
        return arb(nu - self._mean - price) + arb(price) * total

    def _excess(self, price: Any) -> Any:
        """u = ν − max A, from the float solver: any u ≥ 0 (> 0 where old's own action is best) gives a bound."""
        old, advantage = self._guess
        rows = Rows.of(old[:, None], advantage[:, None], np.ones((len(old), 1), dtype=bool))
        solved = forward_kl.at_multiplier(rows, np.array([float(price.p) / float(price.q)]))
        u = float(solved.state[0]) * float(rows.scale[0])
        if rows.scale[0] == 0:
            u = float(price.p) / float(price.q)
        elif rows.outside[0] >= 0 and u < 1e-200 * rows.scale[0] and not old[advantage == advantage.max()].any():
            u = 0.0
        return _fraction(u)

    def _polished(self, nu: Any, price: Any, best: Any) -> Any:
        """ν after two Newton steps on Σ λ old/(ν − A) = 1: the bound is quadratic in ν's error, and λ may be large."""
        if nu - best < fmpq(1, 10**200):
            return nu
        for _ in range(2):
            weights = [arb(price * o / (nu - a)) for o, a in zip(self._old, self._advantage, strict=True) if o > 0]
            slopes = [arb(nu - a) for o, a in zip(self._old, self._advantage, strict=True) if o > 0]
            excess = sum(weights, arb(0)) - 1
            slope = sum((w / d for w, d in zip(weights, slopes, strict=True)), arb(0))
            mantissa, exponent = (arb(nu) + excess / slope).mid().man_exp()
            better = fmpq(int(mantissa)) * fmpq(2) ** int(exponent)
            if better <= best:
                break
            nu = better
        return nu

    def kl(self) -> Any:
        """KL(old‖new)."""
        total = arb(0)
        for o, n in zip(self._old, self._new, strict=True):
            if o > 0:
                total += arb(o) * (arb(o / n).log() if n > 0 else arb("inf"))
        return total


def _fraction(value: Any) -> Any:
    numerator, denominator = float(value).as_integer_ratio()
    return fmpq(numerator, denominator)


def _normalised(row: list[Any]) -> list[Any]:
    total = sum(row, fmpq(0))
    return [entry / total for entry in row]


def _dot(x: list[Any], y: list[Any]) -> Any:
    return sum((a * b for a, b in zip(x, y, strict=True)), fmpq(0))
