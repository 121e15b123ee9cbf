"""The verb that shows how tight a bound can be: sharp."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from trpo_theory._outward import Toward
from trpo_theory.cli.options import OK, JsonOption, app, named
from trpo_theory.cli.output import busy, digits, print_fields, print_json
from trpo_theory.cli.terminal import new_console, print_table
from trpo_theory.errors import InvalidInput

if TYPE_CHECKING:
    from trpo_theory.sharp.gap import SharpGap


_PRINTED = 20_000_000
"""Entries (S, A, S) of a witness up to which --json prints them all. Chosen: 100 MB; beyond it, those that are not 0."""
_EVEN_OF_A_MEAN = 2
"""Evenly spaced nodes of a mean, in those that were put where they are needed, that come as close. Measured: 2 to 5."""


_LIST = "DIVERGENCE is one of "
"""Begins the paragraph of the help that lists the divergences, where long names are not cut."""


class _NamesDivergences(TyperCommand):
    """Completes the help when it is shown: an import of the divergences would slow every other verb."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from trpo_theory.sharp.divergences import DIVERGENCES

        units = {reduced.divergence.unit: None for reduced in DIVERGENCES.values()}
        names = f"DIVERGENCE is one of {', '.join(DIVERGENCES)}."
        self.help = f"{(self.help or '').partition(_LIST)[0].rstrip()}\n\n{_LIST}{names[len(_LIST) :]}"
        more = {"divergence": "One of the names above.", "radius": f"In the divergence's unit: {', '.join(units)}."}
        for parameter in self.params:
            if parameter.name in more:
                vars(parameter)["help"] = more[parameter.name]
        super().format_help(ctx, formatter)


_NormaliserOption = Annotated[
    str,
    typer.Option(
        "--normaliser",
        metavar="max|expected|sd",
        help="epsilon: max |A|, max_s |Abar(s)|, or max_s sd(A) under old.",
    ),
]
_WidthOption = Annotated[
    float | None,
    typer.Option("--width", metavar="W", help="How close the ends shall be: upper/lower - 1. 0.001; 0.005 for a mean."),
]
_NodesOption = Annotated[
    int | None,
    typer.Option("--nodes", metavar="N", help="In place of --width: nodes on each side of the ratio 1, such as 400."),
]


@app.command(
    cls=_NamesDivergences, epilog="Example:  trpo-theory sharp --divergence max-tv --gamma 1/2 --radius 1/4 --certify"
)
def sharp(
    divergence: Annotated[str, typer.Option("--divergence", metavar="DIVERGENCE")],
    gamma: Annotated[str, typer.Option("--gamma", metavar="G", help="The discount, such as 0.99 or 99/100.")],
    radius: Annotated[str | None, typer.Option("--radius", metavar="D")] = None,
    limit: Annotated[
        bool, typer.Option("--limit", help="In place of a radius: G/D as D goes to 0, which is 2 h(0)/f''(1).")
    ] = False,
    normaliser: _NormaliserOption = "max",
    width: _WidthOption = None,
    nodes: _NodesOption = None,
    horizon: Annotated[
        int | None,
        typer.Option("--horizon", metavar="T", help="Over MDPs that end after T steps; gamma may then be 1."),
    ] = None,
    certify: Annotated[bool, typer.Option("--certify", help="Prove both bounds in ball arithmetic.")] = False,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", metavar="WITNESS.json", help="Write the MDP that attains the lower bound.", callback=named
        ),
    ] = None,
    proof: Annotated[
        str | None,
        typer.Option("--proof", metavar="PROOF.json", help="Write what proves the upper bound.", callback=named),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """The worst (L - eta(new))/epsilon over all finite MDPs at a radius, and how far each bound is from it."""
    from trpo_theory.io.evidence_files import checked_evidence_path

    for path, what in ((out, "a witness"), (proof, "a proof")):
        if path is not None:
            checked_evidence_path(path, what)
    if radius is None or limit:
        _check_limit(radius, limit, normaliser, (out, proof), nodes)
        return _show_limit(divergence, gamma, certify, width, as_json)
    with busy("solving"):
        from trpo_theory.loading.reader import rational
        from trpo_theory.sharp.gap import sharp_gap

        numbers = rational(gamma, "gamma"), rational(radius, "radius")
        gap = sharp_gap(divergence, *numbers, normaliser, certify=certify, width=width, nodes=nodes, horizon=horizon)
        if out is not None:
            gap.write(out)
        if proof is not None:
            gap.write_proof(proof)
    if missed := _missed(gap):
        print(f"note: {missed}", file=sys.stderr)
    names = ("divergence", "normaliser", "gamma", "radius", "horizon", "lower", "upper")
    fields: dict[str, Any] = {name: getattr(gap, name) for name in names}
    if as_json:
        return print_json(fields | {"certified": gap.certified, "bounds": gap.bounds, "witness": _witness(gap)})
    _print(gap, fields)
    for what, path in (("witness", out), ("proof", proof)):
        if path is not None:
            new_console().print(f"{what} written to {path}", markup=False)
    return OK


def _missed(gap: SharpGap) -> str:
    """Where the width that was asked for is not reached: both, and the option that helps; else ""."""
    if gap.aim is None or gap.width <= gap.aim:
        return ""
    helps = "ask for a larger --width"
    if gap.setting.divergence.most_nodes is None:
        more = gap.witness.mdp.states * (_EVEN_OF_A_MEAN if gap.setting.mean else 1)  # on each side, so twice as many
        helps = f"--nodes N with N above {more} may bring them closer"
    return f"the ends are {gap.width:.2g} apart (upper/lower - 1), where {gap.aim:.2g} was asked for; {helps}"


def _check_limit(
    radius: str | None, limit: bool, normaliser: str, paths: tuple[str | None, ...], nodes: int | None
) -> None:
    """Either a radius or --limit, which has no files and one normaliser."""
    if not limit:
        raise InvalidInput(got="no radius", wanted="--radius D, or --limit", fix="add one of them")
    if radius is not None:
        raise InvalidInput(got="--radius and --limit", wanted="one of them", fix="drop one")
    if normaliser != "max":
        raise InvalidInput(got=f"--limit --normaliser {normaliser}", wanted="max", fix="pass a radius, such as 1e-6")
    if nodes is not None:
        raise InvalidInput(got="--limit --nodes", wanted="a radius for --nodes", fix="ask for a --width")
    if any(path is not None for path in paths):
        raise InvalidInput(got="--limit with a file to write", wanted="a radius for --out and --proof", fix="drop it")


def _show_limit(divergence: str, gamma: str, certify: bool, width: float | None, as_json: bool) -> int:
    with busy("solving"):
        from trpo_theory.loading.reader import rational
        from trpo_theory.sharp.limit import second_derivative, sharp_limit

        second_derivative(divergence)
        constant = sharp_limit(rational(gamma, "gamma"), certify=certify, width=width)
        found = constant.of(divergence)
    fields: dict[str, Any] = {"divergence": found.divergence, "gamma": found.gamma}
    fields |= {"h_lower": constant.lower, "h_upper": constant.upper, "lower": found.lower, "upper": found.upper}
    if as_json:
        return print_json(fields | {"certified": found.certified, "bounds": found.bounds})
    console, proved = new_console(), found.certified
    kind = "proved in exact rationals" if proved else "in floats; --certify proves it"
    console.print(f"sharp gap of {divergence} at small radii, over the radius, {kind}")
    outward = {"h_lower": Toward.DOWN, "h_upper": Toward.UP, "lower": Toward.DOWN, "upper": Toward.UP}
    print_fields(console, fields, outward if proved else {})
    _print_bounds(console, found.bounds, ("penalty / radius", "share in the limit"), proved=proved)
    return OK


def _print_bounds(console: Any, rows: Sequence[Mapping[str, Any]], columns: tuple[str, str], *, proved: bool) -> None:
    """Each bound's penalty, and what share of it the sharp gap is."""
    from rich.table import Table

    table = Table("bound", *columns, title="at epsilon = 1")
    for row in rows:
        table.add_row(row["id"], digits(row["penalty"], 6), digits(row["ratio"], 4, Toward.DOWN if proved else None))
    print_table(console, table)


def _witness(gap: SharpGap) -> dict[str, Any]:
    """As a file has it; the transition dense, where that is not too large."""
    from trpo_theory.io.files import mdp_fields

    mdp = gap.witness.mdp
    fields: dict[str, Any] = dict(mdp_fields(mdp))
    if mdp.is_sparse and mdp.states**2 * mdp.actions <= _PRINTED:
        fields = {"transition": mdp.transition.toarray().reshape(mdp.states, mdp.actions, mdp.states)} | {
            name: value for name, value in fields.items() if not name.startswith("transition_")
        }
    return fields | {"old": gap.witness.old, "new": gap.witness.new}


def _print(gap: SharpGap, fields: dict[str, Any]) -> None:
    console = new_console()
    kind = "proved in ball arithmetic" if gap.certified else "in floats; --certify proves it"
    console.print(f"sharp gap of {gap.divergence}, {kind}")
    proved = gap.certified
    outward = {"lower": Toward.DOWN, "upper": Toward.UP} if proved else {}
    shown = {name: value for name, value in fields.items() if value is not None}
    print_fields(console, shown | {"witness": f"{gap.witness.mdp.states} states"}, outward)
    if gap.bounds:
        _print_bounds(console, gap.bounds, ("penalty", "lower / penalty"), proved=proved)
