"""The best policy with a price of entropy τ: V* = τ log Σ_a exp(Q*/τ), π ∝ exp(Q*/τ).

Soft policy iteration evaluates π ∝ exp(Q/τ) of the policy before: Newton's method on the soft Bellman equation, whose values
rise from policy to policy. Source: Haarnoja et al. 2018, arXiv:1801.01290, section 4.1; docs/theory.md, "Soft returns".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput, NotSolved, overflow
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import uniform
from trpo_theory.numerics.floats import CheckedFloats
from trpo_theory.solve.chain import PolicyChain
from trpo_theory.solve.chosen import tie
from trpo_theory.solve.criteria import AVERAGE, DISCOUNTED
from trpo_theory.solve.criterion import Criterion, Given, Kernel
from trpo_theory.solve.evaluation import to_leading
from trpo_theory.solve.optimum import Optimum, soft_maximum
from trpo_theory.solve.settings import trailing_fields

_MAX_ITERATIONS = 1000
"""Chosen: soft policy iteration takes tens of evaluations, and at its end squares its error in each."""
_LONGEST = 1e12
"""Steps: runs that become longer do so without end, as more of them earns more. Chosen: three digits are left."""


def soft_policy_iteration(mdp: FiniteMDP, criterion: Criterion, temperature: float) -> Optimum:
    """The best policy by a criterion, τ > 0.

    Raises:
        InvalidInput: where the uniform policy has no return by the criterion, or longer runs always earn more.
        NotSolved: where values overflow, or floats do not get near a solution.
    """
    fields, (policy,) = trailing_fields(mdp, uniform(mdp.available))
    given, available = Given(**fields), np.asarray(fields["available"])
    if not np.all(criterion.allows(given, policy)):
        one = not mdp.batch_shape
        raise criterion.complaint(given, policy, "uniform policy") if one else _of_the_batch(criterion)
    kernel = criterion.kernel(CheckedFloats(), given)
    scale = np.abs(fields["reward"]).max((0, 1)) + temperature * np.log(mdp.actions)
    last, settled = None, False
    for iteration in range(1, _MAX_ITERATIONS + 1):
        chain = _evaluated(kernel, fields["reward"], policy, temperature)
        q_value = np.where(available, chain.q_value, -np.inf)
        soft = soft_maximum(np.moveaxis(q_value, 1, -1), temperature)
        soft = soft if kernel.counted is None else np.where(kernel.counted, soft, chain.value)
        rounding = tie(np.abs(chain.value).max(0) + scale)
        rises = (soft - chain.value).max(0) > rounding + 4 * chain.residual
        if settled:
            return Optimum(
                policy=to_leading(policy, 2),
                value=to_leading(chain.value, 1),
                q_value=to_leading(q_value, 2),
                expected_return=chain.expected_return,
                gamma=mdp.gamma,
                iterations=iteration,
                longest=_longest(criterion, kernel, chain, np.abs(soft - chain.value).max(0), available),
                temperature=temperature,
                counted=None if kernel.counted is None else np.asarray(to_leading(kernel.counted, 1)),
            )
        weights = np.exp((q_value - q_value.max(1)[:, None]) / temperature)
        policy = weights / weights.sum(1)[:, None]
        stuck = last is not None and not ((chain.value - last).max(0) > rounding).any()
        settled = bool(stuck or not rises.any())  # then once more: a policy's error is the root of V's
        last = chain.value
        if not np.all(criterion.allows(given, policy)):  # an action of a probability that underflows
            raise _endless(temperature)
    raise NotSolved(
        f"got soft policies that still improve after {_MAX_ITERATIONS} evaluations; wanted a settled one; fix: raise the "
        "temperature, or lower gamma"
    )


def soft_backward(mdp: FiniteMDP, steps: int, temperature: float) -> Optimum:
    """By backward induction, V_t(s) = τ log Σ_a exp((r(s,a) + γ Σ_s' P(s'|s,a) V_{t+1}(s'))/τ)."""
    floats, value = CheckedFloats(), np.zeros(mdp.states)
    q_value = np.empty((steps, mdp.states, mdp.actions))
    for t in reversed(range(steps)):
        backed_up = mdp.reward + mdp.gamma * floats.expect(mdp.transition, value)
        q_value[t] = np.where(mdp.available, backed_up, -np.inf)
        value = soft_maximum(q_value[t], temperature)
    if not np.isfinite(value).all():
        raise overflow("a Q-value")
    values = soft_maximum(q_value, temperature)
    weights = np.exp((q_value - q_value.max(-1, keepdims=True)) / temperature)
    return Optimum(
        policy=weights / weights.sum(-1, keepdims=True),
        value=values,
        q_value=q_value,
        expected_return=float(mdp.initial @ value),
        gamma=mdp.gamma,
        iterations=steps,
        longest=float(steps),
        temperature=temperature,
    )


def _evaluated(kernel: Kernel, reward: Any, policy: np.ndarray, temperature: float) -> PolicyChain:
    """The chain of a policy, its values known to be no sign of endless growth."""
    chain = PolicyChain(CheckedFloats(), kernel, reward, policy, temperature)
    if kernel.levels:
        return chain
    try:
        longest = np.max(chain.amplification)
    except (NotSolved, np.linalg.LinAlgError):
        longest = np.inf
    if not longest < _LONGEST:
        raise _endless(temperature)
    return chain


def _longest(criterion: Criterion, kernel: Kernel, chain: PolicyChain, residual: Any, available: np.ndarray) -> Any:
    """What a Bellman residual is multiplied by for a bound on the error."""
    if criterion is AVERAGE:
        return 1.0
    if criterion is DISCOUNTED:
        return 1.0 / (1.0 - np.asarray(chain.gamma))[()]
    lengths = chain.resolvent.solve(np.ones_like(chain.value))
    above = chain.value + 2 * residual * lengths
    better = PolicyChain(chain.arithmetic, kernel, chain.reward, chain.policy)
    vars(better)["value"] = above
    soft = soft_maximum(np.moveaxis(np.where(available, better.q_value, -np.inf), 1, -1), chain.temperature)
    counted = np.True_ if kernel.counted is None else kernel.counted
    excess = np.where(counted, soft - above, 0.0).max(0)
    return np.where(excess <= 0, 2 * lengths.max(0), np.inf)[()]


def _endless(temperature: float) -> InvalidInput:
    return InvalidInput(
        got=f"temperature = {temperature:g}, with which runs that go on for ever earn more than any that end",
        wanted="rewards of loops so far below 0 that their entropy does not make up for it, for a largest return",
        fix="lower the temperature, set a horizon, or use a discount below 1",
    )


def _of_the_batch(criterion: Criterion) -> InvalidInput:
    return InvalidInput(
        got=f"a batch with an MDP whose uniform policy has no return by the {criterion.name} criterion",
        wanted="MDPs whose policies all have one",
        fix="loop over the batch, to see which it is",
    )
