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
from functools import cached_property
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.divergence import kl_of_change
from trpo_theory.updates.penalties import linear_coefficient
from trpo_theory.updates.problems import MaxTV, Penalty, Problem
from trpo_theory.updates.solution import Status
from trpo_theory.updates.solvers.dual import FAMILIES, Answer, rows_of
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
"""As far as a solver gets, and the last iterate where progress ends: the gap says what it is worth. Found by trial."""
_BISECTIONS = 60
_LEAST_RATIO = 1e-14
"""Of new to old under a penalty: an answer clipped to 0 would have KL = ∞, and to lift it costs 1e-14 of the gain."""


@dataclass(frozen=True, eq=False)
class ConicAnswer(Answer):
    """An `Answer`, with what became of the solve: status is FAILED or left to the recomputed gap."""

    status: Status | None = None
    note: str = ""


@dataclass(frozen=True, init=False)
class CVXPY:
    """A conic solver by way of CVXPY, one call an instance of a batch.

    Args:
        name: "CLARABEL", "SCS", "MOSEK", ...: any installed one that knows exponential cones, in either case.
        options: passed on to the solver, such as max_iter=50 or eps=1e-9.

    >>> print(CVXPY("CLARABEL"))
    clarabel
    """

    name: str
    options: dict[str, Any] = field(hash=False)

    def __init__(self, name: Any = "CLARABEL", **options: Any) -> None:
        if not isinstance(name, str):
            raise InvalidInput(got=f"{name!r} for a solver", wanted="its name", fix='write CVXPY("CLARABEL")')
        object.__setattr__(self, "name", name.upper())
        object.__setattr__(self, "options", options)

    def __str__(self) -> str:
        return self.name.lower()

    def solve(self, surrogate: Surrogate, problem: Problem) -> ConicAnswer:
        """A feasible policy and multipliers, as accurate as the solver; a failed solve is said to be one.

        Raises:
            InvalidInput: for a solver that is not installed, an option that it does not have, or a bound whose penalty
                is not linear in max-KL.
        """
        available = available_solvers()
        if self.name not in available:
            raise InvalidInput(
                got=f"the solver {self.name!r}",
                wanted=f"an installed solver with exponential cones: {', '.join(available)}",
                fix=f'write CVXPY("{available[0]}")' if available else "install clarabel",
            )
        coefficient = _coefficient(surrogate, problem)
        change, multiplier = np.zeros(surrogate.old.shape), np.zeros(surrogate.visitation.shape)
        notes, failed = [], False
        for index in range(len(surrogate.gamma)):
            instance = _instance(surrogate, problem, index, float(coefficient[index]))
            if not len(instance.groups):
                notes.append("nothing to move")
                continue
            found, note = self._solve(instance)
            notes.append(note)
            failed |= found is None
            if found is not None:
                change[:, instance.groups, index], multiplier[instance.groups, index] = found[0].T, found[1]
        change = repaired(surrogate, problem, change)
        if problem.name.endswith("mean-kl"):
            multiplier = np.broadcast_to(multiplier.max(0), multiplier.shape).copy()
        elif isinstance(problem, Penalty):
            total = (surrogate.visitation * multiplier).sum(0)
            multiplier *= np.where(total > 0, coefficient / np.where(total > 0, total, 1.0), 1.0)
        note = notes[0] if len(notes) == 1 else "; ".join(f"{i}: {text}" for i, text in enumerate(notes))
        return ConicAnswer(
            change,
            surrogate.old + change,
            multiplier,
            status=Status.FAILED if failed else None,
            note=note,
        )

    def _solve(self, instance: _Instance) -> tuple[tuple[np.ndarray, np.ndarray] | None, str]:
        """Change (G, A) and multipliers (G,) of the instance's rows, or None; and the solver's own words."""
        from cvxpy.error import SolverError

        program, step, held = _program(instance)
        options = {**_DEFAULTS.get(self.name, {}), **self.options}
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Solution may be inaccurate", UserWarning)
                program.solve(solver=self.name, **options)
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
        if program.solver_stats is not None and program.solver_stats.num_iters is not None:
            note += f" after {program.solver_stats.num_iters} iterations"
        if step.value is None or not np.isfinite(step.value).all():
            return None, note
        change = instance.unit * np.asarray(step.value)
        return (change, _multipliers(instance, held, change)), note


def available_solvers() -> list[str]:
    """The installed solvers that know exponential cones, by CVXPY's names."""
    import cvxpy as cp
    from cvxpy.constraints.exponential import ExpCone
    from cvxpy.reductions.solvers.defines import SOLVER_MAP_CONIC

    conic = {name: SOLVER_MAP_CONIC[name] for name in cp.installed_solvers() if name in SOLVER_MAP_CONIC}
    return sorted(name for name, solver in conic.items() if ExpCone in solver.SUPPORTED_CONSTRAINTS)


def _coefficient(surrogate: Surrogate, problem: Problem) -> np.ndarray:
    """C of (11), (B,); 0 for the other problems."""
    if not isinstance(problem, Penalty):
        return np.zeros(surrogate.gamma.shape)
    coefficient = linear_coefficient(surrogate, problem)
    if coefficient is None:
        raise InvalidInput(
            got=f"the bound {getattr(problem.bound, 'id', problem.bound)!r}, whose penalty is not linear in max-KL",
            wanted="a penalty of the form C max-KL",
            fix="use Dual()",
        )
    return coefficient


@dataclass(frozen=True, eq=False)
class _Instance:
    """The rows of one instance that count and can gain, (G, A), with the scales that the solver sees.

    Attributes:
        groups: their indices.
        advantage: centred by its mean under old; 0 where an action is not free.
        free: where the policy may change.
        step: the size of new/old − 1 that is expected.
        unit: change = unit · x: step · old; where old is 0, step², for a KL counts such mass in full (a TV as any other).
        radius: the divergence that is expected, or allowed.
        worth: the gain that is expected.
    """

    problem: Problem
    groups: np.ndarray
    old: np.ndarray
    advantage: np.ndarray
    free: np.ndarray
    rho: np.ndarray
    gamma: float
    coefficient: float
    step: float
    radius: float
    worth: float

    @cached_property
    def unit(self) -> np.ndarray:
        outside = self.step if isinstance(self.problem, MaxTV) else self.step**2
        return np.where(self.free, np.where(self.old > 0, self.step * self.old, outside), 0.0)

    @property
    def bounded(self) -> bool:
        """Whether KL bars new from 0 on old's support."""
        return self.problem.name != "max-tv" and not (isinstance(self.problem, Penalty) and self.coefficient == 0)


def _instance(surrogate: Surrogate, problem: Problem, index: int, coefficient: float) -> _Instance:
    parts = (surrogate.old[..., index], surrogate.advantage[..., index], surrogate.available[..., index])
    rows, rho = rows_of(problem, *parts), surrogate.visitation[:, index]
    delta = np.inf if isinstance(problem, Penalty) else problem.delta
    groups = np.flatnonzero((rows.scale > 0) & (rho > 0) & (delta > 0))
    old, advantage, available = (part[:, groups].T for part in parts)
    rho = rho[groups]
    free = old > 0 if problem.name.startswith("reverse") else available | (old > 0)
    centred = np.where(free, advantage - (old * advantage).sum(1, keepdims=True), 0.0)
    deviation = float((rho * np.sqrt((old * centred**2).sum(1))).sum())
    if isinstance(problem, Penalty):
        expected = 0.5 * (deviation / coefficient) ** 2 if coefficient > 0 else 1.0
        radius = min(expected, 1.0) if expected > 0 else 1.0
    else:
        radius = delta
    step = min(2 * radius if isinstance(problem, MaxTV) else float(np.sqrt(2 * radius)), 1.0)
    # Where old is deterministic the deviation is 0, and the gain of the best action, all that there is.
    spread = float((rho * (rows.scale * rows.mean)[groups]).sum())
    worth = step * max(deviation, min(step, 1.0) * spread)
    gamma = float(surrogate.gamma[index])
    return _Instance(problem, groups, old, centred, free, rho, gamma, coefficient, step, radius, worth or 1.0)


def _program(instance: _Instance) -> tuple[Any, Any, Any]:
    """The problem in CVXPY's terms, its variable x = (new − old)/unit, (G, A), and the constraint that λ belongs to."""
    import cvxpy as cp

    problem, unit, step = instance.problem, instance.unit, instance.step
    x = cp.Variable(instance.old.shape)
    constraints: list[Any] = [cp.sum(cp.multiply(unit / step, x), axis=1) == 0]
    if (closed := ~instance.free).any():
        constraints.append(x[closed] == 0)
    if (outside := instance.free & (instance.old == 0)).any():
        constraints.append(x[outside] >= 0)
    if not instance.bounded:
        constraints.append(1 + step * x[instance.old > 0] >= 0)
    gain = cp.sum(cp.multiply(instance.rho[:, None] * unit * instance.advantage / instance.worth, x))
    if isinstance(problem, Penalty) and instance.coefficient == 0:
        return cp.Problem(cp.Maximize(gain), constraints), x, None
    divergence = _divergence(instance, x)
    if isinstance(problem, Penalty):
        t = cp.Variable()
        held = divergence <= t
        objective = gain - instance.coefficient * instance.radius / instance.worth * t
    elif problem.name.endswith("mean-kl"):
        weight = (1 - instance.gamma) * instance.rho
        held = weight @ divergence <= 1
        objective = gain
    else:
        held = divergence <= 1
        objective = gain
    return cp.Problem(cp.Maximize(objective), [*constraints, held]), x, held


def _divergence(instance: _Instance, x: Any) -> Any:
    """The divergence of each row over radius, (G,).

    KL(old‖new) = Σ old (r − 1 − log r) + Σ_{old = 0} new with r = new/old: that is Σ old log(old/new) for rows that
    sum to 1. The other way round r and 1 change places, and new is 0 where old is.
    """
    import cvxpy as cp
    import scipy.sparse as sp

    old, radius = instance.old, instance.radius
    if isinstance(instance.problem, MaxTV):
        return 0.5 * cp.norm(cp.multiply(instance.unit / radius, x), 1, axis=1)
    row, column = np.nonzero(old > 0)
    summed = sp.csr_array((old[row, column] / radius, (row, np.arange(len(row)))), shape=(len(old), len(row)))
    ratio = 1 + instance.step * x[old > 0]
    if instance.problem.name.startswith("reverse"):
        return summed @ cp.kl_div(ratio, 1)
    outside = np.where(old > 0, 0.0, instance.unit / radius)
    return summed @ cp.kl_div(1, ratio) + cp.sum(cp.multiply(outside, x), axis=1)


def _multipliers(instance: _Instance, held: Any, change: np.ndarray) -> np.ndarray:
    """λ of each row, (G,), in reward a nat: from the solver's dual values, or else those that belong to the divergences."""
    if held is None:
        return np.zeros(len(instance.groups))
    prices = held.dual_value
    if prices is not None and np.isfinite(prices).all():
        each = (1 - instance.gamma) * instance.rho if instance.problem.name.endswith("mean-kl") else 1.0
        return np.maximum(prices, 0.0) * each * instance.worth / (instance.radius * instance.rho)
    divergence = _divergences(instance.problem, instance.old.T, change.T)
    rows = rows_of(instance.problem, instance.old.T, instance.advantage.T, instance.free.T)
    family: Any = FAMILIES[instance.problem.name]
    return family.at_radius(rows, np.where(np.isfinite(divergence), divergence, 1.0)).multiplier


def _divergences(problem: Problem, old: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The divergence of rows that a problem holds down, from the definition: (A, ...) -> (...)."""
    if isinstance(problem, MaxTV):
        return 0.5 * np.abs(change).sum(0)
    new = np.maximum(old + change, 0.0)
    if problem.name.startswith("reverse"):
        return kl_of_change(new, old, -change).sum(0)
    return kl_of_change(old, new, change).sum(0)


def repaired(surrogate: Surrogate, problem: Problem, change: np.ndarray) -> np.ndarray:
    """A change that keeps rows of probabilities and the constraint, (A, G, B): clipped, normalised, mixed with old.

    The divergence of old + w change is convex in w and 0 at 0, so that the largest w is found by bisection: one a row
    where the maximum is held down, one an instance where the mean is.
    """
    old = surrogate.old
    least = old * -(1 - _LEAST_RATIO if isinstance(problem, Penalty) else 1.0)
    change = np.where(surrogate.available | (old > 0), np.maximum(change, least), 0.0)
    total = (old + change).sum(0)
    change = np.where(total > 0, (change - change.sum(0) * old) / np.where(total > 0, total, 1.0), 0.0)
    if isinstance(problem, Penalty):
        return change
    mean = problem.name.endswith("mean-kl")
    weight = (1 - surrogate.gamma) * surrogate.visitation

    def divergence(share: np.ndarray) -> np.ndarray:
        rows = _divergences(problem, old, share * change)
        return (weight * np.where(weight > 0, rows, 0.0)).sum(0) if mean else rows

    whole = divergence(np.ones(()))
    high = np.ones(whole.shape)
    low = np.where(whole <= problem.delta, 1.0, problem.delta / np.where(whole > 0, whole, 1.0))
    for _ in range(_BISECTIONS if (low < 1).any() else 0):
        middle = 0.5 * (low + high)
        inside = divergence(middle) <= problem.delta
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return low * change
