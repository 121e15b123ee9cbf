"""How far a row of probabilities may be from a sum of 1: by the format of its numbers, or by the digits they were rounded to."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.entries.foreign import dtype_name, is_plain

ROW_SUM_ATOL = 1e-8
"""How far a row of probabilities may be from summing to 1, in float64. Chosen: far above the rounding of
any sum of float64, far below what an error in the data would leave."""

ROUNDING = 64 * np.finfo(np.float64).eps
"""A row whose sum is closer to 1 than this is left as it is; one further off is divided by its sum. Chosen: the rounding that a
sum of some hundred probabilities may leave, 1.4e-14."""

TEXT_ATOL = 1e-5
"""The same for a row that was read, with a note. Source: pomdp-solve, the reference parser of Cassandra's format, allows 1e-5,
Storm 1e-6; six significant digits, which C and C++ print by default, may miss 1 by as much."""

FEW_DIGITS_ATOL = 1e-3
"""The most that decimals of four to eight digits may miss 1 by, however many they are. Chosen: at three digits a sum that
is off by one unit, 0.999, may as well lack an entry."""

_FORMATS = {"float32": 1e-5, "float16": 5e-3, "half": 5e-3, "bfloat16": 2e-2, "Float32": 1e-5}
"""By format. Chosen: the sum of a softmax in float32 is off by some 1e-7, and by less than 1e-5 with thousands of actions; an
entry in float16 and bfloat16 is off by 2⁻¹¹ and 2⁻⁸ of itself, thus the sum by as much, or a few times that if computed so."""

_EXACT_OR_DOUBLE = frozenset({float, int, Fraction, str, type(None), np.float64})
"""Types of single numbers of which the format is known, and which come in long lists."""

_FEWEST, _MOST = 4, 8
"""Digits of numbers that were rounded when they were written: fewer are meant exactly, more are float64."""


def row_sum_atol(value: Any) -> float:
    """The tolerance that the format of the input's numbers deserves: 1e-8, 1e-5 of float32, more of 16 bits.

    Args:
        value: an array or tensor of any library, a table, or a nested list of those and of numbers.

    >>> row_sum_atol(np.float32([0.5])), row_sum_atol([[0.5], [np.float16(0.5)]]), row_sum_atol([0.5])
    (1e-05, 0.005, 1e-08)
    """
    if is_plain(value):
        return ROW_SUM_ATOL
    return max(ROW_SUM_ATOL, *(_FORMATS.get(name, 0.0) for name in _formats(value)))


def _formats(value: Any) -> set[str]:
    """The names of the formats that occur in it."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value.ravel().tolist()
    if isinstance(value, (list, tuple)):
        kinds = set(map(type, value))
        if kinds <= _EXACT_OR_DOUBLE:
            return {""}
        return {"", *(name for entry in value if type(entry) not in _EXACT_OR_DOUBLE for name in _formats(entry))}
    columns = getattr(value, "dtypes", None)
    if columns is not None and hasattr(value, "columns"):  # a table: a format a column
        return {"", *map(str, columns)}
    return {"", dtype_name(value)}


def written_atol(row: np.ndarray) -> float:
    """How far the sum of a row may be off for the digits that its entries were rounded to; `ROW_SUM_ATOL` where they are float64.

    n entries of d decimals miss by at most n·10⁻ᵈ, also where digits were cut off; p significant digits by 10¹⁻ᵖ, as
    x is off by at most 10¹⁻ᵖx.

    >>> written_atol(np.array([0.333333] * 3)), written_atol(np.array([1 / 3] * 3)), written_atol(np.array([0.5, 0.4]))
    (3e-06, 1e-08, 0.0002)
    """
    for digits in range(_FEWEST, _MOST + 1):
        if (np.round(row, digits) == row).all():
            return min(FEW_DIGITS_ATOL, len(row) * 10.0**-digits)
        if (_significant(row, digits) == row).all():
            return min(FEW_DIGITS_ATOL, 10.0 ** (1 - digits))
    if (row.astype(np.float16) == row).all():
        return FEW_DIGITS_ATOL
    return TEXT_ATOL if (row.astype(np.float32) == row).all() else ROW_SUM_ATOL


def _significant(row: np.ndarray, digits: int) -> np.ndarray:
    return np.array([float(f"{entry:.{digits - 1}e}") for entry in row.tolist()])
