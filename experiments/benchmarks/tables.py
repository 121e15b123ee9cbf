"""The tables of benchmarks: printed, and written to files."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table as Shown

from trpo_theory.report import Table, write


def present(console: Console, table: Table, directory: Path, name: str, *, words: tuple[str, ...] = ()) -> None:
    """Print a table, and write it to a directory; `words` are the columns that are no numbers, which stand to the left."""
    write(table, directory, name)
    shown = Shown(title=name)
    for column in table.shown():
        shown.add_column(str(column), justify="left" if column in words else "right")
    for cells in table.shown().itertuples(index=False):
        shown.add_row(*(str(cell) for cell in cells))
    console.print(shown)
