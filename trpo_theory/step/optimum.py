"""The optimum of the step's MDP, in any arithmetic."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from trpo_theory.numerics.arithmetic import Array, Policy
from trpo_theory.step.minorisation import StepMinorisation


class StepOptimum(StepMinorisation):
    """V* and η*, computed when they are first read."""

    @cached_property
    def optimal_value(self) -> Array:
        """V*(s) = max_π V_π(s), (S, *batch), by policy iteration from old: exact in balls, to rounding in floats.

        An improved policy is taken only where Σ_s V(s) grows, so that rounding cannot make the iteration go round in circles.
        """
        chain = self._old
        while True:
            better = self._chain(self._improved(chain.q_value, chain.value, chain.policy))
            grows = self.sum_s(better.value) > self.sum_s(chain.value)
            if not np.any(grows):
                return chain.value
            chain = self._chain(self.arithmetic.where(grows, better.policy, chain.policy))

    @property
    def optimal_return(self) -> Array:
        """η* = Σ_s ρ₀(s) V*(s), (*batch)."""
        return self.sum_s(self._kernel.start * self.optimal_value)

    def _improved(self, q_value: Array, value: Array, policy: Policy) -> Policy:
        """The policy that takes the first best action in each state where that is better than V, else the same row."""
        better: Array = self.max_a(q_value) > value
        return self.arithmetic.where(better[:, None], self.greedy(q_value), policy)
