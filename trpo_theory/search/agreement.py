"""Sizes on which a claim is compared with itself, on a batch and one instance at a time, before it is run on batches of them.

A formula may ask for S or A in plain Python: what it does on instances of 3 states and 2 actions says nothing of other sizes.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

from trpo_theory.bounds.record import Claim
from trpo_theory.numerics.plain.rewired import is_own
from trpo_theory.search.impose import impose
from trpo_theory.step.instances import Instances

SIZES = ((1, 2), (2, 3), (4, 4), (5, 5), (8, 6))
"""S and A on which every formula that is not of this package is compared. Chosen: each number of actions that a battery draws."""
_EACH = 2
"""Instances of each size: of a least entry over the whole batch one of two would be wrong."""
_ASKS = frozenset({"states", "actions", "shape", "size", "ndim", "len", "range", "enumerate"})
"""Names by which a formula can ask how many states or actions there are."""
_NAMES = frozenset({"states", "actions", "available"})
"""The quantities that say so."""
_DEEP = 8
"""Functions that call functions are looked into so far. Chosen."""


def tame(size: tuple[int, int], needs: frozenset[str]) -> Instances:
    """A few instances of a size, such that rounding decides nothing."""
    from trpo_theory.search.apart.probe import probe  # needed by claims of one's own only

    return impose(probe(_EACH, *size), needs)


def is_written_by_author(claim: Claim) -> bool:
    """Whether some of the claim's code is not of this package."""
    return any(is_own(code.co_filename) for function in claim.functions for code in _codes(function))


def asks_for_sizes(claim: Claim) -> bool:
    """Whether the claim's code, or what it calls of the author's, has a name by which it can ask for S or A."""
    return any(not _ASKS.isdisjoint(code.co_names) for function in claim.functions for code in _codes(function))


def names_sizes(claim: Claim) -> bool:
    """Whether `q.states`, `q.actions` or `q.available` stands in the claim's code, or in what it calls of the author's."""
    return any(not _NAMES.isdisjoint(code.co_names) for function in claim.functions for code in _codes(function))


def _codes(function: Callable[..., Any]) -> Iterator[types.CodeType]:
    """The code of a function, of those within it, and of the author's that it names; each once."""
    seen: set[types.CodeType] = set()
    todo: list[tuple[Any, int]] = [(function, 0)]
    while todo:
        one, depth = todo.pop()
        while isinstance(one, functools.partial):
            one = one.func
        one = getattr(one, "formula", one)
        code = getattr(one, "__code__", None)
        if not isinstance(code, types.CodeType) or code in seen or depth > _DEEP:
            continue
        cells = [getattr(cell, "cell_contents", None) for cell in getattr(one, "__closure__", None) or ()]
        names = {name: value for name, value in getattr(one, "__globals__", {}).items() if callable(value)}
        for inner in _nested(code):
            seen.add(inner)
            yield inner
            called = [names[name] for name in inner.co_names if name in names]
            todo += [(value, depth + 1) for value in (*called, *cells)]


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)
