"""Optimal policy and value by policy iteration: finitely many steps, each an exact evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from trpo_theory.errors import NotSolved
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import deterministic
from trpo_theory.numerics.floats import Floats
from trpo_theory.solve.evaluation import PolicyChain, to_leading, trailing_fields
from trpo_theory.solve.local_backups import LocalBackups

_MAX_ITERATIONS = 10_000


@dataclass(frozen=True, repr=False, eq=False)
class Optimum:
    """An optimal policy and its value; `error_bound` says how far from optimal they can be.

    Attributes:
        policy: deterministic, (*batch, S, A); of tying actions, one that policy iteration met.
        value: V*(s), (*batch, S).
        q_value: Q*(s, a), (*batch, S, A); -inf for an unavailable action.
        expected_return: η* = ρ₀ · V*.
        iterations: evaluations done.
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

    An action is exchanged only for one whose Q-value is larger by more than rounding, so that ties cannot cycle.
    Of a sparse MDP, values that change in few states only are first followed by `LocalBackups`; what is returned is evaluated
    as ever, and its `error_bound` is from its own Bellman residual.

    Raises:
        NotSolved: if the policies have not settled after 10,000 evaluations.

    >>> optimal(FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[1, 0], [2, 0]], 0.5, [1, 0])).value
    array([2., 4.])
    """
    fields, _ = trailing_fields(mdp)
    available = fields.pop("available")
    offered = np.where(available, fields["reward"], -np.inf)
    local = LocalBackups(mdp.transition, offered, float(mdp.gamma)) if mdp.is_sparse else None
    action, last, raised = offered.argmax(1), np.array(-np.inf), None
    for iteration in range(1, _MAX_ITERATIONS + 1):
        policy = np.moveaxis(deterministic(action, mdp.actions), -1, 1)
        chain = PolicyChain(Floats(), policy=policy, **fields)
        if local is not None:
            vars(chain)["value"] = chain.resolvent.solve(chain.expected_reward, raised)
        q_value = np.where(available, chain.q_value, -np.inf)
        best = q_value.argmax(1)
        gain = q_value.max(1) - np.take_along_axis(q_value, action[:, None], 1)[:, 0]
        rounding = 32 * np.finfo(np.float64).eps * (np.abs(chain.value).max(0) + np.abs(fields["reward"]).max((0, 1)))
        if mdp.is_sparse:  # whose evaluation leaves a residual, by which Q-values of equals differ
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
