"""The verb that lists what a claim of one's own may read: fields."""

from __future__ import annotations

import dataclasses

from trpo_theory.cli.options import OK, JsonOption, app
from trpo_theory.cli.output import print_json
from trpo_theory.cli.terminal import literal, new_console, print_table

_WIDTH = 100
"""Columns of the table, also where the terminal has more: chosen, so that formulas stay beside their names."""


@app.command(epilog="Example:  trpo-theory fields")
def fields(as_json: JsonOption = False) -> int:
    """List all that a claim may read of a step q, with formulas and shapes: in a claim, q.max_kl.

    A batch of instances, if any, is the last axis; a formula that is written for one instance runs on a batch, too.
    """
    from rich.table import Table

    from trpo_theory.step.described import GROUPS, described

    every = described()
    if as_json:
        return print_json({"fields": [dataclasses.asdict(field) for field in every]})
    console = new_console()
    table = Table("name", "shape", "formula", width=min(_WIDTH, console.width))
    for group in GROUPS:
        table.add_section()
        table.add_row(f"[bold]{group}[/]", "", "")
        for field in (field for field in every if field.group == group):
            table.add_row(*map(literal, (field.call, field.shape, field.formula)))
    print_table(console, table, prose="formula")
    return OK
