"""`stretched_to_fit`: steps made as long as a claim's hypotheses allow, where these limit them."""

from __future__ import annotations

import numpy as np

from trpo_theory.numerics.layout import batch_last
from trpo_theory.search.screen import Screen
from trpo_theory.step.instances import Instances

_SHORTEST, _LONGEST = 1e-3, 30.0
"""Of the factors, between which the hypotheses turn from met to failed. Chosen: two of the witnesses' radii are nearer."""
_HALVINGS = 11
"""Of the logarithm of that range: to half of a per cent."""


def stretched_to_fit(screen: Screen, instances: Instances) -> Instances:
    """new = old + c (new − old) with the largest c at which the hypotheses hold; those that c does not decide are left out.

    It is found by bisection, as for a limit on a divergence, with nothing evaluated but the hypotheses.

    Args:
        screen: of a claim that runs on batches.
        instances: B of them.
    """
    change = instances.new - instances.old
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(change < 0, instances.old / -change, np.inf).min((1, 2))
    low, high = np.full(len(instances), _SHORTEST), np.minimum(room, _LONGEST)
    q = instances.quantities()

    def new(factor: np.ndarray) -> np.ndarray:
        return np.maximum(instances.old + factor[:, None, None] * change, 0.0)

    def met(factor: np.ndarray) -> np.ndarray:
        return screen.met(q.with_new(batch_last(new(factor))))

    (limited,) = np.nonzero(met(low) & ~met(high))
    if not len(limited):
        return instances.take(limited)
    for _ in range(_HALVINGS):
        middle = np.sqrt(low * high)
        holds = met(middle)
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    return instances.replace(new=new(low)).take(limited)
