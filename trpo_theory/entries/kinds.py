"""What arguments are to be that are no numbers: words, truth values, functions, paths, records."""

from __future__ import annotations

import numbers
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np

from trpo_theory.entries.expected import shown
from trpo_theory.errors import InvalidInput

T = TypeVar("T")

_BRIEF = 60
"""Characters of a value that a phrase shows. Chosen: what leaves room for the rest on a line."""


@dataclass(frozen=True)
class Kind:
    """What an argument is to be, where it is no number or array: `expect` checks it.

    Attributes:
        fits: whether a value is of the kind.
        wanted: the kind, for messages.
        fix: what to pass; "{name}" stands for the argument.
    """

    fits: Callable[[Any], bool]
    wanted: str
    fix: str

    @property
    def or_none(self) -> Kind:
        """The same, or None for none."""
        return Kind(lambda value: value is None or self.fits(value), f"{self.wanted}, or None", self.fix)


def _is_series(value: object) -> bool:
    return (
        isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)) and getattr(value, "ndim", 1) > 0
    )


TEXT = Kind(lambda value: isinstance(value, str), "text", 'write {name}="..."')
TRUTH = Kind(lambda value: isinstance(value, (bool, np.bool_)), "True or False", "pass {name}=True or {name}=False")
FUNCTION = Kind(callable, "a function", "pass a function as {name}, not what it returns")
PATH = Kind(lambda value: isinstance(value, (str, os.PathLike)), "a path", 'write {name}="out/file", say')
MAPPING = Kind(lambda value: isinstance(value, Mapping), "a mapping of names", 'write {name}={{"name": ...}}')
SERIES = Kind(_is_series, "several, in a list or tuple", "write {name}=[...], with brackets for one, too")
GENERATOR = Kind(
    lambda value: isinstance(value, np.random.Generator), "a generator of NumPy", "pass {name}=np.random.default_rng(0)"
)


def expect(kind: Kind, /, **arguments: object) -> None:
    """Raise unless every argument is of the kind.

    >>> expect(TRUTH, certify="yes")
    Traceback (most recent call last):
    ...
    trpo_theory.errors.InvalidInput: got certify = 'yes'; wanted True or False; fix: pass certify=True or certify=False
    """
    for name, value in arguments.items():
        if not kind.fits(value):
            raise InvalidInput(got=f"{name} = {brief(value)}", wanted=kind.wanted, fix=kind.fix.format(name=name))


def expect_word(choices: Sequence[str], /, **arguments: object) -> None:
    """Raise unless every argument is one of a few words."""
    for name, value in arguments.items():
        if not isinstance(value, str) or value not in choices:
            *others, last = (f'"{choice}"' for choice in choices)
            raise InvalidInput(
                got=f"{name} = {brief(value)}",
                wanted=f"{', '.join(others)} or {last}" if others else last,
                fix=f'write {name}="{choices[-1]}", say',
            )


def expect_type(kind: type | tuple[type, ...], value: object, what: str, fix: str) -> None:
    """Raise unless the value is of the type, or of one of them, such as `FiniteMDP` for "the MDP"."""
    if not isinstance(value, kind):
        names = [one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,))]
        raise InvalidInput(got=f"{brief(value)} as {what}", wanted=" or ".join(map(_one, names)), fix=fix)


def each_of(kind: type[T], values: object, name: str, fix: str) -> list[T]:
    """Several values, each of the type, as a list; they are read once."""
    expect(SERIES, **{name: values})
    found: list[Any] = list(cast(Any, values))
    for one in found:
        expect_type(kind, one, f"one of {name}", fix)
    return found


def brief(value: object) -> str:
    """A value as one short phrase: small ones as Python writes them, others by their type, "a list"."""
    if value is None or isinstance(value, (str, bytes, numbers.Number)):
        text = shown(value)
        return text if len(text) <= _BRIEF else f"{text[:_BRIEF]}..."
    return _one(type(value).__name__)


def _one(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"
