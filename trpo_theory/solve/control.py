"""The optimal policy and value, by policy iteration: finitely many steps, each an exact evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from trpo_theory.errors import NotSolved, overflow
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import deterministic
from trpo_theory.numerics.floats import CheckedFloats
from trpo_theory.numerics.layout import batch_first, batch_last
from trpo_theory.solve.criteria import DISCOUNTED, Given
from trpo_theory.solve.evaluation import PolicyChain, to_leading
from trpo_theory.solve.local_backups import LocalBackups
from trpo_theory.solve.settings import expect_discount, trailing_fields

_MAX_ITERATIONS = 10_000
"""Chosen: policy iteration takes tens of evaluations; so many mean that rounding makes it cycle."""


@dataclass(frozen=True, repr=False, eq=False)
class Optimum:
    """An optimal policy and its value; `error_bound` bounds their distance from the optimum.

    Attributes:
        policy: deterministic, (*batch, S, A); where actions tie, one of them.
        value: V*(s), (*batch, S).
        q_value: Q*(s, a), (*batch, S, A); -inf for an unavailable action.
        expected_return: η* = ρ₀ · V*.
        gamma: γ.
        iterations: how many policies were evaluated.
    """

    policy: Float[np.ndarray, "*batch S A"]
    value: Float[np.ndarray, "*batch S"]
    q_value: Float[np.ndarray, "*batch S A"]
    expected_return: float | Float[np.ndarray, "*batch"]
    gamma: float | Float[np.ndarray, "*batch"]
    iterations: int

    @property
    def bellman_residual(self) -> float | Float[np.ndarray, "*batch"]:
        """max_s |max_a Q(s,a) − V(s)|."""
        return np.abs(self.q_value.max(-1) - self.value).max(-1)

    @property
    def error_bound(self) -> float | Float[np.ndarray, "*batch"]:
        """max_s |V(s) − V*(s)| is at most the Bellman residual over 1 − γ."""
        return self.bellman_residual / (1.0 - self.gamma)

    def __repr__(self) -> str:
        shown = np.array2string(np.asarray(self.expected_return), precision=12, threshold=6)
        return f"Optimum(expected_return={shown}, error_bound={np.max(self.error_bound):.1e}, iterations={self.iterations})"


def optimal(mdp: FiniteMDP) -> Optimum:
    """An optimal policy, by policy iteration, exact to rounding; for a batch, all at once.

    V*(s) = max_a r(s,a) + γ Σ_s' P(s'|s,a) V*(s').   Source: Howard (1960); Puterman (2005), section 6.4.

    An action is replaced only by one whose Q-value is larger by more than rounding, so that ties cannot cycle. For a sparse
    MDP, changes of the value in few states are propagated by `LocalBackups` before the next evaluation; the result is a full
    evaluation in every case, and its `error_bound` comes from its own Bellman residual.

    Args:
        mdp: one MDP or a batch, dense or sparse.

    Raises:
        NotSolved: if the policy still changes after 10,000 evaluations, or values overflow.

    >>> optimal(FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[1, 0], [2, 0]], 0.5, [1, 0])).value
    array([2., 4.])
    """
    expect_discount(mdp.gamma, "an optimal policy")
    fields, _ = trailing_fields(mdp)
    available = fields["available"]
    kernel = DISCOUNTED.kernel(CheckedFloats(), Given(**fields))
    offered = np.where(available, fields["reward"], -np.inf)
    local = LocalBackups(mdp.transition, offered, float(mdp.gamma)) if mdp.is_sparse else None
    action, last, raised = offered.argmax(1), np.array(-np.inf), None
    for iteration in range(1, _MAX_ITERATIONS + 1):
        policy = batch_last(deterministic(batch_first(action, action.ndim - 1), mdp.actions), action.ndim - 1)
        chain = PolicyChain(CheckedFloats(), kernel, fields["reward"], policy)
        if local is not None:
            from_start: Any = chain.resolvent.solve  # that of a sparse chain also takes an x to start from
            vars(chain)["value"] = from_start(chain.expected_reward, raised)
        q_value = np.where(available, chain.q_value, -np.inf)
        if not np.isfinite(q_value.max(1)).all():
            raise overflow("a Q-value")
        best = q_value.argmax(1)
        gain = q_value.max(1) - np.take_along_axis(q_value, action[:, None], 1)[:, 0]
        rounding = 32 * np.finfo(np.float64).eps * (np.abs(chain.value).max(0) + np.abs(fields["reward"]).max((0, 1)))
        if mdp.is_sparse:  # a sparse solve leaves a residual, which also perturbs Q-values
            rounding = rounding + 4 * chain.residual
        improves = gain > rounding
        stuck = mdp.is_sparse and not (chain.value > last + rounding).any()
        if stuck or not improves.any():
            return Optimum(
                policy=to_leading(policy, 2),
                value=to_leading(chain.value, 1),
                q_value=to_leading(q_value, 2),
                expected_return=chain.expected_return,
                gamma=mdp.gamma,
                iterations=iteration,
            )
        action, last = np.where(improves, best, action), chain.value
        if local is not None:
            raised = local.raised(chain.value, q_value, float(rounding))
            action = action if raised is None else local.greedy(raised)
            raised = chain.value if raised is None else raised
    raise NotSolved(
        f"got policies that still change after {_MAX_ITERATIONS} evaluations; wanted a settled one; "
        "fix: lower gamma, so that rounding does not exceed the differences between actions"
    )
