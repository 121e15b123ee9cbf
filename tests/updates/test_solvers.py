"""One table of what each solver takes, and how near the optimum it comes: a new solver is a row."""

from __future__ import annotations

from dataclasses import dataclass

import kkt
import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.bounds import Bound
from trpo_theory.updates import (
    CVXPY,
    SOLVERS,
    Dual,
    Penalty,
    Problem,
    Solver,
    Status,
    Surrogate,
    TRPOStep,
    solve,
    trust_regions,
)

DELTA = 0.03
ROOT = Bound("mine/root", lambda q: q.max_abs_advantage * q.gamma * q.sqrt(q.max_kl), "penalty ε γ √D", "this test")
PROBLEMS: dict[str, Problem] = {
    **{name: kind(DELTA) for name, kind in trust_regions().items()},
    "penalty": Penalty(1 / DELTA),
    "penalty, not linear": Penalty(bound=ROOT),
    "penalty of chi-square": Penalty(bound="chi2/advantage"),
    "penalty of a mean": Penalty(bound="mean-kl/linear-4"),
}


@dataclass(frozen=True)
class Row:
    """What is expected of a solver.

    Attributes:
        solver: the value.
        takes: names of PROBLEMS.
        rtol: the relative gap that its certificate shows at least; None for a heuristic, which need not close its gap.
        kkt: the largest violation of the KKT conditions, in 80 digits; None where its vertex is only approached.
    """

    solver: Solver
    takes: frozenset[str]
    rtol: float | None
    kkt: float | None


ALL = frozenset(PROBLEMS)
LINEAR = ALL - {"penalty, not linear", "penalty of chi-square"}
TABLE = (
    Row(Dual(), ALL, 1e-9, 1e-11),
    Row(CVXPY("CLARABEL"), LINEAR, 1e-7, None),
    Row(CVXPY("SCS"), LINEAR, 1e-3, None),
    Row(TRPOStep(DELTA), frozenset({"mean-kl"}), None, None),
)
PAIRS = [pytest.param(row, name, id=f"{row.solver}-{name}") for row in TABLE for name in PROBLEMS]


@pytest.fixture(scope="module")
def surrogate() -> Surrogate:
    """Five rows of four actions, with full support."""
    rng = np.random.default_rng(7)
    old = rng.dirichlet(np.full(4, 2.0), 5).T[..., None]
    advantage = rng.normal(size=old.shape)
    advantage -= (old * advantage).sum(0)
    rho = rng.dirichlet(np.full(5, 2.0))[:, None] * 2
    return Surrogate(old, advantage, old > 0, rho, np.array([0.5]), np.abs(advantage).max((0, 1)))


@pytest.mark.parametrize(("row", "name"), PAIRS)
def test_a_solver_takes_what_its_row_says_and_closes_the_gap(row: Row, name: str, surrogate: Surrogate) -> None:
    problem = PROBLEMS[name]
    assert row.solver.supports(problem) == (name in row.takes)
    if name not in row.takes:
        with pytest.raises(tt.InvalidInput, match=r"got .* for the solver .*; wanted a problem that it takes: "):
            solve(surrogate, problem, solver=row.solver)
        return
    result = solve(surrogate, problem, solver=row.solver, rtol=row.rtol or 1.0)
    assert result.status is (Status.HEURISTIC if row.rtol is None else Status.OPTIMAL), (result, result.relative_gap)
    assert result.feasible
    best = solve(surrogate, problem)
    assert result.objective <= best.objective + 1e-12
    assert result.upper_bound >= best.objective - 1e-12
    if row.kkt is not None and getattr(problem, "bound", None) is None:  # test_penalties.py has those of bounds
        numbers = {"coefficient": problem.coefficient} if isinstance(problem, Penalty) else {"delta": DELTA}
        s = surrogate
        rows = kkt.rows_of(
            *(part[..., 0].T for part in (s.old, s.advantage, s.available)),
            s.visitation[:, 0],
            result.change,
            result.policy,
            result.multiplier,
        )
        assert kkt.violations(problem.name, rows, 0.5, **numbers).worst <= row.kkt


def test_the_command_lines_solvers_have_their_rows() -> None:
    assert set(SOLVERS) <= {str(row.solver) for row in TABLE}


def test_the_oracle_refuses_a_problem_whose_conditions_it_does_not_have() -> None:
    with pytest.raises(KeyError, match="max-klx"):
        kkt.violations("max-klx", [], 0.5, delta=DELTA)


def test_what_is_no_solver_problem_or_mixture_is_refused() -> None:
    """By a message, where types are not checked at run time."""
    import subprocess
    import sys

    calls = (
        "tt.update(mdp, old, tt.MaxKL(0.1), solver='clarabel')",
        "tt.update(mdp, old, 'max-kl')",
        "tt.improve(mdp, tt.MaxKL, 3)",
        "tt.mixture(old, 0.1, old)",
        "tt.update(mdp, old, tt.MaxKL(0.1), solver=tt.Dual)",
        "tt.updates.solver_named('dula')",
        "tt.updates.solver_named('mosek')",
    )
    code = (
        "import trpo_theory as tt; from trpo_theory.errors import InvalidInput\n"
        "mdp, old = tt.load('zoo:f6', gamma=0.9), [[.4, .6]] * 3\n"
    ) + "".join(f"try: {call}\nexcept InvalidInput as error: print(error)\n" for call in calls)
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    solver, name, kind, mixed, bare, typed, missing = printed.splitlines()
    assert bare == "got the class Dual as the solver; wanted a solver; fix: write Dual(...)"
    assert typed.startswith("got the solver 'dula'; wanted one of dual, clarabel, scs")
    assert typed.endswith("; fix: did you mean 'dual'?")
    assert missing.startswith("got the solver 'mosek'; wanted one of dual, clarabel, scs")
    assert solver.startswith("got solver = 'clarabel'; wanted a Solver; fix: ")
    assert name == "got problem = 'max-kl'; wanted an update problem; fix: pass MaxKL(0.01), say"
    assert kind.startswith("got problem = <class ")
    assert kind.endswith("; fix: pass MaxKL(0.01), say")
    assert mixed.startswith("got policies of shapes (3, 2) and (); wanted ")


def test_names_and_fields_of_problems_follow_from_divergence_and_reduction() -> None:
    assert list(trust_regions())[:5] == ["max-kl", "mean-kl", "reverse-max-kl", "reverse-mean-kl", "max-tv"]
    assert [kind(1.0).field for kind in trust_regions().values()] == [
        name.replace("-", "_") for name in trust_regions()
    ]
