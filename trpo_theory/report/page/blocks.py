"""The blocks of a section: tables and figures with their captions, and HTML."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from trpo_theory.errors import InvalidInput
from trpo_theory.report.page.statement import prose
from trpo_theory.report.page.templating import render
from trpo_theory.report.screen import inlined
from trpo_theory.report.tables import Table

_MEDIA = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "pdf": "application/pdf",
    "csv": "text/csv",
    "tex": "text/plain",
    "json": "application/json",
}


@runtime_checkable
class Block(Protocol):
    """Anything that renders itself as HTML."""

    def to_html(self) -> str:
        """One or more complete, self-contained elements."""
        ...


@dataclass(frozen=True)
class Html:
    """Trusted HTML, inserted unchanged."""

    text: str

    def to_html(self) -> str:
        """The text."""
        return self.text


@dataclass(frozen=True)
class Figure:
    """A figure with its caption.

    Attributes:
        name: the name of the downloads, without suffix.
        content: the bytes of an SVG or PNG file; of SVG the colours follow the page's light or dark.
        narrow: the same drawn for a narrow screen, an SVG file, or None.
        caption: two sentences of what it shows; may have $LaTeX$ and `code`.
        alt: the text for readers who cannot see the figure.
        downloads: further embedded files, by suffix ("pdf").
        width: in CSS pixels; by default that of the column.

    Raises:
        InvalidInput: for content of another format, or no alt text.
    """

    name: str
    content: bytes
    caption: str
    alt: str
    downloads: Mapping[str, bytes] = field(default_factory=dict)
    width: int | None = None
    narrow: bytes | None = None

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise InvalidInput(
                got=f"the figure {self.name!r} without alt text", wanted="a sentence", fix="pass alt=..."
            )
        if self.suffix is None:
            raise InvalidInput(
                got=f"the figure {self.name!r} of {len(self.content)} bytes that are neither SVG nor PNG",
                wanted="the content of an SVG or PNG file",
                fix="save the figure as one of them",
            )

    @property
    def suffix(self) -> str | None:
        """The format of the content: "png", "svg", or None."""
        if self.content.startswith(b"\x89PNG\r\n\x1a\n"):
            return "png"
        return "svg" if b"<svg" in self.content[:4096] else None

    def to_html(self) -> str:
        """A `<figure>`."""
        links = [
            (suffix.upper(), f"{self.name}.{suffix}", _data(suffix, file)) for suffix, file in self.downloads.items()
        ]
        vectors = self.suffix == "svg"
        return render(
            "figure.html.j2",
            figure=self,
            source="" if vectors else _data("png", self.content),
            drawing=inlined(self.content, self.name, self.alt, classes="wide" * bool(self.narrow)) if vectors else "",
            small=inlined(self.narrow, f"{self.name}-narrow", self.alt, classes="narrow") if self.narrow else "",
            caption=prose(self.caption),
            links=links,
        )


@dataclass(frozen=True)
class Shown:
    """A table on the page, with its caption, a comment and downloads.

    Attributes:
        table: the table.
        about: two sentences of what it shows; may have $LaTeX$ and `code`.
    """

    table: Table
    about: str = ""

    def to_html(self) -> str:
        """A `<figure>` with the table in a scrolling box."""
        table = self.table
        name = table.label.removeprefix("tab:").replace(":", "-")
        links = [
            ("CSV", f"{name}.csv", _data("csv", table.to_csv().encode())),
            ("LaTeX", f"{name}.tex", _data("tex", table.to_latex().encode())),
        ]
        return render(
            "table.html.j2",
            name=name,
            caption=prose(table.plain_caption or table.caption),
            about=prose(self.about),
            table=_named(table.to_html(), name),
            links=links,
        )


@dataclass(frozen=True)
class SavedTable:
    """A table that was written before.

    Attributes:
        name: of the download, without suffix.
        caption: may have $LaTeX$ and `code`.
        html: its `<table>`.
        csv: the file with all digits.
    """

    name: str
    caption: str
    html: str
    csv: bytes

    def to_html(self) -> str:
        """A `<figure>` with the table in a scrolling box."""
        links = [("CSV", f"{self.name}.csv", _data("csv", self.csv))]
        caption = prose(self.caption)
        return render(
            "table.html.j2", name=self.name, caption=caption, about="", table=_named(self.html, self.name), links=links
        )


def as_block(item: object) -> Block:
    """An item of a section as a block: a `Table` becomes `Shown`.

    Raises:
        InvalidInput: for an item without `to_html`.
    """
    if isinstance(item, Table):
        return Shown(item)
    if not isinstance(item, Block):
        raise InvalidInput(
            got=f"a {type(item).__name__} in a section",
            wanted="a Table, a Figure, or a block with to_html()",
            fix="wrap your own HTML in Html(...)",
        )
    return item


def _named(table: str, name: str) -> str:
    """A `<table>` whose name is its caption."""
    return table.replace("<table", f'<table aria-labelledby="caption-{name}"', 1)


def _data(suffix: str, content: bytes) -> str:
    media = _MEDIA.get(suffix, "application/octet-stream")
    return f"data:{media};base64,{base64.b64encode(content).decode()}"
