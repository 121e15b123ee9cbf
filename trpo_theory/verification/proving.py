"""`prove`: one claim, by every method of proof."""

from __future__ import annotations

from trpo_theory.entries.kinds import TRUTH, expect
from trpo_theory.proofs import proving
from trpo_theory.proofs.methods import METHODS, theorem
from trpo_theory.proofs.proving import Proving
from trpo_theory.proofs.region import Ends
from trpo_theory.verification.made_small import shrunk
from trpo_theory.verification.verifying import as_claim


def prove(
    claim: object, *, gamma: Ends | None = None, radius: Ends | None = None, with_evidence: bool = False
) -> Proving:
    """Prove a claim for all finite MDPs and pairs of policies of a region, or refute it.

    Args:
        claim: the id of a claim, a Claim, or a Bound.
        gamma: the least and the largest γ; every γ in [0, 1) if left out. A float is the decimal that it is written as.
        radius: the least and the largest value of the divergence that the claim reads; every one if left out.
        with_evidence: try first the methods whose proofs write a file that `certify` proves again, and a proof on paper last.

    Returns:
        A `Proving`: "proved" for all that was asked, "refuted" with the smallest witness found, or "undecided", with the part
        that is proved and what is left.

    Raises:
        InvalidInput: for an unknown claim, or ends that are no interval.
        ClaimFailed: if the claim's own code raises an exception.

    >>> prove("trpo/kl", gamma=(0.5, 0.9)).region.text
    'gamma in [1/2, 9/10]'
    """
    expect(TRUTH, with_evidence=with_evidence)
    one = as_claim(claim)
    methods = sorted(METHODS, key=lambda method: with_evidence and method is theorem.METHOD)
    return proving.prove(one, gamma=gamma, radius=radius, methods=methods, decided=shrunk)
