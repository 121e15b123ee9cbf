"""The certificate: any multipliers bound the optimum from above, any feasible policy from below; both from definitions."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.updates.penalties import linear_coefficient
from trpo_theory.updates.problems import Penalty, Problem
from trpo_theory.updates.rows.rows import Rows
from trpo_theory.updates.solvers.dual import Blocks
from trpo_theory.updates.surrogate import Surrogate


def upper_bound(
    surrogate: Surrogate, problem: Problem, multiplier: np.ndarray, guess: np.ndarray | None = None
) -> np.ndarray:
    """An upper bound on the objective of every policy of the class, (B,), by weak duality, for any λ ≥ 0, (G, B).

    With v(λ) = max_p Σ (p − old) A − λ D(p), row by row in closed form:
        (12)  Σ ρ (v(λ) + λ δ);   (13)  Σ ρ v(λ̄) + λ̄ δ/(1 − γ), one λ̄;   (11)  Σ ρ v(λ) for Σ ρ λ ≤ C.
    A multiplier that is not admissible is made so: averaged for (13), scaled for (11).
    """
    if not isinstance(problem, Penalty) and problem.delta == 0:
        return np.zeros(surrogate.gamma.shape)  # a divergence of 0 leaves old as it is wherever it counts
    at_prices, at_none = _bounds(surrogate, problem, multiplier, guess)
    return np.minimum(at_prices, at_none)


def _bounds(
    surrogate: Surrogate, problem: Problem, multiplier: np.ndarray, guess: Any
) -> tuple[np.ndarray, np.ndarray]:
    """The bound at these multipliers, and the one at λ = 0: every row takes its best action."""
    rho = surrogate.visitation
    if problem.name.endswith("mean-kl"):
        shared = np.where(rho > 0, multiplier, 0.0).max(0)
        values, free = _row_values(surrogate, problem, np.broadcast_to(shared, rho.shape), guess)
        budget = shared * problem.delta / (1 - surrogate.gamma)  # type: ignore[union-attr]
        return (rho * values).sum(0) + budget, (rho * free).sum(0)
    if isinstance(problem, Penalty):
        coefficient = linear_coefficient(surrogate, problem)
        if coefficient is None:
            unknown = np.full(surrogate.gamma.shape, np.inf)
            return unknown, unknown
        total = (rho * multiplier).sum(0)
        multiplier = multiplier * np.where(total > coefficient, coefficient / np.where(total > 0, total, 1.0), 1.0)
    values, free = _row_values(surrogate, problem, multiplier, guess)
    if not isinstance(problem, Penalty):
        values = values + multiplier * problem.delta
    return (rho * values).sum(0), (rho * free).sum(0)


def _row_values(
    surrogate: Surrogate, problem: Problem, multiplier: np.ndarray, guess: Any
) -> tuple[np.ndarray, np.ndarray]:
    """v(λ) and v(0), (G, B): at λ = 0 the gain of the best action."""
    blocks = Blocks(surrogate, problem)
    blocks.guess = None if guess is None else guess.reshape(-1)
    price = np.broadcast_to(multiplier, blocks.shape[1:]).reshape(-1)

    def one(rows: Rows, block: slice) -> tuple[np.ndarray, ...]:
        solved = blocks.family.at_multiplier(rows, price[block], blocks.guess_of(block))
        free = rows.scale * rows.mean
        return np.where(price[block] > 0, solved.gain - price[block] * solved.divergence, free), free

    values, free = (part.reshape(blocks.shape[1:]) for part in blocks.each(one))
    return values, free
