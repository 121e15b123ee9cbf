"""JSON with exact numbers: "1/3" is a rational, a key occurs once, and NaN is refused."""

from __future__ import annotations

import json
import math
import re
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.io._source import read_text
from trpo_theory.model.decimals import as_written, decimal_of

_RATIONAL = re.compile(r"\s*([+-]?\d+)\s*/\s*(\d+)\s*", re.ASCII)
_DECIMAL = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?\s*", re.ASCII)
_MINUS_INFINITY = frozenset({"-inf", "-infinity", "-Infinity", "-Inf"})
_TEXT_KEYS = frozenset(
    {
        *("claim", "id", "name", "note", "relation", "source", "statement", "verdict", "version"),
        *("kind", "theorem", "made_by", "file", "file_sha256", "bound", "divergence", "normaliser", "problem"),
    }
)
_MAX_DIGITS = 4000
"""Of one number; below 4300, where Python refuses to convert an integer."""
_SHORT_DECIMAL = sys.float_info.dig + 1
"""Characters of a decimal of 15 digits and a point: it is the shortest one of its float, if that is not below the normal ones."""
_MAX_EXPONENT = 2000
"""Of a decimal in quotes, which is exact; chosen: far beyond floats, and the integers stay small."""


def decode_json(path: Path, what: str, *, exact: bool = False) -> Any:
    """The value in a JSON file, strings that are rationals turned into `Fraction`.

    "1/3", "-2/7", "0.1" and "3" are exact; "-inf" is −∞; other strings, and all values of textual keys such as
    `*_labels`, stay as they are. A number without quotes is an int or a float, as usual, but a `Fraction` where the decimal
    that is written is not the shortest one of its float; if `exact`, every decimal is one.

    Raises:
        InvalidInput: for text that is not JSON, a key that occurs twice, NaN, +∞, or a number out of range.
    """
    try:
        value = json.loads(
            read_text(path, what),
            object_pairs_hook=_distinct,
            parse_constant=_constant,
            parse_float=parse_rational if exact else _float,
            parse_int=_int,
        )
        return _rationals(value)
    except json.JSONDecodeError as error:
        raise InvalidInput(
            got=f"{path.name}, which is not JSON: {error.msg} (line {error.lineno}, column {error.colno})",
            wanted="one JSON value",
            fix="correct that line, or write the file with trpo_theory.io.write_mdp",
        ) from None
    except RecursionError:
        raise InvalidInput(
            got=f"lists nested too deeply in {path.name}",
            wanted="at most three levels, for a transition (S, A, S)",
            fix="write the file with trpo_theory.io.write_mdp",
        ) from None


def encode_json(fields: dict[str, Any]) -> str:
    """A JSON object, one key a line; floats round-trip, and fractions become "p/q"."""
    return "{\n" + ",\n".join(f"{json.dumps(str(key))}: {_dumped(key, fields[key])}" for key in fields) + "\n}\n"


def _dumped(key: str, value: Any) -> str:
    try:
        return json.dumps(value, default=_plain, allow_nan=False)
    except ValueError as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(
            got=f"{key} with a number that JSON does not have ({error})",
            wanted="finite numbers",
            fix="write None for it, or write .npz",
        ) from None


def parse_rational(text: str) -> Fraction | float | None:
    """The number that a string stands for: a Fraction, −∞, or None if it is not a number.

    >>> parse_rational("1/3"), parse_rational("-0.5"), parse_rational("left")
    (Fraction(1, 3), Fraction(-1, 2), None)
    """
    if len(text) > _MAX_DIGITS:
        if _RATIONAL.fullmatch(text) or _DECIMAL.fullmatch(text):
            raise _beyond(text)
        return None
    if match := _RATIONAL.fullmatch(text):
        if int(match[2]) == 0:
            raise InvalidInput(got=f"the number {text!r}", wanted="a rational p/q", fix="give it a nonzero denominator")
        return Fraction(int(match[1]), int(match[2]))
    if match := _DECIMAL.fullmatch(text):
        if match[2] and (len(match[2]) > 6 or abs(int(match[2])) > _MAX_EXPONENT):
            raise _beyond(text)
        return Fraction(text.strip())
    return -math.inf if text.strip() in _MINUS_INFINITY else None


def _rationals(value: Any) -> Any:
    if isinstance(value, str):
        number = parse_rational(value)
        return value if number is None else number
    if isinstance(value, list):
        return [_rationals(entry) if isinstance(entry, str | list | dict) else entry for entry in value]
    if isinstance(value, dict):
        return {key: entry if _is_text(key) else _in_field(key, entry) for key, entry in value.items()}
    return value


def _in_field(key: str, entry: Any) -> Any:
    """Of an object of costs the keys are names, whatever they are, and all values numbers."""
    if key == "costs" and isinstance(entry, dict):
        return {name: _rationals(cost) for name, cost in entry.items()}
    return _rationals(entry)


def _is_text(key: str) -> bool:
    return key in _TEXT_KEYS or key.endswith("_labels")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise InvalidInput(got=f"the key {twice!r} twice", wanted="each key once", fix="delete one of the two")
    return fields


def _constant(text: str) -> float:
    if text == "-Infinity":
        return -math.inf
    raise InvalidInput(
        got=f"the number {text}",
        wanted="finite numbers (or -Infinity in a reward, for an unavailable action)",
        fix="find where it comes from and replace it",
    )


def _float(text: str) -> float | Fraction:
    """The float of a decimal, unless that would lose digits: what a float stands for in a proof is its shortest decimal."""
    number = float(text)
    if math.isinf(number):
        raise _beyond(text)
    if (len(text) <= _SHORT_DECIMAL and abs(number) > sys.float_info.min) or repr(number) == text:
        return number
    if len(text) > _MAX_DIGITS or abs(int(text.lower().partition("e")[2] or 0)) > _MAX_EXPONENT:
        raise _beyond(text)
    exact = decimal_of(text)
    return number if exact == as_written(number) else exact


def _int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise _beyond(text)
    return int(text)


def _beyond(text: str) -> InvalidInput:
    shown = text if len(text) <= 40 else f"{text[:30]}... ({len(text)} characters)"
    return InvalidInput(got=f"the number {shown}", wanted="one in the range of floats", fix="rescale it")


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    raise InvalidInput(
        got=f"{type(value).__name__} to be written as JSON", wanted="numbers, strings, lists", fix="convert it first"
    )
