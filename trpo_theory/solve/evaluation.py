"""One policy on one MDP: V, Q, A, ρ and η, each formula written once, in any arithmetic; `evaluate` is the public function."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from trpo_theory.errors import overflow
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import RealLike
from trpo_theory.numerics.arithmetic import Arithmetic, Array, Policy, Resolvent
from trpo_theory.numerics.floats import CheckedFloats, Floats
from trpo_theory.numerics.layout import batch_first, batch_last
from trpo_theory.solve.criteria import AVERAGE, DISCOUNTED, Kernel
from trpo_theory.solve.settings import PosedMDP, posed_mdp

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
        """The matrix (I − γ P_π)⁻¹ itself, (S, S, *batch), by a solve for each column."""
        unit = self.arithmetic.identity(len(self.policy))
        ones = (1,) * (np.ndim(self.reward) - 2)
        return self.arithmetic.stack([self.resolvent.solve(column.reshape(-1, *ones)) for column in unit], axis=1)

    @cached_property
    def amplification(self) -> Array:
        """max_s Σ_s' |(I − γ P_π)⁻¹(s, s')|, what the error of a right-hand side grows by at most, (*batch).

        Of a kernel without negative entries it is max_s (I − γ P_π)⁻¹ 1, the longest expected run; estimated for others of many
        states.
        """
        if self._kernel.positive:
            ones = 1 + 0 * self.arithmetic.max(self.reward, 1)
            return self.arithmetic.max(self.resolvent.solve(ones), 0)
        if len(self.policy) <= _INVERTED:
            return self.arithmetic.max(self.arithmetic.sum(abs(self.inverse), 1), 0)
        from scipy.sparse.linalg import LinearOperator, onenormest

        solve, transposed = self.resolvent.solve_transposed, self.resolvent.solve
        linear_operator: Any = LinearOperator
        shape = (len(self.policy),) * 2
        return onenormest(linear_operator(shape, matvec=solve, rmatvec=transposed, dtype=np.float64))

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
        return self.resolvent.solve_transposed(self.initial)

    @cached_property
    def expected_return(self) -> Array:
        """η = Σ_s ρ₀(s) V(s), equation (2)."""
        return self.arithmetic.sum(self.initial * self.value, 0)

    @cached_property
    def residual(self) -> Array:
        """max_s |r_π + γ P_π V − V|."""
        backed_up = self._expected(self.q_value)
        return self.arithmetic.max(abs(backed_up - self.value), 0)


class Evaluation:
    """The quantities of one policy, as `evaluate` returns them; leading axes are the batch. Arrays are read-only.

    Each is computed on first access, so that a large MDP's visitation is not solved for if only V is read.
    """

    def __init__(self, chain: PolicyChain, available: np.ndarray, setting: PosedMDP | None = None) -> None:
        self._chain, self._available, self._setting = chain, available, setting

    @property
    def gamma(self) -> float | Float[np.ndarray, "*batch"]:
        """γ."""
        return self._chain.gamma

    @property
    def criterion(self) -> str:
        """What the return sums: "discounted", "episodic" or "average"; with a horizon "finite-horizon"."""
        return DISCOUNTED.name if self._setting is None else self._setting.criterion.name

    @property
    def horizon(self) -> int | None:
        """T, or None."""
        return self._setting.horizon or None if self._setting is not None else None

    @property
    def policy(self) -> Float[np.ndarray, "*batch S A"]:
        """π(a|s)."""
        return to_leading(self._chain.policy, 2)

    @property
    def value(self) -> Float[np.ndarray, "*batch S"]:
        """V(s) = Σ_t γᵗ E[r_t | s_0 = s]; with criterion "average" the bias h, whose mean under d is 0."""
        value = self._chain.value
        if self.criterion == AVERAGE.name:
            value = value - (self._chain.visitation * value).sum(0)
        return self._by_step(to_leading(value, 1))

    @property
    def q_value(self) -> Float[np.ndarray, "*batch S A"]:
        """Q(s,a) = r(s,a) + γ Σ_s' P(s'|s,a) V(s'); 0 for an unavailable action."""
        q_value = _finite(self._chain.q_value, "a Q-value")
        if self.criterion == AVERAGE.name:
            able = batch_last(self._available, self._available.ndim - 2)
            q_value = np.where(able, q_value - (self._chain.visitation * self._chain.value).sum(0), 0.0)
        return self._by_step(to_leading(q_value, 2))

    @cached_property
    def advantage(self) -> Float[np.ndarray, "*batch S A"]:
        """A = Q − V, equation (4); 0 for an unavailable action."""
        return self._by_step(_frozen(np.where(self._available, to_leading(self._chain.advantage, 2), 0.0)))

    @property
    def visitation(self) -> Float[np.ndarray, "*batch S"]:
        """ρ(s) = Σ_t γᵗ P(s_t = s), equation (5), which sums to 1/(1 − γ); up to the end; with criterion "average" it is d."""
        return self._by_step(to_leading(self._chain.visitation, 1))

    @property
    def occupancy(self) -> Float[np.ndarray, "*batch S"]:
        """d = (1 − γ) ρ, or ρ over its sum: sums to 1."""
        criterion = DISCOUNTED if self._setting is None else self._setting.criterion
        found = criterion.occupancy(self._chain.arithmetic, self._chain.gamma, self._chain.visitation)
        return self._by_step(to_leading(found, 1))

    @cached_property
    def costs(self) -> Mapping[str, Evaluation]:
        """The same policy with each cost of the MDP in the place of the reward, by name; without a price of entropy."""
        if self._setting is None or self._setting.costs is None:
            return {}
        columns = np.moveaxis(self._setting.costs, 2, 0)
        chains = [self._chain.of_reward(column) for column in columns]
        names = self._setting.cost_names
        return {
            name: Evaluation(chain, self._available, self._setting) for name, chain in zip(names, chains, strict=True)
        }

    def _by_step(self, array: np.ndarray) -> np.ndarray:
        """With a horizon (T·S, ...) -> (T, S, ...)."""
        steps = self.horizon
        return array if steps is None else _frozen(array.reshape(steps, -1, *array.shape[1:]))

    @property
    def expected_return(self) -> float | Float[np.ndarray, "*batch"]:
        """η = Σ_s ρ₀(s) V(s), without a factor (1 − γ); with criterion "average" the gain."""
        return _frozen(_finite(self._chain.expected_return, "an expected return"))

    @property
    def residual(self) -> float | Float[np.ndarray, "*batch"]:
        """max_s |r_π + γ P_π V − V|, recomputed from the definition."""
        return _frozen(self._chain.residual)

    @property
    def error_bound(self) -> float | Float[np.ndarray, "*batch"]:
        """A bound on max_s |V − V*|, V* the exact value of the MDP as stored.

        (residual + u) / (1 − γ), or without a discount times ‖(I − K)⁻¹‖ of the criterion's kernel, where
        u = (n + A + 4) ε (max_s Σ_a π|r| + 2 max|V|) bounds the rounding error of the residual
        itself; n is the largest number of successors of a state and action, ε the machine epsilon.
        """
        chain = self._chain
        states, actions = chain.policy.shape[:2]
        successors = int(np.diff(chain.transition.indptr).max()) if sp.issparse(chain.transition) else states
        scale = (chain.policy * np.abs(chain.reward)).sum(1).max(0) + 2 * np.abs(chain.value).max(0)
        rounding = (successors + actions + 4) * np.finfo(np.float64).eps * scale
        if self.criterion == DISCOUNTED.name:
            return _frozen((chain.residual + rounding) / (1 - chain.gamma))
        return _frozen((chain.residual + rounding) * chain.amplification)

    def __repr__(self) -> str:
        shown = np.array2string(np.asarray(self.expected_return), precision=12, threshold=6)
        return f"Evaluation(expected_return={shown}, residual={np.max(self.residual):.1e})"


def evaluate(
    mdp: FiniteMDP,
    policy: RealLike,
    *,
    criterion: str | None = None,
    horizon: int | None = None,
    temperature: float | None = None,
) -> Evaluation:
    """The value, advantage, visitation and return of a policy, exact up to rounding.

    V = (I − γ P_π)⁻¹ r_π,  ρ = (I − γ P_πᵀ)⁻¹ ρ₀,  η = ρ₀ · V.

    Source: docs/theory.md, "Setting and notation".

    Args:
        mdp: one MDP or a batch, dense or sparse.
        policy: π(a|s), shape (*batch, S, A); batches of MDPs and of policies broadcast against each other. With a horizon
            also one policy a step, (T, S, A).
        criterion: "discounted", "episodic" (rewards up to the end, γ ≤ 1) or "average" (γ is not read); if left out, episodic
            where γ = 1, else discounted.
        horizon: T: the rewards of T steps, of one MDP; arrays of the result are then (T, S, ...).
        temperature: τ ≥ 0: the return counts τ times the entropy of π(·|s) in each step.

    Returns:
        An `Evaluation` with leading batch axes.

    Raises:
        InvalidInput: for a policy of another shape, or whose rows are not distributions over available actions; or one that
            has no return by the criterion, as where it never ends.
        NotSolved: if a sparse linear solve does not reach its required residual, or numbers overflow (when they are read).

    >>> mdp = FiniteMDP([[[1.0]]], [1.0], 0.9)
    >>> round(float(evaluate(mdp, [[1.0]]).expected_return), 12)
    10.0
    """
    found = posed_mdp(mdp, {"policy": policy}, criterion, horizon, temperature)
    kernel = found.criterion.kernel(CheckedFloats(), found.mdp)
    chain = PolicyChain(CheckedFloats(), kernel, found.mdp.reward, found.policies[0], found.temperature)
    return Evaluation(chain, to_leading(found.mdp.available, 2), found)


def to_leading(array: np.ndarray, core: int) -> np.ndarray:
    """(*core, *batch) -> a read-only view of shape (*batch, *core)."""
    return _frozen(batch_first(array, array.ndim - core))


def _finite(value: Any, what: str) -> Any:
    if not np.isfinite(value).all():
        raise overflow(what)
    return value


def _frozen(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    return value
