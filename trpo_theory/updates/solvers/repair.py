"""`repaired`: what a general solver returned, made a policy that keeps the constraint."""

from __future__ import annotations

import numpy as np

from trpo_theory.updates.problems import Penalty, Problem, TrustRegion
from trpo_theory.updates.surrogate import Surrogate

_BISECTIONS = 60
"""Halvings of an interval in [0, 1]: 53 reach the last digit of a float, and some are left for the ones below ½."""

_LEAST_RATIO = 1e-14
"""Of new to old under a penalty, chosen: an answer clipped to 0 would have KL = ∞, and raising it costs 1e-14 of the gain."""


def repaired(surrogate: Surrogate, problem: Problem, change: np.ndarray) -> np.ndarray:
    """A change that keeps rows of probabilities and the constraint, (A, G, B): clipped, normalised, mixed with old.

    The divergence of old + w change is convex in w and 0 at 0, so that the largest w is found by bisection: one a row
    where the maximum is held down, one an instance where the mean is.
    """
    old = surrogate.old
    least = old * -(1 - _LEAST_RATIO if isinstance(problem, Penalty) else 1.0)
    change = np.where(surrogate.available | (old > 0), np.maximum(change, least), 0.0)
    total = (old + change).sum(0)
    change = np.where(total > 0, (change - change.sum(0) * old) / np.where(total > 0, total, 1.0), 0.0)
    change = np.maximum(change, -old)  # again: what was 0 may now be less, by a rounding
    if not isinstance(problem, TrustRegion):
        return change
    weight, delta = surrogate.complement * surrogate.visitation, problem.radius

    def spent(share: np.ndarray) -> np.ndarray:
        part = share * change
        return problem.reduction.spent(problem.divergence.measure(old, np.maximum(old + part, 0.0), part), weight)

    whole = spent(np.ones(()))
    high = np.ones(whole.shape)
    low = np.where(whole <= delta, 1.0, delta / np.where(whole > 0, whole, 1.0))
    for _ in range(_BISECTIONS if (low < 1).any() else 0):
        middle = 0.5 * (low + high)
        inside = spent(middle) <= delta
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return low * change
