"""`Dual()`: the update problems by one-dimensional roots, exact to rounding, for all rows and instances at once.

(12) separates by row: each has its own root at radius δ. (13): rows share one multiplier λ, the root of
Σ ρ KL(λ) = δ/(1 − γ). (11): rows share one radius t, the root of Σ ρ λ(t) = C.
Proofs: docs/theory.md, "Three problems".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trpo_theory.numerics.divergence import kl_of_change
from trpo_theory.updates.penalties import best_radius, best_step, linear_coefficient
from trpo_theory.updates.problems import Penalty, Problem
from trpo_theory.updates.rows import forward_kl, reverse_kl, total_variation
from trpo_theory.updates.rows.rows import RARE, Rows, Solved
from trpo_theory.updates.sharp_penalty import SteppedBound
from trpo_theory.updates.surrogate import Surrogate

_BLOCK = 2**18
"""Entries of a block of rows: its temporaries stay in cache, and memory stays that of the answer."""
_OUTER_STEPS = 200
_MOSTLY = 0.7
_LOG_RANGE = 600.0
_RTOL = 4e-14
_LARGEST_RADIUS = 1e4
"""Beyond it every row has left all but its best actions, as far as floats can tell."""

FAMILIES = {
    "penalty": forward_kl,
    "max-kl": forward_kl,
    "mean-kl": forward_kl,
    "reverse-max-kl": reverse_kl,
    "reverse-mean-kl": reverse_kl,
    "max-tv": total_variation,
}


@dataclass(frozen=True, eq=False)
class Answer:
    """What a solver returns: change = new − old and new (A, G, B), and multipliers λ ≥ 0 (G, B) for the certificate.

    `upper` is a bound of the solver's own, for penalties that multipliers do not certify.
    """

    change: np.ndarray
    new: np.ndarray
    multiplier: np.ndarray
    guess: np.ndarray | None = None
    upper: np.ndarray | None = None
    note: str = ""


@dataclass(frozen=True)
class Dual:
    """The specialised solver: safeguarded Newton on the multipliers, vectorised over rows, batched over instances."""

    def solve(self, surrogate: Surrogate, problem: Problem) -> Answer:
        """The maximiser and its multipliers."""
        blocks = Blocks(surrogate, problem)
        if isinstance(problem, Penalty):
            coefficient = linear_coefficient(surrogate, problem)
            if isinstance(problem.bound, SteppedBound):
                envelope = linear_coefficient(surrogate, Penalty(bound=problem.bound.envelope))
                assert envelope is not None
                start = _penalty_radius(blocks, surrogate, envelope)
                radius, upper = best_step(blocks, surrogate, problem, envelope, start)
                return replace(blocks.answer("at_radius", radius), upper=upper)
            if coefficient is None:
                radius, upper = best_radius(blocks.solve, surrogate, problem)
                return replace(blocks.answer("at_radius", radius), upper=upper)
            radius = _penalty_radius(blocks, surrogate, coefficient)
            answer = blocks.answer("at_radius", radius)
            # A row that stays, though its best action is one that old never takes, does so from this multiplier on.
            stays = (radius == 0) & (surrogate.visitation > 0)
            multiplier = np.where(stays, blocks.critical(), answer.multiplier)
            return _unpenalised(surrogate, replace(answer, multiplier=multiplier), coefficient == 0)
        if problem.name.endswith("mean-kl"):
            return _mean(blocks, surrogate, problem.delta)
        return blocks.answer("at_radius", np.full(surrogate.gamma.shape, problem.delta))

    def __str__(self) -> str:
        return "dual"


class Blocks:
    """The rows of a surrogate, solved block by block; only sums and roots are kept between solves."""

    def __init__(self, surrogate: Surrogate, problem: Problem) -> None:
        self.shape = surrogate.old.shape
        actions, groups, batch = self.shape
        self.family: Any = FAMILIES[problem.name]
        self.visitation = surrogate.visitation.reshape(-1)
        flat = [part.reshape(actions, -1) for part in (surrogate.old, surrogate.advantage, surrogate.available)]
        self.starts = range(0, groups * batch, max(_BLOCK // actions, 1))
        self._flat = flat
        self._kept = rows_of(problem, *flat) if len(self.starts) == 1 else None
        self.guess: np.ndarray | None = None
        self._last: list[np.ndarray] = []
        self._problem = problem

    def _rows(self, block: slice) -> Rows:
        if self._kept is not None:
            return self._kept
        return rows_of(self._problem, *(part[:, block] for part in self._flat))

    def each(self, function: Callable[[Rows, slice], tuple[np.ndarray, ...]]) -> list[np.ndarray]:
        """The (N,) arrays that function returns block by block, joined."""
        width = self.starts.step
        parts = [
            function(self._rows(slice(start, start + width)), slice(start, start + width)) for start in self.starts
        ]
        return [np.concatenate(columns) for columns in zip(*parts, strict=True)]

    def solve(self, method: str, argument: np.ndarray, active: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
        """Divergence, gain, multiplier and slope (G, B) at a radius or multiplier (B,), from the last solve's roots.

        Only `active` instances, (B,), need be solved again.
        """
        values = self._per_row(argument)
        if active is not None and self._last and self._kept is not None and active.mean() < _MOSTLY:
            some = np.flatnonzero(np.broadcast_to(active, self.shape[1:]).reshape(-1))
            guess = None if self.guess is None else self.guess[some]
            solved: Solved = getattr(self.family, method)(self._kept.take(some), values[some], guess)
            for kept, part in zip(self._last, _parts(solved), strict=True):
                kept[some] = part
            return tuple(part.reshape(self.shape[1:]) for part in self._last[:-1])

        def one(rows: Rows, block: slice) -> tuple[np.ndarray, ...]:
            return _parts(getattr(self.family, method)(rows, values[block], self.guess_of(block)))

        self._last = self.each(one)
        self.guess = self._last[-1]
        return tuple(part.reshape(self.shape[1:]) for part in self._last[:-1])

    def answer(self, method: str, argument: np.ndarray) -> Answer:
        """The change and multipliers at a radius or multiplier (B,)."""
        values = self._per_row(argument)
        change, new = np.empty((2, self.shape[0], self.shape[1] * self.shape[2]))

        def one(rows: Rows, block: slice) -> tuple[np.ndarray, ...]:
            solved: Solved = getattr(self.family, method)(rows, values[block], self.guess_of(block))
            change[:, block], new[:, block] = solved.change, solved.new
            return solved.multiplier, solved.state

        multiplier, guess = (part.reshape(self.shape[1:]) for part in self.each(one))
        return Answer(change.reshape(self.shape), new.reshape(self.shape), multiplier, guess)

    def guess_of(self, block: slice) -> np.ndarray | None:
        """Where the roots of a block stood, if they have been solved for."""
        return None if self.guess is None else self.guess[block]

    def _per_row(self, argument: np.ndarray) -> np.ndarray:
        return np.where(self.visitation > 0, np.broadcast_to(argument, self.shape[1:]).reshape(-1), 0.0)

    def critical(self) -> np.ndarray:
        """The multipliers below which mass leaves old's support, (G, B)."""
        parts = self.each(lambda rows, _: (forward_kl.critical_multiplier(rows),))
        return parts[0].reshape(self.shape[1:])

    def can_gain(self) -> np.ndarray:
        """Rows in which some action is better than what old does, (G, B)."""
        return self.each(lambda rows, _: (rows.scale > 0,))[0].reshape(self.shape[1:])

    def variance(self) -> np.ndarray:
        """Var_old(A) of the rows that can gain, (G, B)."""

        def one(rows: Rows, _: slice) -> tuple[np.ndarray, ...]:
            return (rows.scale**2 * rows.variance,)

        return self.each(one)[0].reshape(self.shape[1:])


def _parts(solved: Solved) -> tuple[np.ndarray, ...]:
    return solved.divergence, solved.gain, solved.multiplier, solved.slope, solved.state


def rows_of(problem: Problem, old: np.ndarray, advantage: np.ndarray, available: np.ndarray) -> Rows:
    """The rows as the problem's divergence sees them."""
    if problem.name.startswith("reverse"):
        return reverse_kl.on_support(old, advantage, available)
    return Rows.of(old, advantage, available, rare=0.0 if FAMILIES[problem.name] is total_variation else RARE)


def _newton(
    function: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]],
    start: np.ndarray,
    moving: np.ndarray,
    low: float,
    high: float,
) -> np.ndarray:
    """Roots of decreasing functions, one an instance, by Newton in a bracket; function gives value, slope and accuracy."""
    lower, upper = np.full(start.shape, low), np.full(start.shape, high)
    x = np.clip(np.where(np.isfinite(start), start, 0.0), low, high)
    going = moving.copy()
    last = np.full(start.shape, np.inf)
    for _ in range(_OUTER_STEPS):
        if not going.any():
            break
        value, slope, settled = function(x, going)
        lower, upper = np.where(going & (value > 0), x, lower), np.where(going & (value <= 0), x, upper)
        with np.errstate(all="ignore"):
            guess = x - value / slope
        slow = np.abs(value) > 0.5 * last  # as where every root stands on its floor: Newton would creep
        last = np.abs(value)
        guess = np.where((guess > lower) & (guess < upper) & ~slow, guess, 0.5 * (lower + upper))
        going &= ~settled & (np.abs(guess - x) > 4e-16 * np.maximum(np.abs(x), 1.0))
        x = np.where(going, guess, x)
    return x


def _mean(blocks: Blocks, surrogate: Surrogate, delta: float) -> Answer:
    """Rows share one multiplier: the root of Σ w KL(λ) = δ, w = (1 − γ) ρ."""
    weight = (1 - surrogate.gamma) * surrogate.visitation
    variance = blocks.variance()
    moving: Any = (blocks.can_gain() & (weight > 0)).any(0) & (delta > 0)

    def function(log_multiplier: np.ndarray, going: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        divergence, _, _, slope = blocks.solve("at_multiplier", np.exp(log_multiplier), going)
        mean, steep = (weight * divergence).sum(0), (weight * slope).sum(0)
        with np.errstate(all="ignore"):
            value = _log_expm1(mean) - _log_expm1(delta)
            return value, steep / np.expm1(-mean), np.abs(mean - delta) <= _RTOL * delta

    with np.errstate(divide="ignore", invalid="ignore"):
        start = 0.5 * np.log((weight * variance).sum(0) / (2 * delta)) if delta > 0 else np.zeros(moving.shape)
    root = _newton(function, start, moving, -_LOG_RANGE, _LOG_RANGE)
    answer = blocks.answer("at_multiplier", np.where(moving, np.exp(root), np.inf))
    if blocks.family is not forward_kl:
        return answer
    return _spend_the_rest(surrogate, blocks, answer, np.exp(root), delta)


def _spend_the_rest(
    surrogate: Surrogate, blocks: Blocks, answer: Answer, multiplier: np.ndarray, delta: float
) -> Answer:
    """Where mass leaves old's support, KL = log(λ*/λ) is finer than λ can tell: such a row gets what is left of δ."""
    weight = (1 - surrogate.gamma) * surrogate.visitation
    in_tail = (multiplier <= blocks.critical() * (1 + 1e-12)) & (weight > 0) & (np.log(multiplier) > 1 - _LOG_RANGE)
    if not in_tail.any():
        return answer
    spent = weight * np.asarray(kl_of_change(surrogate.old, answer.new, answer.change)).sum(0)
    instances = np.flatnonzero(in_tail.any(0) & (np.abs(spent.sum(0) - delta) > 1e-12 * delta))
    groups = np.where(in_tail, weight, -1.0).argmax(0)[instances]
    radius = (delta - spent.sum(0)[instances] + spent[groups, instances]) / weight[groups, instances]
    parts = (surrogate.old, surrogate.advantage, surrogate.available)
    solved = forward_kl.at_radius(Rows.of(*(part[:, groups, instances] for part in parts)), np.maximum(radius, 0.0))
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
        _, _, multiplier, slope = blocks.solve("at_radius", radius, going)
        total = (rho * multiplier).sum(0)
        with np.errstate(all="ignore"):
            steep = np.where(multiplier > 0, rho * multiplier / slope, 0.0).sum(0) * -np.expm1(-radius)
            return np.log(total / coefficient), -steep / total, np.abs(total - coefficient) <= _RTOL * coefficient

    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        start = _log_expm1(deviation**2 / (2 * coefficient**2))
    root = _newton(function, start, moving, -640.0, 640.0)
    radius = np.where(moving, np.logaddexp(0.0, root), 0.0)
    return np.where((coefficient == 0) & (flat > 0), _LARGEST_RADIUS, radius)


def _unpenalised(surrogate: Surrogate, answer: Answer, free: np.ndarray) -> Answer:
    """Where C = 0 the greedy policy itself, as no finite KL is the best."""
    if not free.any():
        return answer
    parts = (surrogate.old, surrogate.advantage, surrogate.available)
    actions = len(surrogate.old)
    rows = Rows.of(*(part.reshape(actions, -1) for part in parts), rare=0.0)
    visited = (surrogate.visitation > 0).reshape(-1)
    greedy = total_variation.at_radius(rows, np.where(visited, 1.0, 0.0))
    shape = surrogate.old.shape
    return replace(
        answer,
        change=np.where(free, greedy.change.reshape(shape), answer.change),
        new=np.where(free, greedy.new.reshape(shape), answer.new),
        multiplier=np.where(free, 0.0, answer.multiplier),
    )


def _log_expm1(x: Any) -> Any:
    """log(eˣ − 1): log x for small x, x for large."""
    return x + np.log(-np.expm1(-x))
