"""What every evidence file has in common: the fields at its head, and how its exact numbers are written.

An evidence file is one JSON object: "kind" says which checker reads it, "statement" and "source" what it is about,
"theorem" the sentence that its content proves, "enclosure" the two ends of the number that the sentence is about.
`trpo_theory.proofs.evidence` lists the kinds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from trpo_theory._outward import Toward, decimal_toward
from trpo_theory.entries.kinds import PATH, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.io._source import expect_no_device
from trpo_theory.io.files import write_fields
from trpo_theory.model.decimals import as_written
from trpo_theory.model.types import PathLike

Fields: TypeAlias = dict[str, Any]
"""The content of an evidence file that is made: strings, numbers, arrays, fractions by name."""
ReadFields: TypeAlias = Mapping[str, Any]
"""The content of one that is read, as `read_fields` returns it: its checker believes none of it."""

_DIGITS = 15
"""Significant digits of an end that is rounded outward: chosen to be about those of a float."""
_DECIMALS = 35
"""Rounded ends are written as decimals up to so many places, as p/q beyond: chosen."""
_SHORT = 10**9
"""A rational with a smaller denominator is written as it is: chosen, a line of a table holds it."""
_SMALL = 10**4
"""In a sentence a rational with a denominator up to this one is p/q, another one a decimal if it is one: chosen."""


def evidence_fields(
    kind: str,
    *,
    statement: str,
    theorem: str,
    source: str,
    enclosure: tuple[Fraction | str, Fraction | str],
    content: ReadFields,
) -> Fields:
    """The fields of an evidence file: the head, the content, the enclosure, and what wrote it.

    Args:
        kind: the name by which `certify` finds the checker.
        statement: in LaTeX, of the claim or the quantity that the evidence is about.
        theorem: the sentence that is proved, whole.
        source: where the statement is from.
        enclosure: two ends of the number that the theorem is about, rounded outward; an infinite end as its name.
        content: what the checker proves the theorem from.
    """
    head = {"kind": kind, "statement": statement, "theorem": theorem, "source": source}
    ends = [end if isinstance(end, str) else number_text(end) for end in enclosure]
    return {**head, **content, "enclosure": ends, "made_by": made_by()}


def made_by() -> str:
    """The name and version of the toolkit that writes a file."""
    from importlib import metadata  # which takes as long as a small search

    try:
        return f"trpo-theory {metadata.version('trpo-theory')}"
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "trpo-theory"


def write_evidence(fields: ReadFields, path: PathLike) -> None:
    """Write an evidence file, all of it or nothing.

    Raises:
        InvalidInput: for a name that does not end in .json, or a place that cannot be written.
    """
    checked_evidence_path(path)
    write_fields(fields, path)


def checked_evidence_path(path: PathLike, what: str = "a witness") -> None:
    """Refuse a file that could not be written before anything is computed."""
    expect(PATH, path=path)
    expect_no_device(Path(path), (".json",))
    if Path(path).suffix != ".json" or Path(path).is_dir():
        raise InvalidInput(
            got=f"{str(path)!r} for {what}",
            wanted="the name of a file that ends in .json",
            fix=f"name it {Path(path).stem or 'witness'}.json, say",
        )
    if not Path(path).resolve().parent.is_dir():
        raise InvalidInput(
            got=f"the directory {str(Path(path).parent)!r} for {what}",
            wanted="one that exists",
            fix="make it first",
        )


def exact_content(value: Any) -> Any:
    """What a file that has this content says: arrays as nested lists, every float the decimal that it is written as."""
    if isinstance(value, np.ndarray | np.generic):
        return exact_content(value.tolist())
    if isinstance(value, Mapping):
        return {name: exact_content(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [exact_content(entry) for entry in value]
    return as_written(value) if isinstance(value, float) and math.isfinite(value) else value


def exact_rows(array: np.ndarray, where: np.ndarray | None = None) -> Any:
    """Rows of probabilities, nested lists, whose decimals sum to one exactly: the largest entry of a row takes up the rounding.

    An entry that changes becomes a decimal in quotes; the others stay floats. Rows outside `where` are padding: zeros.

    >>> exact_rows(np.array([[0.1, 0.9], [1 / 3, 2 / 3]]))
    [[0.1, 0.9], [0.3333333333333333, '0.6666666666666667']]
    """
    rows = np.where(True if where is None else np.asarray(where, dtype=bool)[..., None], array, 0.0)
    return [exact_rows(part) for part in rows] if rows.ndim > 1 else _exact_row(rows.tolist())


def _exact_row(row: list[float]) -> list[float | str]:
    written = [as_written(entry) for entry in row]
    missing = 1 - sum(written, Fraction(0))
    largest = max(range(len(row)), key=row.__getitem__)
    if not missing or not row[largest]:
        return list(row)
    return [number_text(written[i] + missing) if i == largest else entry for i, entry in enumerate(row)]


def outward(lower: Fraction, upper: Fraction) -> tuple[Fraction, Fraction]:
    """Short rationals that enclose what the two ends enclose; an exact number that is short stays as it is."""
    if lower == upper and lower.denominator < _SHORT:
        return lower, upper
    return rounded(lower, Toward.DOWN), rounded(upper, Toward.UP)


def rounded(end: Fraction, toward: Toward) -> Fraction:
    """The end at 15 significant digits, rounded in one direction."""
    return Fraction(decimal_toward(end, _DIGITS, toward))


def number_text(number: Fraction) -> str:
    """A rational as a file has it: short ones as "p/q", others as decimals where they are decimals."""
    return str(number) if number.denominator < _SHORT else decimal_text(number)


def sentence_text(number: Fraction) -> str:
    """A rational as a sentence has it, exactly: "9/10", "0.123456", "1e-20".

    >>> sentence_text(Fraction(9, 10)), sentence_text(Fraction("0.123456"))
    ('9/10', '0.123456')
    """
    if number.denominator <= _SMALL:
        return str(number)
    digits = str(float(number))
    return digits if Fraction(digits) == number else decimal_text(number)


def decimal_text(number: Fraction) -> str:
    """A decimal of up to 35 places as such, another rational as "p/q"."""
    scaled = number * 10**_DECIMALS
    if scaled.denominator != 1:
        return str(number)
    digits = f"{abs(scaled.numerator):0{_DECIMALS + 1}d}"
    return ("-" if number < 0 else "") + f"{digits[:-_DECIMALS]}.{digits[-_DECIMALS:]}".rstrip("0").rstrip(".")
