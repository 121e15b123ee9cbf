"""The gap of an update, proved in ball arithmetic: an upper bound by weak duality, a lower bound by a feasible policy.

`certify_update` proves it for the surrogate as stored: A, ρ and γ are the dyadic rationals that the floats are, and each
row of old and of new is divided by its exact sum. Its evidence file is about the MDP itself: the checker solves it again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.io.evidence_files import Fields, write_evidence
from trpo_theory.model.types import PathLike
from trpo_theory.numerics.ball import raw
from trpo_theory.numerics.ball.raw import fmpq
from trpo_theory.proofs.exact_rows import (
    ExactProblem,
    ExactRow,
    Reduction,
    lower_end,
    normalised,
    rational,
    upper_end,
)
from trpo_theory.proofs.update_evidence import KIND, update_evidence
from trpo_theory.updates.penalties import linear_coefficient
from trpo_theory.updates.problems import MaxKL, MeanKL, Penalty, Problem, TrustRegion
from trpo_theory.updates.solution import UpdateSolution

BITS = 192
"""Of the balls: three times a float's, so that what rounding costs is far below a float's own error."""
_REDUCTIONS: dict[type[Problem], Reduction] = {Penalty: Reduction.PENALTY, MaxKL: Reduction.MAX, MeanKL: Reduction.MEAN}


@dataclass(frozen=True)
class CertifiedGap:
    """What was proved of an update, for the surrogate as stored.

    Attributes:
        objective: a lower bound on the objective of a feasible policy, moved back towards old by at most 2⁻³⁰.
        upper_bound: an upper bound on the objective of every policy of the class.
        precision: bits of the balls.
        solution: the update.
    """

    objective: float
    upper_bound: float
    precision: int
    solution: UpdateSolution = field(repr=False, compare=False)

    @property
    def kind(self) -> str:
        """Of its evidence file."""
        return KIND

    @property
    def gap(self) -> float:
        """How much better any policy can be, at most."""
        return self.upper_bound - self.objective

    @property
    def relative_gap(self) -> float:
        """gap over upper_bound; 0 where both vanish."""
        return self.gap / self.upper_bound if self.upper_bound > 0 else 0.0

    def to_fields(self) -> Fields:
        """The content of its evidence file, proved again for the MDP itself.

        Raises:
            InvalidInput: for an update of a surrogate alone, or an MDP too large for exact rationals.
        """
        solution = self.solution
        reduction, amount = _reduced(solution)
        groups = solution.surrogate.aggregation
        return update_evidence(
            solution.mdp,
            old=solution.surrogate.policy_rows(solution.surrogate.old),
            new=_policy(solution),
            reduction=reduction,
            amount=amount,
            multiplier=solution.multiplier,
            groups=None if groups is None else groups.group,
        )

    def write(self, path: PathLike) -> None:
        """Write the evidence file, all of it or nothing.

        Raises:
            InvalidInput: as `to_fields`; for a name that does not end in .json, or a place that cannot be written.
        """
        write_evidence(self.to_fields(), path)


def certify_update(solution: UpdateSolution, *, precision: int = BITS) -> CertifiedGap:
    """Prove the gap of an `UpdateSolution` of (11), (12) or (13), one instance, in balls of so many bits.

    Raises:
        InvalidInput: for a batch, a sibling problem, or a penalty that is not a coefficient times max-KL.
        NotSolved: for a policy over its constraint by more than 2⁻³⁰.
    """
    surrogate = solution.surrogate
    if type(solution.problem) not in _REDUCTIONS or surrogate.old.shape[2] != 1:
        raise InvalidInput(
            got=f"a solution of {solution.problem}, {surrogate.old.shape[2]} instances",
            wanted="one instance of (11), (12) or (13)",
            fix="certify the instances one at a time; the siblings have float certificates only",
        )
    reduction, amount = _reduced(solution)
    with raw.precision(precision):
        problem = ExactProblem(reduction, rational(amount), rational(surrogate.gamma[0]))
        visited = np.flatnonzero(surrogate.visitation[:, 0] > 0)
        rows = [_row(solution, int(group)) for group in visited]
        multipliers = [rational(value) for value in solution.multiplier_rows[visited, 0]]
        objective = raw.float_ends(lower_end(problem, rows))[0]
        upper = raw.float_ends(upper_end(problem, rows, multipliers))[1]
    return CertifiedGap(objective, upper, precision, solution)


def _reduced(solution: UpdateSolution) -> tuple[Reduction, float]:
    """The problem's reduction, with its coefficient or its radius."""
    problem = solution.problem
    if isinstance(problem, TrustRegion):
        return _REDUCTIONS[type(problem)], problem.delta
    assert isinstance(problem, Penalty)
    linear = linear_coefficient(solution.surrogate, problem)
    if linear is None:
        raise InvalidInput(
            got="a penalty that is not a coefficient times max-KL",
            wanted="a linear one",
            fix="read its float upper_bound",
        )
    return Reduction.PENALTY, float(linear[0])


def _row(solution: UpdateSolution, group: int) -> ExactRow:
    surrogate = solution.surrogate
    usable = np.flatnonzero(surrogate.available[:, group, 0])
    return ExactRow(
        rational(surrogate.visitation[group, 0]),
        normalised([rational(value) for value in surrogate.old[usable, group, 0]]),
        normalised([_probability(solution, int(a), group) for a in usable]),
        [rational(value) for value in surrogate.advantage[usable, group, 0]],
    )


def _probability(solution: UpdateSolution, action: int, group: int) -> fmpq:
    """new(a|s) as old + change, which keeps what new rounds off; where the change is large, new itself."""
    old, change, new = (
        rational(array[action, group, 0]) for array in (solution.surrogate.old, solution.change_rows, solution.new_rows)
    )
    return old + change if abs(change) * 4 < old else new


def _policy(solution: UpdateSolution) -> np.ndarray:
    """New as fractions, (S, A)."""
    rows = np.empty(solution.new_rows.shape[:2], dtype=object)
    for action, group in np.ndindex(rows.shape):
        rows[action, group] = raw.fraction(_probability(solution, action, group))
    total = rows.sum(0)
    groups = solution.surrogate.aggregation
    policy = (rows / total).T
    return policy if groups is None else policy[groups.group]
