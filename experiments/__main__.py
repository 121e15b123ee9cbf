"""`python -m experiments [NAME ...] [--quick] [--out DIR]`: run the experiments, print and write their tables."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as Shown

from experiments import lower_bound
from trpo_theory.errors import TrpoTheoryError
from trpo_theory.report import Table

_LEAST_WIDTH = 96
EXPERIMENTS = {lower_bound.NAME: lower_bound}


def main(arguments: list[str] | None = None) -> int:
    """Run what is named (everything, if nothing is); 0 if every check held, 1 if one failed, 2 for bad input."""
    parser = argparse.ArgumentParser("python -m experiments", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of: " + ", ".join(EXPERIMENTS))
    parser.add_argument("--quick", action="store_true", help="fewer rows, in seconds")
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="where the tables go (default: out)"
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in EXPERIMENTS]
    if unknown:
        parser.error(f"got the experiment {unknown[0]!r}; wanted one of {', '.join(EXPERIMENTS)}")
    console = Console(highlight=False, width=max(shutil.get_terminal_size().columns, _LEAST_WIDTH))
    try:
        return max(
            _run(EXPERIMENTS[name], options.quick, options.out, console) for name in options.names or EXPERIMENTS
        )
    except (TrpoTheoryError, OSError) as error:
        print(f"experiments: {error}", file=sys.stderr)
        return 2


def _run(experiment, quick: bool, out: Path, console: Console) -> int:
    settings = experiment.Settings()
    if quick:
        settings = experiment.quick(settings)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(experiment.NAME, total=len(settings.environments) * len(settings.gammas))
        frame = experiment.run(settings, advance=lambda: progress.advance(task))
    for table in experiment.tables(frame).values():
        console.print(f"[bold]{table.label.removeprefix('tab:')}[/]")
        for columns in experiment.TERMINAL_PARTS:
            console.print(_shown(table, columns))
    paths = experiment.save(frame, out)
    console.print(experiment.summary(frame), soft_wrap=True)
    console.print(
        f"{len(paths)} files in {out}: tables as .tex, .md and .csv; {paths[-1]} has every digit.", soft_wrap=True
    )
    return 0 if experiment.passed(frame) else 1


def _shown(table: Table, columns: Iterable[int]) -> Shown:
    shown = Shown(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    names = [list(table.frame)[column] for column in columns]
    for name in names:
        shown.add_column(table.heading(name).replace(" ", "\n").replace("/", "\n/"), justify="right", no_wrap=True)
    for row in table.shown()[names].itertuples(index=False):
        if any(row):
            shown.add_row(*row)
    return shown


if __name__ == "__main__":
    sys.exit(main())
