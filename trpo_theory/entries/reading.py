"""What is read was written by somebody: rows that were rounded to few digits are divided by their sums, with a note."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from trpo_theory.errors import RowsRescaled

_PACKAGE = __name__.partition(".")[0]


@dataclass
class Reading:
    """A file or an object of another library in reading.

    Attributes:
        source: its name.
        strict: whether rows that are off by more than the rounding of their format are refused.
        rescaled: whether a row was changed by more than rounding.
    """

    source: str
    strict: bool
    rescaled: bool = False


_now: ContextVar[Reading | None] = ContextVar("reading", default=None)


@contextmanager
def reading(source: object = "", *, strict: bool = False) -> Iterator[Reading]:
    """While the block runs, arrays that are checked are those of a source, which need not be floats to the last digit.

    Args:
        source: its name, for messages; inside another reading that one's counts if this is empty.
        strict: as of `Reading`; it holds for readings inside this one, too.

    Yields:
        The reading, which knows afterwards whether rows were changed.
    """
    outer = _now.get()
    inner = Reading(str(source) or (outer.source if outer else ""), strict or (outer is not None and outer.strict))
    token = _now.set(inner)
    try:
        yield inner
    finally:
        _now.reset(token)
        if outer is not None:
            outer.rescaled |= inner.rescaled


def current() -> Reading | None:
    """The reading that is going on, if any."""
    return _now.get()


def warn(said: str) -> None:
    """Warn of rows that were changed; the warning points at the caller of the package."""
    now = _now.get()
    if now is not None:
        now.rescaled = True
        said = f"{said}, in {now.source}" if now.source and now.source not in said else said
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back
    text = f"{said}; such rows are divided by their sums: results and proofs are about those"
    warnings.warn(RowsRescaled(text), stacklevel=level)
