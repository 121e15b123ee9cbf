"""The verb that asks how tight a bound is: worst-case."""

from __future__ import annotations

from typing import Annotated

import typer

from trpo_theory.cli import verifying
from trpo_theory.cli.options import CHECK_FAILED, OK, JsonOption, WitnessOutOption, app
from trpo_theory.cli.output import busy, digits, print_json
from trpo_theory.cli.paper import TikzOption, WitnessLatexOption, expect_form, print_witness
from trpo_theory.cli.terminal import new_console
from trpo_theory.proofs.outcome import located


@app.command(name="worst-case", epilog="Example:  trpo-theory worst-case pinsker/kl --gamma 1/2 --states 2")
def worst_case(
    bound: Annotated[str, typer.Argument(metavar="BOUND", help="The id of a bound, or of a claim of --from.")],
    gamma: Annotated[
        str | None,
        typer.Option(metavar="G", help="The discount, such as 0.99 or 99/100; 1 where the bound's setting allows it."),
    ] = None,
    states: Annotated[int, typer.Option(metavar="S", help="The number of states.")] = 3,
    actions: Annotated[
        int | None, typer.Option(metavar="A", help="The number of actions: 2, or the joint ones.")
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(metavar="T", help="Steps of a run, for horizon/... and the like; any few if left out.")
    ] = None,
    from_file: verifying.FromOption = None,
    seed: verifying.SeedOption = 0,
    effort: Annotated[int, typer.Option(metavar="E", help="How many searches from fresh starts.")] = 3,
    out: WitnessOutOption = None,
    as_json: JsonOption = False,
    latex: WitnessLatexOption = False,
    tikz: TikzOption = False,
) -> int:
    """The largest ratio (L - eta(new))/penalty found for a bound, with a witness that proves it: at most 1 if the bound is true.

    Exit status 1 says that the witness refutes a bound that is expected to be true.
    """
    from trpo_theory._outward import Toward
    from trpo_theory.io.evidence_files import checked_evidence_path
    from trpo_theory.search.worst_cases.finding import as_bound, worst_case

    expect_form(json=as_json, latex=latex, tikz=tikz)
    if out is not None:
        checked_evidence_path(out)
    with verifying.own_errors(), busy("searching"):
        one = as_bound(verifying.chosen([bound], from_file)[0] if from_file else bound)
        found = worst_case(one, gamma=gamma, states=states, actions=actions, horizon=horizon, seed=seed, effort=effort)
    if out is not None:
        found.write(out)
    status = CHECK_FAILED if found.refutes and one.expected is True else OK
    if as_json:
        print_json(found.to_fields())
        return status
    if latex or tikz:
        print_witness(found, latex=latex, tikz=tikz)
        return status
    console = new_console()
    said = (
        f"the witness uses {digits(found.ratio, 9, Toward.DOWN)} of its penalty" + ", which refutes it" * found.refutes
    )
    console.print(f"{found.bound}: {said}; proved: ratio {located(found.decision.enclosure)}", markup=False)
    console.print(found.text, markup=False)
    if out is not None:
        console.print(f"written to {out}", markup=False)
    return status
