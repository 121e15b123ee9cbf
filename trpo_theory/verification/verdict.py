"""`Verdict` and `Verification`: what became of claims, and whether that is as expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trpo_theory import _checks
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.witness import Witness

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    Attributes:
        id, expected: of the claim.
        verdict: "refuted" (a witness is proved), "unrefuted" (none found: not the same as true), "undecided", or
            "error" (the claim's own code failed; the note has its line).
        instances: how many were tried.
        effective: how many of them met the hypotheses.
        min_slack: the least slack among those; one within rounding of 0 counts as 0.
        min_ratio: the least slack over |η(new) − L|.
        near: instances with a slack within rounding of 0 that ball arithmetic did not check.
        witness: the proved counterexample, shrunk.
        note: what a reader should know.
    """

    id: str
    expected: Any
    verdict: Outcome
    instances: int
    effective: int
    min_slack: float
    min_ratio: float
    near: int
    witness: Witness | None = None
    note: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether a true claim stands and a false one is refuted; an open one may come out either way."""
        if self.verdict in (Outcome.UNDECIDED, Outcome.ERROR):
            return False
        return self.expected == "open" or (self.verdict == Outcome.UNREFUTED) == self.expected

    def to_fields(self) -> dict[str, Any]:
        """For JSON: the witness as the content of its file, or None."""
        names = ("id", "verdict", "expected", "instances", "effective", "min_slack", "min_ratio", "near", "note")
        return {name: getattr(self, name) for name in names} | {
            "witness": self.witness.to_fields() if self.witness else None
        }


@dataclass(frozen=True, repr=False)
class Verification:
    """What `verify` returns: a verdict for each claim.

    Attributes:
        verdicts: in the order of the claims.
        notes: what was wrong with the directory that it went on with.
    """

    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self.verdicts)

    def __len__(self) -> int:
        return len(self.verdicts)

    def __getitem__(self, claim_id: str) -> Verdict:
        for verdict in self.verdicts:
            if verdict.id == claim_id:
                return verdict
        raise _checks.unknown_name("claim of this verification", claim_id, [verdict.id for verdict in self.verdicts])

    @property
    def as_expected(self) -> bool:
        """Whether every claim came out as expected."""
        return all(verdict.as_expected for verdict in self.verdicts)

    def to_frame(self) -> pd.DataFrame:
        """One row a claim; the witness by its size."""
        import pandas as pd

        rows = [verdict.to_fields() for verdict in self.verdicts]
        for row, verdict in zip(rows, self.verdicts, strict=True):
            row["witness"] = verdict.witness.size_text if verdict.witness else ""
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        counts = {outcome: sum(v.verdict == outcome for v in self.verdicts) for outcome in Outcome}
        shown = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
        return f"Verification({shown}; {'all' if self.as_expected else 'not all'} as expected)"
