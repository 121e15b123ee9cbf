"""A page with everything on it, from the catalogue and the committed witnesses."""

import base64
import json
from fractions import Fraction
from pathlib import Path

import pandas as pd

import trpo_theory as tt
from trpo_theory.report import Table
from trpo_theory.report.page import Catalogue, ClaimRow, Explorer, Figure, Html, Page, Section, Shown

WITNESSES = Path(__file__).parent.parent / "witnesses"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="80"><rect width="2000" height="80"/></svg>'


def witness_of(claim_id):
    path = WITNESSES / (claim_id.replace("/", "--") + ".json")
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def claim_rows():
    """A row a claim; slacks and counts that no sort by text would put in order."""
    rows = []
    for index, claim in enumerate(tt.claims.catalogue.values()):
        witness = witness_of(claim.id)
        proof = claim.proof if index else None  # the first as a search alone would leave it
        slack = 10.0 ** (index % 7 - 5) * (index + 1)
        if witness and "inf" not in witness["slack"][1]:
            slack = float(Fraction(witness["slack"][1]))
        rows.append(
            ClaimRow(
                id=claim.id,
                expected=claim.expected,
                verdict="refuted" if witness else "proved" if proof else "unrefuted",
                proof=f"theorem ({proof.by})" if proof else "",
                statement=claim.statement,
                source=claim.source,
                min_slack=slack,
                instances=97 * (index % 13) + 5,
                effective=5,
                witness=witness,
                note=claim.note,
            )
        )
    return rows


def wide_table():
    frame = pd.DataFrame({"environment": ["a", "b"], **{f"quantity {k}": [0.1 * k, -1.3e-7 * k] for k in range(1, 30)}})
    return Shown(Table(frame, "A wide table.", "tab:wide"), r"Each is $\eta$. All hold.")


def whole_page(rows=None):
    """With these rows of the catalogue, or all."""
    rows = claim_rows() if rows is None else rows
    figures = [
        Figure("wide", SVG, "A wide figure, of $L$.", "a black box", {"png": PNG}),
        Figure("dot", PNG, "A dot.", "a dot"),
    ]
    return Page(
        "A <page> & its title",
        r"What it is about: $\eta$, and `code`.",
        [
            Section("explorer", "The explorer", r"Two states. Of $L_\pi$.", [Explorer()]),
            Section("results", "Results", "One. Two.", [wide_table(), *figures, Html("<p>own</p>")]),
            Section("catalogue", "The catalogue", "All claims. Their verdicts.", [Catalogue(rows)]),
        ],
    )
