"""`Number`: what a formula computes when γ, ε and divergences are symbols: a quotient of polynomials, and functions of it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.numerics.ball import raw as r
from trpo_theory.numerics.ball.raw import Undecided
from trpo_theory.proofs.penalties import polynomial as p
from trpo_theory.proofs.penalties.polynomial import ONE, Polynomial
from trpo_theory.proofs.penalties.quotient import Quotient
from trpo_theory.proofs.penalties.range import Range

_MOST_POWER = 12
"""A sum is multiplied out for whole exponents up to this. Chosen: formulas have 2 or 3."""


class Number(Quotient):
    """A real number on one box, with powers, roots, logarithms and exponentials."""

    __slots__ = ()

    def __pow__(self, other: Any) -> Any:
        try:
            exponent = self.like(other).constant
        except TypeError:
            return NotImplemented
        if exponent is None or not exponent.is_exact:
            return (self.like(other) * self.log()).exp()
        return self.power(r.fraction(exponent.low))

    def __rpow__(self, other: Any) -> Any:
        return (self * self.like(other).log()).exp()

    def power(self, exponent: Fraction) -> Number:
        """x^exponent; of a sum a new symbol, unless the exponent is a small whole number.

        Raises:
            Undecided: where that may be no number.
        """
        if exponent < 0:
            return self.power(-exponent).inverse()
        if exponent == 0:
            return self.like(1)
        if self.is_nothing:
            return self
        if self.infinity:
            return self._infinite(self.infinity if exponent.denominator == 1 and exponent % 2 else 1)
        if exponent.denominator == 1 and exponent <= _MOST_POWER:
            out = self
            for _ in range(int(exponent) - 1):
                out = out * self
            return out
        if not self.numerator:
            return self
        if self.sign() < 0:
            raise Undecided("a root of a negative number")
        above = self._root(self.numerator, exponent)
        return above if self.denominator is None else above * self._root(self.denominator, exponent).inverse()

    def _root(self, sum_: Polynomial, exponent: Fraction) -> Number:
        """sum^exponent: of what all terms have in common, and of the rest."""
        common, rest = max(p.forms(sum_), key=lambda form: _tightness(p.value_of(form[1], self.ranges)))
        outer = Number(self.ranges, {p.raised(common, exponent): ONE})
        if len(rest) == 1:
            ((_, value),) = rest.items()  # a number: all symbols are in the common factor
            exact = p.root(value, exponent)
            return outer * (self.like(value.power(exponent)) if exact is None else Number(self.ranges, exact))
        value = p.value_of(rest, self.ranges)
        if not all(coefficient.is_exact for coefficient in rest.values()):
            return outer * self.like(value.power(exponent))
        symbol = p.sum_symbol(rest)
        self.ranges[symbol] = value
        return outer * Number(self.ranges, {p.power_of(symbol, exponent): ONE})

    def function(self, name: tuple[object, ...], value: Range) -> Number:
        """A function's value at this number, positive and in that range: a symbol, so that what is the same cancels."""
        if not self.is_exact or value.is_exact:
            return self.like(value)
        symbol = (*name, *self.key)
        self.ranges[symbol] = value
        return Number(self.ranges, p.variable(symbol))

    # --- functions, under the names that NumPy calls them by ---

    def sqrt(self) -> Number:
        """√x."""
        return self.power(Fraction(1, 2))

    def exp(self) -> Number:
        """eˣ = 1 + x (eˣ − 1)/x, where x goes to 0; else its range."""
        value = self.constant
        if value is not None and self.is_nothing:
            return self
        if value is not None:
            exact = not self.infinity and self.numerator
            return self._known_logarithm(self.function(("exp",), value.exp())) if exact else self.like(value.exp())
        value = self.range()
        if value.low > 0 or value.high < 0:
            return self._known_logarithm(self.function(("exp",), value.exp()))
        return self._known_logarithm(1 + self * self.function(("exp quotient",), value.exp_quotient()))

    def _known_logarithm(self, power: Number) -> Number:
        """eˣ, which is noted if it is exact in the symbols."""
        if power.is_exact:
            self.ranges.logarithms[power.key] = self
        return power

    @property
    def key(self) -> tuple[object, ...]:
        """What it is written as."""
        return frozenset(self.numerator.items()), frozenset((self.denominator or {}).items())

    def log(self) -> Number:
        """The natural logarithm; where x goes to 1, x − 1 times a new symbol."""
        value = self.constant
        if value is not None and self.is_nothing:
            return self
        if self.key in self.ranges.logarithms:
            return self.ranges.logarithms[self.key]
        if value is not None:
            return self.like(value.log())
        more = self - 1
        value = more.range()
        if value.low <= 0 <= value.high and value.low >= -1:
            return more * more.function(("log quotient",), value.log_quotient())
        return self.like(self.range().log())

    def expm1(self) -> Number:
        """eˣ − 1."""
        return self.exp() - 1

    def log1p(self) -> Number:
        """log(1 + x)."""
        return (1 + self).log()

    def square(self) -> Number:
        """x²."""
        return self * self

    def conjugate(self) -> Number:
        """Itself, as a real number."""
        return self

    def __abs__(self) -> Number:
        return self if self >= 0 else -self

    def __float__(self) -> float:
        raise TypeError("a number that stands for all of a box has no float value: write q.sqrt(x) for math.sqrt(x)")

    def __repr__(self) -> str:
        return f"Number({self.range().text()})"

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        function = _UFUNCS.get(ufunc)
        if method != "__call__" or options or function is None:
            return NotImplemented
        return function(*(self.like(x) for x in inputs))


def smaller(x: Number, y: Number) -> Number:
    """The smaller of two; where that is open, whoever answers open comparisons decides which. Nothing prevails."""
    if x.is_nothing or y.is_nothing:
        return x.nothing()
    return x if x <= y else y


def larger(x: Number, y: Number) -> Number:
    """The larger of two, likewise."""
    if x.is_nothing or y.is_nothing:
        return x.nothing()
    return x if x >= y else y


_UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.true_divide: operator.truediv,
    np.power: operator.pow,
    np.float_power: operator.pow,
    np.negative: operator.neg,
    np.absolute: abs,
    np.fabs: abs,
    np.sqrt: Number.sqrt,
    np.exp: Number.exp,
    np.expm1: Number.expm1,
    np.log: Number.log,
    np.log1p: Number.log1p,
    np.square: Number.square,
    np.minimum: smaller,
    np.maximum: larger,
    np.fmin: smaller,
    np.fmax: larger,
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
}
"""What NumPy's functions do with such numbers."""


def _tightness(value: Range) -> float:
    """How far a range stays away from 0, relative to its size; for the choice of a form, either of which is right."""
    if isinstance(value.low, float) or isinstance(value.high, float) or value.high <= 0:
        return -1.0
    return float(r.fraction(value.low / value.high))
