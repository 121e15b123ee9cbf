"""One policy on one MDP enclosed in balls: V, A and ρ by a verified solve, of a thousand states and more.

x is found by LU in floats, refined with residuals in balls. Nothing of that need be trusted, as P, each of whose rows stands
over its own exact sum, is stochastic, and so for any x̂ and ŷ whatever
    max|x̂ − x| ≤ max|b + γPx̂ − x̂|/(1 − γ),        Σ|ŷ − y| ≤ Σ|b + γPᵀŷ − ŷ|/(1 − γ).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, arb_mat

from trpo_theory.errors import NotSolved
from trpo_theory.numerics.ball import raw

_PASSES = 400
"""Of refinement, at most: each gains 4 digits at γ = 1 − 1e-12 and 13 at γ = ½, and the most bits are 4096, 1233 digits."""
_GAINS = 0.25
"""Refinement ends with the first pass that leaves more of the residual: chosen; it is down to the rounding of the balls."""
_USEFUL_BITS = 40
"""A solution is refused whose error, relative to its largest entry, is above 2 to minus this. Chosen: that is 12 digits."""
_MOST_BITS = 4096
"""At which ρ of a state that is reached is taken as it is, though 0 may be in its ball: it is below 1e-300 by far."""
_RELATIVE_BITS = 50
"""Bits of accuracy, relative to each, that are asked of ρ of the states that are reached: about a float's own."""

Numbers = np.ndarray
"""Floats, the dyadic rationals that they are, or `Fraction`s."""


@dataclass(frozen=True)
class EnclosedPolicy:
    """V, A and ρ of a policy.

    Attributes:
        value: V(s), S balls.
        advantage: A(s,a), for each of S states A balls; 0 for unavailable actions.
        visitation: ρ(s), S balls, none of them below 0, and 0 itself for states that are never reached.
        bits: at which they were computed.
    """

    value: list[arb]
    advantage: list[list[arb]]
    visitation: list[arb]
    bits: int


def enclosed_policy(
    *,
    gamma: Fraction,
    transition: Numbers,
    reward: Numbers,
    initial: Numbers,
    policy: Numbers,
    available: np.ndarray,
    bits: int,
) -> EnclosedPolicy:
    """Enclose V, A and ρ of a policy π, at so many bits or more: enough that ρ of each state that is reached has its digits.

    Args:
        gamma: γ, exactly.
        transition: P(s'|s,a), (S, A, S); each row is taken over its exact sum, as are those of the next two.
        initial: ρ₀, (S,).
        policy: π(a|s), (S, A).
        reward: r(s,a), (S, A).
        available: booleans (S, A).
        bits: of the first attempt.

    Raises:
        NotSolved: where floats do not get near a solution: γ within some 1e-15 of 1.
    """
    chain = _Chain(float(gamma), transition, policy, available)
    reached = _reached(transition, policy, initial)
    while True:
        with raw.precision(bits):
            chain.enclose(gamma)
            advantage, value = chain.advantage(_numbers(reward.ravel()))
            visitation = chain.visitation(_distribution(initial))
            visitation = [raw.nonnegative(x) if yes else arb(0) for x, yes in zip(visitation, reached, strict=True)]
            known = all(
                x.rel_accuracy_bits() >= _RELATIVE_BITS for x, yes in zip(visitation, reached, strict=True) if yes
            )
        if known or bits >= _MOST_BITS:
            return EnclosedPolicy(value, advantage, visitation, bits)
        bits *= 2


class _Chain:
    """The operators b + γPx and b + γPᵀy in balls, and the approximate inverse in floats."""

    def __init__(self, gamma: float, transition: Numbers, policy: Numbers, available: np.ndarray) -> None:
        from scipy.linalg import lu_factor

        self.states, self.actions = policy.shape
        self._available, self._policy, self._transition = available, policy, transition
        rows = transition.astype(float)
        rows /= np.where(available, rows.sum(2), 1.0)[:, :, None]
        weights = policy.astype(float)
        chain = np.einsum("sa,sat->st", weights / weights.sum(1, keepdims=True), rows)
        self._factors = lu_factor(np.eye(self.states) - gamma * chain, check_finite=False)

    def enclose(self, gamma: Fraction) -> None:
        """The numbers in balls at the precision in force."""
        states, actions = self.states, self.actions
        self._gamma = arb(raw.raw(gamma))
        self._matrix = arb_mat(states * actions, states, _numbers(self._transition.reshape(-1)))
        sums = (self._matrix * arb_mat(states, 1, [arb(1)] * states)).entries()
        self._sums = [x if yes else arb(1) for x, yes in zip(sums, self._available.ravel(), strict=True)]
        self._weights = [_distribution(row) for row in self._policy]

    def _expect(self, value: list[arb]) -> list[arb]:
        """γ Σ P(s'|s,a) value(s'), S·A of them."""
        products = (self._matrix * arb_mat(self.states, 1, value)).entries()
        return [self._gamma * x / total for x, total in zip(products, self._sums, strict=True)]

    def _mean(self, numbers: list[arb]) -> list[arb]:
        """Σ_a π(a|s) of S·A numbers."""
        a = self.actions
        return [_dot(weights, numbers[s * a : (s + 1) * a]) for s, weights in enumerate(self._weights)]

    def advantage(self, reward: list[arb]) -> tuple[list[list[arb]], list[arb]]:
        """A and V."""
        earned = self._mean(reward)

        def residual(x: list[arb]) -> list[arb]:
            return [b + p - v for b, p, v in zip(earned, self._mean(self._expect(x)), x, strict=True)]

        x, left = self._refined(residual, 0)
        value = _widened(x, max_of(abs(r).abs_upper() for r in left) / (1 - self._gamma))
        q = [r + p for r, p in zip(reward, self._expect(value), strict=True)]
        rows = [q[s * self.actions : (s + 1) * self.actions] for s in range(self.states)]
        means = self._mean(q)
        return [
            [x - mean if yes else arb(0) for x, yes in zip(row, usable, strict=True)]
            for row, mean, usable in zip(rows, means, self._available, strict=True)
        ], value

    def visitation(self, initial: list[arb]) -> list[arb]:
        """ρ."""
        states, actions = self.states, self.actions

        def residual(y: list[arb]) -> list[arb]:
            flow = [
                self._gamma * y[s] * self._weights[s][a] / self._sums[s * actions + a]
                for s in range(states)
                for a in range(actions)
            ]
            moved = (arb_mat(1, states * actions, flow) * self._matrix).entries()
            return [b + m - v for b, m, v in zip(initial, moved, y, strict=True)]

        y, left = self._refined(residual, 1)
        return _widened(y, sum((abs(r).abs_upper() for r in left), arb(0)) / (1 - self._gamma))

    def _refined(self, residual: Callable[[list[arb]], list[arb]], trans: int) -> tuple[list[arb], list[arb]]:
        """An approximate solution in exact balls, and its residual.

        Raises:
            NotSolved: where it is no solution at all.
        """
        from scipy.linalg import lu_solve

        x = [arb(0)] * self.states
        left = residual(x)
        top = max_of(abs(r).abs_upper() for r in left)
        for _ in range(_PASSES):
            if top == 0:
                break
            unit = arb(2) ** _exponent(top)
            floats = np.array([float((r / unit).mid()) for r in left])
            step = lu_solve(self._factors, floats, trans=trans, check_finite=False)
            moved = [(v + unit * arb(float(c))).mid() for v, c in zip(x, step, strict=True)]
            after = residual(moved)
            reduced = max_of(abs(r).abs_upper() for r in after)
            if not reduced < top:
                break
            ended = not reduced < _GAINS * top
            x, left, top = moved, after, reduced
            if ended:
                break
        largest = max_of(abs(v).abs_upper() for v in x)
        if not top / (1 - self._gamma) <= largest * arb(2) ** -_USEFUL_BITS and top > 0:
            raise NotSolved(
                "got a linear system that floats do not solve to a single digit; wanted a discount further from 1; fix: use "
                "1 - 1e-12 or less"
            )
        return x, left


def max_of(numbers: Any) -> arb:
    """The largest of exact balls, or an upper bound on it; 0 for none."""
    top = arb(0)
    for x in numbers:
        top = x if x >= top else top if x <= top else top.max(x)
    return top


def _numbers(array: Numbers) -> list[arb]:
    if array.dtype == object:
        return [arb(raw.raw(x)) for x in array]
    return [arb(x) for x in array.tolist()]


def _distribution(array: Numbers) -> list[arb]:
    """A row of probabilities over its exact sum."""
    numbers = _numbers(array)
    total = sum(numbers, arb(0))
    return [x / total for x in numbers]


def _dot(x: list[arb], y: list[arb]) -> arb:
    return sum((a * b for a, b in zip(x, y, strict=True)), arb(0))


def _widened(x: list[arb], radius: arb) -> list[arb]:
    """Each ± radius."""
    around = (-radius).union(radius)
    return [v + around for v in x]


def _exponent(x: arb) -> int:
    mantissa, exponent = x.man_exp()
    return int(exponent) + int(mantissa.bit_length())


def _reached(transition: Numbers, policy: Numbers, initial: Numbers) -> np.ndarray:
    """The states that the policy reaches with positive probability, by the graph."""
    used = np.asarray(policy > 0, dtype=bool)
    moves = np.any(np.asarray(transition > 0, dtype=bool) & used[:, :, None], axis=1)
    reached = np.asarray(initial > 0, dtype=bool)
    while True:
        more = reached | moves[reached].any(0)
        if (more == reached).all():
            return reached
        reached = more
