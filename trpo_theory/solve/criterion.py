"""`Criterion`, what a return sums, as a type, and `Kernel`, the chain that it makes of an MDP; `criteria` has those there are."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.arithmetic import Arithmetic, Array


class Kernel(NamedTuple):
    """K, κ and u with V = (I − κ K_π)⁻¹ r_π, ρ = (I − κ K_πᵀ)⁻¹ u and η = u · V for every policy π that is allowed.

    Attributes:
        transition: K, of the shape of P. Its rows may sum to less than 1, and to 0.
        gamma: κ.
        start: u, (S, *batch).
        levels: whether all rows of κ K have one sum, so that a constant in r moves every V(s) by as much.
        positive: whether no entry of K is negative, and so none of (I − κ K_π)⁻¹.
        counted: in which states a run still goes on, so that entropy is earned there, (S, *batch); None for all.
        moves: P, where ρ is 0 in states that P_π leaves for good, which floats make small numbers of either sign; else None.
    """

    transition: Array
    gamma: Array
    start: Array
    levels: bool
    positive: bool = True
    counted: np.ndarray | None = None
    moves: Array | None = None


class Given(NamedTuple):
    """What a criterion reads of an MDP: fields as in `Quantities`."""

    gamma: Array
    transition: Array
    reward: Array
    available: Array
    initial: Array


@runtime_checkable
class Criterion(Protocol):
    """What a return sums."""

    @property
    def name(self) -> str:
        """What users call it."""
        ...

    def kernel(self, arithmetic: Arithmetic, mdp: Given) -> Kernel:
        """The chain in which V, ρ and η are solved for."""
        ...

    def occupancy(self, arithmetic: Arithmetic, gamma: Array, visitation: Array) -> Array:
        """The law of the states that weights of means are taken from, (S, *batch): ρ over its sum."""
        ...

    def allows(self, mdp: Given, policy: Array) -> Array:
        """Whether a policy has a return and finite visits, (*batch), or one truth value for all."""
        ...

    def complaint(self, mdp: Given, policy: Array, name: str) -> InvalidInput:
        """The error for one instance whose policy is not allowed: it names states."""
        ...
