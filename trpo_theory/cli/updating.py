"""The verb that changes a policy: update."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trpo_theory._outward import Toward
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
    LatexOption,
    ListedHelp,
    MdpArgument,
    OldOption,
    OutOption,
    ProblemOption,
    RefusedTemperatureOption,
    SolverOption,
    StrictOption,
    app,
    expect_one_form,
)
from trpo_theory.cli.output import (
    busy,
    discount_words,
    expect_not_the_mdp,
    opened,
    policy_of,
    print_fields,
    print_json,
    print_latex,
    setting_words,
)
from trpo_theory.cli.problems import CERTIFIED, exact_limits, problem_of, relative
from trpo_theory.cli.terminal import literal, new_console
from trpo_theory.errors import InvalidInput

if TYPE_CHECKING:
    from trpo_theory.updates import ConstrainedUpdate, UpdateSolution

_OUTWARD = {"proved_objective": Toward.DOWN, "proved_upper_bound": Toward.UP}
"""The direction in which digits of proved ends are rounded."""


@app.command(
    cls=ListedHelp,
    epilog="A radius that a bound certifies:  trpo-theory update gym:FrozenLake-v1 --gamma 0.9 --old uniform --problem "
    "reverse-max-chi2 --delta certified --bound chi2/mean-max\n\n"
    "Average rewards, with a limit on a cost:  trpo-theory update zoo:queue --criterion average --old uniform --problem "
    "max-kl --delta 0.1 --cost fast:0.39\n\n"
    "Up to the end, without a discount:  trpo-theory update gym:FrozenLake-v1 --gamma 1 --old uniform --problem mean-kl "
    "--delta 0.01\n\n"
    "Example:  trpo-theory update gym:FrozenLake-v1 --gamma 0.99 --old uniform --problem max-kl --delta 0.01",
)
def update(
    mdp: MdpArgument,
    old: OldOption,
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
    criterion: CriterionOption = None,
    horizon: HorizonOption = None,
    temperature: RefusedTemperatureOption = None,
    strict: StrictOption = False,
    as_json: JsonOption = False,
    latex: LatexOption = False,
) -> int:
    """Solve an update problem, penalty (11), max-KL (12), mean-KL (13) or a sibling, and certify how good the answer is.

    With a horizon the new policy is one for each step. With --cost the surrogates of costs keep limits.
    """
    expect_one_form(json=as_json, latex=latex)
    expect_not_the_mdp(out, mdp)
    with busy("solving"):
        from trpo_theory import io, updates
        from trpo_theory.loading.sources import exact_step, load_aggregation

        if certify:
            _expect_provable(delta, criterion, horizon, out)
        value = problem_of(problem, delta, coefficient, bound, cost)
        source = opened(mdp, gamma, criterion)
        start = policy_of(old, source, "old policy", criterion=criterion, horizon=horizon)
        solution = updates.update(
            source.mdp,
            start,
            value,
            solver=updates.solver_named(solver),
            aggregation=None if aggregate is None else load_aggregation(aggregate),
            criterion=criterion,
            horizon=horizon,
            temperature=temperature,
        )
        fields: dict[str, Any] = {"problem": problem, "solver": str(solution.solver)} | _of_solution(solution)
        if certify:
            exact = exact_step(source, old=old) | _exact_amount(delta, coefficient)
            exact |= {"limits": exact_limits(cost)} if cost else {}
            fields |= _proved(solution, exact, out)
    if out is not None and not certify:
        io.write_fields({"policy": solution.policy, "old": start}, out)
    status = OK if solution.status.solved else UNDECIDED
    if as_json:
        return print_json(fields, status)
    summed = criterion or ("episodic" if horizon is None and source.mdp.gamma == 1 else None)
    words = f"{discount_words(criterion, source.mdp.gamma)}{setting_words(summed, horizon, None)}"
    words = f"{mdp}: {problem} from {old}{words}"
    if latex:
        from trpo_theory.report.step_tables import quantities_table

        print_latex(
            quantities_table(_shown(fields), caption="The update", setting=words, label="tab:update", outward=_OUTWARD)
        )
        return status
    console = new_console()
    console.print(literal(words))
    _print_solution(console, solution, fields)
    if out is not None:
        console.print(f"the {'proof' if certify else 'policy'} is in {literal(out)}")
    return status


def _of_solution(solution: UpdateSolution) -> dict[str, Any]:
    """What is printed of an update, of whatever kind."""
    from trpo_theory import updates

    names = ("objective", "upper_bound", "gap", "surrogate_gain", "expected_return_old", "expected_return_new")
    fields = {name: getattr(solution, name) for name in (*names, "max_kl", "mean_kl", "reverse_max_chi2")}
    if isinstance(solution, updates.CertifiedUpdate):
        fields |= {"bound": solution.request.id, "radius": solution.radius, "promise": solution.promise}
    if isinstance(solution, updates.ConstrainedUpdate):
        fields |= _of_costs(solution)
    return fields | {"status": str(solution.status), "policy": solution.policy}


def _print_solution(console: Any, solution: Any, fields: dict[str, Any]) -> None:
    """What is known of a solution, and what to do about it."""
    from trpo_theory import updates

    word, _, reason = fields["status"].partition(": ")
    print_fields(console, _shown(fields), _OUTWARD)
    if reason:
        console.print(f"{word}: {reason}")
    if isinstance(solution, updates.CertifiedUpdate) and solution.certified:
        console.print(
            f"the largest certified step is where the promise reaches 0; a share {solution.request.mix:g} of old is mixed in,\n"
            "and the relative gap is at least that"
        )
    for words in (solution.note, solution.advice):
        if words:
            console.print(words)


def _shown(fields: dict[str, Any]) -> dict[str, Any]:
    """What a table has, of costs one row for each number; the status is the word alone."""
    unshown = ("policy", "gap", "certified", "proved_gap", "costs", "prices")
    shown = {name: value for name, value in fields.items() if name not in unshown and value is not None}
    for name, row in fields.get("costs", {}).items():
        shown |= {f"{name}: {what}": number for what, number in row.items() if what != "price"}
        shown[f"prices: {name}"] = row["price"]
    if fields["gap"] is not None:
        shown["relative gap"] = relative(fields["gap"], fields["objective"])
    return shown | {"status": fields["status"].partition(": ")[0]}


def _of_costs(solution: ConstrainedUpdate) -> dict[str, Any]:
    """What there is of each cost; upper_bound and gap are null for a recovery step."""
    costs = {
        name: {
            "limit": limit,
            "surrogate": solution.cost_surrogates[name],
            "expected_return": solution.costs_new[name],
            "price": solution.prices[name],
        }
        for name, limit in solution.limits.items()
    }
    found = {"costs": costs, "prices": dict(solution.prices)}
    return found if math.isfinite(float(solution.upper_bound)) else found | {"upper_bound": None, "gap": None}


def _expect_provable(delta: str | None, criterion: str | None, horizon: int | None, out: str | None) -> None:
    """Refuse --certify where no proof is written, and a file that it cannot be written to."""
    from trpo_theory.io.evidence_files import checked_evidence_path

    if out is not None:
        checked_evidence_path(out, "the proof of a gap")
    if criterion not in (None, "discounted") or horizon is not None:
        raise InvalidInput(
            got=f"--certify with {'--horizon' if horizon is not None else f'--criterion {criterion}'}",
            wanted="discounted returns, whose A and rho are enclosed in balls",
            fix="drop --certify: upper_bound includes the errors of floats in every setting",
        )
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
