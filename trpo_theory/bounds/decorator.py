"""`claim`: the decorator that makes a claim of a function."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from trpo_theory._checks import near_matches
from trpo_theory.bounds.formulas import Condition, Formula
from trpo_theory.bounds.record import Claim, Expected
from trpo_theory.errors import InvalidInput

ON_CLAIM: ContextVar[Callable[[Claim], None] | None] = ContextVar("on_claim", default=None)
"""Called with every claim that `claim` makes, while a file is read: a file may give the name of one claim to another."""


def claim(
    id: str,
    *,
    statement: str,
    source: str = "",
    given: Condition | None = None,
    relation: str = ">=",
    expected: Expected = True,
    **details: Any,
) -> Callable[[Formula], Claim]:
    r"""Make a claim of a function that returns its slack.

    Args:
        id: its name, such as "mine/lemma-3".
        statement: in LaTeX.
        source: where it is stated.
        given: the hypotheses, a function of q; the claim is made of the instances where it is true.
        relation: ">=": the claim is slack ≥ 0; "=": slack = 0.
        expected: what is expected of it: False for a claim known to be false; "open" if nobody knows.
        **details: other arguments of `Claim`, but for a proof: a claim of one's own cannot declare itself proved.

    Returns:
        A decorator.

    Raises:
        InvalidInput: for an unknown argument, and as `Claim`.

    >>> @claim("mine/trpo-with-3", statement=r"\eta(\tilde\pi) \ge L - 3\epsilon\gamma\alpha^2/(1-\gamma)^2")
    ... def with_three(q):
    ...     return q.surrogate_gap + 3 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2
    >>> with_three
    Claim('mine/trpo-with-3', expected=True, source='')
    """
    known = sorted({field.name for field in dataclasses.fields(Claim)} - {"id", "formula", "proof"})
    for unknown in sorted(details.keys() - set(known)):
        raise InvalidInput(
            got=f"claim(..., {unknown}=...)",
            wanted="id, " + ", ".join(known),
            fix=f"check the spelling: {near_matches(unknown, known)}",
        )

    def decorate(formula: Formula) -> Claim:
        made = Claim(id, formula, statement, source, given, relation=relation, expected=expected, **details)
        if (note := ON_CLAIM.get()) is not None:
            note(made)
        return made

    return decorate
