"""The verb that iterates updates: improve."""

from __future__ import annotations

import math
from typing import Annotated, Any

import typer

from trpo_theory.cli.options import (
    OK,
    UNDECIDED,
    AggregateOption,
    BoundOption,
    CoefficientOption,
    CostOption,
    CriterionOption,
    DeltaOption,
    GammaOption,
    HorizonOption,
    JsonOption,
    ListedHelp,
    MdpArgument,
    OutOption,
    ProblemOption,
    RefusedTemperatureOption,
    SolverOption,
    StrictOption,
    app,
)
from trpo_theory.cli.output import digits, expect_not_the_mdp, opened, policy_of, print_json, progress, setting_words
from trpo_theory.cli.problems import CERTIFIED, problem_of, relative
from trpo_theory.cli.terminal import literal, new_console, print_table
from trpo_theory.errors import InvalidInput

_HEADINGS = {"expected_return": "eta(new)", "surrogate": "L", "max_kl": "max-KL", "mean_kl": "mean-KL"}
"""Of the table of `improve`, where they are not the names of the fields."""


@app.command(
    cls=ListedHelp,
    epilog="Steps none of which lowers the return:  trpo-theory improve gym:FrozenLake-v1 --gamma 0.9 --problem "
    "reverse-max-chi2 --delta certified --bound chi2/mean-max --steps 20\n\n"
    "Average rewards, with a limit on a cost:  trpo-theory improve zoo:queue --criterion average --problem max-kl --delta "
    "0.5 --cost fast:0.2 --steps 20\n\n"
    "Over 100 steps, without a discount:  trpo-theory improve gym:FrozenLake-v1 --gamma 1 --horizon 100 --problem max-kl "
    "--delta 0.1 --steps 20\n\n"
    "Example:  trpo-theory improve gym:FrozenLake-v1 --gamma 0.99 --problem mean-kl --delta 0.01 --steps 20",
)
def improve(
    mdp: MdpArgument,
    problem: ProblemOption,
    steps: Annotated[str, typer.Option(metavar="N", help="How many updates at most.")],
    old: Annotated[str, typer.Option(metavar="POLICY", help="Where to start.")] = "uniform",
    delta: DeltaOption = None,
    coefficient: CoefficientOption = None,
    bound: BoundOption = None,
    solver: SolverOption = "dual",
    aggregate: AggregateOption = None,
    cost: CostOption = None,
    out: OutOption = None,
    gamma: GammaOption = None,
    criterion: CriterionOption = None,
    horizon: HorizonOption = None,
    temperature: RefusedTemperatureOption = None,
    strict: StrictOption = False,
    as_json: JsonOption = False,
) -> int:
    """Iterate an update problem, and say what happened at every step."""
    from trpo_theory import io, updates
    from trpo_theory.loading.sources import load_aggregation

    value = problem_of(problem, delta, coefficient, bound, cost)
    count = _whole(steps, "--steps")
    expect_not_the_mdp(out, mdp)
    source = opened(mdp, gamma, criterion)
    start = policy_of(old, source, "old policy", criterion=criterion, horizon=horizon)
    with progress("improving", count) as advance:
        trace = updates.improve(
            source.mdp,
            value,
            count,
            old=start,
            solver=updates.solver_named(solver),
            aggregation=None if aggregate is None else load_aggregation(aggregate),
            advance=advance,
            criterion=criterion,
            horizon=horizon,
            temperature=temperature,
        )
    rows = [dict(vars(step)) for step in trace.steps]
    if out is not None:
        io.write_fields({"policy": trace.policy, "old": start}, out)
    solved = all(updates.Status(row["status"]).solved for row in rows)
    if as_json:
        shown = [_json_row(row, delta == CERTIFIED, bool(cost)) for row in rows]
        print_json({"problem": problem, "reason": str(trace.reason), "decreases": trace.decreases, "steps": shown})
        return OK if solved else UNDECIDED
    console = new_console()
    start_words = f"{problem} from {literal(old)}{setting_words(criterion, horizon, None)}"
    console.print(f"{literal(mdp)}: {start_words}, expected return {digits(trace.initial_return)}")
    _print_steps(console, rows, certified=delta == CERTIFIED)
    console.print(f"ended: {trace.reason}; steps that lowered the return: {trace.decreases}")
    if cost:
        console.print(
            f"steps after which a cost exceeded its limit: {trace.exceeded} (limits are on the surrogates of costs); "
            f"steps without a policy within the limits: {_recoveries(rows)}"
        )
    if out is not None:
        console.print(f"the policy is in {literal(out)}")
    return OK if solved else UNDECIDED


def _json_row(row: dict[str, Any], certified: bool, limited: bool) -> dict[str, Any]:
    columns = ("index", "expected_return", "surrogate", "max_kl", "mean_kl", "reverse_max_chi2", "objective", "gap")
    columns += ("radius", "promise") if certified else ()
    columns += ("costs",) if limited else ()
    return {name: None if row[name] == -math.inf else row[name] for name in columns}


def _print_steps(console: Any, rows: list[dict[str, Any]], *, certified: bool) -> None:
    from rich.table import Table

    names = ["expected_return", "surrogate", "max_kl", "mean_kl", "objective"]
    places = 6
    if certified:  # the objective is L less the return before: a line of 100 characters
        names = [*names[:1], *names[2:], "radius", "promise"]
        places = 5
    limited = list(rows[0]["costs"] or ()) if rows else []
    table = Table(
        "#", *(_HEADINGS.get(name, name) for name in names), "rel. gap", *(f"J({literal(name)})" for name in limited)
    )
    for row in rows:
        numbers = (row[name] for name in names)
        table.add_row(
            str(row["index"]),
            *(digits(number, places) for number in numbers),
            "recovery" if math.isinf(row["gap"]) else relative(row["gap"], row["objective"]),
            *(digits(row["costs"][name], places) for name in limited),
        )
    print_table(console, table)


def _recoveries(rows: list[dict[str, Any]]) -> int:
    """How many steps are recovery steps."""
    from trpo_theory.updates import Status

    return sum(row["status"] == str(Status.RECOVERY) for row in rows)


def _whole(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text[:9]) > 0 or len(text) > 9:
        raise InvalidInput(got=f"{name} {text[:40]!r}", wanted="a whole number, 1 or more", fix=f"write {name} 20")
    return int(text)
