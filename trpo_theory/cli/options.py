"""The application, and the arguments that verbs share."""

from __future__ import annotations

from typing import Annotated

import typer

OK, CHECK_FAILED, BAD_INPUT, UNDECIDED, INTERRUPTED = 0, 1, 2, 3, 130

app = typer.Typer(
    name="trpo-theory",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Solve finite MDPs exactly and put the theory behind TRPO to the test.\n\n"
    "MDP is gym:ENV_ID?option=value, zoo:NAME?key=value, or a .npz, .json, .csv, .POMDP or .MDP file. POLICY is uniform, "
    "optimal, old or new (of a zoo family or a file that carries them), or a .npy, .npz or .json file.\n\n"
    "Exit status: 0 as claimed, 1 a check failed, 2 bad input, 3 undecided.\n\n"
    "Example:  trpo-theory bound gym:FrozenLake-v1 --gamma 0.99 --old uniform --new optimal",
)

MdpArgument = Annotated[str, typer.Argument(metavar="MDP", help="gym:ENV_ID, zoo:NAME?key=value, or a file.")]
GammaOption = Annotated[
    str | None, typer.Option("--gamma", metavar="G", help="The discount in [0, 1), such as 0.99 or 99/100.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


Problems = "penalty, max-kl, mean-kl, reverse-max-kl, reverse-mean-kl, max-tv or trpo-step"
ProblemOption = Annotated[str, typer.Option("--problem", metavar="PROBLEM", help=f"{Problems}.")]
DeltaOption = Annotated[str | None, typer.Option("--delta", metavar="D", help="The radius: nats, or total variation.")]
CoefficientOption = Annotated[str | None, typer.Option("--coefficient", metavar="C", help="C of the penalty.")]
BoundOption = Annotated[str | None, typer.Option("--bound", metavar="ID", help="The bound that is the penalty.")]
SolverOption = Annotated[str, typer.Option("--solver", metavar="SOLVER", help="dual, clarabel or scs.")]
AggregateOption = Annotated[
    str | None,
    typer.Option("--aggregate", metavar="MAP", help="A file with one integer a state: equal ones share a row."),
]
OutOption = Annotated[str | None, typer.Option("--out", metavar="FILE", help="Write the result, .npz or .json.")]


@app.callback()
def _verbs() -> None: ...
