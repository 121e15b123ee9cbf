"""The returns of an update problem solved again and again, from a policy of a class."""

from __future__ import annotations

from typing import Any

import numpy as np

import trpo_theory as tt


def returns_of(
    mdp: tt.FiniteMDP, problem: Any, steps: int, old: np.ndarray, aggregation: tt.StateAggregation | None = None
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
