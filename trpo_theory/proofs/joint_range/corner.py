"""`Corner`: a function of v = 1 − d near d = 1 as a sum of v^e (−log v)^k, so that what is infinite there is compared exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from trpo_theory.numerics.ball.raw import Real, Undecided, arb, fmpq, fraction
from trpo_theory.proofs.joint_range.graded import EXP, LOG
from trpo_theory.proofs.joint_range.intervals import INFINITE, Interval, larger, power, rational

_LARGEST = Fraction(4)
"""Higher powers of v are put into the coefficient of this one. Chosen: nothing sharp is decided by them."""
_ZERO, _ONE = fmpq(0), fmpq(1)
_NO = Fraction(0)
_UNIT = Interval(_ZERO, _ONE)

Key = tuple[Fraction, Fraction, Fraction]
"""(e, k, c): of v^e (−log v)^k, times log c where c ≠ 1, so that such constants cancel exactly."""


@dataclass(frozen=True)
class Corner:
    """Σ C v^e (−log v)^k [log c] on 0 < v ≤ radius < 1/e.

    Attributes:
        radius: the largest v.
        terms: C by (e, k, c), none of them exactly 0.
    """

    radius: fmpq
    terms: dict[Key, Interval]

    @classmethod
    def made(cls, radius: fmpq, terms: Iterable[tuple[Key, Interval]]) -> Corner:
        """The sum, without zeros."""
        found: dict[Key, Interval] = {}
        for (e, k, c), factor in terms:
            if e > _LARGEST:
                factor, e, k = factor * _range(radius, e - _LARGEST, k), _LARGEST, Fraction(0)
            found[e, k, c] = found[e, k, c] + factor if (e, k, c) in found else factor
        return cls(radius, {key: x for key, x in found.items() if not (x.low == 0 and x.high == 0)})

    @classmethod
    def constant(cls, value: Real, radius: fmpq) -> Corner:
        """A number."""
        return cls.made(radius, [((_NO, _NO, Fraction(1)), Interval.at(value))])

    @classmethod
    def variable(cls, radius: fmpq) -> Corner:
        """d = 1 − v."""
        one = Fraction(1)
        return cls.made(radius, [((_NO, _NO, one), Interval.at(_ONE)), ((one, _NO, one), Interval.at(fmpq(-1)))])

    def __add__(self, other: Corner) -> Corner:
        return Corner.made(self.radius, [*self.terms.items(), *other.terms.items()])

    def __mul__(self, other: Corner) -> Corner:
        found: list[tuple[Key, Interval]] = []
        for (e, k, c), x in self.terms.items():
            for (f, m, b), y in other.terms.items():
                factor, symbol = x * y, c if b == 1 else b
                if c != 1 and b != 1:
                    factor, symbol = factor * _symbol(c), b
                found.append(((e + f, k + m, symbol), factor))
        return Corner.made(self.radius, found)

    def span(self) -> Interval:
        """Between which numbers it lies."""
        total = Interval.at(_ZERO)
        for (e, k, c), factor in self.terms.items():
            total = total + factor * _symbol(c) * _range(self.radius, e, k)
        return total

    def _split(self) -> tuple[tuple[Fraction, Fraction], Interval, Fraction | None, Corner]:
        """(e, k), C, rest: it is C v^e (−log v)^k (1 + rest), rest → 0; C exactly, too, if it is rational."""
        if not self.terms:
            raise Undecided("a power or logarithm of 0")
        first = min((e, -k) for e, k, _ in self.terms)
        e0, k0 = first[0], -first[1]
        lead = {key: x for key, x in self.terms.items() if key[:2] == (e0, k0)}
        factor = Interval.at(_ZERO)
        for (_, _, c), x in lead.items():
            factor = factor + x * _symbol(c)
        if not (factor.low > 0 or factor.high < 0):
            raise Undecided("a leading term whose sign is open")
        inverse = Interval(1 / factor.high, 1 / factor.low)
        rest = [((e - e0, k - k0, c), x * inverse) for (e, k, c), x in self.terms.items() if (e, k) != (e0, k0)]
        exact = factor.low if factor.low == factor.high and isinstance(factor.low, fmpq) else None
        return (e0, k0), factor, None if exact is None else fraction(exact), Corner.made(self.radius, rest)

    def _near_one(self, slope: Callable[[Interval], Interval]) -> Corner:
        """rest · g'(1 + θ rest), 0 ≤ θ ≤ 1."""
        if not self.terms:
            return self
        between = self.span() * _UNIT + Interval.at(_ONE)
        over = slope(between)
        return Corner.made(self.radius, [(key, x * over) for key, x in self.terms.items()])

    def power(self, a: Fraction) -> Corner:
        """x^a."""
        if a.denominator == 1 and a > 0:
            whole = self
            for _ in range(int(a) - 1):
                whole = whole * self
            return whole
        (e, k), factor, exact, rest = self._split()
        if not factor.low > 0:
            raise Undecided("a power of what is negative")
        number = factor.power(a) if exact is None else Interval.at(power(rational(exact), a))
        lead = Corner.made(self.radius, [((e * a, k * a, Fraction(1)), number)])
        near = rest._near_one(lambda x: x.power(a - 1).scaled(rational(a)))
        return lead + lead * near

    def log(self) -> Corner:
        """log x."""
        (e, k), factor, exact, rest = self._split()
        if k != 0 or not factor.low > 0:
            raise Undecided("a logarithm of a logarithm, or of what is negative")
        one = Fraction(1)
        found = [((_NO, one, one), Interval.at(rational(-e)))]
        if exact is None:
            found.append(((_NO, _NO, one), factor.map(LOG.value)))
        elif exact != 1:
            found.append(((_NO, _NO, exact), Interval.at(_ONE)))
        return Corner.made(self.radius, found) + rest._near_one(lambda x: x.power(Fraction(-1)))

    def exp(self) -> Corner:
        """eˣ."""
        one, exponent, number = Fraction(1), Fraction(0), Interval.at(_ONE)
        rest: list[tuple[Key, Interval]] = []
        for (e, k, c), x in self.terms.items():
            exact = x.low if x.low == x.high and isinstance(x.low, fmpq) else None
            if e > 0 or (e == 0 and k < 0):
                rest.append(((e, k, c), x))
            elif (e, k) == (0, 0):
                known = exact is not None and c != 1
                number = number * (
                    Interval.at(power(rational(c), fraction(exact)))
                    if known and exact is not None
                    else (x * _symbol(c)).map(EXP.value)
                )
            elif (e, k, c) == (0, 1, 1) and exact is not None:
                exponent = -fraction(exact)
            else:
                raise Undecided("an exponential of what is infinite otherwise than a logarithm")
        lead = Corner.made(self.radius, [((exponent, _NO, one), number)])
        small = Corner.made(self.radius, rest)
        if not small.terms:
            return lead
        over = (small.span() * _UNIT).map(EXP.value)
        return lead + lead * Corner.made(self.radius, [(key, x * over) for key, x in small.terms.items()])

    def is_nonnegative(self) -> bool:
        """Whether it is seen to be."""
        if not self.terms:
            return True
        if self.span().low >= 0:
            return True
        _, factor, _, rest = self._split()
        return bool(factor.low > 0 and rest.span().low >= -1)


def _symbol(c: Fraction) -> Interval:
    return Interval.at(_ONE if c == 1 else LOG.value(rational(c)))


def _range(radius: fmpq, e: Fraction, k: Fraction) -> Interval:
    """Of v^e (−log v)^k."""
    log = -arb(radius).log()
    at = power(radius, e) * power(log, k)
    if e == 0:
        return Interval(_ZERO, at) if k < 0 else Interval(at, INFINITE if k else _ONE)
    if e < 0:
        if k < 0 and not log * rational(-e) >= rational(-k):
            raise Undecided("a power of v over one of its logarithm")
        return Interval(at, INFINITE)
    if k > 0 and not log >= rational(k / e):
        top = power(rational(k / e), k) * arb(rational(-k)).exp()
        return Interval(_ZERO, larger(at, top))
    return Interval(_ZERO, at)
