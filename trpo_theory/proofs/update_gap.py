"""The gap of an update, proved in ball arithmetic: an upper bound by weak duality, a lower bound by a feasible policy.

`certify_update` proves it for the MDP itself: A and ρ of old are enclosed by a verified solve, γ, a radius and a coefficient
are the decimals that their floats are written as, all other floats the dyadic rationals that they are, unless they are known
exactly, and each row of probabilities stands over its exact sum. Of a surrogate alone it is proved for A and ρ as stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory._checks import integer
from trpo_theory.entries.kinds import MAPPING, expect, expect_type
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.io.evidence_files import Fields, write_evidence
from trpo_theory.model.types import PathLike
from trpo_theory.numerics.ball import rationals as exactly
from trpo_theory.numerics.ball import raw
from trpo_theory.numerics.ball.raw import arb, fmpq
from trpo_theory.proofs.update_costs import costs_of, limited_ends, limited_fields
from trpo_theory.proofs.update_ends import (
    EnclosedRow,
    ExactProblem,
    Reduction,
    normalised,
    rational,
)
from trpo_theory.proofs.update_evidence import KIND, amount_name, update_evidence
from trpo_theory.proofs.update_rows import BITS, check_size, rows_and_return
from trpo_theory.updates.constrained import ConstrainedUpdate
from trpo_theory.updates.penalties import linear_coefficient
from trpo_theory.updates.problems import (
    MaxKL,
    MeanKL,
    Penalty,
    Problem,
    ReverseMaxChi2,
    ReverseMeanChi2,
    TrustRegion,
)
from trpo_theory.updates.solution import UpdateSolution

_REDUCTIONS: dict[type[Problem], Reduction] = {
    kind: Reduction(kind.name) for kind in (Penalty, MaxKL, MeanKL, ReverseMaxChi2, ReverseMeanChi2)
}


@dataclass(frozen=True)
class CertifiedGap:
    """What was proved of an update, for the MDP itself, or for the surrogate as stored where there is no MDP.

    Attributes:
        objective: a lower bound on the objective of a feasible policy, moved back towards old by at most 2⁻³⁰.
        upper_bound: an upper bound on the objective of every policy of the class.
        precision: bits of the balls.
        solution: the update.
        exact: what is known of it better than its floats, as `certify_update` takes it.
    """

    objective: float
    upper_bound: float
    precision: int
    solution: UpdateSolution = field(repr=False, compare=False)
    exact: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

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
            InvalidInput: for an update of a surrogate alone, or an MDP that is too large for balls.
        """
        solution = self.solution
        reduction, amount = _reduced(solution, self.exact)
        groups = solution.surrogate.aggregation
        step = {} if solution.mdp is None else _step(solution, self.exact)
        return update_evidence(
            solution.mdp,
            step,
            reduction=reduction,
            amount=amount,
            multiplier=solution.multiplier,
            groups=None if groups is None else groups.group,
            limited=limited_fields(solution, step, self.exact),
        )

    def write(self, path: PathLike) -> None:
        """Write the evidence file, all of it or nothing.

        Raises:
            InvalidInput: as `to_fields`; for a name that does not end in .json, or a place that cannot be written.
        """
        write_evidence(self.to_fields(), path)


def certify_update(
    solution: UpdateSolution, *, exact: Mapping[str, Any] | None = None, precision: int = BITS
) -> CertifiedGap:
    """Prove the gap of an `UpdateSolution` of (11), (12), (13) or a chi-square problem, one instance, in balls.

    Nothing of the solution is trusted: that λ ≥ 0, that new is a policy within its constraint and that each ν is above A is
    tested exactly.

    Args:
        solution: the update.
        exact: what is known better than its floats: fields of the MDP and old, as `ExactInstance.from_fields` reads them, and
            the problem's `delta` or `coefficient`. The proof is about these.
        precision: bits of the balls.

    Raises:
        InvalidInput: for a batch, returns of another setting, another sibling problem, a recovery step, a penalty that is not
            a coefficient times max-KL, or an MDP that is too large for balls.
        NotSolved: for a solution that is none: a negative multiplier, a new that is no policy, or one over its constraint by
            more than 2⁻³⁰.
    """
    expect_type(UpdateSolution, solution, "the update", "pass what tt.update(mdp, old, problem) returns")
    expect(MAPPING.or_none, exact=exact)
    precision = integer(precision, "precision", least=2)
    surrogate = solution.surrogate
    if type(solution.problem) not in _REDUCTIONS or surrogate.old.shape[2] != 1:
        raise InvalidInput(
            got=f"a solution of {solution.problem}, {surrogate.old.shape[2]} instances",
            wanted=f"one instance of {', '.join(kind.name for kind in _REDUCTIONS)}",
            fix="certify the instances one at a time; the other siblings have float certificates only",
        )
    if not surrogate.is_discounted:
        raise InvalidInput(
            got="an update with other returns than discounted ones",
            wanted="discounted returns, whose A and rho are enclosed in balls",
            fix="read its float upper_bound, which includes the errors of floats",
        )
    exact = {} if exact is None or solution.mdp is None else dict(exact)
    reduction, amount = _reduced(solution, exact)
    _check_numbers(solution)
    gamma = _gamma(solution, exact)
    problem = ExactProblem(reduction, raw.raw(amount), raw.raw(gamma))
    if isinstance(solution, ConstrainedUpdate):
        solution = solution.inside()
    rows = _stored_rows(solution) if solution.mdp is None else _mdp_rows(solution, exact, precision)
    costs = costs_of(solution, lambda: _step(solution, exact), exact, precision)
    with raw.precision(precision):
        multipliers = [rational(value) for value in solution.multiplier_rows[:, 0]]
        lower, upper = limited_ends(problem, rows, multipliers, costs)
        objective, bound = raw.float_ends(lower)[0], raw.float_ends(upper)[1]
        if lower > upper:
            raise NotSolved("got a lower end above the upper one, which cannot be; please report the MDP and old")
    return CertifiedGap(objective, bound, precision, solution, exact)


def _check_numbers(solution: UpdateSolution) -> None:
    """Refuse multipliers or policies that are not finite, and mass of new on unavailable actions.

    Raises:
        NotSolved: for those.
    """
    arrays = (solution.multiplier_rows, solution.new_rows, solution.change_rows, solution.surrogate.old)
    if not all(np.isfinite(array).all() for array in arrays):
        raise NotSolved("got a solution with entries that are not finite; wanted numbers; fix: solve again")
    stray = ~solution.surrogate.available & ((solution.new_rows != 0) | (solution.change_rows != 0))
    if stray.any():
        raise NotSolved("got a policy with mass on unavailable actions; wanted none; fix: solve again")


def _mdp_rows(solution: UpdateSolution, exact: Mapping[str, Any], bits: int) -> list[EnclosedRow]:
    """The rows of the class from the MDP itself."""
    groups = solution.surrogate.aggregation
    named = None if groups is None else [int(group) for group in groups.group]
    return rows_and_return(**_step(solution, exact), groups=named, bits=bits)[0]


def _gamma(solution: UpdateSolution, exact: Mapping[str, Any]) -> Fraction:
    return exactly.discount(exact.get("gamma", float(solution.surrogate.gamma[0])))


def _step(solution: UpdateSolution, exact: Mapping[str, Any]) -> dict[str, Any]:
    """The MDP, old and new, (S, A): arrays of floats, or all of `Fraction` where some array is known exactly."""
    mdp, surrogate = solution.mdp, solution.surrogate
    assert mdp is not None
    check_size(mdp.states, mdp.actions)
    transition = mdp.transition.toarray().reshape(mdp.states, mdp.actions, -1) if mdp.is_sparse else mdp.transition
    step: dict[str, Any] = {"gamma": _gamma(solution, exact), "transition": transition}
    step |= {name: getattr(mdp, name) for name in ("reward", "initial", "available")}
    step["old"] = surrogate.policy_rows(surrogate.old).reshape(mdp.states, mdp.actions)
    known = {name: value for name, value in exact.items() if name in step and name != "gamma"}
    if not known:
        return step | {"new": _policy(solution)}
    step |= _known(step, known)
    return step | {"new": _policy(solution, step["old"])}


def _known(step: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays of `Fraction`: what is known exactly as it is written, floats as dyadic rationals. Rows of P are not divided."""
    written = {name: exactly.written(known.get(name, value)) for name, value in step.items()}
    arrays = {name: exactly.fractions(written[name], name) for name in ("transition", "initial", "old")}
    arrays = {name: exactly.nonnegative(array, name) for name, array in arrays.items()}
    reward, available = exactly.reward(written["reward"], step["available"], arrays["transition"])
    old = exactly.policy(arrays["old"], "old", available)
    return arrays | {"transition": exactly.select(available, arrays["transition"]), "reward": reward, "old": old}


def _reduced(solution: UpdateSolution, exact: Mapping[str, Any]) -> tuple[Reduction, Fraction]:
    """The problem's reduction, with its coefficient or its radius."""
    problem = solution.problem
    if isinstance(problem, Penalty) and problem.field != "max_kl":
        raise InvalidInput(
            got=f"a penalty of {problem.field}",
            wanted="one of max_kl, the only ones whose gap is proved in balls",
            fix="read its float upper_bound, which holds for the MDP as given",
        )
    reduction = _REDUCTIONS[type(problem)]
    name = amount_name(reduction)
    return reduction, exactly.amount(exact[name] if name in exact else _amount(solution), name)


def _amount(solution: UpdateSolution) -> float:
    """The radius, or the coefficient of a linear penalty."""
    problem = solution.problem
    if isinstance(problem, TrustRegion):
        return problem.radius
    assert isinstance(problem, Penalty)
    linear = linear_coefficient(solution.surrogate, problem)
    if linear is None:
        raise InvalidInput(
            got="a penalty that is not a coefficient times max-KL",
            wanted="a linear one",
            fix="read its float upper_bound",
        )
    return float(linear[0])


def _stored_rows(solution: UpdateSolution) -> list[EnclosedRow]:
    """The rows of a surrogate alone, its floats taken exactly."""
    surrogate = solution.surrogate
    rows = []
    for group in range(surrogate.old.shape[1]):
        usable = np.flatnonzero(surrogate.available[:, group, 0])
        old, advantage = surrogate.old[usable, group, 0], surrogate.advantage[usable, group, 0]
        new = normalised([_probability(solution, int(a), group) for a in usable])
        rows.append(
            EnclosedRow(
                arb(float(surrogate.visitation[group, 0])),
                normalised([rational(value) for value in old]),
                new,
                [arb(float(value)) for value in advantage],
            )
        )
    return rows


def _probability(solution: UpdateSolution, action: int, group: int, old: fmpq | None = None) -> fmpq:
    """new(a|s) as old + change, which keeps what new rounds off; where the change is large, new itself."""
    stored, change, new = (
        rational(array[action, group, 0]) for array in (solution.surrogate.old, solution.change_rows, solution.new_rows)
    )
    old = stored if old is None else old
    return old + change if abs(change) * 4 < old else new


def _policy(solution: UpdateSolution, old: np.ndarray | None = None) -> np.ndarray:
    """New as fractions, (S, A); `old` as fractions (S, A) where it is known better than its floats."""
    groups = solution.surrogate.aggregation
    actions, rows = solution.new_rows.shape[:2]
    group_of = np.arange(rows) if groups is None else groups.group
    if old is None:
        policy = np.array([[_fraction(solution, a, g) for a in range(actions)] for g in range(rows)], dtype=object)
        policy = policy[group_of]
    else:
        made = [[_fraction(solution, a, int(g), p) for a, p in enumerate(old[s])] for s, g in enumerate(group_of)]
        policy = np.array(made, dtype=object)
    return policy / policy.sum(1)[:, None]


def _fraction(solution: UpdateSolution, action: int, group: int, old: Fraction | None = None) -> Fraction:
    return raw.fraction(_probability(solution, action, group, None if old is None else raw.raw(old)))
