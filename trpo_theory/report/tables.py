"""A DataFrame as a table of a paper: numbers of sensible digits, a caption and a label."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from trpo_theory.errors import InvalidInput
from trpo_theory.io._atomic import atomic_write

_LATEX_MINUS = "$-$"


@dataclass(frozen=True, eq=False)
class Table:
    """A table with what a paper needs around it.

    Attributes:
        frame: the data; its columns are the CSV's, unrounded.
        caption, label: for LaTeX and Markdown.
        headings: for each column, its heading in LaTeX and in plain text (Markdown and the terminal).
        digits: significant digits shown, by column; 4 for the others.
    """

    frame: pd.DataFrame
    caption: str
    label: str
    headings: dict[str, tuple[str, str]] = field(default_factory=dict)
    digits: dict[str, int] = field(default_factory=dict)

    def heading(self, column: str, *, latex: bool = False) -> str:
        """What stands above a column."""
        default = (column.replace("_", r"\_"), column)
        return self.headings.get(column, default)[0 if latex else 1]

    def shown(self) -> pd.DataFrame:
        """The frame as strings, as a person reads it."""
        columns = {name: [show(value, self.digits.get(name, 4)) for value in self.frame[name]] for name in self.frame}
        return pd.DataFrame(columns)

    def to_markdown(self) -> str:
        """A Markdown table under its caption."""
        frame = self.shown()
        align = ["right" if _numeric(frame[name]) else "left" for name in frame]
        frame = frame.rename(columns=self.heading)
        return f"{self.caption}\n\n{frame.to_markdown(index=False, disable_numparse=True, colalign=align)}\n"

    def to_latex(self) -> str:
        r"""A table environment with booktabs' rules; needs \usepackage{booktabs} (and amsmath)."""
        frame = self.shown()
        align = "".join("r" if _numeric(frame[name]) else "l" for name in frame)
        frame = frame.map(_latex_cell)
        frame.columns = [self.heading(name, latex=True) for name in self.frame]
        text = frame.style.hide(axis="index").to_latex(
            column_format=align,
            hrules=True,
            caption=self.caption,
            label=self.label,
            position="tbp",
            position_float="centering",
        )
        return text.replace(r"\begin{tabular}", "\\footnotesize\\setlength{\\tabcolsep}{3pt}\n\\begin{tabular}")

    def to_csv(self) -> str:
        """All digits, so that the same settings give the same bytes."""
        return self.frame.to_csv(index=False, lineterminator="\n")


def show(value: Any, digits: int = 4) -> str:
    """A value with so many significant digits: 0.05821, 1.300e-7, -12.30, inf."""
    if not isinstance(value, float):
        return str(value)
    if math.isinf(value) or math.isnan(value) or value == 0:
        return f"{value:g}"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    if -4 <= int(power) < max(digits, 4):
        return f"{value:.{max(digits - 1 - int(power), 0)}f}"
    return f"{mantissa}e{int(power)}"


def write(
    table: Table, directory: str | Path, name: str, *, suffixes: tuple[str, ...] = (".tex", ".md", ".csv")
) -> list[Path]:
    """Write NAME.tex, NAME.md and NAME.csv, each to a temporary name and renamed."""
    directory = Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            got=f"the output directory {str(directory)!r} ({error.strerror})",
            wanted="a directory, or a place where one can be made",
            mend="name another",
        ) from None
    as_text = {".tex": table.to_latex, ".md": table.to_markdown, ".csv": table.to_csv}
    paths = []
    for suffix in suffixes:
        path = directory / f"{name}{suffix}"
        with atomic_write(path) as file:
            file.write(as_text[suffix]().encode())
        paths.append(path)
    return paths


def _numeric(column: Any) -> bool:
    """Whether every cell shown is a number, a number in brackets, or nothing."""
    return all(not cell or _is_number(cell.strip("()")) for cell in column)


def _latex_cell(text: str) -> str:
    """A cell in LaTeX: real minus signs, powers of ten, ∞, and special characters escaped."""
    if text.startswith("(") and text.endswith(")"):
        return f"({_latex_cell(text[1:-1])})"
    if text in ("inf", "-inf"):
        return r"$\infty$" if text == "inf" else r"$-\infty$"
    mantissa, exponent, power = text.partition("e")
    if exponent and _is_number(text):
        return rf"${mantissa}\cdot10^{{{int(power)}}}$"
    if text.startswith("-") and _is_number(text):
        return _LATEX_MINUS + text[1:]
    for character in "&%#_":
        text = text.replace(character, "\\" + character)
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
