"""What is passed as an array, as a float64 array; and what is wrong with what is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trpo_theory.entries.expected import expect_numbers, is_real, shown
from trpo_theory.entries.foreign import is_plain, native
from trpo_theory.entries.rows import first_index, show_index
from trpo_theory.entries.sparse import is_sparse
from trpo_theory.errors import InvalidInput


def real_array(value: Any, name: str, *, allow_minus_inf: bool = False) -> np.ndarray:
    """`value` as a fresh float64 array without NaN or infinity (−inf only where it has a meaning).

    A Fraction and a Decimal become the nearest float; an array of truth values alone is 1 where it is true, else 0. Arrays of
    other libraries are read, see `entries.foreign.native`.
    """
    array = np.array(value, order="C") if is_plain(value) else _read(native(value, name), name)
    if array.size == 0:
        raise InvalidInput(got=f"an empty {name}, shape {array.shape}", wanted="at least one entry", fix=f"fill {name}")
    finite = np.isfinite(array)
    bad = ~(finite | np.isneginf(array)) if allow_minus_inf else ~finite
    if bad.any():
        index = first_index(bad)
        raise InvalidInput(
            got=f"{array[index]} in {name}" + (f" at {show_index(index)}" if index else ""),
            wanted="finite numbers" + (" (or -inf for an unavailable action)" if allow_minus_inf else ""),
            fix="find where that entry comes from and replace it",
        )
    return array


def _read(value: Any, name: str) -> np.ndarray:
    """As float64, of what NumPy reads."""
    expect_numbers(value, name)
    try:
        array = np.asarray(value)
        if array.dtype.kind in "OUSMmVc":
            if array.dtype.kind != "O":
                raise TypeError
            if not all(_is_number(entry) for entry in array.flat):
                raise TypeError
        return np.array(array, dtype=np.float64, order="C")
    except (TypeError, ValueError, OverflowError):
        raise _no_array(value, name) from None


def _is_number(entry: object) -> bool:
    return is_real(entry) or isinstance(entry, (bool, np.bool_))


def _no_array(value: Any, name: str) -> InvalidInput:
    """What keeps a value from being an array of numbers: its shape, or the first entry that is none."""
    wanted = "an array of floats, integers or fractions"
    if isinstance(value, Mapping | set | frozenset):
        return _refused(name, f"a {type(value).__name__}", wanted, f"pass the numbers of {name} as an array or a list")
    if is_sparse(value):
        return _refused(name, f"a sparse matrix of shape {value.shape}", wanted, f"pass {name}.toarray()")
    try:
        array = np.asarray(value)
    except ValueError:
        array = None
    if array is None or (array.dtype == object and any(isinstance(entry, (list, tuple)) for entry in array.flat)):
        what, fix = _ragged(value), "make all its rows equally long, with 0 for entries that do not exist"
        if what == _NO_ROW:
            fix = "write a row of zeros there; for an action that cannot be taken pass available=, false there, too"
        return _refused(name, what, wanted, fix)
    if array.dtype.kind == "c":
        return _refused(name, "complex numbers", wanted, f"pass np.real({name}) if imaginary parts are 0, or rounding")
    if array.dtype.kind in "Mm":
        return _refused(name, "dates or times", wanted, f"pass {name} / np.timedelta64(1, 's') for numbers of seconds")
    if array.dtype.kind == "V":
        what = f"entries of the dtype {array.dtype}"
        if array.dtype.names is not None:
            return _refused(name, what, wanted, f"pass one field, {name}[{array.dtype.names[0]!r}]")
        return _refused(
            name, what, wanted, "write it again as float32, as x.astype(np.float32): NumPy has no such format"
        )
    return _first_that_is_none(array, name, wanted)


def _first_that_is_none(array: np.ndarray, name: str, wanted: str) -> InvalidInput:
    if array.ndim == 0 and not _is_number(array[()]):
        said = repr(str(array) if array.dtype.kind == "U" else array[()])[:60]
        return _refused(
            name, f"{said}, a {type(array[()]).__name__}", wanted, f"pass the numbers of {name} as a list or an array"
        )
    for index, entry in np.ndenumerate(array):
        at = f" at {show_index(index)}" if index else ""
        if not _is_number(entry):
            said = repr(str(entry) if isinstance(entry, str) else entry)[:60]
            text = f"the text {said}" if isinstance(entry, str) else f"{said}, a {type(entry).__name__},"
            fix = (
                "replace it by a number (float(x) reads a text)" if isinstance(entry, str) else "replace it by a number"
            )
            return _refused(name, f"{text}{at}", wanted, fix)
        try:
            float(entry)
        except (OverflowError, ValueError):
            text = shown(entry)
            digits = text if len(text) <= 32 else f"{text[:12]}... ({len(text)} characters)"
            return InvalidInput(
                got=f"the number {digits} in {name}{at}, which is beyond the range of floats",
                wanted="finite numbers, at most 1.8e308",
                fix="rescale it",
            )
    return _refused(name, f"the dtype {array.dtype}", wanted, "replace them by numbers")


_NO_ROW = "None in place of a row"


def _ragged(value: Any) -> str:
    """Which two entries of a nested list have different lengths."""
    if isinstance(value, (list, tuple)):
        if any(entry is None for entry in value) and any(isinstance(entry, (list, tuple)) for entry in value):
            return _NO_ROW
        sizes = {len(entry) if hasattr(entry, "__len__") and not isinstance(entry, str) else None for entry in value}
        if len(sizes) > 1:
            said = sorted("a number" if size is None else f"{size} entries" for size in sizes)
            return f"rows of {' and of '.join(said[:3])}"
        found = [_ragged(entry) for entry in value]
        return next((one for one in found if one), "")
    return ""


def _refused(name: str, what: str, wanted: str, fix: str) -> InvalidInput:
    return InvalidInput(
        got=f"{name} that is not a rectangular array of real numbers" + (f": {what}" if what else ""),
        wanted=wanted,
        fix=fix,
    )
