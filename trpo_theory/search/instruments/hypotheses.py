"""The search on rare hypotheses: first for instances that meet them, then among these."""

from __future__ import annotations

import dataclasses

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.search.battery import random_instances
from trpo_theory.search.hunt import Hunt
from trpo_theory.search.hypotheses import Fitting
from trpo_theory.search.impose import impose
from trpo_theory.search.instrument import Instrument
from trpo_theory.search.mutation import mutated
from trpo_theory.search.scales import best_of, least_of
from trpo_theory.search.screened import Screened
from trpo_theory.step.instances import Instances, joined

_RARE = 0.05
"""Share of the instances drawn that meet hypotheses which are met often enough. Chosen."""
_SHAPES = ((1, 2), (2, 2), (2, 3), (3, 2), (3, 3), (4, 2), (5, 2))
"""Sizes that are searched."""
_DRAWN = 400
"""Instances that a search begins among. Chosen."""
_CLOSEST = 48
"""Of these, how many of least violation begin, beside the best whatever the hypotheses. Chosen."""
_COPIES = 4
"""Times that each of the best is moved towards the hypotheses. Chosen."""
_REACHING = 30
"""Generations that look for instances that meet the hypotheses, at most. Chosen: five reach nearly all, thirty an equality."""
_WANTED = 64
"""Instances that meet them, until the search turns to the slack. Chosen."""
_DESCENDING = 15
"""Generations of the search among them. Chosen: mutation goes on from there."""
_CHILDREN = 240
"""In each. Chosen, as for mutation."""
_ONE_BY_ONE = 10
"""Times fewer generations and instances of a formula that is not run on batches. Chosen."""


class HypothesisSearch(Instrument):
    """Looks for a small violation of hypotheses that few instances meet, and for a small slack among those found."""

    name = "hypothesis search"

    def suits(self, claim: Claim) -> bool:
        """Those with hypotheses."""
        return super().suits(claim) and claim.given is not None

    def run(self, hunt: Hunt, effort: int) -> None:
        """Every size, as long as its refutation would be the smallest, where few of the instances drawn meet the hypotheses."""
        less = 1 if hunt.screen.batched and not hunt.screen.written_for_one else _ONE_BY_ONE
        drawn = {shape: _drawn(hunt, shape, _DRAWN // less) for shape in _SHAPES}
        screened = {shape: hunt.screen(batch) for shape, batch in drawn.items()}
        if np.mean([one.tests.mean() for one in screened.values()]) > _RARE:
            return
        for shape in _SHAPES:
            if hunt.findings.wants(shape):
                self._search(hunt, drawn[shape], screened[shape], effort, less)
                hunt.prove()

    @staticmethod
    def _search(hunt: Hunt, drawn: Instances, screened: Screened, effort: int, less: int) -> None:
        """Among instances of one size."""
        fitting = Fitting(hunt.screen, hunt.generator)
        closest = drawn.take(least_of(hunt.screen.violation(drawn), _CLOSEST))
        best = best_of(hunt.kind, dataclasses.replace(screened, met=np.full(len(drawn), True)))
        moved, _ = fitting.moved(drawn.take(np.tile(best, _COPIES)))
        found = fitting.reach(joined([closest, moved]), _REACHING * effort // less, _WANTED // less)
        if not len(found):
            return
        hunt.try_out(found)
        for _ in range(_DESCENDING * effort // less):
            parents, _ = hunt.best(drawn.shape)
            chosen = parents.take(hunt.generator.integers(0, len(parents), _CHILDREN // less))
            children, missed = fitting.moved(impose(mutated(chosen, hunt.generator), hunt.claim.instance_needs))
            if (missed == 0).any():
                hunt.try_out(children.take(missed == 0))


def _drawn(hunt: Hunt, shape: tuple[int, int], most: int) -> Instances:
    """Instances of a size: some of those that several claims share, if there are any."""
    shared = next((batch for batch, _ in hunt.drawn() or [] if batch.shape == shape), None)
    if shared is None:
        return impose(random_instances(hunt.generator, most, *shape), hunt.claim.instance_needs)
    return shared.take(
        np.linspace(0, len(shared) - 1, min(most, len(shared))).astype(int)
    )  # of all kinds: families come last
