"""What is known of each of the two policies by itself: values, advantages, visitation, returns."""

from __future__ import annotations

from functools import cached_property

from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.arithmetic import Array, Policy
from trpo_theory.solve.chain import PolicyChain
from trpo_theory.solve.criteria import DISCOUNTED
from trpo_theory.step.fields import StepFields


class StepPolicies(StepFields):
    """Quantities of old, and of new, in any arithmetic; where the name does not say which, of old."""

    # --- of the old policy -------------------------------------------------------------------------------------

    @property
    def value(self) -> Array:
        """V_old(s), (S, *batch)."""
        return self._old.value

    @property
    def q_value(self) -> Array:
        """Q_old(s, a), (S, A, *batch); 0 for an unavailable action."""
        return self._old.q_value

    @property
    def relative_value(self) -> Array:
        """V_old(s), in floats less a constant where all rewards are close to one, (S, *batch): what A's error is relative to."""
        return self._old.relative_value

    @cached_property
    def advantage(self) -> Array:
        """A_old = Q_old − V_old, equation (4), (S, A, *batch); 0 for an unavailable action."""
        return self._of_available(self._old.advantage)

    @cached_property
    def transition_old(self) -> Array:
        """P_old(s'|s) = Σ_a old(a|s) P(s'|s,a), (S, S, *batch); of dense MDPs only."""
        return self._chain_matrix(self.old)

    @property
    def visitation_old(self) -> Array:
        """ρ_old(s), equation (5), (S, *batch)."""
        return self._old.visitation

    @property
    def occupancy_old(self) -> Array:
        """d_old = (1 − γ) ρ_old; with another criterion ρ_old over its sum."""
        return self.criterion.occupancy(self.arithmetic, self.gamma, self.visitation_old)

    @property
    def expected_return_old(self) -> Array:
        """η(old), (*batch)."""
        return self._old.expected_return

    @cached_property
    def max_abs_advantage(self) -> Array:
        """ε = max_{s,a} |A_old(s,a)| over the available actions."""
        return self.max_s(self.max_a(abs(self.advantage)))

    def discounted_sum_old(self, f: Array) -> Array:
        """E_old[Σ_t γᵗ f(s_t, a_t)], s_0 ~ ρ₀, (*batch), for f of shape (S, A, *batch), solved as a value."""
        return self.sum_s(self._kernel.start * self.discounted_sums_old(f))

    def discounted_sums_old(self, f: Array) -> Array:
        """E_old[Σ_t γᵗ f(s_t, a_t)] by start state s_0, (S, *batch), for f of shape (S, A, *batch), solved as a value."""
        return self._discounted_sums(self._old, f)

    # --- of the new policy -------------------------------------------------------------------------------------

    @property
    def value_new(self) -> Array:
        """V_new(s), (S, *batch)."""
        return self._new.value

    @property
    def q_value_new(self) -> Array:
        """Q_new(s, a), (S, A, *batch); 0 for an unavailable action."""
        return self._new.q_value

    @cached_property
    def advantage_new(self) -> Array:
        """A_new = Q_new − V_new, equation (4), (S, A, *batch); 0 for an unavailable action."""
        return self._of_available(self._new.advantage)

    @cached_property
    def transition_new(self) -> Array:
        """P_new(s'|s) = Σ_a new(a|s) P(s'|s,a), (S, S, *batch); of dense MDPs only."""
        return self._chain_matrix(self.new)

    @property
    def visitation_new(self) -> Array:
        """ρ_new(s), (S, *batch)."""
        return self._new.visitation

    @property
    def occupancy_new(self) -> Array:
        """d_new = (1 − γ) ρ_new; with another criterion ρ_new over its sum."""
        return self.criterion.occupancy(self.arithmetic, self.gamma, self.visitation_new)

    @property
    def expected_return_new(self) -> Array:
        """η(new), from the new policy's own value: never from an identity that is to be tested."""
        return self._new.expected_return

    def discounted_sum_new(self, f: Array) -> Array:
        """E_new[Σ_t γᵗ f(s_t, a_t)], s_0 ~ ρ₀, (*batch), for f of shape (S, A, *batch), solved as a value."""
        return self.sum_s(self._kernel.start * self.discounted_sums_new(f))

    def discounted_sums_new(self, f: Array) -> Array:
        """E_new[Σ_t γᵗ f(s_t, a_t)] by start state s_0, (S, *batch), for f of shape (S, A, *batch), solved as a value."""
        return self._discounted_sums(self._new, f)

    def _discounted_sums(self, chain: PolicyChain, f: Array) -> Array:
        return chain.resolvent.solve(self.sum_a(chain.policy * f))

    @cached_property
    def longest(self) -> Array:
        """1/(1 − γ), which a solve multiplies errors by; with another criterion ‖(I − K)⁻¹‖ of the larger chain."""
        if self.criterion is DISCOUNTED:
            return 1 / (1 - self.gamma)
        return self.maximum(self._old.amplification, self._new.amplification)

    def _of_available(self, advantage: Array) -> Array:
        return advantage if self._all_available else self.arithmetic.where(self.available, advantage, 0.0)

    def _chain_matrix(self, policy: Policy) -> Array:
        if len(self.transition.shape) == 2:
            raise InvalidInput(
                got="P_old or P_new of a sparse transition (S·A, S)",
                wanted="a dense transition (S, A, S)",
                fix="apply P with expect and push, or make the MDP of a dense transition",
            )
        return self.arithmetic.sum(policy[:, :, None] * self.transition, 1)
