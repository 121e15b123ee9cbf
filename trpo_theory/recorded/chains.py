"""The steps of a sequence of policies on one MDP as batched `Quantities`; each policy is evaluated once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from trpo_theory.entries.sparse import is_sparse, sp
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics import resolvent as linear
from trpo_theory.numerics.arithmetic import Array, Policy, Resolvent
from trpo_theory.numerics.floats import Floats, policy_transition
from trpo_theory.numerics.layout import batch_first, batch_last
from trpo_theory.solve.chain import PolicyChain
from trpo_theory.solve.criteria import DISCOUNTED
from trpo_theory.solve.criterion import Given
from trpo_theory.solve.evaluation import Evaluation
from trpo_theory.solve.settings import expect_discount
from trpo_theory.step.quantities import Quantities

_ELIMINATE_BELOW = 32
"""States from which on chains are solved one by one, as in `numerics.resolvent`. Measured."""
_TABLE_ENTRIES = 2**18
"""Entries of the policies of a chunk; chosen: 2 MB of float64, which the update solver keeps in cache."""
_MATRIX_ENTRIES = 2**24
"""Entries of the dense chains of a chunk; chosen: 128 MB of float64."""
_LARGEST_FACTORISED = 5000
"""States up to which sparse LU is tried. Chosen: trying it on a larger chain costs more than it saves."""
_FILL_IN = 16
"""The most fill-in: entries of the sparse factors over those of the chain. Chosen: above it, dense solves win."""


class OneMDP(Floats):
    """float64 for policies (S, A, B) on one MDP, whose transition has no batch axis: (S, A, S), or sparse (S·A, S)."""

    width: int
    """How many policies a batch has."""

    def __init__(self, mdp: FiniteMDP) -> None:
        states, actions = mdp.states, mdp.actions
        self._rows: Any = mdp.transition if mdp.is_sparse else mdp.transition.reshape(states * actions, states)
        sparse = self._rows if mdp.is_sparse else sp.csr_array(self._rows)
        self._factorised = sparse if _factors_stay_sparse(sparse, actions) else None
        self.width = max(1, min(_TABLE_ENTRIES // (states * actions), _MATRIX_ENTRIES // self._chain_entries(mdp)))

    def _chain_entries(self, mdp: FiniteMDP) -> int:
        return mdp.states * (mdp.actions if mdp.is_sparse or self._factorised is not None else mdp.states)

    def expect(self, transition: Array, value: Array) -> Array:
        """Σ_s' P(s'|s,a) value(s'), (S, A, B)."""
        return (self._rows @ value).reshape(len(value), -1, *value.shape[1:])

    def push(self, transition: Array, weight: Array) -> Array:
        """Σ_{s,a} weight(s,a) P(s'|s,a), (S, B)."""
        return self._rows.T @ weight.reshape(-1, *weight.shape[2:])

    def laws(self, transition: Array, policy: Policy, start: Array, steps: int) -> Array:
        """The laws of s_0, ..., s_{steps−1}, (steps, S, B)."""
        return self._stepped(transition, policy, self._spread(start, policy), steps)

    def neumann_sum(self, transition: Array, weight: Array, b: Array) -> Array:
        """Σ_n Mⁿ b of each, (S, B)."""
        return self._each(super().neumann_sum, transition, weight, b)

    def chain_chi2(self, transition: Array, new: Policy, old: Policy) -> Array:
        """χ²(P_new(·|s) ‖ P_old(·|s)) of each, (S, B)."""
        return self._each(super().chain_chi2, transition, new, old)

    @staticmethod
    def _each(function: Callable[..., Array], transition: Array, *arrays: Array) -> Array:
        batch = max(x.shape[-1] for x in arrays)
        spread = (batch_first(np.broadcast_to(x, (*x.shape[:-1], batch))) for x in arrays)
        return np.stack([function(transition, *one) for one in zip(*spread, strict=True)], axis=-1)

    def resolvent(self, transition: Array, policy: Policy, gamma: Array) -> Resolvent:
        """(I − γ P_π)⁻¹ of each policy."""
        if self._factorised is not None:
            return _BlockDiagonal([policy_transition(self._factorised, one) for one in batch_first(policy)], gamma)
        if not is_sparse(transition) and len(policy) < _ELIMINATE_BELOW:
            return linear.resolvent(policy_transition(transition[..., None], policy), gamma)
        chains = (policy_transition(transition, one) for one in batch_first(policy))
        return _OneByOne([linear.resolvent(chain, float(gamma[0])) for chain in chains])


def _factors_stay_sparse(transition: Any, actions: int) -> bool:
    """Whether sparse LU suits the chains, tried on the uniform policy, whose chain has all entries that any policy's has."""
    states = transition.shape[1]
    if not _ELIMINATE_BELOW <= states <= _LARGEST_FACTORISED or transition.nnz > 0.1 * states * states:
        return False
    chain = sp.csr_array(policy_transition(transition, np.full((states, actions), 0.5 / actions)))
    factors = _factors(chain, 0.5)
    return factors.L.nnz + factors.U.nnz <= _FILL_IN * (chain.nnz + states)


def _factors(chain: Any, gamma: float) -> Any:
    from scipy.sparse.linalg import splu

    matrix = sp.csc_array(sp.eye_array(chain.shape[0], format="csr") - gamma * chain)
    return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})


class _BlockDiagonal:
    """Sparse LU of the chains as one block-diagonal matrix, which is strictly diagonally dominant: no pivoting is needed."""

    def __init__(self, chains: list[Any], gamma: Any) -> None:
        self._shape = (chains[0].shape[0], len(chains))
        self._lu = _factors(sp.block_diag(chains, format="csr"), float(gamma[0]))

    def solve(self, b: np.ndarray) -> np.ndarray:
        return self._apply(b, "N")

    def solve_transposed(self, b: np.ndarray) -> np.ndarray:
        return self._apply(b, "T")

    def _apply(self, b: np.ndarray, transposed: str) -> np.ndarray:
        flat = np.broadcast_to(b, self._shape).T.ravel()
        return np.ascontiguousarray(self._lu.solve(flat, trans=transposed).reshape(self._shape[::-1]).T)


class _OneByOne:
    def __init__(self, resolvents: list[Resolvent]) -> None:
        self._resolvents = resolvents

    def solve(self, b: np.ndarray) -> np.ndarray:
        return self._apply("solve", b)

    def solve_transposed(self, b: np.ndarray) -> np.ndarray:
        return self._apply("solve_transposed", b)

    def _apply(self, method: str, b: np.ndarray) -> np.ndarray:
        columns = np.broadcast_to(b, (len(b), len(self._resolvents))).T
        solved = [getattr(one, method)(column.copy()) for one, column in zip(self._resolvents, columns, strict=True)]
        return np.stack(solved, axis=-1)


class Steps(Quantities):
    """The quantities of a batch of steps between policies that are already evaluated; the batch is last."""

    def __init__(self, old: PolicyChain, new: PolicyChain, available: np.ndarray) -> None:
        names = ("gamma", "transition", "reward", "initial")
        fields: dict[str, Any] = {name: getattr(new, name) for name in names}
        policies = {"old": old.policy, "new": new.policy}
        super().__init__(new.arithmetic, **fields, **policies, available=available, batch_shape=new.policy.shape[-1:])
        vars(self).update(_old=old, _new=new)

    @property
    def return_rounding(self) -> np.ndarray:
        """A bound on the rounding error of η(new) − η(old), (B,): the sum of the error bounds of both values."""
        old, new = (Evaluation(chain, self.available).error_bound for chain in (self._old, self._new))
        return np.asarray(old) + np.asarray(new)

    def mean_over(self, states: np.ndarray, divergence: np.ndarray) -> np.ndarray:
        """Σ d_old(s) divergence(s) / Σ d_old(s) over the states of a mask (S,), (B,); 0 if old visits none of them."""
        weight = self.occupancy_old[states]
        total = weight.sum(0)
        return (weight * np.where(weight > 0, divergence[states], 0.0)).sum(0) / np.where(total > 0, total, 1.0)


class Chains:
    """The policies of a run on its MDP."""

    def __init__(self, mdp: FiniteMDP) -> None:
        expect_discount(mdp.gamma, "the steps of a run")
        self._arithmetic = OneMDP(mdp)
        self._mdp = mdp
        given = Given(
            np.array([mdp.gamma]),
            mdp.transition,
            mdp.reward[..., None],
            mdp.available[..., None],
            mdp.initial[..., None],
        )
        self._kernel = DISCOUNTED.kernel(self._arithmetic, given)
        self._reward = given.reward

    def of(self, policies: np.ndarray) -> PolicyChain:
        """V, ρ, η of policies (B, S, A), the batch last."""
        policy = np.ascontiguousarray(batch_last(policies))
        return self._chain(policy)

    def _chain(self, policy: np.ndarray) -> PolicyChain:
        return PolicyChain(self._arithmetic, self._kernel, self._reward, policy)

    def steps(self, policies: np.ndarray) -> Iterator[Steps]:
        """The steps policies[k] → policies[k + 1], in order, in batches."""
        last = self.of(policies[:1])
        for start in range(1, len(policies), self._arithmetic.width):
            new = self.of(policies[start : start + self._arithmetic.width])
            old = self._shifted(last, new)
            yield Steps(old, new, self._mdp.available[..., None])
            last = new

    def _shifted(self, last: PolicyChain, new: PolicyChain) -> PolicyChain:
        """The old policies of the steps to `new`: the last of `last`, then `new` without its last; with computed quantities."""

        def joined(name: str) -> np.ndarray:
            return np.concatenate([getattr(last, name)[..., -1:], getattr(new, name)[..., :-1]], axis=-1)

        old = self._chain(joined("policy"))
        vars(old).update({name: joined(name) for name in ("value", "q_value", "visitation", "expected_return")})
        return old
