"""`CVXPY(...)`: an independent check of `Dual()`, and an answer that never claims more than its recomputed gap."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import kkt
import numpy as np
import pytest
from cheap import is_deep, sampled
from strategies_small import random_mdp, random_rows

from trpo_theory.bounds import Bound
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import StateAggregation
from trpo_theory.updates import (
    MaxKL,
    MaxTV,
    MeanKL,
    Penalty,
    ReverseMaxChi2,
    ReverseMaxKL,
    ReverseMeanChi2,
    ReverseMeanKL,
    Status,
    solve,
    update,
)
from trpo_theory.updates.solvers.cvxpy import CVXPY, available_solvers
from trpo_theory.updates.solvers.repair import repaired
from trpo_theory.updates.surrogate import Surrogate

CONSTRAINED = (MaxKL, MeanKL, ReverseMaxKL, ReverseMeanKL, MaxTV, ReverseMaxChi2, ReverseMeanChi2)
KINDS = (*CONSTRAINED, "coefficient", "bound")
STALLED = {"max_iters": 5, "eps": 1e-12}


def instance(seed: int) -> tuple[FiniteMDP, np.ndarray, float, StateAggregation | None]:
    """A random MDP with zeros in old and sometimes unavailable actions, a radius, and sometimes a map."""
    rng = np.random.default_rng(seed)
    states, actions = int(rng.integers(2, 6)), int(rng.integers(2, 5))
    mdp = random_mdp(rng, states, actions, float(rng.uniform(0.5, 0.95)))
    old = random_rows(rng, states, actions, zeros=0.35)
    delta = float(10 ** rng.uniform(-3, 0))
    kind = seed % 3
    if kind == 1:
        available = (rng.random((states, actions)) < 0.7) | (old > 0)
        mdp = FiniteMDP(mdp.transition, mdp.reward, mdp.gamma, mdp.initial, available=available)
    if kind == 2:
        groups = rng.integers(0, max(states - 1, 1), size=states)
        old = old[groups]
        return mdp, old, delta, StateAggregation(groups)
    return mdp, old, delta, None


def problem_of(kind: Any, delta: float) -> Any:
    """A problem of that kind; a penalty's coefficient is 1/radius."""
    if kind == "coefficient":
        return Penalty(1 / delta)
    return Penalty(bound="pinsker/kl") if kind == "bound" else kind(delta)


def random_surrogate(seed: int, states: int = 5, actions: int = 4, gamma: float = 0.9) -> Surrogate:
    """One whose rows old all have full support."""
    rng = np.random.default_rng(seed)
    old = rng.dirichlet(np.full(actions, 2.0), states).T[..., None]
    advantage = rng.normal(size=(actions, states, 1))
    advantage -= (old * advantage).sum(0)
    rho = rng.dirichlet(np.full(states, 2.0))[:, None] / (1 - gamma)
    return Surrogate(
        old, advantage, np.ones(old.shape, dtype=bool), rho, np.array([gamma]), np.abs(advantage).max((0, 1))
    )


def oracle_rows(result: Any) -> list[kkt.Row]:
    """The rows of a result of one instance, as tests/oracles/kkt.py wants them."""
    s = result.surrogate
    parts = [part[..., 0].T for part in (s.old, s.advantage, s.available)]
    answer = [part[..., 0].T for part in (result.change_rows, result.new_rows)]
    return kkt.rows_of(*parts, s.visitation[:, 0], *answer, result.multiplier_rows[:, 0])


def assert_honest(result: Any, optimum: float) -> None:
    """Feasible to the last digits, by the 80-digit oracle, and no further from the optimum than the certificate says."""
    rows, name, size = oracle_rows(result), result.problem.name, abs(optimum) + result.rounding
    for row in rows:
        assert min(row.new) >= 0
        assert abs(kkt.mp.fsum(row.change)) <= 1e-14
        assert all(c == 0 for c, o, ok in zip(row.change, row.old, row.available, strict=True) if o == 0 and not ok)
        assert row.rho > 0 or not any(row.change)
    if name != "penalty":
        spent = [kkt.divergence(name, row) for row in rows]
        weights = [(1 - result.surrogate.gamma[0]) * row.rho for row in rows]
        mean = kkt.mp.fsum(w * d for w, d in zip(weights, spent, strict=True) if w > 0)
        held = mean if "mean" in name else max(spent)
        assert held <= result.problem.delta * (1 + 1e-12)
        assert result.feasible
    assert (result.multiplier >= 0).all()
    assert result.objective <= optimum + 1e-12 * size
    assert result.upper_bound >= optimum - 1e-12 * size
    assert np.isfinite(result.gap)


@pytest.mark.slow
@sampled("kind", KINDS, ids=lambda kind: getattr(kind, "name", kind), every=4)
def test_two_solvers_that_share_no_method_agree_within_the_gap_that_this_one_certifies(kind):
    """Each problem on a third of the 42 instances, which together are all; `deep` has all of each."""
    seeds = range(42) if is_deep() else range(KINDS.index(kind) % 3, 42, 3)
    within_reach = 0
    for seed in seeds:
        mdp, old, delta, aggregation = instance(seed)
        problem = problem_of(kind, delta)
        exact = update(mdp, old, problem, aggregation=aggregation)
        result = update(mdp, old, problem, solver=CVXPY(), aggregation=aggregation, rtol=1e-5)
        assert exact.status is Status.OPTIMAL
        assert_honest(result, exact.objective)
        assert exact.objective - result.objective <= result.gap + 1e-12 * abs(exact.objective)
        if exact.max_kl < 1e-4:  # too small a step for a conic solver
            continue
        assert result.status is Status.OPTIMAL, (seed, problem, result.relative_gap, result.note)
        within_reach += 1
    assert within_reach >= len(seeds) / 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: getattr(kind, "name", kind))
@sampled("seed", range(4), every=2)
def test_the_answer_satisfies_the_kkt_conditions(kind, seed):
    surrogate = random_surrogate(seed, gamma=0.5)
    problem = problem_of(kind, 0.03)
    result = solve(surrogate, problem, solver=CVXPY(), rtol=1e-7)
    rows, name, gamma = oracle_rows(result), problem.name, float(surrogate.gamma[0])
    assert result.status is Status.OPTIMAL, (result.relative_gap, result.note)
    coefficient = None
    if name == "penalty":
        coefficient = result.penalty / result.max_kl
        assert float(kkt.mp.fsum(row.rho * row.multiplier for row in rows)) == pytest.approx(coefficient, rel=1e-9)
    else:
        limit = problem.delta
        spent = [float(kkt.divergence(name, row)) for row in rows]
        if "mean" in name:
            assert len(set(result.multiplier)) == 1
            assert sum((1 - gamma) * float(row.rho) * d for row, d in zip(rows, spent, strict=True)) == pytest.approx(
                limit, rel=1e-6
            )
        else:
            assert all(
                d == pytest.approx(limit, rel=1e-6) or row.multiplier < 1e-6 * row.scale
                for row, d in zip(rows, spent, strict=True)
            )
    if name != "max-tv":  # an interior point comes near a vertex, and only near
        assert max(kkt.stationarity(name, row) for row in rows) <= 1e-4
    # Weak duality by the oracle: its dual value at these multipliers is what the certificate says, and is attained.
    dual = float(kkt.dual_value(name, rows, gamma, delta=getattr(problem, "delta", None)))
    primal = float(kkt.objective(name, rows, coefficient=coefficient))
    assert result.upper_bound == pytest.approx(dual, rel=1e-10)
    assert result.objective == pytest.approx(primal, rel=1e-10)
    assert dual - primal <= 1e-7 * dual


@pytest.mark.parametrize("gamma", [0.999, 0.9999])
def test_an_answer_that_is_too_coarse_is_called_inaccurate_whatever_the_solver_says(gamma):
    rng = np.random.default_rng(3)
    mdp, old = random_mdp(rng, 5, 3, gamma), random_rows(rng, 5, 3, zeros=0.0)
    problem = Penalty(bound="pinsker/kl")
    exact, result = update(mdp, old, problem), update(mdp, old, problem, solver=CVXPY(), rtol=1e-6)
    assert exact.status is Status.OPTIMAL
    assert result.status is Status.INACCURATE
    assert result.relative_gap > 1e-4
    assert result.gap >= exact.objective - result.objective
    assert "Dual()" in result.advice
    assert "clarabel: " in result.note


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: getattr(kind, "name", kind))
@pytest.mark.parametrize("name", ["SCS", "CLARABEL"])
def test_a_solver_that_was_stopped_early_gives_a_feasible_answer_with_its_true_gap(kind, name):
    mdp, old, delta, _ = instance(4)
    problem = problem_of(kind, delta)
    stalled = STALLED if name == "SCS" else {"max_iter": 3}
    result = update(mdp, old, problem, solver=CVXPY(name, **stalled))
    assert_honest(result, update(mdp, old, problem).objective)
    # SCS may take what it has so far for a proof that there is no optimum.
    assert result.status in ((Status.INACCURATE, Status.FAILED) if name == "SCS" else (Status.INACCURATE,))
    assert result.relative_gap > 1e-6
    assert result.note.startswith(name.lower())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: getattr(kind, "name", kind))
def test_scs_agrees_too(kind):
    mdp, old, _, _ = instance(6)
    problem = problem_of(kind, 0.1)
    exact, result = update(mdp, old, problem), update(mdp, old, problem, solver=CVXPY("scs"), rtol=1e-4)
    assert_honest(result, exact.objective)
    if kind != "bound":
        assert result.status is Status.OPTIMAL, (result.relative_gap, result.note)


@pytest.mark.parametrize("problem", [*(kind(d) for kind in CONSTRAINED for d in (1e-20, 1e-9, 50.0)), Penalty(1e14)])
def test_no_scale_raises_or_breaks_the_constraint(problem):
    mdp, old, _, _ = instance(9)
    assert_honest(update(mdp, old, problem, solver=CVXPY()), update(mdp, old, problem).objective)


@pytest.mark.parametrize("raised", ["SolverError", "ValueError"])
def test_a_solver_without_an_answer_is_called_failed_and_old_is_returned(monkeypatch, raised):
    import cvxpy as cp
    from cvxpy.error import SolverError

    error = SolverError if raised == "SolverError" else ValueError

    def fails(self: Any, **_: Any) -> None:
        raise error("it gave\nup")

    monkeypatch.setattr(cp.Problem, "solve", fails)
    mdp, old, _, _ = instance(0)
    for kind in KINDS:
        problem = problem_of(kind, 0.1)
        result = update(mdp, old, problem, solver=CVXPY())
        assert result.status is Status.FAILED
        assert result.note == "clarabel: it gave up"
        assert (result.policy == old).all()
        assert result.objective == 0
        assert np.isfinite(result.upper_bound)
        monkeypatch.undo()
        assert result.upper_bound >= update(mdp, old, problem).objective
        monkeypatch.setattr(cp.Problem, "solve", fails)


@pytest.mark.parametrize("kind", [MaxKL, MeanKL, ReverseMaxKL, MaxTV, "coefficient"])
def test_lost_dual_values_are_recovered_from_the_answer(monkeypatch, kind):
    from cvxpy.constraints.nonpos import Inequality

    monkeypatch.setattr(Inequality, "dual_value", property(lambda self: None))
    problem = problem_of(kind, 0.1)
    result = solve(random_surrogate(1), problem, solver=CVXPY(), rtol=1e-4)
    assert result.status is Status.OPTIMAL, result.relative_gap


def test_nan_from_a_solver_is_a_failure(monkeypatch):
    import cvxpy as cp

    monkeypatch.setattr(cp.Variable, "value", property(lambda self: np.full(self.shape, np.nan), lambda self, _: None))
    result = solve(random_surrogate(1), MaxKL(0.1), solver=CVXPY())
    assert result.status is Status.FAILED
    assert (result.change == 0).all()


@pytest.mark.parametrize("name", ["GUROBY", "OSQP"])
def test_a_solver_that_is_absent_or_unfit_is_named_with_those_that_are_there(name):
    mdp, old, _, _ = instance(0)
    with pytest.raises(InvalidInput, match=rf"got the solver '{name}'.*CLARABEL, .*SCS.*CVXPY\("):
        update(mdp, old, MaxKL(0.0), solver=CVXPY(name.lower()))
    assert name not in available_solvers()


@pytest.mark.parametrize("solver", [CVXPY(no_such_option=1), CVXPY("SCS", no_such_option=1)], ids=str)
def test_an_option_that_the_solver_lacks_is_named(solver):
    mdp, old, _, _ = instance(0)
    with pytest.raises(InvalidInput, match="no_such_option"):
        update(mdp, old, MaxKL(0.1), solver=solver)


def test_the_name_is_a_string_in_either_case():
    assert CVXPY("clarabel") == CVXPY() == CVXPY("Clarabel")
    assert CVXPY(max_iter=3) != CVXPY()
    assert hash(CVXPY(max_iter=3)) == hash(CVXPY("clarabel", max_iter=3))
    assert str(CVXPY()) == "clarabel"
    assert str(CVXPY("SCS")) == "scs"
    with pytest.raises(InvalidInput, match='write CVXPY\\("CLARABEL"\\)'):
        CVXPY(None)


def test_a_bound_that_is_not_linear_in_max_kl_is_for_dual():
    root = Bound("mine/sqrt", statement=r"\sqrt{D}", formula=lambda q: q.sqrt(q.max_kl), source="this test")
    mdp, old, _, _ = instance(0)
    with pytest.raises(InvalidInput, match=r"mine/sqrt.*not linear.*Dual\(\)"):
        update(mdp, old, Penalty(bound=root), solver=CVXPY())


@pytest.mark.parametrize("kind", CONSTRAINED)
def test_delta_0_is_old(kind):
    mdp, old, _, _ = instance(1)
    result = update(mdp, old, kind(0.0), solver=CVXPY())
    assert (result.policy == old).all()
    assert result.objective == result.upper_bound == 0
    assert result.status is Status.OPTIMAL


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: getattr(kind, "name", kind))
def test_old_deterministic(kind):
    rng = np.random.default_rng(8)
    mdp = random_mdp(rng, 4, 3, 0.8)
    old = np.eye(3)[rng.integers(0, 3, 4)]
    problem = problem_of(kind, 0.3)
    exact, result = update(mdp, old, problem), update(mdp, old, problem, solver=CVXPY(), rtol=1e-6)
    assert_honest(result, exact.objective)
    assert result.status is Status.OPTIMAL, (result.relative_gap, result.note)
    if kind is MaxKL:  # 1 − e^−δ of the mass goes to the best action
        moved = 1 - (result.policy * old).sum(1)
        assert all(m == pytest.approx(-np.expm1(-0.3), rel=1e-6) or abs(m) < 1e-12 for m in moved)
    if kind in (ReverseMaxKL, ReverseMeanKL):
        assert (result.policy == old).all()


def test_a_coefficient_of_0_takes_the_best_actions():
    mdp, old, _, _ = instance(0)
    result = update(mdp, old, Penalty(0.0), solver=CVXPY())
    exact = update(mdp, old, Penalty(0.0))
    assert result.objective == pytest.approx(exact.objective, rel=1e-9)
    assert np.isfinite(result.max_kl)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: getattr(kind, "name", kind))
def test_a_batch_is_its_instances(kind):
    rng = np.random.default_rng(2)
    mdp = random_mdp(rng, 3, 3, np.array([0.5, 0.7, 0.9]), batch=(3,))
    old = random_rows(rng, 3, 3, 3)
    problem = problem_of(kind, 0.2)
    result = update(mdp, old, problem, solver=CVXPY(), rtol=1e-4)
    exact = update(mdp, old, problem)
    assert result.status is Status.OPTIMAL, (result.relative_gap, result.note)
    assert result.policy.shape == (3, 3, 3)
    np.testing.assert_allclose(result.objective, exact.objective, rtol=1e-4)
    assert [part.split(":")[0] for part in result.note.split("; ")] == ["0", "1", "2"]
    for i in range(3):
        one = FiniteMDP(mdp.transition[i], mdp.reward[i], float(np.asarray(mdp.gamma)[i]), mdp.initial[i])
        alone = update(one, old[i], problem, solver=CVXPY())
        np.testing.assert_allclose(alone.policy, result.policy[i], atol=1e-4)


def test_a_state_that_old_never_visits_stays_at_old():
    transition = np.zeros((2, 2, 2))
    transition[:, :, 0] = 1
    mdp = FiniteMDP(transition, np.array([[0.0, 1.0], [0.0, 1.0]]), 0.9, np.array([1.0, 0.0]))
    old = np.full((2, 2), 0.5)
    result = update(mdp, old, MaxKL(0.1), solver=CVXPY(), rtol=1e-6)
    assert (result.policy[1] == old[1]).all()
    assert (result.policy[0] != old[0]).all()
    assert result.status is Status.OPTIMAL


@pytest.mark.parametrize("kind", CONSTRAINED)
@pytest.mark.parametrize("delta", [1e-12, 1e-3, 0.3, 5.0])
def test_repair_keeps_what_is_feasible_and_mends_what_is_not(kind, delta):
    surrogate, problem = random_surrogate(5), kind(delta)
    rng = np.random.default_rng(6)
    wild = repaired(surrogate, problem, rng.normal(size=surrogate.old.shape))
    new = surrogate.old + wild
    assert (new >= 0).all()
    np.testing.assert_allclose(wild.sum(0), 0, atol=1e-15)
    again = repaired(surrogate, problem, wild)
    np.testing.assert_allclose(again, wild, rtol=1e-12, atol=1e-16 * np.abs(wild).max())
    gone = repaired(surrogate, problem, np.full(surrogate.old.shape, -1.0))
    assert (gone == 0).all()


@pytest.mark.slow
def test_cvxpy_is_loaded_when_a_problem_is_solved_and_not_before():
    code = "import sys, trpo_theory.updates.solvers.cvxpy as c; c.CVXPY('SCS'); assert 'cvxpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
