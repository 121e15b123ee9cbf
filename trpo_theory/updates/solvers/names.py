"""The solvers by the names that the command line takes."""

from __future__ import annotations

from trpo_theory.updates.solvers.cvxpy import CVXPY
from trpo_theory.updates.solvers.dual import Dual
from trpo_theory.updates.solvers.protocol import Solver

SOLVERS: dict[str, Solver] = {str(solver): solver for solver in (Dual(), CVXPY("CLARABEL"), CVXPY("SCS"))}
"""Those that the command line offers; it takes the name of any other conic solver of CVXPY's too."""


def solver_named(name: str) -> Solver:
    """The solver of that name, in either case; a name that is none of SOLVERS is a conic solver of CVXPY's.

    >>> print(solver_named("dual"))
    dual
    """
    return SOLVERS.get(name.lower()) or CVXPY(name)
