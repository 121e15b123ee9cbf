"""Evidence of kind "worst-case": an MDP with policies on which a bound uses a proved share of its penalty."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any, cast

import numpy as np

from trpo_theory import _checks, bounds
from trpo_theory import claims as catalogue
from trpo_theory._outward import Toward, float_toward
from trpo_theory.bounds.formulas import Formula
from trpo_theory.bounds.record import Bound, Claim
from trpo_theory.bounds.setting import SETTING_FIELDS
from trpo_theory.claims.from_file import complaint
from trpo_theory.errors import ClaimFailed, InvalidInput
from trpo_theory.io.evidence_files import Fields, ReadFields, evidence_fields, number_text
from trpo_theory.proofs.certified_file import Certificate, differing, expect_setting, of_other_settings, remarks
from trpo_theory.proofs.decide import Decision, decide
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.witness import ends_text, instance_fields, instance_text, setting_text, short_ends
from trpo_theory.solve.criteria import DISCOUNTED
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.posing import is_allowed
from trpo_theory.updates.sharp_penalty import bound_named

KIND = "worst-case"
_MOST_BITS = 1024
"""At which the sign of a ratio is given up: chosen; ratios that are not 0 have one at 64."""


def ratio_of(bound: Bound, instance: ExactInstance) -> Decision:
    """The bound's ratio on an exact instance, enclosed; met is false where the penalty is not proved finite and positive."""
    posed = functools.lru_cache(maxsize=1)(bound.posed)

    def ratio(q: Any) -> Any:
        at = posed(q)
        return bound.ratio(at, bound.penalty(at))

    def says_something(q: Any) -> Any:
        at = posed(q)
        if at.criterion is not DISCOUNTED and not np.all(is_allowed(at)):
            return np.False_
        penalty = bound.penalty(at)
        return (penalty > 0) & (penalty < np.inf)

    with np.errstate(all="ignore"):  # flint's own arithmetic raises the processor's flags
        return decide(ratio, instance, given=says_something, limit=_MOST_BITS)


def as_bound(one: object) -> Bound:
    """The bound that an id, a Bound, a penalty or a Claim stands for.

    Raises:
        InvalidInput: for an unknown id, with its near matches, or something else.
    """
    if isinstance(one, str):
        return bound_named(one)
    if isinstance(one, Bound):
        return one
    if isinstance(one, Claim) and one.relation == ">=" and one.step is None and one.problem is None:
        return Bound(
            one.id,
            lambda q: one.signed_slack(q) - q.surrogate_gap,
            one.statement,
            one.source,
            one.given,
            expected=one.expected,
            origin=one.origin,
            **{name: getattr(one, name) for name in SETTING_FIELDS},
        )
    if callable(one) and not isinstance(one, Claim):
        return Bound(
            getattr(one, "__name__", "penalty"), cast(Formula, one), "a penalty of one's own", "", expected="open"
        )
    raise InvalidInput(
        got=f"{one.id if isinstance(one, Claim) else f'a {type(one).__name__}'} as a bound",
        wanted="the id of a bound, a Bound, a penalty q -> number, or a Claim whose slack is eta(new) - L + penalty",
        fix='write Bound("mine/bound", lambda q: ..., statement="...", source="...")',
    )


def ratio_evidence(bound: Bound, instance: ExactInstance, decision: Decision) -> Fields:
    """The fields of a worst-case file: bound, ratio (an enclosure), the MDP, old and new, in rationals."""
    ends = ends_text(decision)
    return evidence_fields(
        KIND,
        statement=bound.statement,
        theorem=_theorem(bound, instance, decision),
        source=bound.source,
        enclosure=(ends[0], ends[1]),
        content={"bound": bound.id, "ratio": ends} | instance_fields(instance),
    )


def certify_ratio(fields: ReadFields, claims: Iterable[Claim] | None) -> Certificate:
    """Enclose the bound's ratio on the file's instance again, and compare what the file says of it.

    Raises:
        InvalidInput: for fields that are no such file, or a bound that is not known.
        ClaimFailed: if the bound's own code raises an exception.
    """
    bound, origin = _bound(fields, claims)
    instance = ExactInstance.from_fields(fields)
    expect_setting(bound, instance, "worst-case")
    try:
        decision = ratio_of(bound, instance)
    except (Exception, SystemExit) as error:
        raise ClaimFailed(bound.id, complaint(error, origin)) from error
    ends = short_ends(decision)
    if not decision.met or ends is None:
        verdict = Outcome.VACUOUS if decision.met is False else Outcome.UNDECIDED
        theorem, disagreements, details = "", (), {}
    else:
        verdict, theorem = Outcome.PROVED, _theorem(bound, instance, decision)
        words = {"statement": bound.statement, "theorem": theorem}
        disagreements = (
            *differing(fields, {**words, "ratio": ends, "enclosure": ends}),
            *of_other_settings(fields, bound.setting, bound.id),
        )
        details = {"ratio": float_toward(ends[0], Toward.DOWN)}
    return Certificate(
        kind=KIND,
        id=bound.id,
        theorem=theorem,
        verdict=verdict,
        wanted=Outcome.PROVED,
        number="ratio",
        enclosure=decision.enclosure,
        disagreements=disagreements,
        notes=remarks(fields, {"source": bound.source}),
        details={"bound": bound.id, "gamma": float(instance.gamma), **details},
    )


def _bound(fields: ReadFields, own: Iterable[Claim] | None) -> tuple[Bound, str]:
    """The bound that a file is about, and the file that defines it, if that is one's own."""
    name = fields.get("bound")
    if not isinstance(name, str):
        raise InvalidInput(
            got="a worst case without a bound",
            wanted='"bound", the ratio, and the instance',
            fix="write it with `trpo-theory worst-case BOUND --gamma G --out witness.json`",
        )
    mine = {claim.id: claim for claim in catalogue.checked_own(own or ())}
    if name in mine:
        return as_bound(mine[name]), mine[name].file
    if name not in bounds.all_bounds and own is None:
        raise InvalidInput(
            got=f"a worst case of {name!r}, which is no bound of the catalogue",
            wanted="the file that defines it, named by you: no code is run because a data file names it",
            fix="pass --from FILE.py, or claims=read_claims(FILE) in Python, if you trust it",
        )
    if name not in bounds.all_bounds:
        raise _checks.unknown_name("bound", name, [*mine, *bounds.all_bounds], bounds.all_bounds.listing)
    return as_bound(name), ""


def _theorem(bound: Bound, instance: ExactInstance, decision: Decision) -> str:
    ends = short_ends(decision)
    assert ends is not None
    setting = setting_text(bound, instance)
    gained = "L_old(new)" if bound.shift is None else "the bound's center"
    refuted = ", which refutes it" if ends[0] > 1 else ""
    return (
        f"for the MDP of this file ({instance_text(instance)}{setting}) and its policies old and new, {gained} - eta(new) "
        f"is at least {number_text(ends[0])} times the penalty of {bound.id}{refuted}"
    )
