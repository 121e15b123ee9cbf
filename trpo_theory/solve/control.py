"""The optimal policy and value, by policy iteration: finitely many steps, each an exact evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from trpo_theory import _checks
from trpo_theory.errors import InvalidInput, NotSolved, overflow
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import deterministic
from trpo_theory.numerics.floats import CheckedFloats
from trpo_theory.numerics.layout import batch_first, batch_last
from trpo_theory.solve.chain import PolicyChain
from trpo_theory.solve.criteria import AVERAGE, DISCOUNTED, EPISODIC, criterion_of
from trpo_theory.solve.criterion import Criterion, Given
from trpo_theory.solve.evaluation import to_leading
from trpo_theory.solve.local_backups import LocalBackups
from trpo_theory.solve.reachability import ends, leading, successors
from trpo_theory.solve.settings import trailing_fields

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
        longest: what a residual is multiplied by in `error_bound`.

    With a horizon policy, value and q_value have an axis of T steps in front.
    """

    policy: Float[np.ndarray, "*batch S A"]
    value: Float[np.ndarray, "*batch S"]
    q_value: Float[np.ndarray, "*batch S A"]
    expected_return: float | Float[np.ndarray, "*batch"]
    gamma: float | Float[np.ndarray, "*batch"]
    iterations: int
    longest: float | Float[np.ndarray, "*batch"]

    @property
    def bellman_residual(self) -> float | Float[np.ndarray, "*batch"]:
        """max_s |max_a Q(s,a) − V(s)|."""
        return np.abs(self.q_value.max(-1) - self.value).max(-1)

    @property
    def error_bound(self) -> float | Float[np.ndarray, "*batch"]:
        """A bound on max_s |V(s) − V*(s)|: the Bellman residual over 1 − γ; times T over a horizon.

        Of the average reward it bounds g* − g, by the residual itself. Without a discount, of an MDP that ends, nothing is known
        of how long runs may be, and the bound is ∞ where there is a residual.
        """
        residual = np.asarray(self.bellman_residual)
        return (np.where(residual > 0, self.longest, 0.0) * residual)[()]

    def __repr__(self) -> str:
        shown = np.array2string(np.asarray(self.expected_return), precision=12, threshold=6)
        return f"Optimum(expected_return={shown}, error_bound={np.max(self.error_bound):.1e}, iterations={self.iterations})"


def optimal(mdp: FiniteMDP, *, criterion: str | None = None, horizon: int | None = None) -> Optimum:
    """An optimal policy, by policy iteration, exact to rounding; for a batch, all at once.

    V*(s) = max_a r(s,a) + γ Σ_s' P(s'|s,a) V*(s').   Source: Howard (1960); Puterman (2005), section 6.4.

    An action is replaced only by one whose Q-value is larger by more than rounding, so that ties cannot cycle. For a sparse
    MDP, changes of the value in few states are propagated by `LocalBackups` before the next evaluation; the result is a full
    evaluation in every case, and its `error_bound` comes from its own Bellman residual. Over a horizon: by backward induction.

    Args:
        mdp: one MDP or a batch, dense or sparse.
        criterion: as of `evaluate`; "average" maximises the gain.
        horizon: T, for one MDP: the best policy of each step.

    Raises:
        InvalidInput: where no policy has a return by the criterion, or the best one has several closed classes.
        NotSolved: if the policy still changes after 10,000 evaluations, or values overflow.

    >>> optimal(FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[1, 0], [2, 0]], 0.5, [1, 0])).value
    array([2., 4.])
    """
    if horizon is not None:
        return _backward(mdp, _checks.integer(horizon, "horizon", least=1))
    return _by_policy_iteration(mdp, criterion_of(criterion, mdp.gamma))


def _by_policy_iteration(mdp: FiniteMDP, sums: Criterion) -> Optimum:
    fields, _ = trailing_fields(mdp)
    available, given = fields["available"], Given(**fields)
    kernel = sums.kernel(CheckedFloats(), given)
    offered = np.where(available, fields["reward"], -np.inf)
    local = LocalBackups(mdp.transition, offered, float(mdp.gamma)) if mdp.is_sparse and kernel.positive else None
    action, last, raised = _first_actions(sums, given, offered), np.array(-np.inf), None
    for iteration in range(1, _MAX_ITERATIONS + 1):
        policy = batch_last(deterministic(batch_first(action, action.ndim - 1), mdp.actions), action.ndim - 1)
        if sums is not DISCOUNTED and not np.all(sums.allows(given, policy)):
            one = not mdp.batch_shape
            raise sums.complaint(given, policy, "policy on the way to the best one") if one else _of_the_batch(sums)
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
                longest=_longest(sums, mdp.gamma),
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


def _longest(criterion: Criterion, gamma: Any) -> Any:
    """What a Bellman residual is multiplied by for a bound on the error."""
    if criterion is AVERAGE:
        return 1.0
    with np.errstate(divide="ignore"):
        return 1.0 / (1.0 - np.asarray(gamma))[()]


def _first_actions(criterion: Criterion, mdp: Given, offered: np.ndarray) -> np.ndarray:
    """Of the first policy: the best reward; where runs must end, an action that may come one step nearer to the end."""
    best = offered.argmax(1)
    if criterion is not EPISODIC:
        return best
    able, near, leads = np.asarray(mdp.available, dtype=bool), ends(mdp), successors(mdp.transition)
    action = np.where(near, able.argmax(1), -1)
    while True:
        closer = leading(leads, near) & able & ~near[:, None]
        found = closer.any(1)
        if not found.any():
            return np.where(action < 0, best, action)
        action = np.where(found, closer.argmax(1), action)
        near = near | found


def _of_the_batch(criterion: Criterion) -> InvalidInput:
    return InvalidInput(
        got=f"a batch with an MDP whose best policy has no return by the {criterion.name} criterion",
        wanted="MDPs that all have one",
        fix="loop over the batch, to see which it is",
    )


def _backward(mdp: FiniteMDP, steps: int) -> Optimum:
    """By backward induction, V_t(s) = max_a r(s,a) + γ Σ_s' P(s'|s,a) V_{t+1}(s')."""
    if mdp.batch_shape:
        raise InvalidInput(
            got=f"a batch of MDPs, {mdp.batch_shape}, with a horizon", wanted="one MDP", fix="loop over the batch"
        )
    floats, value = CheckedFloats(), np.zeros(mdp.states)
    q_value = np.empty((steps, mdp.states, mdp.actions))
    for t in reversed(range(steps)):
        backed_up = mdp.reward + mdp.gamma * floats.expect(mdp.transition, value)
        q_value[t] = np.where(mdp.available, backed_up, -np.inf)
        value = q_value[t].max(1)
    if not np.isfinite(value).all():
        raise overflow("a Q-value")
    return Optimum(
        policy=deterministic(q_value.argmax(2), mdp.actions),
        value=q_value.max(2),
        q_value=q_value,
        expected_return=float(mdp.initial @ value),
        gamma=mdp.gamma,
        iterations=steps,
        longest=float(steps),
    )
