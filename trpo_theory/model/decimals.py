# pyright: strict
"""What a float stands for in a proof: the decimal that it is written as, or, in an array of data, the rational that it is.

A float of a formula that needs all its digits, 1/3 say, is a rounded number: docs/theory.md, "Decimals, floats and proofs".
"""

from __future__ import annotations

import decimal
import functools
import math
import numbers
from fractions import Fraction
from typing import Any

import numpy as np


@functools.lru_cache(maxsize=4096, typed=True)
def as_written(number: float | np.floating[Any]) -> Fraction:
    """The shortest decimal that reads back as a float: 0.9 is 9/10, not the dyadic number next to it.

    >>> as_written(0.9), as_written(np.float32(0.1))
    (Fraction(9, 10), Fraction(1, 10))
    """
    return decimal_of(_digits(number))


def decimal_of(text: str) -> Fraction:
    """The decimal of a text such as "-1.5e-3", which is one and has a moderate exponent; several times as fast as `Fraction`.

    >>> decimal_of("-1.5e-3"), decimal_of("12")
    (Fraction(-3, 2000), Fraction(12, 1))
    """
    mantissa, _, power = text.lower().partition("e")
    whole, _, decimals = mantissa.partition(".")
    exponent = int(power or 0) - len(decimals)
    digits = int(whole + decimals)
    return Fraction(digits * 10**exponent) if exponent >= 0 else Fraction(digits, 10**-exponent)


def dyadic(number: float | np.floating[Any] | Fraction) -> Fraction:
    """The rational that a number is, of a float an integer over a power of 2: for entries of arrays of data.

    >>> dyadic(0.75), dyadic(0.1) == Fraction(1, 10)
    (Fraction(3, 4), False)
    """
    p, q = number.as_integer_ratio()
    return Fraction(int(p), int(q))


def is_rounded(number: float | np.floating[Any]) -> bool:
    """Whether it needs as many significant digits as its format has, 15 for float64, so that it is no decimal that was meant.

    Every decimal of fewer digits is its own shortest one, and a result such as 1/3 or 0.1 + 0.2 hardly ever has so few.

    >>> is_rounded(1 / 3), is_rounded(0.1 + 0.2), is_rounded(0.3)
    (True, True, False)
    """
    digits = decimal.Decimal(_digits(number)).normalize().as_tuple().digits
    return len(digits) >= _format(number).precision


def rounding(number: float | np.floating[Any]) -> float:
    """2⁻⁵² max(1, |x|) of a float64 x: 1 − 0.9 is 1.6 units in the last place from 1/10, and 1.1 − 1 is 6.4.

    For narrower and wider formats 2⁻⁵² is replaced by their own distance from 1 to the next number.
    """
    return float(_format(number).eps) * max(1.0, abs(float(number)))


def is_exact(number: object) -> bool:
    """Whether it is a `Fraction`, a `Decimal` or the like: an exact number that NumPy does not know."""
    return isinstance(number, numbers.Rational | decimal.Decimal) and not isinstance(number, int | np.generic)


def nearest_float(number: Any) -> float:
    """The float nearest to an exact number; ±∞ beyond the range of floats."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _digits(number: float | np.floating[Any]) -> str:
    return repr(float(number)) if isinstance(number, float) else np.format_float_scientific(number, unique=True)


def _format(number: float | np.floating[Any]) -> Any:
    return np.finfo(np.float64 if isinstance(number, float) else type(number))
