"""`UpdateSolution`: a policy with its certificate, which recomputes its own numbers from the definitions."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics.divergence import kl_of_change
from trpo_theory.solve.evaluation import evaluate
from trpo_theory.updates.penalties import penalty_at
from trpo_theory.updates.problems import Penalty, Problem
from trpo_theory.updates.surrogate import Surrogate


class Status(enum.StrEnum):
    """What became of a solve; each says what to do next."""

    OPTIMAL = "optimal"
    INACCURATE = "inaccurate: feasible, but the recomputed gap exceeds the tolerance; use Dual(), or a tighter solver"
    FAILED = "failed: the solver gave no answer, old is returned; use Dual()"
    HEURISTIC = "heuristic: a step that does not solve the problem; its gap says how much it leaves"

    @property
    def solved(self) -> bool:
        """Whether the answer is what was asked for: an optimum, or a step that claims to be none."""
        return self in (Status.OPTIMAL, Status.HEURISTIC)


@dataclass(frozen=True, eq=False, repr=False)
class UpdateSolution:
    """An update, (*batch) or of one instance; arrays have the batch first.

    Attributes:
        problem, solver: what was solved, by what.
        change: new − old, (*batch, S, A): exact where new itself rounds to old; new/old − 1 is change/old.
        multiplier: λ of each row of the policy, by which upper_bound is proved, (*batch, G).
        upper_bound: on the objective of every policy of the class, (*batch).
        rtol: the relative gap up to which the answer passes as optimal.
    """

    problem: Problem
    solver: Any
    surrogate: Surrogate = field(repr=False)
    change_rows: np.ndarray
    new_rows: np.ndarray
    multiplier_rows: np.ndarray
    upper: np.ndarray
    rtol: float
    mdp: FiniteMDP | None = None
    note: str = ""
    forced_status: Status | None = None

    def _shaped(self, value: np.ndarray) -> Any:
        value = value.reshape(self.surrogate.batch_shape)
        return value if self.surrogate.batch_shape else float(value)

    @cached_property
    def expected_return_old(self) -> Any:
        """η(old), where the MDP is known."""
        return self._return(self.surrogate.policy_rows(self.surrogate.old))

    @cached_property
    def expected_return_new(self) -> Any:
        """η(new), evaluated, where the MDP is known."""
        return self._return(self.policy)

    def _return(self, policy: np.ndarray) -> Any:
        if self.mdp is None:
            raise InvalidInput(
                got="a solution of a surrogate alone",
                wanted="one of update(mdp, ...)",
                fix="evaluate(mdp, solution.policy)",
            )
        return evaluate(self.mdp, policy).expected_return

    @cached_property
    def change(self) -> np.ndarray:
        """new − old, (*batch, S, A)."""
        return self.surrogate.policy_rows(self.change_rows)

    @cached_property
    def policy(self) -> np.ndarray:
        """The new policy, (*batch, S, A)."""
        return self.surrogate.policy_rows(self.new_rows)

    @property
    def multiplier(self) -> np.ndarray:
        """λ of each row, (*batch, G), in discounted reward a nat."""
        return np.moveaxis(self.multiplier_rows, 0, -1).reshape(*self.surrogate.batch_shape, -1)

    @cached_property
    def _kl_rows(self) -> np.ndarray:
        return np.asarray(kl_of_change(self.surrogate.old, self.new_rows, self.change_rows)).sum(0)

    @cached_property
    def _reverse_kl_rows(self) -> np.ndarray:
        return np.asarray(kl_of_change(self.new_rows, self.surrogate.old, -self.change_rows)).sum(0)

    def _mean(self, divergence: np.ndarray) -> np.ndarray:
        rho = self.surrogate.visitation
        return ((1 - self.surrogate.gamma) * rho * np.where(rho > 0, divergence, 0.0)).sum(0)

    @property
    def max_kl(self) -> Any:
        """max_s KL(old_s‖new_s), from the change."""
        return self._shaped(self._kl_rows.max(0))

    @property
    def mean_kl(self) -> Any:
        """Σ_s d_old(s) KL(old_s‖new_s), from the change."""
        return self._shaped(self._mean(self._kl_rows))

    @property
    def reverse_max_kl(self) -> Any:
        """max_s KL(new_s‖old_s), from the change."""
        return self._shaped(self._reverse_kl_rows.max(0))

    @property
    def reverse_mean_kl(self) -> Any:
        """Σ_s d_old(s) KL(new_s‖old_s), from the change."""
        return self._shaped(self._mean(self._reverse_kl_rows))

    @property
    def max_tv(self) -> Any:
        """max_s TV(old_s, new_s)."""
        return self._shaped(0.5 * np.abs(self.change_rows).sum(0).max(0))

    @cached_property
    def _gain(self) -> np.ndarray:
        """Σ ρ Σ_a change A: centred by the mean of A under old, since Σ_a change = 0."""
        surrogate = self.surrogate
        centred = surrogate.advantage - (surrogate.old * surrogate.advantage).sum(0)
        return (surrogate.visitation * (self.change_rows * np.where(surrogate.available, centred, 0.0)).sum(0)).sum(0)

    @property
    def surrogate_gain(self) -> Any:
        """L_old(new) − η(old)."""
        return self._shaped(self._gain)

    @property
    def penalty(self) -> Any:
        """The penalty at this max-KL; 0 for the constrained problems."""
        return self._shaped(self._penalty)

    @cached_property
    def _penalty(self) -> np.ndarray:
        if not isinstance(self.problem, Penalty):
            return np.zeros(self._gain.shape)
        return np.asarray(penalty_at(self.surrogate, self.problem, self._kl_rows.max(0)))

    @property
    def objective(self) -> Any:
        """The gain over standing still: surrogate gain minus penalty."""
        return self._shaped(self._gain - self._penalty)

    @property
    def upper_bound(self) -> Any:
        """What no policy of the class can exceed, from the multipliers."""
        return self._shaped(self.upper)

    @property
    def gap(self) -> Any:
        """upper_bound − objective: how much better any policy can be."""
        return self._shaped(self.upper - (self._gain - self._penalty))

    @property
    def relative_gap(self) -> Any:
        """The gap over the upper bound; 0 where both vanish."""
        gap = self.upper - (self._gain - self._penalty)
        return self._shaped(np.where(gap == 0, 0.0, gap / np.where(self.upper > 0, self.upper, np.inf)))

    @property
    def rounding(self) -> Any:
        """What float error can make of the gap: 64 ε Σ ρ Σ_a |change| |A|, and as much again for the multipliers' terms."""
        surrogate = self.surrogate
        size = (surrogate.visitation * (np.abs(self.change_rows) * np.abs(surrogate.advantage)).sum(0)).sum(0)
        return self._shaped(128 * np.finfo(np.float64).eps * (size + np.abs(self._penalty)))

    @property
    def constraint(self) -> Any:
        """The divergence that the problem holds down, recomputed; None for (11)."""
        if isinstance(self.problem, Penalty):
            return None
        return getattr(self, self.problem.name.replace("-", "_"))

    @property
    def feasible(self) -> Any:
        """Whether the constraint holds, to relative 1e-9 (a divergence of floats is no better known)."""
        if isinstance(self.problem, Penalty):
            return self.objective > -np.inf
        return self.constraint <= self.problem.delta * (1 + 1e-9) + 1e-300

    @property
    def status(self) -> Status:
        """In words: never optimal unless the recomputed gap and feasibility say so."""
        if self.forced_status is not None:
            return self.forced_status
        small = np.asarray(self.gap) <= np.maximum(self.rtol * np.abs(self.upper_bound), self.rounding)
        return Status.OPTIMAL if bool(np.all(small & np.asarray(self.feasible))) else Status.INACCURATE

    def __repr__(self) -> str:
        if self.surrogate.batch_shape:
            return f"UpdateSolution({self.problem}, batch={self.surrogate.batch_shape}, status={self.status.name})"
        return (
            f"UpdateSolution({self.problem}, solver={self.solver}, objective={self.objective:.12g}, gap={self.gap:.1e}, "
            f"max_kl={self.max_kl:.6g}, mean_kl={self.mean_kl:.6g}, status={self.status.name})"
        )
