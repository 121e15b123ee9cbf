"""The reward that makes the gap η(new) − L as low as it can be, for given transitions and policies: a closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.numerics.arithmetic import Array
from trpo_theory.numerics.floats import as_floats
from trpo_theory.solve.criteria import DISCOUNTED
from trpo_theory.step.quantities import Quantities

_ALMOST_ONE = 0.999
"""The discount that stands for 1. Chosen."""


Visits = Callable[[Quantities], Array]
"""How much more often new visits each state than old, ρ_new − ρ_old, (S, *batch), of a plain step."""


def worst_reward(q: Quantities, visits: Visits | None = None) -> Array:
    """The A with |A| ≤ 1 and Σ_a old A = 0 that minimises Σ_s (ρ_new − ρ_old)(s) Σ_a new A, (S, A, *batch), in floats.

    As a reward it is its own advantage (V_old = 0). State by state a fractional knapsack: actions sorted by new/old, +1 on the
    upper half of old's mass and −1 on the lower, the sign turned where ρ_new > ρ_old.
    Source: docs/theory.md, "Worst reward in closed form".

    Args:
        q: of a plain step.
        visits: ρ_new − ρ_old in the setting that is meant; the discounted one if left out.
    """
    floats = as_floats(q.arithmetic)
    xp = floats.xp
    change = discounted_visits(q) if visits is None else visits(q)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = floats.plain(xp.where(q.new == q.old, 1.0, q.new / q.old))
    mass, before = q.old, _before(xp, q.old, ratio)
    upper = xp.minimum(xp.maximum(0.5 - before, 0.0), mass)
    some = mass > 0
    value = xp.where(some, 2 * upper / xp.where(some, mass, 1.0) - 1, xp.where(before < 0.5, 1.0, -1.0))
    more_visited = change > 0
    return xp.where(more_visited[:, None], -value, value)


def discounted_visits(q: Quantities) -> Array:
    """ρ_new − ρ_old of the discounted criterion; where γ = 1, in a setting without a discount, that of a run which is long."""
    floats = as_floats(q.arithmetic)
    if np.any(floats.plain(q.gamma) == 1):
        q = q.replace(gamma=floats.xp.minimum(q.gamma, _ALMOST_ONE))
    return q.visitation_change


def visits_of(claim: Claim) -> Visits | None:
    """ρ_new − ρ_old as the setting of a claim has it, over a horizon summed over the steps; None for the discounted one.

    With a temperature too: there no reward is its own advantage, and what is made of discounted visits is a heuristic as good.
    """
    if claim.criterion == DISCOUNTED.name and not claim.horizon:
        return None

    def visits(q: Quantities) -> Array:
        change = claim.posed(q).visitation_change
        return change.reshape(-1, q.states, *change.shape[1:]).sum(0)

    return visits


def _before(xp: Any, mass: Array, order: np.ndarray) -> Array:
    """The mass of the actions that come before each, the largest first, of equal ones the first: (S, A, *batch).

    Pair by pair, which for a few actions is several times faster than to sort and sum up, and has a derivative.
    """
    total = xp.zeros(np.shape(mass))
    for action in range(order.shape[1]):
        own, first = order[:, action, None], np.arange(order.shape[1]) > action
        ahead = (own > order) | ((own == order) & first.reshape(-1, *(1,) * (order.ndim - 2)))
        total = total + ahead * mass[:, action, None]  # of `where`, autograd has no derivative that broadcasts
    return total
