"""`Taylor`: a function of d in (0, ρ] as d^v (a polynomial + remainder · dⁿ), so that what vanishes at d = 0 is known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from trpo_theory.numerics.ball.raw import Real, Undecided, fmpq
from trpo_theory.proofs.joint_range.graded import EXP, LOG
from trpo_theory.proofs.joint_range.intervals import Interval, power, rational

_ORDER = 14
"""Terms that are kept. Chosen: Topsøe's series of Pinsker's inequality, up to T⁸, cancels in the first eight."""
_ZERO, _ONE = fmpq(0), fmpq(1)
_NONE = Interval.at(_ZERO)


@dataclass(frozen=True, slots=True)
class Taylor:
    """d^valuation (Σ_{j<n} terms_j d^j + rest d^n) on 0 < d ≤ radius.

    Attributes:
        radius: ρ.
        valuation: v; the first term is not exactly 0.
        terms: n numbers, exact or balls.
        rest: between which numbers the remainder lies.
    """

    radius: fmpq
    valuation: Fraction
    terms: tuple[Real, ...]
    rest: Interval

    @classmethod
    def made(cls, radius: fmpq, valuation: Fraction, terms: list[Real], rest: Interval) -> Taylor:
        """Without zeros in front."""
        first = next((j for j, term in enumerate(terms) if not _vanishes(term)), len(terms))
        return cls(radius, valuation + first, tuple(terms[first:]), rest)

    @classmethod
    def constant(cls, value: Real, radius: fmpq) -> Taylor:
        """A number."""
        return cls.made(radius, Fraction(0), [value, *[_ZERO] * (_ORDER - 1)], _NONE)

    @classmethod
    def variable(cls, radius: fmpq) -> Taylor:
        """d."""
        return cls(radius, Fraction(1), (_ONE, *[_ZERO] * (_ORDER - 1)), _NONE)

    @property
    def _is_zero(self) -> bool:
        return not self.terms and self.rest.low == 0 and self.rest.high == 0

    def cut(self, n: int) -> Taylor:
        """With at most n terms, the others in the remainder."""
        if len(self.terms) <= n:
            return self
        return Taylor(self.radius, self.valuation, self.terms[:n], _horner(self.terms[n:], self.rest, self.radius))

    def unit(self) -> Interval:
        """Between which numbers it lies, but for d^valuation."""
        return _horner(self.terms, self.rest, self.radius)

    def __add__(self, other: Taylor) -> Taylor:
        if self._is_zero or other._is_zero:
            return other if self._is_zero else self
        low, high = (self, other) if self.valuation <= other.valuation else (other, self)
        shift = high.valuation - low.valuation
        if shift.denominator != 1:
            raise Undecided("a sum of powers of d that differ by no integer")
        by = int(shift)
        n = min(len(low.terms), by + len(high.terms))
        low, high = low.cut(n), high.cut(max(n - by, 0))
        terms: list[Real] = list(low.terms)
        for j, term in enumerate(high.terms):
            terms[by + j] = terms[by + j] + term
        beyond = by + len(high.terms) - n
        rest = (
            low.rest + high.rest * Interval(_ZERO, self.radius).power(Fraction(beyond))
            if beyond
            else low.rest + high.rest
        )
        return Taylor.made(self.radius, low.valuation, terms, rest)

    def __mul__(self, other: Taylor) -> Taylor:
        if self._is_zero or other._is_zero:
            return self if self._is_zero else other
        n = min(len(self.terms), len(other.terms))
        x, y = self.cut(n), other.cut(n)
        products: list[Real] = [_ZERO] * max(2 * n - 1, 0)
        for i, a in enumerate(x.terms):
            for j, b in enumerate(y.terms):
                if not (_vanishes(a) or _vanishes(b)):
                    products[i + j] = products[i + j] + a * b
        rest = _horner(tuple(products[n:]), _NONE, self.radius)
        rest = rest + _horner(x.terms, _NONE, self.radius) * y.rest + x.rest * y.unit()
        return Taylor.made(self.radius, x.valuation + y.valuation, products[:n], rest)

    def power(self, a: Fraction) -> Taylor:
        """x^a."""
        if a.denominator == 1 and a > 0:
            whole = self
            for _ in range(int(a) - 1):
                whole = whole * self
            return whole
        at = self._first()

        def binomial(k: int) -> fmpq:
            number = _ONE
            for j in range(k):
                number *= (rational(a) - j) / (j + 1)
            return number

        found = Taylor(self.radius, Fraction(0), self.terms, self.rest)._composed(
            lambda k: binomial(k) * power(at, a - k), lambda k, x: x.power(a - k).scaled(binomial(k))
        )
        return Taylor(self.radius, self.valuation * a, found.terms, found.rest)

    def log(self) -> Taylor:
        """log x."""
        if self.valuation != 0:
            raise Undecided("a logarithm of what vanishes, or is infinite, where d does")
        at = self._first()

        def slope(k: int) -> fmpq:
            return fmpq((-1) ** (k + 1), k)

        return self._composed(
            lambda k: slope(k) * power(at, Fraction(-k)) if k else LOG.value(at),
            lambda k, x: x.power(Fraction(-k)).scaled(slope(k)),
        )

    def exp(self) -> Taylor:
        """eˣ."""
        if self.valuation < 0 or self.valuation.denominator != 1:
            raise Undecided("an exponential of what has no Taylor series")
        at = EXP.value(self.terms[0] if self.valuation == 0 and self.terms else _ZERO)

        def factor(k: int) -> fmpq:
            number = _ONE
            for j in range(2, k + 1):
                number /= j
            return number

        return self._composed(lambda k: at * factor(k), lambda k, x: x.map(EXP.value).scaled(factor(k)))

    def _first(self) -> Real:
        if not self.terms or not self.terms[0] > 0:
            raise Undecided("a power or logarithm of what is not seen to be positive")
        return self.terms[0]

    def _composed(self, at: Callable[[int], Real], over: Callable[[int, Interval], Interval]) -> Taylor:
        """g of it, from g's Taylor coefficients at its value at 0, and the k-th one enclosed over all its values."""
        has = self.valuation == 0 and bool(self.terms)
        if self.valuation == 0 and not self.terms:
            raise Undecided("a function of what is not known at d = 0")
        r = self + Taylor.constant(-self.terms[0], self.radius) if has else self
        total = Taylor.constant(at(0), self.radius)
        if r._is_zero:
            return total
        inner = r.unit() * Interval(_ZERO, self.radius).power(r.valuation)
        whole = inner + Interval.at(self.terms[0]) if has else inner
        last = max(-(-_ORDER // int(r.valuation)), 2)
        product = r
        for k in range(1, last):
            total = total + product * Taylor.constant(at(k), self.radius)
            product = product * r
        remainder = product.cut(0)
        end = Taylor(self.radius, remainder.valuation, (), remainder.rest * over(last, whole))
        return total + end

    def is_nonnegative(self) -> bool:
        """Whether it is seen to be."""
        return bool(self.unit().low >= 0)


def _vanishes(x: Real) -> bool:
    """Whether it is exactly 0, which no ball is known to be."""
    return isinstance(x, fmpq) and x == 0


def _horner(terms: tuple[Real, ...], rest: Interval, radius: fmpq) -> Interval:
    over = Interval(_ZERO, radius)
    total = rest
    for term in reversed(terms):
        total = total * over + Interval.at(term)
    return total
