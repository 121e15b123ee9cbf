"""An update problem in a conic solver's terms: one instance, scaled so that every number that the solver sees is near 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trpo_theory.updates.problems import Penalty, Problem, TrustRegion
from trpo_theory.updates.rows.conic import ConicRows
from trpo_theory.updates.rows.divergence import RowDivergence
from trpo_theory.updates.surrogate import Surrogate

if TYPE_CHECKING:
    import cvxpy as cp


@dataclass(frozen=True, eq=False)
class ScaledRows:
    """The rows of one instance that count and can gain, (G, A), with the scales that the solver sees.

    Attributes:
        groups: their indices in the surrogate.
        advantage: centred by its mean under old; 0 where an action is not free.
        free: where the policy may change.
        coefficient: C of (11); 0 for the other problems.
        conic: old again, with the scales of the variable and of the divergence.
        worth: the gain that is expected.
    """

    problem: Problem
    groups: np.ndarray
    old: np.ndarray
    advantage: np.ndarray
    free: np.ndarray
    rho: np.ndarray
    complement: float
    coefficient: float
    conic: ConicRows
    worth: float

    @classmethod
    def of(cls, surrogate: Surrogate, problem: Problem, index: int, coefficient: float) -> ScaledRows:
        """Of one instance of a batch."""
        parts = (surrogate.old[..., index], surrogate.advantage[..., index], surrogate.available[..., index])
        divergence = problem.divergence
        rows, rho = divergence.rows(*parts), surrogate.visitation[:, index]
        delta = problem.radius if isinstance(problem, TrustRegion) else np.inf
        groups = np.flatnonzero((rows.scale > 0) & (rho > 0) & (delta > 0))
        old, advantage, available = (part[:, groups].T for part in parts)
        rho = rho[groups]
        free = old > 0 if divergence.keeps_support else available | (old > 0)
        centred = np.where(free, advantage - (old * advantage).sum(1, keepdims=True), 0.0)
        deviation = float((rho * np.sqrt((old * centred**2).sum(1))).sum())
        radius = float(delta)
        if isinstance(problem, Penalty):
            expected = 0.5 * (deviation / coefficient) ** 2 if coefficient > 0 else 1.0
            radius = min(expected, 1.0) if expected > 0 else 1.0
        step = min(divergence.step_at(radius), 1.0)
        # Where old is deterministic the deviation is 0, and the gain of the best action is all that there is.
        spread = float((rho * (rows.scale * rows.mean)[groups]).sum())
        worth = step * max(deviation, min(step, 1.0) * spread)
        complement = float(surrogate.complement[index])
        outside = divergence.step_outside(step)
        unit = np.where(free, np.where(old > 0, step * old, outside), 0.0)
        conic = ConicRows(old, unit, step, radius)
        return cls(problem, groups, old, centred, free, rho, complement, coefficient, conic, worth or 1.0)

    @property
    def divergence(self) -> RowDivergence:
        """Of the problem."""
        return self.problem.divergence

    @property
    def weight(self) -> np.ndarray:
        """(1 − γ) ρ, (G,)."""
        return self.complement * self.rho

    @property
    def penalised(self) -> bool:
        """Whether the problem is (11)."""
        return isinstance(self.problem, Penalty)

    @property
    def unconstrained(self) -> bool:
        """Whether nothing holds the policy back: (11) with C = 0."""
        return self.penalised and self.coefficient == 0


@dataclass(frozen=True, eq=False)
class ConicProgram:
    """The program of some scaled rows.

    Attributes:
        rows: what was scaled.
        program: in CVXPY's terms.
        x: its variable, (new − old)/unit, (G, A).
        held: the constraint that λ belongs to; None where nothing is held down.
    """

    rows: ScaledRows
    program: cp.Problem
    x: cp.Variable
    held: Any

    @classmethod
    def of(cls, rows: ScaledRows) -> ConicProgram:
        """Write the problem down as a reader would."""
        import cvxpy as cp

        unit, step = rows.conic.unit, rows.conic.step
        x = cp.Variable(rows.old.shape)
        moved: Any = cp.sum(cp.multiply(unit / step, x), axis=1)  # pyright: ignore[reportUnknownMemberType] - CVXPY has no stubs
        constraints: list[Any] = [moved == 0]
        if (closed := ~rows.free).any():
            constraints.append(x[closed] == 0)
        if (outside := rows.free & (rows.old == 0)).any():
            constraints.append(x[outside] >= 0)
        if rows.unconstrained or not rows.divergence.implies_nonnegative:
            constraints.append(rows.conic.ratio(x) >= 0)
        each = cp.multiply(rows.rho[:, None] * unit * rows.advantage / rows.worth, x)
        gain: Any = cp.sum(each)  # pyright: ignore[reportUnknownMemberType] - CVXPY has no stubs
        if rows.unconstrained:
            return cls(rows, cp.Problem(cp.Maximize(gain), constraints), x, None)
        spent = rows.problem.reduction.conic(rows.divergence.conic(rows.conic, x), rows.weight)
        if rows.penalised:
            t = cp.Variable()
            held = spent <= t
            gain = gain - rows.coefficient * rows.conic.radius / rows.worth * t
        else:
            held = spent <= 1
        return cls(rows, cp.Problem(cp.Maximize(gain), [*constraints, held]), x, held)

    def change(self) -> np.ndarray | None:
        """new − old of the rows, (G, A), of a program that was solved; None where there is no answer of finite numbers."""
        if self.x.value is None or not np.isfinite(self.x.value).all():
            return None
        return self.rows.conic.unit * np.asarray(self.x.value)

    def multipliers(self, change: np.ndarray) -> np.ndarray:
        """λ of each row, (G,), in reward per unit of the divergence.

        From the solver's dual values, or where it lost them those that belong to the divergences of the change, (G, A).
        """
        rows = self.rows
        if self.held is None:
            return np.zeros(len(rows.groups))
        dual = self.held.dual_value
        if dual is not None and np.isfinite(dual).all():
            each = rows.problem.reduction.row_multipliers(np.asarray(np.maximum(dual, 0.0)), rows.weight)
            return each * rows.worth / (rows.conic.radius * rows.rho)
        old = rows.old.T
        spent = rows.divergence.measure(old, np.maximum(old + change.T, 0.0), change.T)
        solved = rows.divergence.at_radius(
            rows.divergence.rows(old, rows.advantage.T, rows.free.T), np.where(np.isfinite(spent), spent, 1.0)
        )
        return solved.multiplier
