"""`Hunt`: one search for a counterexample to a claim, which the instruments share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.search.coverage import Counts, describe
from trpo_theory.search.findings import NEAR_OF_PROVED, Findings
from trpo_theory.search.impose import impose
from trpo_theory.search.scales import best_of, scaled, share_of_terms
from trpo_theory.search.screen import Screen
from trpo_theory.search.screened import ONE_BY_ONE_SHARE, SAYS_NOTHING, Screened, spread
from trpo_theory.search.slack_kind import SlackKind, kind_of
from trpo_theory.search.witnesses import FEW_STATES, sharp_witnesses
from trpo_theory.step.instances import Instances, joined
from trpo_theory.step.quantities import Quantities

Batch = tuple[Instances, Quantities | None]
"""Instances of one size, and their quantities, where those may be shared with other claims."""
Drawn = Callable[[], list[Batch]]
Make = Callable[[np.random.Generator], list[Instances]]
"""Makes instances that any claim with the same needs can be tried on."""


class Only(NamedTuple):
    """The discount and the size of all instances of a search."""

    gamma: float
    shape: tuple[int, int]


class Hunt:
    """A search for a counterexample to one claim: every instrument tries instances out here, and starts from the best there are.

    Attributes:
        claim: the claim.
        screen: its slack in floats.
        kind: what its slack is made of.
        generator: of the instruments' random numbers.
        findings: counts, and what is refuted.
        only: the discount and the size of all instances, where those are given.
        proved: whether the claim has a proof, so that no instances are improved where enough put it to the test.
        instances: how many are drawn at random.
        instrument: the name of the one at work, under which instances are counted: `Instrument.use` sets it.
    """

    claim: Claim
    generator: np.random.Generator
    instances: int
    screen: Screen
    kind: SlackKind
    findings: Findings
    only: Only | None
    proved: bool
    instrument: str

    def __init__(
        self,
        claim: Claim,
        generator: np.random.Generator,
        *,
        instances: int,
        drawn: Drawn | None = None,
        shared: Callable[[str, Make], list[Batch]] | None = None,
        findings: Findings | None = None,
        only: Only | None = None,
        proved: bool = False,
    ) -> None:
        """Begin.

        Args:
            claim: the claim.
            generator: of the instruments' random numbers.
            instances: how many are drawn at random.
            drawn: makes those, one batch a size, where several claims share them; else they are drawn from the generator.
            shared: keeps other instances that several claims share, by a name; likewise.
            findings: where what is found is written down; new ones if left out.
            only: the discount and the size of all instances, where those are given.
            proved: whether the claim has a proof.

        Raises:
            ClaimFailed: if the claim's own code raises an exception.
        """
        self.claim, self.generator, self.instances = claim, generator, instances
        self.screen = Screen(claim)
        self.kind = kind_of(self.screen)
        self.findings = Findings(claim.relation) if findings is None else findings
        self.findings.batched, self.findings.counts = self.screen.batched, Counts(self.screen.reads)
        if proved:
            self.findings.most_near = NEAR_OF_PROVED
        self.only, self.proved, self.instrument = only, proved, "given instances"
        self._drawn, self._shared = drawn, shared
        self._best: dict[tuple[int, int], tuple[Instances, Screened]] = {}
        self._latest: dict[tuple[int, int], tuple[Instances, Screened]] = {}  # whose best are not among those yet

    def drawn(self) -> list[Batch] | None:
        """The instances that several claims share, one batch a size; None where each draws its own."""
        return None if self._drawn is None else self._drawn()

    def shared(self, name: str, make: Make) -> list[Batch]:
        """Instances that depend on nothing of the claim but on what it needs, made once for all such claims."""
        return [(batch, None) for batch in make(self.generator)] if self._shared is None else self._shared(name, make)

    def witnesses(self) -> Iterator[Batch]:
        """The witnesses of the sharp gap, with what the claim needs, a batch a size; those of few states if it is proved."""
        needs = self.claim.instance_needs
        few = sharp_witnesses(FEW_STATES)
        yield from self.shared("witnesses", lambda _: [impose(batch, needs) for batch in few])
        if not self.proved:
            large = [batch for batch in sharp_witnesses() if batch.shape[0] > FEW_STATES]
            yield from self.shared("large witnesses", lambda _: [impose(batch, needs) for batch in large])

    def try_out(self, instances: Instances, q: Quantities | None = None) -> Screened:
        """Evaluate the claim on instances of one size, count them, and keep the best and the refuting ones.

        Of a formula that is run one instance at a time, on some of them only.
        """
        if not self.screen.batched:
            instances = instances.take(spread(len(instances), ONE_BY_ONE_SHARE))
        elif q is not None:
            describe(instances, q)
        screened = self.screen(instances, q)
        self.findings.batched = self.findings.batched and self.screen.batched
        self.count(instances, screened)
        return screened

    def count(self, instances: Instances, screened: Screened) -> None:
        """Count what an instrument evaluated itself, and keep the best and the refuting ones."""
        self.findings.add(instances, screened, self.instrument)
        if instances.shape in self._latest:
            self._choose(instances.shape)
        self._latest[instances.shape] = instances, screened

    def _choose(self, shape: tuple[int, int]) -> None:
        """The best of a size, among those before and its latest batch: found where they are asked for, or another batch comes."""
        if shape not in self._latest:
            return
        instances, screened = self._latest.pop(shape)
        if shape not in self._best:
            best = best_of(self.kind, screened)
            self._best[shape] = instances.take(best), screened.take(best)
            return
        known, of_known = self._best[shape]
        best = best_of(self.kind, of_known, screened)
        old, new = best[best < len(known)], best[best >= len(known)] - len(known)
        self._best[shape] = joined([known.take(old), instances.take(new)]), of_known.take(old) + screened.take(new)

    def sizes(self, usual: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
        """The sizes that an instrument is to search: the usual ones, unless one is given."""
        return usual if self.only is None else [self.only.shape]

    def sizes_met(self) -> list[tuple[int, int]]:
        """The sizes of which an instance met the hypotheses, the smallest first."""
        tried = (*self._best.items(), *self._latest.items())
        met = {shape for shape, (_, screened) in tried if screened.met.any()}
        return sorted(met, key=lambda shape: (shape[0] * shape[1], shape))

    def best(self, shape: tuple[int, int]) -> tuple[Instances, Screened]:
        """The best instances of a size that was tried, with their slacks in floats."""
        self._choose(shape)
        return self._best[shape]

    def least(self, shape: tuple[int, int]) -> np.ndarray:
        """The least slack of a size by either scale, (2,)."""
        _, screened = self.best(shape)
        scales = share_of_terms(screened, self.kind), scaled(screened, "reward")
        return np.array([np.minimum(order.min(), SAYS_NOTHING) for order in scales])

    def wants(self, shape: tuple[int, int]) -> bool:
        """Whether a counterexample of that size would be the smallest so far, and instances of it are there to start from."""
        return (shape in self._best or shape in self._latest) and self.findings.wants(shape)

    def prove(self) -> None:
        """Decide in ball arithmetic the slacks that are negative in floats, small instances first, until one is refuted."""
        self.findings.prove(self.claim)

    def prove_near(self) -> None:
        """Decide in ball arithmetic, at the end of the search, some of the slacks whose sign floats do not resolve."""
        self.findings.prove_near(self.claim)
