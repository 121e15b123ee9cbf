"""The certificate: any multipliers bound the optimum from above, any feasible policy from below; both from definitions."""

from __future__ import annotations

import numpy as np

from trpo_theory.updates.penalties import linear_coefficient
from trpo_theory.updates.problems import Penalty, Problem, TrustRegion
from trpo_theory.updates.rows.rows import Rows
from trpo_theory.updates.solvers.blocks import Blocks
from trpo_theory.updates.surrogate import Surrogate


def upper_bound(
    surrogate: Surrogate, problem: Problem, multiplier: np.ndarray, guess: np.ndarray | None = None
) -> np.ndarray:
    """An upper bound on the objective of every policy of the class, (B,), by weak duality, for any λ ≥ 0, (G, B).

    With v(λ) = max_p Σ (p − old) A − λ D(p), row by row in closed form (`RowDivergence.dual_value`):
        max D ≤ δ:  Σ ρ (v(λ) + λ δ);   mean D ≤ δ:  Σ ρ v(λ̄) + λ̄ δ/(1 − γ), one λ̄;   (11):  Σ ρ v(λ) for Σ ρ λ ≤ C.
    A multiplier that is not admissible is made so: shared for a mean, scaled for (11). docs/theory.md, "Certificates".
    """
    rho, charge = surrogate.visitation, np.zeros(surrogate.gamma.shape)
    if isinstance(problem, TrustRegion):
        if problem.delta == 0:
            return charge  # a divergence of 0 leaves old as it is wherever it counts
        multiplier = problem.reduction.admissible(multiplier, rho)
        charge = problem.reduction.budget(multiplier, rho, surrogate.gamma, problem.delta)
    elif isinstance(problem, Penalty):
        coefficient = linear_coefficient(surrogate, problem)
        if coefficient is None:
            return np.full(surrogate.gamma.shape, np.inf)
        total = (rho * multiplier).sum(0)
        multiplier = multiplier * np.where(total > coefficient, coefficient / np.where(total > 0, total, 1.0), 1.0)
    values, greedy = _row_values(surrogate, problem, multiplier, guess)
    return np.minimum((rho * values).sum(0) + charge, (rho * greedy).sum(0))


def _row_values(
    surrogate: Surrogate, problem: Problem, multiplier: np.ndarray, guess: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """v(λ) and v(0), (G, B): at λ = 0 every row takes its best action."""
    blocks = Blocks(surrogate, problem)
    blocks.guess = None if guess is None else guess.reshape(-1)
    flat = np.broadcast_to(multiplier, blocks.shape[1:]).reshape(-1)

    def one(rows: Rows, block: slice) -> tuple[np.ndarray, ...]:
        value = problem.divergence.dual_value(rows, flat[block], blocks.guess_of(block))
        return value, rows.scale * rows.mean

    values, greedy = (part.reshape(blocks.shape[1:]) for part in blocks.each(one))
    return values, greedy
