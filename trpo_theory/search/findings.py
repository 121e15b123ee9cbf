"""`Findings`: what a search tried and found, and the proofs in balls of slacks that are negative in floats."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from trpo_theory._outward import Toward, float_toward
from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed
from trpo_theory.numerics.arithmetic import Array
from trpo_theory.numerics.floats import Floats
from trpo_theory.proofs.decide import Decision
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.settle import settle
from trpo_theory.search.coverage import Counts
from trpo_theory.search.least import Least
from trpo_theory.search.scales import least_of, scaled
from trpo_theory.search.screened import Screened
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.fields import GIVEN
from trpo_theory.step.instances import Instances
from trpo_theory.step.quantities import Quantities

_PROVED_NEGATIVE = 12
"""How many clearly negative instances of each size are decided in ball arithmetic, until one refutes. Chosen."""
_NEAR_EACH = 3
"""How many of those are kept of each batch by the slack over the noise, and over the gap, by which tiny steps count. Chosen."""
_SMALLEST = float(np.finfo(np.float64).tiny)
"""Stands for a gap of 0."""
_PROVED_NEAR = 24
"""How many instances whose slack is below 0 by rounding only are decided in ball arithmetic, of a whole search. Chosen."""
NEAR_OF_PROVED = 6
"""The same of a claim that has a proof. Chosen: balls are then a fifth of its time, not half of it."""
_LARGEST_NEAR = 25
"""Up to so many states. Chosen: some claims take seconds of a larger one, whose slack is within rounding as its sums are long."""
_TIE = Fraction(1, 2**1000)
_FLOATS_ONLY = (
    "its hypotheses hold in floats only: write q.close(x, y) or an inequality for an equality that rounding decides"
)
_ROUNDING = 1e-13
"""Relative: equalities that rounding alone decides. Chosen: some hundred roundings."""
_SHOWN = 3
"""Constants that a note names. Chosen."""

Candidate = tuple[float, Instances]
"""A batch of one, with the number that the least of come first."""


@dataclass
class Findings:
    """What was tried and found.

    Attributes:
        relation: of the claim.
        counts: how many instances, how many of them were effective, and what they covered.
        least: of the effective ones.
        standing: of those of them whose slack is not clearly negative; of the others the slack, where it is proved, in balls, not
            to be negative.
        within_rounding: effective instances whose slack and terms are both within rounding of 0: none of the above.
        near: instances (of an inequality) whose slack is below 0 by no more than rounding, not decided in ball arithmetic.
        refuted: an instance on which the claim is proved false, with its proof.
        undecided: instances that neither floats nor balls decide.
        ties: instances whose slack is 0 to a thousand bits, and not known to be exactly 0: equalities, in all likelihood.
        batched: whether the formula could be run on batches.
        note: why balls could not decide.
        most_near: how many of those near 0 are decided in balls at most.
    """

    relation: str = ">="
    counts: Counts = field(default_factory=Counts)
    least: Least = field(default_factory=Least)
    standing: Least = field(default_factory=Least)
    within_rounding: int = 0
    near: int = 0
    refuted: tuple[ExactInstance, Decision] | None = None
    undecided: int = 0
    ties: int = 0
    batched: bool = True
    note: str = ""
    most_near: int = _PROVED_NEAR
    _negative: list[Candidate] = field(default_factory=list)
    _near: list[Candidate] = field(default_factory=list)
    _near_by_gap: list[Candidate] = field(default_factory=list)

    def add(self, instances: Instances, screened: Screened, instrument: str = "given instances") -> np.ndarray:
        """Count a batch of an instrument, and keep its least instances for the balls.

        Returns:
            Which of them are effective and such that floats resolve their slack, (B,).
        """
        effective = self.counts.add(instrument, instances, screened)
        resolved = effective & ~screened.silent
        self.within_rounding += int((effective & screened.unresolved).sum())
        self.near += int(screened.near.sum()) if self.relation == ">=" else 0
        self._note_least(screened, resolved)
        self._keep(instances, screened, scaled(screened, "reward"))
        return resolved

    def _note_least(self, screened: Screened, resolved: np.ndarray) -> None:
        """The least numbers, of the instances whose slack floats resolve."""
        clear = screened.clear_slack
        share = np.where(np.isnan(screened.share), np.inf, np.where(clear == 0, 0.0, screened.share))
        values = np.stack([clear, scaled(screened, "gap"), share])
        self.least &= Least(*values[:, resolved].min(1, initial=np.inf).tolist())
        self.standing &= Least(*values[:, resolved & (clear >= 0)].min(1, initial=np.inf).tolist())

    def _keep(self, instances: Instances, screened: Screened, by_reward: np.ndarray) -> None:
        """The least instances, for the balls: whether effective or not."""
        for index in least_of(by_reward, _PROVED_NEGATIVE):
            if by_reward[index] < 0:
                self._negative.append((float(by_reward[index]), instances.take([index])))
        near = screened.near
        (index,), taken = np.nonzero(near), np.zeros(len(near), dtype=bool)
        for kept, unit in ((self._near, screened.noise), (self._near_by_gap, screened.gap + _SMALLEST)):
            with np.errstate(over="ignore"):
                share = screened.slack[index] / unit[index]
            for which in np.argsort(share)[:_NEAR_EACH]:
                if not taken[index[which]]:
                    kept.append((float(share[which]), instances.take(index[[which]])))
                    taken[index[which]] = True

    def prove(self, claim: Claim) -> None:
        """Decide the clearly negative ones in balls, small ones first, until one is refuted."""
        by_shape = _by_shape(self._negative)
        self._negative = []
        for shape, found in by_shape.items():
            for _, one in found[:_PROVED_NEGATIVE]:
                if self.wants(shape) and self._refutes(claim, one.exact(0), negative=True):
                    return

    def prove_near(self, claim: Claim) -> None:
        """Decide some of those near 0, at the end of a search: unless one is refuted already, until one is.

        The least of each size come first, then the second of each, so that no size crowds out the others.
        """
        ranked = [_by_rank(found)[: self.most_near // 2] for found in (self._near, self._near_by_gap)]
        self._near, self._near_by_gap = [], []
        if self.refuted is not None:
            return
        for one in (one for found in ranked for one in found):
            self._leave_near()
            if self._refutes(claim, one.exact(0)):
                return

    def forget_near(self) -> None:
        """Count none as near 0: what a solver leaves of a slack says nothing."""
        self.near, self._near, self._near_by_gap = 0, [], []

    def _leave_near(self) -> None:
        """An instance whose slack is within rounding is decided now: it no longer counts as near, if it did."""
        self.near -= self.relation == ">="

    def wants(self, shape: tuple[int, int]) -> bool:
        """Whether a counterexample of that size would be the smallest so far."""
        if self.refuted is None:
            return True
        instance = self.refuted[0]
        return shape[0] * shape[1] < instance.states * instance.actions

    def _refutes(self, claim: Claim, instance: ExactInstance, *, negative: bool = False) -> bool:
        """Decide one instance. A clearly negative one whose hypotheses fail in exact numbers is no support for the claim."""
        try:
            decision = settle(claim, instance)
        except ClaimFailed as error:
            self.undecided, self.note = self.undecided + 1, f"in balls, {error}"
            return False
        if decision.verdict is Outcome.VACUOUS and negative and _holds_to_rounding(claim, instance):
            self.undecided, self.note = self.undecided + 1, _FLOATS_ONLY
        if decision.verdict is Outcome.PROVED and negative and decision.lower is not None:
            self.standing &= Least(slack=float_toward(decision.lower, Toward.DOWN))
        if decision.verdict is Outcome.REFUTED and self.wants((instance.states, instance.actions)):
            self.refuted = instance, decision
        if decision.verdict is Outcome.UNDECIDED and decision.constants:
            self.undecided, self.note = self.undecided + 1, _depends_on(decision.constants)
        elif decision.verdict is Outcome.UNDECIDED:
            tie = decision.lower is not None and max(abs(decision.lower), abs(decision.upper or 0)) < _TIE
            self.ties, self.undecided = self.ties + tie, self.undecided + (not tie)
        return decision.verdict is Outcome.REFUTED


class _HardlyClose(Floats):
    """Floats in which `close` allows for little more than rounding."""

    @staticmethod
    def close(x: Array, y: Array) -> Array:
        """Whether x = y to a relative 1e-13 of the larger."""
        return np.abs(np.subtract(x, y)) <= _ROUNDING * np.maximum(np.abs(x), np.abs(y))


def _holds_to_rounding(claim: Claim, instance: ExactInstance) -> bool:
    """Whether the hypotheses hold in floats, and not only since q.close allows for 1e-9: a search goes to that edge."""
    q = Instances.of_exact([instance]).one(0)
    strict = Quantities(_HardlyClose(), **{name: getattr(q, name) for name in GIVEN})
    with np.errstate(all="ignore"):
        return bool(np.all(np.asarray(claim.met(claim.stepped(strict)))))


def _by_shape(candidates: list[Candidate]) -> dict[tuple[int, int], list[Candidate]]:
    """By size, the smallest first, and the least of each first."""
    found: dict[tuple[int, int], list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda one: (math.prod(one[1].shape), one[1].shape, one[0])):
        found.setdefault(candidate[1].shape, []).append(candidate)
    return found


def _by_rank(candidates: list[Candidate]) -> list[Instances]:
    """The least of each size, the smallest size first, then the second of each, and so on; none of very many states."""
    groups = [found for (states, _), found in _by_shape(candidates).items() if states <= _LARGEST_NEAR]
    return [one for rank in itertools.zip_longest(*groups) for _, one in filter(None, rank)]


def _depends_on(constants: tuple[float, ...]) -> str:
    """The note on an instance that rounded constants leave open."""
    shown = ", ".join(map(repr, constants[:_SHOWN])) + ", ..." * (len(constants) > _SHOWN)
    several = "s" * (len(constants) > 1)
    return (
        f"it depends on the exact value of the rounded constant{several} {shown} in the formula: "
        "write an exact number, such as Fraction(1, 3) for 1 / 3"
    )
