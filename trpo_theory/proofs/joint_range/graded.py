"""`Graded`: constant + d^k X over a box, so that what vanishes at d = 0, where old = new, is known to its own accuracy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Generic, TypeVar

from trpo_theory.numerics.ball.raw import Real, Undecided, arb, fmpq
from trpo_theory.proofs.joint_range.expression import Expression
from trpo_theory.proofs.joint_range.intervals import INFINITE, Interval, Jet, larger, power, rational, smaller, times
from trpo_theory.proofs.joint_range.rows import TV

Part = TypeVar("Part", Interval, Jet)
_ZERO = fmpq(0)


@dataclass(frozen=True)
class Graded(Generic[Part]):
    """constant + d^exponent · part; part is None for 0."""

    constant: Real
    exponent: Fraction = Fraction(0)
    part: Part | None = None


@dataclass(frozen=True)
class Function:
    """An increasing or decreasing function with the derivatives that composition needs.

    Attributes:
        value: g at a number, ±∞ where it tends to that.
        slopes: g', g'' and g''' over an interval.
        rises, convex: whether it increases, and is convex; else it decreases, and is concave.
    """

    value: Callable[[Real], Real]
    slopes: Callable[[Interval], tuple[Interval, Interval, Interval]]
    rises: bool
    convex: bool

    def quotient(self, at: Real, step: Real) -> Real:
        """(g(at + step) − g(at))/step, of step = 0 the derivative."""
        if step == 0:
            return self.slopes(Interval.at(at))[0].low
        return (self.value(at + step) - self.value(at)) / step


def _exp(x: Real) -> Real:
    if x == 0:
        return fmpq(1)
    if arb(x) == -INFINITE:
        return _ZERO
    return arb(x).exp()


def _log(x: Real) -> Real:
    if x == 1:
        return _ZERO
    if x <= 0:
        return -INFINITE  # the end of an enclosure of what is positive
    if not x > 0:
        raise Undecided("a logarithm of what may be negative")
    return arb(x).log()


def _exp_slopes(x: Interval) -> tuple[Interval, Interval, Interval]:
    slope = x.map(_exp)
    return slope, slope, slope


def _log_slopes(x: Interval) -> tuple[Interval, Interval, Interval]:
    return x.power(Fraction(-1)), -x.power(Fraction(-2)), x.power(Fraction(-3)).scaled(fmpq(2))


EXP, LOG = Function(_exp, _exp_slopes, True, True), Function(_log, _log_slopes, True, False)


def power_function(a: Fraction) -> Function:
    """x^a on x > 0."""
    b = rational(a)

    def slopes(x: Interval) -> tuple[Interval, Interval, Interval]:
        return (
            x.power(a - 1).scaled(b),
            x.power(a - 2).scaled(b * (b - 1)),
            x.power(a - 3).scaled(b * (b - 1) * (b - 2)),
        )

    def value(x: Real) -> Real:
        if x < 0:
            return power(_ZERO, a)  # the end of an enclosure of what is not negative
        if not x >= 0:
            raise Undecided("a power of what may be negative")
        return power(x, a)

    return Function(value, slopes, a > 0, not 0 < a < 1)


class Evaluation(Generic[Part]):
    """Of expressions over one box, whose roots, logarithms and negative powers are of what is ≥ 0 (`shape.defined`).

    Args:
        d: TV over the box, as a part.
        leaves: D/d^order of each field but total variation.
        flat: makes a part of a number.
        order: 2 or 1.
    """

    def __init__(self, d: Part, leaves: Mapping[str, Part], flat: Callable[[Real], Part], order: int = 2) -> None:
        self.d: Part = d
        self.leaves: Mapping[str, Part] = leaves
        self.flat: Callable[[Real], Part] = flat
        self.order: Fraction = Fraction(order)
        self.over: Interval = d.value if isinstance(d, Jet) else d

    def of(self, expression: Expression) -> Graded[Part]:
        """An expression whose fields are of one row."""
        op, args = expression.op, expression.args
        if op == "constant":
            return Graded(expression.value)
        if op == "field":
            if expression.value == TV:
                return Graded(_ZERO, Fraction(1), self.flat(fmpq(1)))
            return Graded(_ZERO, self.order, self.leaves[expression.value])
        found = [self.of(arg) for arg in args]
        if op == "+":
            return self.sum(*found)
        if op == "*":
            return self.product(*found)
        if op in ("min", "max"):
            return self.chosen(op, *found)
        (x,) = found
        if op == "abs":
            return self.absolute(x)
        if op == "power":
            return self.power(x, expression.value)
        return self.applied(EXP if op == "exp" else LOG, x)

    def shifted(self, part: Part, exponent: Fraction) -> Part:
        """d^exponent · part."""
        return part if exponent == 0 else self.d.power(exponent) * part

    def sum(self, x: Graded[Part], y: Graded[Part]) -> Graded[Part]:
        """x + y."""
        constant = x.constant + y.constant
        if x.part is None or y.part is None:
            some = x if y.part is None else y
            return Graded(constant, some.exponent, some.part)
        least = min(x.exponent, y.exponent)
        return Graded(
            constant, least, self.shifted(x.part, x.exponent - least) + self.shifted(y.part, y.exponent - least)
        )

    def scaled(self, x: Graded[Part], factor: Real) -> Graded[Part]:
        """Times a number."""
        if factor == 0 or x.part is None:
            return Graded(x.constant * factor)
        part: Any = x.part.scaled(factor)
        return Graded(x.constant * factor, x.exponent, part)

    def product(self, x: Graded[Part], y: Graded[Part]) -> Graded[Part]:
        """x y."""
        if x.part is None or y.part is None:
            return self.scaled(x, y.constant) if y.part is None else self.scaled(y, x.constant)
        product: Any = x.part * y.part
        both = Graded(_ZERO, x.exponent + y.exponent, product)
        first = self.scaled(Graded(_ZERO, x.exponent, x.part), y.constant)
        second = self.scaled(Graded(_ZERO, y.exponent, y.part), x.constant)
        rest = self.sum(self.sum(both, first), second)
        return Graded(x.constant * y.constant, rest.exponent, rest.part)

    def power(self, x: Graded[Part], a: Fraction) -> Graded[Part]:
        """x^a."""
        if x.part is None:
            return Graded(power_function(a).value(x.constant))
        whole_power = a.denominator == 1 and a > 0
        if x.constant == 0:
            part: Any = x.part if whole_power else x.part.not_negative()
            return Graded(_ZERO, x.exponent * a, part.power(a))
        if whole_power and a <= 8:
            whole = x
            for _ in range(int(a) - 1):
                whole = self.product(whole, x)
            return whole
        return self.applied(power_function(a), x)

    def applied(self, function: Function, x: Graded[Part]) -> Graded[Part]:
        """g(c + r) = g(c) + r (g(c + r) − g(c))/r."""
        base = function.value(x.constant)
        if x.part is None:
            return Graded(base)
        part: Any = x.part
        applied: Callable[..., Any] = self._jet if isinstance(part, Jet) else self._interval
        return Graded(base, x.exponent, applied(function, x.constant, x.exponent, part))

    def _interval(self, function: Function, at: Real, exponent: Fraction, part: Interval) -> Any:
        """Each end by itself: the quotient is monotone in r, and d^k between its ends."""
        weights = self.over.power(exponent)
        low, high = (part.low, part.high) if function.rises else (part.high, part.low)
        lows, highs = (
            [self._risen(function, at, weight, x) for weight in (weights.low, weights.high)] for x in (low, high)
        )
        return Interval(smaller(*lows), larger(*highs))

    @staticmethod
    def _risen(function: Function, at: Real, weight: Real, x: Real) -> Real:
        """(g(at + w x) − g(at))/w."""
        if abs(arb(x)) == INFINITE:
            change = function.value(x) - function.value(at)
            return change / weight if weight > 0 else times(change, INFINITE)
        return times(x, function.quotient(at, weight * x))

    def _jet(self, function: Function, at: Real, exponent: Fraction, part: Any) -> Any:
        """r G(r), G(r) = ∫ g'(c + t r) dt, so that G' is ½ of g'', and G'' a third of g''', between c and c + r."""
        r: Any = self.shifted(part, exponent)
        hull = (Interval.at(at) + r.value).hull(at)
        first, second, third = function.slopes(hull)
        return part * r.composed(first, second.scaled(fmpq(1, 2)), third.scaled(fmpq(1, 3)))

    def chosen(self, op: str, x: Graded[Part], y: Graded[Part]) -> Graded[Part]:
        """The smaller or the larger."""
        if not isinstance(self.d, Interval):
            raise Undecided("a minimum or maximum where derivatives are needed")
        u, v = self.plain(x), self.plain(y)
        if x.constant == 0 and y.constant == 0 and x.part is not None and y.part is not None:
            least = min(x.exponent, y.exponent)
            parts = [self.shifted(one.part, one.exponent - least) for one in (x, y) if one.part is not None]
            return Graded(_ZERO, least, self._choice(op, *parts))
        if u.high <= v.low:
            return x if op == "min" else y
        if v.high <= u.low:
            return y if op == "min" else x
        return Graded(_ZERO, Fraction(0), self._choice(op, u, v))

    @staticmethod
    def _choice(op: str, x: Any, y: Any) -> Any:
        return x.least(y) if op == "min" else x.largest(y)

    def absolute(self, x: Graded[Part]) -> Graded[Part]:
        """|x|."""
        return self.chosen("max", x, self.scaled(x, fmpq(-1)))

    def plain(self, x: Graded[Part]) -> Interval:
        """The whole number."""
        if x.part is None:
            return Interval.at(x.constant)
        part = x.part.value if isinstance(x.part, Jet) else x.part
        return Interval.at(x.constant) + part * self.over.power(x.exponent)
