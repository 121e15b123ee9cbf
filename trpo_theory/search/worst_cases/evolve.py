"""The float search for the largest ratio of a bound: families and random instances, mutation and selection, local ascent."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from trpo_theory.search.battery import family_instances, random_instances
from trpo_theory.search.climbing import ascend
from trpo_theory.search.forms import FORMS, formed
from trpo_theory.search.mutation import mutated
from trpo_theory.search.worst_cases.ratio import Ratio
from trpo_theory.step.instances import Instances, joined

ENOUGH = 1000.0
"""A ratio beyond it ends the search. Chosen: ratios of a bound that no constant repairs grow without limit."""
CHAMPIONS = 3
"""So many of the best are rounded to rationals. Chosen."""
_RANDOM, _FAMILY = 120, 12
_ROUNDS, _GENERATIONS = 3, 12
_PARENTS, _CHILDREN, _CLIMBERS = 48, 360, 8
_KEPT_FORM = 0.5
"""Share of the children that keep their parent's form of reward. Chosen."""


@dataclass(frozen=True, eq=False)
class Found:
    """Instances, where their rewards come from, (B,), and their ratios, (B,)."""

    instances: Instances
    forms: np.ndarray
    ratios: np.ndarray

    def best(self, count: int) -> Found:
        """The best, first; of those that tie to six digits the latest only, so that ties drift and cannot crowd."""
        latest = np.unique(-np.round(self.ratios[::-1], 6), return_index=True)[1]
        index = len(self.ratios) - 1 - latest[:count]
        index = index[np.isfinite(self.ratios[index])]
        return Found(self.instances.take(index), self.forms[index], self.ratios[index])

    def __add__(self, other: Found) -> Found:
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in dataclasses.fields(self)[1:])
        return Found(joined([self.instances, other.instances]), *(np.concatenate(pair) for pair in pairs))


def search(ratio: Ratio, gamma: float, shape: tuple[int, int], generator: np.random.Generator, restarts: int) -> Found:
    """The best instances found of this discount and size; none where no instance has a ratio.

    So many searches from fresh starts, then one that starts from the best of them all.
    """
    found = None
    for _ in range(restarts):
        begun = _starts(ratio, gamma, shape, generator).best(_PARENTS)
        one = _evolved(ratio, begun, generator)
        found = one if found is None else found + one
        if len(found.ratios) and found.ratios.max() > ENOUGH:
            break
    assert found is not None
    return found if restarts == 1 else _evolved(ratio, found.best(_PARENTS), generator)


def _starts(ratio: Ratio, gamma: float, shape: tuple[int, int], generator: np.random.Generator) -> Found:
    """Random instances, and the zoo's families that fit into this size, each with rewards of every form."""
    parts = [random_instances(generator, ratio.fewer(_RANDOM), *shape)]
    for part in family_instances(generator, ratio.fewer(_FAMILY)):
        if part.shape[0] <= shape[0] and part.shape[1] <= shape[1]:
            parts.append(_padded(part, shape))
    instances = joined(parts * FORMS)
    count = len(instances) // FORMS
    return _judged(ratio, gamma, instances, np.repeat(np.arange(FORMS), count))


def _judged(ratio: Ratio, gamma: float, instances: Instances, forms: np.ndarray) -> Found:
    instances = ratio.stripped(instances.replace(gamma=np.full(len(instances), gamma)))
    instances = formed(instances, forms)
    return Found(instances, forms, ratio(instances))


def _evolved(ratio: Ratio, found: Found, generator: np.random.Generator) -> Found:
    for left in reversed(range(_ROUNDS)):
        for _ in range(_GENERATIONS):
            if not len(found.ratios) or found.ratios.max() > ENOUGH:
                return found
            parents = generator.integers(0, len(found.ratios), ratio.fewer(_CHILDREN))
            children = mutated(found.instances.take(parents), generator)
            kept = generator.random(len(parents)) < _KEPT_FORM
            forms = np.where(kept, found.forms[parents], generator.integers(0, FORMS, len(parents)))
            found = (found + _judged(ratio, float(found.instances.gamma[0]), children, forms)).best(_PARENTS)
        if ratio.batched:
            climbers = found.best(_CLIMBERS)
            reached, ratios = ascend(ratio, climbers.instances, climbers.forms, exact=not left)
            found = (found + Found(reached, climbers.forms, ratios)).best(_PARENTS)
    return found


def _padded(part: Instances, shape: tuple[int, int]) -> Instances:
    """The instances in a larger size: their last state again and again, never reached; their first action, never taken."""
    small = part.shape
    states = np.minimum(np.arange(shape[0]), small[0] - 1)
    actions = np.where(np.arange(shape[1]) < small[1], np.arange(shape[1]), 0)
    shown = (np.arange(shape[1]) < small[1]).astype(float)
    new_state = np.arange(shape[0]) < small[0]

    def rows(array: np.ndarray) -> np.ndarray:
        return array[:, states][:, :, actions]

    return Instances.of_arrays(
        rows(part.transition)[..., states] * new_state,
        rows(part.reward),
        part.gamma,
        part.initial[:, states] * new_state,
        rows(part.old) * shown,
        rows(part.new) * shown,
        noise=rows(part.noise),
        size=part.size,
    )
