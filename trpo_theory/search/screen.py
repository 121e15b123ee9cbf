"""The float screen: a claim's slack on a batch of instances, one at a time only where its formula cannot be batched."""

from __future__ import annotations

import contextlib
import copy
import functools
from typing import Any

import numpy as np

from trpo_theory import claims as catalogue
from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed
from trpo_theory.proofs.settle import failed, own_code
from trpo_theory.search.agreement import SIZES, asks_for_sizes, is_written_by_author
from trpo_theory.search.agreement import tame as tame_of_size
from trpo_theory.search.battery import random_instances
from trpo_theory.search.impose import impose
from trpo_theory.search.least_entry import least_entry
from trpo_theory.search.noise import Tries, finer
from trpo_theory.search.reading import fields_read, is_one_answer
from trpo_theory.search.screened import FIELDS, NOISE, ONE_BY_ONE_SHARE, Screened, spread, stacked
from trpo_theory.search.sizes import size_of
from trpo_theory.search.stepped import stepped
from trpo_theory.search.terms import share_and_terms, signed_slack_with_terms
from trpo_theory.search.violation import violation
from trpo_theory.step.instances import Instances
from trpo_theory.step.quantities import Quantities

_PROBE = (7, 3, 2)
"""B, S and A of the instances on which a batched formula must agree with itself, one at a time: all different, none 1."""
_APART_PROBES = ((48, 3, 2), (16, 2, 4))
"""The same for a formula that is made to run on a batch: so many that conditions hold on some and fail on others. Chosen."""


@functools.lru_cache(maxsize=64)  # chosen: the settings of a catalogue
def probes(size: tuple[int, int, int], needs: frozenset[str]) -> Instances:
    """The same random instances for all claims with these needs: B of S states and A actions."""
    return impose(random_instances(np.random.default_rng(0), *size), needs)


class Screen:
    """Evaluates one claim on batches.

    Attributes:
        claim: the claim; where its formula is for one instance only, the same made to run on a batch, if that can be done.
        batched: whether it runs on batches, found out on instances of its own, whatever the screen is then used on.
        written_for_one: whether it runs on batches only since it was made to: error bounds and the degree by which hypotheses
            fail are then found one instance at a time.
        reads: which fields of an instance the claim reads, found out likewise: new only if it reads new as it was drawn.
        complaint: what the claim's code raised on an instance that meets its hypotheses; "" if nothing. Such an instance counts
            as one that does not meet them: the others are judged all the same.

    Raises:
        ClaimFailed: if the claim raises an exception on every instance of its own, or its slack is no number.
    """

    claim: Claim

    batched: bool
    written_for_one: bool = False
    reads: frozenset[str]
    complaint: str = ""

    def __init__(self, claim: Claim, *, known: bool = True) -> None:
        """Find out how the claim can be run.

        Args:
            claim: the claim.
            known: whether claims of the catalogue are taken to run on batches as they are: tests find it out of each.
        """
        self.claim, self._as_given, self._tries = claim, claim, Tries()
        probe = probes(_PROBE, claim.instance_needs)
        if known and catalogue.catalogue.get(claim.id) is claim:
            self.reads, self._formula_reads = fields_read(claim, [probe.quantities()])
            self.batched, self._by_size, self._compared = True, False, set[tuple[int, int]]()
        else:
            self._find_out(probe)

    def _find_out(self, probe: Instances) -> None:
        """How a claim of which nothing is known can be run."""
        claim, index = self.claim, self._first_without_failure(probe)
        self._expect_numbers(probe, index)
        with own_code(claim):
            each = [probe.one(index) for index in range(len(probe))]
            self.reads, self._formula_reads = fields_read(claim, each)
            self._evaluate(each[index], None)
        own = is_written_by_author(claim)
        self._compared = set(SIZES) if own else set[tuple[int, int]]()
        at_once = (
            self._is_for_batches(probe)
            and (self._agrees(probe) or self._agrees_when_tame())
            and all(map(self._agrees_at, self._compared))
        )
        self.batched = at_once or self._runs_apart()
        self._by_size = own and asks_for_sizes(claim)

    def fresh(self) -> Screen:
        """The same, which has not been used yet."""
        other = copy.copy(self)
        other._compared, other._tries, other.complaint = set(self._compared), Tries(), ""
        return other

    def _is_for_batches(self, probe: Instances) -> bool:
        try:
            with own_code(self.claim, quiet=True):
                return not is_one_answer(self.claim, probe)
        except ClaimFailed:  # as in `_agrees`
            return False

    def _agrees_at(self, size: tuple[int, int]) -> bool:
        return self._agrees(tame_of_size(size, self.claim.instance_needs))

    def _agrees_when_tame(self) -> bool:
        """Whether it agrees with itself on instances without extremes, of which rounding tells none apart."""
        from trpo_theory.search.apart import left_out  # needed by claims of one's own only, as what follows
        from trpo_theory.search.apart.probe import probe as tame

        probes = [impose(tame(*size), self.claim.instance_needs) for size in _APART_PROBES]
        return all(self._agrees(probe) and left_out(self.claim, len(probe)).mean() < 0.5 for probe in probes)

    def _runs_apart(self) -> bool:
        """Whether the claim made to run on a batch says what it says of single instances; it then is the screen's."""
        from trpo_theory.search.apart import apart, refused

        claim = self.claim
        self.claim = apart(claim)
        self.written_for_one = self._agrees_when_tame() and not refused(self.claim)
        if not self.written_for_one:
            self.claim = claim
        return self.written_for_one

    def _look_at(self, size: tuple[int, int]) -> None:
        """Give up running the claim on batches as it is, where it disagrees with itself on a size that its code may ask for."""
        self._compared.add(size)
        if self.batched and not self.written_for_one and not self._agrees_at(size):
            self.batched = self._runs_apart()

    def __call__(self, instances: Instances, q: Quantities | None = None) -> Screened:
        """Screen a batch; q, its quantities, if they have been computed."""
        if self._by_size and instances.shape not in self._compared:
            self._look_at(instances.shape)
        if not self.batched:
            return self._one_by_one(instances)
        try:
            screened = self._at_once(instances, q)
        except ClaimFailed:
            return self._after_failure(instances)
        return finer(self.claim, screened, instances, self._tries, at_once=not self.written_for_one)

    def _at_once(self, instances: Instances, q: Quantities | None) -> Screened:
        with own_code(self.claim, quiet=True):
            screened = self._evaluate(instances.quantities() if q is None else q, len(instances))
        if self.written_for_one:
            from trpo_theory.search.apart import raised

            if (error := raised(self.claim)) is not None:
                self.complaint = self.complaint or failed(self.claim, error).complaint
        return screened

    def _after_failure(self, instances: Instances) -> Screened:
        """Of a batch on which the claim raised an exception: in other ways, at last on some of them one at a time.

        The exception may be of the batch, or of some of its instances only.
        """
        if not self.written_for_one and self._runs_apart():
            with contextlib.suppress(ClaimFailed):
                return finer(self.claim, self._at_once(instances, None), instances, self._tries, at_once=False)
        self.batched = self.written_for_one
        some = spread(len(instances), ONE_BY_ONE_SHARE)
        screened = Screened.nothing(len(instances))
        found = self._one_by_one(instances.take(some))
        for name in FIELDS:
            getattr(screened, name)[some] = getattr(found, name)
        return screened

    def violation(self, instances: Instances) -> np.ndarray:
        """How far the hypotheses are from being met, (B,): 0 where they are met, see `search.violation`.

        Those on which the claim raises an exception count as far from it.
        """
        try:
            return violation(self.claim, instances, batched=self.batched and not self.written_for_one)
        except ClaimFailed:
            each = [self._violation_of(instances.take([index])) for index in range(len(instances))]
        return np.array(each)

    def _violation_of(self, one: Instances) -> float:
        try:
            return float(violation(self.claim, one, batched=False)[0])
        except ClaimFailed:
            return np.inf

    def _expect_numbers(self, probe: Instances, index: int) -> None:
        """A condition in place of a slack would be 0 or 1 and never negative; a hypothesis that is None would always hold.

        What changes from one call to the next is no mathematics: nothing found of it would be found again.
        """
        with own_code(self.claim), np.errstate(all="ignore"):
            slack, met = self._said(probe.one(index))
            if np.asarray(slack).dtype == bool or slack is None:
                raise TypeError(f"the slack is {slack!r}, not a number: return the larger side minus the smaller one")
            if met is None:
                raise TypeError("the hypothesis `given` is None: return the condition")
            for name, one, other in zip(
                ("slack", "hypothesis"), (slack, met), self._said(probe.one(index)), strict=True
            ):
                if repr(one) != repr(other):
                    raise TypeError(
                        f"the {name} is {one!r} once and {other!r} the next time, on the same instance: "
                        "leave random numbers and counters out of the formula"
                    )

    def _first_without_failure(self, probe: Instances) -> int:
        """The first instance on which the claim raises nothing; the first of all, if there is none."""
        for index in range(len(probe)):
            with contextlib.suppress(ClaimFailed), own_code(self.claim), np.errstate(all="ignore"):
                self._said(probe.one(index))
                return index
        return 0

    def _said(self, q: Quantities) -> tuple[Any, Any]:
        moved, _ = stepped(self.claim, q)
        return self.claim.signed_slack(moved), self.claim.met(moved)

    def _agrees(self, probe: Instances) -> bool:
        from trpo_theory.search.apart import left_out

        known = self.complaint
        rows = [self._one(probe, index) for index in range(len(probe))]
        self.complaint = known  # of the search only
        fine = [index for index, row in enumerate(rows) if row is not None]
        if not fine:
            return False
        single, probe = stacked(rows), probe.take(fine)
        try:
            with own_code(self.claim, quiet=True):
                batch = self._evaluate(probe.quantities(), len(probe))
        except ClaimFailed:  # its single instances did well: the formula is not batch-agnostic
            return False
        with np.errstate(invalid="ignore"):
            off = np.abs(batch.slack - single.slack)
            close = off <= 1e-6 * np.abs(single.slack) + single.noise
        same = (batch.slack == single.slack) | close
        return bool((same & (batch.met == single.met) | left_out(self.claim, len(probe))).all())

    def _one_by_one(self, instances: Instances) -> Screened:
        return stacked([self._one(instances, index) or Screened.nothing() for index in range(len(instances))])

    def _one(self, instances: Instances, index: int) -> Screened | None:
        """One instance; None where the claim raises an exception, which counts only where the hypotheses hold."""
        try:
            with own_code(self.claim, quiet=True):
                return self._evaluate(instances.one(index), None)
        except ClaimFailed as error:
            q = instances.one(index)
            with contextlib.suppress(ClaimFailed), own_code(self.claim), np.errstate(all="ignore"):
                if not np.all(self.claim.met(self.claim.stepped(q))):
                    return None
            self.complaint = self.complaint or error.complaint
            return None

    def _evaluate(self, q: Quantities, count: int | None) -> Screened:
        moved, sound = stepped(self.claim, q)
        at_once = count is not None and self.claim is self._as_given  # one made to run on a batch is asked twice
        signed = signed_slack_with_terms(self.claim, moved) if at_once else None
        with np.errstate(all="ignore"):
            value = self.claim.slack(moved) if signed is None else self.claim.slack_of(signed, moved)
        slack = least_entry(value, count, np.min, "fiu", "a slack: a number, or an array of them")
        met = self._holds(moved, sound, count)
        with np.errstate(invalid="ignore"):
            slack = np.where(np.isnan(slack), np.inf, slack)
        size, gap = (np.broadcast_to(x, slack.shape) for x in (size_of(moved), np.asarray(self.claim.gap(moved))))
        moves = self._moved(moved, slack, gap)
        unknown = np.full(slack.shape, np.nan)
        if count is not None and not at_once:
            signed = signed_slack_with_terms(self.claim, moved)
        share = (unknown, unknown) if count is None else share_and_terms(self.claim, moved, slack, signed)
        return Screened(slack, met, NOISE * size, gap, size, moves, *share)

    def met(self, q: Quantities) -> np.ndarray:
        """Whether the hypotheses hold on the quantities of a batch, (B,), without the slack: of a claim that runs on batches.

        Nowhere if the claim raises an exception.
        """
        with contextlib.suppress(ClaimFailed), own_code(self.claim):
            return self._holds(*stepped(self.claim, q), q.gamma.size)
        return np.zeros(q.gamma.size, dtype=bool)

    def _holds(self, moved: Quantities, sound: Any, count: int | None) -> np.ndarray:
        wanted = "true or false from `given`, as q.max_kl <= 0.01,"
        return least_entry(self.claim.met(moved), count, np.all, "b", wanted).astype(bool) & sound

    def _moved(self, q: Quantities, slack: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """`Screened.moved`."""
        if "new" not in self._formula_reads:
            return np.ones(slack.shape, dtype=bool)
        differs = np.asarray(np.asarray(q.new != q.old).any((0, 1)))
        return differs & ((slack != 0) | (gap != 0)) if "reward" in self._formula_reads else differs
