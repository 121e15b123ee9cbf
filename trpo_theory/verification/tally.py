"""`Tally`: what a task found out about a claim: counts, least slacks, the worst instances whole, a counterexample."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from trpo_theory.entries.kinds import each_of
from trpo_theory.proofs.witness import instance_fields
from trpo_theory.search.coverage import Coverage
from trpo_theory.search.findings import Findings
from trpo_theory.search.least import Least
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.instances import Instances

KEPT = 2
"""How many of the worst instances are kept: so many of least slack, and as many of least slack over the gap."""

COUNTS = ("instances", "effective", "trivial", "within_rounding", "near", "checked", "unchecked", "undecided", "ties")
"""What adds up."""

LEAST = ("least", "standing")
"""Of which the least counts."""


@dataclass(frozen=True)
class Kept:
    """An instance kept whole, with what floats said of it.

    Attributes:
        slack: the claim's slack, as floats have it.
        ratio: the slack over |η(new) − L|.
        states, actions: S and A.
        numbers: the instance, as `Instances.packed` has it.
    """

    slack: float
    ratio: float
    states: int
    actions: int
    numbers: tuple[float, ...]

    def __hash__(self) -> int:
        """Of few numbers: there may be thousands."""
        return hash((self.slack, self.ratio, self.states, self.actions))

    @classmethod
    def of(cls, instances: Instances, index: int, slack: float, ratio: float) -> Kept:
        """One of a batch."""
        return cls(slack, ratio, *instances.shape, instances.packed(index))

    @property
    def instances(self) -> Instances:
        """The instance, as a batch of one, float for float."""
        return Instances.unpacked(self.numbers, self.states, self.actions)

    @property
    def exact(self) -> ExactInstance:
        """The instance in the rationals that its floats are: what balls decide about."""
        return self.instances.exact(0)


@dataclass(frozen=True)
class Tally:
    """What is known of one claim after some tasks; `merged` adds tallies up.

    Attributes:
        claim: its id.
        instances, effective, trivial: how many were tried, put the claim to the test, and of those that met the hypotheses did
            not, as in `Counts`; duplicates are found within a task.
        min_slack: the least of the effective instances; one within rounding of 0 counts as 0, and those `within_rounding` do not.
        min_ratio: the least slack over |η(new) − L|.
        min_share: the least slack as a share of the claim's own terms.
        standing_slack, standing_ratio, standing_share: the same over those whose slack is not negative: in floats, or, where
            it is negative in floats and ball arithmetic proves that it is not, in balls.
        coverage: what was searched.
        within_rounding: effective instances whose slack and terms are both within rounding of 0.
        near: below 0 by no more than rounding, and that ball arithmetic did not check.
        checked: how many went to balls.
        unchecked: clearly negative in floats, with nothing refuted, and that ball arithmetic did not check.
        undecided: those that ball arithmetic did not decide.
        ties: those whose slack is 0 to a thousand bits.
        batched: whether the formula ran on batches.
        note: why balls could not decide.
        refuted: an instance on which the claim is proved false in ball arithmetic.
        error: what the claim's own code raised on instances that meet its hypotheses, with its line; "" if it did not fail.
        worst: the instances kept, those of least slack and those of least ratio.
    """

    claim: str
    instances: int = 0
    effective: int = 0
    trivial: int = 0
    least: Least = field(default_factory=Least)
    standing: Least = field(default_factory=Least)
    coverage: Coverage = field(default_factory=Coverage)
    within_rounding: int = 0
    near: int = 0
    checked: int = 0
    unchecked: int = 0
    undecided: int = 0
    ties: int = 0
    batched: bool = True
    note: str = ""
    refuted: ExactInstance | None = None
    worst: tuple[Kept, ...] = ()
    error: str = ""

    @classmethod
    def of_findings(cls, claim_id: str, found: Findings, refuted: ExactInstance | None, error: str = "") -> Tally:
        """Of what was found, whose counterexample may have been shrunk since; `error` as the attribute."""
        counts = found.counts
        same = (
            *LEAST,
            "within_rounding",
            "near",
            "undecided",
            "ties",
            "batched",
            "note",
            "checked",
            "unchecked",
            "worst",
        )
        return cls(
            claim_id,
            instances=counts.instances,
            effective=counts.effective,
            trivial=counts.trivial,
            coverage=counts.coverage,
            refuted=refuted,
            error=error,
            **{name: getattr(found, name) for name in same if hasattr(found, name)},
        )


def merged(tallies: Iterable[Tally]) -> dict[str, Tally]:
    """By claim, whatever the order of the tallies."""
    found: dict[str, Tally] = {}
    for tally in each_of(Tally, tallies, "tallies", "pass those that read_run(...) returned: list(found.values())"):
        known = found.get(tally.claim)
        found[tally.claim] = tally if known is None else _together(known, tally)
    return found


def _together(one: Tally, other: Tally) -> Tally:
    return replace(
        one,
        **{name: getattr(one, name) + getattr(other, name) for name in COUNTS},
        **{name: getattr(one, name) & getattr(other, name) for name in LEAST},
        coverage=one.coverage + other.coverage,
        batched=one.batched and other.batched,
        note=min(filter(None, (one.note, other.note)), default=""),
        error=min(filter(None, (one.error, other.error)), default=""),
        refuted=_smaller(one.refuted, other.refuted),
        worst=worst_of((*one.worst, *other.worst)),
    )


def _smaller(one: ExactInstance | None, other: ExactInstance | None) -> ExactInstance | None:
    """The smaller one; of one size the one whose text comes first, so that it does not matter which was found first."""
    if one is None or other is None:
        return other if one is None else one
    sizes = [instance.states * instance.actions for instance in (one, other)]
    if sizes[0] == sizes[1]:
        return min(one, other, key=lambda instance: str(instance_fields(instance)))
    return one if sizes[0] < sizes[1] else other


def worst_of(kept: Iterable[Kept]) -> tuple[Kept, ...]:
    """The few of least slack, then the few of least ratio that are not among them."""
    every = set(kept)
    by_slack = sorted(every, key=lambda one: (one.slack, one.numbers))[:KEPT]
    rest = every.difference(by_slack)
    return (*by_slack, *sorted(rest, key=lambda one: (one.ratio, one.numbers))[:KEPT])
