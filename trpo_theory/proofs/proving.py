"""`prove`: a claim for all finite MDPs of a region, by the methods of `trpo_theory.proofs.methods`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed, NotSolved
from trpo_theory.numerics.ball.raw import Undecided
from trpo_theory.proofs.method import Attempt, Method
from trpo_theory.proofs.methods import METHODS, theorem
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.proof import Proof
from trpo_theory.proofs.region import EVERYTHING, Box, Ends, Region
from trpo_theory.proofs.settle import own_code, settle
from trpo_theory.proofs.witness import Witness
from trpo_theory.step.exact import ExactInstance

_PIECES = 12
"""Parts of a region that a method is tried on. Chosen: what is left of a region after a proof of a part are two to four."""
_VACUOUS = "the hypotheses hold nowhere in this region: the claim says nothing there, so that there is nothing to prove"


@dataclass(frozen=True)
class Proving:
    """What became of a claim that was to be proved.

    Attributes:
        id, expected: of the claim.
        verdict: "proved", for all that was asked; "refuted", with a witness; "vacuous", where the hypotheses fail in all of it;
            "undecided" otherwise.
        proof: how, and for which instances; where the verdict is "undecided", of the part that is proved first; None where
            nothing is.
        parts: where several proofs are needed, or some of it is not proved: each of them, with its region.
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
    parts: tuple[Proof, ...] = ()
    left: tuple[Box, ...] = ()
    witness: Witness | None = None
    note: str = ""
    region: Region = EVERYTHING
    tried: tuple[str, ...] = ()

    @property
    def as_expected(self) -> bool:
        """Whether a true claim is proved and a false one refuted; an open one may come out either way."""
        if self.verdict in (Outcome.UNDECIDED, Outcome.VACUOUS):
            return False
        return self.expected == "open" or (self.verdict is Outcome.PROVED) == self.expected

    def to_fields(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.id,
            "verdict": str(self.verdict),
            "expected": self.expected,
            "proof": None if self.proof is None else self.proof.to_fields(),
            "parts": [part.to_fields() for part in self.parts],
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
    words = ""
    if claim.given is not None:
        from trpo_theory.proofs.hypotheses import (  # a tenth of a short command's imports
            hold_nowhere,
            words_of_hypotheses,
        )

        if hold_nowhere(claim, region):
            return replace(base, verdict=Outcome.VACUOUS, note=_VACUOUS)
        words = words_of_hypotheses(claim, region)
    found = _Found(claim, replace(region, given=words), [region])
    for method in methods:
        if (refuted := found.tries(method)) is not None:
            instance, note = refuted
            witness = decided(claim, instance, region)
            if witness.decision.verdict is Outcome.REFUTED:
                return replace(base, verdict=Outcome.REFUTED, witness=witness, note=note, tried=tuple(found.tried))
            found.notes.append(
                f"{method.name}: its instance does not refute the claim, slack {witness.decision.enclosure}"
            )
        if not found.ahead:
            break
    return found.proving(base, decided)


@dataclass
class _Found:
    """What the methods found out.

    Attributes:
        claim: of which.
        region: what was asked for, with the hypotheses in words.
        ahead: the parts of it that are not proved.
        pieces: the methods that proved something, their proofs, and their notes.
        left: boxes that some method did not decide.
        notes: of the methods.
        tried: those that say something of such a claim.
    """

    claim: Claim
    region: Region
    ahead: list[Region]
    pieces: list[tuple[Method, Proof, str]] = field(default_factory=list)
    left: tuple[Box, ...] = ()
    notes: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    def tries(self, method: Method) -> tuple[ExactInstance, str] | None:
        """Try a method on each part that is not proved; an instance that is to refute the claim, with the method's note."""
        todo, self.ahead, refuted, said = self.ahead, [], None, False
        for _ in range(_PIECES):
            if not todo:
                break
            part = todo.pop(0)
            attempt, note = _attempted(method, self.claim, part)
            self.notes += [note] if note and note not in self.notes else []
            if attempt is None:
                self.ahead.append(part)
                continue
            said = True
            if attempt.refuted is not None:
                refuted = attempt.refuted, note
                self.ahead.append(part)
                break
            more = self._joins(method, attempt, part)
            if not more and self.pieces[0][1].region.covers(self.region):
                self.ahead = todo = []
                break
            (self.ahead if more == [part] else todo).extend(more)
        self.ahead += todo
        self.tried += [method.name] * said
        return refuted

    def _joins(self, method: Method, attempt: Attempt, part: Region) -> list[Region]:
        """What of a part is still ahead after an attempt."""
        self.left = attempt.left or self.left
        if attempt.proof is None:
            return [part]
        if attempt.proof.region.covers(self.region) and not attempt.left:  # alone
            self.pieces = [(method, attempt.proof, attempt.note)]
            return []
        rest = part.without(attempt.proof.region)
        if (rest == () and attempt.left) or rest == (part,) or (rest is None and self.pieces):
            return [part]
        self.pieces.append((method, attempt.proof, attempt.note))
        return [part] if rest is None else list(rest)

    @property
    def parts(self) -> tuple[Proof, ...]:
        """The proofs, each with its region and the hypotheses in words."""
        words = self.region.given
        return tuple(replace(proof, region=replace(proof.region, given=words)) for _, proof, _ in self.pieces)

    def proving(self, base: Proving, decided: Callable[[Claim, ExactInstance, Region], Witness]) -> Proving:
        """The verdict: proved, if nothing is ahead and the claim's own code does not contradict it."""
        base, parts = replace(base, tried=tuple(self.tried)), self.parts
        if self.ahead:
            proof, several = (parts[0] if parts else None), parts if len(parts) > 1 else ()
            return replace(base, proof=proof, parts=several, left=self._undecided(), note="; ".join(self.notes))
        computed = [method for method, *_ in self.pieces if method is not theorem.METHOD]
        if computed and (instance := _contradicted(self.claim, base.region)) is not None:
            names = " and ".join(dict.fromkeys(method.name for method in computed))
            note = f"{names} has a proof that its own code contradicts: it is another formula on these instances"
            return replace(base, verdict=Outcome.REFUTED, witness=decided(self.claim, instance, base.region), note=note)
        note = "; ".join(dict.fromkeys(note for *_, note in self.pieces if note))
        if len(parts) == 1:
            method, proof = self.pieces[0][0], parts[0]
            if method is not theorem.METHOD:  # no program makes a proof on paper again
                proof = _with_evidence(self.claim, proof, method, base.region)
            return replace(base, verdict=Outcome.PROVED, proof=proof, note=note)
        return replace(base, verdict=Outcome.PROVED, proof=_joined(parts, self.region), parts=parts, note=note)

    def _undecided(self) -> tuple[Box, ...]:
        """The boxes that the last method left; where several parts are ahead, those."""
        ahead = tuple(Box(part.gamma, part.radius) for part in self.ahead if part.gamma is not None)
        return ahead if len(ahead) > 1 else self.left


def _contradicted(claim: Claim, region: Region) -> ExactInstance | None:
    from trpo_theory.proofs.restricted import contradicted  # as above, for claims that a program proves

    return contradicted(claim, region)


def _with_evidence(claim: Claim, proof: Proof, method: Method, region: Region) -> Proof:
    from trpo_theory.proofs.proved_claim import with_evidence  # as above

    return with_evidence(claim, proof, method, region)


def _joined(parts: tuple[Proof, ...], region: Region) -> Proof:
    """One proof of a region from those of its parts."""
    kinds = " and ".join(dict.fromkeys(part.kind for part in parts))
    divergences = {part.region.divergence for part in parts} - {None}
    divergence = divergences.pop() if region.radius is not None and len(divergences) == 1 else None
    by = "; ".join(f"{part.by}, for {replace(part.region, given='').text}" for part in parts)
    return Proof(kinds, by, replace(region, divergence=divergence))


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
