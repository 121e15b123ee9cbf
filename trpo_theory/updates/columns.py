"""The columns of an update under limits: policies within the radius, by what each gains and what it moves each cost by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from trpo_theory.updates.problems import TrustRegion
from trpo_theory.updates.solution import UpdateSolution
from trpo_theory.updates.solvers.protocol import Solver
from trpo_theory.updates.solving import solve
from trpo_theory.updates.status import Status
from trpo_theory.updates.surrogate import Surrogate

_ROUNDS = 200
"""Weights of the costs tried at most, for a start. Measured: some 15 for one cost, 40 for three."""
_TOLERANCE = 1e-10
"""Of the linear program, whose numbers are scaled to 1: the least that HiGHS takes."""
_RTOL = 1e-7
"""The relative gap of the least excess. Chosen: a thousand times the tolerance of the linear program."""
_COMBINED = 4
"""Roundings in a sum of multiples of advantages, each of size ε of their sizes."""


class Columns:
    """Of one instance; the first column is old.

    Args:
        surrogate: of the reward.
        costs: of each cost.
        problem: the trust region, without limits.
        slack: limit_c − J_c(old), of each cost.
        solver: of the problem without limits.
        slack_error: a bound on the error of each.
    """

    def __init__(
        self,
        surrogate: Surrogate,
        costs: Sequence[Surrogate],
        problem: TrustRegion,
        slack: np.ndarray,
        solver: Solver | None,
        *,
        slack_error: np.ndarray,
    ) -> None:
        self.surrogate: Surrogate = surrogate
        self.costs: Sequence[Surrogate] = costs
        self.slack: np.ndarray = slack
        self.most_slack: np.ndarray = slack + slack_error
        self._problem, self._solver = problem, solver
        self.changes: list[np.ndarray] = []
        self.news: list[np.ndarray] = []
        self.gains: list[float] = []
        self.moves: list[np.ndarray] = []
        self._solutions: dict[bytes, UpdateSolution] = {}
        self._add(np.zeros_like(surrogate.old), surrogate.old)

    def _add(self, change: np.ndarray, new: np.ndarray) -> None:
        self.changes.append(change)
        self.news.append(new)
        self.gains.append(float(moved_by(self.surrogate, change)[0]))
        self.moves.append(np.array([moved_by(cost, change)[0] for cost in self.costs]))

    def _combined(self, weight: float, prices: np.ndarray) -> Surrogate:
        """That of the reward weight · r − Σ ν c, whose advantage is that combination."""
        parts = [(weight, self.surrogate), *zip(-prices, self.costs, strict=True)]
        advantage = sum(w * part.advantage for w, part in parts)
        rounding = sum(abs(w) * np.abs(part.advantage).max(0) for w, part in parts)
        missed = sum(abs(w) * part.advantage_error for w, part in parts)
        error = missed + _COMBINED * len(parts) * np.finfo(np.float64).eps * rounding
        largest = np.abs(np.asarray(advantage)).max((0, 1))
        return replace(
            self.surrogate, advantage=advantage, advantage_error=error, max_abs_advantage=largest, of_states=None
        )

    def price(self, weight: float, prices: np.ndarray) -> float:
        """An upper bound on the gain of the reward weight · r − Σ ν c within the radius; the policy that has it is added."""
        found = solve(self._combined(weight, prices), self._problem, solver=self._solver)
        self._solutions[prices.tobytes()] = found
        self._add(found.change_rows, found.new_rows)
        return float(found.upper[0])

    def start(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Columns of which some mixture meets the limits; else the prices that prove that none does, and the recovery step."""
        if (self.slack >= 0).all():
            return None
        unit = np.eye(len(self.slack))
        falls = np.array([self.price(0.0, row) for row in unit])
        scale = np.where(falls > 0, falls, 1.0)
        least, best = -np.inf, unit[0]
        mixture = np.ones(1)
        for _ in range(_ROUNDS):
            mixture, weights, excess = self._least_excess(scale)
            if excess <= 0:
                return None
            prices = weights / scale
            bound = -self.price(0.0, prices) - float(prices @ self.most_slack)
            if bound > least:
                least, best = bound, prices
            if excess - least <= _RTOL * excess:
                break
        return (best, mixture) if least > 0 else None

    def _least_excess(self, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Weights of the columns whose largest excess is least, the dual weights of the costs, and that excess."""
        rows = (np.array(self.moves).T - self.slack[:, None]) / scale[:, None]
        size = np.abs(rows).max()
        count = rows.shape[1]
        answer = _linear_program(
            np.append(np.zeros(count), 1.0),
            np.hstack([rows / size, -np.ones((len(rows), 1))]),
            np.zeros(len(rows)),
            [(0, 1)] * count + [(None, None)],
        )
        mixture, weights = answer.x[:-1], np.maximum(-answer.ineqlin.marginals, 0.0)
        return mixture, weights / weights.sum(), float((rows @ mixture).max())

    def mix(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights of the columns that gain most within the limits, and the prices of the limits."""
        gains, moves = np.array(self.gains), np.array(self.moves).T
        unit = max(np.abs(gains).max(), np.finfo(float).tiny)
        scale = np.abs(moves).max(1)
        scale = np.where(scale > 0, scale, 1.0)
        bounds: list[tuple[float | None, float | None]] = [(0, 1)] * len(gains)
        answer = _linear_program(-gains / unit, moves / scale[:, None], self.slack / scale, bounds)
        return answer.x, np.maximum(-answer.ineqlin.marginals, 0.0) * unit / scale

    @staticmethod
    def _mixed(mixture: np.ndarray, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Σ w part over the weights that are not 0: new keeps the digits of probabilities that old + change would lose."""
        used = [(w, part) for w, part in zip(mixture, parts, strict=False) if w > 0]
        return np.sum([w * part for w, part in used], axis=0)

    def result(
        self, mixture: np.ndarray, prices: np.ndarray, upper: float, status: Status, rtol: float
    ) -> UpdateSolution:
        """The mixture as a solution, with the multipliers of the problem without limits at the prices."""
        change, new = (self._mixed(mixture, parts) for parts in (self.changes, self.news))
        if prices.tobytes() not in self._solutions:
            self.price(1.0 if np.isfinite(upper) else 0.0, prices)
        return replace(
            self._solutions[prices.tobytes()],
            surrogate=self.surrogate,
            change_rows=change,
            new_rows=new,
            upper=np.array([upper]),
            forced_status=status,
            rtol=rtol,
        )


def _linear_program(cost: np.ndarray, rows: np.ndarray, limits: np.ndarray, bounds: Any) -> Any:
    """Minimise cost · x subject to rows x ≤ limits, the weights of the columns (those bounded by 1) adding up to 1."""
    import scipy.optimize  # pyright: ignore[reportMissingTypeStubs] - SciPy has no stubs

    solver: Any = scipy.optimize
    shares = np.array([[1.0 if high == 1 else 0.0 for _, high in bounds]])
    options = {"primal_feasibility_tolerance": _TOLERANCE, "dual_feasibility_tolerance": _TOLERANCE}
    return solver.linprog(
        cost, A_ub=rows, b_ub=limits, A_eq=shares, b_eq=[1.0], bounds=bounds, method="highs-ds", options=options
    )


def one_of(surrogate: Surrogate, at: int) -> Surrogate:
    """One instance of a batch."""
    changes: dict[str, Any] = {"batch_shape": ()}
    for one in fields(surrogate):
        value = getattr(surrogate, one.name)
        if isinstance(value, np.ndarray):
            changes[one.name] = value[..., at : at + 1]
    if surrogate.of_states is not None:
        changes["of_states"] = tuple(part[..., at : at + 1] for part in surrogate.of_states)
    return replace(surrogate, **changes)


def moved_by(surrogate: Surrogate, change: np.ndarray) -> np.ndarray:
    """Σ ρ Σ_a change A, (B,)."""
    return (surrogate.visitation * (change * np.where(surrogate.available, surrogate.advantage, 0.0)).sum(0)).sum(0)


def size_of(surrogate: Surrogate) -> np.ndarray:
    """Σ ρ max|A|, (B,)."""
    largest = np.abs(np.where(surrogate.available, surrogate.advantage, 0.0)).max(0)
    return (surrogate.visitation * largest).sum(0)
