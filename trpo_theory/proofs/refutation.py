"""Evidence of kind "refutation": a claim, and an MDP with policies on which it is proved false."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory import claims as catalogue
from trpo_theory.bounds.record import Claim
from trpo_theory.errors import InvalidInput
from trpo_theory.io.evidence_files import ReadFields
from trpo_theory.numerics.ball import rationals
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.numerics.ball.raw import Undecided
from trpo_theory.proofs.certified_file import (
    FREE_TEXT,
    Certificate,
    differing,
    expect_setting,
    of_other_settings,
    remarks,
    told_apart,
)
from trpo_theory.proofs.decide import Decision
from trpo_theory.proofs.evaluations import Evaluations
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.settle import settle
from trpo_theory.proofs.witness import KIND, file_hash, refutation_theorem, short_ends
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.quantities import Quantities

_TIGHT = Fraction(1, 10**6)
"""Of a file's enclosure, relative: chosen; a wider one says nothing of the size."""
_SAME_POLICY = 1e-9
"""How far the file's new may be from the claim's own step: chosen, since a file has 15 decimals of it."""
_FILE = ("file", "file_sha256")
SHOWN = (
    *("expected_return_old", "expected_return_new", "surrogate", "surrogate_gap", "max_kl", "reverse_max_kl"),
    *("mean_kl", "max_tv", "mean_tv", "max_abs_advantage", "max_abs_expected_advantage"),
)
"""The quantities that a reader is shown."""
_SHOWN_BITS = 128
"""At least, of the balls that are shown: twice a float's."""


def certify_refutation(fields: ReadFields, claims: Iterable[Claim] | None) -> Certificate:
    """Decide the claim on the file's instance, and compare what the file says of it.

    Raises:
        InvalidInput: for a file that is no witness, a claim that is not known, or words for it that are not its own.
        ClaimFailed: if the claim's own code raises an exception.
    """
    claim = claim_of(fields, claims)
    check_words(fields, claim)
    instance = ExactInstance.from_fields(fields)
    expect_setting(claim, instance, "falsify")
    decision = settle(claim, instance)
    shown, new = _shown(claim, instance, decision)
    theorem = refutation_theorem(claim, instance)
    return Certificate(
        kind=KIND,
        id=claim.id,
        theorem=theorem if decision.verdict is Outcome.REFUTED else "",
        verdict=decision.verdict,
        wanted=Outcome.REFUTED,
        number="slack",
        enclosure=decision.enclosure,
        disagreements=(
            *differing(fields, {"verdict": str(Outcome.REFUTED), "theorem": theorem}),
            *_wrong_ends(claim, fields, decision),
            *wrong_file(claim, fields),
            *of_other_settings(fields, claim.setting, claim.id),
            *(["the file's new is not the claim's step"] if new is not None and not _same(fields["new"], new) else []),
        ),
        notes=notes_on(claim, fields),
        quantities=shown,
    )


def _shown(claim: Claim, instance: ExactInstance, decision: Decision) -> tuple[dict[str, str], Any]:
    """The quantities of the instance, as text, and the step's new; nothing where even the step is not decided."""

    def read(q: Quantities) -> tuple[dict[str, str], Any]:
        at = claim.stepped(q)
        return {name: _text(getattr(at, name)) for name in SHOWN}, None if claim.step is None else at.new

    try:
        return Evaluations(instance).read(read, max(_SHOWN_BITS, decision.precision))
    except Undecided:
        return {}, None


def _words_for(fields: ReadFields) -> tuple[str, str]:
    """What such a file is called, and the verb that writes it."""
    return ("a witness", "falsify") if fields.get("kind", KIND) == KIND else ("a proof", "prove")


def claim_of(fields: ReadFields, own: Iterable[Claim] | None) -> Claim:
    """The claim that a file is about: of the catalogue, or one's own, from no file that it names.

    Raises:
        InvalidInput: for a file that names no claim that is known.
    """
    what, verb = _words_for(fields)
    if not isinstance(fields.get("claim"), str):
        raise InvalidInput(
            got="a file without a claim",
            wanted=f'{what}: "claim", and what shows it',
            fix=f"write it with `trpo-theory {verb} ID --out FILE.json`",
        )
    name = fields["claim"]
    known = {**{claim.id: claim for claim in catalogue.checked_own(own or ())}, **catalogue.catalogue}
    if name in catalogue.catalogue and "file" in fields:
        raise InvalidInput(
            got=f"{what} of {name}, a claim of the catalogue, that names the file {rationals.shown(fields['file'])} for it",
            wanted="a claim of that file under an id of its own: ids of the catalogue are reserved",
            fix=f"rename the claim in that file, and run `trpo-theory {verb}` with --from again",
        )
    if name in known:
        return known[name]
    if own is None and "file" in fields:
        file = Path(str(fields["file"])).name
        raise InvalidInput(
            got=f"{what} for {name!r}, a claim of the file {file}",
            wanted="that file, named by you: no code is run because a data file names it",
            fix=f"pass --from {file}, or claims=read_claims({file!r}) in Python, if you trust it",
        )
    raise _checks.unknown_name("claim", name, known, catalogue.catalogue.listing)


def check_words(fields: ReadFields, claim: Claim) -> None:
    """Refuse a file whose words for the claim are not its own: they would stand beside a proof of another theorem.

    Raises:
        InvalidInput: naming the field, with both texts.
    """
    for name in ("statement", "relation"):
        if name in fields and fields[name] != getattr(claim, name):
            what, verb = _words_for(fields)
            raise InvalidInput(
                got=f"{name} = {rationals.shown(fields[name])} in {what} of {claim.id}",
                wanted=f"the claim's own, {getattr(claim, name)!r}",
                fix=f"write the file again with `trpo-theory {verb} {claim.id} --out FILE.json`",
            )


def wrong_file(claim: Claim, fields: ReadFields) -> tuple[str, ...]:
    """How the file of claims that a witness names is not the one that the claim was read from.

    Where the contents are known to be the same, its name may be another one, which `notes_on` says.
    """
    if not claim.origin:
        names = [name for name in _FILE if name in fields]
        return tuple(f"the file has {name!r}, but the claim was not read from a file" for name in names)
    own = {"file": Path(claim.origin).name, "file_sha256": file_hash(claim.origin)}
    if fields.get("file_sha256") == own["file_sha256"] and isinstance(fields.get("file"), str):
        return ()
    return differing(fields, own)


def notes_on(claim: Claim, fields: ReadFields) -> tuple[str, ...]:
    """What may differ in a witness without changing what is proved."""
    notes = [*remarks(fields, {name: getattr(claim, name) for name in FREE_TEXT})]
    if claim.origin and not wrong_file(claim, fields):
        named = Path(claim.origin).name
        if fields.get("file", named) != named:
            notes.append(f"the file of claims has another name in the witness; {named} has the same content")
    return tuple(notes)


def _wrong_ends(claim: Claim, fields: ReadFields, decision: Decision) -> list[str]:
    """The fields for the slack, one of which a file must have, that are not an enclosure of it."""
    names = [name for name in ("slack", "enclosure") if name in fields] or ["slack"]
    proved = short_ends(decision) or (decision.enclosure,) * 2
    return [
        f"the file's {name} is {one}, which is no tight enclosure of it, {other}"
        for name in names
        if not _encloses(claim, fields.get(name), decision)
        for one, other in (told_apart(fields.get(name), proved),)
    ]


def _encloses(claim: Claim, ends: Any, decision: Decision) -> bool:
    """Whether two ends are an enclosure of the slack that was found.

    They must meet the one found, exclude 0 on the side that refutes, and be tight to a relative 1e-6; those of an infinite
    slack are both "-inf".
    """
    if decision.lower is None or decision.upper is None:
        return isinstance(ends, list) and [str(end) for end in ends] == 2 * [decision.enclosure]
    try:
        lower, upper = (Fraction(end) for end in ends)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return False
    one_sign = upper < 0 or (claim.relation == "=" and lower > 0)
    tight = 0 <= upper - lower <= _TIGHT * max(abs(lower), abs(upper))
    return one_sign and tight and lower <= decision.upper and decision.lower <= upper


def _same(recorded: Any, found: Any) -> bool:
    rows = np.array([[float(Fraction(entry)) for entry in row] for row in recorded])
    made = np.array([[Ball(entry).midpoint for entry in row] for row in found])
    return rows.shape == made.shape and bool((np.abs(rows - made) <= _SAME_POLICY).all())


def _text(value: Any) -> str:
    return repr(Ball(value)).removeprefix("Ball(").removesuffix(")")
