"""`prove`: a claim for all finite MDPs of a region, by the methods of `trpo_theory.proofs.methods`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed, NotSolved
from trpo_theory.numerics.ball.raw import Undecided
from trpo_theory.proofs.method import Attempt, Method
from trpo_theory.proofs.methods import METHODS, theorem
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.proof import Proof
from trpo_theory.proofs.proved_claim import with_evidence
from trpo_theory.proofs.region import EVERYTHING, Box, Ends, Region
from trpo_theory.proofs.restricted import contradicted
from trpo_theory.proofs.settle import own_code, settle
from trpo_theory.proofs.witness import Witness
from trpo_theory.step.exact import ExactInstance


@dataclass(frozen=True)
class Proving:
    """What became of a claim that was to be proved.

    Attributes:
        id, expected: of the claim.
        verdict: "proved", for all that was asked; "refuted", with a witness; "undecided" otherwise.
        proof: how, and for which instances; where the verdict is "undecided", of the part that is proved; None where nothing is.
        left: boxes that are not decided.
        witness: the proved counterexample.
        note: what is left and why.
        region: what was asked for.
        tried: the methods that say something of such a claim.
    """

    id: str
    expected: Any
    verdict: Outcome
    proof: Proof | None = None
    left: tuple[Box, ...] = ()
    witness: Witness | None = None
    note: str = ""
    region: Region = EVERYTHING
    tried: tuple[str, ...] = ()

    @property
    def as_expected(self) -> bool:
        """Whether a true claim is proved and a false one refuted; an open one may come out either way."""
        if self.verdict is Outcome.UNDECIDED:
            return False
        return self.expected == "open" or (self.verdict is Outcome.PROVED) == self.expected

    def to_fields(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.id,
            "verdict": str(self.verdict),
            "expected": self.expected,
            "proof": None if self.proof is None else self.proof.to_fields(),
            "left": [box.to_fields() for box in self.left],
            "witness": None if self.witness is None else self.witness.to_fields(),
            "note": self.note,
            "tried": list(self.tried),
        }


def settled(claim: Claim, instance: ExactInstance, region: Region) -> Witness:
    """The claim decided on an instance of the region; whether that refutes it, the decision says."""
    return Witness(claim, instance, settle(claim, instance))


def prove(
    claim: Claim,
    *,
    gamma: Ends | None = None,
    radius: Ends | None = None,
    methods: Iterable[Method] = METHODS,
    decided: Callable[[Claim, ExactInstance, Region], Witness] = settled,
) -> Proving:
    """Try each method in turn until one proves the claim, or finds an instance on which exact arithmetic refutes it.

    Args:
        claim: of the catalogue, or one's own.
        gamma: the least and the largest γ; every γ in [0, 1) if left out.
        radius: the least and the largest radius of the divergence that the claim reads; every one if left out.
        methods: those that are tried.
        decided: decides the claim on an instance of a method's, or on a smaller one of the region that refutes it as well.

    Raises:
        InvalidInput: for ends that are no interval.
        ClaimFailed: if the claim's own code raises an exception.
    """
    region = Region.of(gamma, radius)
    base = Proving(claim.id, claim.expected, Outcome.UNDECIDED, region=region)
    notes: list[str] = []
    for method in methods:
        attempt, note = _attempted(method, claim, region)
        notes += [note] if note else []
        if attempt is None:
            continue
        base = replace(base, tried=(*base.tried, method.name))
        if attempt.refuted is not None:
            witness = decided(claim, attempt.refuted, region)
            if witness.decision.verdict is Outcome.REFUTED:
                return replace(base, verdict=Outcome.REFUTED, proof=None, left=(), witness=witness, note=note)
            notes.append(f"{method.name}: its instance does not refute the claim, slack {witness.decision.enclosure}")
        if attempt.proof is not None and not attempt.left and attempt.proof.region.covers(region):
            if method is not theorem.METHOD and (instance := contradicted(claim, region)) is not None:
                note = (
                    f"{method.name} has a proof that its own code contradicts: it is another formula on these instances"
                )
                witness = decided(claim, instance, region)
                return replace(base, verdict=Outcome.REFUTED, proof=None, left=(), witness=witness, note=note)
            proof = with_evidence(claim, attempt.proof, method, region)
            return replace(base, verdict=Outcome.PROVED, proof=proof, left=(), note=note)
        if base.proof is None:
            base = replace(base, proof=attempt.proof, left=attempt.left)
    return replace(base, note="; ".join(notes))


def _attempted(method: Method, claim: Claim, region: Region) -> tuple[Attempt | None, str]:
    """What came of one method, and its note; a method that cannot decide is none that the others wait for."""
    try:
        with own_code(claim, quiet=True):
            attempt = method.attempt(claim, region)
    except ClaimFailed as failure:
        if isinstance(failure.__cause__, NotSolved | Undecided):
            return None, f"{method.name}: {failure.__cause__}"
        raise
    return attempt, "" if attempt is None else attempt.note
