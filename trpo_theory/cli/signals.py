"""SIGTERM ends a command as Ctrl-C does: what is done stays, and processes that it started end with it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def terminations_interrupt() -> Iterator[None]:
    """While the block runs, SIGTERM raises KeyboardInterrupt, unless the process handles or ignores it already."""
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one is enough: ending the processes must not be cut short
    raise KeyboardInterrupt
