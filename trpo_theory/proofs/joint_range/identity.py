"""`Closed`: functions of d made of powers and logarithms of 1 + d and 1 − d, with rational coefficients; which are exactly 0."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from trpo_theory.numerics.ball.raw import Real, Undecided, fmpq, fraction

Key = tuple[Fraction, Fraction, int, int]
"""(i, j, k, m): of A^i B^j (log A)^k (log B)^m, A = 1 + d, B = 1 − d."""
_NO_LOG = (0, 0)


@dataclass(frozen=True)
class Closed:
    """Σ coefficient · A^i B^j (log A)^k (log B)^m; no canonical form, as A + B = 2."""

    terms: dict[Key, Fraction]

    @classmethod
    def made(cls, terms: Iterable[tuple[Key, Fraction]]) -> Closed:
        """The sum."""
        found: dict[Key, Fraction] = {}
        for key, x in terms:
            found[key] = found.get(key, Fraction(0)) + x
        return cls({key: x for key, x in found.items() if x != 0})

    @classmethod
    def constant(cls, value: Real) -> Closed:
        """A rational."""
        if not isinstance(value, fmpq):
            raise Undecided("a constant that is not rational")
        return cls.made([(_key(0, 0), fraction(value))])

    @classmethod
    def variable(cls) -> Closed:
        """d = 1 − B."""
        return cls.made([(_key(0, 0), Fraction(1)), (_key(0, 1), Fraction(-1))])

    def __add__(self, other: Closed) -> Closed:
        return Closed.made([*self.terms.items(), *other.terms.items()])

    def __mul__(self, other: Closed) -> Closed:
        found: list[tuple[Key, Fraction]] = []
        for (i, j, k, m), x in self.terms.items():
            for (a, b, c, d), y in other.terms.items():
                found.append(((i + a, j + b, k + c, m + d), x * y))
        return Closed.made(found)

    def power(self, a: Fraction) -> Closed:
        """x^a."""
        if a.denominator == 1 and a > 0:
            return self.whole_power(int(a))
        i, j, n, x = self._monomial()
        power = n * a
        if power.denominator != 1 or power < 0:
            raise Undecided("a root of d")
        return Closed.made([(_key(i * a, j * a), _rational_power(x, a))]) * Closed.variable().whole_power(int(power))

    def whole_power(self, n: int) -> Closed:
        """xⁿ, n ≥ 0."""
        whole = Closed.constant(fmpq(1))
        for _ in range(n):
            whole = whole * self
        return whole

    def log(self) -> Closed:
        """log x."""
        i, j, n, x = self._monomial()
        if x != 1 or n:
            raise Undecided("the logarithm of a number, or of d")
        return Closed.made([((Fraction(0), Fraction(0), 1, 0), i), ((Fraction(0), Fraction(0), 0, 1), j)])

    def exp(self) -> Closed:
        """eˣ, of multiples of the logarithms."""
        if any(key[:2] != (0, 0) or key[2] + key[3] != 1 for key in self.terms):
            raise Undecided("an exponential of what is no logarithm")
        i, j = (self.terms.get((Fraction(0), Fraction(0), *which), Fraction(0)) for which in ((1, 0), (0, 1)))
        return Closed.made([(_key(i, j), Fraction(1))])

    @property
    def is_zero(self) -> bool:
        """Whether it is seen to be 0 for all d."""
        return all(not any(polynomial) for polynomial, *_ in self._classes())

    def _classes(self) -> list[tuple[list[Fraction], Fraction, Fraction, tuple[int, int]]]:
        """Polynomials in B, times A^i B^j (log A)^k (log B)^m, one for each k, m and fractional parts of i and j."""
        groups: dict[tuple[Any, ...], dict[Key, Fraction]] = {}
        for key, x in self.terms.items():
            groups.setdefault((key[0] % 1, key[1] % 1, *key[2:]), {})[key] = x
        found: list[tuple[list[Fraction], Fraction, Fraction, tuple[int, int]]] = []
        for (_, _, k, m), group in groups.items():
            least = min(key[0] for key in group), min(key[1] for key in group)
            polynomial = [Fraction(0)]
            for key, x in group.items():
                i, j = int(key[0] - least[0]), int(key[1] - least[1])
                part = [Fraction(0)] * j + [x * math.comb(i, n) * 2 ** (i - n) * (-1) ** n for n in range(i + 1)]
                size = max(len(part), len(polynomial))
                polynomial = [
                    (part[n] if n < len(part) else 0) + (polynomial[n] if n < len(polynomial) else 0)
                    for n in range(size)
                ]
            found.append(([Fraction(x) for x in polynomial], *least, (k, m)))
        return found

    def _monomial(self) -> tuple[Fraction, Fraction, int, Fraction]:
        """i, j, n, x of x A^i B^j d^n, x > 0."""
        classes = [one for one in self._classes() if any(one[0])]
        if len(classes) != 1 or classes[0][3] != _NO_LOG:
            raise Undecided("no product of powers of d, 1 + d and 1 − d")
        polynomial, i, j, _ = classes[0]
        while not polynomial[-1]:
            polynomial = polynomial[:-1]
        polynomial, b = _divided(polynomial, 0)
        polynomial, a = _divided(polynomial, 2)
        polynomial, n = _divided(polynomial, 1)
        if len(polynomial) != 1:
            raise Undecided("no product of powers of d, 1 + d and 1 − d")
        x = polynomial[0] * (-1) ** b
        if x <= 0:
            raise Undecided("a power or logarithm of what is negative")
        return i + a, j + b, n, x


def _divided(polynomial: list[Fraction], root: int) -> tuple[list[Fraction], int]:
    """A polynomial in B without its factors root − B, and how many they are."""
    count = 0
    while len(polynomial) > 1 and sum(x * root**n for n, x in enumerate(polynomial)) == 0:
        quotient, carry = list[Fraction](), Fraction(0)
        for x in reversed(polynomial[1:]):
            carry = x + root * carry
            quotient.insert(0, -carry)
        polynomial, count = quotient, count + 1
    return polynomial, count


def _key(i: Fraction | int, j: Fraction | int) -> Key:
    return Fraction(i), Fraction(j), 0, 0


def _rational_power(x: Fraction, a: Fraction) -> Fraction:
    """x^a, of squares also for halves."""
    if x == 1:
        return x
    if a.denominator == 2:
        root = Fraction(math.isqrt(x.numerator), math.isqrt(x.denominator))
        if root**2 != x:
            raise Undecided("a root that is not rational")
        return root**a.numerator
    if a.denominator != 1:
        raise Undecided("a root that is not rational")
    return x ** int(a)
