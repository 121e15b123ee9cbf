"""The number that rows share: the multiplier λ of a mean, and the radius t of C times a maximum, each a root."""

from __future__ import annotations

import numpy as np

from trpo_theory.updates.solvers.answer import Answer
from trpo_theory.updates.solvers.blocks import Blocks
from trpo_theory.updates.solvers.joint import joint_multiplier, joint_radius, log_expm1
from trpo_theory.updates.solvers.roots import decreasing_roots
from trpo_theory.updates.surrogate import Surrogate

LOG_MULTIPLIERS = 600.0
"""Multipliers are sought between e^±600 = 1e±260, chosen inside what floats hold with room for squares of small factors."""

_STRAIGHT_RANGE = 640.0
"""Radii t are sought by log(eᵗ − 1) between ±640, that is between 1e-278 and 640 nats: floats end at 1e-308 and 709."""

RTOL = 4e-14
"""Relative accuracy of the shared root: some 200 roundings, as sums over many rows have."""

_TAIL_RTOL = 1e-12
"""A row counts as in its tail, and a budget as not spent, up to this: 25 times the shared root's own accuracy."""

_LARGEST_RADIUS = 1e4
"""Nats. Beyond it every row has left all but its best actions, as far as floats can tell: e^-709 is the least."""


def within_mean(blocks: Blocks, surrogate: Surrogate, delta: float) -> Answer:
    """Rows share one multiplier: the root of Σ w D(λ) = δ, w = (1 − γ) ρ."""
    at_multiplier = blocks.divergence.at_multiplier
    weight = surrogate.complement * surrogate.visitation
    deviation = blocks.deviation()
    moving = np.asarray((blocks.can_gain() & (weight > 0)).any(0) & (delta > 0))
    falls, missed = np.zeros(weight.shape), np.zeros(moving.shape, dtype=bool)

    def function(log_multiplier: np.ndarray, going: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        divergence, _, _, slope = blocks.solve(blocks.divergence.spent_at, np.exp(log_multiplier), going)
        falls[...] = weight * slope
        mean, steep = (weight * divergence).sum(0), falls.sum(0)
        with np.errstate(all="ignore"):
            missed[...] = moving & (np.abs(mean - delta) > _TAIL_RTOL * delta)
            value = log_expm1(mean) - log_expm1(delta)
            return value, steep / np.expm1(-mean), np.abs(mean - delta) <= RTOL * delta

    with np.errstate(divide="ignore", invalid="ignore"):
        near = blocks.divergence.curvature
        largest = np.maximum.reduce(deviation, 0)
        size = (weight * (deviation / largest) ** 2).sum(0)
        start = np.log(largest) + 0.5 * np.log(size / (2 * near * delta)) if delta > 0 else np.zeros(moving.shape)
    start = joint_multiplier(blocks, weight, delta, start)
    root = decreasing_roots(function, start, moving, -LOG_MULTIPLIERS, LOG_MULTIPLIERS)
    answer = blocks.answer(at_multiplier, np.where(moving, np.exp(root), np.inf))
    missed &= root > 1 - LOG_MULTIPLIERS  # no policy spends it there
    if blocks.ordinary() is not None and not missed.any():
        return answer
    return _spend_the_rest(surrogate, blocks, answer, np.exp(root), delta, falls * missed)


def _spend_the_rest(
    surrogate: Surrogate, blocks: Blocks, answer: Answer, multiplier: np.ndarray, delta: float, falls: np.ndarray
) -> Answer:
    """Where mass leaves old's support, or for actions that old hardly takes, D is finer than a float λ can express.

    KL is log(λ*/λ) there: a row of such mass gets the rest of δ, or that of the largest of `falls`, (G, B).
    """
    divergence = blocks.divergence
    weight = surrogate.complement * surrogate.visitation
    in_tail = (
        (multiplier <= blocks.critical() * (1 + _TAIL_RTOL)) & (weight > 0) & (np.log(multiplier) > 1 - LOG_MULTIPLIERS)
    )
    some = in_tail.any(0)
    if not (some.any() or falls.any()):
        return answer
    spent = weight * divergence.measure(surrogate.old, answer.new, answer.change)
    instances = np.flatnonzero((some | falls.any(0)) & (np.abs(spent.sum(0) - delta) > _TAIL_RTOL * delta))
    groups = np.where(some, np.where(in_tail, weight, -1.0), falls).argmax(0)[instances]
    radius = (delta - spent.sum(0)[instances] + spent[groups, instances]) / weight[groups, instances]
    parts = (surrogate.old, surrogate.advantage, surrogate.available)
    rows = divergence.rows(*(part[:, groups, instances] for part in parts))
    solved = divergence.at_radius(rows, np.maximum(radius, 0.0))
    answer.change[:, groups, instances], answer.new[:, groups, instances] = solved.change, solved.new
    return answer


def penalty_radius(blocks: Blocks, surrogate: Surrogate, coefficient: np.ndarray) -> np.ndarray:
    """Rows share one radius t: where f' = Σ ρ λ(t) meets the slope of the penalty."""
    rho = surrogate.visitation
    deviations = blocks.deviation()
    deviation = (rho * deviations).sum(0)
    # Σ ρ λ(t) as t → 0: infinite, unless no row that can gain has any variance under old.
    flat = np.where((rho * deviations > 0).any(0), np.inf, (rho * blocks.critical()).sum(0))
    moving = (flat > coefficient) & (coefficient > 0)

    def function(straight: np.ndarray, going: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        radius = np.logaddexp(0.0, straight)
        _, _, multiplier, slope = blocks.solve(blocks.divergence.at_radius, radius, going)
        total = (rho * multiplier).sum(0)
        with np.errstate(all="ignore"):
            steep = np.where(multiplier > 0, rho * multiplier / slope, 0.0).sum(0) * -np.expm1(-radius)
            return np.log(total / coefficient), -steep / total, np.abs(total - coefficient) <= RTOL * coefficient

    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        start = 2 * np.log(deviation / coefficient) - np.log(
            2.0
        )  # λ ≈ sd/√(2t) for small t; e^t − 1 for t is nearer then
        start = joint_radius(blocks, rho, coefficient, start)
    root = decreasing_roots(function, start, moving, -_STRAIGHT_RANGE, _STRAIGHT_RANGE)
    radius = np.where(moving, np.logaddexp(0.0, root), 0.0)
    return np.where((coefficient == 0) & (flat > 0), _LARGEST_RADIUS, radius)
