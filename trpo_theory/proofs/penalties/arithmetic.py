"""`BoxArithmetic`: the functions of formulas, for `Number`s of one box."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from trpo_theory.numerics.ball import raw as r
from trpo_theory.numerics.ball.raw import Undecided, arb, fmpq
from trpo_theory.proofs.penalties import polynomial as p
from trpo_theory.proofs.penalties.number import Number, larger, smaller
from trpo_theory.proofs.penalties.quotient import Ranges
from trpo_theory.proofs.penalties.range import Range, largest, least

_BITS = 128
"""Of polylogarithms: chosen, twice a float's."""


class BoxArithmetic:
    """Numbers that depend on γ, ε and divergences in a box; of `Arithmetic` what needs no states and actions."""

    name = "ranges over a box"

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges

    def _number(self, x: Any) -> Number:
        return Number(self.ranges, {}).like(x)

    def sqrt(self, x: Any) -> Number:
        """√x."""
        return self._number(x).sqrt()

    def log(self, x: Any) -> Number:
        """The natural logarithm."""
        return self._number(x).log()

    def exp(self, x: Any) -> Number:
        """eˣ."""
        return self._number(x).exp()

    def minimum(self, x: Any, y: Any) -> Number:
        """The smaller of two."""
        return smaller(self._number(x), self._number(y))

    def maximum(self, x: Any, y: Any) -> Number:
        """The larger of two."""
        return larger(self._number(x), self._number(y))

    def enclosed(self, x: Any) -> Number:
        """The number itself."""
        return self._number(x)

    def nan_to_inf(self, x: Any) -> Number:
        """∞ where x is nothing."""
        return self._number(math.inf if self._number(x).is_nothing else x)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """x where the condition holds, else y."""
        return self._number(x if bool(condition) else y)

    def close(self, x: Any, y: Any) -> Any:
        """Whether x = y."""
        return self._number(x) == self._number(y)

    def polylog(self, order: float | Fraction, x: Any) -> Any:
        """Li_order(x); of γ, for an order ≤ 0, γ (1 − γ)^(order − 1) times a new symbol between two values of γ.

        Li_{−s}(γ)/γ = Σ_k (k + 1)^s γᵏ, and (1 − γ)^(−s−1) = Σ_k c_k γᵏ with c_k = Γ(k + 1 + s)/(Γ(1 + s) k!). The quotient
        of two power series is monotone where that of their coefficients is (Biernacki and Krzyż), which is multiplied by
        (1 + 1/(k + 1))^s/(1 + s/(k + 1)) from k to k + 1: it falls for s ≤ 1 and grows for s ≥ 1, by Bernoulli.
        The quotient is 1 at γ = 0 and goes to Γ(1 + s) as γ goes to 1.
        """
        x, exact = self._number(x), Fraction(str(order)) if isinstance(order, float) else Fraction(order)
        if not x.numerator or x.is_nothing:
            return x
        if x.denominator is not None or x.numerator != p.variable(p.GAMMA) or exact > 0:
            return self._plain(exact, x)
        gamma = self.ranges[p.GAMMA]
        ends = [_quotient(exact, gamma.low), _quotient(exact, gamma.high)]
        symbol = ("polylog", exact)
        self.ranges[symbol] = Range(least([end.low for end in ends]), largest([end.high for end in ends]))
        leading = p.times(p.power_of(p.GAMMA, Fraction(1)), p.power_of(p.DELTA, exact - 1))
        if exact in (0, -1):
            return Number(self.ranges, {leading: p.ONE})
        return Number(self.ranges, {p.times(leading, p.power_of(symbol, Fraction(1))): p.ONE})

    def _plain(self, order: Fraction, x: Number) -> Number:
        """Its range: it increases."""
        where = x.range()
        if where.low < 0 or where.high >= 1:
            raise Undecided("a polylogarithm outside of [0, 1)")
        low, high = (_polylog(order, end) for end in (where.low, where.high))
        return x.function(("polylog", order), Range(low.low, high.high))


def _polylog(order: Fraction, x: fmpq) -> Range:
    if x == 0:
        return p.ZERO
    with r.precision(_BITS):
        value = r.raw(arb(x).polylog(arb(fmpq(order.numerator, order.denominator))))
        return Range(r.end(value, "lower"), r.end(value, "upper"))


def _quotient(order: Fraction, gamma: fmpq) -> Range:
    """Li_order(γ) (1 − γ)^(1 − order)/γ, and its limits at 0 and 1."""
    exponent = 1 - order
    if gamma == 0:
        return p.ONE
    with r.precision(_BITS):
        power = arb(fmpq(exponent.numerator, exponent.denominator))
        value = arb(gamma).polylog(1 - power) * arb(1 - gamma) ** power / gamma if gamma != 1 else power.gamma()
        value = r.raw(value)
        return Range(r.end(value, "lower"), r.end(value, "upper"))
