"""Evidence of kind "theorem-cover": a theorem on all finite MDPs, by inequalities that are covered box by box."""

from __future__ import annotations

from collections.abc import Iterable

from trpo_theory.bounds.record import Claim
from trpo_theory.errors import NotSolved
from trpo_theory.io.evidence_files import ReadFields
from trpo_theory.proofs.certified_file import Certificate, differing, not_proved, remarks
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.sharp.mean_kl.half_line import KIND, LinearMeanKL

_ID = "mean-kl/linear"
_NUMBER = "least constant"


def certify_cover(fields: ReadFields, claims: Iterable[Claim] | None) -> Certificate:
    """Cover the inequalities again, from the constants of the file, and compare every field of the head.

    Raises:
        InvalidInput: for fields that are no such file.
    """
    case = LinearMeanKL.from_fields(fields)
    try:
        boxes = case.prove()
    except NotSolved as error:
        return not_proved(KIND, _ID, _NUMBER, error)
    lower, upper = case.enclosure
    return Certificate(
        kind=KIND,
        id=_ID,
        theorem=case.theorem,
        verdict=Outcome.PROVED,
        wanted=Outcome.PROVED,
        number=_NUMBER,
        enclosure=f"[{lower}, {upper}]",
        disagreements=differing(fields, {**case.words, "enclosure": case.enclosure}),
        notes=remarks(fields, case.words),
        details={"gamma": float(case.gamma), "constant": float(case.constant), "checks": boxes},
    )
