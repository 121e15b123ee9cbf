"""Problems and solvers by the names that the command line takes; its help and its messages list them from here."""

from __future__ import annotations

from collections.abc import Callable

from trpo_theory.updates.problems import Penalty, TrustRegion, trust_regions
from trpo_theory.updates.solvers.cvxpy import CVXPY
from trpo_theory.updates.solvers.dual import Dual
from trpo_theory.updates.solvers.protocol import Solver
from trpo_theory.updates.solvers.trpo_step import TRPOStep

SOLVERS: dict[str, Solver] = {str(solver): solver for solver in (Dual(), CVXPY("CLARABEL"), CVXPY("SCS"))}
"""Those that the command line offers; it takes the name of any other conic solver of CVXPY's too."""


def with_radius() -> dict[str, Callable[[float], TrustRegion | TRPOStep]]:
    """What takes a radius δ, by name: the constrained problems, and the practical step."""
    return {**trust_regions(), TRPOStep.name: TRPOStep}


def problem_names() -> tuple[str, ...]:
    """All that `update` solves: the penalty first."""
    return (Penalty.name, *with_radius())


def solver_named(name: str) -> Solver:
    """The solver of that name, in either case; a name that is none of SOLVERS is a conic solver of CVXPY's.

    >>> print(solver_named("dual"))
    dual
    """
    return SOLVERS.get(name.lower()) or CVXPY(name)
