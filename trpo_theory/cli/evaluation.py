"""`evaluate`: the return and the value of one policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trpo_theory.cli.options import (
    OK,
    CriterionOption,
    GammaOption,
    HorizonOption,
    JsonOption,
    MdpArgument,
    StrictOption,
    TemperatureOption,
    app,
)
from trpo_theory.cli.output import busy, digits, discount_words, opened, policy_of, print_json, setting_words
from trpo_theory.cli.terminal import literal, new_console, print_table

if TYPE_CHECKING:
    from trpo_theory.loading.sources import Source
    from trpo_theory.solve.evaluation import Evaluation

_CONSTANTS = {
    "longest_run": "longest expected time to the end, over starts (steps)",
    "kemeny": "Kemeny's constant kappa, the trace of Z = inverse of I - P + 1 d (steps)",
    "mixing": "tau, half the largest L1 distance of two rows of Z (steps)",
}
"""Of `Evaluation`, in words."""
_MANY_STATES = 300
"""Beyond so many states constants that cost a solve for each state are not shown. Chosen: a tenth of a second."""
_SHOWN_STATES = 20
"""Of a table of states: a screenful. Chosen."""


@app.command(
    epilog="The best policy with a price of entropy:  trpo-theory evaluate gym:FrozenLake-v1 --gamma 0.99 --temperature 0.01 "
    "--policy optimal\n\n"
    "Example:  trpo-theory evaluate gym:FrozenLake-v1 --gamma 0.99 --policy optimal"
)
def evaluate(
    mdp: MdpArgument,
    policy: Annotated[
        str, typer.Option(metavar="POLICY", help="uniform, optimal, old or new (if the MDP has them), or a file.")
    ] = "uniform",
    gamma: GammaOption = None,
    criterion: CriterionOption = None,
    horizon: HorizonOption = None,
    temperature: TemperatureOption = None,
    strict: StrictOption = False,
    as_json: JsonOption = False,
) -> int:
    """The return and the value of a policy, solved exactly.

    With a horizon, values are those of the first step; --json has those of every step.
    """
    with busy("solving"):
        from trpo_theory.solve.evaluation import evaluate

        source = opened(mdp, gamma, criterion)
        rows = policy_of(policy, source, criterion=criterion, horizon=horizon, temperature=temperature)
        evaluation = evaluate(source.mdp, rows, criterion=criterion, horizon=horizon, temperature=temperature)
        fields = {
            "expected_return": evaluation.expected_return,
            "states": source.mdp.states,
            "actions": source.mdp.actions,
            "gamma": source.mdp.gamma,
            "value": evaluation.value,
            "criterion": evaluation.criterion,
            "horizon": evaluation.horizon,
        }
        if evaluation.costs:
            fields["costs"] = {name: cost.expected_return for name, cost in evaluation.costs.items()}
        fields |= _constants(evaluation, source.mdp.states)
    if as_json:
        return print_json(fields)
    steps = rows.shape[0] if rows.ndim == 3 else None
    setting = setting_words(evaluation.criterion, horizon, temperature)
    _print_evaluation(literal(mdp), literal(policy), source, evaluation, fields, setting, steps)
    return OK


def _print_evaluation(
    mdp: str, policy: str, source: Any, evaluation: Evaluation, fields: dict[str, Any], setting: str, steps: int | None
) -> None:
    from rich.table import Table

    console = new_console()
    average = evaluation.criterion == "average"
    discount = discount_words(evaluation.criterion, source.mdp.gamma)
    console.print(f"{mdp}: {source.mdp.states} states, {source.mdp.actions} actions{discount}{setting}")
    returned = "gain (average reward a step)" if average else "expected return"
    by_step = "" if steps is None else f" (a policy for each of {steps} steps)"
    console.print(f"{returned} of {policy}{by_step}: {digits(evaluation.expected_return, 12)}", highlight=False)
    for name, cost in evaluation.costs.items():
        console.print(f"{returned} of cost {literal(name)}: {digits(cost.expected_return, 12)}", highlight=False)
    for name, words in _CONSTANTS.items():
        if name in fields:
            console.print(f"{words}: {digits(fields[name], 8)}", highlight=False)
    kind = "bias" if average else "value"
    console.print(f"error of any {kind}: at most {evaluation.error_bound:.1e}", highlight=False)
    columns = ("bias", "stationary law") if average else ("value", "visitation")
    title = f"{'biases' if average else 'values'} of the first states" if _is_long(source) else None
    table = Table("state", *columns, title=title)
    labels = source.mdp.state_labels or [str(s) for s in range(source.mdp.states)]
    shown = _SHOWN_STATES if _is_long(source) else source.mdp.states
    values, visitation = evaluation.value, evaluation.visitation
    if evaluation.horizon is not None:
        values, visitation = values[0], visitation.sum(0)
    for label, value, visits in zip(labels[:shown], values, visitation, strict=False):
        table.add_row(literal(str(label)), digits(value, 8), digits(visits, 8))
    print_table(console, table)
    if _is_long(source):
        console.print(f"({source.mdp.states - shown} more states: --json has them all)")


def _constants(evaluation: Evaluation, states: int) -> dict[str, Any]:
    """What bounds of the criterion read of the policy's chain; not for many states."""
    found = {name: getattr(evaluation, name) for name in _CONSTANTS} if states <= _MANY_STATES else {}
    return {name: value for name, value in found.items() if value is not None}


def _is_long(source: Source) -> bool:
    return source.mdp.states > 2 * _SHOWN_STATES
