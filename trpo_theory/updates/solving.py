"""The solution of an update problem from the quantities of old, or from a surrogate alone, with its certificate."""

from __future__ import annotations

from functools import partial

import numpy as np

from trpo_theory._checks import ROW_SUM_ATOL, number_between
from trpo_theory.entries.kinds import expect_type
from trpo_theory.errors import InvalidInput, NotSolved, overflow
from trpo_theory.model.mdp import FiniteMDP, expect_mdp
from trpo_theory.model.policy import StateAggregation
from trpo_theory.solve.criteria import DISCOUNTED
from trpo_theory.solve.settings import PLAIN, Returns
from trpo_theory.step.quantities import Quantities
from trpo_theory.updates.applicable import expect_of_setting
from trpo_theory.updates.certified import Certified
from trpo_theory.updates.certified_updating import certified_update
from trpo_theory.updates.compiled.on_demand import compiled_code
from trpo_theory.updates.data_error import old_policy, partly_enclosed
from trpo_theory.updates.problems import Problem, TrustRegion
from trpo_theory.updates.solution import UpdateSolution
from trpo_theory.updates.solvers.answer import Answer
from trpo_theory.updates.solvers.dual import Dual
from trpo_theory.updates.solvers.protocol import Solver
from trpo_theory.updates.solvers.trpo_step import TRPOStep
from trpo_theory.updates.surrogate import Surrogate, checked
from trpo_theory.updates.weak_duality import DualBound

DEFAULT_RTOL = 1e-9
"""The relative gap up to which an update passes as optimal: chosen 100 times what `Dual()` leaves of it, and well below any
difference between problems or policies that a user would read off."""

_UNSURE = 0.5
"""Of the tolerance: floats suffice where the errors of A, ρ and γ take no more of it. Chosen: as much is left to a solver."""

_EPS = float(np.finfo(np.float64).eps)

_MOST_ENTRIES = 1_000_000
"""Of a transition, S·A·S, that is solved in balls where floats do not suffice: chosen, for about a second."""

_EVALUATION = 64
"""Roundings in the upper bound's own evaluation, of sums over states and actions, each of size ε. Measured: up to 10."""

_CANCELLING = 2
"""Roundings, relative to Σ ρ Σ |p − old| |A − Σ old A|, of the gain and the cost that each row's value is the difference of."""


def update_step(
    mdp: FiniteMDP,
    q: Quantities,
    problem: Problem | TRPOStep,
    *,
    solver: Solver | None = None,
    aggregation: StateAggregation | None = None,
    rtol: float = DEFAULT_RTOL,
    returns: Returns = PLAIN,
) -> UpdateSolution:
    """As `update`, from the quantities of old, without limits. What floats cannot tell of A and ρ is computed again in balls.

    Raises:
        InvalidInput: as `update`.
        NotSolved: likewise.
    """
    expect_of_setting(problem, q)
    if isinstance(problem, TrustRegion | TRPOStep) and isinstance(problem.delta, Certified):
        solved = partial(_solve, solver=solver, rtol=rtol, mdp=mdp, returns=returns)
        return certified_update(mdp, q, Surrogate.of(q, aggregation), problem, solver, solved)
    known, surrogate = None, None
    if aggregation is None and q.criterion is DISCOUNTED and is_compiled(solver):
        surrogate = compiled_code().compiled_surrogate(mdp, q.old)
    if surrogate is None:
        known = old_policy(q)
        surrogate = Surrogate.of(q, aggregation, known)
    solution = _solve(surrogate, problem, solver=solver, rtol=rtol, mdp=mdp, returns=returns)
    unsure = _is_unsure(solution)
    if q.criterion is not DISCOUNTED or not unsure.any() or mdp.states**2 * mdp.actions > _MOST_ENTRIES:
        return solution
    known = old_policy(q) if known is None else known
    better = partly_enclosed(mdp, q, known, unsure)
    if better is None:
        return solution
    return _solve(Surrogate.of(q, aggregation, better), problem, solver=solver, rtol=rtol, mdp=mdp, returns=returns)


def update_at_once(
    mdp: FiniteMDP, policy: np.ndarray, problem: Problem, *, solver: Solver, rtol: float = DEFAULT_RTOL
) -> UpdateSolution | None:
    """As `update_step` in compiled code, for a problem that reads discounted returns alone and a policy (S, A) of the MDP.

    None where compiled code does not know the MDP, or floats do not know A and ρ well enough.
    """
    surrogate = compiled_code().compiled_surrogate(mdp, policy)
    if surrogate is None:
        return None
    solution = _solve(surrogate, problem, solver=solver, rtol=rtol, mdp=mdp, returns=PLAIN)
    return None if _is_unsure(solution).any() else solution


def _is_unsure(solution: UpdateSolution) -> np.ndarray:
    """Where the errors of A and ρ take more of the tolerance than they may, (B,)."""
    return solution.data_error > _UNSURE * solution.rtol * np.abs(solution.upper)


def solve(
    surrogate: Surrogate,
    problem: Problem | TRPOStep,
    *,
    solver: Solver | None = None,
    rtol: float = DEFAULT_RTOL,
    mdp: FiniteMDP | None = None,
    returns: Returns = PLAIN,
) -> UpdateSolution:
    """As `update`, for advantages and a visitation that are at hand: a million states need no MDP.

    Raises:
        InvalidInput: for a surrogate made by hand whose parts do not fit, or are not probabilities.
        NotSolved: where the solver's answer is no policy, or numbers overflow.
    """
    expect_type(Surrogate, surrogate, "the surrogate", "pass Surrogate(...), or use update(mdp, old, problem)")
    expect_type(Returns, returns, "the returns", "leave them out, or pass those of an UpdateSolution")
    rtol = number_between(rtol, "rtol", 0.0, 1.0)
    if mdp is None:
        checked(surrogate)
    else:
        expect_mdp(mdp)
    return _solve(surrogate, problem, solver=solver, rtol=rtol, mdp=mdp, returns=returns)


def _solve(
    surrogate: Surrogate,
    problem: Problem | TRPOStep,
    *,
    solver: Solver | None,
    rtol: float,
    mdp: FiniteMDP | None,
    returns: Returns,
) -> UpdateSolution:
    """As `solve`, all but the problem and the solver checked."""
    if isinstance(problem, TRPOStep):
        problem, solver = problem.problem, problem
    if not isinstance(problem, Problem):  # pyright: ignore[reportUnnecessaryIsInstance] - callers need not be typed
        raise InvalidInput(got=f"problem = {problem!r}", wanted="an update problem", fix="pass MaxKL(0.01), say")
    solver = _supporting(solver, problem)
    answer = solver.solve(surrogate, problem)
    _checked_rows(answer.new, solver, problem)
    moved = np.add.reduce(np.abs(answer.change * surrogate.centred), 0)
    size = np.add.reduce(surrogate.visitation * moved, 0)
    upper, error = _proved(surrogate, problem, answer, solver)
    if np.isnan(upper).any() or not np.isfinite(size).all():
        raise overflow("an objective or its upper bound")
    error = error + _EPS * (_EVALUATION * np.abs(upper) + _CANCELLING * size)
    return UpdateSolution(
        problem=problem,
        solver=solver,
        surrogate=surrogate,
        change_rows=answer.change,
        new_rows=answer.new,
        multiplier_rows=answer.multiplier,
        upper=upper + error,
        data_error=error,
        rtol=rtol,
        mdp=mdp,
        returns=returns,
        note=answer.note,
        forced_status=answer.status,
    )


def _proved(surrogate: Surrogate, problem: Problem, answer: Answer, solver: Solver) -> tuple[np.ndarray, np.ndarray]:
    """The upper bound that an answer proves for A and ρ as they stand, and what their errors add, (B,) each."""
    found = compiled_code().compiled_certificate(surrogate, problem, answer) if is_compiled(solver) else None
    if found is not None:
        return found
    proved = DualBound(surrogate, problem, answer.multiplier, answer.guess)
    upper = proved.upper if answer.upper is None else answer.upper
    return upper, proved.error(upper)


def is_compiled(solver: Solver | None) -> bool:
    """Whether it is `Dual(compiled=True)`."""
    return isinstance(solver, Dual) and solver.compiled


def _supporting(solver: Solver | None, problem: Problem) -> Solver:
    """The solver (Dual() for None), which takes the problem, or a message."""
    if solver is None:
        return Dual()
    if isinstance(solver, Dual):
        return solver
    if isinstance(solver, type):
        raise InvalidInput(
            got=f"the class {solver.__name__} as the solver", wanted="a solver", fix=f"write {solver.__name__}(...)"
        )
    if not isinstance(solver, Solver):  # pyright: ignore[reportUnnecessaryIsInstance] - callers need not be typed
        raise InvalidInput(got=f"solver = {solver!r}", wanted="a Solver", fix='pass Dual() or CVXPY("CLARABEL")')
    if not solver.supports(problem):
        raise InvalidInput(
            got=f"{problem} for the solver {solver}",
            wanted=f"a problem that it takes: {solver.takes}",
            fix="use Dual()",
        )
    return solver


def _checked_rows(new: np.ndarray, solver: Solver, problem: Problem) -> None:
    """Raise unless the rows of an answer, (A, G, B), are probabilities: the solver's failure, not the caller's."""
    off = np.abs(np.add.reduce(new, 0) - 1)
    if not (off.max(initial=0.0) <= ROW_SUM_ATOL and new.min(initial=0.0) >= 0):
        wrong = ~((off <= ROW_SUM_ATOL) & (new >= 0).all(0))
        row, instance = np.argwhere(wrong)[0]
        raise NotSolved(
            f"{solver} did not solve {problem}: row {row} of its answer sums to {new[:, row, instance].sum():.10g}, with "
            f"least entry {new[:, row, instance].min():.3g}; try another solver, and please report the old policy"
        )
