"""The float search for the worst case of a bound: the instruments of every search, at one discount and size."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from trpo_theory.search.battery import random_instances
from trpo_theory.search.forms import FORMS, formed
from trpo_theory.search.hunt import Hunt, Only
from trpo_theory.search.instruments.ascent import climb
from trpo_theory.search.instruments.mutation import descend
from trpo_theory.search.instruments.samples import Samples
from trpo_theory.search.instruments.witnesses import SharpWitnesses
from trpo_theory.search.padding import padded
from trpo_theory.search.screened import Screened
from trpo_theory.search.settings import furnished
from trpo_theory.search.worst_cases.ratio import Ratio
from trpo_theory.step.instances import Instances, joined
from trpo_theory.step.quantities import Quantities

ENOUGH = 1000.0
"""A ratio beyond it ends the search. Chosen: ratios of a bound that no constant repairs grow without limit."""
_INSTANCES = 2000
"""Drawn at random for each start, a fifth of them of the zoo's families. Chosen."""
_ROUNDS, _GENERATIONS = 4, 12
_PARENTS, _STEPS, _CLIMBERS = 48, 60, 8
"""Instances that are kept, and of each climb the steps and where it begins. Chosen: few take more than half of the steps."""
CHAMPIONS = 3
"""So many of the best are rounded to rationals. Chosen."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where all instances of a search are: one discount and size, the bound's setting, and one horizon, if given."""

    only: Only
    setting: frozenset[str] = frozenset()
    horizon: int | None = None

    def __call__(self, instances: Instances) -> Instances:
        """The instances there; they may be smaller."""
        made = furnished(padded(instances, self.only.shape), self.setting)
        made = made.replace(gamma=np.full(len(made), self.only.gamma))
        return made if self.horizon is None else made.replace(horizon=np.full(len(made), self.horizon))


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

    @classmethod
    def none(cls, place: Place) -> Found:
        """None of that size and setting."""
        one = place(random_instances(np.random.default_rng(0), 1, *place.only.shape))
        return cls(one.take(slice(0)), np.empty(0, dtype=int), np.empty(0))

    @property
    def largest(self) -> float:
        """The largest ratio; −∞ of none."""
        return float(self.ratios.max(initial=-np.inf))

    def __add__(self, other: Found) -> Found:
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in dataclasses.fields(self)[1:])
        return Found(joined([self.instances, other.instances]), *(np.concatenate(pair) for pair in pairs))


class WorstCaseHunt(Hunt):
    """A search whose objective is the ratio of a bound, and that keeps the instances of the largest.

    Attributes:
        ratio: the objective.
        found: the best instances, with their ratios.
    """

    ratio: Ratio
    found: Found

    def __init__(self, ratio: Ratio, place: Place, generator: np.random.Generator, instances: int) -> None:
        super().__init__(ratio.bound, generator, instances=instances, only=place.only)
        self.ratio, self._place, self.found = ratio, place, Found.none(place)

    def try_out(self, instances: Instances, q: Quantities | None = None) -> Screened:
        """Keep the best of them, at the one discount and, padded, of the one size; larger ones do not fit.

        Raises:
            ClaimFailed: if the bound's own code raises an exception.
        """
        if all(of <= most for of, most in zip(instances.shape, self._place.only.shape, strict=True)):
            some = instances.take(slice(0, self.ratio.fewer(len(instances))))
            instances = self.ratio.stripped(self._place(some))
            forms = np.zeros(len(instances), dtype=int)
            self.found = (self.found + Found(instances, forms, self.ratio(instances))).best(_PARENTS)
        return Screened.nothing(0)

    def best(self, shape: tuple[int, int]) -> tuple[Instances, Screened]:
        """The best instances; nothing is screened."""
        return self.found.instances, Screened.nothing(0)

    def prove(self) -> None:
        """Nothing: a worst case is proved once, at the end."""


def search(ratio: Ratio, place: Place, generator: np.random.Generator, restarts: int) -> Found:
    """The best instances found there; none where no instance has a ratio.

    One search that starts from the sharp gap's witnesses, which would crowd out all others, and so many from fresh instances;
    then one that starts from the best of them all.
    """
    found = Found.none(place)
    for start in (SharpWitnesses(), *[Samples()] * restarts):
        hunt = WorstCaseHunt(ratio, place, generator, ratio.fewer(_INSTANCES))
        start.use(hunt, 1)
        found = found + _evolved(hunt)
        if found.largest > ENOUGH:
            return _in_forms(ratio, place, found)
    if restarts > 1:
        hunt = WorstCaseHunt(ratio, place, generator, 0)
        hunt.try_out(found.best(_PARENTS).instances)
        found = found + _evolved(hunt)
    return _in_forms(ratio, place, found)


def _evolved(hunt: WorstCaseHunt) -> Found:
    """What rounds of mutation and ascent make of the instances that have been tried."""
    for left in reversed(range(_ROUNDS)):
        if not len(hunt.found.ratios) or hunt.found.largest > ENOUGH:
            break
        descend(hunt, hunt.found.instances.shape, _GENERATIONS)
        if hunt.ratio.climbs:
            climb(hunt, hunt.ratio, hunt.found.instances.shape, _STEPS, climbers=_CLIMBERS, exact=not left)
    return hunt.found


def _in_forms(ratio: Ratio, place: Place, found: Found) -> Found:
    """The best few once more for each form that their steps and rewards may have, which rounding makes anew."""
    if not len(found.ratios):
        return found
    best = found.best(CHAMPIONS)
    forms = np.tile(np.arange(1, FORMS), len(best.ratios))
    each = best.instances.take(np.repeat(np.arange(len(best.ratios)), FORMS - 1))
    made = place(formed(each, forms, ratio.visits))
    return found + Found(made, forms, ratio(made))
