"""Proved numbers as floats and as digits: an end of an enclosure is rounded away from what it encloses, never to nearest."""

from __future__ import annotations

import decimal
import math
import sys
from enum import Enum
from fractions import Fraction

_LARGEST_FLOAT = Fraction(sys.float_info.max)


class Toward(Enum):
    """Which way a number is rounded: a lower end DOWN, an upper end UP."""

    DOWN = decimal.ROUND_FLOOR
    UP = decimal.ROUND_CEILING


def float_toward(number: Fraction, toward: Toward) -> float:
    """The largest float at or below a rational, or the smallest at or above it; ±∞ where no finite float is on that side.

    >>> float_toward(Fraction(1, 10), Toward.DOWN) < Fraction(1, 10) <= float_toward(Fraction(1, 10), Toward.UP)
    True
    """
    end = math.inf if toward is Toward.UP else -math.inf
    if abs(number) > _LARGEST_FLOAT:
        return end if (number > 0) is (end > 0) else math.copysign(sys.float_info.max, -end)
    nearest = float(number)
    fits = nearest >= number if toward is Toward.UP else nearest <= number
    return nearest if fits else math.nextafter(nearest, end)


def decimal_toward(number: float | Fraction, digits: int, toward: Toward) -> decimal.Decimal:
    """A finite number at so many significant digits, rounded in one direction; the value of a float is taken exactly.

    >>> print(decimal_toward(Fraction(2, 3), 4, Toward.DOWN), decimal_toward(Fraction(2, 3), 4, Toward.UP))
    0.6666 0.6667
    """
    exact = Fraction(number)
    context = decimal.Context(digits, toward.value, decimal.MIN_EMIN, decimal.MAX_EMAX)
    whole = decimal.Context(decimal.MAX_PREC, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX)
    return context.divide(whole.create_decimal(exact.numerator), whole.create_decimal(exact.denominator))
