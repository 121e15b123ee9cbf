"""The optimal policy and value, by policy iteration: finitely many steps, each an exact evaluation."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from trpo_theory.entries.sparse import is_sparse
from trpo_theory.errors import InvalidInput, NotSolved, overflow
from trpo_theory.model.mdp import FiniteMDP, expect_mdp
from trpo_theory.model.policy import deterministic
from trpo_theory.numerics.floats import CheckedFloats
from trpo_theory.solve.criteria import AVERAGE, DISCOUNTED, EPISODIC, criterion_of
from trpo_theory.solve.criterion import Criterion, Given
from trpo_theory.solve.evaluated import DenseEvaluator, Evaluator, SparseEvaluator, policy_of
from trpo_theory.solve.evaluation import to_leading
from trpo_theory.solve.optimum import Optimum
from trpo_theory.solve.reachability import approaching, ends, leading, successors
from trpo_theory.solve.settings import steps_asked, temperature_of, trailing_fields
from trpo_theory.solve.soft import soft_backward, soft_policy_iteration
from trpo_theory.solve.sparse_improvement import SparseImprovement

_MAX_ITERATIONS = 10_000
"""Chosen: policy iteration takes tens of evaluations; so many mean that rounding makes it cycle."""


def optimal(
    mdp: FiniteMDP, *, criterion: str | None = None, horizon: int | None = None, temperature: float | None = None
) -> Optimum:
    """An optimal policy, by policy iteration, exact to rounding; for a batch, all at once.

    V*(s) = max_a r(s,a) + γ Σ_s' P(s'|s,a) V*(s').   Source: Howard (1960); Puterman (2005), section 6.4.

    An action is replaced only by one whose Q-value is larger by more than rounding, so that ties cannot cycle. For a sparse
    MDP, modified policy iteration and local backups (`SparseImprovement`) look for good policies to evaluate; the result is a
    full evaluation in every case, and its `error_bound` comes from its own Bellman residual. Over a horizon: by backward
    induction. With a price of entropy τ the best policy is π ∝ exp(Q*/τ), V* = τ log Σ_a exp(Q*/τ), by soft policy iteration,
    which is Newton's method on that equation; a Bellman residual bounds its error in the same way.

    Args:
        mdp: one MDP or a batch, dense or sparse.
        criterion: as of `evaluate`; "average" maximises the gain.
        horizon: T, for one MDP: the best policy of each step.
        temperature: τ ≥ 0, as of `evaluate`.

    Raises:
        InvalidInput: where no policy has a return by the criterion, or the best one has several closed classes; where returns
            with entropy have no maximum, as runs that never end would earn ever more.
        NotSolved: if the policy still changes after 10,000 evaluations, or values overflow.

    >>> optimal(FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[1, 0], [2, 0]], 0.5, [1, 0])).value
    array([2., 4.])
    """
    expect_mdp(mdp)
    soft = 0.0 if temperature is None else temperature_of(temperature)
    if horizon is not None:
        steps = steps_asked(mdp, criterion, horizon)
        return _backward(mdp, steps) if soft == 0 else soft_backward(mdp, steps, soft)
    sums = criterion_of(criterion, mdp.gamma)
    return _by_policy_iteration(mdp, sums) if soft == 0 else soft_policy_iteration(mdp, sums, soft)


def _by_policy_iteration(mdp: FiniteMDP, sums: Criterion) -> Optimum:
    fields, _ = trailing_fields(mdp)
    reward, available, given = fields["reward"], fields["available"], Given(**fields)
    kernel = sums.kernel(CheckedFloats(), given)
    offered = np.where(available, reward, -np.inf)
    action, last, guess, cheap = _first_actions(sums, given, offered), np.array(-np.inf), None, None
    evaluated: Evaluator = DenseEvaluator(kernel, reward, available)
    if mdp.is_sparse:
        evaluated = SparseEvaluator(kernel, offered, float(np.abs(reward).max()))
        if kernel.positive:
            cheap = SparseImprovement(mdp.transition, kernel, offered, float(mdp.gamma), partial(_allowed, sums, given))
            action, guess = cheap.first(action)
    for iteration in range(1, _MAX_ITERATIONS + 1):
        if not _allowed(sums, given, action):
            one, policy = not mdp.batch_shape, policy_of(action, mdp.actions)
            raise sums.complaint(given, policy, "policy on the way to the best one") if one else _of_the_batch(sums)
        found = evaluated(action, guess)
        if not np.isfinite(found.highest).all():
            raise overflow("a Q-value")
        improves = found.highest - found.own > found.rounding
        stuck = mdp.is_sparse and not (found.value > last + found.rounding).any()
        stuck = stuck and not (cheap is not None and cheap.guessed)
        if stuck or not improves.any():
            return Optimum(
                policy=to_leading(policy_of(action, mdp.actions), 2),
                value=to_leading(found.value, 1),
                q_value=to_leading(found.q_value, 2),
                expected_return=found.expected_return,
                gamma=mdp.gamma,
                iterations=iteration,
                longest=_longest(sums, mdp.gamma),
            )
        action, last = np.where(improves, found.q_value.argmax(1), action), found.value
        if cheap is not None:
            action, guess = cheap.following(found.value, found.q_value, action, float(found.rounding))
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


def _allowed(criterion: Criterion, mdp: Given, action: np.ndarray) -> bool:
    """Whether the policy has a return by the criterion."""
    return criterion is DISCOUNTED or bool(np.all(criterion.allows(mdp, policy_of(action, mdp.reward.shape[1]))))


def _first_actions(criterion: Criterion, mdp: Given, offered: np.ndarray) -> np.ndarray:
    """Of the first policy: the best reward; where runs must end, an action that may come one step nearer to the end."""
    best = offered.argmax(1)
    if criterion is not EPISODIC:
        return best
    able, near, leads = np.asarray(mdp.available, dtype=bool), ends(mdp), successors(mdp.transition)
    if is_sparse(leads):
        closer = approaching(leads, able, near)
        return np.where(near, able.argmax(1), np.where(closer.any(1), closer.argmax(1), best))
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
