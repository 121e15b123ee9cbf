"""`python -m experiments [NAME ...]`: run the experiments, print and write their tables and figures, and the report."""

from __future__ import annotations

import argparse
import difflib
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Shown

from experiments import report
from experiments.contract import Experiment, Requires, WithColumns
from experiments.framework import Place, registry, shown
from trpo_theory.cli.streams import ascii_where_needed
from trpo_theory.errors import TrpoTheoryError
from trpo_theory.report import Table
from trpo_theory.report.table_files import made_directory

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130  # exit statuses; 130 is the shell's for an interruption
_LEAST_WIDTH = 96
"""Characters a line, also where the terminal is narrower or there is none; chosen: half of the widest table."""


def main(arguments: list[str] | None = None) -> int:
    """Run the named experiments, or all; return 0 if every check held, 1 if one failed, 2 for bad input."""
    experiments = registry()
    parser = argparse.ArgumentParser("python -m experiments", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of: " + ", ".join(experiments))
    parser.add_argument("--quick", action="store_true", help="fewer rows, in seconds")
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="the output directory (default: out)"
    )
    parser.add_argument("--fresh", action="store_true", help="run again even if finished")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in experiments:
            near = difflib.get_close_matches(name, experiments, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            parser.error(f"got the experiment {name!r}; wanted one of {', '.join(experiments)}{hint}")
    names = list(dict.fromkeys(options.names)) or list(experiments)
    out = Console(highlight=False, width=max(shutil.get_terminal_size().columns, _LEAST_WIDTH))
    try:
        made_directory(options.out)
        held = [_done(Place(experiments[name], options.out), options.quick, options.fresh, out) for name in names]
        page, on_it = report.assemble(options.out)
    except KeyboardInterrupt:
        print(
            f"experiments: interrupted; what is finished is in {options.out}: the same command goes on"
            f"{' (without --fresh)' if options.fresh else ''}",
            file=sys.stderr,
        )
        return INTERRUPTED
    except (TrpoTheoryError, OSError) as error:
        print(f"experiments: {error}", file=sys.stderr)
        return BAD_INPUT
    failed = [name for name, well in zip(names, held, strict=True) if not well]
    if failed:
        out.print(f"A check failed: {', '.join(failed)}.", soft_wrap=True)
    out.print(
        f"Tables (.tex, .md, .csv, .html), figures (.pdf, .png) and data are in {options.out}, a folder an experiment; "
        f"the report of {len(on_it)} experiment{'s' * (len(on_it) != 1)} is {page}.",
        soft_wrap=True,
        markup=False,
    )
    return FAILED if failed else 0


def _done(place: Place, quick: bool, fresh: bool, out: Console) -> bool:
    """Run an experiment unless it is finished, and present it; returns whether its check held."""
    experiment = place.experiment
    if isinstance(experiment, Requires) and (reason := experiment.missing()):
        out.print(f"{experiment.NAME} is skipped: {reason}", soft_wrap=True, markup=False)
        return True
    settings = experiment.Settings()
    if quick:
        settings = experiment.quick(settings)
    if fresh or not place.is_done(settings):
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(experiment.NAME, total=experiment.total(settings))
            place.run(settings, lambda: progress.advance(task))
    else:
        print(f"{experiment.NAME} is finished already: presented again (--fresh runs it again)", file=sys.stderr)
    frames = place.frames()
    _print(experiment, shown(experiment, frames), out)
    place.present(frames)
    out.print(experiment.summary(frames), soft_wrap=True, markup=False)
    return experiment.passed(frames)


def _print(experiment: Experiment, what: str | list[Table], out: Console) -> None:
    if isinstance(what, str):
        out.print(f"[bold]{experiment.NAME}[/]")
        out.print(what, markup=False, soft_wrap=True)
        return
    for table in what:
        out.print(f"[bold]{escape(table.label.removeprefix('tab:'))}[/]")
        own = experiment.TERMINAL_PARTS if isinstance(experiment, WithColumns) else ()
        covered = {column for columns in own for column in columns} == set(range(table.shown().shape[1]))
        for columns in own if covered else parts(table, out.width):
            out.print(_side_by_side(table, columns))


def parts(table: Table, width: int) -> list[list[int]]:
    """The columns in parts that fit the terminal, the first column in each."""
    text = table.shown()
    wide = [max([*map(len, text[name]), *map(len, _heading(table, name).split("\n"))]) + 2 for name in text]
    found, used = [[0]], wide[0]
    for column in range(1, len(wide)):
        if used + wide[column] > width and len(found[-1]) > 1:
            found.append([0])
            used = wide[0]
        found[-1].append(column)
        used += wide[column]
    return found


def _heading(table: Table, name: str) -> str:
    return table.heading(name).replace(" ", "\n").replace("/", "\n/")


def _side_by_side(table: Table, columns: Iterable[int]) -> Shown:
    text = table.shown()
    grid = Shown(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    chosen = [column for column in columns if column < text.shape[1]]
    for column in chosen:
        grid.add_column(_heading(table, text.columns[column]), justify="right", no_wrap=True)
    for row in text.iloc[:, chosen].itertuples(index=False):
        if any(row):
            grid.add_row(*map(escape, row))
    return grid


if __name__ == "__main__":
    with ascii_where_needed():
        sys.exit(main())
