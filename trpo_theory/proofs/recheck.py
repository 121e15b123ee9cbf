"""`certify`: a witness proved again from its file alone, with every quantity of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory import claims as catalogue
from trpo_theory.claims.record import Claim
from trpo_theory.errors import InvalidInput
from trpo_theory.io.files import read_fields
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.numerics.ball.raw import Undecided, precision
from trpo_theory.proofs.decide import Decision
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.settle import settle
from trpo_theory.step.exact import ExactInstance, quantities

_TIGHT = Fraction(1, 10**6)
_SAME_POLICY = 1e-9
SHOWN = (
    *("expected_return_old", "expected_return_new", "surrogate", "surrogate_gap", "max_kl", "reverse_max_kl"),
    *("mean_kl", "max_tv", "mean_tv", "max_abs_advantage", "max_abs_expected_advantage"),
)
_SHOWN_BITS = 128


@dataclass(frozen=True)
class Certificate:
    """What proving a witness again came to.

    Attributes:
        id: of the claim.
        verdict: "refuted" if the claim is proved false on the witness; else "proved" (true there), "vacuous", "undecided".
        enclosure: of the slack.
        agrees: whether the slack that the file tells is the one found.
        quantities: η, L, ε and the divergences, enclosed, as text.
    """

    id: str
    verdict: str
    enclosure: str
    agrees: bool
    quantities: Mapping[str, str]

    @property
    def certified(self) -> bool:
        """Whether the witness is what it says: it refutes the claim, with the slack that it tells."""
        return self.verdict == Outcome.REFUTED and self.agrees

    @property
    def undecided(self) -> bool:
        """Whether neither is proved."""
        return self.verdict == Outcome.UNDECIDED

    @property
    def summary(self) -> str:
        """In a sentence."""
        if self.certified:
            return f"certified: refuted, slack in {self.enclosure}"
        if self.verdict == Outcome.REFUTED:
            return f"rejected: refuted, but its slack is in {self.enclosure}, which is not what the file tells"
        words = {
            Outcome.PROVED: "the claim holds on this instance",
            Outcome.VACUOUS: "the claim's hypotheses do not hold on this instance",
            Outcome.UNDECIDED: "neither is proved on this instance",
        }
        return f"rejected: {words[Outcome(self.verdict)]}, slack in {self.enclosure}"

    def to_fields(self) -> dict[str, Any]:
        """For JSON."""
        names = ("id", "verdict", "certified", "enclosure", "agrees")
        return {name: getattr(self, name) for name in names} | {"quantities": dict(self.quantities)}


def certify(witness: Any, *, claims: Iterable[Claim] | None = None) -> Certificate:
    """Prove a witness again, in exact rationals and balls, from its file alone.

    Args:
        witness: a witness file, its content, or a `Witness`.
        claims: claims of one's own, for a witness of one of them. No file that the witness names is ever read or run.

    Returns:
        A `Certificate`; a witness with a wrong slack, or on which the claim holds, is not certified.

    Raises:
        InvalidInput: for a file that is no witness, or a claim that is not known.
        ClaimFailed: if the claim's own code raises an exception.
    """
    if isinstance(witness, str | os.PathLike):
        fields = read_fields(witness)
    else:
        fields = dict(witness if isinstance(witness, Mapping) else witness.to_fields())
    claim = _claim(fields, claims)
    _check_words(fields, claim)
    instance = ExactInstance.from_fields(fields)
    decision = settle(claim, instance)
    shown, new = _shown(claim, instance, decision)
    agrees = _agrees(claim, fields, decision, new)
    return Certificate(claim.id, str(decision.verdict), decision.enclosure, agrees, shown)


def _shown(claim: Claim, instance: ExactInstance, decision: Decision) -> tuple[dict[str, str], Any]:
    """What there is to see of the instance, and the step's new; nothing where even the step is not decided."""
    try:
        with precision(max(_SHOWN_BITS, decision.precision)):
            q = claim.stepped(quantities(instance))
            return {name: _text(getattr(q, name)) for name in SHOWN}, None if claim.step is None else q.new
    except Undecided:
        return {}, None


def _claim(fields: Mapping[str, Any], own: Iterable[Claim] | None) -> Claim:
    if not isinstance(fields.get("claim"), str):
        raise InvalidInput(
            got="a file without a claim",
            wanted='a witness: "claim", the slack, and the instance',
            fix="write it with `trpo-theory falsify ID --out witness.json`",
        )
    name = fields["claim"]
    known = {**{claim.id: claim for claim in catalogue.checked_own(own or ())}, **catalogue.catalogue}
    if name in catalogue.catalogue and "file" in fields:
        raise InvalidInput(
            got=f"a witness of {name}, a claim of the catalogue, that names the file {fields['file']!r} for it",
            wanted="a claim of that file under an id of its own: ids of the catalogue are reserved",
            fix="rename the claim in that file, and run `trpo-theory falsify` with --from again",
        )
    if name in known:
        return known[name]
    if own is None and "file" in fields:
        file = Path(str(fields["file"])).name
        raise InvalidInput(
            got=f"a witness for {name!r}, a claim of the file {file}",
            wanted="that file, named by you: no code is run because a data file names it",
            fix=f"pass --from {file}, or claims=read_claims({file!r}) in Python, if you trust it",
        )
    raise _checks.unknown_name("claim", name, known)


def _check_words(fields: Mapping[str, Any], claim: Claim) -> None:
    """Refuse a file whose words for the claim are not the claim's own: it would be printed beside a proof of another theorem.

    Raises:
        InvalidInput: naming the field, with both texts.
    """
    for name in ("statement", "source", "note", "relation"):
        if name in fields and fields[name] != getattr(claim, name):
            raise InvalidInput(
                got=f"{name} = {fields[name]!r} in a witness of {claim.id}",
                wanted=f"the claim's own, {getattr(claim, name)!r}",
                fix=f"write the file again with `trpo-theory falsify {claim.id} --out witness.json`",
            )


def _agrees(claim: Claim, fields: Mapping[str, Any], decision: Decision, new: Any) -> bool:
    """Whether the file tells what was found: that it refutes, the slack, and the step's own new policy.

    Its enclosure must meet the one found, leave 0 out on the side that refutes, and be tight to a relative 1e-6; an infinite
    slack is told as "-inf".
    """
    told = fields.get("slack")
    if fields.get("verdict", "refuted") != "refuted":
        return False
    if new is not None and not _same_policy(fields["new"], new):
        return False
    if decision.lower is None or decision.upper is None:
        return isinstance(told, list) and [str(end) for end in told] == 2 * [decision.enclosure]
    try:
        lower, upper = (Fraction(end) for end in told)  # pyright: ignore[reportOptionalIterable]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return False
    one_sign = upper < 0 or (claim.relation == "=" and lower > 0)
    tight = 0 <= upper - lower <= _TIGHT * max(abs(lower), abs(upper))
    return one_sign and tight and lower <= decision.upper and decision.lower <= upper


def _same_policy(told: Any, found: Any) -> bool:
    rows = np.array([[float(Fraction(entry)) for entry in row] for row in told])
    made = np.array([[Ball(entry).midpoint for entry in row] for row in found])
    return rows.shape == made.shape and bool((np.abs(rows - made) <= _SAME_POLICY).all())


def _text(value: Any) -> str:
    return repr(Ball(value)).removeprefix("Ball(").removesuffix(")")
