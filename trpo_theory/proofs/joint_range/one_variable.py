"""The sign of a formula in d on an interval: exactly 0, by Taylor's formula at d = 0, by logarithms at d = 1, or in pieces."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from trpo_theory.numerics.ball.raw import Undecided, fmpq
from trpo_theory.proofs.joint_range.corner import Corner
from trpo_theory.proofs.joint_range.curves import Curve, Pair
from trpo_theory.proofs.joint_range.expression import Expression
from trpo_theory.proofs.joint_range.graded import EXP, LOG
from trpo_theory.proofs.joint_range.identity import Closed
from trpo_theory.proofs.joint_range.intervals import Interval, Jet, rational
from trpo_theory.proofs.joint_range.pairs import D
from trpo_theory.proofs.joint_range.shape import jet
from trpo_theory.proofs.joint_range.taylor import Taylor

_MOST_PIECES = 3_000
"""Chosen: some seconds."""
_NEAR_ZERO = tuple(Fraction(1, 2**k) for k in range(3, 9))
_NEAR_ONE = tuple(Fraction(1, 2**k) for k in (5, 6, 8, 10, 13, 16, 20, 26, 32, 40))
"""Neighbourhoods of d = 0 and d = 1 that are tried, the largest first. Chosen; the envelopes know the first ones."""


@dataclass(frozen=True)
class Signed:
    """What was found.

    Attributes:
        pieces: into which the interval was cut.
        left: the ends of one where the sign is open; None where the formula is ≥ 0.
    """

    pieces: int
    left: tuple[Fraction, Fraction] | None = None


def is_nonnegative(curve: Curve, refutes: Callable[[Fraction], Pair | None]) -> Signed | Pair:
    """Whether the curve's formula is ≥ 0 for all its d; or the pair that `refutes` finds at one of them."""
    low, high = curve.low, curve.high
    if _identically_zero(curve.formula(low, high)):
        return Signed(1)
    if low == 0:
        low = next((end for end in _NEAR_ZERO if _near_zero(curve, end)), Fraction(0))
    if high == 1:
        high = next((1 - v for v in _NEAR_ONE if _near_one(curve, v)), Fraction(1))
    if low == 0 or high == 1:
        return Signed(0, (Fraction(0), _NEAR_ZERO[-1]) if low == 0 else (1 - _NEAR_ONE[-1], Fraction(1)))
    queue = [(low - high, low, high)]
    for count in range(1, _MOST_PIECES):
        if not queue:
            return Signed(count)
        _, low, high = heapq.heappop(queue)
        if all(_holds(one, low, high) for one in curve.conditions(low, high)):
            continue
        middle = (low + high) / 2
        sign = 0 if curve.refined else sign_at(curve, middle)
        if sign <= 0 and (pair := refutes(middle)) is not None:
            return pair
        if sign < 0:
            return Signed(count, (middle, middle))
        for ends in ((low, middle), (middle, high)):
            heapq.heappush(queue, (ends[0] - ends[1], *ends))
    return Signed(_MOST_PIECES, queue[0][1:] if queue else None)


def _valued(expression: Expression, variable: Any, constant: Callable[[Any], Any]) -> Any:
    """A formula in d by sums, products, powers, logarithms and exponentials; nodes that it shares are evaluated once."""
    known: dict[int, Any] = {}

    def of(node: Expression) -> Any:
        if id(node) not in known:
            known[id(node)] = _applied(node, variable, constant, of)
        return known[id(node)]

    return of(expression)


def _applied(node: Expression, variable: Any, constant: Callable[[Any], Any], of: Callable[[Expression], Any]) -> Any:
    if node.op == "field":
        return variable
    if node.op == "constant":
        return constant(node.value)
    args = [of(arg) for arg in node.args]
    if node.op in ("+", "*"):
        return args[0] + args[1] if node.op == "+" else args[0] * args[1]
    if node.op == "power":
        return args[0].power(node.value)
    if node.op in ("log", "exp"):
        return args[0].log() if node.op == "log" else args[0].exp()
    raise Undecided(f"a series of {node.op}")


def _identically_zero(expression: Expression) -> bool:
    try:
        return bool(_valued(expression, Closed.variable(), Closed.constant).is_zero)
    except Undecided:
        return False


def _near_zero(curve: Curve, end: Fraction) -> bool:
    radius = rational(end)
    try:
        return all(
            _valued(one, Taylor.variable(radius), lambda x: Taylor.constant(x, radius)).is_nonnegative()
            for one in curve.conditions(Fraction(0), end)
        )
    except Undecided:
        return False


def _near_one(curve: Curve, end: Fraction) -> bool:
    radius = rational(end)
    try:
        return all(
            _valued(one, Corner.variable(radius), lambda x: Corner.constant(x, radius)).is_nonnegative()
            for one in curve.conditions(1 - end, Fraction(1))
        )
    except Undecided:
        return False


def _holds(formula: Expression, low: Fraction, high: Fraction) -> bool:
    """By its range, or its value in the middle and its slope."""
    d = Interval(rational(low), rational(high))
    try:
        whole = _over(formula, d)
        if whole.low >= 0:
            return True
        slope = jet(formula, {D: Jet.variable(d, 0, 1)}).gradient[0]
        if slope.low >= 0 or slope.high <= 0:
            return bool(_over(formula, Interval.at(d.low if slope.low >= 0 else d.high)).low >= 0)
        half = (d.high - d.low) / 2
        return bool((_over(formula, Interval.at(d.low + half)) + slope * Interval(-half, half)).low >= 0)
    except Undecided:
        return False


def sign_at(curve: Curve, d: Fraction) -> int:
    """1 or −1 where the curve's formula is seen to be ≥ 0 or negative, else 0."""
    try:
        found = _over(curve.formula(d, d), Interval.at(rational(d)))
    except Undecided:
        return 0
    return 1 if found.low >= 0 else -1 if found.high < 0 else 0


def _over(expression: Expression, d: Interval) -> Interval:
    if expression == D:
        return d
    op = expression.op
    if op == "constant":
        return Interval.at(expression.value)
    args = [_over(arg, d) for arg in expression.args]
    if op in ("+", "*"):
        return args[0] + args[1] if op == "+" else args[0] * args[1]
    if op == "power":
        return args[0].power(expression.value)
    if op in ("min", "max"):
        return args[0].least(args[1]) if op == "min" else args[0].largest(args[1])
    if op == "abs":
        return args[0].largest(-args[0])
    if op == "log" and not args[0].low > fmpq(0):
        raise Undecided("a logarithm of what may not be positive")
    return args[0].map((EXP if op == "exp" else LOG).value)
