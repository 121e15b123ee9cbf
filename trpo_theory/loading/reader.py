"""The extension point for inputs: the `Reader` protocol, and the registry that finds every reader in `readers/`."""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any, Protocol, TypeVar, runtime_checkable

from trpo_theory.errors import InvalidInput
from trpo_theory.io._json import parse_rational
from trpo_theory.loading import readers
from trpo_theory.model.decimals import nearest_float
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import RealLike

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """An MDP with the policies that come with it, and what its user should know about how it was read.

    Attributes:
        mdp: the MDP.
        policies: by name: `old` and `new` of a zoo family or a witness file, `policy` of a file; `load_policy` checks them.
        notes: sentences for the user, such as that a time limit is not part of the MDP.
        exact: the numbers of a text, as `ExactInstance.from_fields` reads them: 0.1 there means 1/10 in a proof.
    """

    mdp: FiniteMDP
    policies: Mapping[str, RealLike] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    exact: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Reader(Protocol):
    """How one kind of input becomes an MDP.

    To add a kind, put one file into `trpo_theory/loading/readers/` that defines a subclass with `read` and one of the three
    ways to recognise its input, and `READER = ` an instance of it. `load`, the command line and the error messages that list
    what can be read find it there; nothing else is to be changed.

    Attributes:
        scheme: the word before the colon of a name, as "gym" of gym:ENV_ID; "" if there is none.
        suffixes: of its files, as (".csv",); upper and lower case are the same; () if it reads no files.
        form: what error messages show as the wanted input: "gym:ENV_ID"; "" for files, whose suffixes are shown.

    >>> [reader.scheme for reader in registry() if reader.scheme]
    ['gym', 'zoo']
    """

    scheme: str = ""
    suffixes: tuple[str, ...] = ()
    form: str = ""

    def recognises(self, source: object) -> bool:
        """Whether it reads this Python object; strings and paths are recognised by scheme and suffix instead."""
        return False

    def read(self, source: Any, gamma: RealLike | None) -> Source:
        """Read the input.

        Args:
            source: the text after the colon of a scheme, the `Path` of a file, or the object.
            gamma: a discount that overrides the input's own, or supplies it (see `required`); already a number.

        Returns:
            The MDP, with what comes with it.

        Raises:
            InvalidInput: for anything that cannot be read: what it is, what is wanted, and the fix.
        """
        ...


@cache
def registry() -> tuple[Reader, ...]:
    """Every reader, in the order of the names of their files."""
    names = sorted(module.name for module in pkgutil.iter_modules(readers.__path__))
    return tuple(importlib.import_module(f"{readers.__name__}.{name}").READER for name in names)


def forms(*, named_only: bool = False) -> str:
    """What can be read, for error messages, such as "gym:ENV_ID, zoo:NAME?key=value, or a .csv, .npz or .json file".

    Args:
        named_only: leave out Python objects.
    """
    suffixes = [suffix for reader in registry() for suffix in reader.suffixes]
    files = f"a {', '.join(suffixes[:-1])} or {suffixes[-1]} file"
    named = [reader.form for reader in registry() if reader.form and (reader.scheme or not named_only)]
    return ", ".join(named) + f", or {files}"


def is_written_out(mdp: FiniteMDP) -> bool:
    """Whether the exact numbers of a sparse transition are kept, as nested lists."""
    return mdp.states**2 * mdp.actions <= _MOST_ENTRIES


def discount_among(query: str) -> dict[str, Fraction]:
    """`Source.exact` of a name's options: their discount, if they have one.

    >>> discount_among("x=1/4&gamma=1/3"), discount_among("x=1/4")
    ({'gamma': Fraction(1, 3)}, {})
    """
    given = [part.partition("=")[2] for part in query.split("&") if part.startswith("gamma=")]
    return {"gamma": rational(given[0], "gamma")} if given else {}


def required(gamma: RealLike | None, what: str) -> RealLike:
    """The discount, for an input that has none of its own.

    Raises:
        InvalidInput: if there is none.
    """
    if gamma is None:
        raise InvalidInput(
            got=f"{what} without a discount",
            wanted="gamma in [0, 1), which it does not fix",
            fix="pass gamma=0.99 (--gamma 0.99)",
        )
    return gamma


def number(value: str | T, name: str) -> float | T:
    """A number, or a string that reads as one ("0.99", "99/100"); arrays pass, to be checked where they are used.

    Raises:
        InvalidInput: for any other string.
    """
    return float(rational(value, name)) if isinstance(value, str) else value


def rational(value: str | T, name: str) -> Fraction | T:
    """As `number`, a string as the rational that it says: proofs are about that, searches about the float next to it.

    Raises:
        InvalidInput: for a string that is no number in the range of floats.

    >>> rational("0.99", "gamma"), rational("1/3", "gamma")
    (Fraction(99, 100), Fraction(1, 3))
    """
    if not isinstance(value, str):
        return value
    try:
        exact = parse_rational(value) if len(value) <= _LONGEST_NUMBER else None
    except InvalidInput:
        exact = None
    if not isinstance(exact, Fraction) or math.isinf(nearest_float(exact)):
        raise InvalidInput(
            got=f"{name} = {value[:_LONGEST_NUMBER]!r}",
            wanted="a number such as 0.99 or 99/100",
            fix=f"change {name}",
        )
    return exact


_MOST_ENTRIES = 4_000_000
"""Of a sparse transition that is written out, S·A·S: as many as a proof of an update takes."""
_LONGEST_NUMBER = 40
"""Characters of a number in a name or option; chosen: a float has 17 digits, and twice as many are exact, too."""
