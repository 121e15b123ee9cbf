"""How complicated a rational is, and rationals and rows of probabilities rounded to one denominator."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np


def cost(value: Fraction | int | float) -> float:
    """How complicated a number is: 0 for 0, 1 for 1, then by the digits of numerator and denominator."""
    number = Fraction(value)
    if number == 0:
        return 0.0
    digits = math.log2(abs(number.numerator)) + 2.0 * math.log2(number.denominator)
    return 1.0 + digits + (0.25 if number < 0 else 0.0)


def total_cost(values: object) -> float:
    """The sum of `cost` over a number or an array of numbers."""
    return sum(cost(value) for value in np.ravel(np.asarray(values, dtype=object)) if value)


def row_at(row: np.ndarray, denominator: int) -> np.ndarray:
    """The row rounded to multiples of 1/denominator that sum to one: what is left goes where rounding took most."""
    parts = [entry * denominator for entry in row]
    whole = [math.floor(part) for part in parts]
    by_loss = sorted(range(len(parts)), key=lambda i: (whole[i] - parts[i], i))
    for i in by_loss[: denominator - sum(whole)]:
        whole[i] += 1
    return np.array([Fraction(count, denominator) for count in whole], dtype=object)


def number_at(value: Fraction, denominator: int) -> Fraction:
    """The number rounded to a multiple of 1/denominator."""
    return Fraction(round(value * denominator), denominator)


def normalised(row: np.ndarray, otherwise: int) -> np.ndarray:
    """The row over its sum; where that is 0, all mass on one entry."""
    total = sum(row)
    return row / total if total else np.array([Fraction(int(i == otherwise)) for i in range(len(row))], dtype=object)
