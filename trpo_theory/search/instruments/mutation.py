"""The directed search by mutation and selection."""

from __future__ import annotations

import numpy as np

from trpo_theory.search.forms import FORMS, formed
from trpo_theory.search.hunt import Hunt
from trpo_theory.search.impose import impose
from trpo_theory.search.instrument import Instrument
from trpo_theory.search.mutation import mutated
from trpo_theory.search.worst_reward import visits_of
from trpo_theory.step.instances import Instances

SMALL = ((1, 2), (2, 2), (2, 3), (3, 2), (3, 3))
"""Sizes that are searched, in the order in which a witness is wanted."""
WIDER = ((4, 2), (5, 2))
"""Sizes that a longer search adds. Chosen."""
_OTHERS, _MOST_STATES = 3, 12
"""How many sizes are searched where the hypotheses are met at none of those, and how large they may be. Chosen."""
GENERATIONS = 50
"""Of each size. Chosen: ratios of the catalogue's bounds settle in fewer."""
_SETTLED = 15
"""Generations of a size without a better instance, after which the search of it ends. Chosen: of the catalogue's claims the least
slack falls in fewer, or no more."""
_SETTLED_BELOW = 30
"""The same of a size below that of what refutes the claim. Chosen: there are few such searches, and a smaller witness is read."""
_BETTER = 0.01
"""By which share of itself the least slack must fall for an instance to be better. Chosen."""
_LEAST_FALL = 1e-6
"""And by how much at least, over the gap or over the rewards. Chosen: of a bound that is attained it falls for ever."""
_ONE_BY_ONE = 18
"""Of a formula that is run one instance at a time, of which the hunt tries few children a generation. Measured: so many take as
long as a claim that is run on batches, 2 s in all."""
_FORMS = 4
"""Different forms in each generation. Chosen."""
_CHILDREN = 360
"""In each generation. Chosen: a batch that the cache holds."""


class Mutation(Instrument):
    """Mutates the best instances of a size, of which the hunt keeps the best of parents and children, for some generations."""

    name = "mutation"
    descends = True

    def run(self, hunt: Hunt, effort: int) -> None:
        """The small sizes, each as long as a refutation of that size would be the smallest; others where those are excluded."""
        usual = (*SMALL, *WIDER) if effort > 1 else SMALL
        met = [shape for shape in hunt.sizes_met() if shape[0] <= _MOST_STATES]
        sizes = usual if not met or not set(usual).isdisjoint(met) else met[:_OTHERS]
        for shape in hunt.sizes(sizes):
            if hunt.wants(shape):
                generations = GENERATIONS if hunt.screen.batched else _ONE_BY_ONE
                patience = _SETTLED if hunt.findings.refuted is None or shape[0] == 1 else _SETTLED_BELOW
                descend(hunt, shape, generations * effort, patience * effort)
                hunt.prove()


def descend(hunt: Hunt, shape: tuple[int, int], generations: int, settled: int | None = None) -> None:
    """So many generations of children of the best instances of a size, fewer if in the last so many none is better.

    Half of the parents are those of least slack over gap, half of least slack over the size of the rewards; an instance that
    does not meet the hypotheses comes last.
    """
    least, since = np.full(2, np.inf) if settled is None else hunt.least(shape), 0
    for _ in range(generations):
        parents, _ = hunt.best(shape)
        chosen = parents.take(hunt.generator.integers(0, len(parents), _CHILDREN))
        children = impose(mutated(chosen, hunt.generator, hunt.screen.reads), hunt.claim.instance_needs)
        hunt.try_out(children if hunt.only is None else _in_forms(hunt, children))
        if settled is None:
            continue
        reached, since = hunt.least(shape), since + 1
        with np.errstate(invalid="ignore", over="ignore"):  # nothing found yet, ∞ − ∞, is no fall
            falls = least - reached > np.maximum(_BETTER * np.abs(least), _LEAST_FALL)
        if falls.any():
            least, since = reached, 0
        if since == settled:
            return


def _in_forms(hunt: Hunt, children: Instances) -> Instances:
    """Half of them with steps and rewards of some form each: what costs too much for a claim, but not for one bound."""
    some = hunt.generator.integers(1, FORMS, _FORMS)
    forms = hunt.generator.choice(some, len(children))
    chosen = np.where(hunt.generator.random(len(children)) < 0.5, forms, 0)
    return formed(children, chosen, visits_of(hunt.claim))
