"""What (10) promises of (11), and (3) of (12) and (13): η does not fall. Decided in exact rationals (tests/oracles/exact.py).

The new policy is old + change, the change taken as the dyadic rationals that it is; the rounding of a row's sum is put on its
largest entry. Only floats stand between the theorem and the sign of η(new) − η(old): `allowance` says how much they can do.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import exact
import numpy as np
import pytest
from cheap import examples
from hypothesis import given
from hypothesis import strategies as st
from strategies_small import mdps, policies, random_mdp, random_rows

import trpo_theory as tt
from trpo_theory.model.policy import StateAggregation
from trpo_theory.updates import MaxKL, MeanKL, Penalty, Status, update

TRUE_BOUNDS = ("trpo/kl", "pinsker/kl", "chain-rule/kl")
DELTAS = (1e-8, 1e-4, 0.01, 0.1, 0.5, 2.0, 10.0)
EPS = 2.0**-52


def normalised(rows: np.ndarray) -> np.ndarray:
    """Rational rows whose defect from 1 goes to the largest entry."""
    rows = rows.copy()
    for row in rows:
        row[int(np.argmax(exact.nearest(row)))] += exact.rational(1) - sum(row, exact.rational(0))
    return rows


def exact_step(mdp: Any, result: Any, old: Any) -> exact.ExactStep:
    """Old and new in rationals. Row defects of MDP and old are theirs alone: both policies live in the same rational MDP."""
    start = normalised(exact.rationals(old))
    new = start + exact.rationals(result.change)
    new[new < 0] = exact.rational(0)
    transition = exact.rationals(mdp.transition)
    for s in range(mdp.states):
        allowed = mdp.available[s]
        transition[s, allowed] = normalised(transition[s, allowed])
    rest = (transition, mdp.reward, mdp.gamma, mdp.initial)
    return exact.ExactStep(exact.ExactPolicy(*rest, start), exact.ExactPolicy(*rest, normalised(new)), mdp.available)


def advantage_error(step: exact.ExactStep, result: Any) -> float:
    """max |A used − A exact|, as the solver saw it (of groups: their mean under ρ)."""
    s = result.surrogate
    group = np.arange(len(step.available)) if s.aggregation is None else s.aggregation.group
    worst = 0.0
    for g in range(group.max() + 1):
        members = np.flatnonzero(group == g)
        total = sum((step.old.visitation[i] for i in members), exact.rational(0))
        for a in range(step.available.shape[1]):
            if total > 0:
                mean = sum((step.old.visitation[i] * step.advantage[i, a] for i in members), exact.rational(0)) / total
                worst = max(worst, exact.error(s.advantage[a, g, 0], mean) if step.available[members[0], a] else 0.0)
    return worst


def allowance(step: exact.ExactStep, result: Any, gamma: float) -> float:
    """What float error can make of η(new) − η(old), which is at most Σ ρ · |change|₁ · (error of A) and alike.

    The solver maximises with A off by e (measured, exactly), ρ and C by some 1e-14, changes by 4 ε of the largest of a row:
    each moves the objective by at most Σ ρ max_s |change|₁ (e + 1e-13 ε_A).
    """
    size = np.abs(result.change).sum(-1).max()
    largest = np.abs(exact.nearest(step.advantage)).max()
    return float(size / (1 - gamma) * (2 * advantage_error(step, result) + 16 * EPS * largest))


def difference(step: exact.ExactStep) -> float:
    """η(new) − η(old), subtracted before rounding."""
    return exact.nearest(step.new.expected_return - step.old.expected_return)


@st.composite
def classes(draw: st.DrawFn) -> tuple[Any, np.ndarray, StateAggregation | None]:
    """An MDP, an old policy, and None or a StateAggregation of which old is."""
    mdp = draw(mdps(gammas=(0.0, 0.5, 0.9, 0.99, 0.999)))
    if draw(st.integers(0, 2)) == 0:
        return mdp, draw(policies(mdp.available)), None
    labels = [(draw(st.integers(0, 1)), *row.tolist()) for row in mdp.available]
    names = sorted(set(labels))
    group = [names.index(label) for label in labels]
    return mdp, draw(policies(np.array([name[1:] for name in names])))[group], StateAggregation(group)


@pytest.mark.slow
@examples(150)
@given(classes(), st.sampled_from(TRUE_BOUNDS))
def test_true_penalties_never_lower_the_return(drawn: Any, bound: str) -> None:
    mdp, old, aggregation = drawn
    result = update(mdp, old, Penalty(bound=bound), aggregation=aggregation)
    step = exact_step(mdp, result, old)
    least = allowance(step, result, mdp.gamma)
    assert difference(step) >= -least
    # (10): the improvement is at least M(new) − M(old), which is the objective
    assert difference(step) >= result.objective - least
    assert result.objective >= -least


@pytest.mark.parametrize("bound", TRUE_BOUNDS)
@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99, 0.999])
def test_true_penalties_strictly_raise_the_return_of_generic_policies(bound: str, gamma: float) -> None:
    rng = np.random.default_rng(5)
    for aggregation in (None, StateAggregation([0, 1, 0, 1, 0])):
        mdp, old = random_mdp(rng, 5, 3, gamma), random_rows(rng, 5, 3, zeros=0.0)
        old = old if aggregation is None else aggregation.expand(old[:2])
        result = update(mdp, old, Penalty(bound=bound), aggregation=aggregation)
        step = exact_step(mdp, result, old)
        assert difference(step) >= result.objective * (1 - 1e-9)
        assert result.objective > 0


@pytest.mark.slow
@examples(150)
@given(st.data(), st.sampled_from((MaxKL, MeanKL)), st.sampled_from(DELTAS))
def test_constrained_steps_over_all_policies_raise_the_return_at_any_radius(data: Any, kind: Any, delta: float) -> None:
    """Ā ≥ 0 in every state, by (3): also in those that old never visits, where the solver stays at old and Ā = 0."""
    mdp = data.draw(mdps(gammas=(0.0, 0.5, 0.9, 0.99, 0.999)))
    old = data.draw(policies(mdp.available))
    result = update(mdp, old, kind(delta))
    step = exact_step(mdp, result, old)
    wrong = advantage_error(step, result) + 16 * EPS * np.abs(exact.nearest(step.advantage)).max()
    moved = np.abs(result.change).sum(-1)
    assert (exact.nearest(step.expected_advantage) >= -wrong * moved).all()
    assert difference(step) >= -allowance(step, result, mdp.gamma)


@pytest.mark.parametrize("kind", [MaxKL, MeanKL])
@pytest.mark.parametrize("delta", DELTAS)
def test_constrained_steps_strictly_raise_the_return_of_generic_policies(kind: Any, delta: float) -> None:
    rng = np.random.default_rng(8)
    for gamma in (0.5, 0.99):
        mdp, old = random_mdp(rng, 4, 3, gamma), random_rows(rng, 4, 3, zeros=0.0)
        result = update(mdp, old, kind(delta))
        step = exact_step(mdp, result, old)
        assert result.status is Status.OPTIMAL
        assert (exact.nearest(step.expected_advantage) > 0).all()
        assert difference(step) > 0


# --- F6: states that share a row ---------------------------------------------------------------------------------

SHARED = StateAggregation([0, 0, 0])
TO_SEVEN_TENTHS = 0.4 * math.log(0.4 / 0.7) + 0.6 * math.log(0.6 / 0.3)


def return_of_f6(p: Any, gamma: Any) -> Fraction:
    """η = γ p (1 − p)."""
    p, gamma = Fraction(p), Fraction(gamma)
    return gamma * p * (1 - p)


@pytest.mark.parametrize("kind", [MaxKL, MeanKL])
def test_f6_shows_that_a_constrained_step_can_lower_the_return(kind: Any) -> None:
    f6 = tt.zoo.f6(gamma=0.9, p=0.4)
    result = update(f6.mdp, f6.old, kind(TO_SEVEN_TENTHS), aggregation=SHARED)
    assert result.status is Status.OPTIMAL
    np.testing.assert_allclose(result.policy, [[0.7, 0.3]] * 3, rtol=1e-13)
    assert result.surrogate_gain == pytest.approx(0.9 * (1 - 2 * 0.4) * 0.3, rel=1e-12)
    step = exact_step(f6.mdp, result, f6.old)
    assert exact.nearest(step.old.expected_return) == pytest.approx(0.216, rel=1e-14)
    assert exact.nearest(step.new.expected_return) == pytest.approx(0.189, rel=1e-12)
    assert exact.nearest(step.old.expected_return) == pytest.approx(float(return_of_f6(0.4, 0.9)), rel=1e-14)
    # any radius beyond the mirror image p = 0.6 lowers it, any below does not
    mirror = 0.4 * math.log(0.4 / 0.6) + 0.6 * math.log(0.6 / 0.4)
    for factor, sign in ((0.5, 1), (0.99, 1), (1.01, -1), (10.0, -1)):
        moved = update(f6.mdp, f6.old, kind(mirror * factor), aggregation=SHARED)
        assert sign * difference(exact_step(f6.mdp, moved, f6.old)) > 0
    # with all policies allowed the same radius raises it: states 0 and 1 part ways
    free = update(f6.mdp, f6.old, kind(TO_SEVEN_TENTHS))
    assert difference(exact_step(f6.mdp, free, f6.old)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("bound", TRUE_BOUNDS)
@pytest.mark.parametrize("gamma", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("p", [0.1, 0.4, 0.49, 0.6])
def test_f6_under_a_true_penalty_rises(bound: str, gamma: float, p: float) -> None:
    f6 = tt.zoo.f6(gamma=gamma, p=p)
    result = update(f6.mdp, f6.old, Penalty(bound=bound), aggregation=SHARED)
    step = exact_step(f6.mdp, result, f6.old)
    assert difference(step) >= result.objective * (1 - 1e-9)
    assert result.objective > 0


@pytest.mark.parametrize("coefficient", [0.0, 1e-4, 0.01, 0.05])
def test_f6_under_too_small_a_coefficient_falls(coefficient: float) -> None:
    """η(p) − η(p₀) = γ (p − p₀)(1 − p − p₀) < 0 beyond p = 0.6: f' = C at p = 0.6 is C = γ (1 − 2 p₀) p (1 − p)/(p − p₀)."""
    f6 = tt.zoo.f6(gamma=0.9, p=0.4)
    threshold = 0.9 * 0.2 * 0.6 * 0.4 / 0.2
    assert coefficient < threshold
    result = update(f6.mdp, f6.old, Penalty(coefficient), aggregation=SHARED)
    assert result.status is Status.OPTIMAL
    assert difference(exact_step(f6.mdp, result, f6.old)) < 0
    for factor, sign in ((0.99, -1), (1.01, 1)):
        near = update(f6.mdp, f6.old, Penalty(threshold * factor), aggregation=SHARED)
        assert sign * difference(exact_step(f6.mdp, near, f6.old)) > 0
