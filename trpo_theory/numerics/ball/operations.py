"""Operations on the numbers under `Ball`: + − · / where one is not finite or a divisor may be 0, powers, and functions.

Sums and products of finite numbers are the ball library's own; `Ball` uses these only for the other cases.
"""

from __future__ import annotations

import math
from typing import Any

from trpo_theory.numerics.ball.raw import (
    NOTHING,
    UNDEFINED,
    Real,
    Undefined,
    arb,
    fmpq,
    is_nan,
    nonnegative,
    sign,
)

_POWER_BITS = 12
"""Powers are exact (of a rational, where they are rational) up to so many bits of the exponent p/q, else enclosed.

Chosen: exponents in formulas are 1/2, 2 or 3, and an exact power grows with the exponent.
"""

# --- where one of the two is ±∞ or nan, or a divisor may be 0 -----------------------------------------------------


def add(a: Real, b: Real) -> Real:
    """a + b, one of them not finite."""
    if type(a) is Undefined or type(b) is Undefined:
        return UNDEFINED
    return (a if isinstance(a, float) else 0.0) + (b if isinstance(b, float) else 0.0)


def minus(a: Real) -> Real:
    """−a."""
    return a if is_nan(a) else -a


def multiply(a: Real, b: Real) -> Real:
    """a · b, one of them not finite: 0 · ∞ is nothing."""
    if type(a) is Undefined or type(b) is Undefined:
        return UNDEFINED
    return NOTHING if is_nan(a) or is_nan(b) else (sign(a) * sign(b) or NOTHING) * math.inf


def divide(a: Real, b: Real) -> Real:
    """a / b, whatever they are: x/0 has the sign of x, and 0/0 is nothing."""
    if not isinstance(a, float) and not isinstance(b, float):
        return a / b if b != 0 or type(b) is arb else (sign(a) or NOTHING) * math.inf
    if type(a) is Undefined or type(b) is Undefined:
        return UNDEFINED
    if is_nan(a) or is_nan(b) or (isinstance(a, float) and isinstance(b, float)):
        return NOTHING
    return fmpq(0) if isinstance(b, float) else a * (sign(b) or 1)


def power(a: Real, b: Real) -> Real:
    """a^b: exact for a rational and an integer, or a root that is one. a⁰ = 1."""
    if type(a) is arb and type(b) is fmpq and b == 2:  # most powers are squares
        return nonnegative(a * a)
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


def _infinite_power(a: Real, b: float) -> Real:
    if isinstance(a, float):
        return fmpq(0) if b < 0 else math.inf
    if abs(a) == 1:
        return fmpq(1)
    return math.inf if (sign(abs(a) - 1) > 0) == (b > 0) else fmpq(0)


def _open_power(a: Real, b: arb) -> Real:
    if a == 0 or (isinstance(a, float) and a > 0):
        return math.inf if (a != 0) == (sign(b) > 0) else fmpq(0)
    return UNDEFINED if a < 0 else arb(a) ** b


def _integer_power(a: arb, n: int) -> Real:
    """Squarings and products: the library's own power of a ball around 0 is indeterminate."""
    if n < 0:
        return 1 / _integer_power(a, -n)
    out, square, bits = arb(1), a, n
    while bits:
        out = out * square if bits & 1 else out
        square, bits = nonnegative(square * square) if bits > 1 else square, bits >> 1
    return nonnegative(out) if n % 2 == 0 else out


def _exact_root(a: fmpq, order: Any) -> fmpq | None:
    """The root of that order of a rational a > 0, if it is rational."""
    n = int(order)
    p, q = a.p.root(n), a.q.root(n)
    return fmpq(p, q) if p**n == a.p and q**n == a.q else None


# --- functions ----------------------------------------------------------------------------------------------------


def log(x: Real) -> Real:
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


def log1p(x: Real) -> Real:
    """log(1 + x)."""
    if type(x) is arb:
        return UNDEFINED if x < -1 else x.log1p()
    return log(x if isinstance(x, float) else 1 + x)


def exp(x: Real) -> Real:
    """eˣ: 1 at 0, 0 at −∞."""
    if isinstance(x, float):
        return fmpq(0) if x == -math.inf else x
    return fmpq(1) if x == 0 else arb(x).exp()


def expm1(x: Real) -> Real:
    """eˣ − 1."""
    if isinstance(x, float):
        return fmpq(-1) if x == -math.inf else x
    return fmpq(0) if x == 0 else arb(x).expm1()


def polylog(order: fmpq, x: Real) -> Real:
    """Li_order(x), 0 ≤ x < 1: exact at x = 0 and for the orders 0 and −1."""
    if x == 0:
        return fmpq(0)
    if order == 0 or order == -1:
        return x / (1 - x) if order == 0 else x / ((1 - x) * (1 - x))
    return arb(x).polylog(arb(order))


def larger(a: Real, b: Real) -> Real:
    """The larger; where it is open which, an enclosure of it. Nan prevails, undefined over nothing."""
    if is_nan(a) or is_nan(b):
        return UNDEFINED if type(a) is Undefined or type(b) is Undefined else NOTHING
    if isinstance(a, float) or isinstance(b, float):
        return a if (a if isinstance(a, float) else 0.0) >= (b if isinstance(b, float) else 0.0) else b
    if a >= b:
        return a
    return b if type(a) is type(b) is fmpq or a <= b else arb(a).max(arb(b))
