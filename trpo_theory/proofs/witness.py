"""`Witness`: a counterexample with its proof, in a file that stands by itself."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from trpo_theory.claims.record import Claim
from trpo_theory.errors import InvalidInput
from trpo_theory.io import write_fields
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.numerics.ball.raw import precision
from trpo_theory.proofs.decide import Decision
from trpo_theory.step.exact import ExactInstance, quantities

_DIGITS = 15
_DECIMALS = 35
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
        return short_ends(self.decision)

    def to_fields(self) -> dict[str, Any]:
        """The content of its file: the claim, the slack's enclosure, the MDP and the policies, in rationals."""
        claim = self.claim
        own = {}
        if claim.origin:
            own = {"file": Path(claim.origin).name, "file_sha256": file_hash(claim.origin)}
        head = {"claim": claim.id, "statement": claim.statement, "source": claim.source, "relation": claim.relation}
        if claim.note:
            head["note"] = claim.note
        instance = instance_fields(self.instance)
        if claim.step is not None:
            instance["new"] = _stepped(claim, self.instance, self.decision.precision)
        return head | own | {"verdict": "refuted", "slack": ends_text(self.decision)} | instance

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
        head = f"{gamma_and_initial(self.instance)}, slack in {self.decision.enclosure}"
        lines = [head, *instance_lines(self.instance, with_new=self.claim.step is None)]
        if self.claim.step is not None:
            lines.append(f"new: the step of size {self.instance.size}")
        groups = self.instance.plain().groups
        if groups is not None:
            lines.append(f"states share rows by groups {list(groups)}")
        return "\n".join(lines)


def short_ends(decision: Decision) -> tuple[Fraction, Fraction] | None:
    """Rationals that enclose what was decided: short ones, rounded outward; None where it is infinite."""
    lower, upper = decision.lower, decision.upper
    if lower is None or upper is None:
        return None
    if lower == upper and lower.denominator < _SHORT:
        return lower, upper
    return _rounded(lower, math.floor), _rounded(upper, math.ceil)


def ends_text(decision: Decision) -> list[str]:
    """Those two as a file has them: "p/q" or decimals; an infinity by its name."""
    ends = short_ends(decision) or (decision.enclosure, decision.enclosure)
    return [_decimal(end) if isinstance(end, Fraction) and end.denominator >= _SHORT else str(end) for end in ends]


def instance_fields(instance: ExactInstance) -> dict[str, Any]:
    """The MDP and the policies as a file has them, in rationals, without what has its neutral value."""
    fields = {name: _text(value) for name, value in instance.plain().to_fields().items()}
    if instance.size == 1:
        del fields["size"]
    return fields


def gamma_and_initial(instance: ExactInstance) -> str:
    """The discount and where it starts, for a person."""
    return f"gamma = {instance.gamma}, initial = ({', '.join(map(str, instance.initial))})"


def instance_lines(instance: ExactInstance, *, with_new: bool = True) -> list[str]:
    """The states and actions for a person: where each leads, its reward, and what the policies do."""
    told, lines = instance.plain(), []
    columns = {"old": told.old} | ({"new": told.new} if with_new else {})
    columns |= {name: getattr(told, name) for name in ("reference", "noise") if getattr(told, name) is not None}
    for s in range(told.states):
        lines.append(f"state {s}:")
        for a in range(told.actions):
            successors = [
                f"{probability} to {t}" if probability != 1 else f"to {t}"
                for t, probability in enumerate(told.transition[s, a])
                if probability
            ]
            parts = [f"action {a}: {' and '.join(successors)}, reward {told.reward[s, a]}"]
            lines.append("  " + ", ".join([*parts, *(f"{name} {rows[s, a]}" for name, rows in columns.items())]))
    return lines


def checked_path(path: Any) -> None:
    """Refuse a witness file that could not be written before anything is searched."""
    if Path(path).suffix != ".json" or Path(path).is_dir():
        raise InvalidInput(
            got=f"{str(path)!r} for a witness",
            wanted="the name of a file that ends in .json",
            fix="write --out witness.json",
        )
    if not Path(path).resolve().parent.is_dir():
        raise InvalidInput(
            got=f"the directory {str(Path(path).parent)!r} for a witness",
            wanted="one that exists",
            fix="make it first",
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
    power = _DECIMALS
    scaled = end * 10**power
    if scaled.denominator != 1:
        return str(end)
    digits = f"{abs(scaled.numerator):0{power + 1}d}"
    return ("-" if end < 0 else "") + f"{digits[:-power]}.{digits[-power:]}".rstrip("0")


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
