"""The catalogue of claims with verdicts: each is run, each false one comes back with a small witness that is proved."""

from __future__ import annotations

import collections
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

import trpo_theory as tt
from experiments.contract import no_captions
from trpo_theory.report import Table
from trpo_theory.report import paper_tables as by_paper
from trpo_theory.report.paper_tables import paper_frame
from trpo_theory.verification.verifying import INSTANCES, plan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "catalogue"
TITLE = "The catalogue of claims"
LEAD = (
    "What the literature and its folklore claim, as statements that are run: on random, sparse, near and worst-case "
    "instances, and, without a proof on paper, on those that a directed search finds. A negative slack in floats is decided in "
    "exact arithmetic and shrunk to the smallest witness found. What is proved says how; “unrefuted” says that no counterexample "
    "was found, not that there is none."
)
KINDS = {
    "identities": ("Identities, first order, and the order of L and η", ("id", "errata", "order")),
    "divergences": ("Divergences of a state", ("divergence",)),
    "updates": ("Updates", ("update", "cpo/prop-1")),
    "rates": ("Rates, and errors of estimates", ("rate", "error")),
    "bounds": ("Lower bounds on the return", ()),
}
"""Title and prefixes of the ids, tried in this order; the last kind takes all other claims."""
_PAGE = 40
"""Rows of a part of the table of papers, at most, but for a paper with more. Chosen: a page's."""
_QUICK = ("errata/eta-with-advantage", "divergence/pinsker", "trpo/tv-2", "coupling/tv")


@dataclass(frozen=True)
class Settings:
    """What is verified.

    Attributes:
        claims: ids; all of the catalogue if none is named.
        instances: the size of the battery.
        seed: of instances and searches.
        jobs: processes; the verdicts do not depend on it.
    """

    claims: tuple[str, ...] = ()
    instances: int = INSTANCES
    seed: int = 0
    jobs: int = 2


def quick(settings: Settings) -> Settings:
    """A handful of claims on few instances."""
    return replace(settings, claims=_QUICK, instances=500)


def total(settings: Settings) -> int:
    """The tasks of the verification."""
    return len(plan(settings.claims or None, instances=settings.instances, seed=settings.seed))


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> dict[str, pd.DataFrame]:
    """One row a claim, and the content of each witness's file."""
    verification = tt.verify(
        settings.claims or None,
        instances=settings.instances,
        seed=settings.seed,
        jobs=settings.jobs,
        advance=advance,
    )
    return frames_of(verification)


def frames_of(verification: Any) -> dict[str, pd.DataFrame]:
    """Verdicts and witnesses as frames."""
    rows, witnesses = [], []
    for verdict in verification:
        claim = tt.claims.get(verdict.id)
        fields = verdict.to_fields()
        witness = fields.pop("witness")
        slack = "" if verdict.witness is None else verdict.witness.decision.enclosure
        rows.append(
            {
                **fields,
                "kind": _kind(claim.id),
                "as_expected": verdict.as_expected,
                "searched": verdict.searched.text,
                "proof": "" if verdict.proof is None else verdict.proof.text,
                "witness": "" if verdict.witness is None else verdict.witness.size_text,
                "witness_slack": slack,
                "statement": claim.statement,
                "source": claim.source,
            }
        )
        if witness is not None:
            witnesses.append({"id": claim.id, "content": json.dumps(witness, ensure_ascii=False)})
    return {
        "": pd.DataFrame(rows),
        "witnesses": pd.DataFrame(witnesses, columns=["id", "content"]),
        "papers": paper_frame({verdict.id: verdict.verdict for verdict in verification}),
    }


def _kind(claim_id: str) -> str:
    *kinds, rest = KINDS
    found = (kind for kind in kinds if claim_id.startswith(tuple(KINDS[kind][1])))
    return next(found, rest)


def tables(frames: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """A table a kind, each of the length of a page at most; the statements are in the report and in the data."""
    out = {}
    for kind in ("identities", "bounds", "divergences", "updates", "rates"):
        rows: Any = frames[""][frames[""]["kind"] == kind]
        if rows.empty:
            continue
        title = KINDS[kind][0]
        shown = pd.DataFrame(
            {
                "claim": rows["id"],
                "expected": [_word(value) for value in rows["expected"]],
                "verdict": rows["verdict"],
                "instances": rows["instances"],
                "effective": rows["effective"],
                "min_slack": rows["min_slack"],
                "how": [
                    _short(size) or proof.replace("docs/theory.md, ", "")
                    for size, proof in zip(rows["witness"], rows["proof"], strict=True)
                ],
            }
        )
        out[f"{NAME}-{kind}"] = Table(
            shown,
            caption=f"{title}: verdicts. Effective are instances that met the hypotheses and moved; the least slack is over them "
            "(0: within rounding); a witness has so many states × actions, with denominators up to the number after it; a "
            "theorem is the section of docs/theory.md that proves it.",
            label=f"tab:{NAME}-{kind}",
            headings={"min_slack": ("least slack", "least slack"), "how": ("proof or witness", "proof or witness")},
            digits={"min_slack": 3},
            scientific=("min_slack",),
            mark=tuple((row, "verdict") for row, well in enumerate(rows["as_expected"]) if not well),
        )
    return out | paper_tables(frames)


def paper_table(frames: dict[str, pd.DataFrame], number: str = "", among: slice = slice(None)) -> Table:
    """What each paper states: all of it, or the rows of a slice as a table with a number."""
    return by_paper.paper_table(frames["papers"].iloc[among], f"tab:{NAME}-papers{number}")


def paper_block(frames: dict[str, pd.DataFrame]) -> Any:
    """The statements by paper, typeset, for the page."""
    from trpo_theory.report.page import Papers

    return Papers.of(frames["papers"], f"tab:{NAME}-papers")


def paper_tables(frames: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """`paper_table` in parts of the length of a page, which begin with a paper."""
    papers = [paper for paper, _ in itertools.groupby(frames["papers"]["paper"])]
    counts = collections.Counter(frames["papers"]["paper"])
    parts: list[int] = [0]
    for paper in papers:
        if parts[-1] and parts[-1] + counts[paper] > _PAGE:
            parts.append(0)
        parts[-1] += counts[paper]
    ends = list(itertools.accumulate(parts))
    pieces = [slice(end - rows, end) for end, rows in zip(ends, parts, strict=True) if rows]
    return {f"{NAME}-papers-{k}": paper_table(frames, f"-{k}", piece) for k, piece in enumerate(pieces, 1)}


def _word(expected: Any) -> str:
    """The CSV's true, false or open."""
    return str(expected).lower()


def _short(size: str) -> str:
    """2 states, 3 actions, denominators to 10: as 2 × 3, 10; integers have the denominator 1."""
    if not size:
        return ""
    states, actions, largest = ("".join(c for c in part if c.isdigit()) for part in size.split(", "))
    return f"{states} × {actions}, {largest or 1}"


def blocks(frames: dict[str, pd.DataFrame]) -> list[Any]:
    """The table that sorts and filters, each witness as a diagram."""
    from trpo_theory.report.page import Catalogue

    return [Catalogue(claim_rows(frames)), paper_block(frames)]


def last_full_run() -> tuple[str, list[Any]]:
    """The blocks of the last full run, which is kept, and a sentence that says when it was made."""
    from trpo_theory.report import stored

    kept = stored.catalogue()
    return kept.dated, kept.blocks()


def claim_rows(frames: dict[str, pd.DataFrame]) -> list[Any]:
    """The rows of the page's table."""
    from trpo_theory.report.page import ClaimRow

    witnesses = {row["id"]: json.loads(row["content"]) for row in frames["witnesses"].to_dict("records")}
    names = ("verdict", "statement", "source", "min_slack", "instances", "effective", "note", "searched", "proof")
    return [
        ClaimRow(
            id=row["id"],
            expected={"true": True, "false": False}.get(_word(row["expected"]), "open"),
            witness=witnesses.get(row["id"]),
            **{name: row[name] for name in names},
        )
        for row in frames[""].to_dict("records")
    ]


def figures(frames: dict[str, pd.DataFrame]) -> dict[str, Callable[[], Figure]]:
    """None: the page draws the witnesses."""
    return {}


captions = no_captions


def terminal(frames: dict[str, pd.DataFrame]) -> str:
    """What is not as expected, or was open; all else is in the tables."""
    frame: Any = frames[""]
    shown = frame[~frame["as_expected"] | (frame["expected"].map(_word) == "open")]
    lines = [
        f"{row['id']}: expected {_word(row['expected'])}, {row['verdict']}"
        f"{': ' + row['witness'] + ', slack ' + row['witness_slack'] if row['witness'] else ''}"
        for row in shown.to_dict("records")
    ]
    return "\n".join(lines) or "every claim came out as expected"


def summary(frames: dict[str, pd.DataFrame]) -> str:
    """The count of verdicts."""
    frame: Any = frames[""]
    counts = frame["verdict"].value_counts()
    refuted, proved, unrefuted, undecided = (
        int(counts.get(name, 0)) for name in ("refuted", "proved", "unrefuted", "undecided")
    )
    wrong = int((~frame["as_expected"]).sum())
    return (
        f"{len(frame)} claims: {refuted} refuted, each by a proved witness; {proved} proved, {unrefuted} unrefuted, "
        f"{undecided} undecided; "
        f"{f'{wrong} NOT as expected' if wrong else 'all as expected'}."
    )


def passed(frames: dict[str, pd.DataFrame]) -> bool:
    """Whether each came out as expected, and each refuted one has its witness."""
    frame: Any = frames[""]
    refuted = set(frame.loc[frame["verdict"] == "refuted", "id"])
    return bool(frame["as_expected"].all()) and refuted == set(frames["witnesses"]["id"])
