"""What a method of proof refutes, decided on a small instance of the region that it was asked for."""

from __future__ import annotations

import contextlib

from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.region import Region
from trpo_theory.proofs.restricted import within
from trpo_theory.proofs.settle import settle
from trpo_theory.proofs.witness import Witness
from trpo_theory.search.edits import FEW
from trpo_theory.search.screen import Screen
from trpo_theory.search.shrink import shrink
from trpo_theory.search.smaller import smaller
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.instances import Instances

_TRIES = 12
"""Of the smallest instances that floats refute, so many are decided before the one they come from. Chosen."""


def shrunk(claim: Claim, instance: ExactInstance, region: Region) -> Witness:
    """The claim decided on an instance; where it is refuted, on a small one of the region.

    Smaller instances, which floats find, are decided first: one of 200 states takes a minute, one of 20 a fraction of a second.
    """
    inside = within(claim, region)
    candidates = []
    if instance.states > FEW:
        with contextlib.suppress(ClaimFailed):  # on some of the instances that are looked at
            found = list(smaller(Screen(inside), Instances.of_exact([instance])))
            candidates = [one.exact(0) for one in found[: -_TRIES - 1 : -1]]
    for one in candidates:
        decision = settle(inside, one)
        if decision.verdict is Outcome.REFUTED:
            return Witness(claim, *shrink(inside, one, decision))
    decision = settle(claim, instance)
    if decision.verdict is not Outcome.REFUTED:
        return Witness(claim, instance, decision)
    return Witness(claim, *shrink(inside, instance, decision))
