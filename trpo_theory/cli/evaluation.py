"""The verbs that look at policies: evaluate and bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trpo_theory.cli.options import CHECK_FAILED, OK, GammaOption, JsonOption, MdpArgument, app
from trpo_theory.cli.output import busy, digits, new_console, opened, print_fields, print_json, print_table

if TYPE_CHECKING:
    from trpo_theory.sources import Source

_SHOWN_STATES = 20


@app.command(epilog="Example:  trpo-theory evaluate gym:FrozenLake-v1 --gamma 0.99 --policy optimal")
def evaluate(
    mdp: MdpArgument,
    policy: Annotated[str, typer.Option(metavar="POLICY", help="uniform, optimal, or a file.")] = "uniform",
    gamma: GammaOption = None,
    as_json: JsonOption = False,
) -> int:
    """The return and the value of a policy, solved exactly."""
    with busy("solving"):
        from trpo_theory.evaluation import evaluate
        from trpo_theory.sources import load_policy

        source = opened(mdp, gamma)
        evaluation = evaluate(source.mdp, load_policy(policy, source))
        fields = {
            "expected_return": evaluation.expected_return,
            "states": source.mdp.states,
            "actions": source.mdp.actions,
            "gamma": source.mdp.gamma,
            "value": evaluation.value,
        }
    if as_json:
        return print_json(fields)
    from rich.table import Table

    console = new_console()
    console.print(f"{mdp}: {source.mdp.states} states, {source.mdp.actions} actions, gamma {digits(source.mdp.gamma)}")
    console.print(f"expected return of {policy}: {digits(evaluation.expected_return, 12)}", highlight=False)
    console.print(f"error of any value: at most {evaluation.error_bound:.1e}", highlight=False)
    table = Table("state", "value", "visitation", title="values of the first states" if _is_long(source) else None)
    labels = source.mdp.state_labels or [str(s) for s in range(source.mdp.states)]
    shown = _SHOWN_STATES if _is_long(source) else source.mdp.states
    for label, value, visits in zip(labels[:shown], evaluation.value, evaluation.visitation, strict=False):
        table.add_row(label, digits(value, 8), digits(visits, 8))
    print_table(console, table)
    if _is_long(source):
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
    with busy("solving"):
        from trpo_theory import bounds
        from trpo_theory.quantities import compare
        from trpo_theory.sources import load_policy

        source = opened(mdp, gamma)
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
        print_json(fields)
        return OK if holds else CHECK_FAILED
    from rich.table import Table

    console = new_console()
    console.print(f"{mdp}: from {old} to {new}, gamma {digits(source.mdp.gamma)}")
    print_fields(console, fields)
    table = Table("bound", "penalty", "lower bound", "slack", "holds", title="eta(new) >= L - penalty")
    for check in checks:
        numbers = (digits(value, 6) for value in (check.penalty, check.lower_bound, check.slack))
        table.add_row(check.id, *numbers, "yes" if check.holds else "[bold red]NO[/]")
    print_table(console, table)
    return OK if holds else CHECK_FAILED


def _is_long(source: Source) -> bool:
    return source.mdp.states > 2 * _SHOWN_STATES
