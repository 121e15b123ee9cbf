"""`Certificate`: what came of proving an evidence file again, of any kind."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from trpo_theory.bounds.record import Claim
from trpo_theory.errors import InvalidInput
from trpo_theory.io.evidence_files import Fields, ReadFields
from trpo_theory.numerics.ball import rationals
from trpo_theory.proofs.outcome import Outcome, located
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.fields import EXTRAS

_WORDS = {
    Outcome.PROVED: "the claim holds on this instance",
    Outcome.VACUOUS: "the claim's hypotheses do not hold on this instance",
    Outcome.UNDECIDED: "it is not proved",
}
_DIGITS = (10, 20, 40, 80, 5000)
"""Significant digits of numbers that differ, the first that show it: chosen; a file's own number has 4000 at most."""
FREE_TEXT = ("source", "note")
"""Fields of a file that are no part of its theorem."""
_LONGEST = 1000
"""Characters of a value that is shown whole: chosen; a theorem has some 300."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What came of proving an evidence file again, from the file alone.

    Attributes:
        kind: of the evidence.
        id: of the claim, the bound, the divergence or the problem that it is about.
        theorem: the sentence that was proved; "" where none was.
        verdict: what was proved of the claim, or of the sentence.
        wanted: the verdict that such a file asserts.
        number: what the sentence is about: "slack", "ratio", "optimum".
        enclosure: of that number, as text.
        disagreements: for each field of the file that is not what was proved, how it differs.
        notes: what differs and is no part of the theorem, such as the name of the paper that a claim is from.
        quantities: what else is known, enclosed, as text.
        details: further fields for JSON.
    """

    kind: str
    id: str
    theorem: str
    verdict: Outcome
    wanted: Outcome
    number: str
    enclosure: str
    disagreements: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    quantities: Mapping[str, str] = field(default_factory=dict)
    details: ReadFields = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether every field of the file that a reader sees is what was proved."""
        return not self.disagreements

    @property
    def certified(self) -> bool:
        """Whether the file's theorem is proved, and the file says nothing else."""
        return self.verdict is self.wanted and self.agrees

    @property
    def undecided(self) -> bool:
        """Whether nothing is proved, either way."""
        return self.verdict is Outcome.UNDECIDED

    @property
    def summary(self) -> str:
        """In a sentence."""
        if self.certified:
            return f"certified: {self.verdict}, {self.number} {located(self.enclosure)}"
        if self.verdict is self.wanted:
            return f"rejected: {self.verdict}, but {'; '.join(self.disagreements)}"
        if self.undecided and self.disagreements:
            return f"rejected: not proved: {'; '.join(self.disagreements)}"
        end = f", {self.number} {located(self.enclosure)}" if self.enclosure else ""
        return f"rejected: {_WORDS[self.verdict]}{end}"

    def to_fields(self) -> Fields:
        """For JSON."""
        names = ("kind", "id", "theorem", "verdict", "certified", "enclosure", "agrees")
        fields = {name: getattr(self, name) for name in names}
        more = {"disagreements": list(self.disagreements), "quantities": dict(self.quantities)}
        more |= {"notes": list(self.notes)} if self.notes else {}
        return {**self.details, **fields, "verdict": str(self.verdict), **more}


def not_proved(kind: str, id: str, number: str, error: Exception) -> Certificate:
    """The certificate of a file whose proof does not go through: nothing is decided."""
    return Certificate(
        kind=kind,
        id=id,
        theorem="",
        verdict=Outcome.UNDECIDED,
        wanted=Outcome.PROVED,
        number=number,
        enclosure="",
        disagreements=(str(error),),
    )


def differing(fields: ReadFields, proved: ReadFields) -> tuple[str, ...]:
    """How a file differs from what was proved, a sentence for each field; a field that the file lacks does not differ.

    Numbers are compared as rationals, lists of numbers entry by entry, everything else as it is. `FREE_TEXT` is for `remarks`.
    """
    return tuple(
        f"the file's {name} is {one}, not {other}"
        for name, value in proved.items()
        if name in fields and name not in FREE_TEXT and not _same(fields[name], value)
        for one, other in (told_apart(fields[name], value),)
    )


def remarks(fields: ReadFields, own: ReadFields) -> tuple[str, ...]:
    """Notes on the free text of a file that is not what the toolkit writes: no theorem depends on it."""
    return tuple(
        f"the file's {name} is not the claim's own" + (f", which is {own[name]!r}" if own[name] else "")
        for name in FREE_TEXT
        if name in fields and name in own and fields[name] != own[name]
    )


def expect_setting(claim: Claim, instance: ExactInstance, verb: str) -> None:
    """Refuse a file whose instance lacks what the claim's setting reads, or that has γ = 1 where returns are discounted.

    Args:
        claim: the claim.
        instance: of the file.
        verb: what writes such files.
    """
    claim.expect_gamma(instance.gamma)
    missing = [name for name in EXTRAS if name in claim.setting and getattr(instance, name) is None]
    if missing:
        raise InvalidInput(
            got=f"a file without {', '.join(missing)}",
            wanted=f"an instance of the setting of {claim.id}, which reads {', '.join(missing)}",
            fix=f"write it with `trpo-theory {verb} {claim.id} --out FILE.json`",
        )


def of_other_settings(fields: ReadFields, setting: Container[str], id: str) -> tuple[str, ...]:
    """What a file says of a setting that is not the claim's, such as a horizon where its return is discounted."""
    said = (name for name in EXTRAS if fields.get(name) is not None and name not in setting)
    return tuple(f"the file has {name!r}, which says nothing of {id}" for name in said)


def told_apart(found: Any, proved: Any) -> tuple[str, str]:
    """Two values that differ, as text that differs: with more digits where 10 are the same, long text from its difference on."""
    for digits in _DIGITS:
        one, other = rationals.shown(found, digits), rationals.shown(proved, digits)
        if one != other:
            break
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return _around(one, start), _around(other, start)


def _around(text: str, start: int) -> str:
    if len(text) <= _LONGEST:
        return text
    first, last = max(0, start - _LONGEST // 4), start + _LONGEST // 2
    return f"{'...' * (first > 0)}{text[first:last]}{'...' * (last < len(text))}"


def _same(found: Any, proved: Any) -> bool:
    if isinstance(proved, tuple):
        return (
            isinstance(found, list | tuple)
            and len(found) == len(proved)
            and all(_same(one, other) for one, other in zip(found, proved, strict=True))
        )
    if isinstance(proved, Fraction):
        try:
            return not isinstance(found, bool) and rationals.number(found, "a field") == proved
        except InvalidInput:
            return False
    return type(found) is type(proved) and found == proved
