"""`update` with a certified radius: the largest whose own step the bound certifies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.step.quantities import Quantities
from trpo_theory.updates.certified import Certified, trusted
from trpo_theory.updates.largest import RETREATS, Steps, largest_certified
from trpo_theory.updates.problems import Problem, TrustRegion
from trpo_theory.updates.reduction import MAX
from trpo_theory.updates.solution import UpdateSolution, Values
from trpo_theory.updates.solvers.blocks import Blocks
from trpo_theory.updates.solvers.dual import Dual
from trpo_theory.updates.solvers.protocol import Solver
from trpo_theory.updates.solvers.trpo_step import TRPOStep
from trpo_theory.updates.status import Status
from trpo_theory.updates.surrogate import Surrogate

_LEAST_STEP = 1e-9
"""Of |new/old − 1|, at which a scan of exact solutions begins: above it steps keep half of the digits of a float policy."""

_LEAST_CONIC_STEP = 1e-4
"""At which a scan by other solvers begins: below it their answers are their tolerances (measured for Clarabel, 1e-9 of χ²)."""

_LARGEST = 600.0
"""Where a scan ends, as that of `penalties`: in nats e^-600 of the mass is left; a χ² of 600 moves all mass to an action of
probability 1/601."""

_PER_DECADE = 4
"""Radii of a scan. Chosen: two certified intervals less than 1.8-fold apart pass as one where only the gap between is missed;
the step that is taken is certified all the same."""

Solve = Callable[[Surrogate, Any], UpdateSolution]
"""`updating.solve` with its solver and tolerance."""


@dataclass(frozen=True, eq=False, repr=False)
class CertifiedUpdate(UpdateSolution):
    """The step of a certified radius: an `UpdateSolution` whose problem has the radius that was found, 0 if there is none.

    Its policy is `mix` of old and the rest the solution at that radius; objective and gap are this policy's, so that the gap is
    at least the share `mix` of what can be gained.

    Attributes:
        request: the `Certified` that was asked for.
        promise: the lower bound on η(new) − η(old), 0 where no step is certified.
        promise_rounding: its float error, which it exceeds where the step is certified.
    """

    request: Certified = None  # pyright: ignore[reportAssignmentType] - follows fields with defaults, and is always given
    promise: float = 0.0
    promise_rounding: float = 0.0

    @property
    def certified(self) -> bool:
        """Whether the bound, evaluated in floats at this very step, promises more than its rounding."""
        return self.promise > self.promise_rounding

    @property
    def radius(self) -> float:
        """The radius that was found, in the unit of the problem's divergence; 0 if no step is certified.

        600, or 1 for total variation, is the end of the scan: all radii are certified.
        """
        assert isinstance(self.problem, TrustRegion)
        return self.problem.radius

    @property
    def improvement(self) -> Values:
        """η(new) − η(old), evaluated; at least the promise."""
        return self.expected_return_new - self.expected_return_old

    def __repr__(self) -> str:
        return (
            f"CertifiedUpdate({type(self.problem).__name__}, {self.request!r}, solver={self.solver}, "
            f"radius={self.radius:.6g}, promise={self.promise:.6g}, surrogate_gain={self.surrogate_gain:.6g}, "
            f"status={self.status.name})"
        )


def certified_update(
    mdp: FiniteMDP,
    q: Quantities,
    surrogate: Surrogate,
    problem: TrustRegion | TRPOStep,
    solver: Solver | None,
    solve: Solve,
) -> CertifiedUpdate:
    """The largest radius whose own step the bound of the problem's delta certifies, and that step.

    Raises:
        InvalidInput: for a batch.
        NotSolved: as `update`.
    """
    request = problem.delta
    assert isinstance(request, Certified)
    if q.batch_shape:
        raise InvalidInput(
            got=f"a batch {q.batch_shape} with {request!r}",
            wanted="one instance: each has a radius of its own",
            fix="loop over them",
        )
    steps = Steps(q, mdp, trusted(request.bound))

    def policies(radii: np.ndarray) -> np.ndarray:
        found = _solutions(surrogate, problem, solver, radii)
        return surrogate.policy_rows(surrogate.old)[None] * request.mix + (1 - request.mix) * found

    grid = _scanned(problem, solver)
    radius = largest_certified(lambda radii: steps.each(policies(radii)), grid, request.aim)
    for retreat in () if radius is None else RETREATS:
        solution = _mixed(solve(surrogate, replace(problem, delta=retreat * (radius or 0.0))), request)
        promise = steps.one(solution.policy)
        if promise.certified:
            return replace(solution, promise=float(promise.value), promise_rounding=float(promise.rounding))
    solution = _mixed(solve(surrogate, replace(problem, delta=0.0)), request)
    words = f"{request.id} certifies no step of this problem, not even the least of the scan: old is returned"
    still = {"change_rows": np.zeros_like(solution.change_rows), "new_rows": surrogate.old}
    return replace(solution, **still, note=words, forced_status=Status.UNCERTIFIED)


def _mixed(solution: UpdateSolution, request: Certified) -> CertifiedUpdate:
    """The solution with a share of old."""
    parts = {field.name: getattr(solution, field.name) for field in fields(solution)}
    keep = 1 - request.mix
    parts["change_rows"] = keep * solution.change_rows
    parts["new_rows"] = keep * solution.new_rows + request.mix * solution.surrogate.old
    parts["forced_status"] = Status.FAILED if solution.status is Status.FAILED else Status.CERTIFIED
    return CertifiedUpdate(**parts, request=request)


def _problem_of(problem: TrustRegion | TRPOStep) -> Problem:
    return problem.problem if isinstance(problem, TRPOStep) else problem


def _scanned(problem: TrustRegion | TRPOStep, solver: Solver | None) -> np.ndarray:
    """The radii of a scan: from a step of |new/old − 1| of about 1e-9 on, logarithmically."""
    divergence = _problem_of(problem).divergence
    exact = isinstance(problem, TRPOStep) or solver is None or isinstance(solver, Dual)
    least_step = _LEAST_STEP if exact else _LEAST_CONIC_STEP
    decades = -np.log10(least_step)
    quadratic = divergence.step_at(1e-4) > 1e-3
    low, high = (least_step**2, _LARGEST) if quadratic else (least_step, 1.0)
    count = int(_PER_DECADE * (decades * (2 if quadratic else 1) + np.log10(high))) + 1
    return np.geomspace(low, high, count)


def _solutions(
    surrogate: Surrogate, problem: TrustRegion | TRPOStep, solver: Solver | None, radii: np.ndarray
) -> np.ndarray:
    """The solutions at each radius, (K, S, A), without their certificates."""
    if isinstance(problem, TrustRegion) and isinstance(solver or Dual(), Dual) and problem.reduction is MAX:
        many = _repeated(surrogate, len(radii))
        answer = Blocks(many, problem).answer(problem.divergence.at_radius, radii)
        return many.policy_rows(answer.new)
    found: list[np.ndarray] = []
    for radius in radii:
        at = replace(problem, delta=float(radius))
        one, of = (at, at.problem) if isinstance(at, TRPOStep) else (solver or Dual(), at)
        found.append(surrogate.policy_rows(one.solve(surrogate, of).new))
    return np.array(found)


def _repeated(surrogate: Surrogate, count: int) -> Surrogate:
    """So many copies of the one instance, as a batch."""
    names = ("old", "advantage", "available", "visitation", "gamma", "max_abs_advantage")
    parts: dict[str, Any] = {name: np.repeat(getattr(surrogate, name), count, axis=-1) for name in names}
    return replace(surrogate, **parts, batch_shape=(count,))
