"""One policy on one MDP: V, Q, A, ρ and η, each formula written once, in any arithmetic; `evaluate` is the public function."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from trpo_theory import _checks
from trpo_theory.errors import overflow
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import RealLike
from trpo_theory.numerics.arithmetic import Arithmetic, Array, Policy, Resolvent
from trpo_theory.numerics.floats import CheckedFloats, Floats
from trpo_theory.numerics.layout import batch_first, batch_last

_CLOSE = 1 / 16
"""Rewards whose range is up to this share of their middle are close to it. Chosen: above, what a difference of values loses is
four bits at most."""


class PolicyChain:
    """The Markov chain of a policy on an MDP, in any arithmetic: S axis 0, A axis 1, a batch last; quantities are lazy.

    Args:
        arithmetic: the operations: `floats.Floats`, or the ball arithmetic of `numerics.ball`.
        gamma, transition, reward, initial: the MDP, in this layout.
        policy: π, shape (S, A, *batch).
    """

    def __init__(
        self, arithmetic: Arithmetic, gamma: Array, transition: Array, reward: Array, initial: Array, policy: Policy
    ) -> None:
        self.arithmetic: Arithmetic = arithmetic
        self.gamma: Array = gamma
        self.transition: Array = transition
        self.reward: Array = reward
        self.initial: Array = initial
        self.policy: Policy = policy

    @cached_property
    def resolvent(self) -> Resolvent:
        """(I − γ P_π)⁻¹."""
        return self.arithmetic.resolvent(self.transition, self.policy, self.gamma)

    @cached_property
    def expected_reward(self) -> Array:
        """r_π(s) = Σ_a π(a|s) r(s,a)."""
        return self.arithmetic.sum(self.policy * self.reward, 1)

    @cached_property
    def value(self) -> Array:
        """V = (I − γ P_π)⁻¹ r_π."""
        return self.resolvent.solve(self.expected_reward)

    @cached_property
    def offset(self) -> Array:
        """A constant that all rewards are close to, next to which their differences would be lost in V; 0 if there is none.

        Balls lose nothing, and have none.
        """
        if not isinstance(self.arithmetic, Floats):
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
        return self.resolvent.solve(self.arithmetic.sum(self.policy * (self.reward - self.offset), 1))

    @cached_property
    def advantage(self) -> Array:
        """A = Q − V, equation (4), of every action: a constant in r changes Q and V, and not A."""
        if not np.any(self.offset):
            return self.q_value - self.value[:, None]
        relative = self.reward - self.offset + self.gamma * self.arithmetic.expect(self.transition, self.relative_value)
        return relative - self.arithmetic.sum(self.policy * relative, 1)[:, None]

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
        backed_up = self.arithmetic.sum(self.policy * self.q_value, 1)
        return self.arithmetic.max(abs(backed_up - self.value), 0)


class Evaluation:
    """The quantities of one policy, as `evaluate` returns them; leading axes are the batch. Arrays are read-only.

    Each is computed on first access, so that a large MDP's visitation is not solved for if only V is read.
    """

    def __init__(self, chain: PolicyChain, available: np.ndarray) -> None:
        self._chain, self._available = chain, available

    @property
    def gamma(self) -> float | Float[np.ndarray, "*batch"]:
        """γ."""
        return self._chain.gamma

    @property
    def policy(self) -> Float[np.ndarray, "*batch S A"]:
        """π(a|s)."""
        return to_leading(self._chain.policy, 2)

    @property
    def value(self) -> Float[np.ndarray, "*batch S"]:
        """V(s) = Σ_t γᵗ E[r_t | s_0 = s], discounted reward."""
        return to_leading(self._chain.value, 1)

    @property
    def q_value(self) -> Float[np.ndarray, "*batch S A"]:
        """Q(s,a) = r(s,a) + γ Σ_s' P(s'|s,a) V(s'); 0 for an unavailable action."""
        return to_leading(_finite(self._chain.q_value, "a Q-value"), 2)

    @cached_property
    def advantage(self) -> Float[np.ndarray, "*batch S A"]:
        """A = Q − V, equation (4); 0 for an unavailable action."""
        return _frozen(np.where(self._available, to_leading(self._chain.advantage, 2), 0.0))

    @property
    def visitation(self) -> Float[np.ndarray, "*batch S"]:
        """ρ(s) = Σ_t γᵗ P(s_t = s), equation (5): sums to 1/(1 − γ)."""
        return to_leading(self._chain.visitation, 1)

    @property
    def occupancy(self) -> Float[np.ndarray, "*batch S"]:
        """d = (1 − γ) ρ: sums to 1."""
        return to_leading((1 - self._chain.gamma) * self._chain.visitation, 1)

    @property
    def expected_return(self) -> float | Float[np.ndarray, "*batch"]:
        """η = Σ_s ρ₀(s) V(s), without a factor (1 − γ)."""
        return _frozen(_finite(self._chain.expected_return, "an expected return"))

    @property
    def residual(self) -> float | Float[np.ndarray, "*batch"]:
        """max_s |r_π + γ P_π V − V|, recomputed from the definition."""
        return _frozen(self._chain.residual)

    @property
    def error_bound(self) -> float | Float[np.ndarray, "*batch"]:
        """A bound on max_s |V − V*|, V* the exact value of the MDP as stored.

        (residual + u) / (1 − γ), where u = (n + A + 4) ε (max_s Σ_a π|r| + 2 max|V|) bounds the rounding error of the residual
        itself; n is the largest number of successors of a state and action, ε the machine epsilon.
        """
        chain = self._chain
        states, actions = chain.policy.shape[:2]
        successors = int(np.diff(chain.transition.indptr).max()) if sp.issparse(chain.transition) else states
        scale = (chain.policy * np.abs(chain.reward)).sum(1).max(0) + 2 * np.abs(chain.value).max(0)
        rounding = (successors + actions + 4) * np.finfo(np.float64).eps * scale
        return _frozen((chain.residual + rounding) / (1 - chain.gamma))

    def __repr__(self) -> str:
        shown = np.array2string(np.asarray(self.expected_return), precision=12, threshold=6)
        return f"Evaluation(expected_return={shown}, residual={np.max(self.residual):.1e})"


def evaluate(mdp: FiniteMDP, policy: RealLike) -> Evaluation:
    """The value, advantage, visitation and return of a policy, exact up to rounding.

    V = (I − γ P_π)⁻¹ r_π,  ρ = (I − γ P_πᵀ)⁻¹ ρ₀,  η = ρ₀ · V.

    Source: docs/theory.md, "Setting and notation".

    Args:
        mdp: one MDP or a batch, dense or sparse.
        policy: π(a|s), shape (*batch, S, A); batches of MDPs and of policies broadcast against each other.

    Returns:
        An `Evaluation` with leading batch axes.

    Raises:
        InvalidInput: for a policy of another shape, or whose rows are not distributions over available actions.
        NotSolved: if a sparse linear solve does not reach its required residual, or numbers overflow (when they are read).

    >>> mdp = FiniteMDP([[[1.0]]], [1.0], 0.9)
    >>> round(float(evaluate(mdp, [[1.0]]).expected_return), 12)
    10.0
    """
    policy = _checks.policy_rows(policy, mdp.available)
    fields, (policy,) = trailing_fields(mdp, policy)
    available = fields.pop("available")
    return Evaluation(PolicyChain(CheckedFloats(), policy=policy, **fields), to_leading(available, 2))


def trailing_fields(mdp: FiniteMDP, *policies: np.ndarray) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The arrays of an MDP and of policies on it with the batch axes last, equally many in each (of size 1 or full)."""
    batch = max([len(mdp.batch_shape), *(policy.ndim - 2 for policy in policies)])
    gamma = mdp.gamma
    if batch:
        gamma = np.asarray(gamma).reshape((1,) * (batch - np.ndim(gamma)) + np.shape(gamma))
    fields = {
        "gamma": gamma,
        "transition": mdp.transition if mdp.is_sparse else _to_trailing(mdp.transition, 3, batch),
        "reward": _to_trailing(mdp.reward, 2, batch),
        "initial": _to_trailing(mdp.initial, 1, batch),
        "available": _to_trailing(mdp.available, 2, batch),
    }
    if mdp.is_sparse and batch:
        raise _checks.InvalidInput(
            got=f"a batch of policies, shape {policies[0].shape}, for a sparse MDP",
            wanted="one policy (S, A) at a time",
            fix="loop over the policies, or use a dense transition",
        )
    return fields, [_to_trailing(policy, 2, batch) for policy in policies]


def _to_trailing(array: np.ndarray, core: int, batch: int) -> np.ndarray:
    """(*batch, *core) -> contiguous (*core, *batch), with leading axes of size 1 added."""
    array = array.reshape((1,) * (batch + core - array.ndim) + array.shape)
    return np.ascontiguousarray(batch_last(array, batch)) if batch else array


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
