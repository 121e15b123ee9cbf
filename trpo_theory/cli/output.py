"""What the command line prints: tables for people, JSON for scripts, progress and complaints on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from trpo_theory.cli.options import OK
from trpo_theory.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console

    from trpo_theory.loading.sources import Source

_UNWATCHED_WIDTH = 240


def fail(message: str, status: int) -> int:
    """One message on stderr, and the exit status."""
    print(f"trpo-theory: {message}", file=sys.stderr)
    return status


def opened(mdp: str, gamma: str | None) -> Source:
    """The one MDP that the argument names; what its source has to say goes to stderr."""
    from trpo_theory.loading.sources import open_source

    source = open_source(mdp, gamma=gamma)
    if source.mdp.batch_shape:
        raise InvalidInput(
            got=f"a batch {source.mdp.batch_shape} of MDPs",
            wanted="one MDP",
            fix="save one of them, or use compare() in Python",
        )
    for note in source.notes:
        print(f"note: {note}", file=sys.stderr)
    return source


def policy_of(spec: str, source: Source, name: str = "policy") -> np.ndarray:
    """The one policy that an option names."""
    from trpo_theory.loading.sources import load_policy

    policy = load_policy(spec, source, name=name)
    if policy.ndim != 2:
        raise InvalidInput(
            got=f"a batch of policies, shape {policy.shape}, as the {name}",
            wanted="one policy (S, A)",
            fix="save one of them, or use compare() in Python",
        )
    return policy


@contextmanager
def busy(doing: str) -> Iterator[None]:
    """A spinner on stderr while a person waits; nothing where stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(doing):
        yield


@contextmanager
def progress(doing: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on stderr, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda: bar.advance(task)


def new_console() -> Console:
    """Where tables are printed: as wide as they are, when nobody watches."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _UNWATCHED_WIDTH)


def literal(text: str) -> str:
    """A name from outside as it is: no markup, nothing that moves the cursor or that no encoding has."""
    from rich.markup import escape

    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))


def print_fields(console: Console, fields: Mapping[str, Any]) -> None:
    """A table of names and values."""
    from rich.table import Table

    table = Table("quantity", "value")
    for name, value in fields.items():
        table.add_row(name, value if isinstance(value, str) else digits(value, 8))
    print_table(console, table)


def print_table(console: Console, table: Any) -> None:
    """A table in the one style: rules under the head, numbers to the right."""
    from rich import box

    table.box = box.SIMPLE_HEAD
    for column in table.columns[1:]:
        column.justify = "right"
        column.no_wrap = True
    console.print(table)


def digits(value: Any, digits: int = 10) -> str:
    """A number with so many significant digits."""
    return f"{float(value):.{digits}g}"


def print_json(fields: dict[str, Any]) -> int:
    """One JSON object on stdout."""
    print(json.dumps(_plain(fields), allow_nan=False))
    return OK


def _plain(value: Any) -> Any:
    """Python's own numbers, strict JSON: an infinite divergence or penalty is the string "inf"."""
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
