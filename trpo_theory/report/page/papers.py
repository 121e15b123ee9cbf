"""`Papers`: what each paper states, as a list that opens paper by paper, and the same as a table."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from trpo_theory.report.page.blocks import Shown
from trpo_theory.report.page.statement import typeset
from trpo_theory.report.page.templating import render
from trpo_theory.report.paper_tables import paper_table
from trpo_theory.report.tables import Table


@dataclass(frozen=True)
class PaperRow:
    """A statement of a paper; rows of a paper follow each other.

    Attributes:
        paper: the paper's name.
        claim: the claim's id.
        where: the place in the paper, "" if none is known.
        verdict: of a verification.
        setting: what it is about: "discounted", "average" and so on.
        wording: "seen", "from memory" or "derived here".
        seen: where the wording was seen, "" if in the paper itself.
        sharp: what is known of how far it could be improved.
        twins: ids of the claims that differ by one thing and are false, with commas between.
        statement: in LaTeX.
    """

    paper: str
    claim: str
    where: str
    verdict: str
    setting: str
    wording: str
    seen: str
    sharp: str
    twins: str
    statement: str


@dataclass(frozen=True)
class Papers:
    """The catalogue paper by paper.

    Attributes:
        rows: the statements.
        table: the same, for reading at one glance and for saving.
    """

    rows: Sequence[PaperRow]
    table: Table

    @classmethod
    def of(cls, frame: pd.DataFrame, label: str) -> Papers:
        """The rows of `paper_frame`, and their table with this label."""
        names = [field.name for field in dataclasses.fields(PaperRow)]
        rows = frame.fillna("").to_dict("records")
        return cls([PaperRow(**{name: str(row[name]) for name in names}) for row in rows], paper_table(frame, label))

    def to_html(self) -> str:
        """A `<details>` a paper, then one with the table."""
        papers = [
            {"name": name, "rows": [{"row": row, "statement": typeset(row.statement)} for row in found]}
            for name, found in itertools.groupby(self.rows, key=lambda row: row.paper)
        ]
        return render("papers.html.j2", papers=papers, table=Shown(self.table).to_html())
