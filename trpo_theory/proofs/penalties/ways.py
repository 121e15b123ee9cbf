"""`every_way`: what a computation comes to, however the comparisons in it are answered that enclosures leave open."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TypeVar

from trpo_theory.numerics.ball.raw import answering

Result = TypeVar("Result")

_ANSWERS = 8
"""Ways that are tried. Chosen: three comparisons that are open."""


def holds_every_way(decide: Callable[[], bool]) -> bool:
    """Whether a computation returns True on every way through its open comparisons.

    One of the ways is what the numbers of a part of the box take, and the parts make up the box: what is proved of all of them
    is proved of the box. Exceptions come through.
    """
    ways: list[list[bool]] = [[]]
    tried = 0
    while ways:
        way = ways.pop()
        before, tried = len(way), tried + 1
        if tried + len(ways) > _ANSWERS:
            return False
        with answering(functools.partial(_answered, way, iter(tuple(way)))):
            if not decide():
                return False
        ways += [[*way[:place], False] for place in range(before, len(way))]
    return True


def _answered(way: list[bool], given: Iterator[bool]) -> bool | None:
    """The next answer: one that is given, else a new one, yes; None beyond the limit."""
    if (known := next(given, None)) is not None:
        return known
    if len(way) >= _ANSWERS:
        return None
    way.append(True)
    return True
