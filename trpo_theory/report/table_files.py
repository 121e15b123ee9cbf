"""Tables as files, in the formats that they are asked for."""

from __future__ import annotations

from pathlib import Path

from trpo_theory import _checks
from trpo_theory.entries.kinds import PATH, SERIES, TEXT, expect, expect_type
from trpo_theory.errors import InvalidInput
from trpo_theory.io._atomic import atomic_write
from trpo_theory.report.tables import Table


def write(
    table: Table, directory: str | Path, name: str, *, suffixes: tuple[str, ...] = (".tex", ".md", ".csv")
) -> list[Path]:
    """Write the table as .tex, .md and .csv (or .html) files, each atomically."""
    expect_type(Table, table, "the table", "make it: Table(frame, caption=..., label=...)")
    expect(TEXT, name=name)
    expect(SERIES, suffixes=suffixes)
    as_text = {
        ".tex": table.to_latex,
        ".md": table.to_markdown,
        ".csv": table.to_csv,
        ".html": lambda: table.to_html(caption=True),
    }
    for suffix in suffixes:
        _checks.known_name("suffix of a table", suffix, as_text)
    directory = made_directory(directory)
    paths = []
    for suffix in suffixes:
        path = directory / f"{name}{suffix}"
        with atomic_write(path) as file:
            file.write(as_text[suffix]().encode())
        paths.append(path)
    return paths


def made_directory(directory: str | Path) -> Path:
    """The output directory, created if it is missing.

    Raises:
        InvalidInput: if it cannot be created.
    """
    expect(PATH, directory=directory)
    directory = Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            got=f"the output directory {str(directory)!r} ({error.strerror})",
            wanted="a directory, or a path where one can be created",
            fix="name another",
        ) from None
    return directory
