"""`Claim`, a statement that is evaluated on instances, and `Bound`, the claim η(new) ≥ L_old(new) − penalty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any, TypeAlias

import numpy as np

from trpo_theory.bounds.checked import BoundCheck, gap_rounding, residual_rounding, shift_rounding
from trpo_theory.bounds.formulas import Condition, Formula, Numbers, Truth
from trpo_theory.bounds.record_checks import CODE, check_fields
from trpo_theory.bounds.setting import InSetting
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.entries.kinds import expect_type
from trpo_theory.errors import InvalidInput, overflow
from trpo_theory.solve.criteria import DISCOUNTED
from trpo_theory.step.posing import guarded, is_allowed
from trpo_theory.step.quantities import Quantities

Expected: TypeAlias = bool | str
"""What the catalogue (or the author) expects of a claim: True, False, or "open" where nobody knows; nothing else."""


@dataclass(frozen=True, eq=False)
class Claim(InSetting):
    """A claim of the literature, of folklore or of one's own: a slack that is ≥ 0 (or = 0) where the hypotheses hold.

    Args:
        id: its name, such as "trpo/tv" or "mine/lemma-3".
        formula: the slack, left side minus right side, as the mathematics of one instance over `Quantities`. It may be an
            array over states (and actions): the claim is then made of each entry. (Of a `Bound`: the penalty.)
        statement: in LaTeX.
        source: where it is stated.
        given: the hypotheses, true where the claim applies; None for always.
        relation: ">=": slack ≥ 0 is claimed; "=": slack = 0.
        expected: what is expected of the claim: True, False, or "open" where nobody knows.
        provenance: how sure the wording is: "S" seen, "M" from memory, "D" derived here, "" for one's own.
        step: makes new from old, `size`, `groups` and `noise`, in any arithmetic, for a claim about an update rule; the
            formula then reads the quantities of that step.
        problem: for a claim about an update problem: the problem of a size (a radius, a coefficient), solved for new by
            the real solver; `step` then gives its exact solution where all states share one row.
        tabular: for a claim with a problem: all policies are allowed (else: classes that share rows).
        sound_for_any_new: for a claim with a problem: a negative slack refutes it whatever new is, solved or not.
        needs: of `record_checks.NEEDS`, the properties that an instance must have for the hypotheses to hold.
        note: what a reader should know of the verdict.
        origin: the file of one's own that it was read from; "" for others.
        proof: of a record of the catalogue, where it is proved on paper; it says nothing of a claim of one's own.
        criterion: what a return sums: "discounted", "episodic" or "average".
        horizon: whether it speaks of runs of q.horizon steps; states are then (t, s), and γ may be 1.
        temperature: whether returns count q.temperature times the entropy.
        costs: names of the further rewards that it reads, as q.cost("name").
        model: whether it reads a second transition, q.model.
        references: whether it reads several policies of the past, q.references and q.weights.
        agents: for a claim about several agents: how many actions each has on the instances that it is tried on, such as
            (2, 2). Policies are then products, q.agents are the numbers, and there are as many joint actions as their product.
        sharp: what is known of how far it could be improved, such as "attained by F1"; "" where nothing is.

    Raises:
        InvalidInput: for an empty id or statement, and a field of another type or value than those.
    """

    id: str
    formula: Formula
    statement: str
    source: str = ""
    given: Condition | None = None
    relation: str = ">="
    expected: Expected = True
    provenance: str = ""
    step: Formula | None = None
    problem: Callable[[float], Any] | None = None
    tabular: bool = True
    sound_for_any_new: bool = False
    needs: frozenset[str] = frozenset()
    note: str = ""
    origin: str = ""
    proof: Theorem | None = None
    _: KW_ONLY
    criterion: str = DISCOUNTED.name
    horizon: bool = False
    temperature: bool = False
    costs: tuple[str, ...] = ()
    model: bool = False
    references: bool = False
    agents: tuple[int, ...] = ()
    sharp: str = ""

    def __post_init__(self) -> None:
        check_fields(self)
        self._check_setting()

    @property
    def instance_needs(self) -> frozenset[str]:
        """What an instance must have for the claim to be read on it: its needs, and what its setting has."""
        return self.needs | self.setting

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """All code of the claim: its formula, its hypotheses and the like."""
        found = (getattr(self, field, None) for field in ("formula", *CODE))
        return tuple(one for one in found if one is not None)

    @property
    def file(self) -> str:
        """The file in which its formula is written; "" where that is not known."""
        return self.origin or getattr(getattr(self.formula, "__code__", None), "co_filename", "")

    @property
    def is_solved(self) -> bool:
        """Whether new is the solution of an update problem that has no closed form: only a solver makes it."""
        return self.problem is not None and self.step is None

    def __call__(self, q: Quantities) -> Numbers:
        """The signed slack."""
        return self.signed_slack(q)

    def signed_slack(self, q: Quantities) -> Numbers:
        """Left side minus right side: claimed to be ≥ 0, or = 0, by the relation."""
        return self.formula(q)

    def gap(self, q: Quantities) -> Numbers:
        """η(new) − L, (*batch), which a slack is compared with; of a `Bound` η(new) minus its centre."""
        return q.surrogate_gap

    def slack(self, q: Quantities) -> Numbers:
        """What is ≥ 0 where the claim holds: the signed slack, of an identity −|signed slack|.

        It is ∞ where the claim says nothing (∞ − ∞).
        """
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            return self.slack_of(self.signed_slack(q), q)

    def slack_of(self, signed: Numbers, q: Quantities) -> Numbers:
        """The slack, of the signed slack in the arithmetic of q."""
        value = q.arithmetic.nan_to_inf(signed)
        return -abs(value) if self.relation == "=" else value

    def met(self, q: Quantities) -> Truth:
        """Whether the hypotheses hold."""
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            met: Truth = True if self.given is None else self.given(q)
            return met if q.criterion is DISCOUNTED else is_allowed(q) & met

    def stepped(self, q: Quantities) -> Quantities:
        """The quantities that the formula reads: in its setting, and of the step's new if it is about an update rule."""
        at = self.posed(q)
        if self.step is None:
            return at
        moved = at.with_new(self.step(at))
        return moved if at.criterion is DISCOUNTED else guarded(moved)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r}, expected={self.expected!r}, source={self.source!r})"


@dataclass(frozen=True, eq=False, repr=False)
class Bound(Claim):
    """A lower bound on the return of a new policy, M = L_old(new) − penalty: the claim η(new) − M ≥ 0.

    Args:
        id: its name, such as "trpo/kl".
        formula: the penalty (not the slack), as the mathematics of one instance over `Quantities`; in discounted reward.
        shift: for a bound that subtracts its penalty from something else than L: that centre minus L. None for 0.
        residual: for a centre that comes of a critic W in the place of V_old, ρ₀·W + ρ_old·δ_W: δ_W, (S, *batch). The gap
            from the centre is then Σ_s (ρ_new − ρ_old) δ_W, without a difference's cancellation.
        small_only: it costs a solve for each state; `check_all` skips it where there are many states.

    The other arguments are those of `Claim`; a bound has relation ">=", and neither a step nor a problem.

    Raises:
        InvalidInput: as `Claim`.
    """

    provenance: str = "D"
    shift: Formula | None = None
    small_only: bool = False
    residual: Formula | None = None
    _: KW_ONLY  # a bound's positional arguments are those above, with id to given, and expected before provenance
    relation: str = ">="
    step: Formula | None = None
    problem: Callable[[float], Any] | None = None
    tabular: bool = True
    sound_for_any_new: bool = False
    needs: frozenset[str] = frozenset()
    note: str = ""
    origin: str = ""
    proof: Theorem | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for field, only in (("relation", ">="), ("step", None), ("problem", None)):
            if getattr(self, field) != only:
                raise InvalidInput(
                    got=f"{field} = {getattr(self, field)!r} for the bound {self.id}",
                    wanted=f"{field} = {only!r}: a bound is a penalty, for every old and new",
                    fix="write a Claim, whose formula is the slack",
                )

    def signed_slack(self, q: Quantities) -> Numbers:
        """η(new) − M = (η(new) − L) − shift + penalty; computed from the gap itself, which keeps its digits for tiny steps."""
        return self.gap(q) + self.penalty(q)

    def penalty(self, q: Quantities) -> Numbers:
        """The penalty, (*batch); ∞ where the bound says nothing: hypotheses that fail, and 0 · ∞ of a divergence."""
        with np.errstate(over="ignore"):
            return self._penalty(q)

    def _penalty(self, q: Quantities) -> Numbers:
        with np.errstate(invalid="ignore", divide="ignore"):
            penalty = self.formula(q)
            if self.given is not None:
                penalty = q.arithmetic.where(self.given(q), penalty, np.inf)
            return q.arithmetic.nan_to_inf(penalty)

    def center(self, q: Quantities) -> Numbers:
        """What the penalty is subtracted from: L_old(new), but for a bound with a shift."""
        return q.surrogate if self.shift is None else q.surrogate + self.shift(q)

    def lower_bound(self, q: Quantities) -> Numbers:
        """M = center − penalty, equation (10)."""
        return self.center(q) - self.penalty(q)

    def ratio(self, q: Quantities, penalty: Numbers) -> Numbers:
        """The share of its penalty that is used, 1 − slack/penalty = (center − η(new))/penalty: at most 1 for a true bound."""
        return 1 - (self.gap(q) + penalty) / penalty

    def check(self, q: Quantities) -> BoundCheck:
        """The bound on this instance, or on each of a batch.

        Raises:
            InvalidInput: for what is no step.
            NotSolved: where its numbers overflow.
        """
        expect_type(Quantities, q, "a step", "pass compare(mdp, old, new)")
        try:
            with np.errstate(over="raise"):
                penalty, gap, center = self._penalty(q), self.gap(q), self.center(q)
                rounding = self.rounding(q)
        except FloatingPointError:
            raise overflow(f"numbers of the bound {self.id}") from None
        if not (np.isfinite(gap).all() and np.isfinite(center).all()):
            raise overflow("eta(new) - L or L")
        return BoundCheck(self.id, penalty, center - penalty, gap + penalty, rounding)

    def rounding(self, q: Quantities) -> Numbers:
        """A bound on the float error of the slack, (*batch)."""
        if self.residual is not None:
            return residual_rounding(q, self.residual(q))
        return gap_rounding(q) if self.shift is None else gap_rounding(q) + shift_rounding(q)

    def gap(self, q: Quantities) -> Numbers:
        """η(new) minus the bound's centre, (*batch), without cancellation."""
        if self.residual is not None:
            return q.sum_s(q.visitation_change * self.residual(q))
        return q.surrogate_gap if self.shift is None else q.surrogate_gap - self.shift(q)
