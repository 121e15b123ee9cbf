"""The verbs that change policies: update and improve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trpo_theory._outward import Toward
from trpo_theory.cli.constraining import expect_alone, print_constrained
from trpo_theory.cli.options import (
    OK,
    UNDECIDED,
    AggregateOption,
    BoundOption,
    CoefficientOption,
    CostOption,
    DeltaOption,
    GammaOption,
    JsonOption,
    ListedHelp,
    MdpArgument,
    OutOption,
    ProblemOption,
    SolverOption,
    app,
)
from trpo_theory.cli.output import (
    busy,
    digits,
    literal,
    new_console,
    opened,
    policy_of,
    print_fields,
    print_json,
    print_table,
    progress,
)
from trpo_theory.errors import InvalidInput

if TYPE_CHECKING:
    from trpo_theory.updates import Problem, TRPOStep, UpdateSolution


CERTIFIED = "certified"
"""In the place of a radius: the largest whose own step --bound certifies."""

_HEADINGS = {"expected_return": "eta(new)", "surrogate": "L", "max_kl": "max-KL", "mean_kl": "mean-KL"}
"""Of the table of `improve`, where they are not the names of the fields."""

_LEAST_GAP = 1e-12
"""The relative gap below which the table says no more than that: where rounding begins to make gaps of nothing."""


@app.command(
    cls=ListedHelp,
    epilog="A radius that a bound certifies:  trpo-theory update gym:FrozenLake-v1 --gamma 0.9 --old uniform --problem "
    "reverse-max-chi2 --delta certified --bound chi2/mean-max\n\n"
    "Example:  trpo-theory update gym:FrozenLake-v1 --gamma 0.99 --old uniform --problem max-kl --delta 0.01",
)
def update(
    mdp: MdpArgument,
    old: Annotated[str, typer.Option(metavar="POLICY", help="The policy that we stand at.")],
    problem: ProblemOption,
    delta: DeltaOption = None,
    coefficient: CoefficientOption = None,
    bound: BoundOption = None,
    solver: SolverOption = "dual",
    aggregate: AggregateOption = None,
    cost: CostOption = None,
    certify: Annotated[
        bool, typer.Option("--certify", help="Prove objective and upper bound; --out then writes the proof, .json.")
    ] = False,
    out: OutOption = None,
    gamma: GammaOption = None,
    as_json: JsonOption = False,
) -> int:
    """Solve problem (11), (12) or (13), or a sibling, with a certificate of how good the answer is."""
    with busy("solving"):
        from trpo_theory import io, updates
        from trpo_theory.io.evidence_files import checked_evidence_path
        from trpo_theory.loading.sources import exact_step, load_aggregation

        if certify:
            _expect_radius(delta)
            if out is not None:
                checked_evidence_path(out, "the proof of a gap")
        value = _problem(problem, delta, coefficient, bound)
        source = opened(mdp, gamma)
        start = policy_of(old, source, "old policy")
        if cost:
            expect_alone(certify=certify, aggregate=aggregate, solver=solver != "dual", bound=bound)
            return print_constrained(mdp, source, start, problem, value, cost, out, as_json)
        solution = updates.update(
            source.mdp,
            start,
            value,
            solver=updates.solver_named(solver),
            aggregation=None if aggregate is None else load_aggregation(aggregate),
        )
        fields: dict[str, Any] = {"problem": problem, "solver": str(solution.solver)}
        names = ("objective", "upper_bound", "gap", "surrogate_gain", "expected_return_old", "expected_return_new")
        fields |= {name: getattr(solution, name) for name in (*names, "max_kl", "mean_kl", "reverse_max_chi2")}
        if isinstance(solution, updates.CertifiedUpdate):
            fields |= {"bound": solution.request.id, "radius": solution.radius, "promise": solution.promise}
        fields |= {"status": str(solution.status), "policy": solution.policy}
        if certify:
            exact = exact_step(source, old=old) | _exact_amount(delta, coefficient)
            fields |= _proved(solution, exact, out)
    if out is not None and not certify:
        io.write_fields({"policy": solution.policy, "old": start}, out)
    status = OK if solution.status.solved else UNDECIDED
    if as_json:
        print_json(fields)
        return status
    console = new_console()
    console.print(f"{literal(mdp)}: {problem} from {literal(old)}, gamma {digits(source.mdp.gamma)}")
    _print_solution(console, solution, fields)
    if out is not None:
        console.print(f"the {'proof' if certify else 'policy'} is in {literal(out)}")
    return status


def _print_solution(console: Any, solution: Any, fields: dict[str, Any]) -> None:
    """What is known of a solution, and what to do about it."""
    from trpo_theory import updates

    shown = {name: value for name, value in fields.items() if name not in ("policy", "gap", "certified", "proved_gap")}
    shown["relative gap"] = _relative(fields["gap"], fields["objective"])
    print_fields(console, shown, {"proved_objective": Toward.DOWN, "proved_upper_bound": Toward.UP})
    if isinstance(solution, updates.CertifiedUpdate) and solution.certified:
        console.print(
            f"the largest certified step is where the promise reaches 0; a share {solution.request.mix:g} of old is mixed in,\n"
            "and the relative gap is at least that"
        )
    for words in (solution.note, solution.advice):
        if words:
            console.print(words)


def _expect_radius(delta: str | None) -> None:
    if delta == CERTIFIED:
        raise InvalidInput(
            got=f"--certify with --delta {CERTIFIED}",
            wanted="a radius: --certify proves how good the solution at a radius is, of which a share of old is no part",
            fix="drop --certify; bound MDP --old POLICY --new FILE --certify proves what the bound promises of the step",
        )


def _exact_amount(delta: str | None, coefficient: str | None) -> dict[str, Any]:
    """The radius or the coefficient as it is written."""
    from trpo_theory.loading.reader import rational

    given = {"delta": delta, "coefficient": coefficient}
    return {name: rational(text, name) for name, text in given.items() if text is not None}


def _proved(solution: UpdateSolution, exact: dict[str, Any], out: str | None) -> dict[str, Any]:
    """What is proved of the gap in ball arithmetic, after the proof is written where a file is named."""
    from trpo_theory.proofs.update_gap import certify_update

    proof = certify_update(solution, exact=exact)
    if out is not None:
        proof.write(out)
    return {
        "certified": True,
        "proved_objective": proof.objective,
        "proved_upper_bound": proof.upper_bound,
        "proved_gap": proof.gap,
    }


@app.command(
    cls=ListedHelp,
    epilog="Steps none of which lowers the return:  trpo-theory improve gym:FrozenLake-v1 --gamma 0.9 --problem "
    "reverse-max-chi2 --delta certified --bound chi2/mean-max --steps 20\n\n"
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
    out: OutOption = None,
    gamma: GammaOption = None,
    as_json: JsonOption = False,
) -> int:
    """Iterate an update problem, and say what happened at every step."""
    from trpo_theory import io, updates
    from trpo_theory.loading.sources import load_aggregation

    value = _problem(problem, delta, coefficient, bound)
    count = _whole(steps, "--steps")
    source = opened(mdp, gamma)
    start = policy_of(old, source, "old policy")
    with progress("improving", count) as advance:
        trace = updates.improve(
            source.mdp,
            value,
            count,
            old=start,
            solver=updates.solver_named(solver),
            aggregation=None if aggregate is None else load_aggregation(aggregate),
            advance=advance,
        )
    rows = [dict(vars(step)) for step in trace.steps]
    if out is not None:
        io.write_fields({"policy": trace.policy, "old": start}, out)
    solved = all(updates.Status(row["status"]).solved for row in rows)
    if as_json:
        columns = (
            *("index", "expected_return", "surrogate", "max_kl", "mean_kl", "reverse_max_chi2"),
            *("objective", "gap"),
        )
        columns += ("radius", "promise") if delta == CERTIFIED else ()
        shown = [{name: row[name] for name in columns} for row in rows]
        print_json({"problem": problem, "reason": str(trace.reason), "decreases": trace.decreases, "steps": shown})
        return OK if solved else UNDECIDED
    console = new_console()
    console.print(f"{literal(mdp)}: {problem} from {literal(old)}, expected return {digits(trace.initial_return)}")
    _print_steps(console, rows, certified=delta == CERTIFIED)
    console.print(f"ended: {trace.reason}; steps that lowered the return: {trace.decreases}")
    return OK if solved else UNDECIDED


def _print_steps(console: Any, rows: list[dict[str, Any]], *, certified: bool) -> None:
    from rich.table import Table

    names = ["expected_return", "surrogate", "max_kl", "mean_kl", "objective"]
    places = 6
    if certified:  # the objective is L less the return before: a line of 100 characters
        names = [*names[:1], *names[2:], "radius", "promise"]
        places = 5
    table = Table("#", *(_HEADINGS.get(name, name) for name in names), "rel. gap")
    for row in rows:
        numbers = (row[name] for name in names)
        table.add_row(
            str(row["index"]), *(digits(number, places) for number in numbers), _relative(row["gap"], row["objective"])
        )
    print_table(console, table)


def _problem(name: str, delta: str | None, coefficient: str | None, bound: str | None) -> Problem | TRPOStep:
    """The problem that the options say; the ones that do not belong to it are refused."""
    from trpo_theory import updates
    from trpo_theory._checks import unknown_name
    from trpo_theory.loading.reader import number

    with_radius = updates.with_radius()
    if name == updates.Penalty.name:
        if delta is not None:
            raise InvalidInput(
                got=f"--delta {delta} with --problem penalty",
                wanted="--coefficient C or --bound ID",
                fix="drop --delta, or ask for --problem max-kl",
            )
        return updates.Penalty(None if coefficient is None else number(coefficient, "--coefficient"), bound)
    if name not in with_radius:
        raise unknown_name("problem", name, updates.problem_names())
    if delta == CERTIFIED and bound is not None and coefficient is None:
        return with_radius[name](updates.Certified(bound))
    if delta == CERTIFIED and bound is None:
        raise InvalidInput(
            got=f"--delta {CERTIFIED} without --bound",
            wanted="the bound that certifies the step",
            fix="write --bound chi2/expected-advantage, or another id of: trpo-theory claims",
        )
    if coefficient is not None or bound is not None or delta is None:
        raise InvalidInput(
            got=f"--problem {name} with"
            + ("out --delta" if delta is None else f" --delta {delta} and --coefficient or --bound"),
            wanted=f"--delta D, and nothing else, or --delta {CERTIFIED} --bound ID",
            fix="write --delta 0.01"
            if delta is None
            else f"drop it, ask for --problem penalty, or write --delta {CERTIFIED} --bound {bound or 'chi2/mean-max'}",
        )
    return with_radius[name](number(delta, "--delta"))


def _relative(gap: float, objective: float) -> str:
    """The relative gap to one digit; what rounding makes of a gap of nothing is not shown."""
    if abs(gap) <= _LEAST_GAP * abs(objective):
        return f"< {_LEAST_GAP:.0e}"
    return f"{gap / abs(objective):.0e}" if objective else f"gap {gap:.0e}"


def _whole(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text[:9]) > 0 or len(text) > 9:
        raise InvalidInput(got=f"{name} {text[:40]!r}", wanted="a whole number, 1 or more", fix=f"write {name} 20")
    return int(text)
