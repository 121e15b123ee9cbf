"""`Dual()`, held to the KKT conditions in 80 digits (tests/oracles/kkt.py), closed forms, brute force, and every corner."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import exact
import kkt
import numpy as np
import pytest
from cheap import examples, sampled
from hypothesis import given, settings
from hypothesis import strategies as st
from kkt import mp
from scipy.optimize import brentq, minimize_scalar
from strategies_small import dyadic, mdps, policies, random_mdp, random_rows, row_weights

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import StateAggregation
from trpo_theory.updates import (
    CVXPY,
    Dual,
    MaxKL,
    MaxTV,
    MeanKL,
    Penalty,
    ReverseMaxChi2,
    ReverseMaxKL,
    ReverseMeanChi2,
    ReverseMeanKL,
    Status,
    Surrogate,
    solve,
    update,
)

CONSTRAINED = (MaxKL, MeanKL, ReverseMaxKL, ReverseMeanKL, MaxTV, ReverseMaxChi2, ReverseMeanChi2)
DELTAS = (1e-20, 1e-16, 1e-12, 1e-8, 1e-4, 0.01, 0.1, 0.5, 1.0, 3.0, 20.0)
COEFFICIENTS = (1e-6, 0.01, 0.3, 1.0, 7.0, 1e3, 1e6, 1e10, 1e14)
TRUE_BOUNDS = ("trpo/kl", "pinsker/kl", "chain-rule/kl")
KKT_TOLERANCE = 1e-11
"""Relative. Each quantity has some tens of roundings, and a divergence twice the relative error of the change: a few 1e-14."""


def surrogate(
    old: Any, advantage: Any, rho: Any, *, gamma: float = 0.9, available: Any = None, epsilon: float | None = None
) -> Surrogate:
    """Of (G, A) arrays."""
    old, advantage, rho = (np.array(part, dtype=float) for part in (old, advantage, rho))
    available = np.ones(old.shape, dtype=bool) if available is None else np.array(available)
    epsilon = float(np.abs(advantage).max()) if epsilon is None else epsilon
    rows = [np.ascontiguousarray(part.T[..., None]) for part in (old, advantage, available)]
    return Surrogate(*rows, rho[:, None], np.array([gamma]), np.array([epsilon]))


def rows_of(result: Any) -> list[kkt.Row]:
    """The rows of a result of one instance, as the oracle wants them."""
    s = result.surrogate
    first = np.unique(s.aggregation.group, return_index=True)[1] if s.aggregation else np.arange(s.old.shape[1])
    if s.aggregation:
        assert s.aggregation.contains(result.policy)
        assert s.aggregation.contains(result.change)
    given_rows = [part[..., 0].T for part in (s.old, s.advantage, s.available)]
    return kkt.rows_of(
        *given_rows, s.visitation[:, 0], result.change[first], result.policy[first], np.asarray(result.multiplier)
    )


def assert_optimal(result: Any, coefficient: float | None = None, *, tolerance: float = KKT_TOLERANCE) -> list[kkt.Row]:
    """KKT, the certificate, and the result's own numbers against the oracle's."""
    problem, rows, gamma = result.problem, rows_of(result), float(result.surrogate.gamma[0])
    given_numbers = {"coefficient": coefficient} if problem.name == "penalty" else {"delta": problem.delta}
    violations = kkt.violations(problem.name, rows, gamma, **given_numbers)
    assert violations.worst <= tolerance, violations
    assert result.status is Status.OPTIMAL, (result, result.relative_gap)
    assert abs(result.gap - float(result.data_error[0])) <= 1e-10 * abs(result.upper_bound), result
    true = kkt.objective(problem.name, rows, coefficient=coefficient)
    size = mp.fsum(row.rho * row.moved * row.scale for row in rows)
    assert abs(result.objective - true) <= 1e-13 * size + mp.mpf("1e-300"), (result.objective, true)
    if problem.name != "penalty":
        assert result.constraint <= problem.delta * (1 + 1e-10)
    return rows


# --- rows at hand ------------------------------------------------------------------------------------------------


@st.composite
def row_problems(draw: st.DrawFn) -> Surrogate:
    """Rows with zeros, ties, unavailable actions, rare actions, near ties and weights of any size."""
    groups, actions = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    available = np.array([[draw(st.integers(0, 5)) > 0 for _ in range(actions)] for _ in range(groups)])
    available[~available.any(1), 0] = True
    old = dyadic(np.array([draw(row_weights(row)) for row in available]))
    for g in range(groups):
        if draw(st.integers(0, 3)) == 0:  # make an action rare; the row still sums to exactly 1
            rare, common = int(np.argmin(np.where(old[g] > 0, old[g], 2))), int(np.argmax(old[g]))
            if rare != common and available[g, rare]:
                tiny = 2.0 ** -draw(st.integers(10, 50))
                old[g, common] += old[g, rare] - tiny
                old[g, rare] = tiny
    advantage = np.array([[draw(st.integers(-8, 8)) / 8 for _ in range(actions)] for _ in range(groups)])
    if draw(st.booleans()):
        advantage += np.array([[draw(st.floats(-1, 1)) for _ in range(actions)] for _ in range(groups)])
    advantage *= 10.0 ** draw(st.integers(-6, 6))
    if draw(st.integers(0, 4)) == 0:  # near ties
        advantage = advantage[:, :1] + 1e-9 * (advantage - advantage[:, :1])
    advantage = np.where(available, advantage, 0.0)
    rho = np.array([draw(st.sampled_from((0.0, 1e-12, 1e-5, 0.1, 1.0, 9.0))) for _ in range(groups)])
    return surrogate(old, advantage, rho, available=available)


def kinds() -> st.SearchStrategy:
    """Each of the constrained problems at a radius of any size."""
    return st.builds(lambda kind, delta: kind(delta), st.sampled_from(CONSTRAINED), st.sampled_from(DELTAS))


@pytest.mark.slow
@examples(300)
@given(row_problems(), kinds())
def test_constrained_problems_meet_the_kkt_conditions(s: Surrogate, problem: Any) -> None:
    assert_optimal(solve(s, problem))


@pytest.mark.slow
@examples(200)
@given(row_problems(), st.sampled_from(COEFFICIENTS))
def test_the_penalty_problem_meets_the_kkt_conditions(s: Surrogate, coefficient: float) -> None:
    assert_optimal(solve(s, Penalty(coefficient)), coefficient)


@pytest.mark.slow
@settings(max_examples=60)
@given(row_problems(), kinds(), st.sampled_from((*COEFFICIENTS, None)))
def test_upper_bound_is_the_dual_function(s: Surrogate, constrained: Any, coefficient: float | None) -> None:
    problem = constrained if coefficient is None else Penalty(coefficient)
    result = solve(s, problem)
    rows = rows_of(result)
    true = kkt.dual_value(problem.name, rows, float(s.gamma[0]), delta=getattr(problem, "delta", None))
    size = mp.fsum(row.rho * row.moved * row.scale for row in rows)
    assert abs(result.upper_bound - true) <= 1e-12 * (abs(true) + size) + mp.mpf("1e-300"), (result.upper_bound, true)


def spread(rng: np.random.Generator, old: np.ndarray, available: np.ndarray, reach: float) -> np.ndarray:
    """A random change of old, (G, A): towards random rows on its support (or beyond it), at random distances."""
    weights = rng.exponential(size=old.shape) * np.where(available & ((old > 0) | (rng.random() < 0.5)), 1.0, 0.0)
    weights += np.where(weights.sum(-1, keepdims=True) == 0, old, 0.0)
    return (weights / weights.sum(-1, keepdims=True) - old) * reach * rng.random((len(old), 1))


@pytest.mark.slow
@examples(120)
@given(row_problems(), kinds(), st.sampled_from((*COEFFICIENTS, None)), st.integers(0, 2**32 - 1))
def test_no_feasible_policy_exceeds_the_upper_bound(
    s: Surrogate, constrained: Any, coefficient: float | None, seed: int
) -> None:
    problem = constrained if coefficient is None else Penalty(coefficient)
    result = solve(s, problem)
    rng, gamma = np.random.default_rng(seed), float(s.gamma[0])
    old, available, rho = s.old[..., 0].T, s.available[..., 0].T, s.visitation[:, 0]
    advantage, best = s.advantage[..., 0].T, rows_of(result)
    size = mp.fsum(row.rho * row.moved * row.scale for row in best)
    for attempt in range(6):
        change = spread(rng, old, available, 10.0 ** -rng.integers(0, 12))
        if attempt % 2:  # near the maximiser, where a false bound would show
            change = 0.999 * result.change + 0.001 * change
        for _ in range(60):
            rows = kkt.rows_of(old, advantage, available, rho, change, np.maximum(old + change, 0), np.zeros(len(old)))
            for row in rows:  # a row of floats misses Σ change = 0: its largest entry takes the defect, exactly
                largest = row.new.index(max(row.new))
                row.change[largest] -= mp.fsum(row.change)
                row.new = [max(o + c, mp.mpf(0)) for o, c in zip(row.old, row.change, strict=True)]
            if coefficient is not None or _feasible(problem, rows, gamma):
                break
            change = 0.5 * change
        else:
            continue
        found = kkt.objective(problem.name, rows, coefficient=coefficient)
        assert found <= result.upper_bound + 1e-12 * size + mp.mpf("1e-300"), (found, result.upper_bound)


def _feasible(problem: Any, rows: list[kkt.Row], gamma: float) -> bool:
    spent = [kkt.divergence(problem.name, row) for row in rows]
    if "mean" in problem.name:
        total = mp.fsum(row.rho * d for row, d in zip(rows, spent, strict=True) if row.rho > 0)
        return (1 - kkt.number(gamma)) * total <= kkt.number(problem.delta)
    return max(spent) <= kkt.number(problem.delta)


# --- MDPs, and classes of policies -------------------------------------------------------------------------------


@st.composite
def classes(draw: st.DrawFn, gammas: tuple[float, ...] = (0.0, 0.5, 0.9, 0.99, 0.9999)) -> tuple[Any, Any, Any]:
    """An MDP, an old policy, and None or a StateAggregation of which old is."""
    mdp = draw(mdps(gammas=gammas))
    if draw(st.booleans()):
        return mdp, draw(policies(mdp.available)), None
    labels = [(draw(st.integers(0, 1)), *row.tolist()) for row in mdp.available]
    names = sorted(set(labels))
    group = [names.index(label) for label in labels]
    rows = draw(policies(np.array([name[1:] for name in names])))
    return mdp, rows[group], StateAggregation(group)


@pytest.mark.slow
@examples(100)
@given(classes(), kinds(), st.sampled_from((*TRUE_BOUNDS, *TRUE_BOUNDS, 0.3, 100.0, None)))
def test_updates_of_mdps_meet_the_kkt_conditions(drawn: Any, constrained: Any, penalty: Any) -> None:
    mdp, old, aggregation = drawn
    problem = constrained
    if penalty is not None:
        problem = Penalty(bound=penalty) if isinstance(penalty, str) else Penalty(penalty)
    result = update(mdp, old, problem, aggregation=aggregation)
    s = result.surrogate
    step = exact.policy_on(mdp, old)
    group = np.arange(mdp.states) if aggregation is None else aggregation.group
    rho = [
        sum((step.visitation[i] for i in np.flatnonzero(group == g)), exact.rational(0)) for g in range(group.max() + 1)
    ]
    for g, total in enumerate(rho):
        members = np.flatnonzero(group == g)
        assert exact.relative_error(s.visitation[g, 0], total) <= 1e-12 / (1 - mdp.gamma)
        for a in range(mdp.actions):
            assert s.old[a, g, 0] == old[members[0], a]
            if total > 0 and mdp.available[members[0], a]:
                mean = sum((step.visitation[i] * step.advantage[i, a] for i in members), exact.rational(0)) / total
                assert exact.error(s.advantage[a, g, 0], mean) <= 1e-13 / (1 - mdp.gamma) ** 2
    coefficient = None
    if problem.name == "penalty":
        epsilon = float(np.abs(np.where(mdp.available, exact.nearest(step.advantage), 0.0)).max())
        coefficient = (
            penalty if not isinstance(penalty, str) else float(s.max_abs_advantage[0]) * constant(penalty, mdp.gamma)
        )
        assert abs(float(s.max_abs_advantage[0]) - epsilon) <= 1e-13 / (1 - mdp.gamma) ** 2
    assert_optimal(result, coefficient)


def constant(bound: str, gamma: Any) -> float:
    """C/ε of the bounds, from their formulas, at the decimal that γ is written as."""
    gamma = mp.mpf(repr(float(gamma)))
    if bound == "chain-rule/kl":
        return float(2 * mp.polylog(-mp.mpf(1) / 2, gamma)) if gamma > 0 else 0.0
    return float((4 if bound == "trpo/kl" else 2) * gamma / (1 - gamma) ** 2)


@pytest.mark.slow
@pytest.mark.parametrize("bound", TRUE_BOUNDS)
@pytest.mark.parametrize("gamma", [0.9, 0.99, 0.999, 0.9999, 0.99999])
def test_theory_penalties_up_to_gamma_near_one(bound: str, gamma: float) -> None:
    rng = np.random.default_rng(11)
    for states, actions in ((3, 2), (12, 4)):
        mdp = random_mdp(rng, states, actions, gamma)
        old = random_rows(rng, states, actions, zeros=0.0)
        for aggregation in (None, StateAggregation([0] * states)):
            result = update(
                mdp, np.tile(old[0], (states, 1)) if aggregation else old, Penalty(bound=bound), aggregation=aggregation
            )
            coefficient = float(result.surrogate.max_abs_advantage[0]) * constant(bound, gamma)
            rows = assert_optimal(result, coefficient)
            assert result.objective > 0
            assert result.penalty == pytest.approx(float(coefficient * max(kkt.forward_kl(r) for r in rows)), rel=1e-11)


# --- closed forms: two actions -----------------------------------------------------------------------------------


def two_actions_left(q: Any, delta: Any, *, reverse: bool) -> Any:
    """The mass m < 1 − q left on the second action where KL((q, 1 − q) ‖ (1 − m, m)) = delta, or the reverse KL.

    By bisection on log m at 80 digits; 0 where the radius is out of reach.
    """

    def kl(left: Any) -> Any:
        up, down = (1 - q - left) / q, left / (1 - q)
        if reverse:
            return (1 - left) * mp.log1p(up) + left * mp.log(down)
        return -q * mp.log1p(up) - (1 - q) * mp.log(down)

    if reverse and delta >= -mp.log(q):
        return mp.mpf(0)
    low, high = -(mp.mpf(10) ** 13), mp.log(1 - q)
    for _ in range(300):
        middle = (low + high) / 2
        low, high = (middle, high) if kl(mp.exp(middle)) > delta else (low, middle)
    return mp.exp(high)


@pytest.mark.slow
@sampled("delta", [*DELTAS[:-1], 1e-18, 1e-10, 1e-6], every=8)
@pytest.mark.parametrize("q", [0.5, 0.25, 0.75, 2.0**-10, 1 - 2.0**-10, 2.0**-30])
def test_two_actions_in_closed_form(q: float, delta: float) -> None:
    s = surrogate([[q, 1 - q]], [[1.0, -1.0]], [2.0], gamma=0.5)
    for kind, reverse in ((MaxKL, False), (MeanKL, False), (ReverseMaxKL, True), (ReverseMeanKL, True)):
        left = two_actions_left(mp.mpf(q), mp.mpf(delta), reverse=reverse)
        true = 1 - mp.mpf(q) - left
        result = solve(s, kind(delta))
        assert_optimal(result)
        # A mean problem's λ is a float, and KL moves faster than λ where the best action is rare.
        near = 1e-11 if "mean" in kind.name else 1e-12
        assert abs(result.change[0, 0] - true) <= near * true, (kind, result.change, true)
        assert abs(result.change[0, 1] + true) <= near * true, (kind, result.change, true)
        # KL is known to 1e-14 of its size, and |dlog(mass left)/dKL| ≤ 1/(its own first-order change).
        slack = 1e-13 * (1 + float(abs(mp.log(left / (1 - mp.mpf(q)))))) if left > 0 else 0
        assert abs(result.policy[0, 1] - left) <= near * left + slack * left + mp.mpf("1e-200"), (
            kind,
            result.policy,
            left,
        )
        assert abs(result.surrogate_gain - 4 * true) <= near * 4 * true
    total_variation = solve(s, MaxTV(delta))
    assert total_variation.change[0, 0] == min(delta, 1 - q)
    assert total_variation.change[0, 1] == -min(delta, 1 - q)
    assert total_variation.max_tv == min(delta, 1 - q)


@pytest.mark.slow
def test_two_actions_under_a_penalty() -> None:
    """At the optimum f'(t) = λ(t) = C: with p = q + x and A = ±1, λ = 2 p (1 − p)/x."""
    for q in (0.25, 0.5, 0.875):
        for coefficient in (1e-3, 1.0, 50.0, 1e6, 1e12):
            result = solve(surrogate([[q, 1 - q]], [[1.0, -1.0]], [1.0]), Penalty(coefficient))
            c, qq = mp.mpf(coefficient), mp.mpf(q)
            # 2 (q + x)(1 − q − x) = C x:  2 x² + (C + 4 q − 2) x − 2 q (1 − q) = 0
            b = c + 4 * qq - 2
            true = (-b + mp.sqrt(b * b + 16 * qq * (1 - qq))) / 4
            assert abs(result.change[0, 0] - true) <= 1e-13 * true, (q, coefficient)
            assert_optimal(result, coefficient)


# --- corners -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delta", [1e-20, 1e-16, 1e-12, 1e-8, 1e-3, 0.5, 2.0, 30.0, 600.0])
def test_deterministic_old_leaves_with_mass_one_minus_exp(delta: float) -> None:
    s = surrogate([[0, 1, 0], [1, 0, 0]], [[0.5, 0.0, 1.0], [0.0, 3.0, -1.0]], [0.7, 0.3], gamma=0.0)
    mass = float(-mp.expm1(-mp.mpf(delta)))
    result = solve(s, MaxKL(delta))
    assert_optimal(result)
    np.testing.assert_allclose(result.change, [[0, -mass, mass], [-mass, mass, 0]], rtol=1e-14, atol=0)
    np.testing.assert_allclose(result.policy[[0, 1], [1, 0]], math.exp(-delta), rtol=1e-13)
    assert_optimal(solve(s, MeanKL(delta)))
    for reverse in (ReverseMaxKL, ReverseMeanKL):
        stays = solve(s, reverse(delta))
        assert_optimal(stays)
        assert not stays.change.any()


@pytest.mark.parametrize("below", [True, False])
def test_best_action_that_old_never_takes(below: bool) -> None:
    """K* is the KL of p ∝ old/d to old; below it p stays within the support, above it mass 1 − exp(K* − δ) leaves."""
    old, advantage = [0.25, 0.75, 0.0], [0.5, 0.0, 1.0]
    deficit = [mp.mpf(1) / 2, mp.mpf(1)]
    weights = [mp.mpf(o) / d for o, d in zip(old, deficit, strict=False)]
    p = [w / sum(weights) for w in weights]
    ceiling = mp.fsum(o * mp.log(o / x) for o, x in zip(old, p, strict=False))
    for factor in (1e-9, 0.5, 0.999999, 1 - 1e-12) if below else (1 + 1e-12, 1.000001, 2.0, 100.0):
        delta = float(ceiling) * factor
        result = solve(surrogate([old], [advantage], [1.0], gamma=0.0), MaxKL(delta))
        assert_optimal(result)
        left = mp.exp(ceiling - delta) if delta > ceiling else mp.mpf(1)
        assert abs(result.policy[0, 2] - (1 - left)) <= 1e-15 + 1e-12 * (1 - left)
        if not below:
            np.testing.assert_allclose(result.policy[0, :2], [float(left * x) for x in p], rtol=1e-13)
        assert_optimal(solve(result.surrogate, MeanKL(delta)))


@pytest.mark.parametrize("problem", [kind(0.3) for kind in CONSTRAINED] + [Penalty(2.0)])
def test_ties_stay_or_move_together(problem: Any) -> None:
    s = surrogate([[0.25, 0.75, 0], [0.25, 0.25, 0.5]], [[2.0, 2.0, 2.0], [1.0, 1.0, -1.0]], [1.0, 1.0])
    result = solve(s, problem)
    assert_optimal(result, problem.coefficient if isinstance(problem, Penalty) else None)
    assert not result.change[0].any()
    if not isinstance(problem, MaxTV):  # under TV the maximiser is not unique
        assert result.change[1, 0] == result.change[1, 1] > 0


def test_actions_that_tie_but_for_a_rounding_spend_the_radius() -> None:
    """KL rises from 0.005 to 12 within a few decades of u near the rounding, where Newton's steps go to and fro."""
    rest, rare = [3.6e-6, 1.7e-4], 5.5e-17
    half = (1 - sum(rest)) / 2
    result = solve(surrogate([[rest[0], half, half, rest[1]]], [[-1.0, rare, 0.0, -1 / 3]], [1.0]), MaxKL(0.1))
    assert_optimal(result)
    assert result.max_kl == pytest.approx(0.1, rel=1e-9)


@pytest.mark.parametrize("problem", [kind(0.1) for kind in CONSTRAINED] + [Penalty(0.5), Penalty(0.0)])
def test_unreachable_rows_stay(problem: Any) -> None:
    s = surrogate([[0.5, 0.5], [0.5, 0.5], [1, 0]], [[1.0, -1.0]] * 2 + [[-5.0, 5.0]], [0.0, 3.0, 0.0])
    result = solve(s, problem)
    assert_optimal(result, problem.coefficient if isinstance(problem, Penalty) else None)
    assert not result.change[[0, 2]].any()
    assert result.change[1, 0] > 0
    nowhere = solve(surrogate([[0.5, 0.5]], [[1.0, -1.0]], [0.0]), problem)
    assert nowhere.status is Status.OPTIMAL
    assert not nowhere.change.any()
    assert nowhere.objective == nowhere.upper_bound == 0


@pytest.mark.parametrize("kind", CONSTRAINED)
def test_radius_zero_stays(kind: Any) -> None:
    result = solve(surrogate([[0.5, 0.5, 0], [1, 0, 0]], [[1.0, -1.0, 2], [0, 0, 1]], [1.0, 2.0]), kind(0.0))
    assert result.status is Status.OPTIMAL
    assert result.relative_gap == 0
    assert result.objective == result.upper_bound == 0
    assert not result.change.any()
    np.testing.assert_array_equal(result.policy, [[0.5, 0.5, 0], [1, 0, 0]])


@pytest.mark.slow
@pytest.mark.parametrize("delta", [200.0, 600.0, 700.0, 1e3, 1e6])
@pytest.mark.parametrize("kind", CONSTRAINED)
def test_huge_radius_is_greedy(kind: Any, delta: float) -> None:
    old = [[0.25, 0.5, 0.25], [1, 0, 0], [2.0**-40, 1 - 2.0**-40, 0]]
    s = surrogate(old, [[1.0, -1.0, 0.0], [0, 0, 1], [1, 0.5, -1]], [0.25, 0.5, 0.125], gamma=0.0)
    if "chi2" in kind.name:  # which is 1/old − 1 where all goes to one action
        delta *= 2.0**40
    result = solve(s, kind(delta))
    assert result.status is Status.OPTIMAL, (result, result.constraint, result.feasible)
    assert abs(result.relative_gap) <= 1e-10
    greedy = 0.25 * 1.25 + (0.0 if "reverse" in kind.name else 0.5) + 0.125 * 0.5 * (1 - 2.0**-40)
    assert result.objective == pytest.approx(greedy, rel=1e-12)
    assert (result.policy >= 0).all()
    rows = rows_of(result)
    assert kkt.violations(kind.name, rows, 0.0, delta=delta).worst <= KKT_TOLERANCE


@pytest.mark.slow
def test_tiny_weights_under_mean_kl() -> None:
    """KL_s may be huge where d(s) is tiny, while the mean is δ."""
    for tiny in (1e-3, 1e-6, 1e-9, 1e-12, 1e-15):
        for gain in (1.0, 1e6):
            for row in ([0.5, 0.5], [1 - 2.0**-20, 2.0**-20], [1.0, 0.0]):
                s = surrogate([[0.5, 0.5], row], [[1.0, -1.0], [0.0, gain]], [1 - tiny, tiny], gamma=0.0)
                for delta in (1e-10, 1e-4, 0.05):
                    for kind in (MeanKL, ReverseMeanKL):
                        rows = assert_optimal(solve(s, kind(delta)), tolerance=1e-10)
                        if kind is MeanKL and tiny == 1e-12 and gain == 1e6 and delta == 0.05:
                            assert kkt.forward_kl(rows[1]) > 5


def test_coefficient_zero_is_greedy() -> None:
    s = surrogate([[0.25, 0.5, 0.25], [0.5, 0.5, 0]], [[1.0, -1.0, 0.0], [0, 0.5, 1]], [1.0, 2.0])
    result = solve(s, Penalty(0.0))
    assert result.status is Status.OPTIMAL
    assert abs(result.relative_gap) <= 1e-10
    np.testing.assert_allclose(result.policy, [[1, 0, 0], [0, 0, 1]], rtol=0, atol=1e-15)
    assert result.objective == pytest.approx(1.25 + 1.5, rel=1e-14)
    assert result.penalty == 0


def test_large_coefficient_stays_where_old_is_deterministic() -> None:
    """f(t) = Σ ρ (1 − e⁻ᵗ) d has slope Σ ρ d = 3.5 at 0: beyond it old stays, below it t = log(3.5/C)."""
    s = surrogate([[0, 1], [1, 0]], [[1.0, 0.0], [0.0, 5.0]], [1.0, 0.5])
    for coefficient in (3.5001, 4.0, 1e3, 1e12):
        result = solve(s, Penalty(coefficient))
        assert_optimal(result, coefficient)
        assert not result.change.any()
        assert result.gap == 0
        assert result.objective == result.upper_bound == 0
    for coefficient in (3.4999, 1.0, 1e-3, 1e-100):
        result = solve(s, Penalty(coefficient))
        assert_optimal(result, coefficient)
        assert result.max_kl == pytest.approx(float(mp.log(mp.mpf(3.5) / mp.mpf(coefficient))), rel=1e-9)


@pytest.mark.slow
def test_unavailable_actions_are_never_taken() -> None:
    available = [[True, True, False], [False, True, True]]
    s = surrogate([[0.5, 0.5, 0], [0, 1, 0]], [[0.0, 1.0, 0], [0, 0.0, 1.0]], [1.0, 1.0], available=available)
    lies = surrogate([[0.5, 0.5, 0], [0, 1, 0]], [[0.0, 1.0, 9], [9, 0.0, 1.0]], [1.0, 1.0], available=available)
    for problem in [kind(0.2) for kind in CONSTRAINED] + [Penalty(0.5)]:
        result = solve(s, problem)
        assert_optimal(result, 0.5 if isinstance(problem, Penalty) else None)
        assert result.policy[0, 2] == result.policy[1, 0] == 0
        np.testing.assert_array_equal(solve(lies, problem).policy, result.policy)


@pytest.mark.parametrize("delta", [10.0**-k for k in range(0, 17)])
def test_divergences_are_spent_to_the_last_digits(delta: float) -> None:
    rng = np.random.default_rng(3)
    for gamma in (0.5, 0.99):
        mdp = random_mdp(rng, 6, 3, gamma)
        old = random_rows(rng, 6, 3, zeros=0.0)
        for kind in (MaxKL, MeanKL):
            result = update(mdp, old, kind(delta))
            rows = assert_optimal(result)
            spent = [kkt.forward_kl(row) for row in rows]
            mean = (1 - mp.mpf(gamma)) * mp.fsum(row.rho * d for row, d in zip(rows, spent, strict=True))
            true_max, true_mean = max(spent), mean
            assert abs((true_max if kind is MaxKL else true_mean) / mp.mpf(delta) - 1) <= 1e-10
            assert result.max_kl == pytest.approx(float(true_max), rel=1e-11, abs=0)
            assert result.mean_kl == pytest.approx(float(true_mean), rel=1e-11, abs=0)
            reverse = [kkt.reverse_kl(row) for row in rows]
            assert result.reverse_max_kl == pytest.approx(float(max(reverse)), rel=1e-11, abs=0)
            assert result.max_tv == pytest.approx(float(max(row.moved for row in rows) / 2), rel=1e-13, abs=0)


# --- penalties that are not linear -------------------------------------------------------------------------------

BRETAGNOLLE_HUBER = tt.bounds.Bound(
    "bh",
    lambda q: 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * (1 - q.exp(-q.max_kl)),
    r"\eta \ge L - penalty",
    "",
)
ROOT = tt.bounds.Bound("root", lambda q: q.max_abs_advantage * q.gamma * q.sqrt(q.max_kl), r"\eta \ge L - penalty", "")


def largest_gain(old: np.ndarray, advantage: np.ndarray, t: float) -> float:
    """max Σ (p − old) A subject to KL(old‖p) ≤ t, for rows of full support: p = old λ/(ν − A), ν by brentq."""
    top, spread_of = advantage.max(), np.ptp(advantage)
    if t == 0 or spread_of == 0:
        return 0.0

    def row(log_u: float) -> np.ndarray:
        p = old / (top - advantage + spread_of * math.exp(log_u))
        return p / p.sum()

    def excess(log_u: float) -> float:
        return float((old * np.log(old / row(log_u))).sum()) - t

    if excess(-650.0) <= 0:
        return float(top - (old * advantage).sum())  # all but e⁻⁶⁵⁰ has gone to the best action
    root = brentq(excess, -650.0, 16.0, xtol=1e-13)
    return float(((row(root) - old) * advantage).sum())


@pytest.mark.slow
@pytest.mark.parametrize("bound", [BRETAGNOLLE_HUBER, ROOT], ids=lambda bound: bound.id)
@sampled("gamma", [0.3, 0.6, 0.9], every=3)
def test_nonlinear_penalties_against_brute_force(bound: Any, gamma: float) -> None:
    rng = np.random.default_rng(int(10 * gamma))
    rises = 0
    for _ in range(2):
        mdp = random_mdp(rng, 3, 3, gamma)
        old = random_rows(rng, 3, 3, zeros=0.0)
        result = update(mdp, old, Penalty(bound=bound))
        ev = exact.policy_on(mdp, old)
        advantage, rho = exact.nearest(ev.advantage), exact.nearest(ev.visitation)
        epsilon = np.abs(advantage).max()

        def penalty(t: float, epsilon: float = epsilon) -> float:
            if bound is ROOT:
                return epsilon * gamma * math.sqrt(t)
            return -4 * epsilon * gamma / (1 - gamma) ** 2 * math.expm1(-t)

        def value(
            log_t: float, old: Any = old, advantage: Any = advantage, rho: Any = rho, penalty: Any = penalty
        ) -> float:
            t = math.exp(log_t)
            return sum(rho[s] * largest_gain(old[s], advantage[s], t) for s in range(3)) - penalty(t)

        grid = np.linspace(math.log(1e-8), math.log(300.0), 50)
        best = max(grid, key=value)
        width = grid[1] - grid[0]
        found = minimize_scalar(lambda x: -value(x), bounds=(best - width, best + width), method="bounded")
        brute = max(value(best), -float(found.fun), 0.0)
        rises += brute > 0
        assert result.objective >= brute - 1e-8 * abs(brute) - 1e-12, (result, brute)
        assert result.objective <= brute + 1e-6 * abs(brute) + 1e-12, (result, brute)
        assert result.penalty == pytest.approx(penalty(result.max_kl), rel=1e-9)
        assert math.isfinite(result.upper_bound), "the certificate of a penalty that is not linear"
        assert result.upper_bound >= brute * (1 - 1e-12)
        assert result.relative_gap <= 1e-8
        assert result.status in (Status.OPTIMAL, Status.INACCURATE)
    assert rises or gamma == 0.9


def test_bounds_that_read_more_than_max_kl_are_refused() -> None:
    rng = np.random.default_rng(0)
    mdp, old = random_mdp(rng, 2, 2, 0.5), random_rows(rng, 2, 2, zeros=0.0)
    reads_both = tt.bounds.Bound("mine", lambda q: q.max_tv * q.max_kl, r"\eta \ge L - penalty", "")
    for bound in (reads_both, "cpo/mean-tv", "chi2/critic"):
        with pytest.raises(InvalidInput, match=r"^got the bound .*, which reads .+; wanted .*max_kl.*; fix: ."):
            update(mdp, old, Penalty(bound=bound))


# --- batches -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "problem",
    [kind(delta) for kind in CONSTRAINED for delta in (1e-9, 0.05)]
    + [Penalty(0.0), Penalty(3.0), *(Penalty(bound=bound) for bound in TRUE_BOUNDS)],
    ids=str,
)
@pytest.mark.parametrize("groups", [None, [0, 1, 0, 0]])
def test_a_batch_is_its_instances(problem: Any, groups: Any) -> None:
    rng = np.random.default_rng(17)
    gammas = np.array([[0.0, 0.5, 0.9], [0.99, 0.999, 0.9]])
    mdp = random_mdp(rng, 4, 3, gammas, batch=(2, 3))
    old = random_rows(rng, 2, 3, 4, 3, zeros=0.0)
    old[0, 2] = np.eye(3)[[0, 1, 0, 0]]
    if groups:
        old = old[..., groups, :]
    aggregation = StateAggregation(groups) if groups else None
    result = update(mdp, old, problem, aggregation=aggregation)
    assert result.status is Status.OPTIMAL
    assert result.policy.shape == result.change.shape == (2, 3, 4, 3)
    for i in np.ndindex(2, 3):
        alone = FiniteMDP(mdp.transition[i], mdp.reward[i], gammas[i], mdp.initial[i])
        single = update(alone, old[i], problem, aggregation=aggregation)
        np.testing.assert_allclose(result.policy[i], single.policy, rtol=1e-12, atol=1e-15)
        # a change is a difference of sums: its rounding is that of the largest entry of its row
        top = np.abs(single.change).max(-1, keepdims=True)
        assert (np.abs(result.change[i] - single.change) <= 1e-12 * top).all()
        for name in ("objective", "upper_bound", "max_kl", "mean_kl", "max_tv", "surrogate_gain", "penalty"):
            np.testing.assert_allclose(getattr(result, name)[i], getattr(single, name), rtol=1e-12, atol=1e-300)


# --- bad input ---------------------------------------------------------------------------------------------------

MESSAGE = r"^got .+; wanted .+; fix: .+"


@pytest.mark.parametrize("kind", CONSTRAINED)
@pytest.mark.parametrize("delta", [-1.0, -1e-300, math.nan, math.inf, "0.1", None, True, [0.1], 1j])
def test_bad_radius(kind: Any, delta: Any) -> None:
    with pytest.raises(InvalidInput, match=MESSAGE) as raised:
        kind(delta)
    assert repr(delta) in str(raised.value)


@pytest.mark.parametrize("coefficient", [-1.0, math.nan, math.inf, "2", True, [1.0]])
def test_bad_coefficient(coefficient: Any) -> None:
    with pytest.raises(InvalidInput, match=MESSAGE) as raised:
        Penalty(coefficient)
    assert repr(coefficient) in str(raised.value)


def test_both_or_neither() -> None:
    with pytest.raises(InvalidInput, match=MESSAGE):
        Penalty()
    with pytest.raises(InvalidInput, match=MESSAGE):
        Penalty(1.0, bound="trpo/kl")


def test_unknown_bound_has_near_matches() -> None:
    with pytest.raises(InvalidInput, match=r"^got .*trpo/kll.*; wanted .*; fix: .*trpo/kl"):
        Penalty(bound="trpo/kll")
    with pytest.raises(InvalidInput, match=MESSAGE):
        Penalty(bound=3.0)


def test_policies_and_maps_that_do_not_fit() -> None:
    rng = np.random.default_rng(0)
    mdp, old = random_mdp(rng, 3, 2, 0.5), random_rows(rng, 3, 2, zeros=0.0)
    for groups in ([0, 0], [0, 0, 1, 1], [0]):
        with pytest.raises(
            InvalidInput, match=rf"^got an aggregation map of {len(groups)} states; wanted .* 3 .*; fix: "
        ):
            update(mdp, old, MaxKL(0.1), aggregation=StateAggregation(groups))
    with pytest.raises(InvalidInput, match=r"^got an? old policy outside the class: state 1 .*; wanted .+; fix: .+"):
        update(mdp, old, MaxKL(0.1), aggregation=StateAggregation([0, 0, 1]))
    partly = FiniteMDP(mdp.transition, mdp.reward, 0.5, available=[[True, True], [True, False], [True, True]])
    with pytest.raises(InvalidInput, match=r"^got .*available actions outside the class.*; wanted .+; fix: .+"):
        update(partly, [[1.0, 0.0]] * 3, MaxKL(0.1), aggregation=StateAggregation([0, 0, 1]))


def test_the_default_solver_is_dual() -> None:
    s = surrogate([[0.5, 0.5]], [[1.0, -1.0]], [1.0])
    result = solve(s, MaxKL(0.1))
    assert isinstance(result.solver, Dual)
    np.testing.assert_array_equal(result.policy, solve(s, MaxKL(0.1), solver=Dual()).policy)


def gain_in_700_digits(old: Any, advantage: Any, radius: Any) -> Any:
    """The optimum of (12) in one row, p = λ old/(ν − A), by bisection on log(ν − max A) in 700 digits."""
    digits = kkt.mpmath.MPContext()
    digits.dps = 700
    o, a = ([digits.mpf(float(x)) for x in part] for part in (old, advantage))
    o = [x / digits.fsum(o) for x in o]

    def row(log_u: Any) -> list[Any]:
        u = digits.exp(log_u)
        weights = [x / (max(a) - y + u) for x, y in zip(o, a, strict=True)]
        return [w / digits.fsum(weights) for w in weights]

    def kl(p: list[Any]) -> Any:
        return digits.fsum(x * digits.log(x / y) for x, y in zip(o, p, strict=True) if x > 0)

    low, high = digits.mpf(-1500), digits.mpf(100)
    for _ in range(90):
        middle = (low + high) / 2
        low, high = (middle, high) if kl(row(middle)) > radius else (low, middle)
    return digits.fsum((x - y) * z for x, y, z in zip(row(high), o, a, strict=True))


@pytest.mark.slow
@sampled("delta", [0.01, 1.0, 100.0], every=3, start=2)
@pytest.mark.parametrize(
    ("old", "advantage"),
    [
        ([1.6e-286, 1.0, 2.5e-281, 7.9e-289], [-0.59, 0.0, 3.9e-6, -1.12]),
        ([1.6e-286, 0.7, 2.5e-281, 0.3], [-0.59, 0.0, 3.9e-6, -1.12]),
        ([1e-278, 1.0, 1e-277, 1e-279], [2.0, 0.0, 1.0, -1.0]),
        ([1e-151, 0.7, 1e-149, 0.3], [2.0, 0.0, 1.0, -1.0]),
        ([1e-149, 0.7, 1e-151, 0.3], [2.0, 0.0, 1.0, -1.0]),
        ([1e-310, 0.7, 5e-324, 0.3], [2.0, 0.0, 3.0, -1.0]),
    ],
)
def test_what_old_hardly_ever_takes_is_solved_as_if_it_never_did_and_kept(old, advantage, delta):
    result = solve(surrogate([old], [advantage], [1.0]), MaxKL(delta))
    assert result.status is Status.OPTIMAL
    assert abs(result.policy.sum() - 1) <= 4e-16
    assert (result.policy > 0).all()
    assert delta < 100 or result.max_kl < math.inf
    assert result.objective == pytest.approx(float(gain_in_700_digits(old, advantage, delta)), rel=1e-13)


@pytest.mark.parametrize("problem", [Penalty(0.0), MaxTV(1.0), Penalty(1e-200)], ids=str)
@pytest.mark.parametrize("rare", [1e-140, 1e-160, 1e-281, 5e-324])
def test_where_nothing_is_dear_the_best_action_is_taken_however_rare_the_others_are(problem, rare):
    advantage = [[-0.5, 1.0, 0.0], [0.5, 0.25, -1.0]]
    result = solve(surrogate([[rare, 0.5, 0.5], [rare, 1.0, rare]], advantage, [1.0, 1.0]), problem)
    assert result.status is Status.OPTIMAL
    assert np.abs(result.policy - [[0, 1, 0], [1, 0, 0]]).max() <= 1e-130
    assert result.surrogate_gain == pytest.approx(0.5 + 0.25, rel=1e-13)


@pytest.mark.parametrize("delta", [1e-12, 1e-4, 0.01, 0.2])
def test_reverse_kl_of_rows_that_are_nearly_deterministic(delta):
    """Rows whose KL climbs from rounding to its limit within a factor 2 of beta: a Newton step from either side is no help."""
    old = [[0.9999999996464700, 3.5044662573379949e-10, 1.0341637823563713e-12, 2.0492897871463059e-12]]
    best = [[-0.2520216080499555, -0.00098764679246274628, 0.0, -1.0]]
    for seed in range(20):
        rng = np.random.default_rng(seed)
        old.append(rng.dirichlet(np.full(4, 0.05)).tolist())
        best.append(rng.normal(size=4).tolist())
    s = surrogate(old, best, np.ones(len(old)), gamma=0.999)
    assert_optimal(solve(s, ReverseMaxKL(delta)))
    assert_optimal(solve(s, ReverseMeanKL(delta)))


def test_the_advice_does_not_name_the_solver_that_failed():
    step = update(*one_of(), MaxKL(0.01))
    assert step.advice == ""
    coarse = dataclasses.replace(step, upper=step.upper * 2)
    assert coarse.status is Status.INACCURATE
    assert "Dual()" not in coarse.status
    assert "Dual()" not in coarse.advice
    assert "Dual()" in dataclasses.replace(coarse, solver=CVXPY()).advice


def one_of():
    rng = np.random.default_rng(3)
    return random_mdp(rng, 5, 3, 0.9), random_rows(rng, 5, 3)


def test_a_mean_is_spent_to_its_last_digits_by_actions_that_old_hardly_takes():
    """KL is log(λ*/λ) there, of which a float λ holds 16 digits of 1, not of 1e-10: the radius was missed by 1e-4 of itself."""
    rare, delta = 1e-30, 1e-10
    old = np.array([[1 - rare, rare], [0.5, 0.5]])
    mdp = tt.FiniteMDP(np.full((2, 2, 2), 0.5), [[0.0, 1e30], [0.0, 1.0]], 0.9, [0.5, 0.5])
    step = tt.update(mdp, old, tt.MeanKL(delta))
    assert abs(step.mean_kl / delta - 1) <= 1e-11
    assert step.relative_gap <= 1e-9
