"""Sharp penalties are proved, not searched: a program for each radius is too slow for thousands of instances."""

from __future__ import annotations

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.proofs.methods import theorem
from trpo_theory.proofs.proving import prove
from trpo_theory.updates.sharp_penalty import SteppedBound
from trpo_theory.verification.verdict import Verdict

_NOTE = "its penalty is a program for each radius, each proved by itself: no instances are searched"


def is_searched(claim: Claim) -> bool:
    """Whether its formula is evaluated on thousands of instances."""
    return not isinstance(claim, SteppedBound)


def unsearched(claim: Claim) -> Verdict:
    """The verdict on one that is not: its proof."""
    found = prove(claim, methods=[theorem.METHOD])
    return Verdict(
        *(claim.id, claim.expected, found.verdict),
        instances=0,
        effective=0,
        min_slack=np.inf,
        min_ratio=np.inf,
        near=0,
        note=_NOTE,
        proof=found.proof,
        statement=claim.statement,
    )
