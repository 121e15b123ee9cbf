"""What all that was found out about a claim comes to: its verdict."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from typing import Any

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.settle import settle
from trpo_theory.proofs.witness import Witness
from trpo_theory.search import power
from trpo_theory.search.shrink import shrink
from trpo_theory.step.exact import ExactInstance
from trpo_theory.verification.tally import Tally
from trpo_theory.verification.verdict import Verdict

_NOT_AGAIN = (
    "a counterexample was found that is none when it is evaluated again: leave random numbers and counters out of the formula, "
    "or begin the run in another directory if this one was changed"
)


def judged(claim: Claim, found: Tally, searched: Tally) -> Verdict:
    """The verdict on all that was found; what the search refuted is shrunk already."""
    witness, verdict, note = None, Outcome.UNREFUTED, claim.note
    if found.refuted is not None:
        witness, verdict = _witness(claim, found.refuted, searched.refuted), Outcome.REFUTED
        if witness is None:
            return _failed(claim, replace(found, error=_NOT_AGAIN))
    elif found.undecided or found.unchecked:
        left = found.undecided + found.unchecked
        note = _sentence(f"{left} instances that neither floats nor balls decide", found.note, note)
        verdict = Outcome.UNDECIDED
    elif found.ties:
        note = _sentence(f"{found.ties} instances where it is an equality to 300 digits", note)
    if found.error and verdict is not Outcome.REFUTED:
        return _failed(claim, found)
    if found.error:
        note = _sentence(f"on other instances its own code fails: {found.error}", note)
    if verdict is not Outcome.REFUTED and (idle := _not_put_to_the_test(found)):
        verdict, note = Outcome.UNDECIDED, _sentence(idle, note)
    if verdict == Outcome.UNREFUTED and found.least.slack < 0:
        note = _sentence(
            "on some instances its slack is negative in floats, and ball arithmetic proves that it is not: no counterexample",
            note,
        )
    if not found.batched:
        from trpo_theory.search.apart.advice import advice  # of claims of one's own only

        note = _sentence("run one instance at a time: its formula cannot be batched", advice(claim), note)
    return Verdict(
        id=claim.id,
        expected=claim.expected,
        verdict=verdict,
        instances=found.instances,
        effective=found.effective,
        trivial=found.trivial,
        **_least(found, witness),
        near=found.near,
        searched=found.coverage,
        witness=witness,
        note=note,
        statement=claim.statement,
    )


def with_power(claim: Claim, verdict: Verdict) -> Verdict:
    """Of a bound that stands: with the margin that such a search would have found."""
    margin = power.margin_found(claim) if verdict.verdict is Outcome.UNREFUTED else None
    if margin is None:
        return verdict
    return replace(verdict, margin_found=margin, power=power.sentence(claim, margin))


def _not_put_to_the_test(found: Tally) -> str:
    """Why nothing that was found says anything of the claim; "" if something does."""
    if not found.effective + found.trivial:
        fix = (
            "draw the sizes that they ask for (states, actions), weaken them, or let the claim make such steps (step=)"
        )
        return f"no instance met the hypotheses; fix: {fix}"
    if not found.effective:
        why = "new is old, or slack and gap are both 0, or its slack is nowhere a finite number"
        return f"no instance put it to the test: in all {found.trivial} that met the hypotheses {why}"
    if found.least.slack == np.inf and not found.within_rounding:
        return "its slack is nowhere a finite number"
    return ""


def _least(found: Tally, witness: Witness | None) -> dict[str, Any]:
    """The least slack, ratio and share; none is negative unless the claim is refuted, and then the slack is.

    Where every slack is within rounding of 0, it is 0; a number that nothing resolves is ∞.
    """
    if witness is None:
        least = found.standing
        slack = 0.0 if least.slack == np.inf and found.within_rounding else least.slack
        return {"min_slack": slack, "min_ratio": least.ratio, "min_share": least.share}
    slack = found.least.slack
    if not slack < 0:  # what floats could not resolve, balls did
        upper = witness.decision.upper
        slack = -np.inf if upper is None else float(upper)
    return {"min_slack": slack, "min_ratio": found.least.ratio, "min_share": found.least.share}


def _failed(claim: Claim, found: Tally) -> Verdict:
    """No verdict on what the claim says: what it does cannot be computed, at least on some instances."""
    some = found.effective + found.trivial > 0
    wanted = (
        ""
        if some or "is wanted" in found.error
        else "wanted a slack: a number, or an array over states; and of `given` true or false"
    )
    others = f"no counterexample among the {found.effective} others that put it to the test" if some else ""
    where = " on some instances that meet its hypotheses" if some else ""
    note = _sentence(f"its own code failed{where}: {found.error}", others, wanted, claim.note)
    counts: dict[str, Any] = {name: getattr(found, name) for name in ("instances", "effective", "trivial", "near")}
    return Verdict(
        claim.id,
        claim.expected,
        Outcome.ERROR,
        **counts,
        min_slack=np.inf,
        min_ratio=np.inf,
        searched=found.coverage,
        note=note,
        statement=claim.statement,
    )


def _witness(claim: Claim, refuted: ExactInstance, shrunk: ExactInstance | None) -> Witness | None:
    """Proved again, so that nothing is believed because a file says so; None where that fails."""
    instance = refuted if shrunk is None else shrunk
    with contextlib.redirect_stdout(sys.stderr):  # as where it was found
        decision = settle(claim, instance)
    if decision.verdict is not Outcome.REFUTED:
        return None
    return Witness(claim, *((instance, decision) if shrunk is not None else shrink(claim, instance, decision)))


def _sentence(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
