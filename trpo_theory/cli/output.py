"""What the command line prints: tables, or one JSON object for scripts; progress and errors on stderr."""

from __future__ import annotations

import json
import math
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsFloat

from trpo_theory._outward import Toward, decimal_toward
from trpo_theory.cli.options import OK
from trpo_theory.cli.terminal import literal, print_table
from trpo_theory.errors import InvalidInput, RowsRescaled

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console

    from trpo_theory.loading.sources import Source
    from trpo_theory.report.tables import Table as LatexTable


def fail(message: str, status: int) -> int:
    """Print a message on stderr and return the exit status."""
    with suppress(OSError):  # a stderr that is full or closed; the exit status is what is left
        print(f"trpo-theory: {message}", file=sys.stderr, flush=True)
    return status


@contextmanager
def notes_of_rescaled_rows() -> Iterator[None]:
    """While the block runs, the warning of rows that were divided by their sums is a note on stderr, once for each text."""
    before, said = warnings.showwarning, set[str]()

    def show(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
        if not issubclass(category, RowsRescaled):
            before(message, category, *where, **more)
        elif str(message) not in said:
            said.add(str(message))
            print(f"note: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", RowsRescaled)
        warnings.showwarning = show
        yield


def opened(mdp: str, gamma: str | None, criterion: str | None = None) -> Source:
    """The MDP of the command line's argument; notes of its reader go to stderr. Average rewards need no discount: it is 1."""
    from trpo_theory.loading.sources import open_source
    from trpo_theory.model.mdp import expect_one_mdp

    if gamma is None and criterion == "average" and not mdp.startswith("zoo:"):  # which have a discount of their own
        gamma = "1"
    source = open_source(mdp, gamma=gamma)
    expect_one_mdp(source.mdp, "save one of them, or use compare() in Python")
    for note in source.notes:
        print(f"note: {note}", file=sys.stderr)
    return source


def expect_not_the_mdp(out: str | None, mdp: str) -> None:
    """Before anything is written.

    Raises:
        InvalidInput: if the file to write is that of the MDP.
    """
    same = False
    with suppress(OSError, ValueError):  # an id is no path, and a new file is not there yet
        same = out is not None and Path(out).samefile(mdp)
    if same:
        raise InvalidInput(
            got=f"--out {out}, the file of the MDP",
            wanted="a file for what is found",
            fix="name another file, such as --out found.json",
        )


def policy_of(
    spec: str,
    source: Source,
    name: str = "policy",
    *,
    criterion: str | None = None,
    horizon: int | None = None,
    temperature: float | None = None,
) -> np.ndarray:
    """The policy of an option, (S, A); with a horizon it may have one for each step, (T, S, A)."""
    from trpo_theory.loading.sources import load_policy

    policy = load_policy(spec, source, name=name, criterion=criterion, horizon=horizon, temperature=temperature)
    if policy.ndim != 2 and horizon is None:
        raise InvalidInput(
            got=f"a batch of policies, shape {policy.shape}, as the {name}",
            wanted="one policy (S, A)",
            fix="save one of them, or use compare() in Python",
        )
    return policy


_CRITERIA = {"episodic": "rewards up to the end", "average": "average rewards"}
"""What a return sums, in words; of another criterion the discount, or the number of steps, says it."""


def discount_words(criterion: str | None, gamma: SupportsFloat) -> str:
    """The discount, where the criterion reads it."""
    return "" if criterion == "average" else f", gamma {digits(gamma)}"


def setting_words(criterion: str | None, horizon: int | None, temperature: float | None) -> str:
    """What the return sums, after the discount."""
    parts = (
        f", {_CRITERIA[criterion]}" if criterion in _CRITERIA else "",
        f", {horizon} steps" if horizon else "",
        f", temperature {digits(temperature)}" if temperature else "",
    )
    return "".join(parts)


@contextmanager
def busy(doing: str) -> Iterator[None]:
    """A spinner with the time that has passed, on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as spinner:
        spinner.add_task(doing, total=None)
        yield


@contextmanager
def progress(doing: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda: bar.advance(task)


def print_fields(
    console: Console, fields: Mapping[str, str | SupportsFloat], outward: Mapping[str, Toward] | None = None
) -> None:
    """Print a table of names and values; `outward` has the direction in which proved ends are rounded."""
    from rich.table import Table

    table = Table("quantity", "value")
    for name, value in fields.items():
        table.add_row(literal(name), value if isinstance(value, str) else digits(value, 8, (outward or {}).get(name)))
    print_table(console, table)


def digits(value: SupportsFloat | str, digits: int = 10, toward: Toward | None = None) -> str:
    """A number with `digits` significant digits, the nearest; a proved end is rounded in its direction."""
    number = float(value)
    if toward is None or not math.isfinite(number):
        return f"{number:.{digits}g}"
    return f"{float(decimal_toward(number, digits, toward)):.{digits}g}"


def print_json(fields: Mapping[str, object], status: int = OK) -> int:
    """Print one JSON object on stdout; the exit status."""
    print(json.dumps(_plain(dict(fields)), allow_nan=False))
    return status


def print_latex(*tables: LatexTable) -> None:
    """Print tables for a paper, after a comment with the packages that they need."""
    needed = list(dict.fromkeys(name for table in tables for name in table.packages))
    print(f"% \\usepackage{{{','.join(needed)}}}")
    for table in tables:
        print(table.to_latex(), end="")


def _plain(value: Any) -> Any:
    """Values as strict JSON: NumPy numbers become Python numbers, infinity the string "inf"."""
    import numpy as np

    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value
