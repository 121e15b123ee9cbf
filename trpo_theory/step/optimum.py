"""The optimum of the step's MDP, in any arithmetic."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.arithmetic import Array, Policy
from trpo_theory.numerics.floats import Floats
from trpo_theory.step.minorisation import StepMinorisation


class StepOptimum(StepMinorisation):
    """V* and η*, computed when they are first read."""

    @cached_property
    def optimal_value(self) -> Array:
        """V*(s) = max_π V_π(s), (S, *batch), by policy iteration from old: exact in balls, to rounding in floats.

        By the criterion of the step; over a horizon V* of the states (t, s). With a temperature τ it is that of soft policy
        iteration, π ∝ exp(Q/τ), in floats only: it is no rational number. With average rewards V* − Σ_s d(s) V*(s) is a bias.
        An improved policy is taken only where Σ_s V(s) grows, so that rounding cannot make the iteration go round in circles,
        and where it has a return: where the best has none, as it never ends, V* is that of the best one found.

        Raises:
            InvalidInput: with a temperature, in balls.
        """
        chain = self._old
        soft = chain.is_soft
        if soft and not isinstance(self.arithmetic, Floats):
            raise InvalidInput(
                got="optimal_value with a temperature, in balls",
                wanted="floats: the best soft policy has no rational probabilities",
                fix="bound it from below by a policy's value, from above by a supersolution of the soft Bellman equation",
            )
        while True:
            policy = self._softened(chain.q_value, chain.policy) if soft else chain.policy
            policy = self._improved(chain.q_value, chain.value, policy, soft)
            allowed = self.criterion.allows(self._mdp, policy)
            better = self._chain(self.arithmetic.where(allowed, policy, chain.policy))
            grows = self.sum_s(better.value) > self.sum_s(chain.value)
            if not np.any(grows):
                return chain.value
            chain = self._chain(self.arithmetic.where(grows, better.policy, chain.policy))

    @property
    def optimal_return(self) -> Array:
        """η* = Σ_s ρ₀(s) V*(s), (*batch)."""
        return self.sum_s(self._kernel.start * self.optimal_value)

    def _softened(self, q_value: Array, policy: Policy) -> Policy:
        """The policy ∝ exp(Q/τ) over the available actions; that of old where τ = 0."""
        tau = self.arithmetic.where(self.temperature > 0, self.temperature, 1)
        shifted = (q_value - self.max_a(q_value)[:, None]) / tau
        weights = self.arithmetic.where(self.available, self.exp(self.arithmetic.where(self.available, shifted, 0)), 0)
        return self.arithmetic.where(self.temperature > 0, weights / self.arithmetic.sum(weights, 1)[:, None], policy)

    def _improved(self, q_value: Array, value: Array, policy: Policy, soft: bool) -> Policy:
        """The policy that takes the first best action in each state where that is better than V, else the same row."""
        better: Array = self.max_a(q_value) > value
        if soft:
            better = better & (self.temperature == 0)
        return self.arithmetic.where(better[:, None], self.greedy(q_value), policy)
