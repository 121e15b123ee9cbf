"""`Range`: the real numbers between two rationals, or without an end; whatever is computed of it is rounded outward.

Beside `Ball`, whose middle and radius cannot say that a number lies in [0, 1] exactly, or in [0, ∞): comparisons that hold with
equality at one end of a box need that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from trpo_theory.numerics.ball import raw as r
from trpo_theory.numerics.ball.raw import Undecided, arb, fmpq

End = Any
"""A rational (fmpq), or ±∞ as a float."""

_LONG_BITS = 512
"""Rationals longer than this are rounded outward. Chosen: products of a few ends stay exact, long sums do not grow."""
_BITS = 128
"""Of ends that are rounded: chosen, twice a float's."""


@dataclass(frozen=True, slots=True)
class Range:
    """The closed interval of the reals from low to high; an infinite end is not attained, unless both are the same infinity."""

    low: End
    high: End

    @classmethod
    def of(cls, x: Any) -> Range:
        """The range of one number: of an int, a Fraction or a decimal float the number, of a rounded float its interval.

        Raises:
            TypeError: for what is no real number.
        """
        if isinstance(x, Range):
            return x
        real = x.raw if hasattr(x, "raw") else r.raw(x)
        if real is NotImplemented or r.is_nan(real):
            raise TypeError(f"{x!r} is no real number")
        if isinstance(real, float):
            return cls(real, real)
        return cls(r.end(real, "lower"), r.end(real, "upper"))

    @property
    def is_exact(self) -> bool:
        """Whether it is one rational number."""
        return self.low == self.high and not isinstance(self.low, float)

    @property
    def is_infinite(self) -> bool:
        """Whether it is ∞ or −∞ itself."""
        return self.low == self.high and isinstance(self.low, float)

    def __add__(self, other: Range) -> Range:
        return _rounded(_sum(self.low, other.low, -1), _sum(self.high, other.high, 1))

    def __neg__(self) -> Range:
        return Range(-self.high, -self.low)

    def __sub__(self, other: Range) -> Range:
        return self + -other

    def __mul__(self, other: Range) -> Range:
        if self.is_exact and other.is_exact:
            product = self.low * other.low
            return Range(product, product)
        ends = [_product(a, b) for a in (self.low, self.high) for b in (other.low, other.high)]
        return _rounded(least(ends), largest(ends))

    def inverse(self) -> Range:
        """1/x.

        Raises:
            Undecided: where 0 is inside.
        """
        if self.low < 0 < self.high or self.low == self.high == 0:
            raise Undecided("a divisor may be 0")
        low, high = self.high, self.low
        if self.high <= 0:
            return -(-self).inverse()
        return Range(
            fmpq(0) if isinstance(low, float) else 1 / low,
            fmpq(0) if isinstance(high, float) else math.inf if high == 0 else 1 / high,
        )

    def power(self, exponent: Fraction) -> Range:
        """x^exponent, x ≥ 0 unless the exponent is a whole number.

        Raises:
            Undecided: where that may be no number.
        """
        if exponent < 0:
            return self.power(-exponent).inverse()
        if exponent.denominator == 1 and self.low < 0:
            if exponent % 2 == 1:
                return Range(-_power(-self.low, exponent, 1), _signed_power(self.high, exponent, 1))
            top = largest([-self.low, self.high])
            return Range(_power(largest([fmpq(0), -self.high]), exponent, -1), _power(top, exponent, 1))
        if self.low < 0:
            raise Undecided("the root of a number that may be negative")
        return Range(_power(self.low, exponent, -1), _power(self.high, exponent, 1))

    def exp(self) -> Range:
        """eˣ."""
        return Range(_exp(self.low, -1), _exp(self.high, 1))

    def log(self) -> Range:
        """The natural logarithm.

        Raises:
            Undecided: where x may be negative.
        """
        if self.low < 0:
            raise Undecided("the logarithm of a number that may be negative")
        return Range(_log(self.low, -1), _log(self.high, 1))

    def exp_quotient(self) -> Range:
        """(eˣ − 1)/x, 1 at 0: it increases, as eˣ is convex."""
        return Range(_exp_quotient(self.low, -1), _exp_quotient(self.high, 1))

    def log_quotient(self) -> Range:
        """log(1 + x)/x, 1 at 0: it decreases on x > −1, as the logarithm is concave.

        Raises:
            Undecided: where x may be below −1.
        """
        if self.low < -1:
            raise Undecided("the logarithm of a number that may be negative")
        return Range(_log_quotient(self.high, -1), _log_quotient(self.low, 1))

    def text(self) -> str:
        """For people."""
        return f"[{_shown(self.low)}, {_shown(self.high)}]"


def _shown(end: End) -> str:
    return str(end) if isinstance(end, float) or end.height_bits() < 40 else f"{float(r.fraction(end)):.6g}"


def _sum(a: End, b: End, side: int) -> End:
    if isinstance(a, float) or isinstance(b, float):
        a, b = a if isinstance(a, float) else 0.0, b if isinstance(b, float) else 0.0
        return side * math.inf if math.isnan(a + b) else a + b
    return a + b


def _product(a: End, b: End) -> End:
    """0 · ∞ = 0: the infinite end is not attained."""
    if a == 0 or b == 0:
        return fmpq(0)
    if isinstance(a, float) or isinstance(b, float):
        return math.inf if (a > 0) == (b > 0) else -math.inf
    return a * b


def least(ends: list[End]) -> End:
    """The least of several ends."""
    best = ends[0]
    for one in ends[1:]:
        best = one if below(one, best) else best
    return best


def largest(ends: list[End]) -> End:
    """The largest of several ends."""
    return -least([-one for one in ends])


def below(a: End, b: End) -> bool:
    """a < b; the two types do not compare."""
    if isinstance(a, float):
        return a < 0 and a != b
    return b > 0 if isinstance(b, float) else a < b


def _rounded(low: End, high: End) -> Range:
    return Range(_outward(low, -1), _outward(high, 1))


def _outward(x: End, side: int) -> End:
    return x if isinstance(x, float) or x.height_bits() <= _LONG_BITS else _end_of(lambda: arb(x), side)


def _end_of(number: Any, side: int) -> End:
    with r.precision(_BITS):
        value = r.raw(number())
        return r.end(value, "upper" if side > 0 else "lower")


def _power(x: End, exponent: Fraction, side: int) -> End:
    """x ≥ 0."""
    if isinstance(x, float) or x == 0:
        return x if exponent else fmpq(1)
    if exponent.denominator == 1:
        return _outward(x ** int(exponent), side)
    root = _exact_root(x, exponent.denominator)
    if root is not None:
        return _outward(root ** int(exponent.numerator), side)
    return _end_of(lambda: arb(x) ** (arb(exponent.numerator) / exponent.denominator), side)


def _exact_root(x: fmpq, order: int) -> fmpq | None:
    p, q = x.p.root(order), x.q.root(order)
    return fmpq(p, q) if p**order == x.p and q**order == x.q else None


def _signed_power(x: End, exponent: Fraction, side: int) -> End:
    return _power(x, exponent, side) if x >= 0 else -_power(-x, exponent, -side)


def _exp(x: End, side: int) -> End:
    if isinstance(x, float):
        return x if x > 0 else fmpq(0)
    return fmpq(1) if x == 0 else _end_of(lambda: arb(x).exp(), side)


def _log(x: End, side: int) -> End:
    if isinstance(x, float):
        return x
    if x == 0:
        return -math.inf
    return fmpq(0) if x == 1 else _end_of(lambda: arb(x).log(), side)


def _exp_quotient(x: End, side: int) -> End:
    if isinstance(x, float):
        return x if x > 0 else fmpq(0)
    return fmpq(1) if x == 0 else _end_of(lambda: arb(x).expm1() / x, side)


def _log_quotient(x: End, side: int) -> End:
    if isinstance(x, float):
        return fmpq(0)
    if x == -1:
        return math.inf
    return fmpq(1) if x == 0 else _end_of(lambda: arb(x).log1p() / x, side)
