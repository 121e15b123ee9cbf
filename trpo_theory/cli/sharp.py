"""The verb that tells how tight a bound can be: sharp."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from trpo_theory.cli.options import OK, JsonOption, app
from trpo_theory.cli.output import busy, digits, new_console, print_fields, print_json, print_table


@app.command(epilog="Example:  trpo-theory sharp --divergence max-tv --gamma 1/2 --radius 1/4 --certify")
def sharp(
    divergence: Annotated[
        str,
        typer.Option(
            "--divergence",
            metavar="DIVERGENCE",
            help="max-kl, max-tv, mean-kl, mean-tv, reverse-max-kl or max-chi2.",
        ),
    ],
    gamma: Annotated[str, typer.Option("--gamma", metavar="G", help="The discount, such as 0.99 or 99/100.")],
    radius: Annotated[str, typer.Option("--radius", metavar="D", help="Nats, total variation, or chi-squared.")],
    normaliser: Annotated[
        str, typer.Option("--normaliser", metavar="max|expected", help="epsilon: max |A|, or max_s |Abar(s)|.")
    ] = "max",
    certify: Annotated[bool, typer.Option("--certify", help="Prove both bounds in ball arithmetic.")] = False,
    out: Annotated[
        str | None, typer.Option("--out", metavar="WITNESS.json", help="Write the MDP that attains the lower bound.")
    ] = None,
    proof: Annotated[
        str | None, typer.Option("--proof", metavar="PROOF.json", help="Write what proves the upper bound.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """The worst (L - eta(new))/epsilon over all finite MDPs at a radius, and how far each bound is from it."""
    from trpo_theory.proofs.witness import checked_path

    for path in (out, proof):
        if path is not None:
            checked_path(path)
    with busy("solving"):
        from trpo_theory.loading.sources import number
        from trpo_theory.sharp.gap import sharp_gap

        told = sharp_gap(divergence, number(gamma, "gamma"), number(radius, "radius"), normaliser, certify=certify)
        if out is not None:
            told.write(out)
        if proof is not None:
            told.write_proof(proof)
    fields: dict[str, Any] = {
        name: getattr(told, name) for name in ("divergence", "normaliser", "gamma", "radius", "lower", "upper")
    }
    if as_json:
        mdp = told.witness.mdp
        witness = {
            "transition": mdp.transition,
            "reward": mdp.reward,
            "gamma": mdp.gamma,
            "initial": mdp.initial,
            "old": told.witness.old,
            "new": told.witness.new,
        }
        return print_json(fields | {"certified": told.certified, "bounds": told.bounds, "witness": witness})
    from rich.table import Table

    console = new_console()
    kind = "proved in balls" if told.certified else "in floats; --certify proves it"
    console.print(f"sharp gap of {divergence}, {kind}")
    print_fields(console, fields | {"witness": f"{told.witness.mdp.states} states"})
    table = Table("bound", "penalty", "lower / penalty", title="at epsilon = 1")
    for row in told.bounds:
        table.add_row(row["id"], digits(row["penalty"], 6), digits(row["ratio"], 4))
    print_table(console, table)
    for what, path in (("witness", out), ("proof", proof)):
        if path is not None:
            console.print(f"{what} written to {path}")
    return OK
