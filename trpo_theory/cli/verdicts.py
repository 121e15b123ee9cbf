"""How verdicts look on a terminal: a row a claim with its proof or witness, then what was searched, and what is left open."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from trpo_theory.cli.output import digits
from trpo_theory.cli.terminal import is_narrower, new_console, print_table

if TYPE_CHECKING:
    from trpo_theory.proofs.lattice import Placed
    from trpo_theory.verification.verdict import Verdict, Verification

_FEW = 0.01
"""Share of the instances that is little to be effective. Chosen: only hypotheses that searches hardly meet leave less."""


def print_verdicts(verification: Verification, *, written: bool = False) -> None:
    """A row a claim, then the notes; proofs and witnesses below the table where the terminal is too narrow for their column.

    Args:
        verification: the verdicts.
        written: whether the witnesses have been written to files.
    """
    console = new_console()
    table = _table(verification, how=True)
    narrow = is_narrower(console, table)
    print_table(console, _table(verification, how=False) if narrow else table)
    for verdict in verification:
        if narrow and verdict.witness:
            console.print(f"{verdict.id}: witness: {verdict.witness.size_text}", markup=False)
        if narrow and verdict.proof:
            console.print(f"{verdict.id}: proved: {verdict.proof.text}", markup=False)
        if verdict.note:
            console.print(f"{verdict.id}: {verdict.note}", markup=False)
        if few := few_effective(verdict):
            console.print(f"{verdict.id}: {few}", markup=False)
        if verdict.verdict in ("proved", "unrefuted", "undecided") and verdict.instances:
            console.print(f"{verdict.id}: searched: {verdict.searched.text}", markup=False)
        if verdict.power:
            console.print(f"{verdict.id}: {verdict.power}", markup=False)
    if not written and any(verdict.witness for verdict in verification):
        console.print("to see a witness: falsify ID prints one, --out DIR writes those of this table", markup=False)
    console.print(repr(verification))


def print_placed(placed: Placed | None, of: str = "") -> None:
    """Where a claim stands beside the catalogue and the sharp gap; nothing where it cannot be compared. `of` says what is."""
    if placed is not None and placed.beside:
        console = new_console()
        console.print(f"{of}{placed.id} at radius {placed.radius:g}: {'; '.join(placed.beside)}", markup=False)


def few_effective(verdict: Verdict) -> str:
    """What to do about an unrefuted claim that hardly any instance put to the test; "" for others."""
    if verdict.verdict != "unrefuted" or verdict.effective >= _FEW * verdict.instances:
        return ""
    return (
        f"only {verdict.effective} of {verdict.instances} instances put it to the test, which says little: "
        "verify with the sizes that its hypotheses ask for (--states, --actions), or a claim with weaker hypotheses"
    )


def least_slack(verdict: Verdict, places: int) -> str:
    """The least slack; a dash where it is not known."""
    return "-" if math.isinf(verdict.min_slack) and verdict.min_slack > 0 else digits(verdict.min_slack, places)


def word(expected: Any) -> str:
    """What the catalogue expects of a claim, as it is shown."""
    return {True: "true", False: "false"}.get(expected, str(expected))


def _table(verification: Verification, *, how: bool) -> Any:
    from rich.markup import escape
    from rich.table import Table

    table = Table("claim", "expected", "verdict", "instances", "effective", "least slack")
    if how:
        table.add_column("proof or witness")
    for verdict in verification:
        mark = verdict.verdict if verdict.as_expected else f"[bold red]{verdict.verdict}[/]"
        cells = [
            escape(verdict.id),
            word(verdict.expected),
            mark,
            str(verdict.instances),
            str(verdict.effective),
            least_slack(verdict, 4),
        ]
        table.add_row(*cells, *([escape(verdict.how)] if how else []))
    return table
