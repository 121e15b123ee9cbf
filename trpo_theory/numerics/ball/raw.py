"""The arithmetic under `Ball`: rationals (fmpq), enclosures (arb) at the precision in force, and ±∞, nothing, undefined.

An enclosure here is finite and has a radius: one without is turned into the rational that it is, and one that came out
indeterminate, a quotient by a ball around 0, say, is `Undecided` and never taken for an infinity.
"""

from __future__ import annotations

import contextlib
import math
import numbers
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import flint
import numpy as np
from flint import arb as arb  # this room alone imports the library: others take its types from here
from flint import arb_mat as arb_mat
from flint import fmpq as fmpq
from flint import fmpz

from trpo_theory.errors import TrpoTheoryError

_POWER_BITS = 12
"""Powers are exact (of a rational, where they are rational) up to so many bits of the exponent p/q, else enclosed."""
_EXPONENT = 2**16
"""Powers of 2 beyond this one, such as come of exp(−10⁹), are not written out as rationals."""


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


def raw(x: Any) -> Any:
    """A number as one of ours; NotImplemented for what is none."""
    kind = type(x)
    if kind is fmpq:
        return x
    if kind is arb:
        return _checked(x)
    if kind is int:
        return fmpq(x)
    if isinstance(x, float):  # np.float64 too
        if math.isfinite(x):
            return fmpq(*x.as_integer_ratio())
        return x if kind is Undefined else float(x)
    if isinstance(x, bool | np.bool_ | numbers.Integral | fmpz):
        return fmpq(int(x))
    if isinstance(x, Fraction):
        return fmpq(x.numerator, x.denominator)
    if isinstance(x, np.floating):
        return fmpq(*(int(part) for part in x.as_integer_ratio())) if np.isfinite(x) else float(x)
    return NotImplemented


def _checked(x: arb) -> Any:
    if not x.is_finite():
        raise Undecided("an enclosure came out indeterminate (divided by a ball around 0, say): raise the precision")
    return dyadic(x) if x.is_exact() and -_EXPONENT < x.man_exp()[1] < _EXPONENT else x


def dyadic(x: arb) -> fmpq:
    """The rational that an enclosure without radius is."""
    mantissa, exponent = x.man_exp()
    exponent = int(exponent)
    return fmpq(mantissa << exponent) if exponent >= 0 else fmpq(mantissa, fmpz(1) << -exponent)


def end(x: Any, side: str) -> fmpq:
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


def is_nan(x: Any) -> bool:
    """Whether it is nothing or undefined."""
    return isinstance(x, float) and math.isnan(x)


def sign(x: Any) -> int:
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


def proved(a: Any, b: Any, holds: Callable[[Any, Any], bool], fails: Callable[[Any, Any], bool]) -> bool:
    """A comparison, `holds` or its contrary `fails`, of which the ball library says only what is certain."""
    if isinstance(a, float) or isinstance(b, float):
        return holds(a if isinstance(a, float) else 0.0, b if isinstance(b, float) else 0.0)
    if holds(a, b):
        return True
    if (type(a) is fmpq and type(b) is fmpq) or fails(a, b):
        return False
    raise Undecided(f"which is larger is open at {flint.ctx.prec} bits: {arb(a).str(5)} or {arb(b).str(5)}")


# --- where one of the two is ±∞ or nan, or a divisor may be 0 -----------------------------------------------------


def add(a: Any, b: Any) -> Any:
    """a + b, one of them not finite."""
    if type(a) is Undefined or type(b) is Undefined:
        return UNDEFINED
    return (a if isinstance(a, float) else 0.0) + (b if isinstance(b, float) else 0.0)


def minus(a: Any) -> Any:
    """−a."""
    return a if is_nan(a) else -a


def multiply(a: Any, b: Any) -> Any:
    """a · b, one of them not finite: 0 · ∞ is nothing."""
    if type(a) is Undefined or type(b) is Undefined:
        return UNDEFINED
    return NOTHING if is_nan(a) or is_nan(b) else (sign(a) * sign(b) or NOTHING) * math.inf


def divide(a: Any, b: Any) -> Any:
    """a / b, whatever they are: x/0 has the sign of x, and 0/0 is nothing."""
    if not isinstance(a, float) and not isinstance(b, float):
        return a / b if b != 0 or type(b) is arb else (sign(a) or NOTHING) * math.inf
    if type(a) is Undefined or type(b) is Undefined:
        return UNDEFINED
    if is_nan(a) or is_nan(b) or (isinstance(a, float) and isinstance(b, float)):
        return NOTHING
    return fmpq(0) if isinstance(b, float) else a * (sign(b) or 1)


def power(a: Any, b: Any) -> Any:
    """a^b: exact for a rational and an integer, or a root that is one. a⁰ = 1."""
    if is_nan(a) or is_nan(b):
        return UNDEFINED if type(a) is Undefined or type(b) is Undefined else NOTHING
    if isinstance(b, float):
        return _infinite_power(a, b)
    if type(b) is arb:
        return _open_power(a, b)
    if b == 0:
        return fmpq(1)
    whole, short = b.q == 1, b.height_bits() <= _POWER_BITS
    if isinstance(a, float):
        if a < 0 and not whole:
            return UNDEFINED
        return fmpq(0) if b < 0 else a if a > 0 or b.p % 2 else -a
    if type(a) is fmpq:
        if a == 0:
            return fmpq(0) if b > 0 else math.inf
        if a == 1:
            return a
        if whole and short:
            return a ** int(b)
        if not whole and a < 0:
            return UNDEFINED
        root = _exact_root(a, b.q) if short and not whole else None
        return arb(a) ** arb(b) if root is None else root ** int(b.p)
    if whole:
        return _integer_power(a, int(b))
    if a < 0:
        return UNDEFINED
    base = a.sqrt() if b.q == 2 else None
    return arb(a) ** arb(b) if base is None else _integer_power(base, int(b.p))


def _infinite_power(a: Any, b: float) -> Any:
    if isinstance(a, float):
        return fmpq(0) if b < 0 else math.inf
    if abs(a) == 1:
        return fmpq(1)
    return math.inf if (sign(abs(a) - 1) > 0) == (b > 0) else fmpq(0)


def _open_power(a: Any, b: arb) -> Any:
    if a == 0 or (isinstance(a, float) and a > 0):
        return math.inf if (a != 0) == (sign(b) > 0) else fmpq(0)
    return UNDEFINED if a < 0 else arb(a) ** b


def _integer_power(a: arb, n: int) -> Any:
    """Squarings and products: the library's own power of a ball around 0 is indeterminate."""
    if n < 0:
        return 1 / _integer_power(a, -n)
    out, square, bits = arb(1), a, n
    while bits:
        out = out * square if bits & 1 else out
        square, bits = nonnegative(square * square) if bits > 1 else square, bits >> 1
    return nonnegative(out) if n % 2 == 0 else out


def _exact_root(a: fmpq, order: fmpz) -> fmpq | None:
    """The root of that order of a rational a > 0, if it is rational."""
    n = int(order)
    p, q = a.p.root(n), a.q.root(n)
    return fmpq(p, q) if p**n == a.p and q**n == a.q else None


# --- functions ----------------------------------------------------------------------------------------------------


def log(x: Any) -> Any:
    """The natural logarithm: 0 at 1, −∞ at 0, undefined below."""
    if isinstance(x, float):
        return UNDEFINED if x == -math.inf else x
    if type(x) is fmpq:
        if x == 1:
            return fmpq(0)
        if x == 0:
            return -math.inf
        if 2 * abs(x - 1) < 1:  # the difference is exact: no digits are lost next to 1
            return arb(x - 1).log1p()
    return UNDEFINED if x < 0 else arb(x).log()


def log1p(x: Any) -> Any:
    """log(1 + x)."""
    if type(x) is arb:
        return UNDEFINED if x < -1 else x.log1p()
    return log(x if isinstance(x, float) else 1 + x)


def exp(x: Any) -> Any:
    """eˣ: 1 at 0, 0 at −∞."""
    if isinstance(x, float):
        return fmpq(0) if x == -math.inf else x
    return fmpq(1) if x == 0 else arb(x).exp()


def expm1(x: Any) -> Any:
    """eˣ − 1."""
    if isinstance(x, float):
        return fmpq(-1) if x == -math.inf else x
    return fmpq(0) if x == 0 else arb(x).expm1()


def polylog(order: fmpq, x: Any) -> Any:
    """Li_order(x), 0 ≤ x < 1: exact at x = 0 and for the orders 0 and −1."""
    if x == 0:
        return fmpq(0)
    if order == 0 or order == -1:
        return x / (1 - x) if order == 0 else x / ((1 - x) * (1 - x))
    return arb(x).polylog(arb(order))


def larger(a: Any, b: Any) -> Any:
    """The larger; where it is open which, an enclosure of it. Nan prevails, undefined over nothing."""
    if is_nan(a) or is_nan(b):
        return UNDEFINED if type(a) is Undefined or type(b) is Undefined else NOTHING
    if isinstance(a, float) or isinstance(b, float):
        return a if (a if isinstance(a, float) else 0.0) >= (b if isinstance(b, float) else 0.0) else b
    if a >= b:
        return a
    return b if type(a) is type(b) is fmpq or a <= b else arb(a).max(arb(b))


def float_ends(x: Any) -> tuple[float, float]:
    """The float at or below, and the one at or above."""
    if not x.is_finite():
        for infinite in (math.inf, -math.inf):
            if x == arb(infinite):
                return infinite, infinite
        raise Undecided("an enclosure came out indeterminate: raise the precision")
    low, high = float(x.lower()), float(x.upper())
    low = low if arb(low) <= x.lower() else math.nextafter(low, -math.inf)
    return low, high if arb(high) >= x.upper() else math.nextafter(high, math.inf)
