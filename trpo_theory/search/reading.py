"""Which fields of an instance a claim reads: whether it is about new at all, and by what two instances differ for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed
from trpo_theory.proofs.settle import own_code
from trpo_theory.step.fields import EXTRAS, GIVEN
from trpo_theory.step.instances import Instances
from trpo_theory.step.quantities import Quantities


def fields_read(claim: Claim, each: Iterable[Quantities]) -> tuple[frozenset[str], frozenset[str]]:
    """The fields of the instance that the claim reads on some of these, and those that its slack and hypotheses read.

    They differ where the claim has a step of its own: new is then the step's, and not a field of the instance.

    Raises:
        ClaimFailed: if the claim's code raises an exception on all of them.
    """
    by_step: set[str] = set()
    by_formula: set[str] = set()
    failures: list[ClaimFailed] = []
    succeeded = False
    for q in each:
        try:
            with own_code(claim, quiet=True):
                _read(claim, q, by_step, by_formula)
            succeeded = True
        except ClaimFailed as error:
            failures.append(error)
    if failures and not succeeded:
        raise failures[0]
    by_setting = claim.setting & frozenset(EXTRAS)
    drawn = by_setting | (by_formula if claim.step is None else by_step | (by_formula - {"new"}))
    return frozenset(drawn), frozenset(by_formula)


def _read(claim: Claim, q: Quantities, by_step: set[str], by_formula: set[str]) -> None:
    with np.errstate(all="ignore"):
        q = claim.posed(q)
        if claim.step is not None:
            q = q.with_new(claim.step(_reading(q, by_step)))
        reading = _reading(q, by_formula)
        claim.signed_slack(reading)
        claim.met(reading)


def is_one_answer(claim: Claim, probe: Instances) -> bool:
    """Whether the hypotheses say one thing of a whole batch, although they read its numbers: `len(set(q.reward.ravel())) == 1`.

    Raises:
        Exception: what the claim's code raises.
    """
    if claim.given is None:
        return False
    read: set[str] = set()
    with np.errstate(all="ignore"):
        claim.met(_reading(claim.stepped(probe.one(0)), read))
        return bool(read) and not np.ndim(claim.met(claim.stepped(probe.quantities())))


def _reading(q: Quantities, read: set[str]) -> Quantities:
    """The same quantities; the fields that are read of them are added to the set."""

    class Reading(Quantities):
        states = property(lambda _: q.states)  # which read the shape of old only
        actions = property(lambda _: q.actions)

        def __getattribute__(self, name: str) -> Any:
            if name in GIVEN:
                read.add(name)
            return super().__getattribute__(name)

    other = object.__new__(Reading)
    vars(other).update(vars(q))
    return other
