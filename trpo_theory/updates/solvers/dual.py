"""`Dual()`: the update problems by one-dimensional roots, exact to rounding, for all rows and instances at once.

(12) and its siblings separate by row: each has its own root at radius δ. (13) and its siblings: rows share one multiplier
λ, the root of Σ ρ D(λ) = δ/(1 − γ). (11): rows share one radius t, the root of Σ ρ λ(t) = C. docs/theory.md, "Three problems".
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from trpo_theory.updates.convex_penalty import LOG_RANGE, crossing, is_convex, slope_at
from trpo_theory.updates.coupled_penalty import best_coupled_step
from trpo_theory.updates.penalties import is_free, linear_coefficient
from trpo_theory.updates.problems import Penalty, Problem, TrustRegion
from trpo_theory.updates.radius_search import Frontier, best_radius, best_step
from trpo_theory.updates.rows.total_variation import TOTAL_VARIATION
from trpo_theory.updates.sharp_penalty import SteppedBound
from trpo_theory.updates.solvers.answer import Answer
from trpo_theory.updates.solvers.blocks import Blocks
from trpo_theory.updates.solvers.protocol import Solver
from trpo_theory.updates.solvers.roots import decreasing_roots
from trpo_theory.updates.surrogate import Surrogate

_LOG_RANGE = 600.0
"""Multipliers are sought between e^±600 = 1e±260, chosen inside what floats hold with room for squares of small factors."""

_STRAIGHT_RANGE = 640.0
"""Radii t are sought by log(eᵗ − 1) between ±640, that is between 1e-278 and 640 nats: floats end at 1e-308 and 709."""

_RTOL = 4e-14
"""Relative accuracy of the shared root: some 200 roundings, as sums over many rows have."""

_TAIL_RTOL = 1e-12
"""A row counts as in its tail, and a budget as not spent, up to this: 25 times the shared root's own accuracy."""

_CLOSED = 1e-12
"""A bracket this narrow, relatively, in which Σ ρ λ is not yet the slope holds a jump of it: chosen, far above a float's end."""

_NEAR = (-3.0, 1.0)
"""Of the logarithm of the radius if no row were clipped, which clipping lowers: where it is looked for first. Chosen."""

_LEAST_MEAN = 1e-280
"""Next to the least float: slopes are taken at positive radii."""

_LARGEST_RADIUS = 1e4
"""Nats. Beyond it every row has left all but its best actions, as far as floats can tell: e^-709 is the least."""


@dataclass(frozen=True)
class Dual(Solver):
    """The specialised solver: safeguarded Newton on the multipliers, vectorised over rows, batched over instances."""

    advice = "floats cannot tell A or rho of this MDP any better: prove the gap with certify_update, or rescale the MDP"

    def solve(self, surrogate: Surrogate, problem: Problem) -> Answer:
        """The maximiser and its multipliers."""
        blocks = Blocks(surrogate, problem)
        if isinstance(problem, Penalty):
            return _penalised(blocks, surrogate, problem)
        assert isinstance(problem, TrustRegion)
        if problem.reduction.shares_multiplier:
            return _mean(blocks, surrogate, problem.radius)
        return blocks.answer(problem.divergence.at_radius, np.full(surrogate.gamma.shape, problem.radius))

    def __str__(self) -> str:
        return "dual"


OFFERED = (Dual(),)
"""Of this file, on the command line."""


def _penalised(blocks: Blocks, surrogate: Surrogate, problem: Penalty) -> Answer:
    """By the kind of penalty: stepped, linear, convex, or any other."""
    if isinstance(problem.bound, SteppedBound):
        under = functools.partial(_radius_at, blocks, surrogate, problem)
        radius, upper = best_step(_frontier(blocks, surrogate, problem), surrogate, problem, under)
        return replace(_within(blocks, surrogate, problem, radius), upper=upper)
    if problem.coupled:
        return _unpenalised(surrogate, best_coupled_step(blocks, surrogate, problem), is_free(surrogate, problem))
    coefficient = linear_coefficient(surrogate, problem)
    shared = problem.reduction.shares_multiplier
    if coefficient is not None:
        answer = (_at_price if shared else _at_coefficient)(blocks, surrogate, coefficient)
    elif is_convex(surrogate, problem):
        answer = (_at_mean_slope if shared else _at_slope)(blocks, surrogate, problem)
    else:
        radius, upper = best_radius(_frontier(blocks, surrogate, problem), surrogate, problem)
        return replace(_within(blocks, surrogate, problem, radius), upper=upper)
    return _unpenalised(surrogate, answer, is_free(surrogate, problem))


def _radius_at(blocks: Blocks, surrogate: Surrogate, problem: Penalty, coefficient: np.ndarray) -> float:
    """The best radius under a linear penalty, of one instance."""
    if not problem.reduction.shares_multiplier:
        return float(_penalty_radius(blocks, surrogate, coefficient)[0])
    answer = _at_price(blocks, surrogate, coefficient)
    divergence = blocks.divergence.measure(surrogate.old, answer.new, answer.change)
    return float(problem.reduction.reduce(divergence, surrogate.complement * surrogate.visitation)[0])


def _within(blocks: Blocks, surrogate: Surrogate, problem: Problem, radius: np.ndarray) -> Answer:
    """The maximiser of L within a radius, (B,); of a mean for one instance."""
    if problem.reduction.shares_multiplier:
        return _mean(blocks, surrogate, float(radius[0]))
    return blocks.answer(blocks.divergence.at_radius, radius)


def _frontier(blocks: Blocks, surrogate: Surrogate, problem: Problem) -> Frontier:
    """The most that L gains within a radius, and its slope, for one instance."""
    rho = surrogate.visitation

    def of_max(radius: float) -> tuple[float, float]:
        _, gain, multiplier, _ = blocks.solve(blocks.divergence.at_radius, np.array([radius]))
        return float((rho * gain).sum()), float((rho * multiplier).sum())

    def of_mean(radius: float) -> tuple[float, float]:
        answer = _mean(blocks, surrogate, radius)
        centred = surrogate.advantage - (surrogate.old * surrogate.advantage).sum(0)
        gain = (rho * (answer.change * np.where(surrogate.available, centred, 0.0)).sum(0)).sum()
        return float(gain), float(problem.reduction.budget(answer.multiplier, rho, surrogate.complement, 1.0)[0])

    return of_mean if problem.reduction.shares_multiplier else of_max


def _at_coefficient(blocks: Blocks, surrogate: Surrogate, coefficient: np.ndarray) -> Answer:
    """Of C times a maximum: rows share one radius."""
    radius = _penalty_radius(blocks, surrogate, coefficient)
    answer = blocks.answer(blocks.divergence.at_radius, radius)
    # A row that stays, though its best action is one that old never takes, does so from this multiplier on.
    stays = (radius == 0) & (surrogate.visitation > 0)
    return replace(answer, multiplier=np.where(stays, blocks.critical(), answer.multiplier))


def _at_price(blocks: Blocks, surrogate: Surrogate, coefficient: np.ndarray) -> Answer:
    """Of C times a mean: rows are problems of their own at the multiplier (1 − γ) C."""
    multiplier = surrogate.complement * np.where(coefficient > 0, coefficient, 1.0)
    answer = blocks.answer(blocks.divergence.at_multiplier, multiplier)
    return replace(answer, multiplier=np.broadcast_to(multiplier, surrogate.visitation.shape).copy())


def _at_slope(blocks: Blocks, surrogate: Surrogate, problem: Penalty) -> Answer:
    """Of a convex penalty of a maximum: rows share the radius t at which Σ ρ λ(t) = φ′(t)."""
    at_radius, rho = blocks.divergence.at_radius, surrogate.visitation

    def multipliers(log_radius: np.ndarray, going: np.ndarray | None = None) -> np.ndarray:
        return blocks.solve(at_radius, np.exp(log_radius), going)[2]

    def function(log_radius: np.ndarray, going: np.ndarray) -> np.ndarray:
        price = (rho * multipliers(log_radius, going)).sum(0)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.log(price) - np.log(slope_at(surrogate, problem, np.exp(log_radius)))
        return np.where(price > 0, value, -np.inf)

    lower, upper, x = crossing(function, *_around(_unclipped(blocks, surrogate, problem), function))
    # Where Σ ρ λ jumps over the slope, as at a kink of f, the multipliers lie between those of both sides.
    below, above, multiplier = multipliers(lower), multipliers(upper), multipliers(x)
    most, least = (rho * below).sum(0), (rho * above).sum(0)
    jump = (upper - lower <= _CLOSED * np.maximum(np.abs(x), 1.0)) & (most > least)
    share = np.clip((slope_at(surrogate, problem, np.exp(x)) - least) / np.where(jump, most - least, 1.0), 0.0, 1.0)
    multiplier = np.where(jump, share * below + (1 - share) * above, multiplier)
    stays = (x == LOG_RANGE[0]) & (rho > 0)
    critical = blocks.critical()
    answer = blocks.answer(at_radius, np.where(x == LOG_RANGE[0], 0.0, np.exp(x)))
    return replace(answer, multiplier=np.where(stays & (critical > 0), critical, multiplier))


def _unclipped(blocks: Blocks, surrogate: Surrogate, problem: Penalty) -> np.ndarray:
    """The logarithm of the radius, (B,), if no row were clipped under χ²: where Σ ρ sd/(2 √t) = φ′(t); for others it is near."""
    deviation = (surrogate.visitation * np.sqrt(blocks.variance())).sum(0)

    def function(log_radius: np.ndarray, _: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            steep = np.log(slope_at(surrogate, problem, np.exp(log_radius)))
            return np.where(deviation > 0, np.log(0.5 * deviation) - 0.5 * log_radius - steep, -np.inf)

    low, high = (np.full(deviation.shape, end) for end in LOG_RANGE)
    return crossing(function, low, high)[2]


def _around(
    guess: np.ndarray, function: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """A bracket around a guess, (B,), where the function changes sign in it; else all radii."""
    everywhere = np.ones(guess.shape, dtype=bool)
    low, high = (np.clip(guess + far, *LOG_RANGE) for far in _NEAR)
    low = np.where(function(low, everywhere) > 0, low, LOG_RANGE[0])
    return low, np.where(function(high, everywhere) <= 0, high, LOG_RANGE[1])


def _at_mean_slope(blocks: Blocks, surrogate: Surrogate, problem: Penalty) -> Answer:
    """Of a convex penalty of a mean: rows share the multiplier at which (1 − γ) φ′ of their mean is that multiplier."""
    at_multiplier = blocks.divergence.at_multiplier
    weight = surrogate.complement * surrogate.visitation

    def function(log_multiplier: np.ndarray, going: np.ndarray) -> np.ndarray:
        divergence = blocks.solve(at_multiplier, np.exp(log_multiplier), going)[0]
        mean = np.maximum((weight * divergence).sum(0), _LEAST_MEAN)
        with np.errstate(divide="ignore"):
            return np.log(surrogate.complement * slope_at(surrogate, problem, mean)) - log_multiplier

    ends = np.full(surrogate.gamma.shape, _LOG_RANGE)
    x = crossing(function, -ends, ends)[2]
    answer = blocks.answer(at_multiplier, np.exp(x))
    return replace(answer, multiplier=np.broadcast_to(np.exp(x), surrogate.visitation.shape).copy())


def _mean(blocks: Blocks, surrogate: Surrogate, delta: float) -> Answer:
    """Rows share one multiplier: the root of Σ w D(λ) = δ, w = (1 − γ) ρ."""
    at_multiplier = blocks.divergence.at_multiplier
    weight = surrogate.complement * surrogate.visitation
    variance = blocks.variance()
    moving = np.asarray((blocks.can_gain() & (weight > 0)).any(0) & (delta > 0))

    def function(log_multiplier: np.ndarray, going: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        divergence, _, _, slope = blocks.solve(blocks.divergence.spent_at, np.exp(log_multiplier), going)
        mean, steep = (weight * divergence).sum(0), (weight * slope).sum(0)
        with np.errstate(all="ignore"):
            value = _log_expm1(mean) - _log_expm1(delta)
            return value, steep / np.expm1(-mean), np.abs(mean - delta) <= _RTOL * delta

    with np.errstate(divide="ignore", invalid="ignore"):
        near = blocks.divergence.curvature
        start = 0.5 * np.log((weight * variance).sum(0) / (2 * near * delta)) if delta > 0 else np.zeros(moving.shape)
    root = decreasing_roots(function, start, moving, -_LOG_RANGE, _LOG_RANGE)
    answer = blocks.answer(at_multiplier, np.where(moving, np.exp(root), np.inf))
    return _spend_the_rest(surrogate, blocks, answer, np.exp(root), delta)


def _spend_the_rest(
    surrogate: Surrogate, blocks: Blocks, answer: Answer, multiplier: np.ndarray, delta: float
) -> Answer:
    """Where mass leaves old's support, D is finer than a float λ can express (KL = log(λ*/λ)): such a row gets the rest of δ."""
    divergence = blocks.divergence
    weight = surrogate.complement * surrogate.visitation
    in_tail = (
        (multiplier <= blocks.critical() * (1 + _TAIL_RTOL)) & (weight > 0) & (np.log(multiplier) > 1 - _LOG_RANGE)
    )
    if not in_tail.any():
        return answer
    spent = weight * divergence.measure(surrogate.old, answer.new, answer.change)
    instances = np.flatnonzero(in_tail.any(0) & (np.abs(spent.sum(0) - delta) > _TAIL_RTOL * delta))
    groups = np.where(in_tail, weight, -1.0).argmax(0)[instances]
    radius = (delta - spent.sum(0)[instances] + spent[groups, instances]) / weight[groups, instances]
    parts = (surrogate.old, surrogate.advantage, surrogate.available)
    rows = divergence.rows(*(part[:, groups, instances] for part in parts))
    solved = divergence.at_radius(rows, np.maximum(radius, 0.0))
    answer.change[:, groups, instances], answer.new[:, groups, instances] = solved.change, solved.new
    return answer


def _penalty_radius(blocks: Blocks, surrogate: Surrogate, coefficient: np.ndarray) -> np.ndarray:
    """Rows share one radius t: where f' = Σ ρ λ(t) meets the slope of the penalty."""
    rho = surrogate.visitation
    variance = blocks.variance()
    deviation = (rho * np.sqrt(variance)).sum(0)
    # Σ ρ λ(t) as t → 0: infinite, unless no row that can gain has any variance under old.
    flat = np.where((rho * variance > 0).any(0), np.inf, (rho * blocks.critical()).sum(0))
    moving = (flat > coefficient) & (coefficient > 0)

    def function(straight: np.ndarray, going: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        radius = np.logaddexp(0.0, straight)
        _, _, multiplier, slope = blocks.solve(blocks.divergence.at_radius, radius, going)
        total = (rho * multiplier).sum(0)
        with np.errstate(all="ignore"):
            steep = np.where(multiplier > 0, rho * multiplier / slope, 0.0).sum(0) * -np.expm1(-radius)
            return np.log(total / coefficient), -steep / total, np.abs(total - coefficient) <= _RTOL * coefficient

    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        start = _log_expm1(deviation**2 / (2 * coefficient**2))
    root = decreasing_roots(function, start, moving, -_STRAIGHT_RANGE, _STRAIGHT_RANGE)
    radius = np.where(moving, np.logaddexp(0.0, root), 0.0)
    return np.where((coefficient == 0) & (flat > 0), _LARGEST_RADIUS, radius)


def _unpenalised(surrogate: Surrogate, answer: Answer, free: np.ndarray) -> Answer:
    """Where C = 0 the greedy policy itself, as no finite KL is the best: the update of total variation 1."""
    if not free.any():
        return answer
    parts = (surrogate.old, surrogate.advantage, surrogate.available)
    actions = len(surrogate.old)
    rows = TOTAL_VARIATION.rows(*(part.reshape(actions, -1) for part in parts))
    visited = (surrogate.visitation > 0).reshape(-1)
    greedy = TOTAL_VARIATION.at_radius(rows, np.where(visited, 1.0, 0.0))
    shape = surrogate.old.shape
    return replace(
        answer,
        change=np.where(free, greedy.change.reshape(shape), answer.change),
        new=np.where(free, greedy.new.reshape(shape), answer.new),
        multiplier=np.where(free, 0.0, answer.multiplier),
    )


def _log_expm1(x: np.ndarray | float) -> np.ndarray:
    """log(eˣ − 1): log x for small x, x for large."""
    return np.asarray(x + np.log(-np.expm1(-np.asarray(x))))
