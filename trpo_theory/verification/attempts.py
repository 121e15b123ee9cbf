"""The proofs of claims that a search left standing: the fast methods of `trpo_theory.proofs.methods`, as tasks of a run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed
from trpo_theory.proofs.methods import METHODS, theorem
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.proof import Proof
from trpo_theory.proofs.proving import Proving, prove
from trpo_theory.proofs.settle import settle
from trpo_theory.proofs.witness import Witness
from trpo_theory.step.exact import ExactInstance
from trpo_theory.verification.claim_task import ClaimTask
from trpo_theory.verification.execute import execute
from trpo_theory.verification.portable import restored, slug
from trpo_theory.verification.tally import Tally
from trpo_theory.verification.verdict import Verdict

FAST = 5.0
"""Seconds that a method may take for `verify` to try it. Chosen: about what the search of one claim takes."""
_STANDING = (Outcome.UNREFUTED, Outcome.UNDECIDED)


@dataclass(frozen=True)
class Attempted(Tally):
    """What came of the attempts on a claim: `note` says what is left, `refuted` is an instance that a method found, shrunk.

    Attributes:
        proof: for all that the claim is about; None where there is none.
    """

    proof: Proof | None = None


@dataclass(frozen=True)
class ProofTask(ClaimTask):
    """A task: the fast methods, on one claim. Its result is not kept in run directories: no proof is believed from a file.

    Attributes:
        seconds: methods that take longer are left out.
    """

    seconds: float = FAST

    @property
    def name(self) -> str:
        """Unlike that of any other task."""
        return f"prove-{slug(restored(self.claim).id)}"

    def run(self) -> list[Tally]:
        """What came of it; nothing where the claim's own code cannot run on what a method asks: the search says what fails."""
        from trpo_theory.verification.made_small import shrunk  # few claims are left to such methods

        claim = restored(self.claim)
        try:
            found = prove(claim, methods=[one for one in METHODS if one.seconds <= self.seconds], decided=shrunk)
        except ClaimFailed:
            return [Attempted(claim.id)]
        return [_attempted(claim, found)]


def _attempted(claim: Claim, found: Proving) -> Attempted:
    if found.witness is not None:
        return Attempted(claim.id, refuted=found.witness.instance, note=found.note)
    proof = None if found.proof is None else replace(found.proof, evidence=None)  # which need not be picklable
    if found.verdict is Outcome.PROVED:
        return Attempted(claim.id, proof=proof)
    part = "" if proof is None else f"proved for a part, {proof.text}"
    more = f"`trpo-theory prove {claim.id}` tries more" if found.left or proof is not None else ""
    return Attempted(claim.id, note=_joined(part, found.note, more))


def with_proofs(
    claims: Sequence[Claim],
    verdicts: Sequence[Verdict],
    *,
    jobs: int = 1,
    dask: str | None = None,
    seconds: float = FAST,
) -> list[Verdict]:
    """The verdicts, with a proof where a method has one for all that the claim is about.

    A refutation that was found stands, whatever is proved: it says that the proof or the formula is wrong.
    """
    on_paper = {claim.id: _of_the_record(claim) for claim in claims if claim.proof is not None}
    left = [
        claim
        for claim, verdict in zip(claims, verdicts, strict=True)
        if verdict.verdict in _STANDING and on_paper.get(claim.id) is None
    ]
    tasks = [ProofTask(claim, seconds) for claim in left]
    found: dict[str, Tally] = {
        tally.claim: tally for _, tallies in execute(tasks, jobs=jobs, dask=dask) for tally in tallies
    }
    return [
        _with_proof(claim, verdict, on_paper.get(claim.id) or found.get(claim.id))
        for claim, verdict in zip(claims, verdicts, strict=True)
    ]


def _of_the_record(claim: Claim) -> Attempted | None:
    """The theorem that the catalogue names; None for a claim of one's own, whatever it declares."""
    found = prove(claim, methods=[theorem.METHOD])
    return None if found.proof is None else _attempted(claim, found)


def _with_proof(claim: Claim, verdict: Verdict, attempted: Tally | None) -> Verdict:
    if attempted is None or verdict.verdict is Outcome.ERROR:
        return verdict
    proof = attempted.proof if isinstance(attempted, Attempted) else None
    if verdict.verdict is Outcome.REFUTED:
        return verdict if proof is None else replace(verdict, note=_joined(_alarm(proof), verdict.note))
    if attempted.refuted is not None and (refuted := _refuted(claim, verdict, attempted.refuted)) is not None:
        return replace(refuted, note=_joined(attempted.note, verdict.note))
    if proof is not None:
        return replace(verdict, verdict=Outcome.PROVED, proof=proof)
    return replace(verdict, note=_joined(verdict.note, attempted.note))


def _alarm(proof: Proof) -> str:
    return f"ALARM: it has a proof, {proof.text}, which this witness contradicts: the proof or the formula is wrong"


def _refuted(claim: Claim, verdict: Verdict, instance: ExactInstance) -> Verdict | None:
    """The verdict with a method's instance as its witness, proved again, and counted as one more that was tried."""
    with contextlib.redirect_stdout(sys.stderr):
        decision = settle(claim, instance)
    if decision.verdict is not Outcome.REFUTED:
        return None
    slack = -np.inf if decision.upper is None else min(float(decision.upper), verdict.min_slack)
    counts: dict[str, Any] = {name: getattr(verdict, name) + 1 for name in ("instances", "effective")}
    return replace(
        verdict, verdict=Outcome.REFUTED, witness=Witness(claim, instance, decision), min_slack=slack, **counts
    )


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
