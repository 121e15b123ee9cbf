"""The numbers under `Ball`: rationals (fmpq), enclosures (arb) at the precision in force, and ±∞, nothing, undefined.

An enclosure here is finite and has a radius: one without is turned into the rational that it is, and one that came out
indeterminate, a quotient by a ball around 0, say, is `Undecided` and never taken for an infinity.
"""

from __future__ import annotations

import contextlib
import contextvars
import decimal
import functools
import math
import numbers
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, TypeAlias

import flint
import numpy as np
from flint import arb as arb  # this room alone imports the library: others take its types from here
from flint import arb_mat as arb_mat
from flint import fmpq as fmpq
from flint import fmpq_mat as fmpq_mat
from flint import fmpz

from trpo_theory.errors import TrpoTheoryError
from trpo_theory.model import decimals

_EXPONENT = 2**16
"""Powers of 2 beyond this one, such as come of exp(−10⁹), are not written out as rationals. Chosen: 8 kB each."""


Real: TypeAlias = Any
"""A number under `Ball`: fmpq, arb, or a float that is not finite; or what is to become one. Their operators mix freely."""


class Undecided(TrpoTheoryError, ArithmeticError):
    """What an enclosure leaves open at this precision: a sign, or whether a divisor is 0."""


class Undefined(float):
    """The value of √−1 and the like: unlike 0 · ∞ it does not mean that a bound says nothing."""


UNDEFINED = Undefined("nan")
NOTHING = math.nan


@contextlib.contextmanager
def precision(bits: int) -> Iterator[None]:
    """Enclosures that are made inside have so many bits.

    >>> from trpo_theory.numerics.ball.number import Ball
    >>> with precision(100):
    ...     x = Ball(2).sqrt()
    >>> x.upper - x.lower < Fraction(1, 2**90)
    True
    """
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before


def raw(x: Real) -> Real:
    """A number as `Real`; NotImplemented for anything else.

    A float is a constant of a formula: the decimal that it is written as, or an interval about a rounded one. Data are
    converted by name, with `datum` or `decimals.as_written`.
    """
    kind = type(x)
    if kind is fmpq:
        return x
    if kind is arb:
        return checked(x)
    if kind is int:
        return fmpq(x)
    if kind is Fraction:
        return fmpq(x.numerator, x.denominator)
    if isinstance(x, float | np.floating):
        if np.isfinite(x):
            return _constant(x)
        return x if kind is Undefined else float(x)
    if isinstance(x, bool | np.bool_ | numbers.Integral | fmpz):
        return fmpq(int(x))
    if isinstance(x, Fraction):
        return fmpq(x.numerator, x.denominator)
    if isinstance(x, decimal.Decimal) and x.is_finite():
        return fmpq(*x.as_integer_ratio())
    return NotImplemented


def datum(x: float | np.floating[Any] | Fraction) -> fmpq:
    """An entry of an array of data: a float is the dyadic rational that it is."""
    exact = decimals.dyadic(x)
    return fmpq(exact.numerator, exact.denominator)


@contextlib.contextmanager
def rounded_constants() -> Iterator[set[float]]:
    """The rounded floats, such as 1/3, that become enclosures inside: what a formula says of them may be open for ever.

    >>> with rounded_constants() as seen:
    ...     raw(0.9), raw(1 / 3)
    (9/10, [0.333333333333333 +/- 5.37e-16])
    >>> seen
    {0.3333333333333333}
    """
    seen: set[float] = set()
    token = _SEEN.set(seen)
    try:
        yield seen
    finally:
        _SEEN.reset(token)


_SEEN: contextvars.ContextVar[set[float] | None] = contextvars.ContextVar("rounded constants", default=None)


def _constant(x: float | np.floating) -> Real:
    value = _meant(x)
    if type(value) is arb and (seen := _SEEN.get()) is not None:
        seen.add(float(x))
    return value


@functools.lru_cache(maxsize=1024, typed=True)
def _meant(x: float | np.floating) -> Real:
    """The decimal that it is written as; where that has all the digits of a float, an interval about it."""
    if decimals.is_rounded(x):
        return arb(datum(x), decimals.rounding(x))
    written = decimals.as_written(x)
    return fmpq(written.numerator, written.denominator)


def checked(x: arb) -> Real:
    """An enclosure that is finite; the rational that it is where it has no radius.

    Raises:
        Undecided: for one that came out indeterminate.
    """
    if not x.is_finite():
        raise Undecided("an enclosure came out indeterminate (divided by a ball around 0, say): raise the precision")
    return dyadic(x) if x.is_exact() and -_EXPONENT < x.man_exp()[1] < _EXPONENT else x


def dyadic(x: arb) -> fmpq:
    """The rational that an enclosure without radius is."""
    mantissa, exponent = x.man_exp()
    exponent = int(exponent)
    return fmpq(mantissa << exponent) if exponent >= 0 else fmpq(mantissa, fmpz(1) << -exponent)


def end(x: Real, side: str) -> fmpq:
    """The rational at the "lower" or "upper" end; one further out where it would be too long to write.

    Raises:
        OverflowError: beyond ±2^65536.
    """
    if type(x) is fmpq:
        return x
    outward = 1 if side == "upper" else -1
    middle, radius = x.mid(), x.rad()
    if max(abs(_size(middle)), abs(_size(radius))) < _EXPONENT:
        return dyadic(middle) + outward * dyadic(radius)
    x = getattr(x, side)()
    if abs(_size(x)) < _EXPONENT:
        return dyadic(x)
    if _size(x) > 0:
        raise OverflowError(f"{x.str(5)} is too large to be written as a fraction")
    return fmpq(outward, fmpz(1) << _EXPONENT) if x * outward > 0 else fmpq(0)


def _size(x: arb) -> int:
    mantissa, exponent = x.man_exp()
    return int(exponent) + mantissa.bit_length()


def fraction(x: fmpq) -> Fraction:
    """As Python's own."""
    return Fraction(int(x.p), int(x.q))


def nonnegative(x: arb) -> arb:
    """The part from 0 up of an enclosure of a number that is known to be no less."""
    return x if x >= 0 else x.nonnegative_part()


def is_nan(x: object) -> bool:
    """Whether it is nothing or undefined."""
    return isinstance(x, float) and math.isnan(x)


def sign(x: Real) -> int:
    """−1, 0 or 1.

    Raises:
        Undecided: for an enclosure of 0.
    """
    if x > 0:
        return 1
    if x < 0:
        return -1
    if type(x) is arb:
        raise Undecided(f"the sign of {x.str(5)} is open at {flint.ctx.prec} bits")
    return 0


@contextlib.contextmanager
def answering(answer: Callable[[], bool | None] | None) -> Iterator[None]:
    """Comparisons inside that are open at this precision are answered by a function; where it returns None, they stay open."""
    token = _ANSWER.set(answer)
    try:
        yield
    finally:
        _ANSWER.reset(token)


_ANSWER: contextvars.ContextVar[Callable[[], bool | None] | None] = contextvars.ContextVar("answers", default=None)


def proved(a: Real, b: Real, holds: Callable[[Real, Real], bool], fails: Callable[[Real, Real], bool]) -> bool:
    """A comparison, `holds` or its contrary `fails`, of which the ball library says only what is certain."""
    if isinstance(a, float) or isinstance(b, float):
        return holds(a if isinstance(a, float) else 0.0, b if isinstance(b, float) else 0.0)
    if a is b:  # one number, and not two in the same ball
        return holds(0, 0)
    if holds(a, b):
        return True
    if (type(a) is fmpq and type(b) is fmpq) or fails(a, b):
        return False
    if (answer := _ANSWER.get()) is not None and (answered := answer()) is not None:
        return answered
    raise Undecided(f"which is larger is open at {flint.ctx.prec} bits: {arb(a).str(5)} or {arb(b).str(5)}")


def float_ends(x: Real) -> tuple[float, float]:
    """The float at or below, and the one at or above."""
    if not x.is_finite():
        for infinite in (math.inf, -math.inf):
            if x == arb(infinite):
                return infinite, infinite
        raise Undecided("an enclosure came out indeterminate: raise the precision")
    low, high = float(x.lower()), float(x.upper())
    low = low if arb(low) <= x.lower() else math.nextafter(low, -math.inf)
    return low, high if arb(high) >= x.upper() else math.nextafter(high, math.inf)
