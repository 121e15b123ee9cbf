"""`Method`: a way to prove a claim for all finite MDPs of a region; `Attempt`: what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from trpo_theory.bounds.record import Claim
from trpo_theory.proofs.evidence import FileKind
from trpo_theory.proofs.proof import Proof
from trpo_theory.proofs.region import Box, Region
from trpo_theory.step.exact import ExactInstance


@dataclass(frozen=True)
class Attempt:
    """What a method found out about a claim.

    Attributes:
        proof: of the whole region that was asked for, or of a part; its own region says which. None where nothing is proved.
        left: the boxes of the region that are not decided.
        refuted: an instance that refutes the claim, such as the sharp witness of a box; it is not believed, `prove` decides
            the claim on it.
        note: what is left and why, for a reader; "" where all is proved.
    """

    proof: Proof | None
    left: tuple[Box, ...] = ()
    refuted: ExactInstance | None = None
    note: str = ""


@runtime_checkable
class Method(Protocol):
    """One way to prove claims; one file of `trpo_theory.proofs.methods` each, which holds it as METHOD."""

    name: str
    """What it is called, such as "sharp gap"; the `kind` of its proofs."""
    seconds: float
    """How long an attempt takes, about: the methods are tried in this order, and `verify` tries those of a few seconds."""
    files: Mapping[str, FileKind]
    """The evidence files that its proofs write, by kind, which `certify` then knows; {} if none."""

    def attempt(self, claim: Claim, region: Region) -> Attempt | None:
        """Try to prove the claim in a region.

        Nothing is believed from floats: a proof is a theorem, or made in exact rationals and balls. Exceptions that the claim's
        own code raises may come through.

        Args:
            claim: of the catalogue, or one's own.
            region: what is asked for. gamma None is every γ in [0, 1), radius None every radius; its divergence is always
                None: the radius is of the divergence that the claim reads. A method that needs bounded intervals takes some of
                its own, and its proof says which.

        Returns:
            None where the method says nothing of such a claim.
        """
        ...
