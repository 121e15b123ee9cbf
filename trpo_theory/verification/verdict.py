"""`Verdict` and `Verification`: what became of claims, and whether that is as expected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.proof import Proof
from trpo_theory.proofs.witness import Witness
from trpo_theory.search.coverage import Coverage

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    Attributes:
        id, expected: of the claim.
        verdict: "refuted" (a witness is proved), "proved" (for all that the claim is about, and no counterexample was found),
            "unrefuted" (none found: not the same as true), "undecided", or "error" (the claim's own code failed; the note has
            its line).
        instances: how many were tried: effective + trivial + those that did not meet the hypotheses.
        effective: how many put the claim to the test: distinct instances that met the hypotheses and moved, which is that new
            differs from old and that slack and gap are not both exactly 0. If the claim does not read new, all move. Distinct:
            in the MDP, in old, and in what else the claim reads, within one search or chunk of instances.
        trivial: the others of those that met the hypotheses.
        min_slack: the least slack among the effective instances; one within rounding of 0 counts as 0, unless its terms are
            within rounding too. It is negative only if the claim is refuted; ∞ where nothing is known of it.
        min_ratio: the least slack over |η(new) − L|, likewise.
        near: instances with a slack within rounding of 0 that ball arithmetic did not check.
        witness: the proved counterexample, shrunk.
        note: what a reader should know.
        min_share: the least slack as a share of the claim's own terms, likewise: how close to 0, in [-1, 1]. Of gap + penalty
            it is slack/(|gap| + |penalty|): the terms are what the formula adds up last; ∞ where it ends otherwise.
        searched: what was searched: sizes, ranges that the effective instances covered, instances of each instrument.
        proof: how it is proved, and for which instances; None where it is not.
        margin_found: of a bound that stands and is not proved: the margin that a search with the default settings finds in nine
            cases of ten of such bounds (`search.power`); None where that was not measured.
        power: that in a sentence.
        statement: of the claim, in LaTeX.
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
    trivial: int = 0
    min_share: float = np.inf
    searched: Coverage = field(default_factory=Coverage)
    proof: Proof | None = None
    margin_found: float | None = None
    power: str = ""
    statement: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether a true claim stands and a false one is refuted; an open one may come out either way."""
        if self.verdict in (Outcome.UNDECIDED, Outcome.ERROR):
            return False
        return self.expected == "open" or (self.verdict is not Outcome.REFUTED) == self.expected

    @property
    def how(self) -> str:
        """Beside the word: how it is proved, or the size of the witness; "" where neither is there."""
        if self.witness is not None:
            return self.witness.size_text
        return "" if self.proof is None else self.proof.text

    def to_fields(self) -> dict[str, Any]:
        """For JSON: the witness as the content of its file, or None."""
        counts = ("instances", "effective", "trivial", "min_slack", "min_ratio", "min_share", "near")
        return {name: getattr(self, name) for name in ("id", "statement", "verdict", "expected", *counts, "note")} | {
            "searched": self.searched.to_fields(),
            "margin_found": self.margin_found,
            "proof": None if self.proof is None else self.proof.to_fields(),
            "witness": self.witness.to_fields() if self.witness else None,
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
        known = {verdict.id: verdict for verdict in self.verdicts}
        return known[_checks.known_name("claim of this verification", claim_id, known)]

    @property
    def as_expected(self) -> bool:
        """Whether every claim came out as expected."""
        return all(verdict.as_expected for verdict in self.verdicts)

    def to_frame(self) -> pd.DataFrame:
        """One row a claim; the witness by its size, what was searched in one line."""
        import pandas as pd

        rows = [verdict.to_fields() for verdict in self.verdicts]
        for row, verdict in zip(rows, self.verdicts, strict=True):
            row["witness"] = verdict.witness.size_text if verdict.witness else ""
            row["searched"], row["proof"] = verdict.searched.text, "" if verdict.proof is None else verdict.proof.text
        return pd.DataFrame(rows)

    def to_short_frame(self) -> pd.DataFrame:
        """The columns that a page has room for, the proof or the witness among them."""
        import pandas as pd

        rows = [
            {
                "claim": verdict.id,
                "statement": verdict.statement,
                "expected": str(verdict.expected).lower(),
                "verdict": str(verdict.verdict),
                "effective": verdict.effective,
                "least slack": verdict.min_slack,
                "proof or witness": verdict.how,
            }
            for verdict in self.verdicts
        ]
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        counts = {outcome: sum(v.verdict == outcome for v in self.verdicts) for outcome in Outcome}
        shown = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
        return f"Verification({shown}; {'all' if self.as_expected else 'not all'} as expected)"
