"""What each paper states, with verdicts, as a frame and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from trpo_theory import claims
from trpo_theory.claims.papers import paper_rows
from trpo_theory.report.tables import Table

COLUMNS = ("paper", "where", "claim", "verdict", "setting", "wording", "sharp", "twins")
"""Of the table."""


def paper_frame(verdicts: Mapping[str, str]) -> pd.DataFrame:
    """One row a statement of a paper, in the order of the papers, with its verdict; false twins are named, not rows.

    Args:
        verdicts: the verdict of each claim, by id.
    """
    rows = paper_rows(claims.get(name) for name in verdicts)
    columns = [*COLUMNS, "seen", "expected", "statement", "source"]
    shown = ({**row, "verdict": verdicts[row["claim"]], "twins": ", ".join(row["twins"])} for row in rows)
    return pd.DataFrame(shown, columns=columns)


def paper_table(rows: pd.DataFrame, label: str) -> Table:
    """The rows of `paper_frame`, or some of them, as a table."""
    rows = rows.fillna("")
    shown: Any = rows[list(COLUMNS)].copy()
    shown["paper"] = shown["paper"].where(shown["paper"] != shown["paper"].shift(), "")
    seen = zip(shown["wording"], rows["seen"], strict=True)
    shown["wording"] = [word + (f": {where}" if where else "") for word, where in seen]
    return Table(
        shown,
        caption="Paper by paper: statements and their verdicts. Wording: seen, and where; from memory; or derived here, after "
        "the paper. Sharp: what is known of how far it could be improved. False twins differ by one thing.",
        label=label,
        headings={"twins": ("false twins", "false twins")},
        prose=("wording", "sharp", "twins"),
    )
