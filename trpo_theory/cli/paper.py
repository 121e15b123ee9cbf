"""A witness for a paper, as matrices or as a diagram: the options of show, falsify, certify and worst-case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trpo_theory.cli.options import expect_one_form
from trpo_theory.errors import InvalidInput

if TYPE_CHECKING:
    from trpo_theory.verification.verdict import Verdict

WitnessLatexOption = Annotated[
    bool, typer.Option("--latex", help="Print statement and witness for a paper: LaTeX, matrices of exact rationals.")
]
TikzOption = Annotated[
    bool, typer.Option("--tikz", help="Print the witness's diagram for a paper: a tikzpicture. With --latex, both.")
]


def expect_form(*, json: bool, latex: bool, tikz: bool) -> None:
    """Refuse JSON beside another form."""
    expect_one_form(json=json, latex=latex)
    expect_one_form(json=json, latex=tikz, name="--tikz")


def expect_witness(verdict: Verdict) -> Any:
    """The witness of a verdict.

    Raises:
        InvalidInput: for one that has none.
    """
    if verdict.witness is None:
        raise InvalidInput(
            got=f"--latex or --tikz of a witness for {verdict.id}, which is {verdict.verdict}: there is none",
            wanted="a claim that is refuted",
            fix=f"verify {verdict.id} --latex prints its statement and verdict",
        )
    return verdict.witness


def print_witness(source: Any, *, latex: bool, tikz: bool) -> None:
    """Print the forms that are asked for: what a `Witness` or a file says."""
    from trpo_theory.report.tikz import tikz_diagram
    from trpo_theory.report.witness_latex import witness_latex

    texts = [witness_latex(source)] if latex else []
    texts += [tikz_diagram(source)] if tikz else []
    print("\n".join(texts), end="")
