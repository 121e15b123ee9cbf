"""The reward that makes the gap η(new) − L as low as it can be, for given transitions and policies: a closed form."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.quantities import Quantities


def worst_reward(q: Quantities) -> Any:
    """The A with |A| ≤ 1 and Σ_a old A = 0 that minimises Σ_s (ρ_new − ρ_old)(s) Σ_a new A, (S, A, *batch), in floats.

    As a reward it is its own advantage (V_old = 0). State by state a fractional knapsack: actions sorted by new/old, +1 on the
    upper half of old's mass and −1 on the lower, the sign turned where ρ_new > ρ_old. THEORY.md, "Worst cases".
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(q.new == q.old, 1.0, q.new / q.old)
    order = np.argsort(-ratio, axis=1, kind="stable")
    mass = np.take_along_axis(np.broadcast_to(q.old, ratio.shape), order, 1)
    after = np.cumsum(mass, axis=1)
    before = after - mass
    upper = np.clip(0.5 - before, 0.0, mass)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(mass > 0, (2 * upper - mass) / mass, np.where(before < 0.5, 1.0, -1.0))
    advantage = np.empty_like(ratio)
    np.put_along_axis(advantage, order, np.clip(value, -1.0, 1.0), 1)
    more_visited = q.visitation_change > 0
    return np.where(more_visited[:, None], -advantage, advantage)
