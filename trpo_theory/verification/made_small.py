"""What a method of proof refutes, decided on a small instance of the region that it was asked for."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from fractions import Fraction

from trpo_theory.bounds.formulas import Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.penalties.reading import Penalty
from trpo_theory.proofs.region import Interval, Region
from trpo_theory.proofs.settle import in_balls, settle
from trpo_theory.proofs.witness import Witness
from trpo_theory.search.edits import FEW
from trpo_theory.search.screen import Screen
from trpo_theory.search.shrink import shrink
from trpo_theory.search.smaller import smaller
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.instances import Instances
from trpo_theory.step.quantities import Quantities

_CLOSE = Fraction(9, 10)
"""Where one radius is asked for, a witness has at least so much of it: chosen, since no simple number has it exactly."""
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


def within(claim: Claim, region: Region) -> Claim:
    """The claim with a region among its hypotheses, so that what refutes it lies there."""
    penalty = None if region.radius is None else Penalty.of(claim)
    ranges = {} if region.gamma is None else {"gamma": region.gamma}
    if region.radius is not None and penalty is not None and len(penalty.radii) == 1:
        low, high = region.radius.low, region.radius.high
        ranges[penalty.radii[0]] = Interval(low * _CLOSE if low == high else low, high)
    if not ranges:
        return claim

    def given(q: Quantities) -> Truth:
        own = in_balls(claim) if q.arithmetic.name == "balls" else claim
        met = own.met(q)
        for name, interval in ranges.items():
            value = getattr(q, name)
            met = met & (value >= float(interval.low)) & (value <= float(interval.high))
        return met

    return replace(claim, given=given)
