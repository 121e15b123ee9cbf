"""The ratio (centre − η(new))/penalty of a bound on batches of instances."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from trpo_theory.bounds.record import Bound
from trpo_theory.proofs.settle import failed
from trpo_theory.search.objective import Objective, extras_read
from trpo_theory.search.screen import Screen
from trpo_theory.step.instances import Instances
from trpo_theory.step.quantities import Quantities

_DOUBT = 1e-7
"""Rounding error of a ratio from which on it does not count: the step is too small for floats. Chosen."""
_CAUTION = 1e3
"""A ratio counts as less by so many times its rounding error, so that no search climbs on rounding. Chosen."""


class Ratio(Objective):
    """The ratio of one bound, to be called on batches.

    Attributes:
        bound: the bound, made to run on batches if that can be done.
        batched: whether its formula can be run on batches; else it is run on fewer instances, one at a time.
        uses: the fields beyond (mdp, old, new) that it reads.

    Raises:
        ClaimFailed: if the bound's own code raises an exception, or gives no number.
    """

    bound: Bound
    batched: bool
    uses: frozenset[str]

    def __init__(self, bound: Bound) -> None:
        screen = Screen(bound)
        self.bound = cast("Bound", screen.claim)
        self.batched = screen.batched
        self.uses = extras_read(screen)

    def __call__(self, instances: Instances) -> np.ndarray:
        """The ratios, less a multiple of their rounding error, (B,); −∞ where the bound says nothing or its penalty is 0."""
        try:
            with np.errstate(all="ignore"):
                if self.batched:
                    return np.broadcast_to(self._of(instances.quantities()), (len(instances),))
                return np.array([float(self._of(instances.one(i))) for i in range(len(instances))])
        except (Exception, SystemExit) as error:
            raise failed(self.bound, error) from error

    def _of(self, q: Quantities) -> Any:
        penalty = np.asarray(self.bound.penalty(q), dtype=np.float64)
        doubt = self.bound.rounding(q) / penalty
        ratio = np.asarray(self.bound.ratio(q, penalty), dtype=np.float64)
        known = (penalty > 0) & np.isfinite(penalty) & (doubt <= _DOUBT) & np.isfinite(ratio)
        return np.where(known, ratio - _CAUTION * doubt, -np.inf)

    def traced(self, q: Quantities) -> Any:
        """The ratio alone."""
        return self.bound.ratio(q, self.bound.penalty(q))
