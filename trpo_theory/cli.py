"""The command line: verbs over the library's functions, tables for people, one JSON object for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trpo_theory.errors import InvalidInput, NotSolved

if TYPE_CHECKING:
    from rich.console import Console

    from trpo_theory.sources import Source

OK, CHECK_FAILED, BAD_INPUT, UNDECIDED, INTERRUPTED = 0, 1, 2, 3, 130
_SHOWN_STATES = 20

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


@app.callback()
def _verbs() -> None: ...


@app.command(epilog="Example:  trpo-theory evaluate gym:FrozenLake-v1 --gamma 0.99 --policy optimal")
def evaluate(
    mdp: MdpArgument,
    policy: Annotated[str, typer.Option(metavar="POLICY", help="uniform, optimal, or a file.")] = "uniform",
    gamma: GammaOption = None,
    as_json: JsonOption = False,
) -> int:
    """The return and the value of a policy, solved exactly."""
    with _busy("solving"):
        from trpo_theory.evaluation import evaluate
        from trpo_theory.sources import load_policy

        source = _open(mdp, gamma)
        evaluation = evaluate(source.mdp, load_policy(policy, source))
        fields = {
            "expected_return": evaluation.expected_return,
            "states": source.mdp.states,
            "actions": source.mdp.actions,
            "gamma": source.mdp.gamma,
            "value": evaluation.value,
        }
    if as_json:
        return _print_json(fields)
    from rich.table import Table

    console = _console()
    console.print(f"{mdp}: {source.mdp.states} states, {source.mdp.actions} actions, gamma {_digits(source.mdp.gamma)}")
    console.print(f"expected return of {policy}: {_digits(evaluation.expected_return, 12)}", highlight=False)
    console.print(f"error of any value: at most {evaluation.error_bound:.1e}", highlight=False)
    table = Table("state", "value", "visitation", title="values of the first states" if _long(source) else None)
    labels = source.mdp.state_labels or [str(s) for s in range(source.mdp.states)]
    shown = _SHOWN_STATES if _long(source) else source.mdp.states
    for label, value, visits in zip(labels[:shown], evaluation.value, evaluation.visitation, strict=False):
        table.add_row(label, _digits(value, 8), _digits(visits, 8))
    _print_table(console, table)
    if _long(source):
        console.print(f"({source.mdp.states - shown} more states: --json has them all)")
    return OK


@app.command(epilog="Example:  trpo-theory bound 'zoo:f1?x=1/4' --gamma 1/2 --old old --new new")
def bound(
    mdp: MdpArgument,
    old: Annotated[str, typer.Option(metavar="POLICY", help="The policy that we stand at.")],
    new: Annotated[str, typer.Option(metavar="POLICY", help="The candidate.")],
    gamma: GammaOption = None,
    as_json: JsonOption = False,
) -> int:
    """Every lower bound on the return of a new policy, with its slack."""
    with _busy("solving"):
        from trpo_theory import bounds
        from trpo_theory.quantities import compare
        from trpo_theory.sources import load_policy

        source = _open(mdp, gamma)
        q = compare(
            source.mdp, load_policy(old, source, name="old policy"), load_policy(new, source, name="new policy")
        )
        checks = bounds.check_all(q)
        names = (
            *("expected_return_old", "expected_return_new", "surrogate", "max_kl", "reverse_max_kl"),
            *("mean_kl", "max_tv", "max_abs_advantage"),
        )
        fields: dict[str, Any] = {name: getattr(q, name) for name in names}
    holds = all(bool(check.holds) for check in checks)
    if as_json:
        columns = ("id", "penalty", "lower_bound", "slack", "holds")
        fields["bounds"] = [{name: getattr(check, name) for name in columns} for check in checks]
        _print_json(fields)
        return OK if holds else CHECK_FAILED
    from rich.table import Table

    console = _console()
    console.print(f"{mdp}: from {old} to {new}, gamma {_digits(source.mdp.gamma)}")
    summary = Table("quantity", "value")
    for name, value in fields.items():
        summary.add_row(name, _digits(value, 8))
    _print_table(console, summary)
    table = Table("bound", "penalty", "lower bound", "slack", "holds", title="eta(new) >= L - penalty")
    for check in checks:
        numbers = (_digits(value, 6) for value in (check.penalty, check.lower_bound, check.slack))
        table.add_row(check.id, *numbers, "yes" if check.holds else "[bold red]NO[/]")
    _print_table(console, table)
    return OK if holds else CHECK_FAILED


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; every deliberate error becomes one message and an exit status."""
    usage_error: Any = typer.BadParameter.__mro__[1]
    try:
        status = app(arguments, standalone_mode=False)
        return status if isinstance(status, int) else OK
    except InvalidInput as error:
        return _fail(str(error), BAD_INPUT)
    except NotSolved as error:
        return _fail(str(error), UNDECIDED)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        return OK
    except MemoryError:
        return _fail(
            "got an MDP that does not fit in memory; wanted a smaller or sparser one; "
            "to mend it: store the transition as a sparse (S*A, S) matrix",
            BAD_INPUT,
        )
    except usage_error as error:
        message = getattr(error, "format_message", error.__str__)().rstrip(".")
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "trpo-theory"
        problem = message[:1].lower() + message[1:]
        return _fail(
            f"got {problem}; wanted the form that {command} --help shows; to mend it: see its example", BAD_INPUT
        )


def _fail(message: str, status: int) -> int:
    print(f"trpo-theory: {message}", file=sys.stderr)
    return status


def _open(mdp: str, gamma: str | None) -> Source:
    from trpo_theory.sources import open_source

    source = open_source(mdp, gamma=gamma)
    if source.mdp.batch_shape:
        raise InvalidInput(
            got=f"a batch {source.mdp.batch_shape} of MDPs",
            wanted="one MDP",
            mend="save one of them, or use compare() in Python",
        )
    for note in source.notes:
        print(f"note: {note}", file=sys.stderr)
    return source


@contextmanager
def _busy(doing: str) -> Iterator[None]:
    """A spinner on stderr while a person waits; nothing where stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(doing):
        yield


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def _print_table(console: Console, table: Any) -> None:
    from rich import box

    table.box = box.SIMPLE_HEAD
    for column in table.columns[1:]:
        column.justify = "right"
        column.no_wrap = True
    console.print(table)


def _long(source: Source) -> bool:
    return source.mdp.states > 2 * _SHOWN_STATES


def _digits(value: Any, digits: int = 10) -> str:
    return f"{float(value):.{digits}g}"


def _print_json(fields: dict[str, Any]) -> int:
    print(json.dumps(_plain(fields), allow_nan=False))
    return OK


def _plain(value: Any) -> Any:
    """Python's own numbers, strict JSON: an infinite divergence or penalty is the string "inf"."""
    import numpy as np

    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value


if __name__ == "__main__":
    sys.exit(main())
