"""`float` and `int` for formulas in plain Python whose numbers are of another kind: types, as these are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Kind(type):
    """Of a type that stands for one of Python's: it makes numbers, and `isinstance` and `dtype=` know it."""

    stands_for: type
    make: Callable[..., Any]
    counts: Callable[[Any], bool]

    def __call__(cls, *args: Any, **options: Any) -> Any:
        """A number."""
        return cls.make(*args, **options)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.stands_for) or cls.counts(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.stands_for)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is cls.stands_for

    def __hash__(cls) -> int:
        return hash(cls.stands_for)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls.stands_for, name)


def kind(stands_for: type, make: Callable[..., Any], counts: Callable[[Any], bool]) -> Kind:
    """A type that stands for `float` or `int`.

    Args:
        stands_for: the one.
        make: called in its place.
        counts: whether a number of the other kind is an instance.
    """
    names = {"stands_for": stands_for, "make": staticmethod(make), "counts": staticmethod(counts)}
    return Kind(stands_for.__name__, (), names)


def dtype_of(value: Any) -> Any:
    """The type that one made by `kind` stands for; anything else itself."""
    return vars(value).get("stands_for", value) if isinstance(value, type) else value
