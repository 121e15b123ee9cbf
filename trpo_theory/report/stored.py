"""Results of full runs that are kept with the code: the catalogue's verdicts, and the tables of the experiments."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from trpo_theory import claims
from trpo_theory.errors import InvalidInput
from trpo_theory.report import cells
from trpo_theory.report.names import in_prose, named
from trpo_theory.report.page.blocks import SavedTable
from trpo_theory.report.page.catalogue import Catalogue, ClaimRow
from trpo_theory.report.page.document import Section
from trpo_theory.report.page.papers import Papers
from trpo_theory.report.paper_tables import paper_frame

CATALOGUE, INDEX = "catalogue.json", "index.json"
"""The verdicts; and the experiments with the names of their tables."""
_CELL = re.compile(r"(?<!\\)\|")
"""What separates two cells of Markdown."""


@cache
def folder() -> Path:
    """Where they are: with the installed package, or in the checkout.

    Raises:
        InvalidInput: if they are in neither.
    """
    here = Path(__file__).resolve()
    for place in (here.parent / "results", here.parents[2] / "experiments" / "results"):
        if (place / INDEX).exists():
            return place
    raise InvalidInput(
        got=f"an installation in {str(here.parents[1])!r} without the kept results",
        wanted=f"{INDEX} beside the package's report, or in experiments/results of a checkout",
        fix="install the wheel again",
    )


@dataclass(frozen=True)
class StoredCatalogue:
    """The verdicts of the last run of the whole catalogue.

    Attributes:
        version: of the toolkit that made it.
        commit: of its code; "" if that is not known.
        date: of the run, as 2026-01-31.
        rows: a row a claim, as `keep_catalogue` of the experiments writes them.
    """

    version: str
    commit: str
    date: str
    rows: Sequence[Mapping[str, Any]]

    @property
    def dated(self) -> str:
        """A sentence that says of how many claims it is, when it was made, and by which version."""
        day = datetime.date.fromisoformat(self.date)
        commit = f" (commit `{self.commit}`)" if self.commit else ""
        newer = len(set(claims.catalogue) - {row["id"] for row in self.rows})
        added = f" Added since, and not among them: {newer}." if newer else ""
        return (
            f"These are the verdicts of the last run of the whole catalogue: {len(self.rows)} claims on "
            f"{day.day} {day:%B %Y}, by version {self.version}{commit}.{added}"
        )

    def blocks(self) -> list[Any]:
        """The table of claims, and the statements paper by paper; claims that are not in the catalogue any more are left out."""
        known = [row for row in self.rows if row["id"] in claims.catalogue]
        verdicts = {str(row["id"]): str(row["verdict"]) for row in known}
        return [Catalogue([_claim_row(row) for row in known]), Papers.of(paper_frame(verdicts), "tab:catalogue-papers")]


def catalogue() -> StoredCatalogue:
    """The kept verdicts.

    Raises:
        InvalidInput: if they are not there.
    """
    content = json.loads((folder() / CATALOGUE).read_text(encoding="utf-8"))
    return StoredCatalogue(content["version"], content["commit"], content["date"], content["claims"])


def sections() -> list[Section]:
    """A section an experiment of which tables are kept, with its tables as they were written."""
    index = json.loads((folder() / INDEX).read_text(encoding="utf-8"))
    return [
        Section(of["name"], in_prose(of["title"]), in_prose(of["lead"]), [_table(name) for name in of["tables"]])
        for of in index
    ]


def _claim_row(row: Mapping[str, Any]) -> ClaimRow:
    claim = claims.get(row["id"])
    return ClaimRow(statement=claim.statement, source=claim.source, expected=claim.expected, **row)


def _table(name: str) -> SavedTable:
    """A table from its Markdown, which has the caption and the rounded cells, and its CSV, which has all digits."""
    caption, *lines = (folder() / f"{name}.md").read_text(encoding="utf-8").strip().split("\n\n")
    head, align, *body = (_cells(line) for line in "\n".join(lines).splitlines())
    number = [mark.endswith(":") for mark in align]
    kinds = [' class="number"' if right else "" for right in number]
    top = "".join(f'<th scope="col"{kind}>{_inside(text)}</th>' for kind, text in zip(kinds, head, strict=True))
    rows = ("".join(f"<td{kind}>{_inside(text)}</td>" for kind, text in zip(kinds, row, strict=True)) for row in body)
    html = f"<thead><tr>{top}</tr></thead>\n<tbody>\n" + "".join(f"<tr>{row}</tr>\n" for row in rows) + "</tbody>"
    data = (folder() / f"{name}.csv").read_bytes()
    return SavedTable(name, in_prose(caption), f'<table id="tab:{escape(name)}">\n{html}\n</table>', data)


def _cells(line: str) -> list[str]:
    return [part.strip() for part in _CELL.split(line.strip().strip("|"))]


def _inside(text: str) -> str:
    bold = text.startswith("**") and text.endswith("**") and len(text) > 4
    return cells.html(named(text.replace(r"\|", "|").strip("*" if bold else "")), bold=bold)
