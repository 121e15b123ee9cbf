"""`certify`: an evidence file of any kind, proved again from the file alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from trpo_theory import _checks
from trpo_theory.bounds.record import Claim
from trpo_theory.errors import InvalidInput
from trpo_theory.io.evidence_files import ReadFields
from trpo_theory.io.files import read_fields
from trpo_theory.proofs import bound_ratio, refutation, sharp_ends, update_evidence, witness
from trpo_theory.proofs.certificate import Certificate
from trpo_theory.proofs.evidence import Checker, Evidence
from trpo_theory.sharp import evidence as sharp_evidence
from trpo_theory.sharp.prove_upper import KIND as EARLIER_UPPER

CHECKERS: Mapping[str, Checker] = {
    witness.KIND: refutation.certify_refutation,
    bound_ratio.KIND: bound_ratio.certify_ratio,
    sharp_evidence.LOWER: sharp_ends.certify_lower,
    sharp_evidence.UPPER: sharp_ends.certify_upper,
    EARLIER_UPPER: sharp_ends.certify_earlier_upper,
    update_evidence.KIND: update_evidence.certify_update_gap,
}
"""What proves a file of each kind again; the one for supersolutions is what earlier versions wrote."""


def certify(
    evidence: str | os.PathLike[str] | ReadFields | Evidence, *, claims: Iterable[Claim] | None = None
) -> Certificate:
    """Prove a file of evidence again, in exact rationals and balls, from the file alone.

    Args:
        evidence: a file, its content, or what writes one: a `Witness`, a `CertifiedGap`.
        claims: claims of one's own, for evidence about one of them. No file that the evidence names is ever read or run.

    Returns:
        A `Certificate`: it is not certified where the theorem is not proved, or any field differs from what was proved.

    Raises:
        InvalidInput: for a file of no known kind, or whose content is none of its kind.
        ClaimFailed: if a claim's own code raises an exception.
    """
    if isinstance(evidence, str | os.PathLike):
        fields: ReadFields = read_fields(evidence)
    else:
        fields = evidence if isinstance(evidence, Mapping) else evidence.to_fields()
    return CHECKERS[_kind(fields)](fields, claims)


def _kind(fields: ReadFields) -> str:
    """The kind of a file; earlier versions wrote witnesses and worst cases without one."""
    kind = fields.get("kind")
    if kind is None:
        return bound_ratio.KIND if "bound" in fields and "claim" not in fields else witness.KIND
    if not isinstance(kind, str):
        raise InvalidInput(
            got=f"kind = {kind!r:.80}", wanted=f"one of {', '.join(CHECKERS)}", fix="write the file again"
        )
    if kind not in CHECKERS:
        raise _checks.unknown_name("kind of evidence", kind, CHECKERS)
    return kind
