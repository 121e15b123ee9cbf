"""`update`: one interface to every problem, solver and class of policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np

from trpo_theory._checks import number_between, policy_rows
from trpo_theory.bounds import Bound
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP, expect_mdp
from trpo_theory.model.policy import StateAggregation
from trpo_theory.model.shapes import Real
from trpo_theory.solve.settings import PLAIN, Returns
from trpo_theory.solve.words import policy_or_named
from trpo_theory.step.quantities import Quantities, compare
from trpo_theory.updates.applicable import expect_no_price
from trpo_theory.updates.constrained import CONSTRAINED_RTOL, constrained_step
from trpo_theory.updates.problems import Penalty, Problem, TrustRegion
from trpo_theory.updates.solution import UpdateSolution
from trpo_theory.updates.solvers.protocol import Solver
from trpo_theory.updates.solvers.trpo_step import TRPOStep
from trpo_theory.updates.solving import DEFAULT_RTOL, is_compiled, update_at_once, update_step


def update(
    mdp: FiniteMDP,
    old: Real[np.ndarray, "*old_batch S A"] | Sequence[Any],
    problem: Problem | TRPOStep,
    *,
    solver: Solver | None = None,
    aggregation: StateAggregation | None = None,
    rtol: float | None = None,
    criterion: str | None = None,
    horizon: int | None = None,
    temperature: float | None = None,
) -> UpdateSolution:
    """The new policy that solves an update problem, with its certificate.

    Args:
        mdp: one MDP, or a batch.
        old: the policy that we stand at, (*batch, S, A); over a horizon (S, A) or (T, S, A); or "uniform" or "optimal".
        problem: `Penalty`, `MaxKL`, `MeanKL` (equations 11-13), `ReverseMaxKL`, `ReverseMeanKL`,
            `ReverseMaxChi2`, `ReverseMeanChi2` or `MaxTV`; or `TRPOStep(delta)`, the practical step towards (13).
            Their delta may be `Certified(bound)`: the largest radius whose own step the bound certifies, one instance;
            their costs may be limits on costs of the MDP, by name.
        solver: `Dual()` (if left out), `CVXPY("CLARABEL")` or any other `Solver`.
        aggregation: confines policies to those that share a row within a group; old must be one of them.
        rtol: the relative gap up to which the status is optimal; if left out 1e-9, and 1e-7 with limits on costs.
        criterion: what the returns sum, as for `compare`, and so the next two; means are then over ρ_old/Σ ρ_old.
        horizon: T: the new policy is one for each step, (T, S, A), of one MDP.
        temperature: 0 or None; a price of entropy is refused.

    Returns:
        An `UpdateSolution`: its objective, feasibility and gap are recomputed from the definitions. For a certified radius
        it is a `CertifiedUpdate`, which has the radius and what the bound promises, with limits on costs a `ConstrainedUpdate`.

    Raises:
        InvalidInput: for an old policy outside the class, a map of the wrong length, or a solver that is not installed or
            does not take the problem.
        NotSolved: where the solver's answer is no policy, or numbers overflow.
    """
    returns = Returns(criterion, horizon, temperature)
    expect_no_price(temperature)
    if returns == PLAIN and aggregation is None and solver is not None and is_compiled(solver) and _is_bare(problem):
        expect_mdp(mdp)
        policy = policy_rows(policy_or_named(old, mdp, "old policy"), mdp.available, "old policy")
        tolerance = DEFAULT_RTOL if rtol is None else number_between(rtol, "rtol", 0.0, 1.0)
        found = update_at_once(mdp, policy, problem, solver=solver, rtol=tolerance)
        if found is not None:
            return found
    q = compare(mdp, old, old, **returns._asdict())
    return update_posed(mdp, q, problem, solver=solver, aggregation=aggregation, rtol=rtol, returns=returns)


def update_posed(
    mdp: FiniteMDP,
    q: Quantities,
    problem: Problem | TRPOStep,
    *,
    solver: Solver | None = None,
    aggregation: StateAggregation | None = None,
    rtol: float | None = None,
    returns: Returns = PLAIN,
) -> UpdateSolution:
    """As `update`, from the quantities of old in the setting of its returns."""
    _expect_aggregation(aggregation)
    rtol = None if rtol is None else number_between(rtol, "rtol", 0.0, 1.0)
    if isinstance(problem, TrustRegion) and problem.costs is not None:
        at = CONSTRAINED_RTOL if rtol is None else rtol
        return constrained_step(mdp, q, problem, solver=solver, aggregation=aggregation, rtol=at, returns=returns)
    at = DEFAULT_RTOL if rtol is None else rtol
    return update_step(mdp, q, problem, solver=solver, aggregation=aggregation, rtol=at, returns=returns)


def _is_bare(problem: Problem | TRPOStep) -> TypeGuard[Problem]:
    """Whether discounted returns are all that it reads: no costs, and no bound of another setting or that chooses a radius."""
    if isinstance(problem, TrustRegion):
        return problem.costs is None and isinstance(problem.delta, float)
    return isinstance(problem, Penalty) and not (isinstance(problem.bound, Bound) and problem.bound.setting)


def _expect_aggregation(aggregation: object) -> None:
    if not (aggregation is None or isinstance(aggregation, StateAggregation)):
        raise InvalidInput(
            got=f"a {type(aggregation).__name__} as the aggregation",
            wanted="a StateAggregation",
            fix="pass StateAggregation(groups), one integer a state",
        )
