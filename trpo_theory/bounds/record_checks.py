"""Checks of what a `Claim` or `Bound` is made of."""

from __future__ import annotations

from typing import Any

from trpo_theory._checks import known_name
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.entries.kinds import FUNCTION, SERIES, TEXT, TRUTH, Kind, brief, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.solve.criteria import CRITERIA

EXPECTATIONS = (True, False, "open")
RELATIONS = (">=", "=")
NEEDS = frozenset({"unit-reward", "uniform-old", "optimal-new", "greedy-mixture", "one-row"})
"""Properties of instances that hypotheses require and random instances rarely have; the searches construct instances with them.

unit-reward: r in [0, 1]; uniform-old: old uniform; optimal-new: new an optimal policy; greedy-mixture: new moves towards a
policy that is greedy for A_old; one-row: old the same in all states, which are one group.
"""
CODE = ("given", "step", "problem", "shift", "residual")
"""Fields that hold a function of q or None; a `Claim` has no shift and no residual."""
_TEXTS = ("source", "provenance", "note", "origin", "sharp")
_TRUTHS = ("tabular", "sound_for_any_new", "small_only", "horizon", "temperature", "model", "references")
_PROOF = Kind(
    lambda value: value is None or isinstance(value, Theorem),
    "a Theorem, or None",
    "leave {name} out: a claim of your own is proved by `prove`",
)


def check_fields(record: Any) -> None:
    """Raise unless every field of a `Claim` is what it is to be, but for those of its setting; a text of `needs` is one need."""
    name = type(record).__name__
    for field in ("id", "statement"):
        _expect_text(getattr(record, field), field, name)
    expect(TEXT, **_of(record, _TEXTS))
    expect(TRUTH, **_of(record, _TRUTHS))
    expect(FUNCTION, formula=record.formula)
    expect(FUNCTION.or_none, **_of(record, CODE))
    expect(_PROOF, proof=record.proof)
    _expect_choice(record, "relation", RELATIONS, "write the claim as a slack, left side minus right side")
    _expect_choice(record, "expected", EXPECTATIONS, "write expected=False for a claim known to be false")
    _expect_choice(record, "criterion", tuple(CRITERIA), 'write criterion="average", say')
    needs = one_or_several(record.needs, "needs")
    for need in needs:
        known_name(f"need of {record.id}", need, sorted(NEEDS))
    object.__setattr__(record, "needs", frozenset(needs))


def one_or_several(value: Any, name: str) -> tuple[Any, ...]:
    """Words, of which one may stand alone."""
    words: tuple[Any, ...] = (value,) if isinstance(value, str) else value
    expect(SERIES, **{name: words})
    return tuple(words)


def _of(record: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    """Those of the fields that were given: there are hundreds of records, and most have defaults."""
    return {field: getattr(record, field) for field in fields if not _is_default(record, field)}


def _is_default(record: object, field: str) -> bool:
    return getattr(record, field, None) is getattr(type(record), field, None)


def _expect_text(value: object, field: str, kind: str) -> None:
    if not isinstance(value, str) or not value.strip():
        example = "mine/lemma-3" if field == "id" else r"\eta(\tilde\pi) \ge ..."
        raise InvalidInput(
            got=f"{field} = {brief(value)} of a {kind}", wanted="a text", fix=f'write {field}="{example}"'
        )


def _expect_choice(record: Any, field: str, choices: tuple[object, ...], fix: str) -> None:
    if _is_default(record, field):
        return
    value = getattr(record, field)
    if not any(value is choice or (isinstance(value, str) and value == choice) for choice in choices):
        *others, last = (f'"{choice}"' if isinstance(choice, str) else str(choice) for choice in choices)
        raise InvalidInput(
            got=f"{field} = {brief(value)} for {record.id}", wanted=f"{', '.join(others)} or {last}", fix=fix
        )
