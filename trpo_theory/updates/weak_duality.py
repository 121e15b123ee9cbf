"""The certificate: any multipliers bound the optimum from above, any feasible policy from below; both from definitions."""

from __future__ import annotations

import numpy as np

from trpo_theory.bounds import Bound
from trpo_theory.updates.penalties import linear_coefficient, penalty_at
from trpo_theory.updates.problems import Penalty, Problem, TrustRegion
from trpo_theory.updates.rows.rows import Rows
from trpo_theory.updates.solvers.blocks import Blocks
from trpo_theory.updates.surrogate import Surrogate

_EPS = float(np.finfo(np.float64).eps)
_COEFFICIENT_ROUNDINGS = 8
"""Roundings in a bound's coefficient, in units of ε/(1 − γ): 1 − γ enters squared, from a γ that is itself rounded."""
_FIRST_RADIUS = 1e-24
"""Nats: where the search for a radius begins at which a penalty has eaten up the gain. Chosen: floats of a policy end there."""


def upper_bound(
    surrogate: Surrogate, problem: Problem, multiplier: np.ndarray, guess: np.ndarray | None = None
) -> np.ndarray:
    """An upper bound on the objective of every policy of the class, (B,), by weak duality, for any λ ≥ 0, (G, B).

    With v(λ) = max_p Σ (p − old) A − λ D(p), row by row in closed form (`RowDivergence.dual_value`):
        max D ≤ δ:  Σ ρ (v(λ) + λ δ);   mean D ≤ δ:  Σ ρ v(λ̄) + λ̄ δ/(1 − γ), one λ̄;   (11):  Σ ρ v(λ) for Σ ρ λ ≤ C.
    A multiplier that is not admissible is made so: shared for a mean, scaled for (11). It is one for A and ρ as they stand;
    `data_error` is what their errors add. docs/theory.md, "Certificates".
    """
    return _bound(surrogate, problem, multiplier, guess, 1.0)


def _bound(
    surrogate: Surrogate, problem: Problem, multiplier: np.ndarray, guess: np.ndarray | None, share: float
) -> np.ndarray:
    """The upper bound; of (11) at a share of its coefficient."""
    rho, charge = surrogate.visitation, np.zeros(surrogate.gamma.shape)
    if isinstance(problem, TrustRegion):
        if problem.radius == 0:
            return charge  # a divergence of 0 leaves old as it is wherever it counts
        multiplier = problem.reduction.admissible(multiplier, rho)
        charge = problem.reduction.budget(multiplier, rho, surrogate.complement, problem.radius)
        if problem.reduction.shares_multiplier:  # what is spent is known for ρ of the MDP, not for ρ as it stands
            missed = np.minimum(surrogate.visitation_error / np.where(rho > 0, rho, np.inf), 1.0)
            multiplier = multiplier * (1 - missed)
    elif isinstance(problem, Penalty):
        coefficient = linear_coefficient(surrogate, problem)
        if coefficient is None:
            return np.full(surrogate.gamma.shape, np.inf)
        coefficient, total = share * coefficient, (rho * multiplier).sum(0)
        multiplier = multiplier * np.where(total > coefficient, coefficient / np.where(total > 0, total, 1.0), 1.0)
    values, greedy = _row_values(surrogate, problem, multiplier, guess)
    return np.minimum((rho * values).sum(0) + charge, (rho * greedy).sum(0))


def data_error(
    surrogate: Surrogate, problem: Problem, multiplier: np.ndarray, upper: np.ndarray, guess: np.ndarray | None = None
) -> np.ndarray:
    """What the errors of A, ρ and γ may add to the objective of any policy that could exceed `upper`, (B,).

    |Σ ρ* (p − old) A* − Σ ρ (p − old) A| ≤ Σ ρ |A − A*| |p − old| + Σ |ρ − ρ*| |p − old| |A*|, and |p − old| is at most the
    divergence's reach of the radius. Under a penalty that radius is one beyond which no policy gains, whatever the errors.
    """
    rho = surrogate.visitation
    wrong = (rho * surrogate.advantage_error).sum(0)
    sizes = np.abs(np.where(surrogate.available, surrogate.advantage, 0.0)).max(0) + surrogate.advantage_error
    size = sizes.max(0)
    moved = np.minimum(surrogate.total_error * size, (surrogate.visitation_error * sizes).sum(0))
    reach = problem.divergence.reach
    if isinstance(problem, TrustRegion):
        if problem.radius == 0:
            return np.zeros(upper.shape)
        if not problem.reduction.shares_multiplier:
            return (wrong + moved) * reach(np.asarray(problem.radius))
        total = rho.sum(0)
        mean = reach(problem.radius / np.where(total > 0, surrogate.complement * total, np.inf))
        worst = np.max(np.broadcast_to(surrogate.advantage_error, rho.shape), axis=0)
        share = np.max(surrogate.visitation_error / np.where(rho > 0, rho, np.inf), axis=0, initial=0.0)
        tight = np.where(share < 0.5, 2 * share * size * total * mean, np.inf)
        return 2 * worst * total * mean + np.minimum(tight, 2 * moved)  # a rare row may move by all that is there
    assert isinstance(problem, Penalty)
    coefficient = linear_coefficient(surrogate, problem)
    if coefficient is None:
        return (wrong + moved) * reach(_last_radius(surrogate, problem, upper + 2 * (wrong + moved)))
    half = _bound(surrogate, problem, multiplier, guess, 0.5)
    gain = 2 * (half + 2 * (wrong + moved))
    with np.errstate(divide="ignore", invalid="ignore"):
        last = np.where(coefficient > 0, gain / coefficient, np.inf)
        # a coefficient that comes out as 0 is not above the MDP's own: its error takes nothing from the bound
        missed = np.where(coefficient > 0, _coefficient_error(surrogate, problem) * gain, 0.0)
    return (wrong + moved) * reach(last) + missed


def _coefficient_error(surrogate: Surrogate, problem: Penalty) -> np.ndarray:
    """The relative error of a bound's coefficient, which is a function of γ and ε; 0 for a coefficient that is given."""
    if not isinstance(problem.bound, Bound):
        return np.zeros(surrogate.gamma.shape)
    size = surrogate.max_abs_advantage
    missed = np.max(np.broadcast_to(surrogate.advantage_error, surrogate.visitation.shape), axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(missed > 0, missed / size, 0.0)
    return _COEFFICIENT_ROUNDINGS * _EPS / surrogate.complement + relative


def _last_radius(surrogate: Surrogate, problem: Penalty, gain: np.ndarray) -> np.ndarray:
    """A radius at which the penalty has eaten up a gain, by doubling: penalties do not fall."""
    _, greedy = _row_values(surrogate, problem, np.zeros(surrogate.visitation.shape), None)
    most = (surrogate.visitation * greedy).sum(0) + np.maximum(gain, 0.0)
    radius = np.full(surrogate.gamma.shape, _FIRST_RADIUS)
    while (open_ := (penalty_at(surrogate, problem, radius) < most) & (radius < 2)).any():
        radius = np.where(open_, 2 * radius, radius)
    return radius


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
