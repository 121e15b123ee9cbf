"""`UpdateSolution`: a policy with its certificate, which recomputes its own numbers from the definitions."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics.layout import batch_first
from trpo_theory.solve.evaluation import evaluate
from trpo_theory.solve.settings import PLAIN, Returns
from trpo_theory.updates.penalties import penalty_at
from trpo_theory.updates.problems import Penalty, Problem, TrustRegion
from trpo_theory.updates.reduction import MAX, MEAN, Reduction
from trpo_theory.updates.rows.divergence import RowDivergence
from trpo_theory.updates.rows.forward_kl import FORWARD_KL
from trpo_theory.updates.rows.reverse_chi2 import REVERSE_CHI2
from trpo_theory.updates.rows.reverse_kl import REVERSE_KL
from trpo_theory.updates.rows.total_variation import TOTAL_VARIATION
from trpo_theory.updates.solvers.protocol import Solver
from trpo_theory.updates.status import Status
from trpo_theory.updates.surrogate import Surrogate

Values = np.ndarray | float
"""A number an instance: an array (*batch) of a batch, a float of one instance."""

_FEASIBLE_RTOL = 1e-9
"""How far over δ, relatively, a recomputed divergence may be: chosen above its rounding in the rarest rows, some 1e-10."""

_LEAST_RADIUS = 1e-300
"""How far over δ absolutely: chosen next to the least float, so that δ = 0 may be met up to underflow."""

_ROUNDINGS = 128
"""Roundings of size ε in a gap: of Σ ρ Σ_a |change| |A| some 64 (sums over states and actions), and as many for the terms of
the multipliers."""


_STATIONARY = 1e-3
"""Of an update's rounding, itself a bound on hundreds of roundings: an upper bound below this share is none but rounding."""

_LEAST_GAIN = 1e-300
"""Next to the least float: where the rounding is 0, so is such a gain."""

_KNOWN_RTOL = 1e-6
"""Of an upper bound, what A and ρ may be off by where no better ones are to be had. Chosen: six digits of the gain."""

_UNKNOWN = (
    "floats cannot tell A or rho of these returns any better: upper_bound and gap include what they may be off by"
)
"""Advice where no proof in balls is to be had."""

_NOTHING = 1e-13
"""An upper bound up to this share of Σ ρ max|A| says that there is nothing to gain: chosen, some hundred roundings of A, as where
old is the best policy and some actions tie."""


@dataclass(frozen=True, eq=False, repr=False)
class UpdateSolution:
    """An update, (*batch) or of one instance; arrays have the batch first.

    Attributes:
        problem, solver: what was solved, by what.
        returns: what the returns of the MDP sum.
        change: new − old, (*batch, S, A): exact where new itself rounds to old; new/old − 1 is change/old.
        multiplier: λ of each row of the policy, by which upper_bound is proved, (*batch, G).
        upper_bound: on the objective of every policy of the class, (*batch).
        data_error: how much of upper_bound is due to the errors of A, ρ and γ, and to its own rounding, (B,): without it, it
            is that of A and ρ as they were computed.
        rtol: the relative gap up to which the answer passes as optimal.
    """

    problem: Problem
    solver: Solver
    surrogate: Surrogate = field(repr=False)
    change_rows: np.ndarray
    new_rows: np.ndarray
    multiplier_rows: np.ndarray
    upper: np.ndarray
    data_error: np.ndarray
    rtol: float
    mdp: FiniteMDP | None = None
    returns: Returns = PLAIN
    note: str = ""
    forced_status: Status | None = None

    def _shaped(self, value: np.ndarray) -> Values:
        value = value.reshape(self.surrogate.batch_shape)
        return value if self.surrogate.batch_shape else float(value)

    @cached_property
    def expected_return_old(self) -> Values:
        """η(old), where the MDP is known."""
        return self._return(self.surrogate.policy_rows(self.surrogate.old))

    @cached_property
    def expected_return_new(self) -> Values:
        """η(new), evaluated, where the MDP is known."""
        return self._return(self.policy)

    def _return(self, policy: np.ndarray) -> Values:
        if self.mdp is None:
            raise InvalidInput(
                got="a solution of a surrogate alone",
                wanted="one of update(mdp, ...)",
                fix="evaluate(mdp, solution.policy)",
            )
        return evaluate(self.mdp, policy, **self.returns._asdict()).expected_return

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
        return batch_first(self.multiplier_rows).reshape(*self.surrogate.batch_shape, -1)

    def measured(self, divergence: RowDivergence, reduction: Reduction) -> Values:
        """A divergence of new from old, recomputed from its definition and the change."""
        return self._shaped(self._reduced(divergence, reduction))

    def _reduced(self, divergence: RowDivergence, reduction: Reduction) -> np.ndarray:
        weight = self.surrogate.complement * self.surrogate.visitation
        return reduction.reduce(self._divergence_rows(divergence), weight)

    def _divergence_rows(self, divergence: RowDivergence) -> np.ndarray:
        if divergence not in self._measured_rows:
            rows = divergence.measure(self.surrogate.old, self.new_rows, self.change_rows)
            self._measured_rows[divergence] = rows
        return self._measured_rows[divergence]

    @cached_property
    def _measured_rows(self) -> dict[RowDivergence, np.ndarray]:
        return {}

    @property
    def max_kl(self) -> Values:
        """max_s KL(old_s‖new_s), from the change."""
        return self.measured(FORWARD_KL, MAX)

    @property
    def mean_kl(self) -> Values:
        """Σ_s d_old(s) KL(old_s‖new_s), from the change."""
        return self.measured(FORWARD_KL, MEAN)

    @property
    def reverse_max_kl(self) -> Values:
        """max_s KL(new_s‖old_s), from the change."""
        return self.measured(REVERSE_KL, MAX)

    @property
    def reverse_mean_kl(self) -> Values:
        """Σ_s d_old(s) KL(new_s‖old_s), from the change."""
        return self.measured(REVERSE_KL, MEAN)

    @property
    def reverse_max_chi2(self) -> Values:
        """max_s χ²(new_s‖old_s), from the change."""
        return self.measured(REVERSE_CHI2, MAX)

    @property
    def reverse_mean_chi2(self) -> Values:
        """Σ_s d_old(s) χ²(new_s‖old_s), from the change."""
        return self.measured(REVERSE_CHI2, MEAN)

    @property
    def max_tv(self) -> Values:
        """max_s TV(old_s, new_s)."""
        return self.measured(TOTAL_VARIATION, MAX)

    @cached_property
    def _gain(self) -> np.ndarray:
        """Σ ρ Σ_a change A: centred by the mean of A under old, since Σ_a change = 0."""
        surrogate = self.surrogate
        centred = np.where(surrogate.available, surrogate.centred, 0.0)
        return (surrogate.visitation * (self.change_rows * centred).sum(0)).sum(0)

    @property
    def surrogate_gain(self) -> Values:
        """L_old(new) − η(old)."""
        return self._shaped(self._gain)

    @property
    def penalty(self) -> Values:
        """The penalty of this step; 0 for the constrained problems."""
        return self._shaped(self._penalty)

    @cached_property
    def _penalty(self) -> np.ndarray:
        if not isinstance(self.problem, Penalty):
            return np.zeros(self._gain.shape)
        held = self._reduced(self.problem.divergence, self.problem.reduction)
        penalty = np.asarray(penalty_at(self.surrogate, self.problem, held))
        if self.problem.coupled:
            spread = self.surrogate.spread(self.change_rows)
            penalty = np.where(spread > 0, penalty * spread, np.where(np.isfinite(penalty), 0.0, np.inf))
        return penalty

    @property
    def objective(self) -> Values:
        """The gain over standing still: surrogate gain minus penalty."""
        return self._shaped(self._gain - self._penalty)

    @property
    def upper_bound(self) -> Values:
        """What no policy of the class can exceed on the MDP as given, from the multipliers; errors of A and ρ are included."""
        return self._shaped(self.upper)

    @property
    def gap(self) -> Values:
        """upper_bound − objective: how much better any policy can be."""
        return self._shaped(self.upper - (self._gain - self._penalty))

    @property
    def relative_gap(self) -> Values:
        """The gap over the upper bound; 0 where both vanish."""
        gap = self.upper - (self._gain - self._penalty)
        return self._shaped(np.where(gap == 0, 0.0, gap / np.where(self.upper > 0, self.upper, np.inf)))

    @property
    def rounding(self) -> Values:
        """What float error can make of the gap: _ROUNDINGS ε (Σ ρ Σ_a |change| |A| + penalty)."""
        surrogate = self.surrogate
        size = (surrogate.visitation * (np.abs(self.change_rows) * np.abs(surrogate.advantage)).sum(0)).sum(0)
        return self._shaped(_ROUNDINGS * np.finfo(np.float64).eps * (size + np.abs(self._penalty)))

    @property
    def constraint(self) -> Values | None:
        """The divergence that the problem holds down, recomputed; None for (11)."""
        if isinstance(self.problem, Penalty):
            return None
        return self.measured(self.problem.divergence, self.problem.reduction)

    @property
    def feasible(self) -> np.ndarray | bool:
        """Whether the constraint holds, to relative 1e-9 (a divergence of floats is no better known)."""
        if isinstance(self.problem, TrustRegion):
            spent = self.measured(self.problem.divergence, self.problem.reduction)
            return spent <= self.problem.radius * (1 + _FEASIBLE_RTOL) + _LEAST_RADIUS
        return self.objective > -np.inf

    @cached_property
    def status(self) -> Status:
        """In words: never optimal unless the recomputed gap and feasibility say so.

        The gap is relative to the upper bound. With other returns than discounted ones A and ρ are not known better than floats
        tell: it may also be that share of Σ ρ max|A|, or what they may be off by, up to 1e-6 of the upper bound.
        """
        if self.forced_status is not None:
            return self.forced_status
        surrogate = self.surrogate
        most = (surrogate.visitation * surrogate.largest).sum(0)
        nothing = self._shaped(self.upper) <= _NOTHING * self._shaped(most)
        allowed = np.maximum(self.rtol * np.abs(self.upper_bound), self.rounding)
        if not surrogate.is_discounted:
            unknown = np.minimum(2 * self._shaped(self.data_error), _KNOWN_RTOL * np.abs(self.upper_bound))
            allowed = np.maximum(allowed, np.maximum(self.rtol * self._shaped(most), unknown))
        small = (np.asarray(self.gap) <= allowed) | np.asarray(nothing)
        return Status.OPTIMAL if bool(np.all(small & np.asarray(self.feasible))) else Status.INACCURATE

    @property
    def nothing_left(self) -> bool:
        """Whether no policy of the class gains more than rounding on the surrogate, of A and ρ as they were computed."""
        most = self._shaped(self.upper - self.data_error)
        return bool(np.all(most <= _STATIONARY * np.asarray(self.rounding) + _LEAST_GAIN))

    @property
    def advice(self) -> str:
        """What to do about an answer that is not what its solver promises; "" for one that is."""
        if self.status.solved:
            return ""
        known = np.asarray(self.data_error) <= 0.5 * np.ravel(self.gap)
        return self.solver.advice if self.surrogate.is_discounted or np.any(known) else _UNKNOWN

    def __repr__(self) -> str:
        if self.surrogate.batch_shape:
            return f"UpdateSolution({self.problem}, batch={self.surrogate.batch_shape}, status={self.status.name})"
        return (
            f"UpdateSolution({self.problem}, solver={self.solver}, objective={self.objective:.12g}, gap={self.gap:.1e}, "
            f"max_kl={self.max_kl:.6g}, mean_kl={self.mean_kl:.6g}, status={self.status.name})"
        )
