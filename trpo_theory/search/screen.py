"""The float screen: a claim's slack on a batch of instances, one at a time only where its formula cannot be batched."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.proofs.settle import own_code
from trpo_theory.search.apart import apart, left_out, refused
from trpo_theory.search.apart.probe import probe as tame
from trpo_theory.search.battery import random_instances
from trpo_theory.search.impose import impose
from trpo_theory.search.noise import MARGIN, ONE_BY_ONE, Tries, slack_and_error, worth_a_closer_look
from trpo_theory.search.reading import fields_read, is_one_answer
from trpo_theory.search.terms import share_and_terms
from trpo_theory.search.violation import violation
from trpo_theory.step.instances import Instances
from trpo_theory.step.quantities import Quantities

_PROBE = (7, 3, 2)
"""B, S and A of the instances on which a batched formula must agree with itself, one at a time: all different, none 1."""
_APART_PROBES = ((48, 3, 2), (16, 2, 4))
"""The same for a formula that is made to run on a batch: so many that conditions hold on some and fail on others. Chosen."""
_NOISE = 1e-11
"""Of the size of the numbers that a slack is made of: below it, floats do not tell its sign."""
_SIZE = "_screen_size"
_LEAST_NOISE = 1e-14
"""Of slacks that have nothing to do with rewards, such as those between divergences."""


@dataclass(frozen=True, eq=False)
class Screened:
    """A claim's slack and hypotheses on a batch, in floats.

    Attributes:
        slack: the least entry of the claim's slack, (B,); ∞ where it says nothing.
        met: whether the hypotheses hold, (B,).
        noise: rounding error of the slack, (B,): below it in absolute value floats do not tell the slack's sign.
        signed_gap: η(new) − L, (B,); of a bound with a centre of its own η(new) minus that.
        size: of the numbers that slacks are made of: values and rewards over (1 − γ), (B,).
        moved: whether new differs from old, and the claim is not 0 = 0, (B,); true of a claim that does not read new at all.
            It is taken for 0 = 0 where slack and gap are both exactly 0, if the claim reads the reward.
        share: the slack as a share of the claim's own terms, (B,); NaN where that is not known.
        terms: the sum of their absolute values, (B,), likewise.
    """

    slack: np.ndarray
    met: np.ndarray
    noise: np.ndarray
    signed_gap: np.ndarray
    size: np.ndarray
    moved: np.ndarray
    share: np.ndarray
    terms: np.ndarray

    @property
    def clear_slack(self) -> np.ndarray:
        """The slack, 0 where floats do not tell its sign, (B,)."""
        return np.where(np.abs(self.slack) <= self.noise, 0.0, self.slack)

    @property
    def gap(self) -> np.ndarray:
        """|η(new) − L|, (B,): what slacks of bounds are compared with."""
        return np.abs(self.signed_gap)

    @property
    def coarse_noise(self) -> np.ndarray:
        """A rounding error that any slack may have, whatever its own terms, (B,): for slacks that owe more to a solver."""
        return _NOISE * self.size

    @property
    def tests(self) -> np.ndarray:
        """Whether the instance puts the claim to the test: hypotheses hold, and it moved or clearly violates the claim, (B,)."""
        return self.met & (self.moved | self.negative)

    @property
    def silent(self) -> np.ndarray:
        """Whether floats say nothing, (B,): the slack is ∞, or `untold`."""
        return np.isposinf(self.slack) | self.untold

    @property
    def untold(self) -> np.ndarray:
        """Whether floats tell neither the slack nor the claim's own terms from 0 (the gap, where those are not known), (B,)."""
        size = np.where(np.isnan(self.terms), self.gap, self.terms)
        return (np.abs(self.slack) <= self.noise) & (size <= 100 * self.noise)

    @property
    def within_rounding(self) -> np.ndarray:
        """Whether floats tell neither the slack nor the gap from 0, (B,)."""
        return (np.abs(self.slack) <= self.noise) & (self.gap <= 100 * self.noise)

    @property
    def negative(self) -> np.ndarray:
        """Whether the hypotheses hold and the slack is below 0 by more than rounding, (B,)."""
        return self.met & (self.slack < -self.noise)

    @property
    def near(self) -> np.ndarray:
        """Whether the hypotheses hold and the slack is below 0 by no more than rounding, (B,)."""
        return self.met & (self.slack < 0) & (self.slack >= -self.noise)

    @classmethod
    def nothing(cls) -> Screened:
        """Of no instance."""
        kinds = {"met": bool, "moved": bool}
        return cls(**{field.name: np.empty(0, kinds.get(field.name, float)) for field in dataclasses.fields(cls)})

    def take(self, index: np.ndarray) -> Screened:
        """Of the instances at an index."""
        return Screened(*(getattr(self, field.name)[index] for field in dataclasses.fields(self)))

    def __add__(self, other: Screened) -> Screened:
        """Of both batches, end to end."""
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in dataclasses.fields(self))
        return Screened(*(np.concatenate(pair) for pair in pairs))


class Screen:
    """Evaluates one claim on batches.

    Attributes:
        claim: the claim; where its formula is for one instance only, the same made to run on a batch, if that can be done.
        batched: whether it runs on batches, found out on instances of its own, whatever the screen is then used on.
        written_for_one: whether it runs on batches only since it was made to: error bounds and the degree by which hypotheses
            fail are then found one instance at a time.
        reads: which fields of an instance the claim reads, found out likewise: new only if it reads new as it was drawn.

    Raises:
        ClaimFailed: if the claim raises an exception on a single instance, or its slack is no number.
    """

    batched: bool
    written_for_one: bool = False
    reads: frozenset[str]

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        probe = impose(random_instances(np.random.default_rng(0), *_PROBE), claim.needs)
        self._expect_numbers(probe)
        with own_code(claim):
            self.reads, self._formula_reads = fields_read(claim, probe)
        as_it_is = self._is_for_batches(probe)
        self.batched = (as_it_is and self._agrees(probe)) or self._runs_apart(as_it_is=as_it_is)
        self._tries = Tries()

    def _is_for_batches(self, probe: Instances) -> bool:
        try:
            return not is_one_answer(self.claim, probe)
        except (Exception, SystemExit):  # as in `_agrees`
            return False

    def _runs_apart(self, *, as_it_is: bool) -> bool:
        """Whether the claim, as it is or made to run on a batch, says what it says of single instances; it then is the screen's.

        On instances without extremes, of which rounding tells none apart.
        """
        probes = [impose(tame(*size), self.claim.needs) for size in _APART_PROBES]
        claim = self.claim
        for self.claim in (*([claim] * as_it_is), apart(claim)):
            agrees = all(self._agrees(probe) and left_out(self.claim, len(probe)).mean() < 0.5 for probe in probes)
            if agrees and not refused(self.claim):
                self.written_for_one = self.claim is not claim
                return True
        self.claim = claim
        return False

    def __call__(self, instances: Instances, q: Quantities | None = None) -> Screened:
        """Screen a batch; q, its quantities, if they have been computed.

        Raises:
            ClaimFailed: if the claim raises an exception.
        """
        if not self.batched:
            return self._one_by_one(instances)
        q = instances.quantities() if q is None else q
        with own_code(self.claim):
            screened = self._evaluate(q, len(instances))
        return self._finer(screened, instances)

    def violation(self, instances: Instances) -> np.ndarray:
        """How far the hypotheses are from being met, (B,): 0 where they are met, see `search.violation`.

        Raises:
            ClaimFailed: if the claim raises an exception.
        """
        return violation(self.claim, instances, batched=self.batched and not self.written_for_one)

    def _finer(self, screened: Screened, instances: Instances) -> Screened:
        """The noise relative to the claim's own terms, on the instances that are most likely told by it."""
        tries, coarse = self._tries, screened.noise
        tries.see(screened.met, np.abs(screened.slack) > coarse)
        chosen = worth_a_closer_look(screened.slack, screened.met, coarse, screened.gap, above=tries.hardly_told)
        if not self._tries.allowed(len(chosen)):
            return screened
        at_once = not self.written_for_one
        if not at_once:
            chosen = chosen[
                np.argsort(screened.slack[chosen] / (screened.gap[chosen] + screened.noise[chosen]))[:ONE_BY_ONE]
            ]
        found = slack_and_error(self.claim, instances.take(chosen), batched=at_once)
        if found is None:
            self._tries.over()
            return screened
        slack, finer = screened.slack[chosen], screened.noise.copy()
        with np.errstate(invalid="ignore"):
            missed = MARGIN * found[1] + np.abs(found[0] - slack)
            finer[chosen] = np.fmin(missed, finer[chosen])
        self._tries.count(told=bool((np.abs(slack) > finer[chosen]).any()))
        return dataclasses.replace(screened, noise=finer)

    def _expect_numbers(self, probe: Instances) -> None:
        """A condition in place of a slack would be 0 or 1 and never negative; a hypothesis that is None would always hold.

        What changes from one call to the next is no mathematics: nothing found of it would be found again.
        """
        with own_code(self.claim), np.errstate(all="ignore"):
            slack, met = self._said(probe.one(0))
            if np.asarray(slack).dtype == bool or slack is None:
                raise TypeError(f"the slack is {slack!r}, not a number: return the larger side minus the smaller one")
            if met is None:
                raise TypeError("the hypothesis `given` is None: return the condition")
            for name, one, other in zip(("slack", "hypothesis"), (slack, met), self._said(probe.one(0)), strict=True):
                if repr(one) != repr(other):
                    raise TypeError(
                        f"the {name} is {one!r} once and {other!r} the next time, on the same instance: "
                        "leave random numbers and counters out of the formula"
                    )

    def _said(self, q: Quantities) -> tuple[Any, Any]:
        moved = self.claim.stepped(q)
        return self.claim.signed_slack(moved), self.claim.met(moved)

    def _agrees(self, probe: Instances) -> bool:
        single = self._one_by_one(probe)
        try:
            batch = self._evaluate(probe.quantities(), len(probe))
        except (Exception, SystemExit):  # its single instances did well: the formula is not batch-agnostic
            return False
        with np.errstate(invalid="ignore"):
            off = np.abs(batch.slack - single.slack)
            close = off <= 1e-6 * np.abs(single.slack) + single.noise
        same = (batch.slack == single.slack) | close
        return bool((same & (batch.met == single.met) | left_out(self.claim, len(probe))).all())

    def _one_by_one(self, instances: Instances) -> Screened:
        with own_code(self.claim):
            rows = [self._evaluate(instances.one(i), None) for i in range(len(instances))]
        fields = (field.name for field in dataclasses.fields(Screened))
        return Screened(*(np.array([getattr(row, name) for row in rows]) for name in fields))

    def _evaluate(self, q: Quantities, count: int | None) -> Screened:
        with np.errstate(all="ignore"):
            moved = self.claim.stepped(q)
        slack = _least(self.claim.slack(moved), count, np.min, "fiu", "a slack: a number, or an array of them")
        met = _least(self.claim.met(moved), count, np.all, "b", "true or false from `given`, as q.max_kl <= 0.01,")
        with np.errstate(invalid="ignore"):
            slack = np.where(np.isnan(slack), np.inf, slack)
        size, gap = (np.broadcast_to(x, slack.shape) for x in (_size(moved), np.asarray(self.claim.gap(moved))))
        moves = self._moved(moved, slack, gap)
        unknown = np.full(slack.shape, np.nan)
        share = (unknown, unknown) if count is None else share_and_terms(self.claim, moved, count)
        return Screened(slack, met.astype(bool), _NOISE * size, gap, size, moves, *share)

    def _moved(self, q: Quantities, slack: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """`Screened.moved`."""
        if "new" not in self._formula_reads:
            return np.ones(slack.shape, dtype=bool)
        differs = np.asarray(np.asarray(q.new != q.old).any((0, 1)))
        return differs & ((slack != 0) | (gap != 0)) if "reward" in self._formula_reads else differs


def _least(value: Any, count: int | None, reduce: Any, kinds: str, what: str) -> np.ndarray:
    """The least entry of each instance: the batch is the last axis, all before it belong to one instance."""
    array = np.asarray(value)
    if array.dtype == object:
        array = array.astype(float)
    if array.dtype.kind not in kinds or not array.size:
        kind = f"a {type(value).__name__}" + (f" of {array.dtype}" if array.ndim else "")
        shown = kind if array.size else "an empty array"
        raise TypeError(f"{shown}, where {what} is wanted")
    if count is None:
        return np.asarray(reduce(array))
    if array.ndim and array.shape[-1] not in (1, count):
        raise ValueError(f"a result of shape {array.shape} for a batch of {count}")
    array = reduce(array, axis=tuple(range(array.ndim - 1))) if array.ndim > 1 else array
    return np.broadcast_to(array, (count,))


def _size(q: Quantities) -> Any:
    """Found once for all claims that look at the same quantities."""
    known = vars(q)
    if _SIZE not in known:
        parts = (abs(q.value), q.max_a(abs(q.advantage)), q.max_a(abs(q.reward)), q.max_a(abs(q.noise)))
        known[_SIZE] = (sum(q.max_s(part) for part in parts) + _LEAST_NOISE / _NOISE) / (1 - q.gamma)
    return known[_SIZE]
