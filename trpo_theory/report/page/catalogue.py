"""`Catalogue`: the claims with their verdicts as a sortable, filterable table, and each witness as a diagram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from trpo_theory import claims
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.report.diagram import transition_diagram
from trpo_theory.report.page.statement import typeset
from trpo_theory.report.page.templating import render
from trpo_theory.report.tables import show
from trpo_theory.verification.verdict import Verification

_LONGEST = 9
"""Characters of a number that is shown in full; longer rationals are rounded. Chosen: the width of a column."""
_VERDICTS = tuple(map(str, (Outcome.REFUTED, Outcome.PROVED, Outcome.UNREFUTED, Outcome.UNDECIDED, Outcome.ERROR)))
"""In the order in which the filter offers them."""


@dataclass(frozen=True)
class ClaimRow:
    """A row of the catalogue.

    Attributes:
        id, expected, statement, source: those of the claim; the statement in LaTeX.
        verdict: "refuted", "proved", "unrefuted", "undecided" or "error".
        min_slack: the least slack, or None.
        instances: the number of instances tried, or None.
        effective: the number of those that put the claim to the test, or None.
        witness: the content of the witness file, for a refuted claim.
        note: a comment.
        searched: what was searched, in one line, which a claim that is not refuted shows.
        proof: how it is proved, which stands beside the word.
    """

    id: str
    expected: bool | str
    verdict: str
    statement: str
    source: str
    min_slack: float | None = None
    instances: int | None = None
    effective: int | None = None
    witness: Mapping[str, Any] | None = None
    note: str = ""
    searched: str = ""
    proof: str = ""


@dataclass(frozen=True)
class Catalogue:
    """The table of claims."""

    rows: Sequence[ClaimRow]

    @classmethod
    def of(cls, verification: Verification) -> Catalogue:
        """The rows of the verdicts on claims of the catalogue."""
        rows = []
        for verdict in verification:
            claim = claims.get(verdict.id)
            fields = verdict.to_fields()
            names = ("id", "expected", "verdict", "min_slack", "instances", "effective", "witness", "note")
            own = {name: fields[name] for name in names}
            more = {"searched": verdict.searched.text, "proof": "" if verdict.proof is None else verdict.proof.text}
            rows.append(ClaimRow(statement=claim.statement, source=claim.source, **more, **own))
        return cls(rows)

    def to_html(self) -> str:
        """The controls and the table."""
        present = [name for name in _VERDICTS if any(row.verdict == name for row in self.rows)]
        return render("catalogue.html.j2", rows=[_shown(row) for row in self.rows], verdicts=present)


def _shown(row: ClaimRow) -> dict[str, Any]:
    expected = str(row.expected).lower()
    return {
        "id": row.id,
        "expected": expected,
        "verdict": row.verdict,
        "proof": row.proof,
        "statement": typeset(row.statement),
        "source": row.source,
        "note": row.note,
        "searched": "" if row.verdict == "refuted" else row.searched,
        "slack": "" if row.min_slack is None else _minus(show(float(row.min_slack))),
        "slack_key": "" if row.min_slack is None else repr(float(row.min_slack)),
        "instances": "" if row.instances is None else f"{row.instances:,}",
        "instances_key": "" if row.instances is None else row.instances,
        "effective": row.effective,
        "partial": row.effective is not None and row.effective != row.instances,
        "words": " ".join([row.id, expected, row.verdict, row.source, row.statement, row.note, row.proof]),
        "witness": None if row.witness is None else _witness(row.id, row.witness),
    }


def _witness(claim_id: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the template for a witness."""
    states, actions = len(fields["reward"]), len(fields["reward"][0])
    size = f"{_plural(states, 'state')}, {_plural(actions, 'action')}"
    policies = [name for name in ("old", "new", "reference", "noise") if name in fields]
    rows = [
        {
            "state": s,
            "action": a,
            "leads": _leads(fields["transition"][s][a]),
            "numbers": [_number(fields["reward"][s][a]), *(_number(fields[name][s][a]) for name in policies)],
        }
        for s in range(states)
        for a in range(actions)
    ]
    facts = [("γ", _number(fields["gamma"])), ("ρ₀", f"({', '.join(_number(p) for p in fields['initial'])})")]
    if "size" in fields:
        facts.append(("step size", _number(fields["size"])))
    if "groups" in fields:
        facts.append(("groups of states", ", ".join(map(str, fields["groups"]))))
    facts.append(("slack", _enclosure(fields["slack"])))
    return {
        "size": size,
        "diagram": transition_diagram(fields, title=f"The witness against {claim_id}: {size}"),
        "policies": policies,
        "rows": rows,
        "actions": actions,
        "facts": facts,
    }


def _leads(row: Sequence[Any]) -> str:
    parts = [(t, Fraction(str(p))) for t, p in enumerate(row) if Fraction(str(p))]
    return ", ".join(f"{t}" if share == 1 else f"{t} ({_number(share)})" for t, share in parts)


def _enclosure(ends: Sequence[Any]) -> str:
    shown = [_number(end) for end in ends]
    return shown[0] if shown[0] == shown[-1] else f"in [{shown[0]}, {shown[-1]}]"


def _number(value: Any) -> str:
    """A rational as it is written; a long one rounded to five digits."""
    text = str(value)
    if len(text) > _LONGEST:
        try:
            text = f"≈ {show(float(Fraction(text)), 5)}"
        except ValueError:
            return text
    return _minus(text)


def _minus(text: str) -> str:
    return "∞" if text == "inf" else text.replace("-", "−")


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
