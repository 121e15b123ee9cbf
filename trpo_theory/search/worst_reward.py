"""The reward that makes the gap η(new) − L as low as it can be, for given transitions and policies: a closed form."""

from __future__ import annotations

import numpy as np

from trpo_theory.numerics.arithmetic import Array
from trpo_theory.numerics.floats import as_floats
from trpo_theory.step.quantities import Quantities

_ALMOST_ONE = 0.999
"""The discount that stands for 1. Chosen."""


def worst_reward(q: Quantities) -> Array:
    """The A with |A| ≤ 1 and Σ_a old A = 0 that minimises Σ_s (ρ_new − ρ_old)(s) Σ_a new A, (S, A, *batch), in floats.

    As a reward it is its own advantage (V_old = 0). State by state a fractional knapsack: actions sorted by new/old, +1 on the
    upper half of old's mass and −1 on the lower, the sign turned where ρ_new > ρ_old.
    Source: docs/theory.md, "Worst reward in closed form".
    """
    floats = as_floats(q.arithmetic)
    xp = floats.xp
    if np.any(floats.plain(q.gamma) == 1):  # of a setting without a discount: that of a run which is long
        q = q.replace(gamma=xp.minimum(q.gamma, _ALMOST_ONE))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = xp.where(q.new == q.old, 1.0, q.new / q.old)
        order = np.argsort(-floats.plain(ratio), axis=1, kind="stable")
    mass = _along_actions(q.old, order)
    after = xp.cumsum(mass, 1)
    before = after - mass
    upper = xp.minimum(xp.maximum(0.5 - before, 0.0), mass)
    some = mass > 0
    value = xp.where(some, 2 * upper / xp.where(some, mass, 1.0) - 1, xp.where(before < 0.5, 1.0, -1.0))
    advantage = _along_actions(value, np.argsort(order, axis=1))
    more_visited = q.visitation_change > 0
    return xp.where(more_visited[:, None], -advantage, advantage)


def _along_actions(x: Array, order: np.ndarray) -> Array:
    """x with each state's actions in this order: np.take_along_axis, which autograd does not have."""
    places = list(np.ogrid[tuple(slice(size) for size in order.shape)])
    places[1] = order
    return x[tuple(places)]
