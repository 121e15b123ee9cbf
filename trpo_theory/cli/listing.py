"""`claims`: what the catalogue has, claim by claim or paper by paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trpo_theory.cli.options import OK, JsonOption, app
from trpo_theory.cli.output import print_json
from trpo_theory.cli.terminal import is_narrower, new_console, print_table
from trpo_theory.cli.verdicts import word
from trpo_theory.cli.verifying import FromOption, chosen

if TYPE_CHECKING:
    from rich.console import Console

    from trpo_theory.bounds.record import Claim


@app.command(epilog="Those of a paper:  trpo-theory claims Achiam --by-paper\n\nExample:  trpo-theory claims 'chi2/*'")
def claims(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID|PATTERN|WORDS ...]",
            help="Claims; all if left out. Words are looked for in ids, sources, papers and statements.",
        ),
    ] = None,
    from_file: FromOption = None,
    by_paper: Annotated[
        bool, typer.Option("--by-paper", help="One row a statement of a paper, paper by paper.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """List the catalogue: every claim, whether it is expected to be true, and where it is stated.

    With --by-paper: what each paper states, in which setting, whether its wording was seen, how sharp it is, and the claims
    that differ from it by one thing and are false. What no paper states is left out.
    """
    listed = chosen(ids, from_file, words=True)
    if by_paper:
        return _print_papers(listed, as_json=as_json)
    names = ("id", "expected", "provenance", "source", "statement", "relation")
    if as_json:
        return print_json({"claims": [{name: getattr(claim, name) for name in names} for claim in listed]})
    from rich.markup import escape
    from rich.table import Table

    table = Table("claim", "expected", "source")
    for claim in listed:
        table.add_row(escape(claim.id), word(claim.expected), escape(claim.source))
    print_table(new_console(), table, prose="source")
    return OK


def _print_papers(listed: list[Claim], *, as_json: bool) -> int:
    from rich.markup import escape
    from rich.table import Table

    from trpo_theory.claims.papers import paper_rows

    rows = paper_rows(listed)
    if as_json:
        return print_json({"claims": rows})
    table = Table("paper", "claim", "expected", "setting", "wording", "sharp", "false twins")
    paper, console = "", new_console()
    for row in rows:
        shown = "" if row["paper"] == paper else row["paper"]
        paper = row["paper"]
        texts = (shown, row["claim"], word(row["expected"]), row["setting"], row["wording"], row["sharp"])
        table.add_row(*map(escape, texts), escape(", ".join(row["twins"])))
    if is_narrower(console, table):
        _print_paper_list(console, rows)
    else:
        print_table(console, table, prose="false twins")
    return OK


def _print_paper_list(console: Console, rows: list[dict[str, Any]]) -> None:
    """The same as a list, for a terminal that is too narrow for the table: an id is never cut."""
    from textwrap import wrap

    paper = ""
    for row in rows:
        if row["paper"] != paper:
            console.print(("\n" if paper else "") + row["paper"], markup=False)
        paper = row["paper"]
        parts = [
            f"expected {word(row['expected'])}",
            row["setting"],
            f"wording {row['wording']}" if row["wording"] else "",
        ]
        if row["sharp"]:
            parts.append(f"sharp: {row['sharp']}")
        if row["twins"]:
            parts.append(f"false twins: {', '.join(row['twins'])}")
        console.print(f"  {row['claim']}", markup=False)
        lines = wrap("; ".join(part for part in parts if part), max(console.width - 4, 40), break_on_hyphens=False)
        console.print("\n".join(f"    {line}" for line in lines), markup=False)
