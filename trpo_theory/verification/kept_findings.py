"""Findings that keep their worst instances; `RecheckingFindings` re-checks in ball arithmetic every negative float slack."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.search import findings
from trpo_theory.search.distinct import distinct
from trpo_theory.search.findings import Findings
from trpo_theory.search.scales import least_of, scaled
from trpo_theory.search.screened import Screened
from trpo_theory.step.instances import Instances
from trpo_theory.verification.tally import KEPT, Kept, worst_of

_CHECKED_AT_MOST = 2000
"""Instances of a claim re-checked in ball arithmetic at most, of the clearly negative slacks, and of those negative within
rounding. Chosen: some seconds of a chunk's time."""


@dataclass
class KeepingFindings(Findings):
    """Findings that keep their worst instances.

    Attributes:
        worst: those of least slack and of least slack over the gap.
    """

    worst: tuple[Kept, ...] = ()

    def add(self, instances: Instances, screened: Screened, instrument: str = "given instances") -> np.ndarray:
        """Count a batch and keep its worst."""
        resolved = super().add(instances, screened, instrument)
        ratio = np.where(resolved, scaled(screened, "gap"), np.inf)
        clear = np.where(resolved, screened.clear_slack, np.inf)
        full = len(self.worst) == 2 * KEPT  # what is above these is not kept
        limits = (self.worst[KEPT - 1].slack, self.worst[-1].ratio) if full else (np.inf, np.inf)
        orders = [least_of(order, KEPT) for order in (clear, ratio)]
        found = [
            Kept.of(instances, int(index), float(clear[index]), float(ratio[index]))
            for index in distinct(np.concatenate(orders))
            if resolved[index] and (clear[index] <= limits[0] or ratio[index] <= limits[1])
        ]
        self.worst = worst_of((*self.worst, *found)) if found else self.worst
        return resolved


@dataclass
class RecheckingFindings(KeepingFindings):
    """Findings that re-check in ball arithmetic every instance with a negative float slack.

    Attributes:
        checked: how many were.
        unchecked: how many clearly negative ones were not, beyond a limit, where none was refuted.
    """

    checked: int = 0
    unchecked: int = 0
    _negatives: list[tuple[float, Instances, int]] = field(default_factory=list)
    _near_zero: list[tuple[float, Instances, int]] = field(default_factory=list)

    def _keep(self, instances: Instances, screened: Screened, by_reward: np.ndarray) -> None:
        """Every instance with a negative slack."""
        with np.errstate(divide="ignore", invalid="ignore"):
            share = screened.slack / screened.noise
        for found, order, which in (
            (self._negatives, by_reward, screened.negative),
            (self._near_zero, share, screened.near),
        ):
            found += [(float(order[i]), instances, int(i)) for i in np.flatnonzero(which)]

    def prove(self, claim: Claim) -> None:
        """Decide the clearly negative instances, until one is refuted."""
        negatives = sorted(self._negatives, key=lambda one: one[0])
        self._negatives = []
        self.unchecked = max(0, len(negatives) - _CHECKED_AT_MOST)
        self._decide(claim, negatives[:_CHECKED_AT_MOST], negative=True)

    def prove_near(self, claim: Claim) -> None:
        """Decide those within rounding, unless one is refuted already, until one is.

        Of an identity, whose slack rounds to both sides of 0, only a few.
        """
        limit = _CHECKED_AT_MOST if claim.relation == ">=" else findings._PROVED_NEAR
        near = sorted(self._near_zero, key=lambda one: one[0])
        self._near_zero = []
        if self.refuted is None:
            self._decide(claim, near[:limit], negative=False)

    def _decide(self, claim: Claim, found: list[tuple[float, Instances, int]], *, negative: bool) -> None:
        for _, instances, index in found:
            self.checked += 1
            if not negative:
                self._leave_near()
            if self._refutes(claim, instances.exact(index), negative=negative):
                self.unchecked = 0
                return
