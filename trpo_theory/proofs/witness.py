"""`Witness`: a counterexample with its proof, in a file that stands by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

from trpo_theory.bounds.record import Claim
from trpo_theory.io.evidence_files import (
    Fields,
    decimal_text,
    evidence_fields,
    number_text,
    outward,
    sentence_text,
    write_evidence,
)
from trpo_theory.model.types import PathLike
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.proofs.decide import Decision
from trpo_theory.proofs.evaluations import Evaluations
from trpo_theory.proofs.outcome import located
from trpo_theory.solve.criteria import DISCOUNTED
from trpo_theory.step.exact import ExactInstance

KIND = "refutation"
_DIGITS = 15
"""Decimals of a policy that is not rational, in a file: chosen, so that it agrees with the step to 1e-15."""


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
        largest = instance.largest_denominator
        return f"{', '.join(parts)}, {'integers' if largest == 1 else f'denominators to {largest}'}"

    @property
    def slack(self) -> tuple[Fraction, Fraction] | None:
        """Rationals that enclose the slack: short ones, rounded outward; None where it is infinite."""
        return short_ends(self.decision)

    def to_fields(self) -> Fields:
        """The content of its file: the claim, the slack's enclosure, the MDP and the policies, in rationals."""
        claim = self.claim
        own = {}
        if claim.origin:
            own = {"file": Path(claim.origin).name, "file_sha256": file_hash(claim.origin)}
        words = {"claim": claim.id, "relation": claim.relation} | ({"note": claim.note} if claim.note else {})
        instance = instance_fields(self.instance)
        if claim.step is not None:
            instance["new"] = _stepped(claim, self.instance, self.decision.precision)
        ends = ends_text(self.decision)
        return evidence_fields(
            KIND,
            statement=claim.statement,
            theorem=refutation_theorem(claim, self.instance),
            source=claim.source,
            enclosure=(ends[0], ends[1]),
            content=words | own | {"verdict": "refuted", "slack": ends} | instance,
        )

    def write(self, path: PathLike) -> None:
        """Write the file, all of it or nothing.

        Raises:
            InvalidInput: for a name that does not end in .json, or a place that cannot be written.
        """
        write_evidence(self.to_fields(), path)

    @property
    def text(self) -> str:
        """The instance as a person reads it."""
        head = f"{gamma_and_initial(self.instance)}, slack {located(self.decision.enclosure)}"
        lines = [head, *instance_lines(self.instance, with_new=self.claim.step is None, agents=self.claim.agents or ())]
        if self.claim.step is not None:
            lines.append(f"new: the step of size {self.instance.size}")
        groups = self.instance.plain().groups
        if groups is not None:
            lines.append(f"states share rows by groups {list(groups)}")
        return "\n".join(lines)


def refutation_theorem(claim: Claim, instance: ExactInstance) -> str:
    """What a witness proves, as a sentence."""
    policies = (
        "its policies old and new" if claim.step is None else "its policy old and the step that the claim speaks of"
    )
    fails = "its two sides differ" if claim.relation == "=" else "its slack is negative"
    met = "" if claim.given is None else "its hypotheses hold and "
    size = f"{instance_text(instance)}{setting_text(claim, instance)}"
    return f"{claim.id} is false: for the MDP of this file ({size}) and {policies}, {met}{fails}"


def setting_text(claim: Claim, instance: ExactInstance) -> str:
    """What a return of the claim sums, where it is no discounted return."""
    return "".join(
        (
            "" if claim.criterion == DISCOUNTED.name else f", {claim.criterion} returns",
            f", {instance.horizon} steps" if claim.horizon else "",
            f", temperature = {sentence_text(instance.temperature)}" if claim.temperature else "",
            f", agents with {', '.join(map(str, claim.agents))} actions" if claim.agents else "",
        )
    )


def instance_text(instance: ExactInstance) -> str:
    """The size and the discount of an MDP, for a sentence."""
    parts = [_plural(instance.states, "state"), _plural(instance.actions, "action")]
    return f"{', '.join(parts)}, gamma = {sentence_text(instance.gamma)}"


def short_ends(decision: Decision) -> tuple[Fraction, Fraction] | None:
    """Rationals that enclose what was decided: short ones, rounded outward; None where it is infinite."""
    if decision.lower is None or decision.upper is None:
        return None
    return outward(decision.lower, decision.upper)


def ends_text(decision: Decision) -> list[str]:
    """Those two as a file has them: "p/q" or decimals; an infinity by its name."""
    ends = short_ends(decision)
    return [decision.enclosure] * 2 if ends is None else [number_text(end) for end in ends]


def instance_fields(instance: ExactInstance) -> Fields:
    """The MDP and the policies as a file has them, in rationals, without what has its neutral value."""
    fields = {name: _text(value) for name, value in instance.plain().to_fields().items()}
    if instance.size == 1:
        del fields["size"]
    return fields


def gamma_and_initial(instance: ExactInstance) -> str:
    """The discount and where it starts, for a person, and the horizon and the like where the instance has them."""
    numbers = [("horizon", instance.horizon), ("temperature", instance.temperature)]
    parts = [f"gamma = {instance.gamma}", f"initial = ({', '.join(map(str, instance.initial))})"]
    parts += [f"{name} = {value}" for name, value in numbers if value is not None]
    if instance.weights is not None:
        parts.append(f"weights of the references = ({', '.join(map(str, instance.weights))})")
    return ", ".join(parts)


def instance_lines(instance: ExactInstance, *, with_new: bool = True, agents: Sequence[int] = ()) -> list[str]:
    """The states and actions for a person: where each leads, its reward, and what the policies do.

    Args:
        instance: the instance.
        with_new: whether the new policy is a column.
        agents: how many actions each agent has; a joint action is then named by what each agent does, such as (0, 1).
    """
    plain, lines = instance.plain(), []
    joint = list(product(*map(range, agents))) if agents else range(plain.actions)
    columns = {"old": plain.old} | ({"new": plain.new} if with_new else {})
    columns |= {name: getattr(plain, name) for name in ("reference", "noise") if getattr(plain, name) is not None}
    for name, table in (("cost", plain.costs), ("reference", plain.references)):
        if table is not None:
            columns |= {f"{name} {k}": table[..., k] for k in range(table.shape[-1])}
    for s in range(plain.states):
        lines.append(f"state {s}:")
        for a, named in enumerate(joint):
            parts = [f"action {named}: {_successors(plain.transition[s, a])}, reward {plain.reward[s, a]}"]
            if plain.model is not None:
                parts.append(f"by the model {_successors(plain.model[s, a])}")
            lines.append("  " + ", ".join([*parts, *(f"{name} {rows[s, a]}" for name, rows in columns.items())]))
    return lines


def _successors(row: Any) -> str:
    """Where an action leads: "1/3 to 0 and 2/3 to 1"."""
    likely = [(t, probability) for t, probability in enumerate(row) if probability]
    return " and ".join(f"to {t}" if probability == 1 else f"{probability} to {t}" for t, probability in likely)


def file_hash(path: PathLike) -> str:
    """The SHA-256 of a file, by which a witness knows the claims that it is about."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _stepped(claim: Claim, instance: ExactInstance, bits: int) -> list[list[Any]]:
    """The policy that the claim's step makes: in rationals where it is rational, else in decimals that sum to one."""
    new = Evaluations(instance).read(lambda q: claim.stepped(q).new, max(128, bits))
    balls = [[Ball(entry) for entry in row] for row in new]
    if all(ball.is_exact for row in balls for ball in row):
        return [[_text(ball.fraction) for ball in row] for row in balls]
    rows = [[Fraction(round(ball.lower * 10**_DIGITS), 10**_DIGITS) for ball in row[:-1]] for row in balls]
    return [[decimal_text(entry) for entry in [*row, 1 - sum(row)]] for row in rows]


def _text(value: Any) -> Any:
    """Fractions as "p/q" throughout, so that the content of the file is also what --json prints."""
    if isinstance(value, list):
        return [_text(entry) for entry in value]
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else str(value)
    return value


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
