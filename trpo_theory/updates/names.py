"""Problems and solvers by the names that the command line takes; its help and its messages list them from here."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

from trpo_theory._catalogue import Catalogue
from trpo_theory._checks import near_matches, unknown_name
from trpo_theory.errors import InvalidInput
from trpo_theory.updates import solvers
from trpo_theory.updates.problems import Penalty, TrustRegion, trust_regions
from trpo_theory.updates.solvers.cvxpy import CVXPY, available_solvers
from trpo_theory.updates.solvers.dual import Dual
from trpo_theory.updates.solvers.protocol import Solver
from trpo_theory.updates.solvers.trpo_step import TRPOStep


def _offered() -> Iterator[Solver]:
    """The solvers that a module of solvers/ lists as OFFERED, in the order of its files."""
    for found in pkgutil.iter_modules(solvers.__path__):
        yield from getattr(importlib.import_module(f"{solvers.__name__}.{found.name}"), "OFFERED", ())


SOLVERS: Catalogue[Solver] = Catalogue(
    "solver", ((str(solver), solver) for solver in sorted(_offered(), key=lambda solver: solver != Dual()))
)
"""Those that the command line offers by name, the default first; it takes the name of any other conic solver of CVXPY's too."""


def with_radius() -> dict[str, Callable[[Any], TrustRegion | TRPOStep]]:
    """What takes a radius δ, by name: the constrained problems, and the practical step."""
    return {**trust_regions(), TRPOStep.name: TRPOStep}


def problem_names() -> tuple[str, ...]:
    """All that `update` solves: the penalty first."""
    return (Penalty.name, *with_radius())


def solver_named(name: str) -> Solver:
    """The solver of that name, in either case; a name that is none of SOLVERS is a conic solver of CVXPY's.

    Raises:
        InvalidInput: for any other.

    >>> print(solver_named("dual"))
    dual
    """
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers need not be typed
        raise unknown_name("solver", name, SOLVERS)
    known = SOLVERS.get(name.lower())
    if known is not None:
        return known
    conic = [other.lower() for other in available_solvers()]
    if name.lower() not in conic:
        names = list(dict.fromkeys([*SOLVERS, *conic]))
        raise InvalidInput(
            got=f"the solver {name!r}", wanted=f"one of {', '.join(names)}", fix=near_matches(name.lower(), names)
        )
    return CVXPY(name)
