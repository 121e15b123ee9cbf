"""The verb that shows all of one claim: show."""

from __future__ import annotations

import inspect
import textwrap
from typing import TYPE_CHECKING, Any

from trpo_theory.cli.options import ClaimArgument, JsonOption, app
from trpo_theory.cli.output import busy, print_json
from trpo_theory.cli.paper import TikzOption, WitnessLatexOption, expect_form, expect_witness, print_witness
from trpo_theory.cli.terminal import new_console
from trpo_theory.cli.verdicts import print_placed, word
from trpo_theory.cli.verifying import FromOption, chosen, own_errors, status_of

if TYPE_CHECKING:
    from trpo_theory.bounds.record import Claim
    from trpo_theory.verification.verdict import Verdict


@app.command(epilog="Example:  trpo-theory show trpo/kl")
def show(
    claim_id: ClaimArgument,
    from_file: FromOption = None,
    as_json: JsonOption = False,
    latex: WitnessLatexOption = False,
    tikz: TikzOption = False,
) -> int:
    """Show all of one claim: statement, source, formula, hypotheses, verdict, and its proof or its witness.

    The verdict is that of `trpo-theory verify ID`, which searches for a counterexample first.
    """
    expect_form(json=as_json, latex=latex, tikz=tikz)
    from trpo_theory.bounds.doeblin import reduced_from
    from trpo_theory.proofs.lattice import placed_within
    from trpo_theory.verification.verifying import verify

    claim = chosen([claim_id], from_file)[0]
    with own_errors(), busy("verifying"):
        (verdict,) = verify(claim)
        placed, of = placed_within(claim), ""
        if placed is None and (reduced := reduced_from(claim)) is not None:
            placed, of = placed_within(reduced), "by the Doeblin reduction, at gamma = 1 - beta: "
    shown = _described(claim)
    if latex or tikz:
        _print_for_paper(verdict, claim.source, latex=latex, tikz=tikz)
        return status_of(verdict)
    if as_json:
        print_json({**verdict.to_fields(), **shown, "placed": None if placed is None else placed.to_fields()})
        return status_of(verdict)
    _print(claim, shown, verdict)
    print_placed(placed, of)
    return status_of(verdict)


def _print_for_paper(verdict: Verdict, source: str, *, latex: bool, tikz: bool) -> None:
    """Its statement and verdict, then the witness, if it has one: without one there is no diagram."""
    from trpo_theory.report.witness_latex import verdict_latex

    if verdict.witness is None and tikz:
        expect_witness(verdict)
    if latex:
        print(verdict_latex(verdict, source), end="" if verdict.witness is None else "\n")
    if verdict.witness is not None:
        print_witness(verdict.witness, latex=latex, tikz=tikz)


def _described(claim: Claim) -> dict[str, Any]:
    """What the record says, its functions as their source code; the note is the verdict's."""
    names = ("id", "expected", "statement", "source", "provenance", "relation", "sharp")
    code = {name: _code(getattr(claim, name, None)) for name in ("formula", "given", "step", "shift", "residual")}
    words = {"needs": sorted(claim.needs), "setting": sorted(claim.setting)}
    return {name: getattr(claim, name) for name in names} | code | words


def _code(function: Any) -> str:
    """The source of a function; "" for none, and where it is not known."""
    if function is None:
        return ""
    try:
        return textwrap.dedent(inspect.getsource(inspect.unwrap(function))).rstrip()
    except (OSError, TypeError):
        return ""


def _print(claim: Claim, shown: dict[str, Any], verdict: Verdict) -> None:
    from trpo_theory.bounds.record import Bound

    console = new_console()

    def line(text: str) -> None:
        console.print(text, markup=False)

    line(f"{claim.id}, expected {word(claim.expected)}: {claim.statement}")
    if claim.source:
        line(f"source: {claim.source}")
    if claim.sharp:
        line(f"sharp: {claim.sharp}")
    slack = "penalty" if isinstance(claim, Bound) else f"slack, which is claimed to be {claim.relation} 0"
    names = {"formula": slack, "given": "hypotheses"}
    for name in ("formula", "given", "step", "shift", "residual"):
        if name == "given" and shown[name] and shown[name] in shown["formula"]:  # a lambda of the decorator
            line("hypotheses: the `given` above")
        elif shown[name]:
            line(f"{names.get(name, name)}:\n{textwrap.indent(shown[name], '    ')}")
    if shown["setting"]:
        line(f"setting: {', '.join(shown['setting'])}")
    if shown["needs"]:
        line(f"instances with: {', '.join(shown['needs'])}")
    line(f"verdict: {verdict.verdict}{': ' + verdict.how if verdict.how else ''}")
    if verdict.proof is not None and verdict.proof.formal:
        line(f"{verdict.proof.machine_checked}: {verdict.proof.formal}")
    if verdict.note:
        line(f"note: {verdict.note}")
    if verdict.witness is not None:
        line(verdict.witness.text)
    elif verdict.instances:
        line(f"searched: {verdict.searched.text}")
