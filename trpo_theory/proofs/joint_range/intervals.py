"""`Interval`: all numbers between two, exact rationals, balls or ±∞; `Jet`: one with the first and second derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from trpo_theory.numerics.ball.raw import Real, Undecided, arb, fmpq

INFINITE = arb("inf")
_ZERO, _ONE = fmpq(0), fmpq(1)


def rational(x: Fraction | int) -> fmpq:
    """As the ball library has it."""
    return fmpq(x.numerator, x.denominator)


def smaller(x: Real, y: Real) -> Real:
    """The smaller of two, a ball where that is open."""
    return min(x, y) if type(x) is fmpq and type(y) is fmpq else arb(x).min(arb(y))


def larger(x: Real, y: Real) -> Real:
    """The larger."""
    return max(x, y) if type(x) is fmpq and type(y) is fmpq else arb(x).max(arb(y))


def times(x: Real, y: Real) -> Real:
    """x y, and 0 · ∞ = 0: an infinite end is a limit of finite numbers."""
    return _ZERO if x == 0 or y == 0 else x * y


def power(x: Real, a: Fraction) -> Real:
    """x^a for x ≥ 0, and for any x where a is an integer; 0^a = ∞ for a < 0."""
    if x == 1 or a == 0:
        return _ONE
    if x == 0:
        return _ZERO if a > 0 else INFINITE
    if not x < INFINITE and arb(x) == INFINITE:
        return INFINITE if a > 0 else _ZERO
    if a.denominator == 1:
        return x ** int(a)
    return arb(x).sqrt() ** a.numerator if a.denominator == 2 else arb(x) ** rational(a)


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`; what arithmetic returns contains every result."""

    low: Real
    high: Real

    @classmethod
    def at(cls, x: Real) -> Interval:
        """One number."""
        return cls(x, x)

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Interval) -> Interval:
        if self.low >= 0 and other.low >= 0:
            return Interval(times(self.low, other.low), times(self.high, other.high))
        ends = [times(x, y) for x in (self.low, self.high) for y in (other.low, other.high)]
        low, high = ends[0], ends[0]
        for end in ends[1:]:
            low, high = smaller(low, end), larger(high, end)
        return Interval(low, high)

    def scaled(self, x: Real) -> Interval:
        """Times a number."""
        if x >= 0:
            return Interval(times(self.low, x), times(self.high, x))
        return Interval(times(self.high, x), times(self.low, x)) if x < 0 else self * Interval.at(x)

    def power(self, a: Fraction) -> Interval:
        """x^a.

        Raises:
            Undecided: where it is not defined throughout.
        """
        if not self.low >= 0 and not (a.denominator == 1 and a > 0):
            raise Undecided("a power of what may be negative")
        ends = power(self.low, a), power(self.high, a)
        if self.low >= 0 or a.numerator % 2:
            return Interval(*ends) if a > 0 else Interval(ends[1], ends[0])
        below = _ZERO if self.high >= 0 else smaller(*ends)
        return Interval(below, larger(*ends))

    def not_negative(self) -> Interval:
        """What of it is ≥ 0, for what is known to be."""
        return Interval(_ZERO, self.high) if self.low < 0 else self

    def map(self, rising: Callable[[Real], Real]) -> Interval:
        """Of a function that does not fall."""
        return Interval(rising(self.low), rising(self.high))

    def hull(self, x: Real) -> Interval:
        """With one more number."""
        return Interval(smaller(self.low, x), larger(self.high, x))

    def least(self, other: Interval) -> Interval:
        """The smaller of two."""
        return Interval(smaller(self.low, other.low), smaller(self.high, other.high))

    def largest(self, other: Interval) -> Interval:
        """The larger of two."""
        return Interval(larger(self.low, other.low), larger(self.high, other.high))


@dataclass(frozen=True, slots=True)
class Jet:
    """A function of n variables over a box: enclosures of its value, its gradient and its Hessian.

    Attributes:
        value: of the function.
        gradient: n of them.
        hessian: of i ≤ j, row by row.
    """

    value: Interval
    gradient: tuple[Interval, ...]
    hessian: tuple[Interval, ...]

    @classmethod
    def constant(cls, value: Interval, n: int) -> Jet:
        """That does not vary."""
        zero = Interval.at(_ZERO)
        return cls(value, (zero,) * n, (zero,) * (n * (n + 1) // 2))

    @classmethod
    def variable(cls, value: Interval, index: int, n: int) -> Jet:
        """One of the n variables."""
        flat = cls.constant(value, n)
        unit = tuple(Interval.at(_ONE if i == index else _ZERO) for i in range(n))
        return cls(value, unit, flat.hessian)

    def __add__(self, other: Jet) -> Jet:
        return Jet(
            self.value + other.value,
            tuple(x + y for x, y in zip(self.gradient, other.gradient, strict=True)),
            tuple(x + y for x, y in zip(self.hessian, other.hessian, strict=True)),
        )

    def __neg__(self) -> Jet:
        return self.scaled(fmpq(-1))

    def __sub__(self, other: Jet) -> Jet:
        return self + -other

    def __mul__(self, other: Jet) -> Jet:
        f, g, n = self, other, len(self.gradient)
        gradient = tuple(f.value * y + g.value * x for x, y in zip(f.gradient, g.gradient, strict=True))
        pairs = [(i, j) for i in range(n) for j in range(i, n)]
        hessian = tuple(
            f.value * y + g.value * x + f.gradient[i] * g.gradient[j] + f.gradient[j] * g.gradient[i]
            for (i, j), x, y in zip(pairs, f.hessian, g.hessian, strict=True)
        )
        return Jet(f.value * g.value, gradient, hessian)

    def scaled(self, x: Real) -> Jet:
        """Times a number."""
        parts = (tuple(one.scaled(x) for one in part) for part in (self.gradient, self.hessian))
        return Jet(self.value.scaled(x), *parts)

    def not_negative(self) -> Jet:
        """Itself: derivatives need room."""
        return self

    def composed(self, value: Interval, first: Interval, second: Interval) -> Jet:
        """g of it, from enclosures of g, g' and g'' over its values."""
        n = len(self.gradient)
        pairs = [(i, j) for i in range(n) for j in range(i, n)]
        hessian = tuple(
            second * self.gradient[i] * self.gradient[j] + first * x
            for (i, j), x in zip(pairs, self.hessian, strict=True)
        )
        return Jet(value, tuple(first * x for x in self.gradient), hessian)

    def power(self, a: Fraction) -> Jet:
        """x^a."""
        if a == 1:
            return self
        if a == 0:
            return Jet.constant(Interval.at(_ONE), len(self.gradient))
        x, scale = self.value, rational(a)
        first = x.power(a - 1).scaled(scale)
        second = x.power(a - 2).scaled(scale * (scale - 1)) if a != 2 else Interval.at(fmpq(2))
        return self.composed(x.power(a), first, second)
