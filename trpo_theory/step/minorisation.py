"""Doeblin's minorisation: what all actions of all states lead to alike, and how fast the chains of two policies forget."""

from __future__ import annotations

from functools import cached_property

from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.arithmetic import Array
from trpo_theory.step.policies import StepPolicies


class StepMinorisation(StepPolicies):
    """Constants of mixing, in any arithmetic; those of a chain are for criterion "average" but for `mixing_new`."""

    @cached_property
    def least_transition(self) -> Array:
        """β ν(s') = min_{s,a} P(s'|s,a) over the available actions, (S, *batch)."""
        if len(self.transition.shape) == 2:
            raise InvalidInput(
                got="the minorisation of a sparse transition (S·A, S)",
                wanted="a dense transition (S, A, S)",
                fix="make the MDP of a dense transition",
            )
        able = None if self._all_available else self.available[:, :, None]
        least_of_actions = -self.arithmetic.max(-self.transition, 1, able)
        return self.min_s(least_of_actions)

    @cached_property
    def minorisation(self) -> Array:
        """β = Σ_s' min_{s,a} P(s'|s,a), the largest with P ≥ β ν for a law ν."""
        return self.sum_s(self.least_transition)

    @cached_property
    def minorisation_new(self) -> Array:
        """Σ_s' min_s P_new(s'|s): that of new's chain alone, at least β."""
        return self.sum_s(self.min_s(self.transition_new))

    @cached_property
    def mixing_new(self) -> Array:
        """τ((I − γ P_new)⁻¹), half the largest L1 distance between two rows: at most 1/(1 − γ).

        With criterion "average" it is τ(Z_new), Z_new = (I − P_new + 1 dᵀ)⁻¹.
        """
        return self._new.row_distance

    @cached_property
    def kemeny_old(self) -> Array:
        """κ of old's chain, trace (I − P_old + 1 dᵀ)⁻¹: Kemeny's constant (average).

        1 more than the mean number of steps from a state to one drawn from d, where all states are recurrent; a transient
        state adds the expected visits of it to itself, which passage times do not have. Of the kernel P − 1 uᵀ the trace is the
        same for every law u, as the eigenvalues are 1 and those of Z.
        """
        return self._old.trace

    @cached_property
    def kemeny_new(self) -> Array:
        """κ of new's chain, trace (I − P_new + 1 dᵀ)⁻¹: Kemeny's constant (average), as `kemeny_old`."""
        return self._new.trace
