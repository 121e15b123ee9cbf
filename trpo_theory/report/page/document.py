"""`Page`: a report in one HTML file that works offline, with a table of contents, sections, tables and figures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trpo_theory.errors import InvalidInput
from trpo_theory.io._atomic import atomic_write
from trpo_theory.report.page.blocks import as_block
from trpo_theory.report.page.statement import prose
from trpo_theory.report.page.templating import render, scripts, styles

_ID = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        id: the anchor of links: lower-case letters, digits and hyphens.
        title: its heading.
        lead: two introductory sentences; may have $LaTeX$ and `code`.
        items: tables (`Table`, or `Shown` with two sentences), `Figure`s, a `Catalogue`, an `Explorer`, `Html`.
    """

    id: str
    title: str
    lead: str = ""
    items: Sequence[Any] = ()

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise InvalidInput(
                got=f"{self.id!r} as the id of a section",
                wanted="lower-case letters, digits and hyphens, a letter first",
                fix='write, for example, "sharp-gaps"',
            )


@dataclass(frozen=True)
class Page:
    """A report on one self-contained page, which makes no requests and can be opened from the file system.

    Attributes:
        title: its heading.
        lead: the introduction; may have $LaTeX$ and `code`.
        sections: the sections, listed in the table of contents.

    Raises:
        InvalidInput: if two sections have the same id.
    """

    title: str
    lead: str
    sections: Sequence[Section]

    def __post_init__(self) -> None:
        twice = [id for id, count in Counter(section.id for section in self.sections).items() if count > 1]
        if twice:
            raise InvalidInput(got=f"two sections of id {twice[0]!r}", wanted="ids that differ", fix="rename one")

    def to_html(self) -> str:
        """The content of the file."""
        parts = [
            {
                "id": section.id,
                "title": section.title,
                "lead": prose(section.lead),
                "blocks": [as_block(item).to_html() for item in section.items],
            }
            for section in self.sections
        ]
        return render(
            "page.html.j2",
            title=self.title,
            lead=prose(self.lead),
            sections=parts,
            styles=styles(),
            scripts=scripts(),
        )

    def write(self, path: str | Path) -> None:
        """Write the file, atomically.

        Raises:
            InvalidInput: for a path that cannot be written.
        """
        text = self.to_html()
        with atomic_write(path) as file:
            file.write(text.encode())
