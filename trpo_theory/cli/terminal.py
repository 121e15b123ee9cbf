"""Text and tables that fit the terminal: what is wider is folded or printed in parts, and nothing is cut."""

from __future__ import annotations

import copy
import os
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

_UNWATCHED_WIDTH = 240
"""Characters a line where output is not a terminal; chosen: wider than every table, so that none is folded."""
_LEAST_WIDTH = 20
"""Characters a line that text is folded to at least. Chosen: a number with 12 digits and its exponent."""
_PROSE_WIDTH = 12
"""Characters of a folded column of sentences, at least; with less room a table becomes a list. Chosen."""
_PIECE = re.compile(r"\s*(?:\S*?[A-Za-z0-9]/(?=[A-Za-z])|\S+?(?=\\[A-Za-z])|\S+)|\s+$")
"""What stays on one line: a word, or the part of one up to a slash of an id or a path, or up to a command of LaTeX."""


def new_console() -> Console:
    """The console for text and tables; as wide as the terminal, or as COLUMNS says; else nothing is folded."""
    from rich.console import Console

    class Folding(Console):
        """Folds lines of text that are wider than it."""

        def print(self, *objects: Any, **options: Any) -> None:
            """As `Console.print`; lines of a text that are too wide go on below."""
            markup = bool(options.get("markup", True))
            super().print(
                *(_folded(one, self.width, markup) if isinstance(one, str) else one for one in objects), **options
            )

    columns = os.environ.get("COLUMNS", "")
    if sys.stdout.isatty() or (columns.isdigit() and int(columns) > 0):
        return Folding(highlight=False, soft_wrap=True, emoji=False)
    return Console(highlight=False, soft_wrap=True, width=_UNWATCHED_WIDTH, emoji=False)


def literal(text: str) -> str:
    """A name from user input, safe to print: markup and unprintable characters are escaped."""
    from rich.markup import escape

    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))


def _folded(text: str, width: int, markup: bool) -> Text:
    from rich.text import Text

    whole = Text.from_markup(text, emoji=False) if markup else Text(text)
    lines = [part for line in whole.split("\n", allow_blank=True) for part in _fold(line, max(width, _LEAST_WIDTH))]
    return Text("\n").join(lines)


def _fold(line: Text, width: int) -> list[Text]:
    """A line in parts of that width: broken at spaces, after slashes and commas, and elsewhere only where a word is wider.

    What follows the first part is indented as it is, and a little more.
    """
    if line.cell_len <= width:
        return [line]
    from rich.text import Text

    plain = line.plain
    indent = len(plain) - len(plain.lstrip())
    margin = min(indent + 2, width // 2)
    ends, room, begin = list[int](), width, 0
    for match in _PIECE.finditer(plain):
        start, end = match.start(), match.end()
        if end - begin <= room:
            continue
        if plain[begin:start].strip():
            ends.append(start)
            begin, room = start + len(match[0]) - len(match[0].lstrip()), width - margin
        while end - begin > room:
            begin += room
            ends.append(begin)
            room = width - margin
    first, *others = line.divide(ends)
    for part in (first, *others):
        part.rstrip()
    return [first, *(Text(" " * margin) + _without_indent(part) for part in others)]


def _without_indent(part: Text) -> Text:
    return part[len(part.plain) - len(part.plain.lstrip()) :]


def print_table(console: Console, table: Table, prose: str | None = None) -> None:
    """Print a table in the style of all commands: a rule under the head, numbers at the right.

    Where it is wider than the terminal, the column with the heading `prose` is folded. Without one its columns are printed in
    several tables below each other, each with the first column: half of a number, or a row without its name, says little.
    Where not even the first column and another one fit, each row is a list.
    """
    from rich import box

    table.box = box.SIMPLE_HEAD
    for place, column in enumerate(table.columns):
        sentences = column.header == prose
        column.justify = "left" if sentences or not place else "right"
        column.no_wrap = not sentences
        column.overflow = "fold"
    parts = [table] if prose is not None else _side_by_side(console, table)
    if any(_least_width(console, part, prose) > console.width for part in parts):
        _print_list(console, table)
        return
    for part in parts:
        part.width = (
            min(table.width or console.width, _width(console, part)) if prose is not None else _width(console, part)
        )
        console.print(part)


def _print_list(console: Console, table: Table) -> None:
    """Each row as lines: the first cell, then heading and cell of the others."""
    if table.title:
        console.print(table.title)
    first, *others = table.columns
    for name, *cells in zip(first.cells, *(column.cells for column in others), strict=True):
        console.print(name)
        for column, cell in zip(others, cells, strict=True):
            if cell != "":
                console.print(f"  {column.header}: {cell}")


def _least_width(console: Console, table: Table, prose: str | None) -> int:
    """The least width that the table can be printed in."""
    if prose is None:
        return _width(console, table)
    others = [column for column in table.columns if column.header != prose]
    return _width(console, _with_columns(table, others)) + _PROSE_WIDTH


def _side_by_side(console: Console, table: Table) -> list[Table]:
    """The table, or parts of its columns that fit the console, each with the first column."""
    first, *others = table.columns
    groups = [[first]]
    for column in others:
        if len(groups[-1]) > 1 and _width(console, _with_columns(table, [*groups[-1], column])) > console.width:
            groups.append([first])
        groups[-1].append(column)
    return [table] if len(groups) == 1 else [_with_columns(table, group) for group in groups]


def _with_columns(table: Table, columns: list[Column]) -> Table:
    """A table of some columns of another one."""
    part = copy.copy(table)
    part.columns = [replace(column, _index=place) for place, column in enumerate(columns)]
    return part


def is_narrower(console: Console, table: Table) -> bool:
    """Whether the terminal is too narrow for the table."""
    return console.width < _width(console, table)


def _width(console: Console, table: Table) -> int:
    from rich.measure import Measurement

    return Measurement.get(console, console.options.update(width=_UNWATCHED_WIDTH), table).maximum
