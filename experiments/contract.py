"""The contract of an experiment, as protocols; `framework` runs and presents whatever keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

import pandas as pd

from trpo_theory.report import Table

Frames = dict[str, pd.DataFrame]
"""Data of an experiment by name: the frame "" is NAME.csv, "x" is NAME-x.csv; a name that ends in "timing" holds times."""


def no_figures(frames: Frames) -> dict[str, Callable[[], Any]]:
    """`figures` of an experiment without any."""
    return {}


def no_captions() -> dict[str, str]:
    """`captions` of an experiment whose tables have their own."""
    return {}


@runtime_checkable
class Experiment(Protocol):
    """The contract of an experiment, which is a module (or a package) in `experiments/` that has these names.

    To add one, write one file `experiments/my_idea.py`: it is found by listing, because it defines `NAME`. Then
    `python -m experiments my-idea` runs it, writes its frames and a manifest, presents it and puts it into the report.
    The work is in `run`; everything after it is made from the written frames alone, so that a presentation can be changed
    without running again. `run` must depend on its settings only, not on time, the machine or the number of processes.

    Attributes:
        NAME: its name on the command line and of its files: lower case and hyphens.
        TITLE: the heading of its section in the report.
        LEAD: two sentences before its tables: what is asked, and of what.
        Settings: a frozen dataclass with defaults, one field for each choice, whose docstring says what it is.

    A module may also have `missing` (`Requires`), `terminal` (`WithText`), `TERMINAL_PARTS` (`WithColumns`) `blocks`
    (`WithBlocks`) and `last_full_run` (`WithFullRun`).
    """

    NAME: str
    TITLE: str
    LEAD: str
    Settings: type[Any]

    def quick(self, settings: Any) -> Any:
        """The settings reduced to what runs in seconds, for --quick."""
        ...

    def total(self, settings: Any) -> int:
        """How often `run` will call `advance`."""
        ...

    def run(self, settings: Any, advance: Callable[[], None] = lambda: None) -> Frames:
        """Compute the frames; `advance` moves the progress bar by one."""
        ...

    def tables(self, frames: Frames) -> dict[str, Table]:
        """The tables by file name, made from the frames."""
        ...

    def figures(self, frames: Frames) -> dict[str, Callable[[], Any]]:
        """For each file name, a function that draws the matplotlib figure."""
        ...

    def captions(self) -> dict[str, str]:
        """Two sentences for every figure, and for tables if needed, by file name."""
        ...

    def summary(self, frames: Frames) -> str:
        """One sentence: what was found."""
        ...

    def passed(self, frames: Frames) -> bool:
        """Whether what the experiment checks holds; if not, the exit status is 1."""
        ...


@runtime_checkable
class Requires(Protocol):
    """An experiment that needs an optional package."""

    def missing(self) -> str | None:
        """Why it cannot run here, or None."""
        ...


@runtime_checkable
class WithText(Protocol):
    """An experiment that prints a text to the terminal instead of its tables."""

    def terminal(self, frames: Frames) -> str:
        """The text."""
        ...


@runtime_checkable
class WithColumns(Protocol):
    """An experiment whose tables are split at given columns in the terminal.

    Attributes:
        TERMINAL_PARTS: the indices of the columns of each part.
    """

    TERMINAL_PARTS: Sequence[Iterable[int]]


@runtime_checkable
class WithFullRun(Protocol):
    """An experiment whose section of the report shows the last full run, which is kept, where only a short one was made."""

    def last_full_run(self) -> tuple[str, list[Any]]:
        """A sentence that says when it was made and by which version, and its blocks."""
        ...


@runtime_checkable
class WithBlocks(Protocol):
    """An experiment whose section of the report is made of other blocks than its tables."""

    def blocks(self, frames: Frames) -> list[Any]:
        """The blocks, as `trpo_theory.report.page.Section` takes them."""
        ...
