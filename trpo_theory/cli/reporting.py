"""The verb that writes the page of results: report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trpo_theory.cli.options import OK, JsonOption, app
from trpo_theory.cli.output import print_json
from trpo_theory.cli.terminal import new_console


@app.command(epilog="Example:  trpo-theory report --out out")
def report(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to write index.html; made if it is missing.")] = Path(
        "out"
    ),
    as_json: JsonOption = False,
) -> int:
    """Write one page that works offline: an explorer, definitions, the catalogue with its verdicts, and tables of results.

    The verdicts and tables are those of the last full runs, which come with the package; the page says when they were made.
    `verify` judges the claims anew; in a checkout `python -m experiments` runs all experiments, and writes their own page.
    """
    from trpo_theory.report import front, stored
    from trpo_theory.report.table_files import made_directory

    page, kept = front.page(), stored.catalogue()
    path = made_directory(out) / "index.html"
    page.write(path)
    if as_json:
        made = {"version": kept.version, "commit": kept.commit, "date": kept.date, "claims": len(kept.rows)}
        print_json({"page": str(path), "sections": [section.id for section in page.sections], "catalogue": made})
        return OK
    console = new_console()
    console.print(f"The page is {path}: open it in a browser; it needs no network.", soft_wrap=True, markup=False)
    console.print(kept.dated.replace("`", ""), soft_wrap=True, markup=False)
    return OK
