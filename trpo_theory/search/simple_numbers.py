"""How complicated a rational is, and rationals and rows of probabilities rounded to one denominator."""

from __future__ import annotations

import functools
import math
from fractions import Fraction

import numpy as np


def cost(value: Fraction | int | float) -> float:
    """How complicated a number is: 0 for 0, 1 for 1, then by the digits of numerator and denominator."""
    number = value if isinstance(value, Fraction) else Fraction(value)
    numerator, denominator = number.numerator, number.denominator
    if numerator == 0:
        return 0.0
    digits = math.log2(abs(numerator)) + 2.0 * math.log2(denominator)
    return 1.0 + digits + (0.25 if numerator < 0 else 0.0)


def total_cost(values: np.ndarray | Fraction) -> float:
    """The sum of `cost` over a rational or an array of them."""
    if not isinstance(values, np.ndarray):
        return cost(values)
    return sum([cost(value) for value in values.flat if value.numerator])


def row_at(row: np.ndarray, denominator: int) -> np.ndarray:
    """The row rounded to multiples of 1/denominator that sum to one: what is left goes where rounding took most."""
    return rows_at(row, (denominator,))[0]


def rows_at(row: np.ndarray, denominators: tuple[int, ...]) -> list[np.ndarray]:
    """`row_at` for each of the denominators."""
    common = math.lcm(*(entry.denominator for entry in row))
    parts = [entry.numerator * (common // entry.denominator) for entry in row]  # over common
    found = []
    for denominator in denominators:
        whole, lost = zip(*(divmod(part * denominator, common) for part in parts), strict=True)
        if (left := denominator - sum(whole)) > 0:
            most = sorted(range(len(parts)), key=lambda i, lost=lost: -lost[i])[:left]  # of equal ones the first
            whole = [count + (i in most) for i, count in enumerate(whole)]
        found.append(np.array([_quotient(count, denominator) for count in whole], dtype=object))
    return found


@functools.lru_cache(maxsize=4096)
def _quotient(count: int, denominator: int) -> Fraction:
    """count/denominator, of which few are asked for again and again."""
    return Fraction(count, denominator)


def number_at(value: Fraction, denominator: int) -> Fraction:
    """The number rounded to a multiple of 1/denominator."""
    return Fraction(round(value * denominator), denominator)


def normalised(row: np.ndarray, otherwise: int) -> np.ndarray:
    """The row over its sum; where that is 0, all mass on one entry."""
    total = sum(row)
    return row / total if total else np.array([Fraction(int(i == otherwise)) for i in range(len(row))], dtype=object)
