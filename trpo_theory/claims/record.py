"""`Claim`: a statement that can be run. Its slack is written once, over `Quantities`, and the claim is slack ≥ 0 (or = 0)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from trpo_theory.bounds import Bound
from trpo_theory.errors import InvalidInput
from trpo_theory.step.quantities import Quantities

RELATIONS = (">=", "=")
NEEDS = frozenset({"unit-reward", "uniform-old", "optimal-new", "greedy-mixture", "one-row"})
"""What a claim's hypotheses ask of instances that chance seldom brings; the searches then build them in:

unit-reward: r in [0, 1]; uniform-old: old uniform; optimal-new: new an optimal policy; greedy-mixture: new moves towards a
policy that is greedy for A_old; one-row: old the same in all states, which are one group.
"""


@dataclass(frozen=True, eq=False)
class Claim:
    """A claim of the literature, of folklore or of one's own.

    Attributes:
        id: its name, such as "trpo/tv" or "mine/lemma-3".
        formula: the slack, as the mathematics of one instance over `Quantities`. It may be an array over states (and
            actions): the claim is then made of each entry.
        statement: in LaTeX.
        source: where it is stated.
        given: the hypotheses, true where the claim applies; None for always.
        relation: ">=": slack ≥ 0 is claimed; "=": slack = 0.
        expected: True, False, or "open".
        provenance: how sure the wording is: "S" seen, "M" from memory, "D" derived here, "" for one's own.
        step: makes new from old, `size`, `groups` and `noise`, in any arithmetic, for a claim about an update rule; the
            formula then reads the quantities of that step.
        problem: for a claim about an update problem: the problem of a size (a radius, a coefficient), solved for new by
            the real solver; `step` then says what solves it exactly where all states share one row.
        tabular: for a claim with a problem: all policies are allowed (else: classes that share rows).
        sound_for_any_new: for a claim with a problem: a negative slack refutes it whatever new is, solved or not.
        needs: what of `NEEDS` instances must have.
        note: what a reader should know of the verdict.
        origin: the file of one's own that it comes from.
    """

    id: str
    formula: Callable[[Quantities], Any]
    statement: str
    source: str = ""
    given: Callable[[Quantities], Any] | None = None
    relation: str = ">="
    expected: bool | Literal["open"] = True
    provenance: str = ""
    step: Callable[[Quantities], Any] | None = None
    problem: Callable[[float], Any] | None = None
    tabular: bool = True
    sound_for_any_new: bool = False
    needs: frozenset[str] = frozenset()
    note: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        _checked_text(self.id, "id")
        _checked_text(self.statement, "statement")
        if self.relation not in RELATIONS:
            raise InvalidInput(
                got=f"relation = {self.relation!r} for {self.id}",
                wanted='">=" (slack >= 0) or "=" (slack = 0)',
                fix="write the claim as a slack, left side minus right side",
            )
        if not (self.expected == "open" or isinstance(self.expected, bool)):
            raise InvalidInput(
                got=f"expected = {self.expected!r} for {self.id}", wanted='True, False or "open"', fix="change it"
            )
        for name in ("formula", "given", "step"):
            value = getattr(self, name)
            if value is not None and not callable(value):
                raise InvalidInput(
                    got=f"{name} = {value!r} for {self.id}",
                    wanted="a function of the Quantities q",
                    fix=f"write {name}=lambda q: ...",
                )
        if unknown := self.needs - NEEDS:
            raise InvalidInput(got=f"needs {sorted(unknown)}", wanted=f"of {sorted(NEEDS)}", fix="check the spelling")

    def __call__(self, q: Quantities) -> Any:
        """The slack as the formula gives it."""
        return self.formula(q)

    def stepped(self, q: Quantities) -> Quantities:
        """The quantities that the formula reads: of old and the step's new, where the claim is of an update rule."""
        return q if self.step is None else q.with_new(self.step(q))

    def slack(self, q: Quantities) -> Any:
        """What is claimed to be ≥ 0: the formula, ∞ where it says nothing (∞ − ∞); for "=" −|formula|, 0 if it holds."""
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            value = q.arithmetic.nan_to_inf(self.formula(q))
            return -abs(value) if self.relation == "=" else value

    def met(self, q: Quantities) -> Any:
        """Whether the hypotheses hold."""
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            return True if self.given is None else self.given(q)

    def __repr__(self) -> str:
        return f"Claim({self.id!r}, expected={self.expected!r}, source={self.source!r})"


def claim(
    id: str,
    *,
    statement: str,
    source: str = "",
    given: Callable[[Quantities], Any] | None = None,
    relation: str = ">=",
    expected: bool | Literal["open"] = True,
    **details: Any,
) -> Callable[[Callable[[Quantities], Any]], Claim]:
    r"""Make a claim of a function that returns its slack.

    Args:
        id: its name, such as "mine/lemma-3".
        statement: in LaTeX.
        source: where it is stated.
        given: the hypotheses, a function of q; the claim is made of the instances where it is true.
        relation: ">=": the claim is slack ≥ 0; "=": slack = 0.
        expected: False for a claim known to be false; "open" if nobody knows.
        **details: other attributes of `Claim`.

    Raises:
        InvalidInput: for an unknown relation or attribute, or an empty id.

    >>> @claim("mine/trpo-with-3", statement=r"\eta(\tilde\pi) \ge L - 3\epsilon\gamma\alpha^2/(1-\gamma)^2")
    ... def with_three(q):
    ...     return q.surrogate_gap + 3 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2
    >>> with_three
    Claim('mine/trpo-with-3', expected=True, source='')
    """
    known = {field.name for field in dataclasses.fields(Claim)}
    if unknown := details.keys() - known:
        raise InvalidInput(
            got=f"claim(..., {', '.join(sorted(unknown))}=...)",
            wanted="id, " + ", ".join(sorted(known - {"id", "formula"})),
            fix="check the spelling",
        )

    def decorate(formula: Callable[[Quantities], Any]) -> Claim:
        return Claim(
            id, formula, statement, source=source, given=given, relation=relation, expected=expected, **details
        )

    return decorate


def claim_of(bound: Bound) -> Claim:
    """The claim that a bound makes: η(new) − lower_bound ≥ 0."""
    return Claim(
        bound.id,
        bound.slack,
        bound.statement,
        source=bound.source,
        given=getattr(bound, "given", None),
        expected=getattr(bound, "expected", True),
        provenance=getattr(bound, "provenance", ""),
    )


def _checked_text(value: Any, name: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(
            got=f"{name} = {value!r} of a claim", wanted="a text", fix=f'write @claim("mine/lemma-3", {name}="...")'
        )
