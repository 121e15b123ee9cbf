"""`PolicyChain`: V, Q, A, ρ and η of a policy, each formula written once, in any arithmetic and for every criterion."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from trpo_theory.errors import NotSolved
from trpo_theory.numerics.arithmetic import Arithmetic, Array, Inverting, Policy, Resolvent
from trpo_theory.numerics.floats import Floats
from trpo_theory.solve.criterion import Kernel
from trpo_theory.solve.reachability import edges, recurrent

_INVERTED = 300
"""States up to which a matrix is inverted for its norm. Chosen: a tenth of a second."""
_CLOSE = 1 / 16
"""Rewards whose range is up to this share of their middle are close to it. Chosen: above, what a difference of values loses is
four bits at most."""


class PolicyChain:
    """The Markov chain of a policy on an MDP, in any arithmetic: S axis 0, A axis 1, a batch last; quantities are lazy.

    Args:
        arithmetic: the operations: `floats.Floats`, or the ball arithmetic of `numerics.ball`.
        kernel: of the criterion: P, γ and ρ₀ for the discounted one, to which the formulas below are written.
        reward: r(s,a), in this layout.
        policy: π, shape (S, A, *batch).
        temperature: τ, (*batch): the reward is r − τ log π, and V, Q and η are soft ones. 0 for none.
    """

    def __init__(
        self, arithmetic: Arithmetic, kernel: Kernel, reward: Array, policy: Policy, temperature: Array = 0
    ) -> None:
        self.arithmetic: Arithmetic = arithmetic
        self.gamma: Array = kernel.gamma
        self.transition: Array = kernel.transition
        self.initial: Array = kernel.start
        self.reward: Array = reward
        self.policy: Policy = policy
        self._kernel = kernel
        self._temperature = temperature

    @cached_property
    def resolvent(self) -> Resolvent:
        """(I − γ P_π)⁻¹."""
        return self.arithmetic.resolvent(self.transition, self.policy, self.gamma)

    def of_reward(self, reward: Array) -> PolicyChain:
        """The chain of the same policy with another reward and no temperature; its resolvent is shared."""
        other = PolicyChain(self.arithmetic, self._kernel, reward, self.policy)
        vars(other)["resolvent"] = self.resolvent
        return other

    @cached_property
    def inverse(self) -> Array:
        """The matrix (I − γ P_π)⁻¹ itself, (S, S, *batch), by a solve for each column where the resolvent does not have it."""
        if isinstance(self.resolvent, Inverting):
            return self.resolvent.inverse()
        unit = self.arithmetic.identity(len(self.policy))
        ones = (1,) * (np.ndim(self.reward) - 2)
        return self.arithmetic.stack([self.resolvent.solve(column.reshape(-1, *ones)) for column in unit], axis=1)

    @cached_property
    def trace(self) -> Array:
        """The trace of (I − γ P_π)⁻¹, (*batch)."""
        return self.arithmetic.sum(self.arithmetic.stack([self.inverse[s, s] for s in range(len(self.inverse))]), 0)

    @cached_property
    def row_distance(self) -> Array:
        """Half the largest L1 distance between two rows of (I − γ P_π)⁻¹, (*batch)."""
        return self.arithmetic.row_distance(self.inverse) / 2

    @cached_property
    def amplification(self) -> Array:
        """max_s Σ_s' |(I − γ P_π)⁻¹(s, s')|, what the error of a right-hand side grows by at most, (*batch).

        Of a kernel without negative entries it is max_s (I − γ P_π)⁻¹ 1, the longest expected run; estimated for others of many
        states.
        """
        if self._kernel.positive:
            return self._lengths_at_most()
        if len(self.policy) <= _INVERTED:
            return self.arithmetic.max(self.arithmetic.sum(abs(self.inverse), 1), 0)
        from scipy.sparse.linalg import LinearOperator, onenormest

        solve, transposed = self.resolvent.solve_transposed, self.resolvent.solve
        linear_operator: Any = LinearOperator
        shape = (len(self.policy),) * 2
        return onenormest(linear_operator(shape, matvec=solve, rmatvec=transposed, dtype=np.float64))

    @cached_property
    def longest_run(self) -> Array:
        """max_s (I − γ P_π)⁻¹ 1 as it is found, of a kernel without negative entries, (*batch)."""
        return self.arithmetic.max(self._lengths, 0)

    @cached_property
    def _lengths(self) -> Array:
        return self.resolvent.solve(1 + 0 * self.arithmetic.max(self.reward, 1))

    def _lengths_at_most(self) -> Array:
        """The longest run, of floats by its residual: for x ≥ 0, x = 1 + γ P_π x + e, |e| ≤ d < 1, true lengths are ≤ x/(1 − d).

        ∞ where d is larger, as where an end is so far that floats tell nothing of how far: x may be of either sign there.
        """
        if not isinstance(self.arithmetic, Floats):
            return self.longest_run
        try:
            found = self.arithmetic.plain(self._lengths)
        except NotSolved:  # singular to rounding
            return np.inf
        ahead = self.gamma * self.arithmetic.expect(self.transition, self._lengths)
        missed = abs(1 + self.arithmetic.plain(self.arithmetic.sum(self.policy * ahead, 1)) - found)
        largest, terms = abs(found).max(0), sum(self.policy.shape[:2]) + 4
        off = missed.max(0) + terms * np.finfo(np.float64).eps * (1 + 2 * largest)
        known = (found > 0).all(0) & (off < 1)
        return np.where(known, largest / np.where(known, 1 - off, 1.0), np.inf)[()]

    @cached_property
    def expected_reward(self) -> Array:
        """r_π(s) = Σ_a π(a|s) r(s,a), and τ times the entropy of π(·|s) where there is a temperature."""
        return self._expected(self.reward)

    @cached_property
    def entropy(self) -> Array:
        """−Σ_a π(a|s) log π(a|s), (S, *batch); 0 at an end, where nothing is earned any more."""
        played = self.policy > 0
        logs = self.arithmetic.log(self.arithmetic.where(played, self.policy, 1))
        entropy = -self.arithmetic.sum(self.policy * logs, 1)
        counted = self._kernel.counted
        return entropy if counted is None else self.arithmetic.where(counted, entropy, 0)

    @property
    def counted(self) -> Any:
        """In which states a run still goes on, (S, *batch); None for all."""
        return self._kernel.counted

    @property
    def temperature(self) -> Any:
        """τ."""
        return self._temperature

    @property
    def is_soft(self) -> bool:
        """Whether there is a temperature."""
        return not (isinstance(self._temperature, int) and self._temperature == 0)

    def _expected(self, reward: Array) -> Array:
        plain = self.arithmetic.sum(self.policy * reward, 1)
        return plain + self._temperature * self.entropy if self.is_soft else plain

    @cached_property
    def value(self) -> Array:
        """V = (I − γ P_π)⁻¹ r_π."""
        return self.resolvent.solve(self.expected_reward)

    @cached_property
    def offset(self) -> Array:
        """A constant that all rewards are close to, next to which their differences would be lost in V; 0 if there is none.

        Balls lose nothing, and have none.
        """
        if not isinstance(self.arithmetic, Floats) or not self._kernel.levels:
            return 0
        reward = self.arithmetic.plain(self.reward)
        low, high = reward.min((0, 1)), reward.max((0, 1))
        middle = low + 0.5 * (high - low)
        return np.where(high - low <= _CLOSE * np.abs(middle), middle, 0.0)

    @cached_property
    def relative_value(self) -> Array:
        """V less offset/(1 − γ): that of the rewards less their offset."""
        if not np.any(self.offset):
            return self.value
        return self.resolvent.solve(self._expected(self.reward - self.offset))

    @cached_property
    def advantage(self) -> Array:
        """A = Q − V, equation (4), of every action: a constant in r changes Q and V, and not A.

        With a temperature its mean under π is −τ times the entropy.
        """
        if not np.any(self.offset):
            return self.q_value - self.value[:, None]
        relative = self.reward - self.offset + self.gamma * self.arithmetic.expect(self.transition, self.relative_value)
        mean = self.arithmetic.sum(self.policy * relative, 1)
        return relative - (mean + self._temperature * self.entropy if self.is_soft else mean)[:, None]

    @cached_property
    def q_value(self) -> Array:
        """Q(s,a) = r(s,a) + γ Σ_s' P(s'|s,a) V(s'), equation (4)."""
        return self.reward + self.gamma * self.arithmetic.expect(self.transition, self.value)

    @cached_property
    def visitation(self) -> Array:
        """ρ = (I − γ P_πᵀ)⁻¹ ρ₀, equation (5): unnormalised."""
        found = self.resolvent.solve_transposed(self.initial)
        if self._kernel.moves is None:
            return found
        return self.arithmetic.where(recurrent(edges(self._kernel.moves, self.policy)), found, 0)

    @cached_property
    def expected_return(self) -> Array:
        """η = Σ_s ρ₀(s) V(s), equation (2)."""
        return self.arithmetic.sum(self.initial * self.value, 0)

    @cached_property
    def residual(self) -> Array:
        """max_s |r_π + γ P_π V − V|."""
        backed_up = self._expected(self.q_value)
        return self.arithmetic.max(abs(backed_up - self.value), 0)
