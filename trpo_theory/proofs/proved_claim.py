"""Evidence of kind "implication": a claim that a method of proof proves in a region, which it proves again from the file.

The file names the claim, the method and the region; the proof is made anew, by the claim's own formula, in exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from trpo_theory import _checks
from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed, InvalidInput, NotSolved
from trpo_theory.io.evidence_files import Fields, ReadFields, evidence_fields, write_evidence
from trpo_theory.model.types import PathLike
from trpo_theory.numerics.ball import rationals
from trpo_theory.numerics.ball.raw import Undecided
from trpo_theory.proofs.certified_file import Certificate, differing, not_proved
from trpo_theory.proofs.method import Attempt, Method
from trpo_theory.proofs.methods import METHODS, theorem
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.proof import Proof
from trpo_theory.proofs.refutation import check_words, claim_of, notes_on, wrong_file
from trpo_theory.proofs.region import Region
from trpo_theory.proofs.restricted import contradicted
from trpo_theory.proofs.settle import own_code
from trpo_theory.proofs.witness import file_hash

KIND = "implication"
FIELDS = frozenset(
    {"claim", "relation", "verdict", "method", "by", "gamma", "radius", "divergence", "note", "file", "file_sha256"}
)
_NUMBER = "slack"
_ENDS = ("0", "inf")
"""Of the slack of a claim that is proved."""


@dataclass(frozen=True, eq=False)
class ProvedClaim:
    """What `prove --out` writes of a claim that a method proves by computing.

    Attributes:
        claim: the claim.
        proof: how it is proved.
        method: the name of the method.
        region: what was asked for, and is proved.
    """

    claim: Claim
    proof: Proof
    method: str
    region: Region

    def to_fields(self) -> Fields:
        """The content of its file: the claim, the region, and the method that proves it there."""
        claim = self.claim
        own = {"file": Path(claim.origin).name, "file_sha256": file_hash(claim.origin)} if claim.origin else {}
        words = words_of(claim, self.proof, self.method, self.region)
        note = {"note": claim.note} if claim.note else {}
        return evidence_fields(
            KIND,
            statement=claim.statement,
            theorem=words.pop("theorem"),
            source=claim.source,
            enclosure=_ENDS,
            content=words | note | own,
        )

    def write(self, path: PathLike) -> None:
        """Write the file, all of it or nothing.

        Raises:
            InvalidInput: for a name that does not end in .json, or a place that cannot be written.
        """
        write_evidence(self.to_fields(), path)


def words_of(claim: Claim, proof: Proof, method: str, region: Region) -> dict[str, Any]:
    """What a file says of its proof, each of which is compared with what is proved again."""
    shown = replace(region, divergence=proof.region.divergence, given="")
    fields = {name: value for name, value in shown.to_fields().items() if name in FIELDS and value is not None}
    met = " that meet its hypotheses" if claim.given is not None else ""
    theorem_ = (
        f"{claim.id} holds for all finite MDPs and all policies old and new{met}, {shown.text}: its slack is not negative; "
        f"{proof.by}"
    )
    head = {"theorem": theorem_, "claim": claim.id, "relation": claim.relation, "verdict": str(Outcome.PROVED)}
    return head | {"method": method, "by": proof.by} | fields


def with_evidence(claim: Claim, proof: Proof, method: Method, region: Region) -> Proof:
    """The proof with what writes its file."""
    return (
        proof if proof.evidence is not None else replace(proof, evidence=ProvedClaim(claim, proof, method.name, region))
    )


def certify_implication(fields: ReadFields, claims: Iterable[Claim] | None) -> Certificate:
    """Prove the file's claim again in its region, by its method, and compare what the file says of it.

    Raises:
        InvalidInput: for a file that is no such proof, or a claim that is not known.
        ClaimFailed: if the claim's own code raises an exception.
    """
    claim = claim_of(fields, claims)
    check_words(fields, claim)
    method = _method(fields.get("method"))
    region = Region.of(_ends(fields, "gamma"), _ends(fields, "radius"))
    attempt = _attempt(method, claim, region)
    if isinstance(attempt, str):
        return not_proved(KIND, claim.id, _NUMBER, NotSolved(attempt))
    assert attempt.proof is not None
    words = words_of(claim, attempt.proof, method.name, region)
    return Certificate(
        kind=KIND,
        id=claim.id,
        theorem=words["theorem"],
        verdict=Outcome.PROVED,
        wanted=Outcome.PROVED,
        number=_NUMBER,
        enclosure=f"[{', '.join(_ENDS)}]",
        disagreements=(
            *_different(fields, words),
            *differing({"enclosure": list(map(str, fields.get("enclosure", _ENDS)))}, {"enclosure": list(_ENDS)}),
            *wrong_file(claim, fields),
        ),
        notes=notes_on(claim, fields),
        details={"proof": attempt.proof.to_fields()},
    )


def _different(fields: ReadFields, words: Mapping[str, Any]) -> tuple[str, ...]:
    """How a file's words differ; the ends of an interval are compared as rationals, whatever they are written as."""
    own = {name: tuple(map(Fraction, value)) if isinstance(value, list) else value for name, value in words.items()}
    if fields.get("divergence") is not None:  # without a radius the region is of none
        own.setdefault("divergence", None)
    return differing(fields, own)


def _attempt(method: Method, claim: Claim, region: Region) -> Attempt | str:
    """A proof of the whole region, or why there is none."""
    try:
        with own_code(claim, quiet=True):
            attempt = method.attempt(claim, region)
    except ClaimFailed as failure:
        if isinstance(failure.__cause__, NotSolved | Undecided):
            return str(failure.__cause__)
        raise
    if attempt is None or attempt.proof is None or attempt.left or not attempt.proof.region.covers(region):
        return (attempt and attempt.note) or f"{method.name} does not prove it"
    if contradicted(claim, region) is not None:
        return f"{method.name} has a proof that the claim's own code contradicts"
    return attempt


def _method(name: Any) -> Method:
    known = {method.name: method for method in METHODS if method is not theorem.METHOD}
    if not isinstance(name, str):
        raise InvalidInput(
            got=f"method = {rationals.shown(name):.80}",
            wanted=f"one of {', '.join(known)}",
            fix="write the file again with `trpo-theory prove ID --out FILE.json`",
        )
    if name not in known:
        raise _checks.unknown_name("method of proof", name, known)
    return known[name]


def _ends(fields: ReadFields, name: str) -> Any:
    """The two ends of an interval; None where the file has none."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise InvalidInput(
            got=f"{name} = {rationals.shown(value):.80}",
            wanted="the two ends of an interval",
            fix="write the file again with `trpo-theory prove ID --out FILE.json`",
        )
    return tuple(value)
