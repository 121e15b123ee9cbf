"""How far a step goes: the divergences between old and new by states, their largest, and their mean under d_old."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property

from trpo_theory.numerics.arithmetic import Array
from trpo_theory.step.optimum import StepOptimum


class StepDivergence(StepOptimum):
    """Divergences of the rows old_s and new_s, in any arithmetic."""

    @cached_property
    def kl(self) -> Array:
        """KL(old_s ‖ new_s) in nats, (S, *batch); may be inf."""
        return self.sum_a(self.arithmetic.kl_div(self.old, self.new))

    @cached_property
    def reverse_kl(self) -> Array:
        """KL(new_s ‖ old_s) in nats, (S, *batch); may be inf."""
        return self.sum_a(self.arithmetic.kl_div(self.new, self.old))

    @cached_property
    def tv(self) -> Array:
        """TV(old_s, new_s), with the ½, (S, *batch)."""
        return self.sum_a(abs(self.new - self.old)) / 2

    @cached_property
    def max_kl(self) -> Array:
        """D = max_s KL(old_s ‖ new_s)."""
        return self.max_s(self.kl)

    @cached_property
    def reverse_max_kl(self) -> Array:
        """max_s KL(new_s ‖ old_s)."""
        return self.max_s(self.reverse_kl)

    @cached_property
    def mean_kl(self) -> Array:
        """Σ_s d_old(s) KL(old_s ‖ new_s): the states that old never visits do not count, even where KL is inf."""
        return self._mean(self.kl)

    @cached_property
    def reverse_mean_kl(self) -> Array:
        """Σ_s d_old(s) KL(new_s ‖ old_s)."""
        return self._mean(self.reverse_kl)

    @cached_property
    def chi2(self) -> Array:
        """χ²(old_s ‖ new_s) = Σ_a (old − new)²/new, (S, *batch); may be inf."""
        return self.arithmetic.chi2(self.old, self.new, axis=1)

    @cached_property
    def max_chi2(self) -> Array:
        """max_s χ²(old_s ‖ new_s)."""
        return self.max_s(self.chi2)

    @cached_property
    def reverse_chi2(self) -> Array:
        """χ²(new_s ‖ old_s) = Σ_a (new − old)²/old, (S, *batch); ∞ where new > 0 = old."""
        return self.arithmetic.chi2(self.new, self.old, axis=1)

    @cached_property
    def reverse_max_chi2(self) -> Array:
        """c = max_s χ²(new_s ‖ old_s)."""
        return self.max_s(self.reverse_chi2)

    @cached_property
    def reverse_mean_chi2(self) -> Array:
        """Σ_s d_old(s) χ²(new_s ‖ old_s)."""
        return self._mean(self.reverse_chi2)

    @cached_property
    def jensen_shannon(self) -> Array:
        """½ KL(old_s ‖ m) + ½ KL(new_s ‖ m), m the mean of both, (S, *batch)."""
        return self.arithmetic.jensen_shannon(self.old, self.new, axis=1)

    @cached_property
    def hellinger2(self) -> Array:
        """1 − BC(s), BC = Σ_a √(old new), (S, *batch)."""
        return self.arithmetic.hellinger2(self.old, self.new, axis=1)

    def renyi(self, order: float | Fraction) -> Array:
        """Rényi's D_order(old_s ‖ new_s) = log(Σ_a old^order new^(1−order)) / (order − 1), (S, *batch)."""
        return self.arithmetic.renyi(self.old, self.new, order, axis=1)

    @cached_property
    def max_tv(self) -> Array:
        """α = max_s TV(old_s, new_s)."""
        return self.max_s(self.tv)

    @cached_property
    def mean_tv(self) -> Array:
        """Σ_s d_old(s) TV(old_s, new_s)."""
        return self._mean(self.tv)

    def _mean(self, divergence: Array) -> Array:
        visited = self.visitation_old != 0
        return self.sum_s(self.occupancy_old * self.arithmetic.where(visited, divergence, 0.0))
