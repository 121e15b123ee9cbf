"""`Witness`: a counterexample with its proof, in a file that stands by itself."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from trpo_theory.certified.decide import Decision
from trpo_theory.certified.instance import ExactInstance, quantities
from trpo_theory.certified.number import Ball
from trpo_theory.certified.raw import precision
from trpo_theory.claims.claim import Claim
from trpo_theory.errors import InvalidInput
from trpo_theory.io import write_fields

_DIGITS = 15
_SHORT = 10**9


@dataclass(frozen=True, eq=False)
class Witness:
    """An exact instance on which a claim is proved false.

    Attributes:
        claim: the claim.
        instance: in rationals; new is made by the claim's step, where it has one.
        decision: the enclosure of the slack.
    """

    claim: Claim
    instance: ExactInstance
    decision: Decision

    @property
    def size_text(self) -> str:
        """Its size, for a table: 2 states, 3 actions, denominators to 10."""
        instance = self.instance
        parts = [_plural(instance.states, "state"), _plural(instance.actions, "action")]
        return f"{', '.join(parts)}, denominators to {instance.largest_denominator}"

    @property
    def slack(self) -> tuple[Fraction, Fraction] | None:
        """Rationals that enclose the slack: short ones, rounded outward; None where it is infinite."""
        lower, upper = self.decision.lower, self.decision.upper
        if lower is None or upper is None:
            return None
        if lower == upper and lower.denominator < _SHORT:
            return lower, upper
        return _rounded(lower, math.floor), _rounded(upper, math.ceil)

    def to_fields(self) -> dict[str, Any]:
        """The content of its file: the claim, the slack's enclosure, the MDP and the policies, in rationals."""
        claim = self.claim
        own = {}
        if claim.origin:
            own = {"file": Path(claim.origin).name, "file_sha256": file_hash(claim.origin)}
        ends = self.slack or (self.decision.enclosure, self.decision.enclosure)
        slack = [_decimal(end) if isinstance(end, Fraction) and end.denominator >= _SHORT else str(end) for end in ends]
        head = {"claim": claim.id, "statement": claim.statement, "source": claim.source, "relation": claim.relation}
        if claim.note:
            head["note"] = claim.note
        instance = {name: _text(value) for name, value in _told(self.instance).to_fields().items()}
        if self.instance.size == 1:
            del instance["size"]
        if claim.step is not None:
            instance["new"] = _stepped(claim, self.instance, self.decision.precision)
        return head | own | {"verdict": "refuted", "slack": slack} | instance

    def write(self, path: Any) -> None:
        """Write the file, all of it or nothing.

        Raises:
            InvalidInput: for a name that does not end in .json, or a place that cannot be written.
        """
        checked_path(path)
        write_fields(self.to_fields(), path)

    @property
    def text(self) -> str:
        """The instance as a person reads it."""
        instance, lines = self.instance, []
        lines.append(
            f"gamma = {instance.gamma}, initial = {_row(instance.initial)}, slack in {self.decision.enclosure}"
        )
        told = _told(instance)
        for s in range(instance.states):
            lines.append(f"state {s}:")
            for a in range(instance.actions):
                successors = [
                    f"{probability} to {t}" if probability != 1 else f"to {t}"
                    for t, probability in enumerate(instance.transition[s, a])
                    if probability
                ]
                parts = [f"action {a}: {' and '.join(successors)}, reward {instance.reward[s, a]}"]
                parts.append(f"old {instance.old[s, a]}")
                if self.claim.step is None:
                    parts.append(f"new {instance.new[s, a]}")
                if told.reference is not None:
                    parts.append(f"reference {told.reference[s, a]}")
                if told.noise is not None:
                    parts.append(f"noise {told.noise[s, a]}")
                lines.append("  " + ", ".join(parts))
        if self.claim.step is not None:
            lines.append(f"new: the step of size {instance.size}")
        if told.groups is not None:
            lines.append(f"states share rows by groups {list(told.groups)}")
        return "\n".join(lines)


def checked_path(path: Any) -> None:
    """Refuse a witness file that could not be written before anything is searched."""
    if Path(path).suffix != ".json" or Path(path).is_dir():
        raise InvalidInput(
            got=f"{str(path)!r} for a witness",
            wanted="the name of a file that ends in .json",
            mend="write --out witness.json",
        )
    if not Path(path).resolve().parent.is_dir():
        raise InvalidInput(
            got=f"the directory {str(Path(path).parent)!r} for a witness",
            wanted="one that exists",
            mend="make it first",
        )


def file_hash(path: Any) -> str:
    """The SHA-256 of a file, by which a witness knows the claims that it is about."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _stepped(claim: Claim, instance: ExactInstance, bits: int) -> list[list[Any]]:
    """The policy that the claim's step makes: in rationals where it is rational, else in decimals that sum to one."""
    with precision(max(128, bits)):
        new = claim.stepped(quantities(instance)).new
    balls = [[Ball(entry) for entry in row] for row in new]
    if all(ball.is_exact for row in balls for ball in row):
        return [[_text(ball.fraction) for ball in row] for row in balls]
    rows = [[Fraction(round(ball.lower * 10**_DIGITS), 10**_DIGITS) for ball in row[:-1]] for row in balls]
    return [[_decimal(entry) for entry in [*row, 1 - sum(row)]] for row in rows]


def _told(instance: ExactInstance) -> ExactInstance:
    """Without what has its neutral value."""
    changes: dict[str, Any] = {}
    if instance.reference is not None and (instance.reference == instance.old).all():
        changes["reference"] = None
    if instance.noise is not None and not np.any(instance.noise != 0):
        changes["noise"] = None
    if instance.groups == tuple(range(instance.states)):
        changes["groups"] = None
    return dataclasses.replace(instance, **changes) if changes else instance


def _text(value: Any) -> Any:
    """Fractions as "p/q" throughout, so that the content of the file is also what --json prints."""
    if isinstance(value, list):
        return [_text(entry) for entry in value]
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else str(value)
    return value


def _rounded(end: Fraction, toward: Any) -> Fraction:
    power = _DIGITS - 1 - (math.floor(math.log10(abs(end))) if end else 0)
    scale = Fraction(10) ** power
    return Fraction(toward(end * scale)) / scale


def _decimal(end: Fraction) -> str:
    power = max(0, _DIGITS + 20)
    scaled = end * 10**power
    if scaled.denominator != 1:
        return str(end)
    digits = f"{abs(scaled.numerator):0{power + 1}d}"
    return ("-" if end < 0 else "") + f"{digits[:-power]}.{digits[-power:]}".rstrip("0")


def _row(row: Any) -> str:
    return "(" + ", ".join(str(entry) for entry in row) + ")"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
