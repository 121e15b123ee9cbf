"""`improve`: an update problem, again and again, with what happened at every step."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.kinds import FUNCTION, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP, expect_mdp
from trpo_theory.model.policy import StateAggregation, uniform
from trpo_theory.solve.control import optimal
from trpo_theory.solve.settings import Returns
from trpo_theory.solve.words import policy_or_named
from trpo_theory.step.posing import is_allowed
from trpo_theory.step.quantities import Quantities, compare, quantities_of
from trpo_theory.updates.applicable import expect_no_price
from trpo_theory.updates.certified_updating import CertifiedUpdate
from trpo_theory.updates.constrained import ConstrainedUpdate
from trpo_theory.updates.problems import Problem, TrustRegion
from trpo_theory.updates.solution import UpdateSolution
from trpo_theory.updates.solvers.protocol import Solver
from trpo_theory.updates.solvers.trpo_step import TRPOStep
from trpo_theory.updates.status import Status
from trpo_theory.updates.updating import update_posed

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs] - pandas has no stubs


_OPTIMAL_RTOL = 1e-12
"""A return this near the optimal one, relative to the largest value, is optimal: some thousand roundings of the two solves."""

_FALL_RTOL = 1e-13
"""A return that falls by less than this, relatively, has not fallen: some hundred roundings of its own solve."""

_OVER = 1e-9
"""By more than this, relatively, a cost exceeds its limit: what a surrogate may, ten times a linear program's tolerance."""

_LEAST_FALL = 1e-6
"""Of the largest excess over a limit, relative: recovery steps that lower it by less end. Chosen: such ones lead nowhere."""


class Reason(enum.StrEnum):
    """Why an iteration ended."""

    STEPS = "all steps done"
    OPTIMAL = "the policy is optimal: its return is that of policy iteration, to rounding"
    STATIONARY = "no policy of the class gains more than rounding on the surrogate"
    UNCERTIFIED = "no further step of this problem is certified by the bound"
    INFEASIBLE = "no policy within the radius meets the limits on costs, and the recovery step brings them no nearer"
    NO_RETURN = (
        "the next policy has no return by the criterion, as it may never end, or has several closed classes of states"
    )
    FAILED = "the solver gave no answer to the last update, which left the policy as it was; try another solver"


@dataclass(frozen=True)
class Step:
    """One update: returns in discounted reward, divergences in nats.

    Attributes:
        index: from 0.
        expected_return: η of the new policy.
        surrogate: L_old(new).
        max_kl, mean_kl: KL(old‖new).
        reverse_max_chi2: max_s χ²(new_s‖old_s).
        objective, gap: of the problem, with its certificate.
        status: "optimal", or in words.
        radius: of the update, in the unit of its divergence; None for (11).
        promise: what the bound of a certified radius promises of it; None for other radii.
        costs: J_c(new) of each cost that has a limit; the limit is on its surrogate, which J_c may exceed.
    """

    index: int
    expected_return: float
    surrogate: float
    max_kl: float
    mean_kl: float
    reverse_max_chi2: float
    objective: float
    gap: float
    status: str
    radius: float | None = None
    promise: float | None = None
    costs: Mapping[str, float] | None = None


@dataclass(frozen=True, eq=False)
class Trace:
    """What `improve` returns: the steps, the first return and the last policy, and why it ended."""

    problem: Problem | TRPOStep
    initial_return: float
    steps: tuple[Step, ...]
    policy: np.ndarray
    reason: Reason

    @property
    def expected_return(self) -> float:
        """η of the last policy."""
        return self.steps[-1].expected_return if self.steps else self.initial_return

    @property
    def exceeded(self) -> int:
        """After how many steps a cost exceeded its limit, by more than rounding: limits hold for the surrogates of costs."""
        limits = (self.problem.costs or {}) if isinstance(self.problem, TrustRegion) else {}
        over = (
            any(step.costs[n] - limit > _OVER * max(abs(limit), 1.0) for n, limit in limits.items())
            for step in self.steps
            if step.costs
        )
        return sum(over)

    @property
    def decreases(self) -> int:
        """How many steps lowered η, by more than rounding."""
        returns = [self.initial_return, *(step.expected_return for step in self.steps)]
        falls = (before - after > _FALL_RTOL * max(abs(before), 1.0) for before, after in pairwise(returns))
        return sum(falls)

    def to_frame(self) -> pd.DataFrame:
        """One row a step."""
        import pandas as pd  # pyright: ignore[reportMissingTypeStubs] - pandas has no stubs

        return pd.DataFrame([vars(step) for step in self.steps])

    def __repr__(self) -> str:
        return (
            f"Trace({self.problem}, steps={len(self.steps)}, expected_return={self.initial_return:.10g} -> "
            f"{self.expected_return:.10g}, decreases={self.decreases}, reason={self.reason.name})"
        )


def improve(
    mdp: FiniteMDP,
    problem: Problem | TRPOStep,
    steps: int,
    *,
    old: Any = None,
    solver: Solver | None = None,
    aggregation: StateAggregation | None = None,
    advance: Callable[[], None] = lambda: None,
    criterion: str | None = None,
    horizon: int | None = None,
    temperature: float | None = None,
) -> Trace:
    """Iterate an update problem from old (uniform, if left out), at most `steps` times.

    Args:
        mdp: one MDP.
        problem: as for `update`.
        steps: how many updates at most.
        old: where to start, (S, A); over a horizon (S, A) or (T, S, A); or "uniform" or "optimal".
        solver: as for `update`.
        aggregation: as for `update`.
        advance: called after each step, for a progress bar.
        criterion: what the returns sum, as for `update`, and so the next two.
        horizon: T; the policy is one for each step after the first update, (T, S, A).
        temperature: 0 or None; a price of entropy is refused.

    Returns:
        A `Trace`; it ends early where the policy is optimal, nothing more than rounding can be gained, no step is certified
        (of a problem with a `Certified` radius: none of its steps lowers η), or the solver fails. An update that is only
        inaccurate is taken, and its step says so; one to a policy without a return by the criterion is not.

    Raises:
        NotSolved: where a solver's answer is no policy.
    """
    steps = _checks.integer(steps, "steps", least=1)
    expect(FUNCTION, advance=advance)
    expect_no_price(temperature)
    returns = Returns(criterion, horizon)
    policy = _start(mdp, old, returns)
    here = _at(mdp, policy, returns)
    highest, largest = _best(mdp, problem, returns)
    first = eta = float(here.expected_return_old)
    rounding = _OPTIMAL_RTOL * max(largest, float(np.abs(np.asarray(here.value)).max()))
    done: list[Step] = []
    reason = Reason.STEPS
    for index in range(steps):
        if eta >= highest - rounding:
            reason = Reason.OPTIMAL
            break
        solution = update_posed(mdp, here, problem, solver=solver, aggregation=aggregation, returns=returns)
        if (ended := _ends_before(solution)) is not None:
            reason = ended
            break
        new = _checks.policy_rows(solution.policy, mdp.available, "new policy")
        if not np.all(is_allowed(here.with_new(new.reshape(np.shape(here.old))))):
            reason = Reason.NO_RETURN
            break
        policy, here, before = new, _at(mdp, new, returns), eta
        eta = float(here.expected_return_old)
        advance()
        done.append(_step(index, eta, float(before + solution.surrogate_gain), solution))
        if solution.status is Status.FAILED:
            reason = Reason.FAILED
            break
    return Trace(problem, first, tuple(done), policy, reason)


def _start(mdp: FiniteMDP, old: Any, returns: Returns) -> np.ndarray:
    expect_mdp(mdp)
    if mdp.batch_shape:
        raise InvalidInput(got=f"a batch {mdp.batch_shape} of MDPs", wanted="one MDP", fix="loop over them")
    old = policy_or_named(old, mdp, "old policy", criterion=returns.criterion, horizon=returns.horizon)
    policy = uniform(mdp.available) if old is None else _checks.policy_rows(old, mdp.available, "old policy")
    if policy.ndim > (2 if returns.horizon is None else 3):
        raise InvalidInput(
            got=f"old policies of shape {policy.shape}", wanted="one policy to start from", fix="loop over them"
        )
    return policy


def _ends_before(solution: UpdateSolution) -> Reason | None:
    """Why an update is not taken, if it is not."""
    if solution.status is Status.UNCERTIFIED:
        return Reason.UNCERTIFIED
    if solution.nothing_left:
        return Reason.STATIONARY
    return Reason.INFEASIBLE if isinstance(solution, ConstrainedUpdate) and _stuck(solution) else None


def _at(mdp: FiniteMDP, policy: np.ndarray, returns: Returns) -> Quantities:
    """The quantities of a policy, from which nothing has moved yet."""
    if all(word is None for word in returns) and np.all(np.asarray(mdp.gamma) < 1):
        return quantities_of(mdp, policy, policy)
    return compare(mdp, policy, policy, **returns._asdict())


def _stuck(solution: ConstrainedUpdate) -> bool:
    """Whether a recovery step brings the costs no nearer to their limits."""
    if solution.status is not Status.RECOVERY:
        return False
    over = [
        [float(costs[name]) - limit for name, limit in solution.limits.items()]
        for costs in (solution.costs_old, solution.cost_surrogates)
    ]
    return max(over[1]) > (1 - _LEAST_FALL) * max(over[0])


def _best(mdp: FiniteMDP, problem: Problem | TRPOStep, returns: Returns) -> tuple[float, float]:
    """The largest return of all policies and the largest |V| of one that has it; ∞ and 0 under limits or where none is found."""
    if isinstance(problem, TrustRegion) and problem.costs is not None:
        return np.inf, 0.0
    try:
        best = optimal(mdp, criterion=returns.criterion, horizon=returns.horizon)
    except InvalidInput:  # the best policy has no return by the criterion, though this one has
        return np.inf, 0.0
    return float(best.expected_return), float(np.abs(best.value).max())


def _step(index: int, expected_return: float, surrogate: float, solution: UpdateSolution) -> Step:
    """The record of one update."""
    return Step(
        index=index,
        expected_return=expected_return,
        surrogate=surrogate,
        max_kl=float(solution.max_kl),
        mean_kl=float(solution.mean_kl),
        reverse_max_chi2=float(solution.reverse_max_chi2),
        objective=float(solution.objective),
        gap=float(solution.gap),
        status=str(solution.status),
        radius=solution.problem.radius if isinstance(solution.problem, TrustRegion) else None,
        promise=solution.promise if isinstance(solution, CertifiedUpdate) else None,
        costs={n: float(c) for n, c in solution.costs_new.items()} if isinstance(solution, ConstrainedUpdate) else None,
    )
