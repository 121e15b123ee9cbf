"""`within`: a claim with a region among its hypotheses; `contradicted`: an instance there on which its formula refutes it."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from fractions import Fraction

from trpo_theory.bounds.formulas import Truth
from trpo_theory.bounds.record import Claim
from trpo_theory.numerics.ball.raw import Undecided
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.penalties.reading import Penalty
from trpo_theory.proofs.region import Interval, Region
from trpo_theory.proofs.settle import in_balls, settle
from trpo_theory.proofs.small_instances import small_instances
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.quantities import Quantities

_CLOSE = Fraction(9, 10)
"""Where one radius is asked for, a witness has at least so much of it: chosen, since no simple number has it exactly."""
_CHECKED = 40
"""Exact instances on which what a method proves is decided. Chosen: a fraction of a second."""
_STEPS = tuple(Fraction(1, 10**power) for power in (0, 1, 2, 4))
"""Of their new policies, so that some lie in regions of small radii. Chosen."""


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


def contradicted(claim: Claim, region: Region) -> ExactInstance | None:
    """An exact instance of the region that refutes the claim: a formula may ask what it is run on, and then answer otherwise."""
    inside = within(claim, region)
    for instance in small_instances(_CHECKED, region.gamma, _STEPS):
        with contextlib.suppress(Undecided):
            if settle(inside, instance).verdict is Outcome.REFUTED:
                return instance
    return None
