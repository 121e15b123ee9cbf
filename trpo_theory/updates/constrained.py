"""A trust-region problem with linear limits on the surrogates of costs, solved with a certificate.

maximise L_old(new) − η(old)  subject to  divergence ≤ δ  and  L_c(new) = J_c(old) + Σ_s ρ_old(s) Ā_c(s) ≤ limit_c for each c

For prices ν ≥ 0 the Lagrangian is the same problem without limits for the reward r − Σ ν_c c, which is solved exactly:
    g(ν) = max_{divergence ≤ δ} (L_{r − ν·c}(new) − η_{r − ν·c}(old)) + Σ_c ν_c (limit_c − J_c(old))
is an upper bound for every ν. Policies so found are mixed by a linear program, whose dual values are the next prices: the column
generation of Dantzig and Wolfe. A mixture keeps the divergence, which is convex in new.
Source: the problem is (10) of Achiam et al. 2017, arXiv:1705.10528, without its linearised objective and quadratic constraint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from trpo_theory._checks import number_between
from trpo_theory.entries.kinds import MAPPING, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import StateAggregation
from trpo_theory.solve.evaluation import evaluate
from trpo_theory.solve.settings import PLAIN, Returns
from trpo_theory.step.quantities import Quantities, compare
from trpo_theory.updates.columns import Columns, moved_by, one_of, size_of
from trpo_theory.updates.data_error import old_policy, return_of_old
from trpo_theory.updates.problems import TrustRegion
from trpo_theory.updates.solution import UpdateSolution, Values
from trpo_theory.updates.solvers.protocol import Solver
from trpo_theory.updates.status import Status
from trpo_theory.updates.surrogate import Surrogate

_ROUNDS = 200
"""Prices tried at most. Measured: some 15 for one cost, 40 for three."""
CONSTRAINED_RTOL = 1e-7
"""The relative gap of an optimum. Chosen: a thousand times the tolerance of the linear program."""
_KEPT = 1e-9
"""What a surrogate of a cost may exceed its limit by, of Σ ρ max|A_c|, and a gap may be of Σ ρ max|A|. Chosen: ten times the
tolerance of the linear program."""
_INSIDE = 1e-9
"""How far a policy whose feasibility is to be proved stays within radius and limits, relatively. Chosen: as `_KEPT`."""
_NOTHING = 1e-8
"""An upper bound up to this share of Σ ρ max|A| says that there is nothing to gain. Chosen: below the gap of an optimum."""

_BADNESS = (Status.OPTIMAL, Status.RECOVERY, Status.INACCURATE, Status.FAILED)
"""The better first: a batch is as bad as its worst."""


@dataclass(frozen=True, eq=False, repr=False)
class ConstrainedUpdate(UpdateSolution):
    """An update under limits on costs: an `UpdateSolution` whose upper_bound is over policies that keep radius and limits.

    Attributes:
        prices: ν_c ≥ 0, (*batch), by which upper_bound is proved; for a recovery step those that prove that nothing meets the
            limits, where upper_bound is −∞.
        status: `OPTIMAL`, `INACCURATE`, or `RECOVERY`: no policy within the radius meets the limits, and the one whose largest
            excess is least is returned, each excess measured in what the radius allows the cost to fall by.
        of_costs: the surrogates of the costs, in the order of the limits.
    """

    prices: Mapping[str, Values] = field(default_factory=dict[str, Values])
    of_costs: tuple[Surrogate, ...] = field(default=(), repr=False)
    costs_old: Mapping[str, Values] = field(default_factory=dict[str, Values])

    @property
    def limits(self) -> Mapping[str, float]:
        """On L_c(new), by the name of the cost."""
        assert isinstance(self.problem, TrustRegion)
        return self.problem.costs or {}

    @cached_property
    def cost_surrogates(self) -> dict[str, Values]:
        """L_c(new), which the limits are on."""
        moved = (moved_by(part, self.change_rows) for part in self.of_costs)
        return {name: self.costs_old[name] + self._shaped(part) for name, part in zip(self.limits, moved, strict=True)}

    @cached_property
    def costs_new(self) -> dict[str, Values]:
        """J_c(new) itself, which Proposition 2 of CPO (`cost/prop-2`) bounds."""
        assert self.mdp is not None
        of_costs = evaluate(self.mdp, self.policy, **self.returns._asdict()).costs
        return {name: of_costs[name].expected_return for name in self.limits}

    @property
    def divergence(self) -> Values | None:
        """What the problem holds down."""
        return self.constraint

    @property
    def feasible(self) -> np.ndarray | bool:
        """Whether radius and limits are kept, to relative 1e-9."""
        kept = np.asarray(super().feasible)
        for within in self._within_limits(self.cost_surrogates):
            kept = kept & within
        return kept if self.surrogate.batch_shape else bool(kept)

    @property
    def nothing_left(self) -> bool:
        """Whether no policy gains more on the surrogate than the tolerance, and old keeps the limits."""
        if self.status is Status.RECOVERY:
            return False
        kept = self._within_limits(self.costs_old)
        return bool(np.all(kept) and np.all(self.upper <= _NOTHING * size_of(self.surrogate)))

    def _within_limits(self, costs: Mapping[str, Values]) -> list[np.ndarray]:
        """Whether each cost keeps its limit, up to its tolerance, (*batch)."""
        room = (_KEPT * np.asarray(self._shaped(size_of(part))) for part in self.of_costs)
        return [costs[name] <= limit + more for more, (name, limit) in zip(room, self.limits.items(), strict=True)]

    def inside(self) -> ConstrainedUpdate:
        """The same with a policy a little within radius and limits: that of the problem with both a little lower.

        Raises:
            InvalidInput: for a recovery step, a batch, or where no policy is within the lower ones.
        """
        assert isinstance(self.problem, TrustRegion)
        sizes = [float(size_of(part)[0]) for part in self.of_costs]
        lower = {name: limit - _INSIDE * size for (name, limit), size in zip(self.limits.items(), sizes, strict=True)}
        problem = replace(self.problem, delta=self.problem.radius * (1 - _INSIDE), costs=lower)
        if self.status is Status.RECOVERY or self.surrogate.batch_shape:
            raise _unproved(self.status)
        assert self.mdp is not None
        found = constrained_step(
            self.mdp,
            self.quantities,
            problem,
            solver=self.solver,
            aggregation=self.surrogate.aggregation,
            returns=self.returns,
        )
        if found.status is Status.RECOVERY:
            raise _unproved(found.status)
        return replace(self, change_rows=found.change_rows, new_rows=found.new_rows)

    @cached_property
    def quantities(self) -> Quantities:
        """Of the step."""
        assert self.mdp is not None
        old = self.surrogate.policy_rows(self.surrogate.old)
        return compare(self.mdp, old, self.policy, **self.returns._asdict())

    def __repr__(self) -> str:
        if self.surrogate.batch_shape:
            return f"ConstrainedUpdate({self.problem}, batch={self.surrogate.batch_shape}, status={self.status.name})"
        return (
            f"ConstrainedUpdate({_plain(self.problem)!r}, objective={self.objective:.6g}, gap={self.gap:.1e}, "
            f"costs={ {name: float(f'{value:.6g}') for name, value in self.cost_surrogates.items()} }, "
            f"status={self.status.name})"
        )


def constrained_update(
    mdp: FiniteMDP, old: Any, problem: TrustRegion, limits: Mapping[str, float], *, rtol: float = CONSTRAINED_RTOL
) -> ConstrainedUpdate:
    """The policy of the largest surrogate within a radius whose costs, linearised at old, keep their limits.

    It is `update(mdp, old, MaxKL(delta, costs=limits))`.

    Args:
        mdp: one MDP with costs, or a batch.
        old: the policy that we stand at, (*batch, S, A); it may exceed the limits.
        problem: `MaxKL(delta)`, `MeanKL(delta)` or another trust region.
        limits: the largest allowed J_c(old) + Σ_s ρ_old(s) Ā_c(s), by the name of the cost.
        rtol: the relative gap up to which the status is optimal.

    Returns:
        A `ConstrainedUpdate`; where no policy within the radius meets the limits, the recovery step, as its status says.

    Raises:
        InvalidInput: for a problem without a radius, or limits that are no numbers of costs of the MDP.

    >>> from trpo_theory.updates import MaxKL
    >>> mdp = FiniteMDP([[[1], [1]]], [[0, 1]], 0.5, costs={"c": [[0, 1]]})
    >>> constrained_update(mdp, [[0.5, 0.5]], MaxKL(0.1), {"c": 1.1})  # doctest: +ELLIPSIS
    ConstrainedUpdate(MaxKL(delta=0.1), objective=0.1, gap=..., costs={'c': 1.1}, status=OPTIMAL)
    """
    if not isinstance(problem, TrustRegion):  # pyright: ignore[reportUnnecessaryIsInstance] - callers need not be typed
        raise InvalidInput(got=f"{problem!r} with limits on costs", wanted="a trust region", fix="pass MeanKL(0.01)")
    expect(MAPPING, limits=limits)
    rtol = number_between(rtol, "rtol", 0.0, 1.0)
    return constrained_step(mdp, compare(mdp, old, old), replace(problem, costs=limits), rtol=rtol)


def constrained_step(
    mdp: FiniteMDP,
    q: Quantities,
    problem: TrustRegion,
    *,
    solver: Solver | None = None,
    aggregation: StateAggregation | None = None,
    rtol: float = CONSTRAINED_RTOL,
    returns: Returns = PLAIN,
) -> ConstrainedUpdate:
    """As `update`, from the quantities of old in the setting of its returns, for a problem with limits on costs.

    Raises:
        InvalidInput: for limits on what is no cost of the MDP, and as `update`.
        NotSolved: likewise.
    """
    limits = problem.costs or {}
    for name in limits:
        if name not in mdp.costs:
            known = ", ".join(mdp.costs) or "an MDP with costs"
            raise InvalidInput(got=f"a limit on the cost {name!r}", wanted=known, fix="name a cost of the MDP")
    known = old_policy(q)
    surrogate = Surrogate.of(q, aggregation, known)
    of_costs = tuple(Surrogate.of(q.cost(name), aggregation) for name in limits)
    returned, missed = (
        np.array(part) for part in zip(*(return_of_old(q.cost(name), known) for name in limits), strict=True)
    )
    plain = _plain(problem)
    parts: list[UpdateSolution] = []
    prices: list[np.ndarray] = []
    for at in range(len(surrogate.gamma)):
        slack = np.array(list(limits.values())) - returned[:, at]
        of_one = [one_of(cost, at) for cost in of_costs]
        columns = Columns(one_of(surrogate, at), of_one, plain, slack, solver, slack_error=missed[:, at])
        found, price = _solved(columns, rtol)
        parts.append(found)
        prices.append(price)
    named = {name: np.array([price[k] for price in prices]) for k, name in enumerate(limits)}
    return _together(
        parts, surrogate, mdp, replace(parts[0], problem=problem, returns=returns), of_costs, named, returned
    )


def _solved(columns: Columns, rtol: float) -> tuple[UpdateSolution, np.ndarray]:
    """The solution of one instance and its prices."""
    recovery = columns.start()
    if recovery is not None:
        prices, mixture = recovery
        return columns.result(mixture, prices, -np.inf, Status.RECOVERY, rtol), prices
    upper, best, mixture = np.inf, np.zeros(len(columns.slack)), np.ones(1)
    status = Status.INACCURATE
    for _ in range(_ROUNDS):
        mixture, prices = columns.mix()
        bound = columns.price(1.0, prices) + float(prices @ columns.most_slack)
        if bound < upper:
            upper, best = bound, prices
        gain = float(mixture @ columns.gains[: len(mixture)])
        most, size = max(abs(upper), abs(gain)), float(size_of(columns.surrogate)[0])
        if upper - gain <= max(rtol * most, _KEPT * size) or most <= _NOTHING * size:
            status = Status.OPTIMAL
            break
    mixture = np.append(mixture, 0.0) if status is Status.OPTIMAL else columns.mix()[0]
    return columns.result(mixture, best, upper, status, rtol), best


def _together(
    parts: list[UpdateSolution],
    surrogate: Surrogate,
    mdp: FiniteMDP,
    first: UpdateSolution,
    of_costs: tuple[Surrogate, ...],
    prices: Mapping[str, np.ndarray],
    returned: np.ndarray,
) -> ConstrainedUpdate:
    """Solutions of single instances as one of the batch; its status is the worst of theirs."""
    shape = surrogate.batch_shape
    names = ("change_rows", "new_rows", "multiplier_rows", "upper", "data_error")
    joined: dict[str, Any] = {n: np.concatenate([getattr(part, n) for part in parts], axis=-1) for n in names}
    worst = max((part.status for part in parts), key=_BADNESS.index)

    def shaped(value: np.ndarray) -> Values:
        return value.reshape(shape) if shape else float(value[0])

    known = {one.name: getattr(first, one.name) for one in fields(UpdateSolution)}
    known |= joined | {"surrogate": surrogate, "mdp": mdp, "forced_status": worst}
    solution = ConstrainedUpdate(
        **known,
        prices={name: shaped(price) for name, price in prices.items()},
        of_costs=of_costs,
        costs_old={name: shaped(returned[k]) for k, name in enumerate(prices)},
    )
    if worst is Status.OPTIMAL and not np.all(solution.feasible):
        return replace(solution, forced_status=Status.INACCURATE)
    return solution


def _unproved(status: Status) -> InvalidInput:
    return InvalidInput(
        got=f"an update whose status is {status.name.lower()}",
        wanted="one instance, of which some policy keeps radius and limits, with 1e-9 of room",
        fix="raise the limits or the radius, or ask for no proof: drop certify_update() or --certify",
    )


def _plain(problem: Any) -> Any:
    """The problem without limits."""
    return replace(problem, costs=None)
