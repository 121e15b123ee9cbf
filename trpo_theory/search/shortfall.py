"""`Shortfall`: how far a claim is from holding, which a local ascent makes large."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.numerics.floats import as_floats
from trpo_theory.search.objective import Objective, extras_read
from trpo_theory.search.scales import scaled
from trpo_theory.search.screen import Screen
from trpo_theory.search.slack_kind import SlackKind
from trpo_theory.step.instances import Instances
from trpo_theory.step.quantities import Quantities

_TOLD = 100.0
"""A gap counts from so many times the rounding error of the slack on. Chosen: the ratio is then right to a per cent."""


class Shortfall(Objective):
    """How far a claim is from holding; −∞ where its hypotheses do not hold.

    Of a bound the share of the penalty that the gap uses; of others that grow with the rewards −slack/|η(new) − L|; of the rest
    −slack.

    Attributes:
        claim: the claim.
        kind: what its slack is made of.

    Raises:
        ClaimFailed: if the claim's own code raises an exception.
    """

    claim: Claim
    kind: SlackKind
    batched: bool
    uses: frozenset[str]

    def __init__(self, claim: Claim, screen: Screen, kind: SlackKind) -> None:
        self.claim, self.kind, self._screen, self.batched = screen.claim, kind, screen, screen.batched
        self.uses = extras_read(screen)

    def __call__(self, instances: Instances) -> np.ndarray:
        """The values, (B,); −∞ where the hypotheses do not hold, or the slack is ∞ or within rounding."""
        screened = self._screen(instances)
        with np.errstate(all="ignore"):
            if self.kind.sign:
                gap = self.kind.sign * screened.signed_gap
                value = np.where(screened.gap > _TOLD * screened.noise, -gap / (screened.slack - gap), -np.inf)
            elif self.kind is SlackKind.REWARD:
                value = -scaled(screened, "gap")
            else:
                value = -screened.clear_slack
        return np.where(screened.met & np.isfinite(value), value, -np.inf)

    def traced(self, q: Quantities) -> Any:
        """The same without the hypotheses."""
        xp = as_floats(q.arithmetic).xp
        moved = self.claim.stepped(q)
        slack = self.claim.slack(moved) + 0 * q.gamma
        while slack.ndim > 1:
            slack = xp.min(slack, 0)
        if self.kind.sign:
            gap = self.kind.sign * self.claim.gap(moved)
            return -gap / (slack - gap)
        return -slack / abs(moved.surrogate_gap) if self.kind is SlackKind.REWARD else -slack
