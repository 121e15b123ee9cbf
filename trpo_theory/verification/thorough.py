"""Hunts that keep their worst instances whole, and one that asks balls about every instance that floats call negative."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.search import hunt as hunting
from trpo_theory.search.descent import scaled
from trpo_theory.search.hunt import Hunt
from trpo_theory.search.screen import Screened
from trpo_theory.step.instances import Instances
from trpo_theory.verification.tally import KEPT, Kept, worst_of

_CHECKED_AT_MOST = 2000
"""At most so many instances of a claim go to balls for each of two reasons: clearly negative, negative within rounding."""


@dataclass
class Keeping(Hunt):
    """A hunt that keeps its worst instances.

    Attributes:
        worst: those of least slack and of least slack over the gap.
    """

    worst: tuple[Kept, ...] = ()

    def add(self, instances: Instances, screened: Screened, tried: int, effective: int) -> None:
        """Count a batch and keep its worst."""
        super().add(instances, screened, tried, effective)
        ratio = scaled(screened, "gap")
        clear = np.where(screened.met, screened.clear_slack, np.inf)
        orders = [hunting.least_of(order, KEPT) for order in (clear, ratio)]
        found = [
            Kept.of(instances, int(index), float(clear[index]), float(ratio[index]))
            for index in np.unique(np.concatenate(orders))
            if screened.met[index]
        ]
        self.worst = worst_of((*self.worst, *found))


@dataclass
class Thorough(Keeping):
    """A hunt that leaves no alarm of the floats to itself: every instance that they call negative goes to balls.

    Attributes:
        checked: how many went.
        unchecked: clearly negative ones beyond a limit, where none was refuted.
    """

    checked: int = 0
    unchecked: int = 0
    _alarms: list[tuple[float, Instances, int]] = field(default_factory=list)
    _doubts: list[tuple[float, Instances, int]] = field(default_factory=list)

    def add(self, instances: Instances, screened: Screened, tried: int, effective: int) -> None:
        """Count a batch; keep its worst, and whatever floats call negative."""
        super().add(instances, screened, tried, effective)
        self._negative, self._near = [], []
        by_reward = scaled(screened, "reward")
        with np.errstate(divide="ignore", invalid="ignore"):
            share = screened.slack / screened.noise
        for found, order, which in (
            (self._alarms, by_reward, screened.negative),
            (self._doubts, share, screened.near),
        ):
            found += [(float(order[i]), instances, int(i)) for i in np.flatnonzero(which)]

    def prove(self, claim: Claim) -> None:
        """Ask balls, the clearly negative first, until one is refuted; of identities, which err to both sides, a few."""
        limit = _CHECKED_AT_MOST if claim.relation == ">=" else hunting._PROVED_NEAR
        alarms, doubts = (sorted(found, key=lambda one: one[0]) for found in (self._alarms, self._doubts))
        self._alarms, self._doubts = [], []
        self.unchecked = max(0, len(alarms) - _CHECKED_AT_MOST)
        for kind, _, instances, index in [
            *((1, *one) for one in alarms[:_CHECKED_AT_MOST]),
            *((0, *one) for one in doubts[:limit]),
        ]:
            self.checked += 1
            self.near -= claim.relation == ">=" and not kind
            if self._refutes(claim, instances.exact(index)):
                self.unchecked = 0
                return
