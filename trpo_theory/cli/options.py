"""The Typer application, and the arguments that commands share."""

from __future__ import annotations

import copy
import functools
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption
from typer.models import CommandInfo

from trpo_theory.cli.conversion import convert_where_needed
from trpo_theory.errors import InvalidInput

OK, CHECK_FAILED, BAD_INPUT, UNDECIDED, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit statuses, a public contract; 130 is the shell's for an interruption."""

app: typer.Typer = typer.Typer(
    name="trpo-theory",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Solve finite MDPs exactly and put the theory behind TRPO to the test.\n\n"
    "MDP is gym:ENV_ID?option=value, zoo:NAME?key=value, or a .npz, .json, .csv, .POMDP or .MDP file. POLICY is uniform, "
    "optimal, old or new (of a zoo family or a file that carries them), or a .npy, .npz or .json file.\n\n"
    "Exit status: 0 as claimed, 1 a check failed, 2 bad input or a fault of the surroundings, 3 undecided.\n\n"
    "Example:  trpo-theory bound gym:FrozenLake-v1 --gamma 0.99 --old uniform --new optimal",
)


def command_for(arguments: Sequence[str]) -> Any:
    """The command line with the one verb that the arguments begin with; with all where they begin with none."""
    verbs = {verb.name or getattr(verb.callback, "__name__", ""): verb for verb in app.registered_commands}
    one = verbs.get(arguments[0]) if arguments else None
    return _command(*([one] if one else verbs.values()))


@functools.cache
def _command(*verbs: CommandInfo) -> Any:
    """Typer reads all options of its verbs from the annotations of their functions: once a process, 2 ms a verb."""
    some = copy.copy(app)
    some.registered_commands = list(verbs)
    command = typer.main.get_command(some)
    convert_where_needed(command)
    return command


LISTED = "One of the names that --help lists."
"""The help of an option whose choices a catalogue lists: `ListedHelp` replaces it where --help is asked for."""


class ListedHelp(TyperCommand):
    """A command whose --help lists problems and solvers from their catalogues, which are loaded only then."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Fill in what depends on the catalogues as they are now, and print."""
        from trpo_theory import updates

        choices = {"problem": updates.problem_names(), "solver": tuple(updates.SOLVERS)}
        listed = [param for param in self.params if isinstance(param, TyperOption) and param.help == LISTED]
        for param in listed:
            *first, last = choices[str(param.name)]
            param.help = f"{', '.join(first)} or {last}."
        super().format_help(ctx, formatter)
        for param in listed:
            param.help = LISTED


MdpArgument = Annotated[str, typer.Argument(metavar="MDP", help="gym:ENV_ID, zoo:NAME?key=value, or a file.")]
GammaOption = Annotated[
    str | None,
    typer.Option("--gamma", metavar="G", help="The discount, such as 0.99 or 99/100; 1 for an MDP that ends."),
]
CriterionOption = Annotated[
    str | None,
    typer.Option(
        "--criterion",
        metavar="C",
        help="discounted, episodic (up to the end; gamma may be 1) or average. Default: episodic for gamma 1.",
    ),
]
HorizonOption = Annotated[
    int | None, typer.Option("--horizon", metavar="T", help="The return of T steps; gamma may be 1.")
]
TemperatureOption = Annotated[
    float | None, typer.Option("--temperature", metavar="TAU", help="Count TAU times the entropy of the policy.")
]
RefusedTemperatureOption = Annotated[
    float | None,
    typer.Option(
        "--temperature", metavar="TAU", help="Refused but for 0; evaluate --policy optimal --temperature TAU."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]

LatexOption = Annotated[
    bool, typer.Option("--latex", help="Print a table for a paper (LaTeX, booktabs) and nothing else.")
]

ProblemOption = Annotated[str, typer.Option("--problem", metavar="PROBLEM", help=LISTED)]
CostOption = Annotated[
    list[str] | None,
    typer.Option(
        "--cost", metavar="NAME:LIMIT", help="A limit on the surrogate of a cost; may be given several times."
    ),
]
DeltaOption = Annotated[
    str | None,
    typer.Option(
        "--delta",
        metavar="D",
        help="The radius: nats, chi-square or total variation; or certified, the largest whose step --bound certifies.",
    ),
]
CoefficientOption = Annotated[str | None, typer.Option("--coefficient", metavar="C", help="C of the penalty.")]
BoundOption = Annotated[
    str | None, typer.Option("--bound", metavar="ID", help="The bound that is the penalty, or certifies.")
]
SolverOption = Annotated[str, typer.Option("--solver", metavar="SOLVER", help=LISTED)]
AggregateOption = Annotated[
    str | None,
    typer.Option("--aggregate", metavar="MAP", help="A file with one integer a state: equal ones share a row."),
]


def expect_one_form(*, json: bool, latex: bool, name: str = "--latex") -> None:
    """Refuse two forms of output at once.

    Raises:
        InvalidInput: for both.
    """
    if json and latex:
        raise InvalidInput(got=f"--json and {name}", wanted="one form of output", fix="drop one of them")


def named(param: typer.CallbackParam, value: str | None) -> str | None:
    """The path of an option, unless it is empty, as of a shell's variable that is not set.

    Raises:
        InvalidInput: for an empty one.
    """
    if value is not None and not value.strip():
        option = param.opts[0]
        raise InvalidInput(got=f"an empty {option}", wanted="a path", fix=f"name one, or leave {option} out")
    return value


def _strictly(ctx: typer.Context, value: bool) -> bool:
    """While the command runs, rows that were rounded to few digits are refused."""
    if value:
        from trpo_theory.entries.reading import reading

        ctx.with_resource(reading(strict=True))
    return value


StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Refuse rows of probabilities rounded to few digits, instead of dividing them by their sums with a note.",
        callback=_strictly,
    ),
]


WitnessOutOption = Annotated[
    str | None, typer.Option("--out", metavar="WITNESS.json", help="Write the witness there.", callback=named)
]
OldOption = Annotated[str, typer.Option("--old", metavar="POLICY", help="The policy that we stand at.")]
ClaimArgument = Annotated[str, typer.Argument(metavar="ID", help="A claim of the catalogue, or of --from.")]
OutOption = Annotated[
    str | None, typer.Option("--out", metavar="FILE", help="Write the result, .npz or .json.", callback=named)
]


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"trpo-theory {sys.modules['trpo_theory'].__version__}")
        raise typer.Exit


@app.callback()
def _verbs(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None: ...
