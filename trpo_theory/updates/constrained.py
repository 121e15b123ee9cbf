"""`constrained_update`: a trust-region problem with linear limits on the surrogates of costs, solved with a certificate.

maximise L_old(new) − η(old)  subject to  divergence ≤ δ  and  L_c(new) = J_c(old) + Σ_s ρ_old(s) Ā_c(s) ≤ limit_c for each c

For prices ν ≥ 0 the Lagrangian is the same problem without limits for the reward r − Σ ν_c c, which is solved exactly:
    g(ν) = max_{divergence ≤ δ} (L_{r − ν·c}(new) − η_{r − ν·c}(old)) + Σ_c ν_c (limit_c − J_c(old))
is an upper bound for every ν. Policies so found are mixed by a linear program, whose dual values are the next prices: the column
generation of Dantzig and Wolfe. A mixture keeps the divergence, which is convex in new.
Source: the problem is (10) of Achiam et al. 2017, arXiv:1705.10528, without its linearised objective and quadratic constraint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from trpo_theory._entries import is_real
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.step.quantities import Quantities, compare
from trpo_theory.updates.certified import Certified
from trpo_theory.updates.problems import TrustRegion
from trpo_theory.updates.status import Status
from trpo_theory.updates.updating import update_step

_ROUNDS = 200
"""Prices tried at most. Measured: some 15 for one cost, 40 for three."""
_TOLERANCE = 1e-10
"""Of the linear program, whose numbers are scaled to 1: the least that HiGHS takes."""
_RTOL = 1e-7
"""The relative gap of an optimum. Chosen: a thousand times the tolerance of the linear program."""


@dataclass(frozen=True, eq=False, repr=False)
class ConstrainedUpdate:
    """An update under limits on costs; numbers are recomputed from the definitions.

    Attributes:
        problem: the trust region.
        limits: on L_c(new), by the name of the cost.
        policy: the new policy, (S, A).
        prices: ν_c ≥ 0, by which upper_bound is proved; for a recovery step those that prove that nothing meets the limits.
        upper_bound: on the objective of every policy that keeps radius and limits; −∞ where there is none.
        status: `OPTIMAL`, `INACCURATE`, or `RECOVERY`: no policy within the radius meets the limits, and the one whose largest
            excess is least is returned, each excess measured in what the radius allows the cost to fall by.
    """

    problem: TrustRegion
    limits: Mapping[str, float]
    policy: np.ndarray
    prices: Mapping[str, float]
    upper_bound: float
    status: Status
    quantities: Quantities = field(repr=False)

    @cached_property
    def objective(self) -> float:
        """L_old(new) − η(old)."""
        return float(self.quantities.surrogate_gain)

    @property
    def gap(self) -> float:
        """upper_bound − objective."""
        return self.upper_bound - self.objective

    @cached_property
    def cost_surrogates(self) -> dict[str, float]:
        """L_c(new), which the limits are on."""
        return {name: float(self.quantities.cost(name).surrogate) for name in self.limits}

    @cached_property
    def costs_new(self) -> dict[str, float]:
        """J_c(new) itself, which Proposition 2 of CPO (`cost/prop-2`) bounds."""
        return {name: float(self.quantities.cost(name).expected_return_new) for name in self.limits}

    @cached_property
    def divergence(self) -> float:
        """What the problem holds down."""
        return float(getattr(self.quantities, self.problem.field))

    def __repr__(self) -> str:
        return (
            f"ConstrainedUpdate({self.problem!r}, objective={self.objective:.6g}, gap={self.gap:.1e}, "
            f"costs={ {name: float(f'{value:.6g}') for name, value in self.cost_surrogates.items()} }, "
            f"status={self.status.name})"
        )


def constrained_update(
    mdp: FiniteMDP, old: Any, problem: TrustRegion, limits: Mapping[str, float], *, rtol: float = _RTOL
) -> ConstrainedUpdate:
    """The policy of the largest surrogate within a radius whose costs, linearised at old, keep their limits.

    Args:
        mdp: one MDP with costs.
        old: the policy that we stand at, (S, A); it may exceed the limits.
        problem: `MaxKL(delta)`, `MeanKL(delta)` or another trust region.
        limits: the largest allowed J_c(old) + Σ_s ρ_old(s) Ā_c(s), by the name of the cost.
        rtol: the relative gap up to which the status is optimal.

    Returns:
        A `ConstrainedUpdate`; where no policy within the radius meets the limits, the recovery step, as its status says.

    Raises:
        InvalidInput: for a batch, a problem without a radius, or limits that are no numbers of costs of the MDP.

    >>> from trpo_theory.updates import MaxKL
    >>> mdp = FiniteMDP([[[1], [1]]], [[0, 1]], 0.5, costs={"c": [[0, 1]]})
    >>> constrained_update(mdp, [[0.5, 0.5]], MaxKL(0.1), {"c": 1.1})
    ConstrainedUpdate(MaxKL(delta=0.1), objective=0.1, gap=0.0e+00, costs={'c': 1.1}, status=OPTIMAL)
    """
    _check(mdp, problem, limits)
    columns = _Columns(mdp, compare(mdp, old, old), problem, limits)
    recovery = columns.start()
    if recovery is not None:
        prices, mixture = recovery
        return columns.result(mixture, prices, -np.inf, Status.RECOVERY)
    upper, best = np.inf, np.zeros(len(columns.names))
    for _ in range(_ROUNDS):
        mixture, prices = columns.mix()
        bound = columns.price(1.0, prices) + float(prices @ columns.slack)
        if bound < upper:
            upper, best = bound, prices
        gain = float(mixture @ columns.gains[: len(mixture)])
        if upper - gain <= rtol * max(abs(upper), abs(gain)):
            return columns.result(mixture, best, upper, Status.OPTIMAL)
    mixture, _ = columns.mix()
    return columns.result(mixture, best, upper, Status.INACCURATE)


class _Columns:
    """Policies within the radius, with their gain and what they move each cost by; the first is old."""

    def __init__(self, mdp: FiniteMDP, q: Quantities, problem: TrustRegion, limits: Mapping[str, float]) -> None:
        self.mdp, self.q, self.problem, self.limits = mdp, q, problem, dict(limits)
        self.names = tuple(limits)
        self.costs = [q.cost(name) for name in self.names]
        returns = np.array([float(c.expected_return_old) for c in self.costs])
        self.slack = np.array([float(limit) for limit in limits.values()]) - returns
        self.changes: list[np.ndarray] = []
        self.gains: list[float] = []
        self.moves: list[np.ndarray] = []
        self._add(np.zeros_like(np.asarray(q.old)))

    def _add(self, change: np.ndarray) -> None:
        weighted = np.asarray(self.q.visitation_old)[:, None] * change
        self.changes.append(change)
        self.gains.append(float((weighted * self.q.advantage).sum()))
        self.moves.append(np.array([float((weighted * c.advantage).sum()) for c in self.costs]))

    def price(self, weight: float, prices: np.ndarray) -> float:
        """An upper bound on the gain of the reward weight · r − Σ ν c within the radius; the policy that has it is added."""
        reward = weight * self.q.reward - sum(p * c.reward for p, c in zip(prices, self.costs, strict=True))
        found = update_step(self.mdp, self.q.replace(reward=reward), self.problem)
        self._add(np.asarray(found.change))
        return float(found.upper_bound)

    def start(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Columns of which some mixture meets the limits; else the prices that prove that none does, and the recovery step."""
        if (self.slack >= 0).all():
            return None
        unit = np.eye(len(self.names))
        falls = np.array([self.price(0.0, row) for row in unit])
        scale = np.where(falls > 0, falls, 1.0)
        least, best = -np.inf, unit[0]
        mixture = np.ones(1)
        for _ in range(_ROUNDS):
            mixture, weights, excess = self._least_excess(scale)
            if excess <= 0:
                return None
            prices = weights / scale
            bound = -self.price(0.0, prices) - float(prices @ self.slack)
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

    def result(self, mixture: np.ndarray, prices: np.ndarray, upper: float, status: Status) -> ConstrainedUpdate:
        """The mixture as a policy."""
        change = sum(w * part for w, part in zip(mixture, self.changes, strict=False))
        policy = np.maximum(np.asarray(self.q.old) + change, 0.0)
        named = {name: float(price) for name, price in zip(self.names, prices, strict=True)}
        q = compare(self.mdp, self.q.old, policy)
        return ConstrainedUpdate(self.problem, self.limits, policy, named, upper, status, q)


def _linear_program(cost: np.ndarray, rows: np.ndarray, limits: np.ndarray, bounds: Any) -> Any:
    """Minimise cost · x subject to rows x ≤ limits, the weights of the columns (those bounded by 1) adding up to 1."""
    import scipy.optimize  # pyright: ignore[reportMissingTypeStubs] - SciPy has no stubs

    solver: Any = scipy.optimize
    shares = np.array([[1.0 if high == 1 else 0.0 for _, high in bounds]])
    options = {"primal_feasibility_tolerance": _TOLERANCE, "dual_feasibility_tolerance": _TOLERANCE}
    return solver.linprog(
        cost, A_ub=rows, b_ub=limits, A_eq=shares, b_eq=[1.0], bounds=bounds, method="highs-ds", options=options
    )


def _check(mdp: FiniteMDP, problem: Any, limits: Any) -> None:
    if mdp.batch_shape:
        raise InvalidInput(got=f"a batch of MDPs, {mdp.batch_shape}", wanted="one MDP", fix="loop over the batch")
    if not isinstance(problem, TrustRegion):
        raise InvalidInput(got=f"{problem!r} with limits on costs", wanted="a trust region", fix="pass MeanKL(0.01)")
    if isinstance(problem.delta, Certified):
        raise InvalidInput(got=f"{problem!r} with limits on costs", wanted="a radius that is a number", fix="pass 0.01")
    if not isinstance(limits, Mapping) or not limits:
        raise InvalidInput(got=f"limits = {limits!r}", wanted="a limit a cost", fix='write {"fuel": 3.0}')
    named: Mapping[Any, Any] = limits  # pyright: ignore[reportUnknownVariableType]
    for name, limit in named.items():
        if name not in mdp.costs:
            known = ", ".join(mdp.costs) or "an MDP with costs"
            raise InvalidInput(got=f"a limit on the cost {name!r}", wanted=known, fix="name a cost of the MDP")
        if not is_real(limit) or not np.isfinite(float(limit)):
            raise InvalidInput(got=f"the limit {limit!r} of {name!r}", wanted="a finite number", fix="write 3.0")
