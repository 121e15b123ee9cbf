"""The returns along repeated updates of one problem."""

from __future__ import annotations

import numpy as np

import trpo_theory as tt
from trpo_theory.updates.problems import Problem


def returns_of(
    mdp: tt.FiniteMDP, problem: Problem, steps: int, old: np.ndarray, aggregation: tt.StateAggregation | None = None
) -> np.ndarray:
    """η(old) and η after each update, (steps + 1,)."""
    policy = old
    returns = [float(tt.evaluate(mdp, policy).expected_return)]
    for _ in range(steps):
        step = tt.update(mdp, policy, problem, aggregation=aggregation)
        policy = step.policy
        returns.append(float(step.expected_return_new))
    return np.array(returns)


def falls(returns: np.ndarray) -> int:
    """How many updates lowered η, by more than rounding."""
    return int((-np.diff(returns) > 1e-12 * np.abs(returns).max()).sum())
