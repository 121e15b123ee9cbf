"""Hypotheses on a step that claims often have, true or false for each instance: for `given`."""

from __future__ import annotations

import numpy as np

from trpo_theory.numerics.arithmetic import Array, Policy
from trpo_theory.step.moments import StepMoments


class StepConditions(StepMoments):
    """Conditions on old, new and the MDP, in any arithmetic: booleans (*batch)."""

    @property
    def is_deterministic_old(self) -> Array:
        """Whether old(·|s) has one action of positive probability in every s, (*batch)."""
        return _is_deterministic(self.old)

    @property
    def is_deterministic_new(self) -> Array:
        """Whether new(·|s) has one action of positive probability in every s, (*batch)."""
        return _is_deterministic(self.new)

    @property
    def is_greedy_new(self) -> Array:
        """Whether new(a|s) > 0 only where A_old(s,a) = max_a' A_old(s,a'), (*batch).

        In floats A_old counts as equal to its maximum within 1e-9 of max |V_old| + ε; in balls exactly.
        """
        size = self.max_s(abs(self.relative_value)) + self.max_abs_advantage
        behind = self.max_a(self.advantage)[:, None] - self.advantage
        return np.all(self.close(size + behind, size) | ~(self.new > 0), axis=(0, 1))

    @property
    def one_state_moved(self) -> Array:
        """Whether new(·|s) ≠ old(·|s) in exactly one s, (*batch)."""
        return np.sum(np.any(self.new - self.old != 0, axis=1), axis=0) == 1

    @property
    def unit_rewards(self) -> Array:
        """Whether 0 ≤ r(s,a) ≤ 1 for every available action, (*batch)."""
        return np.all(((self.reward >= 0) & (self.reward <= 1)) | ~np.asarray(self.available, dtype=bool), axis=(0, 1))


def _is_deterministic(policy: Policy) -> Array:
    return np.all(np.sum(policy > 0, axis=1) == 1, axis=0)
