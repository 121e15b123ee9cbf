"""`Quotient`: of two polynomials in γ, ε and divergences on one box, with + − · / and comparisons."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, ClassVar, Self

import numpy as np

from trpo_theory.numerics.ball import raw as r
from trpo_theory.numerics.ball.raw import Undecided, arb, fmpq
from trpo_theory.proofs.penalties import polynomial as p
from trpo_theory.proofs.penalties.polynomial import ONE, UNIT, Polynomial, Symbol
from trpo_theory.proofs.penalties.range import Range, largest, least


class Ranges(dict[Symbol, Range]):
    """Where each symbol lies on a box; values of functions are added as formulas compute them.

    Attributes:
        logarithms: x by what eˣ is written as.
        inside: whether the ends of the box are left out.
        assumed: numbers that are ≥ 0 by the answers that were given to open comparisons.
    """

    def __init__(self, ranges: Mapping[Symbol, Range], *, inside: bool = False) -> None:
        super().__init__(ranges)
        self.inside = inside
        self.logarithms: dict[object, Any] = {}
        self.assumed: list[Any] = []


class Quotient:
    """A real number that depends on the symbols of one box: numerator/denominator, whose denominator is positive there.

    Comparisons are answered where they are proved on the whole box, and else raise `Undecided`.
    """

    __slots__ = ("denominator", "numerator", "ranges")
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __init__(self, ranges: Ranges, numerator: Polynomial, denominator: Polynomial | None = None) -> None:
        self.ranges: Ranges = ranges
        self.numerator: Polynomial = numerator
        self.denominator: Polynomial | None = denominator

    # --- making ---

    def like(self, value: Any) -> Self:
        """A number of the same box.

        Raises:
            TypeError: for what is no real number.
        """
        if isinstance(value, type(self)):
            return value
        value = _scalar(value)
        return self.nothing() if value != value else type(self)(self.ranges, p.constant(Range.of(value)))

    @property
    def constant(self) -> Range | None:
        """Its range, if it depends on no symbol."""
        if self.denominator is None and self.numerator.keys() <= {UNIT}:
            return self.numerator.get(UNIT, p.ZERO)
        return None

    @property
    def infinity(self) -> int:
        """1 for ∞, −1 for −∞, else 0."""
        value = self.constant
        return 0 if value is None or not value.is_infinite else 1 if value.low > 0 else -1

    @property
    def is_nothing(self) -> bool:
        """Whether it is 0 · ∞, ∞ − ∞ or 0/0, and with it all that is computed of it."""
        value = self.constant
        return value is not None and value.low != value.low

    @property
    def is_exact(self) -> bool:
        """Whether all its coefficients are exact: it is then determined by what it is written as."""
        parts = (self.numerator, self.denominator or {})
        return all(value.is_exact for part in parts for value in part.values())

    def range(self) -> Range:
        """Where it lies on the box; symbols are varied independently, in the form that says most."""
        if not self.numerator:
            return p.ZERO
        best = Range(-math.inf, math.inf)
        below = list(p.forms(self.denominator)) if self.denominator else [(UNIT, {UNIT: ONE})]
        for common, rest in p.forms(self.numerator):
            for divisor, others in below:
                try:
                    outer = p.monomial_range(p.times(common, p.raised(divisor, Fraction(-1))), self.ranges)
                    inner = p.value_of(rest, self.ranges) * p.value_of(others, self.ranges).inverse()
                except Undecided:
                    continue
                found = outer * inner
                best = Range(largest([best.low, found.low]), least([best.high, found.high]))
        return best

    # --- + − · / ---

    def __add__(self, other: Any) -> Any:
        try:
            other = self.like(other)
        except TypeError:
            return NotImplemented
        if self.is_nothing or other.is_nothing or self.infinity * other.infinity < 0:
            return self.nothing()
        if self.infinity or other.infinity:
            return self if self.infinity else other
        if self.denominator is other.denominator or self._same_denominator(other):
            return self._made(p.add(self.numerator, other.numerator), self.denominator)
        one, two = self.denominator or {UNIT: ONE}, other.denominator or {UNIT: ONE}
        numerator = p.add(p.multiply(self.numerator, two), p.multiply(other.numerator, one))
        return self._made(numerator, p.multiply(one, two))

    __radd__ = __add__

    def _same_denominator(self, other: Self) -> bool:
        one, two = self.denominator, other.denominator
        return one is not None and one == two and all(value.is_exact for value in one.values())

    def __neg__(self) -> Self:
        return type(self)(self.ranges, p.negative(self.numerator), self.denominator)

    def __pos__(self) -> Self:
        return self

    def __sub__(self, other: Any) -> Any:
        try:
            return self + -self.like(other)
        except TypeError:
            return NotImplemented

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        try:
            other = self.like(other)
        except TypeError:
            return NotImplemented
        if self.is_nothing or other.is_nothing:
            return self.nothing()
        if self.infinity or other.infinity:
            return self._infinite(self.sign() * other.sign())
        denominators = [one for one in (self.denominator, other.denominator) if one is not None]
        below = None if not denominators else denominators[0] if len(denominators) == 1 else p.multiply(*denominators)
        return self._made(p.multiply(self.numerator, other.numerator), below)

    __rmul__ = __mul__

    def _infinite(self, sign: int) -> Self:
        return self.nothing() if sign == 0 else type(self)(self.ranges, {UNIT: Range(sign * math.inf, sign * math.inf)})

    def nothing(self) -> Self:
        """0 · ∞ and the like."""
        return type(self)(self.ranges, {UNIT: Range(math.nan, math.nan)})

    def _made(self, numerator: Polynomial, denominator: Polynomial | None) -> Self:
        """With a denominator of one term moved into the numerator."""
        if denominator is not None and len(denominator) == 1:
            ((monomial, value),) = denominator.items()
            numerator = p.multiply(numerator, {p.raised(monomial, Fraction(-1)): value.inverse()})
            denominator = None
        return type(self)(self.ranges, numerator, denominator if numerator else None)

    def inverse(self) -> Self:
        """1/x; 1/0 is ∞.

        Raises:
            Undecided: where x may be 0 or change its sign.
        """
        if self.is_nothing or self.infinity:
            return self if self.is_nothing else self.like(0)
        sign = self.sign()
        if sign == 0:
            return self.like(math.inf)
        if sign < 0:
            return -(-self).inverse()
        return self._made(self.denominator or {UNIT: ONE}, self.numerator)

    def __truediv__(self, other: Any) -> Any:
        try:
            other = self.like(other)
        except TypeError:
            return NotImplemented
        return self * other.inverse()

    def __rtruediv__(self, other: Any) -> Any:
        return self.like(other) * self.inverse()

    # --- comparisons: answered when proved ---

    def sign(self) -> int:
        """1, 0 or −1, the same on the whole box; 0 only for what is 0 by structure.

        Raises:
            Undecided: where it is not proved to be one of them.
        """
        if not self.numerator:
            return 0
        if self.infinity:
            return self.infinity
        if p.is_positive(self.numerator, self.ranges, inside=self.ranges.inside):
            return 1
        if p.is_positive(p.negative(self.numerator), self.ranges, inside=self.ranges.inside):
            return -1
        raise Undecided("a sign that is not the same on the box")

    def is_nonnegative(self) -> bool:
        """Whether it is proved to be ≥ 0 on the whole box."""
        if self.is_nothing or self.infinity:
            return self.infinity > 0
        return p.is_nonnegative(self.numerator, self.ranges)

    def is_nonnegative_as_assumed(self) -> bool:
        """The same, with what open comparisons were answered."""
        return self.is_nonnegative() or any(self._is_at_least_a_multiple(other) for other in self.ranges.assumed)

    def _is_at_least_a_multiple(self, other: Self) -> bool:
        """Whether it is proved to be ≥ a positive multiple of a number, c times a product of powers, that is ≥ 0."""
        parts = (self.numerator, other.numerator)
        if not all(part and p.is_of_positive(part, self.ranges) for part in parts):
            return False
        _, ours = p.factored(self.numerator)
        _, theirs = p.factored(other.numerator)
        for monomial, value in theirs.items():
            share = ours.get(monomial)
            if share is None or not (share.is_exact and value.is_exact) or share.low * value.low <= 0:
                continue
            multiple = {one: -(share * value.inverse() * coefficient) for one, coefficient in theirs.items()}
            if p.is_nonnegative(p.add(ours, multiple), self.ranges):
                return True
        return False

    def _compare(self, other: Any, relation: Callable[[int, int], bool]) -> Any:
        try:
            other = self.like(other)
        except TypeError:
            return NotImplemented
        if self.is_nothing or other.is_nothing:
            return relation is operator.ne
        if self.infinity or other.infinity:
            return relation(self.infinity, other.infinity)
        difference = self - other
        for sign, proved in ((1, difference.is_nonnegative), (-1, (-difference).is_nonnegative)):
            if relation(sign, 0) == relation(0, 0) and proved():
                return relation(sign, 0)
        try:
            return relation(difference.sign(), 0)
        except Undecided:
            if relation in (operator.eq, operator.ne):
                raise
            greater = r.proved(_OPEN, fmpq(0), operator.gt, operator.le)  # asks whoever answers open comparisons
            self.ranges.assumed.append(difference if greater else -difference)
            return relation(1 if greater else -1, 0)

    def __lt__(self, other: Any) -> Any:
        return self._compare(other, operator.lt)

    def __le__(self, other: Any) -> Any:
        return self._compare(other, operator.le)

    def __gt__(self, other: Any) -> Any:
        return self._compare(other, operator.gt)

    def __ge__(self, other: Any) -> Any:
        return self._compare(other, operator.ge)

    def __eq__(self, other: Any) -> Any:
        return self._compare(other, operator.eq)

    def __ne__(self, other: Any) -> Any:
        return self._compare(other, operator.ne)

    def __bool__(self) -> bool:
        return bool(self != 0)


_OPEN = arb(0, 1)
"""An enclosure whose sign is open."""


def _scalar(value: Any) -> Any:
    """The number in an array without axes."""
    return value.item() if isinstance(value, np.ndarray) and not value.ndim else value
