"""Verdicts on claims as the table of a paper: each claim with its statement, what became of it, and the evidence."""

from __future__ import annotations

from trpo_theory._checks import known_name
from trpo_theory.entries.kinds import each_of, expect_type
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.report.tables import Table
from trpo_theory.verification.verdict import Verdict, Verification

_LONG = 12
"""Claims beyond which the table may be broken over pages in LaTeX; chosen: a statement takes about three lines."""
_WIDTHS = {"claim": 0.16, "statement": 0.34, "proof or witness": 0.19}
"""Shares of the text's width; chosen: with them the table fits a plain article, 345 points."""


def verdicts_table(verification: Verification, *, columns: tuple[str, ...] = ()) -> Table:
    """One row a claim: statement, verdict, least slack, and how it is proved, the size of its witness, or what was tried.

    Args:
        verification: what `verify` returned.
        columns: of `Verification.to_short_frame`, to choose from or reorder; by default those that a plain article has room for.
            What is left out then: "expected" (verdicts that are not as expected are bold) and "effective" (in words, where a
            claim is unrefuted).
    """
    expect_type(Verification, verification, "the verdicts", "pass what tt.verify(...) returned")
    columns = tuple(each_of(str, columns, "columns", "name columns of Verification.to_short_frame"))
    frame = verification.to_short_frame()
    shown = columns or ("claim", "statement", "verdict", "least slack", "proof or witness")
    if "effective" not in shown and "proof or witness" in shown:
        frame["proof or witness"] = [verdict.how or _tried(verdict) for verdict in verification]
    for name in shown:
        known_name("column", name, list(frame.columns))
    frame = frame.loc[:, list(shown)]
    other = [row for row, verdict in enumerate(verification) if not verdict.as_expected]
    has_verdict = "verdict" in shown
    return Table(
        frame,
        caption=_caption(verification, bold=bool(other) and has_verdict),
        label="tab:verdicts",
        digits={"least slack": 3} if "least slack" in shown else {},
        mark=tuple((row, "verdict") for row in other) if has_verdict else (),
        prose=tuple(name for name in _WIDTHS if name in shown and name != "statement"),
        widths={name: share for name, share in _WIDTHS.items() if name in shown},
        mathematics=("statement",) if "statement" in shown else (),
        long=len(frame) > _LONG,
    )


def _tried(verdict: Verdict) -> str:
    """What stands for a proof where there is none."""
    if verdict.verdict is Outcome.ERROR or not verdict.instances:
        return ""
    return f"no counterexample in {verdict.effective} instances that put it to the test"


def _caption(verification: Verification, *, bold: bool) -> str:
    counts = {outcome: sum(verdict.verdict == outcome for verdict in verification) for outcome in Outcome}
    found = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    bolds = " In bold: not as expected." if bold else ""
    return f"Verdicts on claims: {found}. The least slack is of the instances that put the claim to the test.{bolds}"
