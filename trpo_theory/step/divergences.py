"""How far a step goes: the divergences between old and new by states, their largest, and their mean under d_old."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property

import numpy as np

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
    def mean_chi2(self) -> Array:
        """Σ_s d_old(s) χ²(old_s ‖ new_s)."""
        return self._mean(self.chi2)

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
    def max_jensen_shannon(self) -> Array:
        """max_s JS(old_s, new_s)."""
        return self.max_s(self.jensen_shannon)

    @cached_property
    def mean_jensen_shannon(self) -> Array:
        """Σ_s d_old(s) JS(old_s, new_s)."""
        return self._mean(self.jensen_shannon)

    @cached_property
    def hellinger2(self) -> Array:
        """1 − BC(s), BC = Σ_a √(old new), (S, *batch)."""
        return self.arithmetic.hellinger2(self.old, self.new, axis=1)

    @cached_property
    def max_hellinger2(self) -> Array:
        """max_s (1 − BC(s))."""
        return self.max_s(self.hellinger2)

    @cached_property
    def mean_hellinger2(self) -> Array:
        """Σ_s d_old(s) (1 − BC(s))."""
        return self._mean(self.hellinger2)

    @cached_property
    def le_cam(self) -> Array:
        """Le Cam's ½ Σ_a (new − old)²/(old + new), (S, *batch)."""
        change, total = self.new - self.old, self.old + self.new
        return self.sum_a(change * (change / self.arithmetic.where(total > 0, total, 1))) / 2

    @cached_property
    def max_le_cam(self) -> Array:
        """max_s of Le Cam's divergence."""
        return self.max_s(self.le_cam)

    @cached_property
    def mean_le_cam(self) -> Array:
        """Σ_s d_old(s) of Le Cam's divergence."""
        return self._mean(self.le_cam)

    @cached_property
    def samson(self) -> Array:
        """Samson's Σ_a (new − old)²/max(old, new), Marton's squared distance both ways, (S, *batch); at most 2 KL."""
        change, larger = self.new - self.old, self.arithmetic.maximum(self.old, self.new)
        return self.sum_a(change * (change / self.arithmetic.where(larger > 0, larger, 1)))

    @cached_property
    def jeffreys(self) -> Array:
        """KL(old_s ‖ new_s) + KL(new_s ‖ old_s) in nats, (S, *batch); may be inf."""
        return self.kl + self.reverse_kl

    @cached_property
    def max_jeffreys(self) -> Array:
        """max_s of Jeffreys's divergence."""
        return self.max_s(self.jeffreys)

    @cached_property
    def mean_jeffreys(self) -> Array:
        """Σ_s d_old(s) of Jeffreys's divergence."""
        return self._mean(self.jeffreys)

    def renyi(self, order: float | Fraction) -> Array:
        """Rényi's D_order(old_s ‖ new_s) = log(Σ_a old^order new^(1−order)) / (order − 1), (S, *batch)."""
        return self.arithmetic.renyi(self.old, self.new, order, axis=1)

    @cached_property
    def renyi_half(self) -> Array:
        """Rényi's D_½(old_s ‖ new_s) = −2 log Σ_a √(old new), (S, *batch)."""
        return self.renyi(Fraction(1, 2))

    @cached_property
    def max_renyi_half(self) -> Array:
        """max_s D_½(old_s ‖ new_s)."""
        return self.max_s(self.renyi_half)

    @cached_property
    def renyi_tenth(self) -> Array:
        """Rényi's D_0.1(old_s ‖ new_s), (S, *batch)."""
        return self.renyi(Fraction(1, 10))

    @cached_property
    def max_renyi_tenth(self) -> Array:
        """max_s D_0.1(old_s ‖ new_s)."""
        return self.max_s(self.renyi_tenth)

    @cached_property
    def renyi_nine_tenths(self) -> Array:
        """Rényi's D_0.9(old_s ‖ new_s), (S, *batch)."""
        return self.renyi(Fraction(9, 10))

    @cached_property
    def max_renyi_nine_tenths(self) -> Array:
        """max_s D_0.9(old_s ‖ new_s)."""
        return self.max_s(self.renyi_nine_tenths)

    @cached_property
    def ratio_deviation(self) -> Array:
        """max_a |new/old − 1|, (S, *batch); ∞ where new > 0 = old."""
        played = self.old > 0
        inside = abs(self.new - self.old) / self.arithmetic.where(played, self.old, 1)
        outside = self.arithmetic.where(self.new > 0, np.inf, 0)
        return self.max_a(self.arithmetic.where(played, inside, outside))

    @cached_property
    def max_ratio_deviation(self) -> Array:
        """max_s max_a |new/old − 1|."""
        return self.max_s(self.ratio_deviation)

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
