"""How far new is moved back towards old to keep to its radius, and whether costs then keep their limits: exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trpo_theory.errors import NotSolved
from trpo_theory.numerics.ball.raw import arb, fmpq

_RETREATS = (None, 50, 46, 42, 38, 34, 30)
"""The policy is moved back towards old by 2 to minus one of these, the least that is proved feasible: chosen, from the
rounding error of a step up to what a solver's tolerance of 1e-9 leaves."""


@dataclass(frozen=True)
class EnclosedCost:
    """What a limit on a cost says of new, with every number enclosed.

    Attributes:
        advantage: A_c of each row of the class, over its available actions.
        excess: J_c(old) − limit.
        moved: L_c(new) − J_c(old).
        price: ν ≥ 0.
    """

    advantage: Sequence[Sequence[arb]]
    excess: arb
    moved: arb
    price: fmpq


def retreat(spent: Sequence[arb], radius: fmpq, costs: Sequence[EnclosedCost] = ()) -> fmpq:
    """The least η at which (1 − η) of the step is proved feasible.

    A divergence is convex, hence at most 1 − η of it is spent, and the surrogate of a cost is affine.

    Raises:
        NotSolved: where there is none.
    """
    for bits in _RETREATS:
        eta = fmpq(0) if bits is None else fmpq(1, 2**bits)
        within = all(arb(1 - eta) * divergence <= arb(radius) for divergence in spent)
        if within and all(cost.excess + arb(1 - eta) * cost.moved <= 0 for cost in costs):
            return eta
    kept = " or its limits" if costs else ""
    raise NotSolved(
        f"got a policy over its constraint{kept} by more than 2^-30; wanted a feasible one; fix: solve again"
    )
