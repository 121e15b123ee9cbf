"""One policy on one MDP: V, Q, A, ρ and η, each formula written once, in any arithmetic; `evaluate` is the public function."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from trpo_theory.entries.sparse import is_sparse
from trpo_theory.errors import overflow, too_long
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.shapes import Float
from trpo_theory.model.types import RealLike
from trpo_theory.numerics.floats import CheckedFloats
from trpo_theory.numerics.layout import batch_first, batch_last
from trpo_theory.solve.chain import PolicyChain
from trpo_theory.solve.criteria import AVERAGE, DISCOUNTED, EPISODIC
from trpo_theory.solve.settings import PosedMDP, posed_mdp


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
        return self._by_step(to_leading(self._chain.policy, 2))

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
        if self._chain.counted is not None:  # what is paid after the end is not of the run
            columns = np.where(self._chain.counted[:, None], columns, 0.0)
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
    def longest_run(self) -> float | Float[np.ndarray, "*batch"] | None:
        """max_s of the expected number of steps to the end, a step t counting γᵗ: criterion "episodic"; None for others."""
        if self.criterion != EPISODIC.name:
            return None
        return _frozen(self._chain.longest_run)

    @property
    def kemeny(self) -> float | Float[np.ndarray, "*batch"] | None:
        """κ = trace (I − P_π + 1 dᵀ)⁻¹, Kemeny's constant, as `Quantities.kemeny_old`: criterion "average"; None for others.

        It costs a solve for each state, as the next one does.
        """
        return _frozen(self._chain.trace) if self.criterion == AVERAGE.name else None

    @property
    def mixing(self) -> float | Float[np.ndarray, "*batch"] | None:
        """τ, half the largest L1 distance of two rows of (I − P_π + 1 dᵀ)⁻¹: criterion "average"; None for others."""
        return _frozen(self._chain.row_distance) if self.criterion == AVERAGE.name else None

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
        successors = int(np.diff(chain.transition.indptr).max()) if is_sparse(chain.transition) else states
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
            also one policy a step, (T, S, A). Or "uniform" or "optimal".
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
    if found.criterion is EPISODIC and np.isinf(chain.amplification).any():
        raise too_long()
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
