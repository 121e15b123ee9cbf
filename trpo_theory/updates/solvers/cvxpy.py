"""`CVXPY("CLARABEL")`: the update problems as a reader writes them down, given to a general conic solver.

maximise Σ_g ρ(g) Σ_a new(a|g) A(g, a) − C t  subject to  KL(old_g‖new_g) ≤ t  (11),  ≤ δ  (12),  or Σ_g d(g) KL_g ≤ δ  (13).

An independent check of `Dual()`, which is exact where a conic solver is not: it holds an exponential cone to about 1e-13,
and with it KL, so that whatever the scaling digits are lost from δ = 1e-3 down (a relative gap of 1e-10 there, 1e-6 at
1e-5, 1e-3 at 1e-7), and (11) with a bound's penalty is in doubt from γ = 0.95 and lost from
0.99. What comes back is made feasible, and the certificate is recomputed from it: an answer is never better than its gap says.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.updates.penalties import is_linear, linear_coefficient
from trpo_theory.updates.problems import Penalty, Problem
from trpo_theory.updates.solvers.answer import Answer
from trpo_theory.updates.solvers.conic_program import ConicProgram, ScaledRows
from trpo_theory.updates.solvers.protocol import Solver
from trpo_theory.updates.solvers.repair import repaired
from trpo_theory.updates.status import Status
from trpo_theory.updates.surrogate import Surrogate

_DEFAULTS: dict[str, dict[str, Any]] = {
    "CLARABEL": {
        "accept_unknown": True,
        "tol_gap_abs": 1e-12,
        "tol_gap_rel": 1e-12,
        "tol_feas": 1e-12,
        # Shorter steps, and patience with them: without, it gives up at gaps of 0.1 on hundreds of rows with KL near 1.
        "max_step_fraction": 0.9,
        "min_switch_step_length": 0.01,
        "min_terminate_step_length": 1e-7,
        "max_iter": 500,
    },
    "SCS": {"eps": 1e-10, "max_iters": 20_000},
}
"""As far as each solver gets, found by trial; where progress ends, its last iterate is taken: the gap says what it is worth."""


@dataclass(frozen=True, init=False)
class CVXPY(Solver):
    """A conic solver by way of CVXPY, one call an instance of a batch.

    Args:
        name: "CLARABEL", "SCS", "MOSEK", ...: any installed one that knows exponential cones, in either case.
        options: passed on to the solver, such as max_iter=50 or eps=1e-9.

    >>> print(CVXPY("CLARABEL"))
    clarabel
    """

    name: str
    options: dict[str, Any] = field(hash=False)
    takes: ClassVar[str] = "any problem but a penalty that is not linear in its divergence"

    def __init__(self, name: object = "CLARABEL", **options: Any) -> None:
        if not isinstance(name, str):
            raise InvalidInput(got=f"{name!r} for a solver", wanted="its name", fix='write CVXPY("CLARABEL")')
        object.__setattr__(self, "name", name.upper())
        object.__setattr__(self, "options", options)

    def __str__(self) -> str:
        return self.name.lower()

    def supports(self, problem: Problem) -> bool:
        """All but penalties that are not linear in their divergence: those are no conic program of one coefficient."""
        return not isinstance(problem, Penalty) or is_linear(problem)

    def solve(self, surrogate: Surrogate, problem: Problem) -> Answer:
        """A feasible policy and multipliers, as accurate as the solver; a failed solve is said to be one.

        Raises:
            InvalidInput: for a solver that is not installed, or an option that it does not have.
        """
        available = available_solvers()
        if self.name not in available:
            raise InvalidInput(
                got=f"the solver {self.name!r}",
                wanted=f"an installed solver with exponential cones: {', '.join(available)}",
                fix=f'write CVXPY("{available[0]}")' if available else "install clarabel",
            )
        coefficient = np.zeros(surrogate.gamma.shape)
        if isinstance(problem, Penalty):
            linear = linear_coefficient(surrogate, problem)
            assert linear is not None, "`supports` lets no other penalty pass"
            coefficient = linear
        change, multiplier = np.zeros(surrogate.old.shape), np.zeros(surrogate.visitation.shape)
        failed = False
        notes: list[str] = []
        for index in range(len(surrogate.gamma)):
            rows = ScaledRows.of(surrogate, problem, index, float(coefficient[index]))
            if not len(rows.groups):
                notes.append("nothing to move")
                continue
            found, note = self._solve(ConicProgram.of(rows))
            notes.append(note)
            failed |= found is None
            if found is not None:
                change[:, rows.groups, index], multiplier[rows.groups, index] = found[0].T, found[1]
        change = repaired(surrogate, problem, change)
        if problem.reduction.shares_multiplier:
            multiplier = np.broadcast_to(multiplier.max(0), multiplier.shape).copy()
        elif isinstance(problem, Penalty):
            total = (surrogate.visitation * multiplier).sum(0)
            multiplier *= np.where(total > 0, coefficient / np.where(total > 0, total, 1.0), 1.0)
        note = notes[0] if len(notes) == 1 else "; ".join(f"{i}: {text}" for i, text in enumerate(notes))
        status = Status.FAILED if failed else None
        return Answer(change, surrogate.old + change, multiplier, note=note, status=status)

    def _solve(self, conic: ConicProgram) -> tuple[tuple[np.ndarray, np.ndarray] | None, str]:
        """Change (G, A) and multipliers (G,) of the program's rows, or None; and the solver's own words."""
        from cvxpy.error import SolverError

        program = conic.program
        options = {**_DEFAULTS.get(self.name, {}), **self.options}
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Solution may be inaccurate", UserWarning)
                program.solve(solver=self.name, **options)  # pyright: ignore[reportUnknownMemberType] - CVXPY has no stubs
        except (SolverError, ArithmeticError, ValueError) as error:  # the last: data beyond its range
            return None, f"{self}: {' '.join(str(error).split())}"
        except TypeError as error:
            if not self.options:
                raise
            raise InvalidInput(
                got=f"options {self.options} for {self.name} ({error})",
                wanted="options that the solver has",
                fix="see the solver's settings in CVXPY's manual",
            ) from None
        note = f"{self}: {program.status}"
        stats: Any = program.solver_stats  # None where the solver failed, whatever its annotation says
        if stats is not None and stats.num_iters is not None:
            note += f" after {stats.num_iters} iterations"
        change = conic.change()
        return (None if change is None else (change, conic.multipliers(change))), note


OFFERED = (CVXPY("CLARABEL"), CVXPY("SCS"))
"""Of this file, on the command line; others by their names."""


def available_solvers() -> list[str]:
    """The installed solvers that know exponential cones, by CVXPY's names."""
    import cvxpy as cp
    from cvxpy.constraints.exponential import ExpCone
    from cvxpy.reductions.solvers import defines

    conic = cast("dict[str, Any]", defines.SOLVER_MAP_CONIC)  # pyright: ignore[reportUnknownMemberType] - CVXPY has no stubs
    installed = cast("list[str]", cp.installed_solvers())
    return sorted(name for name in installed if name in conic and ExpCone in conic[name].SUPPORTED_CONSTRAINTS)
