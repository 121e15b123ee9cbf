"""`Dual()`: the update problems by one-dimensional roots, exact to rounding, for all rows and instances at once.

(12) and its siblings separate by row: each has its own root at radius δ. (13) and its siblings: rows share one multiplier
λ, the root of Σ ρ D(λ) = δ/(1 − γ). (11): rows share one radius t, the root of Σ ρ λ(t) = C. docs/theory.md, "Three problems".
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from trpo_theory.entries.kinds import TRUTH, expect
from trpo_theory.updates.compiled.on_demand import compiled_code
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
from trpo_theory.updates.solvers.shared import LOG_MULTIPLIERS, penalty_radius, within_mean
from trpo_theory.updates.surrogate import Surrogate

_CLOSED = 1e-12
"""A bracket this narrow, relatively, in which Σ ρ λ is not yet the slope holds a jump of it: chosen, far above a float's end."""

_NEAR = (-3.0, 1.0)
"""Of the logarithm of the radius if no row were clipped, which clipping lowers: where it is looked for first. Chosen."""

_LEAST_MEAN = 1e-280
"""Next to the least float: slopes are taken at positive radii."""


@dataclass(frozen=True)
class Dual(Solver):
    """The specialised solver: safeguarded Newton on the multipliers, vectorised over rows, batched over instances.

    Args:
        compiled: whether (11)-(13) of one instance, with its certificate, and A and ρ of up to 64 states, are left to compiled
            code, the extra [fast]: several times faster for a small problem, after a start of half a second (of ten when it
            is used for the first time). Answers differ by rounding.

    Raises:
        InvalidInput: where that is not installed.
    """

    compiled: bool = False

    advice = "floats cannot tell A or rho of this MDP any better: prove the gap with certify_update, or rescale the MDP"

    def __post_init__(self) -> None:
        expect(TRUTH, compiled=self.compiled)
        if self.compiled:
            compiled_code()

    def solve(self, surrogate: Surrogate, problem: Problem) -> Answer:
        """The maximiser and its multipliers."""
        found = compiled_code().compiled_answer(surrogate, problem) if self.compiled else None
        if found is not None:
            return found
        blocks = Blocks(surrogate, problem)
        if isinstance(problem, Penalty):
            return _penalised(blocks, surrogate, problem)
        assert isinstance(problem, TrustRegion)
        if problem.reduction.shares_multiplier:
            return within_mean(blocks, surrogate, problem.radius)
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
        return float(penalty_radius(blocks, surrogate, coefficient)[0])
    answer = _at_price(blocks, surrogate, coefficient)
    divergence = blocks.divergence.measure(surrogate.old, answer.new, answer.change)
    return float(problem.reduction.reduce(divergence, surrogate.complement * surrogate.visitation)[0])


def _within(blocks: Blocks, surrogate: Surrogate, problem: Problem, radius: np.ndarray) -> Answer:
    """The maximiser of L within a radius, (B,); of a mean for one instance."""
    if problem.reduction.shares_multiplier:
        return within_mean(blocks, surrogate, float(radius[0]))
    return blocks.answer(blocks.divergence.at_radius, radius)


def _frontier(blocks: Blocks, surrogate: Surrogate, problem: Problem) -> Frontier:
    """The most that L gains within a radius, and its slope, for one instance."""
    rho = surrogate.visitation

    def of_max(radius: float) -> tuple[float, float]:
        _, gain, multiplier, _ = blocks.solve(blocks.divergence.at_radius, np.array([radius]))
        return float((rho * gain).sum()), float((rho * multiplier).sum())

    def of_mean(radius: float) -> tuple[float, float]:
        answer = within_mean(blocks, surrogate, radius)
        gain = (rho * (answer.change * np.where(surrogate.available, surrogate.centred, 0.0)).sum(0)).sum()
        return float(gain), float(problem.reduction.budget(answer.multiplier, rho, surrogate.complement, 1.0)[0])

    return of_mean if problem.reduction.shares_multiplier else of_max


def _at_coefficient(blocks: Blocks, surrogate: Surrogate, coefficient: np.ndarray) -> Answer:
    """Of C times a maximum: rows share one radius."""
    radius = penalty_radius(blocks, surrogate, coefficient)
    answer = blocks.answer(blocks.divergence.at_radius, radius)
    # A row that stays, though its best action is one that old never takes, does so from this multiplier on.
    stays = (radius == 0) & (surrogate.visitation > 0)
    if not stays.any():
        return answer
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
    deviation = (surrogate.visitation * blocks.deviation()).sum(0)

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

    ends = np.full(surrogate.gamma.shape, LOG_MULTIPLIERS)
    x = crossing(function, -ends, ends)[2]
    answer = blocks.answer(at_multiplier, np.exp(x))
    return replace(answer, multiplier=np.broadcast_to(np.exp(x), surrogate.visitation.shape).copy())


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
