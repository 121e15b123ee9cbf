"""`Polynomial`: a sum of products of powers of named positive numbers (γ, 1 − γ, a divergence, ε), with `Range` coefficients.

Exponents are rational, also negative. Two names are linked: GAMMA + DELTA = 1, where DELTA is 1 − γ; a sum is written with
whichever of the two has no minus sign, so that 1 − γ(1 − α) is δ + γα, and no digit is lost as γ goes to 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import comb
from typing import TypeAlias

from trpo_theory.numerics.ball.raw import Undecided, fmpq
from trpo_theory.proofs.penalties.range import Range

Symbol: TypeAlias = tuple[object, ...]
"""A name of a positive number, such as ("gamma",); of a function's value, the function and its argument."""
Monomial: TypeAlias = frozenset[tuple[Symbol, Fraction]]
"""The exponents that are not 0."""
Polynomial: TypeAlias = dict[Monomial, Range]
"""Coefficients by monomial; none is exactly 0."""

GAMMA: Symbol = ("gamma",)
DELTA: Symbol = ("1 - gamma",)
_GIVEN = ("gamma", "1 - gamma", "quantity")
"""First parts of the names of what is not a function of something else."""
UNIT: Monomial = frozenset()
ZERO, ONE = Range(fmpq(0), fmpq(0)), Range(fmpq(1), fmpq(1))
_FACTORED_BITS = 64
"""Rationals up to this length are factored, so that their roots cancel exactly. Chosen: constants of formulas are short."""
_MOST_TERMS = 400
"""Beyond so many a formula is not followed. Chosen: those of the literature have fewer than twenty."""


def constant(value: Range) -> Polynomial:
    """A number."""
    return {} if value == ZERO else {UNIT: value}


def variable(symbol: Symbol) -> Polynomial:
    """The number of that name."""
    return {power_of(symbol, Fraction(1)): ONE}


def power_of(symbol: Symbol, exponent: Fraction) -> Monomial:
    """symbol^exponent."""
    return frozenset({(symbol, exponent)}) if exponent else UNIT


def times(a: Monomial, b: Monomial) -> Monomial:
    """a · b."""
    if not a or not b:
        return a or b
    exponents = dict(a)
    for symbol, exponent in b:
        exponents[symbol] = exponents.get(symbol, Fraction(0)) + exponent
    return frozenset((symbol, exponent) for symbol, exponent in exponents.items() if exponent)


def raised(a: Monomial, exponent: Fraction) -> Monomial:
    """a^exponent."""
    return frozenset((symbol, one * exponent) for symbol, one in a) if exponent else UNIT


def add(a: Polynomial, b: Polynomial) -> Polynomial:
    """a + b, in γ or 1 − γ, whichever leaves no difference."""
    out = dict(a)
    for monomial, value in b.items():
        _accumulate(out, monomial, value)
    return _linked(out)


def negative(a: Polynomial) -> Polynomial:
    """−a."""
    return {monomial: -value for monomial, value in a.items()}


def root(value: Range, exponent: Fraction) -> Polynomial | None:
    """value^exponent of a positive rational, exactly: in powers of its primes, which are symbols; None of a long one."""
    if not value.is_exact or value.low <= 0 or value.low.height_bits() > _FACTORED_BITS:
        return None
    out: Polynomial = {UNIT: ONE}
    for number, sign in ((value.low.p, 1), (value.low.q, -1)):
        for prime, times_ in number.factor():
            whole, part = divmod(exponent * int(times_) * sign, 1)
            coefficient = Range.of(Fraction(int(prime)) ** int(whole))
            out = multiply(out, {power_of(("prime", int(prime)), part): coefficient})
    return out


def _whole_primes(monomial: Monomial) -> tuple[Monomial, Range]:
    """With whole powers of primes as a number."""
    found, number = monomial, ONE
    for symbol, exponent in monomial:
        if symbol[0] == "prime" and not 0 < exponent < 1:
            whole = exponent.numerator // exponent.denominator
            found = times(found, power_of(symbol, Fraction(-whole)))
            number = number * Range.of(Fraction(int(str(symbol[1]))) ** whole)
    return found, number


def sum_symbol(a: Polynomial) -> Symbol:
    """The name of a sum with exact coefficients, of which a root is taken: its whole powers are multiplied out."""
    return ("sum", frozenset(a.items()))


def _whole_sum(monomial: Monomial) -> Symbol | None:
    """A sum of which a monomial has a whole power."""
    return next((symbol for symbol, exponent in monomial if symbol[0] == "sum" and exponent >= 1), None)


def _with_sum(monomial: Monomial, value: Range) -> Polynomial:
    """A monomial with a power of a sum, one factor multiplied out."""
    symbol = _whole_sum(monomial)
    assert symbol is not None
    rest = {times(monomial, power_of(symbol, Fraction(-1))): value}
    return multiply(dict(symbol[1]), rest)  # type: ignore[call-overload]


def multiply(a: Polynomial, b: Polynomial) -> Polynomial:
    """a · b.

    Raises:
        Undecided: for more terms than are followed.
    """
    if len(a) * len(b) > _MOST_TERMS:
        raise Undecided("a formula of too many terms")
    out: Polynomial = {}
    for one, x in a.items():
        for other, y in b.items():
            monomial, number = _whole_primes(times(one, other))
            _accumulate(out, monomial, x * y * number)
    for monomial in [one for one in out if _whole_sum(one) is not None]:
        out = add(_with_sum(monomial, out.pop(monomial)), out)
    return out if len(a) == 1 or len(b) == 1 else _linked(out)


def _accumulate(out: Polynomial, monomial: Monomial, value: Range) -> None:
    total = out[monomial] + value if monomial in out else value
    if total == ZERO:
        out.pop(monomial, None)
    else:
        out[monomial] = total


def _linked(a: Polynomial) -> Polynomial:
    """c X − c X γ is c X δ, c X − c X δ is c X γ, and c X γ + c X δ is c X: applied while a pair is left."""
    changed = True
    while changed:
        changed = False
        for monomial in list(a):
            if monomial in a and (replacement := _pair(a, monomial)) is not None:
                others, made = replacement
                value = a[monomial]
                for other in others:
                    del a[other]
                _accumulate(a, made, value)
                changed = True
    return a


def _pair(a: Polynomial, monomial: Monomial) -> tuple[tuple[Monomial, ...], Monomial] | None:
    value = a[monomial]
    if not value.is_exact:
        return None
    for symbol, other in ((GAMMA, DELTA), (DELTA, GAMMA)):
        partner = times(monomial, power_of(symbol, Fraction(1)))
        if partner in a and a[partner] == -value:
            return (monomial, partner), times(monomial, power_of(other, Fraction(1)))
    if (GAMMA, Fraction(1)) in monomial or dict(monomial).get(GAMMA, Fraction(0)) >= 1:
        without = times(monomial, power_of(GAMMA, Fraction(-1)))
        partner = times(without, power_of(DELTA, Fraction(1)))
        if partner in a and a[partner] == value:
            return (monomial, partner), without
    return None


def degree(monomial: Monomial, symbol: Symbol) -> Fraction:
    """The exponent of a symbol."""
    for name, exponent in monomial:
        if name == symbol:
            return exponent
    return Fraction(0)


def factored(a: Polynomial) -> tuple[Monomial, Polynomial]:
    """The largest monomial that divides every term, and the quotient, whose exponents are ≥ 0."""
    least: dict[Symbol, Fraction] = dict(next(iter(a)))
    for monomial in a:
        exponents = dict(monomial)
        for symbol in least.keys() | exponents.keys():
            least[symbol] = min(least.get(symbol, Fraction(0)), exponents.get(symbol, Fraction(0)))
    common = frozenset((symbol, exponent) for symbol, exponent in least.items() if exponent)
    inverse = raised(common, Fraction(-1))
    return common, {times(monomial, inverse): value for monomial, value in a.items()}


def value_of(a: Polynomial, ranges: Mapping[Symbol, Range]) -> Range:
    """Where the sum lies, each symbol in its range, independently of the others."""
    total = ZERO
    for monomial, coefficient in a.items():
        total = total + coefficient * monomial_range(monomial, ranges)
    return total


def monomial_range(monomial: Monomial, ranges: Mapping[Symbol, Range]) -> Range:
    """Where a product of powers lies."""
    out = ONE
    for symbol, exponent in monomial:
        out = out * _range_of(symbol, ranges).power(exponent)
    return out


def _range_of(symbol: Symbol, ranges: Mapping[Symbol, Range]) -> Range:
    if symbol[0] == "prime":
        return Range.of(symbol[1])
    if symbol not in ranges:
        raise Undecided(f"the sign of {symbol} is not known")
    return ranges[symbol]


def is_of_positive(a: Polynomial, ranges: Mapping[Symbol, Range]) -> bool:
    """Whether all symbols are positive numbers, those with a range."""
    return all(symbol in ranges or symbol[0] == "prime" for monomial in a for symbol, _ in monomial)


def forms(a: Polynomial) -> Iterator[tuple[Monomial, Polynomial]]:
    """The sum factored: as it is, with γ = 1 − δ multiplied out, and with δ = 1 − γ."""
    common, rest = factored(a)
    yield common, rest
    if len(rest) == 1:
        return
    for symbol, other in ((GAMMA, DELTA), (DELTA, GAMMA)):
        exponents = [degree(monomial, symbol) for monomial in rest]
        if any(exponents) and all(exponent.denominator == 1 for exponent in exponents):
            expanded = _expanded(rest, symbol, other)
            if not expanded:
                yield UNIT, {}
                return
            more, quotient = factored(expanded)
            yield times(common, more), quotient


def _expanded(a: Polynomial, symbol: Symbol, other: Symbol) -> Polynomial:
    """With symbol = 1 − other, multiplied out."""
    out: Polynomial = {}
    for monomial, value in a.items():
        n = int(degree(monomial, symbol))
        base = times(monomial, power_of(symbol, Fraction(-n)))
        for k in range(n + 1):
            sign = Range.of(comb(n, k) * (-1) ** k)
            _accumulate(out, times(base, power_of(other, Fraction(k))), value * sign)
    return out


def is_positive(a: Polynomial, ranges: Mapping[Symbol, Range], *, inside: bool = False) -> bool:
    """Whether the sum is proved to be > 0 where all symbols are positive and in their ranges.

    inside: at none of the ends of the ranges, where powers take their least values.
    """
    if not is_of_positive(a, ranges):
        return False
    for _, rest in forms(a):
        if not rest:
            return False
        if all(value.low >= 0 for value in rest.values()) and any(value.low > 0 for value in rest.values()):
            return True
        low = value_of(rest, ranges).low
        if low > 0 or (inside and low == 0 and any(_varies(monomial, ranges) for monomial in rest)):
            return True
    return False


def _varies(monomial: Monomial, ranges: Mapping[Symbol, Range]) -> bool:
    """Whether it has a power of γ, 1 − γ or a quantity that is not at one value."""
    return any(symbol[0] in _GIVEN and ranges[symbol].low != ranges[symbol].high for symbol, _ in monomial)


def is_nonnegative(a: Polynomial, ranges: Mapping[Symbol, Range]) -> bool:
    """Whether the sum is proved to be ≥ 0 there."""
    if not is_of_positive(a, ranges):
        return False
    if not a or all(value.low >= 0 for value in a.values()):
        return True
    return any(not rest or value_of(rest, ranges).low >= 0 for _, rest in forms(a))


def derivative(a: Polynomial, symbol: Symbol) -> Polynomial:
    """d/d symbol, the other symbols fixed."""
    out: Polynomial = {}
    for monomial, value in a.items():
        if exponent := degree(monomial, symbol):
            _accumulate(out, times(monomial, power_of(symbol, Fraction(-1))), value * Range.of(exponent))
    return out
