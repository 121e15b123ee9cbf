"""A cell of a table as plain text, and that text in LaTeX, siunitx, Markdown and HTML."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from html import escape
from typing import SupportsFloat

from trpo_theory._checks import integer
from trpo_theory._outward import Toward, decimal_toward
from trpo_theory.entries.kinds import TRUTH, Kind, expect
from trpo_theory.report.symbols import in_text

_PLAIN = r"-?\d+(?:\.\d+)?"
_NUMBER = re.compile(rf"({_PLAIN})(?:e(-?\d+))?")
_UNCERTAIN = re.compile(rf"\(?({_PLAIN}) ± ({_PLAIN})(?:\)e(-?\d+))?")
_SPECIAL = ("inf", "-inf", "nan")
_KEPT = r"\{}$~^[]"
"""What a caption may contain as LaTeX."""

_TOWARD = Kind(lambda value: value is None or isinstance(value, Toward), "a Toward, or None", "leave {name} out")


def show(value: object, digits: int = 4, *, scientific: bool = False, toward: Toward | None = None) -> str:
    """A value with `digits` significant digits: 0.05821, 1.300e-7, -12.30, inf.

    Args:
        value: a float; everything else is shown as it is.
        digits: significant digits.
        scientific: always with a power of ten.
        toward: for an end that is proved, the direction in which it is rounded; None for the nearest digits.
    """
    expect(TRUTH, scientific=scientific)
    expect(_TOWARD, toward=toward)
    digits = integer(digits, "digits", least=1)
    if not isinstance(value, float):
        return str(value)
    if math.isinf(value) or math.isnan(value) or value == 0:
        return f"{value:g}"
    number = value if toward is None else decimal_toward(value, digits, toward)
    mantissa, _, power = f"{number:.{digits - 1}e}".partition("e")
    if -4 <= int(power) < max(digits, 4) and not scientific:
        return f"{number:.{max(digits - 1 - int(power), 0)}f}"
    return f"{mantissa}e{int(power)}"


def show_uncertain(value: SupportsFloat, error: SupportsFloat, digits: int = 4) -> str:
    """A value and its standard error to the same decimal place: 0.123 ± 0.004, (1.230 ± 0.014)e-7.

    The error has two digits if they begin with 1 or 2, else one. Where it is 0 or unknown, the value is shown alone.
    """
    value, error = float(value), float(error)
    if not (math.isfinite(value) and math.isfinite(error) and error > 0):
        return show(value, digits)
    leading = f"{error:.1e}"
    last = int(f"{error:.0e}".partition("e")[2])
    if leading[0] in "12":
        last = int(leading.partition("e")[2]) - 1
    top = max(int(f"{size:e}".partition("e")[2]) for size in (value or error, error))
    power = 0 if top >= -4 and last <= 0 else top
    decimals = max(power - last, 0)
    scaled = [f"{size / 10.0**power:.{decimals}f}" for size in (value, error)]
    return f"{scaled[0]} ± {scaled[1]}" if power == 0 else f"({scaled[0]} ± {scaled[1]})e{power}"


def is_number(text: str) -> bool:
    """Whether a cell shows a number, with or without an uncertainty."""
    return text in _SPECIAL or bool(_NUMBER.fullmatch(text) or _UNCERTAIN.fullmatch(text))


def table_format(column: Iterable[str]) -> str | None:
    """The siunitx column type that aligns a column of cells; None where alignment at a decimal marker does not help.

    It does not if a cell is not a number, no cell has a decimal marker, or plain numbers and powers of ten are mixed.
    """
    cells = [cell for cell in column if cell and cell not in _SPECIAL]
    parts = [_parts(cell) for cell in cells]
    if not parts or any(part is None for part in parts):
        return None
    found = [part for part in parts if part is not None]
    exponents = {part[3] is not None for part, cell in zip(found, cells, strict=True) if cell != "0"}
    if len(exponents) > 1 or not any(decimals or error or power for _, decimals, error, power in found):
        return None
    whole = max(len(whole.lstrip("-")) for whole, *_ in found)
    decimals, errors = max(len(part[1]) for part in found), max(len(part[2] or "") for part in found)
    sign = "-" if any(whole.startswith("-") for whole, *_ in found) else ""
    text = f"{sign}{whole}" + (f".{decimals}" if decimals else "") + (f"({errors})" if errors else "")
    powers = [part[3] for part in found if part[3] is not None]
    if powers:
        minus = "-" if any(power.startswith("-") for power in powers) else ""
        text += f"e{minus}{max(len(power.lstrip('-')) for power in powers)}"
    return f"S[table-format={text}]"


def _parts(cell: str) -> tuple[str, str, str | None, str | None] | None:
    """Whole part with sign, decimals, uncertainty in units of the last digit, and power of ten."""
    if match := _NUMBER.fullmatch(cell):
        whole, _, decimals = match[1].partition(".")
        return whole, decimals, None, match[2]
    if match := _UNCERTAIN.fullmatch(cell):
        whole, _, decimals = match[1].partition(".")
        return whole, decimals, match[2].replace(".", "").lstrip("0"), match[3]
    return None


def siunitx(text: str, *, bold: bool = False) -> str:
    r"""A cell of an S column: 0.123(4)e-7; anything that is not a number goes in braces."""
    parts = _parts(text)
    if parts is None:
        return f"{{{latex(text, bold=bold)}}}" if text else ""
    whole, decimals, error, power = parts
    number = whole + (f".{decimals}" if decimals else "") + (f"({error})" if error else "")
    return (r"\bfseries " if bold else "") + number + (f"e{int(power)}" if power is not None else "")


def latex(text: str, *, bold: bool = False) -> str:
    """A cell in LaTeX: real minus signs, powers of ten, ∞; $mathematics$ is kept, other special characters are escaped."""
    if bold:
        return rf"\textbf{{\boldmath {latex(text)}}}" if text else ""
    if text.startswith("(") and text.endswith(")") and is_number(text[1:-1]):
        return f"({latex(text[1:-1])})"
    if text in ("inf", "-inf"):
        return r"$\infty$" if text == "inf" else r"$-\infty$"
    parts = _parts(text)
    if parts is None:
        pieces = text.split("$")
        if len(pieces) % 2 == 0:
            return in_text(text)
        return "".join(f"${piece}$" if i % 2 else in_text(piece) for i, piece in enumerate(pieces))
    if match := _UNCERTAIN.fullmatch(text):
        pair = rf"{match[1]} \pm {match[2]}"
        return f"${pair}$" if match[3] is None else rf"$({pair})\cdot10^{{{int(match[3])}}}$"
    mantissa, exponent, power = text.partition("e")
    if exponent:
        return rf"${mantissa}\cdot10^{{{int(power)}}}$"
    return "$-$" + text[1:] if text.startswith("-") else text


def caption(text: str) -> str:
    """A caption in LaTeX: $mathematics$ and commands are kept, other special characters are escaped."""
    pieces = text.split("$")
    if len(pieces) % 2 == 0:
        return text
    return "".join(f"${piece}$" if i % 2 else _of_caption(piece) for i, piece in enumerate(pieces))


def _of_caption(text: str) -> str:
    parts = re.split(r"(\\.)", text)
    return "".join(part if i % 2 else in_text(part, kept=_KEPT) for i, part in enumerate(parts))


def markdown(text: str, *, bold: bool = False) -> str:
    """A cell in Markdown."""
    text = text.replace("|", r"\|")
    return f"**{text}**" if bold and text else text


def html(text: str, *, bold: bool = False) -> str:
    """The inside of a cell in HTML: real minus signs, powers of ten as superscripts, ∞."""
    inside = escape(text)
    if is_number(text.strip("()")) or is_number(text):
        inside = inside.replace("inf", "∞").replace("nan", "–")
        inside = re.sub(r"e(-?\d+)", r"×10<sup>\1</sup>", inside).replace("-", "−")
    return f"<strong>{inside}</strong>" if bold and text else inside
