"""Types that announce themselves, so that a plugin that must not import them hears of them when somebody else does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T", bound=type)

_types: list[type] = []
_listeners: list[Callable[[type], None]] = []


def announced(defined: T) -> T:
    """A decorator: every listener, of now and of later, is called with the class."""
    _types.append(defined)
    for listener in _listeners:
        listener(defined)
    return defined


def listen(listener: Callable[[type], None]) -> None:
    """Call the listener with every announced class: those there are, then each when it is defined."""
    _listeners.append(listener)
    for defined in _types:
        listener(defined)
