"""The verb that proves evidence again from its file: certify."""

from __future__ import annotations

from typing import Annotated

import typer

from trpo_theory.cli.options import CHECK_FAILED, OK, UNDECIDED, JsonOption, app
from trpo_theory.cli.output import busy, fail, print_fields, print_json
from trpo_theory.cli.paper import TikzOption, WitnessLatexOption, expect_form, print_witness
from trpo_theory.cli.terminal import new_console
from trpo_theory.cli.verifying import FromOption, claims_of, own_errors


@app.command(epilog="Example:  trpo-theory certify witness.json")
def certify(
    evidence: Annotated[
        str,
        typer.Argument(
            metavar="WITNESS.json", help="What falsify, prove, worst-case, sharp or update --certify wrote."
        ),
    ],
    from_file: FromOption = None,
    as_json: JsonOption = False,
    latex: WitnessLatexOption = False,
    tikz: TikzOption = False,
) -> int:
    """Prove a file of evidence again, from the file alone, and print the theorem that it proves.

    Exit status 1 says that the file states something else than what is proved, 3 that nothing is proved.
    """
    from trpo_theory.proofs.certifying import certify

    expect_form(json=as_json, latex=latex, tikz=tikz)
    with own_errors(), busy("proving"):
        claims = claims_of(from_file) if from_file else None
        certificate = certify(evidence, claims=claims)
    status = OK if certificate.certified else (UNDECIDED if certificate.undecided else CHECK_FAILED)
    if as_json:
        print_json(certificate.to_fields())
        return status
    if latex or tikz:
        if status != OK:
            return fail(f"{certificate.id}: {certificate.summary}", status)
        print_witness(evidence, latex=latex, tikz=tikz)
        return status
    console = new_console()
    console.print(f"{certificate.id}: {certificate.summary}", markup=False)
    if certificate.theorem:
        console.print(f"theorem: {certificate.theorem}", markup=False)
    for note in certificate.notes:
        console.print(f"note: {note}", markup=False)
    if certificate.quantities:
        print_fields(console, dict(certificate.quantities))
    return status
