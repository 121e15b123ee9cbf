"""`regenerated`: a step with average rewards as a discounted step, by what all actions lead to alike."""

from __future__ import annotations

import numpy as np

from trpo_theory.numerics.arithmetic import Array
from trpo_theory.solve.criteria import DISCOUNTED
from trpo_theory.step.quantities import Quantities

_REGENERATED = "_regenerated"


def regenerated(q: Quantities) -> Quantities:
    """The discounted step of (P', γ = 1 − β, ρ₀ = ν) with P = β ν + (1 − β) P': same A, ε, Ā, occupancies and divergences.

        η(π) = g(π)/β,  ρ_π = d_π/β,  and so the gap is 1/β of the average one.

    β and ν are those of `q.minorisation`; where `forgets` is false the discount is 1 and nothing can be solved for: γ = 0 stands
    for it, and where β = 1 so does P for P'. Source: docs/theory.md, "The Doeblin reduction".

    Args:
        q: of a step with criterion "average"; γ and ρ₀ are not read.
    """
    if _REGENERATED not in vars(q):
        vars(q)[_REGENERATED] = _made(q)
    return vars(q)[_REGENERATED]


def forgets(q: Quantities) -> Array:
    """Whether β > 0, (*batch): in floats, whether 1 − β is less than 1."""
    return (q.minorisation > 0) & (_kept(q) < 1)


def _kept(q: Quantities) -> Array:
    """1 − β as what a row has above the least: floats keep its digits where β is close to 1."""
    above = q.transition - q.least_transition
    return q.max_s(q.max_a(q.arithmetic.sum(above, 2)))


def _made(q: Quantities) -> Quantities:
    where, kept, discounted = q.arithmetic.where, _kept(q), forgets(q)
    divided = discounted & (kept > 0)
    moved = (q.transition - where(divided, q.least_transition, 0)) / where(divided, kept, 1)
    if not np.all(q.available):
        moved = where(q.available[:, :, None], moved, 0)
    return q.replace(
        criterion=DISCOUNTED,
        gamma=where(discounted, kept, 0),
        transition=moved,
        initial=where(discounted, q.least_transition / where(discounted, q.minorisation, 1), q.initial),
    )
