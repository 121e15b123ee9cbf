"""A witness, or another small MDP, as its file has it: read for LaTeX, with its numbers exact."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from trpo_theory.errors import InvalidInput

_LONGEST = 9
"""Characters of a number that `short` shows whole. Chosen: the width of a label."""


@dataclass(frozen=True)
class Instance:
    """An MDP in rationals, and what else its file has.

    Attributes:
        transition: P(s'|s,a), (S, A, S) nested lists.
        reward: r(s,a), (S, A).
        initial: ρ₀, (S,).
        fields: the content of the file.
    """

    transition: list[list[list[Fraction]]]
    reward: list[list[Fraction]]
    initial: list[Fraction]
    fields: Mapping[str, Any]

    @property
    def states(self) -> int:
        """S."""
        return len(self.transition)

    @property
    def actions(self) -> int:
        """A."""
        return len(self.transition[0])

    def is_available(self, s: int, a: int) -> bool:
        """Whether an action can be taken."""
        available = self.fields.get("available")
        allowed = available is None or bool(available[s][a])
        return allowed and any(self.transition[s][a]) and math.isfinite(self.reward[s][a])


def as_instance(source: Any) -> Instance:
    """What a `Witness`, a `WorstCase` or the like, the content of a file, or the path of a .json file says.

    Raises:
        InvalidInput: for one that has no transition, reward and initial, or is no such file.
    """
    fields = _fields(source)
    missing = [name for name in ("transition", "reward", "initial") if fields.get(name) is None]
    if missing:
        kind = f" of kind {fields['kind']!r}" if "kind" in fields else ""
        raise InvalidInput(
            got=f"evidence{kind} without {', '.join(missing)}",
            wanted="a witness: an MDP with transition, reward and initial, dense",
            fix="pass what falsify or worst-case found, or the path of a file that they wrote",
        )
    try:
        transition, reward, initial = (numbers(fields[name]) for name in ("transition", "reward", "initial"))
    except (ValueError, TypeError, ZeroDivisionError):
        raise InvalidInput(
            got="a transition, reward or initial that is no nested list of numbers",
            wanted="numbers, or rationals as text, such as 1/3",
            fix="pass what falsify or worst-case found",
        ) from None
    return Instance(transition, reward, initial, fields)


def _fields(source: Any) -> Mapping[str, Any]:
    if isinstance(source, Mapping):
        return _unwrapped(source)
    if isinstance(source, (str, os.PathLike)):
        from trpo_theory.io.files import read_fields

        return _unwrapped(read_fields(source, exact=True, what="a witness"))
    to_fields = getattr(source, "to_fields", None)
    if to_fields is None:
        raise InvalidInput(
            got=f"a {type(source).__name__} as a witness",
            wanted="a Witness, the content of its file, or its path",
            fix='pass falsify("trpo/tv-2").witness, say',
        )
    return _unwrapped(to_fields())


def _unwrapped(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `worst-case --json` and `falsify --json` print has the instance inside."""
    inner = fields.get("witness")
    return {**fields, **inner} if "transition" not in fields and isinstance(inner, Mapping) else fields


def numbers(value: Any) -> Any:
    """Nested lists of exact numbers: decimals as they are written, floats as they are printed."""
    if isinstance(value, (list, tuple)):
        return [numbers(entry) for entry in value]
    if hasattr(value, "tolist"):
        return numbers(value.tolist())
    if isinstance(value, float) and math.isinf(value):  # the reward of an action that cannot be taken
        return value
    return Fraction(value) if isinstance(value, (int, Fraction)) else Fraction(str(value))


def short(value: Fraction) -> str:
    """A number as a label in mathematics: whole if it has at most nine characters, else rounded to four digits."""
    if len(str(value)) <= _LONGEST:
        return str(value)
    mantissa, _, power = f"{float(value):.3e}".partition("e")
    if -4 <= int(power) < 5:
        return rf"\approx {float(f'{float(value):.4g}')}"
    return rf"\approx {mantissa}\cdot10^{{{int(power)}}}"
