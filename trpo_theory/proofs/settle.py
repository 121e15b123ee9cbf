"""`settle`: a claim on one exact instance, decided in ball arithmetic."""

from __future__ import annotations

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.claims.from_file import complaint
from trpo_theory.errors import ClaimFailed
from trpo_theory.proofs.decide import Decision, decide
from trpo_theory.step.exact import ExactInstance


def settle(claim: Claim, instance: ExactInstance) -> Decision:
    """The claim on one exact instance, decided in balls.

    Raises:
        ClaimFailed: if the claim's formula cannot be computed in balls.
    """
    try:
        with np.errstate(all="ignore"):  # flint's own arithmetic raises the processor's flags
            return decide(
                lambda q: claim.signed_slack(claim.stepped(q)),
                instance,
                given=None if claim.given is None else lambda q: claim.met(claim.stepped(q)),
                relation=claim.relation,
            )
    except Exception as error:
        raise failed(claim, error) from error


def failed(claim: Claim, error: Exception) -> ClaimFailed:
    """The exception that says whose code it was, and where."""
    return ClaimFailed(claim.id, complaint(error, claim.file))
