"""Means and spreads of a step: of advantages and rewards under old, by states, over d_old, and at each time t."""

from __future__ import annotations

from functools import cached_property

from trpo_theory.numerics.arithmetic import Array
from trpo_theory.step.divergences import StepDivergence

_KEPT_ENTRIES = 2**21
"""Of a block of laws that is kept: chosen, 16 MB of float64, eight of which a bound reads at most."""


class StepMoments(StepDivergence):
    """What second-order bounds read beside a divergence. E_d is the mean over d_old, p_t the law of s_t under old."""

    # --- Ā, A and r over d_old ---------------------------------------------------------------------------------

    @cached_property
    def expected_advantage(self) -> Array:
        """Ā(s) = Σ_a new(a|s) A_old(s,a), (S, *batch).

        Computed as Σ_a (new − old) A_old, the same since Σ_a old A_old = 0, which keeps its digits where new is close to old.
        With a temperature Σ_a new (A_old − τ log new), whose value for old is 0, too.
        """
        if not self._old.is_soft:
            return self.sum_a((self.new - self.old) * self.advantage)
        return self.sum_a(self.arithmetic.where(self.old > 0, *self._soft_terms))

    @property
    def _soft_terms(self) -> tuple[Array, Array]:
        """Terms of Σ_a new (A_old − τ log new) where old > 0, and where old = 0.

        (new − old)(A_old − τ log old) − τ kl_div(new, old), so that no difference of entropies cancels; kl_div adds old − new,
        whose sum over old > 0 is the mass of new elsewhere. No entropy is earned at an end.
        """
        taken, new, price, old = self.new > 0, self.new, self._price, self._where_played
        inside = (new - old) * (self.advantage - price * self.log(old)) - price * self.arithmetic.kl_div(new, old)
        logs = self.log(self.arithmetic.where(taken, new, 1))
        return inside, new * (self.advantage + price * (1 - logs))

    @property
    def _price(self) -> Array:
        """τ where entropy is earned, and 0 at an end."""
        counted = self._kernel.counted
        return self.temperature if counted is None else self.arithmetic.where(counted, self.temperature, 0)[:, None]

    @property
    def _where_played(self) -> Array:
        """old(a|s), 1 where it is 0."""
        return self.arithmetic.where(self.old > 0, self.old, 1)

    @cached_property
    def max_abs_expected_advantage(self) -> Array:
        """ε' = max_s |Ā(s)|."""
        return self.max_s(abs(self.expected_advantage))

    @cached_property
    def mean_expected_advantage(self) -> Array:
        """E_d Ā = Σ_s d_old(s) Ā(s) = (1 − γ) (L − η(old))."""
        return self.sum_s(self.occupancy_old * self.expected_advantage)

    @cached_property
    def rms_expected_advantage(self) -> Array:
        """√(E_d Ā²)."""
        return self._rms(self.expected_advantage)

    @cached_property
    def expected_advantage_sd(self) -> Array:
        """The standard deviation of Ā over d_old, √(E_d (Ā − E_d Ā)²)."""
        return self.sd_over_states(self.expected_advantage)

    def sd_over_states(self, f: Array) -> Array:
        """√(E_d (f − E_d f)²), (*batch), for f of shape (S, *batch), in units of the largest |f|, as f² may be beyond floats."""
        unit = self._unit(self.max_s(abs(f)))
        return unit * self.moments_over(self.occupancy_old[None], f / unit)[1][0]

    def _unit(self, largest: Array) -> Array:
        return self.arithmetic.where(largest > 0, largest, 1)

    def _rms(self, f: Array) -> Array:
        """√(E_d f²) of f (S, *batch), in units of the largest |f|, whose square may be beyond floats."""
        unit = self._unit(self.max_s(abs(f)))
        return unit * self.sqrt(abs(self.sum_s(self.occupancy_old * (f / unit) ** 2)))

    def _rms_of_actions(self, f: Array) -> Array:
        """As `_rms`, over d_old × old, of f (S, A, *batch)."""
        unit = self._unit(self.max_s(self.max_a(abs(f))))
        return unit * self.sqrt(abs(self.sum_s(self.occupancy_old * self.sum_a(self.old * (f / unit) ** 2))))

    @cached_property
    def rms_advantage(self) -> Array:
        """√(Σ_{s,a} d_old(s) old(a|s) A_old(s,a)²)."""
        return self._rms_of_actions(self.advantage)

    @cached_property
    def advantage_sd(self) -> Array:
        """σ(s), the standard deviation of A_old under old: √(Σ_a old(a|s) A_old(s,a)²), (S, *batch)."""
        unit = self._unit(self.max_s(self.max_a(abs(self.advantage))))
        return unit * self.sqrt(abs(self.sum_a(self.old * (self.advantage / unit) ** 2)))

    @cached_property
    def max_advantage_sd(self) -> Array:
        """max_s σ(s)."""
        return self.max_s(self.advantage_sd)

    @cached_property
    def reward_sd(self) -> Array:
        """The standard deviation of r(s,a) over d_old × old."""
        weight = self.occupancy_old[:, None] * self.old
        centred = self.reward
        # twice: where the rewards share a constant that dwarfs them, a rounded mean leaves some of it
        for _ in range(2):
            centred = centred - self.sum_s(self.sum_a(weight * centred))
        return self._rms_of_actions(centred)

    # --- chi-square where old goes -----------------------------------------------------------------------------

    @cached_property
    def visited(self) -> Array:
        """Whether ρ_old(s) > 0, (S, *batch)."""
        return self.visitation_old > 0

    @cached_property
    def visited_chi2(self) -> Array:
        """χ²(new_s ‖ old_s) where old goes, 0 elsewhere, (S, *batch)."""
        return self.arithmetic.where(self.visited, self.reverse_chi2, 0)

    @cached_property
    def transition_chi2(self) -> Array:
        """χ²(P_new(·|s) ‖ P_old(·|s)) where old goes, 0 elsewhere, (S, *batch): at most χ²(new_s ‖ old_s)."""
        found = self.arithmetic.chain_chi2(self.transition, self.new, self.old)
        return self.arithmetic.where(self.visited, found, 0)

    @cached_property
    def transition_max_chi2(self) -> Array:
        """max_s χ²(P_new(·|s) ‖ P_old(·|s)) over the states that old visits."""
        return self.max_s(self.transition_chi2)

    @cached_property
    def squared_ratio_sum(self) -> Array:
        """E_old Σ_t γᵗ ((X_t)² − 1), X_t = Π_{i<t} (new/old)(s_i, a_i): ∞ where it diverges.

        ρ₀ · z with z = γ M z + γ χ²/(1 − γ), M(s, s') = Σ_a (new²/old) P(s'|s,a): Σ_s ρ₂(s) − 1/(1 − γ) without its cancellation.
        """
        played = self.old > 0
        squared = self.arithmetic.where(played, self.new**2 / self.arithmetic.where(played, self.old, 1), 0)
        weight = self.arithmetic.where(self.visited[:, None], squared, self.old)
        covered = self.max_s(self.visited_chi2) < float("inf")
        start = self.arithmetic.where(covered, self.gamma * self.visited_chi2 / (1 - self.gamma), 0)
        total = self.sum_s(self.initial * self.arithmetic.neumann_sum(self.transition, self.gamma * weight, start))
        return self.arithmetic.nan_to_inf(self.arithmetic.where(covered | (self.gamma == 0), total, float("inf")))

    # --- the second-order surrogate ----------------------------------------------------------------------------

    @cached_property
    def expected_advantage_value(self) -> Array:
        """u = (I − γ P_old)⁻¹ Ā, (S, *batch): the first-order change of the value."""
        return self._old.resolvent.solve(self.expected_advantage)

    @cached_property
    def second_order_residual(self) -> Array:
        """γ Σ_a (new − old) P u, (S, *batch): what V_old + u leaves of Ā under new, Ā − u + γ P_new u.

        Computed as γ Σ_a (new − old)(a|s) Σ_s' P(s'|s,a) (u(s') − u(s)), the same as policies sum to 1: it is 0 at an end
        that is never left, and keeps its digits where u is large and nearly constant, as for γ near 1.
        """
        u = self.expected_advantage_value - self.expected_advantage_value[:1]
        return self.gamma * self.sum_a((self.new - self.old) * (self.expect(u) - u[:, None]))

    @cached_property
    def second_order_gain(self) -> Array:
        """Σ_s ρ_old(s) γ Σ_a (new − old) P u: the second-order term of η(new), beside L."""
        return self.sum_s(self.visitation_old * self.second_order_residual)

    # --- at each time ------------------------------------------------------------------------------------------

    def laws_old(self, steps: int) -> Array:
        """p_t, old's law of s_t, for t < steps: (steps, S, *batch)."""
        return self.arithmetic.laws(self.transition, self.old, self.initial, steps)

    def law_block(self, index: int, steps: int) -> Array:
        """The laws of s_t under old for index · steps ≤ t ≤ (index + 1) · steps, (steps + 1, S, *batch), from those before.

        They are kept, for other bounds and for other new policies, unless they are large.
        """
        found = self._law_blocks.get((index, steps))
        if found is None:
            found = self.arithmetic.laws(self.transition, self.old, self._law_at(index, steps), steps + 1)
            found = self.arithmetic.enclosed(found)
            self._law_starts[index + 1, steps] = found[steps]
            if found.size <= _KEPT_ENTRIES:
                self._law_blocks[index, steps] = found
        return found

    def _law_at(self, index: int, steps: int) -> Array:
        if index and (index, steps) not in self._law_starts:
            self.law_block(index - 1, steps)
        return self._law_starts[index, steps] if index else self.initial

    def visitation_from(self, law: Array) -> Array:
        """Σ_k γᵏ (old's law of s_{t+k}) from a law of s_t, (S, *batch): ρ_old for the initial one."""
        return self._old.resolvent.solve_transposed(law)

    def moments_over(self, laws: Array, f: Array) -> tuple[Array, Array]:
        """The mean and the standard deviation of f (S, *batch) under each of some laws (T, S, *batch): (T, *batch) each."""
        mean, variance = self.arithmetic.moments(laws, f)
        return mean, self.arithmetic.sqrt(abs(variance))

    def means_over_time(self, f: Array, steps: int) -> Array:
        """E_old f(s_t) for t < steps, (steps, *batch), f of shape (S, *batch)."""
        return self.moments_over(self.laws_old(steps), f)[0]

    def sds_over_time(self, f: Array, steps: int) -> Array:
        """The standard deviation of f(s_t) under old for t < steps, (steps, *batch), f of shape (S, *batch)."""
        return self.moments_over(self.laws_old(steps), f)[1]
