"""What a slack is made of, seen from its values: which of its parts a search makes small or large."""

from __future__ import annotations

from enum import Enum

import numpy as np

from trpo_theory.bounds.record import Bound
from trpo_theory.search.screen import Screen, probes
from trpo_theory.search.screened import Screened

_PROBE = (64, 3, 2)
"""B, S and A of the instances on which it is seen. Chosen."""
_ENOUGH = 8
"""So many of them must meet the hypotheses for the others to be left out. Chosen."""


class SlackKind(Enum):
    """What a slack is made of.

    A search for a counterexample to a bound makes the share of the penalty that the gap uses large. It must know the gap's
    sign: where the gap helps the claim, slack/|gap| is near 1 however small the penalty, and no such instance is near a
    counterexample.
    """

    LOWER = "η(new) − L plus a penalty ≥ 0"
    UPPER = "L − η(new) plus a penalty ≥ 0"
    REWARD = "something else that grows with the rewards"
    FREE = "something that does not"

    @property
    def sign(self) -> int:
        """Of η(new) − L in the slack; 0 where it is no part of its own."""
        return {SlackKind.LOWER: 1, SlackKind.UPPER: -1}.get(self, 0)


def kind_of(screen: Screen) -> SlackKind:
    """What the claim's slack is made of on random instances.

    Raises:
        ClaimFailed: if the claim's own code raises an exception.
    """
    if isinstance(screen.claim, Bound):
        return SlackKind.LOWER
    probe = probes(_PROBE, screen.claim.instance_needs)
    one, other = screen(probe), screen(probe.replace(reward=2 * probe.reward, noise=2 * probe.noise))
    met = one.met if one.met.sum() >= _ENOUGH else np.full_like(one.met, True)
    with np.errstate(invalid="ignore"):
        if np.allclose(one.slack, other.slack, rtol=1e-9, atol=0, equal_nan=True):
            return SlackKind.FREE
        bounds = [
            kind
            for kind in (SlackKind.LOWER, SlackKind.UPPER)
            if screen.claim.relation == ">=" and (_penalty(one, kind) >= -one.noise)[met].all()
        ]
    if len(bounds) < 2:
        return bounds[0] if bounds else SlackKind.REWARD
    turned = screen(probe.replace(reward=-probe.reward, noise=-probe.noise))
    return min(bounds, key=lambda kind: _change(_penalty(one, kind), _penalty(turned, kind)))


def _penalty(screened: Screened, kind: SlackKind) -> np.ndarray:
    return screened.slack - kind.sign * screened.signed_gap


def _change(penalty: np.ndarray, turned: np.ndarray) -> float:
    """How much of a penalty changes where all rewards change their sign: nothing of one that reads max|A|, loose or not."""
    known = np.isfinite(penalty) & np.isfinite(turned) & (penalty != 0)
    return float(np.mean(np.abs(1 - turned[known] / penalty[known]))) if known.any() else 0.0
