"""Errata: false statements of papers, blogs and slides, each with a proved counterexample, beside what holds instead."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

import trpo_theory as tt
from experiments.catalogue import frames_of
from experiments.contract import no_captions
from trpo_theory.proofs.settle import settle
from trpo_theory.report import Table, show
from trpo_theory.verification.verifying import plan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "errata"
TITLE = "Errata: as stated, and what holds"
LEAD = (
    "Statements that papers, blogs and slides print, or that are folklore without a source, each with a counterexample that is "
    "proved in exact arithmetic, and the nearest statement that holds. Each is worded as in the catalogue."
)
PRINT, BLOGS, FOLKLORE = "papers", "blogs and slides", "folklore"


@dataclass(frozen=True)
class Erratum:
    """A false claim, and what holds.

    Attributes:
        claim: id of the false one.
        holds: id of the nearest true one.
        where: it is stated: papers, blogs and slides, or folklore.
        wrong: what is wrong with it, in words.
    """

    claim: str
    holds: str
    where: str
    wrong: str


ERRATA = (
    Erratum("errata/eta-with-advantage", "id/eta-with-old-advantage", PRINT, "a policy's own advantages sum to 0"),
    Erratum("trpo/tv-2", "trpo/tv", PRINT, "the constant is 4, not 2"),
    Erratum("update/max-kl-hard", "update/max-kl-monotone", PRINT, "the many constraints separate by state"),
    Erratum("order/upper", "id/performance-difference", BLOGS, "L is on neither side of the return"),
    Erratum("blog/own-advantage-kl", "pinsker/kl", BLOGS, "the maximum of |A|, not that of its mean under new"),
    Erratum("blog/own-advantage-tv2", "cpo/max-tv", BLOGS, "that mean goes with the distance, not its square"),
    Erratum("blog/no-surrogate", "cpo/mean-kl", BLOGS, "the surrogate is left out"),
    Erratum("pinsker/kl-1", "pinsker/kl", FOLKLORE, "the constant is 2, not 1, for small discounts"),
    Erratum("cpo/mean-tv-1", "cpo/mean-tv", FOLKLORE, "the constant is 2, not 1"),
    Erratum("mean-kl/linear", "cpo/mean-kl", FOLKLORE, "for discounts below 1/5 the constant 4 is too small"),
    Erratum("mean-kl/linear-open", "cpo/mean-kl", FOLKLORE, "false from discount 1/10 on, too; true from 1/5 on"),
    Erratum(
        "kakade-langford/own-mixture",
        "kakade-langford/trpo-form",
        FOLKLORE,
        "the target's advantage, not the mixture's",
    ),
    Erratum("kakade-langford/greedy-any", "kakade-langford", FOLKLORE, "the constant 1 is for greedy targets"),
    Erratum("pirotta/q-signed", "pirotta/q", FOLKLORE, "Q may not be negative"),
    Erratum("geppo/old-tv", "geppo", FOLKLORE, "the distance to the reference, not to old"),
    Erratum("order/surrogate-up", "update/penalty-monotone", FOLKLORE, "a small step may still leak to a bad state"),
    Erratum("update/clip-gain", "update/ppo-clip", FOLKLORE, "a gain of the clipped surrogate is none of the return"),
    Erratum(
        "update/max-kl-monotone-aggregated",
        "update/penalty-monotone",
        FOLKLORE,
        "a trust region alone promises nothing",
    ),
    Erratum(
        "update/mean-kl-monotone-aggregated",
        "update/penalty-monotone",
        FOLKLORE,
        "a trust region alone promises nothing",
    ),
    Erratum("id/importance-any", "id/importance", FOLKLORE, "old must reach what new does"),
    Erratum("id/raw-partials", "id/gradient", FOLKLORE, "only directions inside the simplex agree"),
    Erratum("id/second-order", "id/gradient", FOLKLORE, "L is linear: the second derivatives differ"),
    Erratum("error/eps-hat", "error/raw", FOLKLORE, "ε of the estimates lacks their error"),
    Erratum("rate/npg-sharper", "rate/npg", FOLKLORE, "one power of 1 − γ too few"),
)


@dataclass(frozen=True)
class Settings:
    """What is refuted.

    Attributes:
        claims: ids of false claims in ERRATA; all if none is named.
        instances: the size of each battery; a directed search follows.
        seed: of both.
        jobs: processes; the witnesses do not depend on it.
    """

    claims: tuple[str, ...] = ()
    instances: int = 20_000
    seed: int = 0
    jobs: int = 2


def quick(settings: Settings) -> Settings:
    """Four of them, on few instances."""
    few = ("errata/eta-with-advantage", "trpo/tv-2", "blog/own-advantage-tv2", "cpo/mean-tv-1")
    return replace(settings, claims=few, instances=500)


def total(settings: Settings) -> int:
    """The tasks of the verification."""
    return len(plan(_chosen(settings), instances=settings.instances, seed=settings.seed))


def _chosen(settings: Settings) -> list[str]:
    return [one.claim for one in ERRATA if not settings.claims or one.claim in settings.claims]


def run(settings: Settings, advance: Callable[[], None] = lambda: None) -> dict[str, pd.DataFrame]:
    """One row an erratum: the slack of both statements on the witness, exact or enclosed."""
    chosen = _chosen(settings)
    recipe: dict[str, Any] = {"instances": settings.instances, "seed": settings.seed, "jobs": settings.jobs}
    verification = tt.verify(chosen, **recipe, advance=advance)
    witnesses = frames_of(verification)["witnesses"]
    rows = []
    for one in (one for one in ERRATA if one.claim in chosen):
        verdict, stated, holds = verification[one.claim], tt.claims.get(one.claim), tt.claims.get(one.holds)
        witness = verdict.witness
        beside = None if witness is None or not _of_any_step(holds, stated) else settle(holds, witness.instance)
        rows.append(
            {
                "where": one.where,
                "claim": one.claim,
                "source": stated.source,
                "statement": stated.statement,
                "wrong": one.wrong,
                "verdict": verdict.verdict,
                "witness": "" if witness is None else witness.size_text,
                "slack": "" if witness is None else witness.decision.enclosure,
                "holds": one.holds,
                "holds_source": holds.source,
                "holds_statement": holds.statement,
                "holds_relation": holds.relation,
                "holds_verdict": "" if beside is None else str(beside.verdict),
                "holds_slack": "" if beside is None else beside.enclosure,
            }
        )
    return {"": pd.DataFrame(rows), "witnesses": witnesses}


def _of_any_step(holds: Any, stated: Any) -> bool:
    """Whether a witness against the false one tests the true one: not where that is about the solution of its own problem."""
    return holds.problem is None and holds.step is None and holds.needs == stated.needs


def tables(frames: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """One row an erratum; the statements are in the report and in the data."""
    frame: Any = frames[""]
    shown = pd.DataFrame(
        {
            "claim": frame["claim"],
            "where": frame["where"],
            "wrong": frame["wrong"],
            "witness": [_states(size) for size in frame["witness"]],
            "slack": [_decimals(slack) for slack in frame["slack"]],
            "holds": frame["holds"],
            "holds_slack": [_beside(row) for row in frame.to_dict("records")],
        }
    )
    return {
        NAME: Table(
            shown,
            caption="Statements as they are found, by their id in the catalogue, and what holds instead. A statement fails where "
            "its slack is negative (an identity: not 0); the slack is that of the witness, a proved counterexample with so many "
            "states, and the last column is the slack of what holds on the same witness.",
            label=f"tab:{NAME}",
            headings={
                "where": ("stated in", "stated in"),
                "claim": ("as stated", "as stated"),
                "wrong": ("what is wrong", "what is wrong"),
                "witness": ("states", "states"),
                "holds": ("what holds", "what holds"),
                "holds_slack": ("its slack", "its slack"),
            },
        )
    }


def _states(size: str) -> str:
    return size.partition(" ")[0]


def _decimals(enclosure: str) -> str:
    """An enclosure as one reads it: an exact one as it is, else the digits that its two ends share."""
    if not enclosure.startswith("["):
        return enclosure
    low, high = (show(float(end)) for end in enclosure.strip("[]").split(", "))
    return low if low == high else f"{low} to {high}"


def _beside(row: dict[str, Any]) -> str:
    if row["holds_verdict"] == "vacuous":
        return "not its case"
    return _decimals(row["holds_slack"]) or "another step"


def blocks(frames: dict[str, pd.DataFrame]) -> list[Any]:
    """The statements typeset side by side, each with its witness drawn, and the table."""
    from experiments.report import Folded
    from trpo_theory.report.page import Html, Shown

    (table,) = tables(frames).values()
    witnesses = {row["id"]: json.loads(row["content"]) for row in frames["witnesses"].to_dict("records")}
    cards = [_card(row, witnesses.get(row["claim"])) for row in frames[""].to_dict("records")]
    about = "The last column shows that what holds does hold there, where it is about the same step."
    return [Shown(table, about), Folded("Both statements of each, typeset, and the witness", [Html("".join(cards))])]


def _card(row: dict[str, Any], witness: dict[str, Any] | None) -> str:
    from trpo_theory.report.diagram import transition_diagram
    from trpo_theory.report.page.statement import typeset

    drawn = "" if witness is None else transition_diagram(witness, title=f"The witness against {row['claim']}")
    return (
        f"<h3><code>{escape(row['claim'])}</code>: {escape(row['wrong'])}</h3>\n"
        f"<p><strong>As stated</strong> ({escape(row['source'])}):</p>\n<p>{typeset(row['statement'])}</p>\n"
        f"<p>Refuted: slack {escape(_decimals(row['slack']))} on {escape(row['witness'])}.</p>\n"
        f'<div class="witness">{drawn}</div>\n'
        f"<p><strong>What holds</strong> ({escape(row['holds_source'])}):</p>\n<p>{typeset(row['holds_statement'])}</p>\n"
    )


def figures(frames: dict[str, pd.DataFrame]) -> dict[str, Callable[[], Figure]]:
    """None: the page draws the witnesses."""
    return {}


captions = no_captions


def summary(frames: dict[str, pd.DataFrame]) -> str:
    """How many are refuted, and whether what holds does."""
    frame: Any = frames[""]
    refuted = int((frame["verdict"] == "refuted").sum())
    beside = frame["holds_verdict"]
    failing = int((beside == "refuted").sum())
    return (
        f"{refuted} of {len(frame)} statements are refuted, each by a proved witness; "
        f"{f'{failing} of what is to hold FAIL there' if failing else 'what holds instead holds there'}: "
        f"{int((beside == 'proved').sum())} proved on the same witness, {int((beside == 'vacuous').sum())} with hypotheses that "
        f"it does not meet, {int((beside == 'undecided').sum())} undecided, "
        f"{int((beside == '').sum())} about another step."
    )


def passed(frames: dict[str, pd.DataFrame]) -> bool:
    """Whether all are refuted, and nothing that is to hold fails on a witness."""
    frame: Any = frames[""]
    return set(frame["verdict"]) == {"refuted"} and "refuted" not in set(frame["holds_verdict"])
