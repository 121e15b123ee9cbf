"""A proof on paper: the record of a claim of the catalogue names it."""

from __future__ import annotations

from collections.abc import Mapping

from trpo_theory import claims as catalogue
from trpo_theory.bounds.record import Claim
from trpo_theory.proofs.evidence import FileKind
from trpo_theory.proofs.method import Attempt
from trpo_theory.proofs.proof import Proof
from trpo_theory.proofs.region import EVERYTHING, Region


class _Theorem:
    """The `proof` of a record of the catalogue; a claim of one's own cannot declare itself proved."""

    name: str = "theorem"
    seconds: float = 0.0
    files: Mapping[str, FileKind] = {}

    def attempt(self, claim: Claim, region: Region) -> Attempt | None:
        """The proof that the catalogue names: it holds for all that the claim is about."""
        if claim.proof is None or not is_proved(claim):
            return None
        paper = claim.proof
        return Attempt(Proof(self.name, paper.by, EVERYTHING, paper.machine_checked, paper.formal_place))


def is_proved(claim: Claim) -> bool:
    """Whether the catalogue names a proof of the claim."""
    return claim.proof is not None and catalogue.known.get(claim.id) is claim


METHOD = _Theorem()
