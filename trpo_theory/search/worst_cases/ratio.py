"""The ratio (centre − η(new))/penalty of a bound on batches of instances."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np

from trpo_theory.bounds.record import Bound
from trpo_theory.proofs.settle import failed
from trpo_theory.search.battery import random_instances
from trpo_theory.search.objective import Objective, extras_read, neutral
from trpo_theory.search.screen import Screen
from trpo_theory.search.settings import furnished
from trpo_theory.search.worst_reward import Visits, visits_of
from trpo_theory.solve.criteria import DISCOUNTED, EPISODIC
from trpo_theory.step.instances import Instances
from trpo_theory.step.posing import is_allowed
from trpo_theory.step.quantities import Quantities

_DOUBT = 1e-7
"""Rounding error of a ratio from which on it does not count: the step is too small for floats. Chosen."""
_LARGEST, _IN_PLACE = 1e6, 500.0
"""A ratio beyond the first is one of rounding, as the penalty is 0 but for that, and counts as the second: a large one may be
near. Chosen: searches end at 1000."""
_PROBES = 48
"""Instances on which a field is exchanged to see whether it counts. Chosen."""
_CAUTION = 1e3
"""A ratio counts as less by so many times its rounding error, so that no search climbs on rounding. Chosen."""


class Ratio(Objective):
    """The ratio of one bound, to be called on batches.

    Attributes:
        bound: the bound, made to run on batches if that can be done.
        batched: whether its formula can be run on batches; else it is run on fewer instances, one at a time.
        uses: the fields beyond (mdp, old, new) that it reads.
        climbs: whether a step along a gradient stays in its setting: an end, and products of agents' policies, would be lost.

    Raises:
        ClaimFailed: if the bound's own code raises an exception, or gives no number.
    """

    bound: Bound
    batched: bool
    uses: frozenset[str]
    climbs: bool

    def __init__(self, bound: Bound) -> None:
        screen = Screen(bound)
        self.bound = cast("Bound", screen.claim)
        self.batched = screen.batched
        self.uses = extras_read(screen)
        if bound.setting:  # a step in another setting, or of a cost, is a copy, and reads every field
            self.uses = frozenset(name for name in self.uses if self._depends_on(name))
        self.visits: Visits | None = visits_of(bound)
        self.climbs = self.batched and bound.criterion != EPISODIC.name and not bound.agents

    def __call__(self, instances: Instances) -> np.ndarray:
        """The ratios, less a multiple of their rounding error, (B,); −∞ where the bound says nothing or its penalty is 0."""
        try:
            with np.errstate(all="ignore"):
                if self.batched:
                    return np.broadcast_to(self._of(instances.quantities()), (len(instances),))
                return np.array([float(self._of(instances.one(i))) for i in range(len(instances))])
        except (Exception, SystemExit) as error:
            raise failed(self.bound, error) from error

    def _depends_on(self, name: str) -> bool:
        """Whether another value of a field gives other ratios, on instances of its own."""
        probe = random_instances(np.random.default_rng(0), _PROBES, 3, math.prod(self.bound.agents or (2,)))
        probe = furnished(probe, self.bound.setting)
        return bool((self(probe) != self(probe.replace(**{name: getattr(neutral(probe), name)}))).any())

    def _of(self, q: Quantities) -> Any:
        q = self.bound.posed(q)
        penalty = np.asarray(self.bound.penalty(q), dtype=np.float64)
        doubt = self.bound.rounding(q) / penalty
        ratio = np.asarray(self.bound.ratio(q, penalty), dtype=np.float64)
        known = (penalty > 0) & np.isfinite(penalty) & (doubt <= _DOUBT) & np.isfinite(ratio)
        ratio = np.where(ratio <= _LARGEST, ratio, _IN_PLACE)
        if q.criterion is not DISCOUNTED:
            known = known & is_allowed(q)
        return np.where(known, ratio - _CAUTION * doubt, -np.inf)

    def traced(self, q: Quantities) -> Any:
        """The ratio alone."""
        q = self.bound.posed(q)
        return self.bound.ratio(q, self.bound.penalty(q))
