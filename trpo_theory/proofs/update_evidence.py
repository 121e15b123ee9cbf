"""Evidence of kind "update-gap": the optimum of an update problem on one MDP, between two proved ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory._outward import Toward, float_toward
from trpo_theory.bounds.record import Claim
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.io.evidence_files import (
    Fields,
    ReadFields,
    evidence_fields,
    exact_content,
    exact_rows,
    number_text,
    rounded,
    sentence_text,
)
from trpo_theory.io.files import mdp_fields
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics.ball import rationals, raw
from trpo_theory.numerics.ball.raw import arb, fmpq, fraction
from trpo_theory.proofs.certified_file import Certificate, differing, not_proved, remarks
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.update_costs import enclosed_costs, limited_ends, read_limits, sentence
from trpo_theory.proofs.update_ends import EnclosedRow, ExactProblem, Reduction
from trpo_theory.proofs.update_rows import BITS, check_size, rows_and_return
from trpo_theory.step.exact import ExactInstance

KIND = "update-gap"
_SOURCE = 'docs/theory.md, "Certificates"'
_STATEMENTS = {
    Reduction.PENALTY: r"\max_{\tilde\pi} L_\pi(\tilde\pi) - \eta(\pi) - C D_{\mathrm{KL}}^{\max}(\pi, \tilde\pi)",
    Reduction.MAX: r"\max_{\tilde\pi} L_\pi(\tilde\pi) - \eta(\pi) : D_{\mathrm{KL}}^{\max}(\pi, \tilde\pi) \le \delta",
    Reduction.MEAN: r"\max_{\tilde\pi} L_\pi(\tilde\pi) - \eta(\pi) : \bar D_{\mathrm{KL}}(\pi, \tilde\pi) \le \delta",
    Reduction.REVERSE_MAX_CHI2: r"\max_{\tilde\pi} L_\pi(\tilde\pi) - \eta(\pi) : "
    r"\max_s \chi^2(\tilde\pi_s, \pi_s) \le \delta",
    Reduction.REVERSE_MEAN_CHI2: r"\max_{\tilde\pi} L_\pi(\tilde\pi) - \eta(\pi) : "
    r"\sum_s d_\pi(s) \chi^2(\tilde\pi_s, \pi_s) \le \delta",
}
_LIMITED = r",\; L_c(\tilde\pi) \le \ell_c"
_SENTENCES = {
    Reduction.PENALTY: "the maximum of L_old(new) - eta(old) - {amount} max-KL(old, new)",
    Reduction.MAX: "the maximum of L_old(new) - eta(old) subject to max-KL(old, new) <= {amount}",
    Reduction.MEAN: "the maximum of L_old(new) - eta(old) subject to mean-KL(old, new) <= {amount}",
    Reduction.REVERSE_MAX_CHI2: "the maximum of L_old(new) - eta(old) subject to max-chi2(new, old) <= {amount}",
    Reduction.REVERSE_MEAN_CHI2: "the maximum of L_old(new) - eta(old) subject to mean-chi2(new, old) <= {amount}",
}


@dataclass(frozen=True)
class ProvedOptimum:
    """What an update-gap file proves: the optimum of the problem lies between lower and upper, and new attains lower.

    Where new is over its constraint by a rounding error, new moved towards old by at most 2⁻³⁰ attains lower.
    """

    problem: ExactProblem
    states: int
    actions: int
    grouped: bool
    lower: Fraction
    upper: Fraction
    limits: tuple[Fraction, ...] = ()

    @property
    def theorem(self) -> str:
        """The sentence."""
        gamma, amount = (sentence_text(fraction(x)) for x in (self.problem.gamma, self.problem.amount))
        among = "policies that share rows by groups" if self.grouped else "all policies"
        return (
            f"for the MDP of this file ({self.states} states, {self.actions} actions, gamma = {gamma}) and its policy old, "
            f"{_SENTENCES[self.problem.reduction].format(amount=amount)}{sentence(self.limits)}, among {among}, "
            f"is at least {number_text(self.lower)} and at most {number_text(self.upper)}"
        )

    @property
    def words(self) -> dict[str, str]:
        """The fields of the head that are not numbers."""
        statement = _STATEMENTS[self.problem.reduction] + (_LIMITED if self.limits else "")
        return {"statement": statement, "theorem": self.theorem, "source": _SOURCE}


def update_evidence(
    mdp: FiniteMDP | None,
    step: ReadFields,
    *,
    reduction: Reduction,
    amount: Fraction,
    multiplier: np.ndarray,
    groups: np.ndarray | None,
    limited: ReadFields | None = None,
) -> Fields:
    """The fields of an update-gap file.

    Args:
        mdp: the MDP, for its labels.
        step: the MDP as the proof has it, dense, with old and new: `transition`, `reward`, `gamma`, `initial`, `available`,
            `old`, `new`; arrays of floats or of fractions, new of fractions, since floats may not tell it from old.
        reduction: the problem.
        amount: its coefficient or its radius.
        multiplier: λ of each row of the class, (G,).
        groups: one integer a state, or None.
        limited: `costs`, (S, A, K), `limits` and `prices`, where costs have limits.

    Raises:
        InvalidInput: without an MDP, or for one that is too large for balls.
        NotSolved: where new is over its constraint by more than 2⁻³⁰.
    """
    if mdp is None:
        raise InvalidInput(
            got="an update of a surrogate alone", wanted="one of update(mdp, ...)", fix="pass the MDP to update"
        )
    check_size(mdp.states, mdp.actions)
    kept = (item for item in mdp_fields(mdp).items() if item[0] != "costs" and not item[0].startswith("transition"))
    content: Fields = dict(kept)
    content |= {name: _rows(step[name], mask) for name, mask in (("transition", step["available"]), ("initial", None))}
    content |= {"reward": step["reward"], "gamma": number_text(step["gamma"]), "new": step["new"].tolist()}
    # new is old and a change that may be smaller than the rounding of a decimal: old is the rationals that it was made from
    content["old"] = rationals.rows(rationals.fractions(step["old"], "old"), "old").tolist()
    content |= {} if groups is None else {"groups": groups}
    content |= {"problem": str(reduction), amount_name(reduction): number_text(amount)}
    content["multiplier"] = multiplier
    content |= limited or {}
    proved = prove_optimum(exact_content(content))
    return evidence_fields(KIND, **proved.words, enclosure=(proved.lower, proved.upper), content=content)


def _rows(array: np.ndarray, where: np.ndarray | None) -> Any:
    """Rows of probabilities that sum to 1 exactly; those of rationals over their sum."""
    return rationals.rows(array, "a row", where) if array.dtype == object else exact_rows(array, where)


def certify_update_gap(fields: ReadFields, claims: Iterable[Claim] | None) -> Certificate:
    """Prove an update-gap file again, and compare every field of its head.

    Raises:
        InvalidInput: for fields that are no such file.
    """
    try:
        proved = prove_optimum(fields)
    except NotSolved as error:
        return not_proved(KIND, str(fields["problem"]), "optimum", error)
    ends = (proved.lower, proved.upper)
    reduction = proved.problem.reduction
    unread = {amount_name(other) for other in Reduction} - {amount_name(reduction)}
    unread |= {"costs"} if not proved.limits else set()
    more = (f"the file has {name!r}, which says nothing of {reduction}" for name in sorted(unread & fields.keys()))
    return Certificate(
        kind=KIND,
        id=str(reduction),
        theorem=proved.theorem,
        verdict=Outcome.PROVED,
        wanted=Outcome.PROVED,
        number="optimum",
        enclosure=f"[{number_text(ends[0])}, {number_text(ends[1])}]",
        disagreements=(*differing(fields, {**proved.words, "enclosure": ends}), *more),
        notes=remarks(fields, proved.words),
        details={
            "problem": str(reduction),
            "gamma": float(fraction(proved.problem.gamma)),
            amount_name(reduction): float(fraction(proved.problem.amount)),
            "objective": float_toward(ends[0], Toward.DOWN),
            "upper_bound": float_toward(ends[1], Toward.UP),
        },
    )


def prove_optimum(fields: ReadFields) -> ProvedOptimum:
    """The ends of the optimum, from the MDP, the policies and the multipliers: A and ρ are enclosed again.

    Raises:
        InvalidInput: for fields that are no such problem: negative multipliers, rows that differ within a group.
        NotSolved: where the ends are not finite, or new is over its constraint by more than 2⁻³⁰.
    """
    reduction = _reduction(fields)
    amount = rationals.amount(fields.get(amount_name(reduction)), amount_name(reduction))
    rationals.discount(fields.get("gamma"))
    instance = ExactInstance.from_fields(fields)
    _check_labels(fields, instance)
    problem = ExactProblem(reduction, raw.raw(amount), raw.raw(instance.gamma))
    rows = _exact_rows(instance)
    limits, prices = read_limits(fields, instance.costs)
    if limits and reduction is Reduction.PENALTY:
        raise InvalidInput(got="a penalty with limits on costs", wanted="a radius", fix="leave out limits and prices")
    costs = enclosed_costs(_step(instance), np.asarray(instance.costs), limits, prices) if limits else []
    with raw.precision(BITS):
        multipliers = _multipliers(fields, len(rows))
        lower, upper = limited_ends(problem, rows, multipliers, costs)
        if lower > upper:
            raise NotSolved("got a lower end above the upper one, which cannot be; please report the file")
        ends = _end(lower, "lower"), _end(upper, "upper")
    return ProvedOptimum(problem, instance.states, instance.actions, instance.groups is not None, *ends, tuple(limits))


def _check_labels(fields: ReadFields, instance: ExactInstance) -> None:
    """Refuse names of states or actions that are not as many distinct texts as there are: they are shown, not proved."""
    for name, size in (("state_labels", instance.states), ("action_labels", instance.actions)):
        labels = fields.get(name, [str(i) for i in range(size)])
        if not isinstance(labels, list) or not len(labels) == size == len(
            {repr(one) for one in labels if _is_label(one)}
        ):
            raise InvalidInput(
                got=f"{name} = {rationals.shown(labels)}",
                wanted=f"{size} distinct texts",
                fix=f"correct {name}, or leave them out",
            )


def _is_label(value: object) -> bool:
    """Whether it is a text, or, of a joint action, a list of texts."""
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _end(ball: arb, side: str) -> Fraction:
    if not ball.is_finite():
        raise NotSolved("got an update whose gap is infinite; wanted a finite one; fix: solve with Dual()")
    return rounded(fraction(raw.end(ball, side)), Toward.DOWN if side == "lower" else Toward.UP)


def _reduction(fields: ReadFields) -> Reduction:
    name = fields.get("problem")
    if name not in tuple(Reduction):
        raise InvalidInput(
            got=f"problem = {rationals.shown(name)}", wanted=f"one of {', '.join(Reduction)}", fix="name the problem"
        )
    return Reduction(name)


def amount_name(reduction: Reduction) -> str:
    """The field of a problem's coefficient or radius."""
    return "coefficient" if reduction is Reduction.PENALTY else "delta"


def _exact_rows(instance: ExactInstance) -> list[EnclosedRow]:
    """The rows of the class, from the file's own numbers."""
    return rows_and_return(**_step(instance))[0]


def _step(instance: ExactInstance) -> dict[str, Any]:
    names = ("gamma", "transition", "reward", "initial", "available", "old", "new", "groups")
    return {name: getattr(instance, name) for name in names}


def _multipliers(fields: ReadFields, rows: int) -> list[fmpq]:
    numbers = rationals.fractions(fields.get("multiplier"), "multiplier", (rows,))
    if (numbers < 0).any():
        raise InvalidInput(got="a negative multiplier", wanted="multipliers of 0 or more", fix="set it to 0")
    return [raw.raw(rationals.amount(number, f"multiplier[{row}]")) for row, number in enumerate(numbers)]
