"""Rows of probabilities: none negative, each with the sum 1, up to what rounding explains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from trpo_theory.entries.precision import FEW_DIGITS_ATOL, ROUNDING, ROW_SUM_ATOL, TEXT_ATOL, written_atol
from trpo_theory.entries.reading import Reading, current, warn
from trpo_theory.errors import InvalidInput

_FUZZ = 1 + 1e-6
"""Factor of a tolerance: 1 - 0.99999 is 1.0000000000010001e-05 in floats."""

_DIVIDED = "divide the row by its sum"
_ABSENT = ", or mark the action unavailable if it cannot be taken there"
_LOOSER = f"leave out strict (--strict), which refuses what a few digits explain, or {_DIVIDED}"


def first_index(mask: Any) -> tuple[int, ...]:
    """Where `mask` is first true."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(mask)), np.shape(mask)))


def meaning(index: Sequence[int], name: str) -> str:
    """What the index of a row of `name` stands for, as an appendix: " (state 1, action 0)"; the batch comes first."""
    if name == "transition" and len(index) > 1:
        return f" (state {index[-2]}, action {index[-1]})"
    return f" (state {index[-1]})" if index and name.startswith(("policy", "old", "new")) else ""


def show_index(index: Sequence[int]) -> str:
    """An index as a reader writes it: [0, 2, 1]; nothing for a scalar."""
    return "[" + ", ".join(str(int(i)) for i in index) + "]" if len(index) else ""


def probability_rows(
    array: np.ndarray, name: str, *, where: Any = True, atol: float = ROW_SUM_ATOL, written: bool = True
) -> np.ndarray:
    """`array` with last axis a probability vector; rows off by rounding only are divided by their sum.

    Rows where `where` is false must be zero. In a reading, rows that were rounded to few digits are divided, too, with a note,
    unless `written` is false.
    """
    array = without_tiny_negatives(array, atol, name, lambda index: f"{name}{show_index(index)} = {array[index]:.6g}")
    sums = np.asarray(array.sum(-1))
    if where is True and bool((np.abs(sums - 1) <= ROUNDING).all()):
        return array
    where = np.broadcast_to(where, sums.shape)
    check_row_sums(sums, where, name, atol, (lambda index: array[index]) if written else None)
    off = where & (np.abs(sums - 1) > ROUNDING)
    if off.any():
        array = array / np.where(off, sums, 1.0)[..., None]
    return array


def without_tiny_negatives(
    entries: np.ndarray, atol: float, name: str, got: Callable[[tuple[int, ...]], str]
) -> np.ndarray:
    """Probabilities with 0 for those that are below 0 by rounding, as 1 - 0.9 - 0.1 is.

    Args:
        entries: of any shape.
        atol: the tolerance of their format; beyond the rounding of float64 a note is made.
        name: what they are, for the note.
        got: the message for a negative entry, by its index.

    Raises:
        InvalidInput: for one that is no rounding.
    """
    negative = entries < 0
    if not negative.any():
        return entries
    least = float(entries.min())
    now, noted = current(), atol <= ROW_SUM_ATOL and least < -ROUNDING
    strict = noted and now is not None and now.strict
    wrong = entries < -(ROUNDING if strict else atol)
    if wrong.any():
        raise InvalidInput(
            got=got(first_index(wrong)),
            wanted="probabilities, none negative",
            fix="set it to 0 and rescale the row, or look for a sign error where it was computed"
            + ("; of logits, trpo_theory.softmax makes a policy" if name.startswith("policy") else ""),
        )
    if now is not None:
        now.rescaled = True
    if noted:
        warn(f"{int(negative.sum())} negative entries of {name}, the least {least:.3g}, set to 0")
    return np.where(negative, 0.0, entries)


def check_row_sums(
    sums: np.ndarray,
    where: np.ndarray,
    name: str,
    atol: float = ROW_SUM_ATOL,
    row_of: Callable[[tuple[int, ...]], np.ndarray] | None = None,
) -> None:
    """Raise unless every row sums to 1 within atol, and every row outside `where` is zero.

    Args:
        sums: of the rows.
        where: which rows are distributions.
        name: what they are rows of.
        atol: the tolerance.
        row_of: the entries of the row at an index: where they are known, rows of a reading may be off, with a note, by what the
            digits that they were rounded to explain.
    """
    off = np.abs(sums - 1)
    wrong = where & ~(off <= atol)
    now = current()
    if wrong.any() and now is not None and row_of is not None:
        excused = wrong & _rounded_to_few_digits(off, wrong, row_of)
        if not now.strict:
            wrong = wrong & ~excused
    else:
        excused = np.zeros_like(wrong)
    if wrong.any():
        index = first_index(wrong)
        raise InvalidInput(
            got=f"{name}{' row ' if index else ''}{show_index(index)} that sums to {sums[index]:.10g}{meaning(index, name)}",
            wanted=f"each row to sum to 1 (within {atol:g})",
            fix=_LOOSER if excused[index] else _DIVIDED + (_ABSENT if name.startswith("transition") else ""),
        )
    if excused.any() and now is not None:
        _tell_of(now, sums, np.where(excused, off, 0.0), name)
    stray = ~where & (sums != 0)
    if stray.any():
        index = first_index(stray)
        raise InvalidInput(
            got=f"{name} row {show_index(index)} with mass {sums[index]:.6g} where none may be",
            wanted="zero for every action that is not available in its state",
            fix="move that mass to the available actions (mdp.available says which they are)",
        )


def _rounded_to_few_digits(
    off: np.ndarray, wrong: np.ndarray, row_of: Callable[[tuple[int, ...]], np.ndarray]
) -> np.ndarray:
    """Which rows miss 1 by no more than what was read may: `TEXT_ATOL`, or as much as the digits of their entries explain."""
    excused = np.array(off <= TEXT_ATOL * _FUZZ)  # of one row, a scalar
    for place in np.argwhere(wrong & ~excused & (off <= FEW_DIGITS_ATOL * _FUZZ)):
        index = tuple(int(i) for i in place)
        excused[index] = off[index] <= written_atol(row_of(index)) * _FUZZ
    return excused


def _tell_of(now: Reading, sums: np.ndarray, off: np.ndarray, name: str) -> None:
    index, count = first_index(off == off.max()), int((off > 0).sum())
    row = f"{' row ' if index else ''}{show_index(index)}"
    several = f", the furthest of {count} rows that do not sum to 1" if count > 1 else ""
    warn(f"{name}{row} sums to {sums[index]:.10g}, off by {off[index]:.2g}{meaning(index, name)}{several}")
