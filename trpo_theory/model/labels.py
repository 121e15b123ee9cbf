"""Labels of states and actions: texts, or, of joint actions of several agents, tuples of texts."""

from __future__ import annotations

from typing import Any, TypeAlias

from trpo_theory.errors import InvalidInput

Label: TypeAlias = str | tuple[str, ...]
"""Of a state or an action; a joint action's is a tuple, a text an agent."""


def labels(value: Any, name: str, size: int) -> tuple[Label, ...] | None:
    """Optional labels: as many distinct strings as there are states (or actions); tuples of strings where all are tuples."""
    if value is None:
        return None
    if isinstance(value, str):
        value = [value]
    try:
        out = tuple(value)
        joint = all(isinstance(label, tuple) for label in out) and len({len(label) for label in out}) == 1
        out = tuple(tuple(map(str, label)) if joint else str(label) for label in out)
    except TypeError:
        raise InvalidInput(got=f"{name} = {value!r}", wanted=f"{size} distinct labels", fix="pass a list") from None
    if len(out) != size or len(set(out)) != size:
        raise InvalidInput(
            got=f"{len(out)} {name} ({len(set(out))} distinct)",
            wanted=f"{size} distinct labels",
            fix="give each its own, or leave the labels out",
        )
    return out
