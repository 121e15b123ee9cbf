"""The hunt for a counterexample to one claim: the battery, then a directed search on small sizes, then a proof in balls."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed
from trpo_theory.proofs.decide import Decision
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.settle import settle
from trpo_theory.search.descent import GENERATIONS, descend, scaled
from trpo_theory.search.screen import Screen, Screened
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.instances import Instances
from trpo_theory.step.quantities import Quantities

SMALL = ((1, 2), (2, 2), (2, 3), (3, 2), (3, 3))
"""Sizes that the directed search is run on, in the order in which a witness is wanted."""
_WIDER = ((4, 2), (5, 2))
"""Sizes that a hard search adds. Chosen."""
_HARD = 8
"""A hard search is made on wider sizes too, and is so many times as long. Chosen."""
_PROVED_NEGATIVE = 12
"""How many clearly negative instances of each batch are decided in ball arithmetic, until one refutes. Chosen."""
_PROVED_NEAR = 24
"""How many instances whose slack is below 0 by rounding only are decided in ball arithmetic, of all batches. Chosen."""
_ONE_BY_ONE_SHARE = 0.05
"""Share of the instances that a formula is run on that cannot be batched. Chosen: it is some 20 times slower."""
_TIE = Fraction(1, 2**1000)
_FLOATS_ONLY = (
    "its hypotheses hold in floats only: write q.close(x, y) or an inequality for an equality that rounding decides"
)
_SHOWN = 3
"""Constants that a note names. Chosen."""

Batch = tuple[Instances, Quantities | None]


@dataclass
class Hunt:
    """What was tried and found.

    Attributes:
        relation: of the claim.
        tried, effective: how many instances, and how many of them met the hypotheses.
        min_slack: the least slack of those, in the claim's own units; one within rounding of 0 counts as 0.
        min_ratio: the least slack over |η(new) − L|.
        near: instances (of an inequality) whose slack is below 0 by no more than rounding, not decided in ball arithmetic.
        refuted: an instance on which the claim is proved false, with its proof.
        undecided: instances that neither floats nor balls decide.
        ties: instances whose slack is 0 to a thousand bits, and not known to be exactly 0: equalities, in all likelihood.
        batched: whether the formula could be run on batches.
        note: why balls could not decide.
    """

    relation: str = ">="
    tried: int = 0
    effective: int = 0
    min_slack: float = np.inf
    min_ratio: float = np.inf
    near: int = 0
    refuted: tuple[ExactInstance, Decision] | None = None
    undecided: int = 0
    ties: int = 0
    batched: bool = True
    note: str = ""
    _negative: list[tuple[Any, ...]] = field(default_factory=list)
    _near: list[tuple[Any, ...]] = field(default_factory=list)

    def add(self, instances: Instances, screened: Screened, tried: int, effective: int) -> None:
        """Count a batch, or a search of which these are the best, and keep its least instances for the balls."""
        self.tried, self.effective = self.tried + tried, self.effective + effective
        if not screened.met.any():
            return
        ratio = scaled(screened, "gap")
        self.min_slack = min(self.min_slack, float(screened.clear_slack[screened.met].min()))
        self.min_ratio = min(self.min_ratio, float(ratio[screened.met].min()))
        size = instances.shape[0] * instances.shape[1]
        by_reward = scaled(screened, "reward")
        for index in least_of(by_reward, _PROVED_NEGATIVE):
            if by_reward[index] < 0:
                self._negative.append((size, float(by_reward[index]), instances, int(index)))
        near = screened.near
        self.near += int(near.sum()) if self.relation == ">=" else 0
        share = screened.slack[near] / screened.noise[near]
        for which in np.argsort(share)[:4]:
            self._near.append((float(share[which]), instances, int(np.flatnonzero(near)[which])))

    def prove(self, claim: Claim) -> None:
        """Decide the clearly negative ones in balls, small ones first, until one is refuted; if none is, those near 0."""
        self._negative.sort(key=lambda found: found[:2])
        negative, self._negative = self._negative, []
        if any(self._refutes(claim, instances.exact(index), negative=True) for _, _, instances, index in negative):
            return
        self._near.sort(key=lambda found: found[0])
        near, self._near = self._near[:_PROVED_NEAR], []
        for _, instances, index in near:
            self._leave_near()
            if self._refutes(claim, instances.exact(index)):
                return

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
        if decision.verdict is Outcome.VACUOUS and negative:
            self.undecided, self.note = self.undecided + 1, _FLOATS_ONLY
        if decision.verdict is Outcome.REFUTED and self.wants((instance.states, instance.actions)):
            self.refuted = instance, decision
        if decision.verdict is Outcome.UNDECIDED and decision.constants:
            self.undecided, self.note = self.undecided + 1, _depends_on(decision.constants)
        elif decision.verdict is Outcome.UNDECIDED:
            tie = decision.lower is not None and max(abs(decision.lower), abs(decision.upper or 0)) < _TIE
            self.ties, self.undecided = self.ties + tie, self.undecided + (not tie)
        return decision.verdict is Outcome.REFUTED


def _depends_on(constants: tuple[float, ...]) -> str:
    """The note on an instance that rounded constants leave open."""
    shown = ", ".join(map(repr, constants[:_SHOWN])) + ", ..." * (len(constants) > _SHOWN)
    several = "s" * (len(constants) > 1)
    return (
        f"it depends on the exact value of the rounded constant{several} {shown} in the formula: "
        "write an exact number, such as Fraction(1, 3) for 1 / 3"
    )


def least_of(order: np.ndarray, count: int) -> np.ndarray:
    """Where the least `count` entries are, the first of equal ones first, without sorting all."""
    if len(order) > count:
        (candidates,) = np.nonzero(order <= np.partition(order, count)[count])
        return candidates[np.argsort(order[candidates], kind="stable")[:count]]
    return np.argsort(order, kind="stable")


def hunt(
    claim: Claim,
    batches: list[Batch],
    generator: np.random.Generator,
    *,
    hard: bool = False,
    found: Hunt | None = None,
) -> Hunt:
    """Search for a counterexample: on the batches, by descent from their best, and prove what is found.

    Args:
        claim: the claim.
        batches: instances, one batch a size, with their quantities where other claims may read the same.
        generator: of the descents.
        hard: search wider and longer, as is done for an open claim.
        found: where it is written down; a new one if left out.

    Raises:
        ClaimFailed: if the claim's own code raises an exception.
    """
    screen, found = Screen(claim), Hunt(claim.relation) if found is None else found
    starts: dict[tuple[int, int], Instances] = {}
    for instances, q in batches:
        if not screen.batched:
            instances = instances.take(slice(max(8, int(_ONE_BY_ONE_SHARE * len(instances)))))
        screened = screen(instances, q)
        found.add(instances, screened, len(instances), int(screened.met.sum()))
        best = np.unique(np.concatenate([np.argsort(scaled(screened, scale))[:48] for scale in ("gap", "reward")]))
        starts[instances.shape] = instances.take(best)
    found.batched = screen.batched
    found.prove(claim)
    for shape in (*SMALL, *_WIDER) if hard else SMALL:
        if shape not in starts or not found.wants(shape):
            continue
        rounds = GENERATIONS * (_HARD if hard else 1) if found.batched else 1
        best, screened, tried, met = descend(screen, starts[shape], generator, generations=rounds, needs=claim.needs)
        found.add(best, screened, tried, met)
        found.prove(claim)
    return found
