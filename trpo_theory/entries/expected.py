"""What NumPy would make numbers of without a word: masks, truth values, labels out of order, raw bytes."""

from __future__ import annotations

import math
import numbers
import sys
from decimal import Decimal
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput

_RAW = "bBc?"
"""Formats of memoryviews whose entries are bytes or truth values."""


def is_real(value: object) -> bool:
    """Whether it is one real number: a float, an integer, a Fraction, a Decimal; a truth value or a time is none."""
    return isinstance(value, (numbers.Real, Decimal)) and not isinstance(value, (bool, np.bool_, np.timedelta64))


def as_float(value: Any) -> float:
    """The float of a real number, ±∞ beyond the range of floats; NaN of anything else."""
    if not is_real(value):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return -math.inf if value < 0 else math.inf
    except ValueError:  # a Decimal that signals
        return math.nan


def shown(value: Any) -> str:
    """A value as a message has it: rationals as p/q, and those too long for Python to write by their size."""
    try:
        return str(value) if isinstance(value, numbers.Rational) else repr(value)
    except ValueError:
        return "a number of thousands of digits"


def expect_numbers(value: Any, name: str) -> None:
    """Raise if an array made of the value would say something else than the value does.

    An array of truth values alone is the indicator of a set, 1 on it and 0 elsewhere; a truth value in place of one number,
    or among numbers, is taken for a mistake.

    Args:
        value: an array, a nested sequence of arrays and numbers, or a table.
        name: what it is, for the message.

    Raises:
        InvalidInput: for masked entries, truth values, raw bytes, and a table whose rows or columns are out of order.
    """
    if _looked_through(value, name) and not _is_indicator(value):
        raise InvalidInput(
            got=f"a truth value in {name}",
            wanted="numbers (or an array of truth values alone, which is 1 where it is true)",
            fix=f"pass np.asarray({name}, dtype=float) if True means 1, and False 0",
        )


def _looked_through(value: Any, name: str) -> bool:
    """Whether there is a truth value in it; raises for the other faults."""
    if isinstance(value, (list, tuple)):
        return any([_looked_through(entry, name) for entry in value if type(entry) is not float])
    if "numpy.ma" in sys.modules and isinstance(
        value, np.ma.MaskedArray
    ):  # else there is none, and the import takes 10 ms
        _expect_no_mask(value, name)
    _expect_no_bytes(value, name)
    _expect_order(value, name)
    if isinstance(value, np.ndarray):
        return _has_truth(value)
    if not hasattr(value, "__array__"):
        return isinstance(value, bool)
    try:
        return _has_truth(np.asarray(value))
    except Exception:  # of another library, such as a tensor on a device: whoever reads it says what is wrong
        return False


def _has_truth(array: np.ndarray) -> bool:
    if array.dtype == object:
        return any(isinstance(entry, (bool, np.bool_)) for entry in array.flat)
    return array.dtype == bool


def _is_indicator(value: Any) -> bool:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return False
    if array.dtype == object and all(isinstance(entry, (bool, np.bool_)) for entry in array.flat):
        return array.ndim > 0
    return array.ndim > 0 and array.dtype == bool


def _expect_no_mask(value: np.ma.MaskedArray, name: str) -> None:
    count = int(np.ma.count_masked(value))
    if count:
        raise InvalidInput(
            got=f"{name} with {count} masked entries" if value.ndim else f"a masked entry in {name}",
            wanted="a number for each entry: what is under a mask is none",
            fix=f"pass {name}.filled(value) with the value that the masked entries are to have",
        )


def _expect_no_bytes(value: Any, name: str) -> None:
    if isinstance(value, (bytes, bytearray)) or (isinstance(value, memoryview) and value.format in _RAW):
        raise InvalidInput(
            got=f"raw bytes as {name}, a {type(value).__name__}",
            wanted="an array of numbers",
            fix=f"say what the bytes are: np.frombuffer({name}, dtype=float)",
        )


def _expect_order(value: Any, name: str) -> None:
    """A pandas table whose integer labels are not 0, 1, 2, ... in this order: an array has positions only."""
    pandas: Any = sys.modules.get("pandas")
    if pandas is None or not isinstance(value, (pandas.Series, pandas.DataFrame)):
        return
    for axis, labels in zip(("rows", "columns"), value.axes, strict=False):
        kind = getattr(labels.dtype, "kind", "O")
        if kind in "iuf" and not np.array_equal(labels.to_numpy(), np.arange(len(labels))):
            raise InvalidInput(
                got=f"{name}, a {type(value).__name__} whose {axis} are labelled {', '.join(map(str, labels[:6]))}"
                + (", ..." if len(labels) > 6 else ""),
                wanted="labels 0, 1, 2, ... in this order, since only positions are read",
                fix=f"sort it (sort_index), or pass {name}.to_numpy() if the positions are right",
            )
