"""Rows under chi-square, against the maximiser among all sets of actions that may be lost, at 80 digits.

The oracle tries every subset of old's support: on it p/old is affine in A, elsewhere 0. No order of actions, no prefix
sums, and nothing of the package.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

import kkt
import numpy as np
import pytest
from cheap import examples
from hypothesis import given
from hypothesis import strategies as st
from kkt import mp
from strategies_small import dyadic, random_mdp, random_rows

import trpo_theory as tt
from trpo_theory.updates import ReverseMaxChi2, ReverseMeanChi2, Status, solve, update
from trpo_theory.updates.rows.reverse_chi2 import REVERSE_CHI2
from trpo_theory.updates.surrogate import Surrogate

RADII = (1e-30, 1e-12, 1e-3, 0.1, 0.5, 1.0, 2.0, 3.0, 7.5, 1e3)


def subsets(old: list[Any]) -> Any:
    support = [a for a, o in enumerate(old) if o > 0]
    return (set(kept) for size in range(1, len(support) + 1) for kept in combinations(support, size))


def affine(old: list[Any], advantage: list[Any], kept: set[int]) -> tuple[Any, ...]:
    """Mass, mean of A and Σ old (A − mean)² of the actions kept: pair by pair, so that it is 0 where they tie."""
    mass = mp.fsum(old[a] for a in kept)
    mean = mp.fsum(old[a] * advantage[a] for a in kept) / mass
    pairs = (old[a] * old[b] * (advantage[a] - advantage[b]) ** 2 for a, b in combinations(sorted(kept), 2))
    return mass, mean, mp.fsum(pairs) / mass


def row(old: list[Any], advantage: list[Any], kept: set[int], t: Any) -> list[Any] | None:
    """p = old (M/m + t (A − mean)) on the actions kept, 0 elsewhere; None where that is below 0."""
    mass, mean, _ = affine(old, advantage, kept)
    total = mp.fsum(old)
    p = [mp.mpf(0)] * len(old)
    for a in kept:
        p[a] = old[a] * (total / mass + t * (advantage[a] - mean))
    return None if min(p) < 0 else p


def best_row(old: Any, advantage: Any, radius: Any) -> list[Any]:
    """The maximiser of Σ p A within χ²(p‖old) ≤ radius, by trying every subset."""
    old, advantage = [mp.mpf(float(x)) for x in old], [mp.mpf(float(x)) for x in advantage]
    total, candidates = mp.fsum(old), []
    for kept in subsets(old):
        mass, _, spread = affine(old, advantage, kept)
        left = mp.mpf(radius) - (total - mass) * total / mass
        if left >= 0 and (p := row(old, advantage, kept, mp.sqrt(left / spread) if spread > 0 else 0)) is not None:
            candidates.append((mp.fsum(x * y for x, y in zip(p, advantage, strict=True)), p))
    return max(candidates, key=lambda pair: pair[0])[1]


def best_value(old: Any, advantage: Any, multiplier: Any) -> Any:
    """max_p Σ (p − old) A − λ χ²(p‖old), by trying every subset."""
    old, advantage = [mp.mpf(float(x)) for x in old], [mp.mpf(float(x)) for x in advantage]
    values = []
    for kept in subsets(old):
        p = row(old, advantage, kept, 1 / (2 * mp.mpf(multiplier)))
        if p is not None:
            gain = mp.fsum((x - o) * y for x, o, y in zip(p, old, advantage, strict=True))
            values.append(gain - multiplier * mp.fsum((x - o) ** 2 / o for x, o in zip(p, old, strict=True) if o > 0))
    return max(values)


def one_row(old: Any, advantage: Any) -> Surrogate:
    old, advantage = (np.array(part, dtype=float)[:, None, None] for part in (old, advantage))
    return Surrogate(
        old, advantage, np.ones(old.shape, bool), np.ones((1, 1)), np.zeros(1), np.abs(advantage).max((0, 1))
    )


def kkt_rows(result: Any) -> list[kkt.Row]:
    s = result.surrogate
    parts = [part[..., 0].T for part in (s.old, s.advantage, s.available)]
    answer = [part[..., 0].T for part in (result.change_rows, result.new_rows)]
    return kkt.rows_of(*parts, s.visitation[:, 0], *answer, result.multiplier_rows[:, 0])


def assert_optimal(result: Any) -> None:
    violations = kkt.violations(
        result.problem.name, kkt_rows(result), float(result.surrogate.gamma[0]), delta=result.problem.delta
    )
    assert violations.worst <= 1e-11, violations
    assert result.status is Status.OPTIMAL
    assert abs(result.gap - float(result.data_error[0])) <= 1e-10 * abs(
        result.upper_bound
    )  # but for errors of A and rho


@st.composite
def rows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Up to five actions, some never taken, some rare, some with equal or nearly equal advantages."""
    actions = draw(st.integers(1, 5))
    weights = np.array([draw(st.sampled_from((0, 1, 1, 2, 5))) for _ in range(actions)], dtype=float)
    weights[draw(st.integers(0, actions - 1))] += 1
    old = dyadic(weights)
    if draw(st.booleans()) and (old > 0).sum() > 1:
        rare, common = int(np.argmin(np.where(old > 0, old, 2))), int(np.argmax(old))
        if rare != common:
            tiny = 2.0 ** -draw(st.integers(5, 45))
            old[common] += old[rare] - tiny
            old[rare] = tiny
    advantage = np.array([draw(st.sampled_from((-1.0, 0.0, 0.25, 1.0, 3.0))) for _ in range(actions)])
    near = draw(st.sampled_from((0.0, 0.0, 1e-3, 1e-12)))
    advantage += near * np.array([draw(st.integers(-3, 3)) for _ in range(actions)])
    return old, advantage * draw(st.sampled_from((1.0, 1e-9, 1e7)))


@pytest.mark.slow
@examples(300)
@given(rows(), st.sampled_from(RADII))
def test_a_row_within_a_radius_is_the_best_of_all_subsets(drawn: Any, radius: float) -> None:
    old, advantage = drawn
    result = solve(one_row(old, advantage), ReverseMaxChi2(radius))
    assert_optimal(result)
    best = best_row(old, advantage, radius)
    change = [p - mp.mpf(float(o)) for p, o in zip(best, old, strict=True)]
    true = mp.fsum(c * mp.mpf(float(a)) for c, a in zip(change, advantage, strict=True))
    noise = 1e-12 * true + mp.mpf("1e-60") * float(np.abs(advantage).max())
    assert abs(result.surrogate_gain - true) <= noise
    assert abs(result.upper_bound - true) <= noise
    if (multiplier := result.multiplier[0]) > 0:  # else the radius is slack, and ties may share in other ways
        size = max(abs(c) for c in change)
        per_rounding = 1e-15 * float(np.ptp(advantage)) / (2 * multiplier)  # a rounding of A moves p/old by so much
        for c, x, o in zip(change, result.change[0], old, strict=True):
            assert abs(c - float(x)) <= 1e-12 * size + per_rounding * float(o)


@pytest.mark.slow
@examples(200)
@given(rows(), st.integers(-40, 40))
def test_a_row_at_a_multiplier_is_the_best_of_all_subsets(drawn: Any, exponent: int) -> None:
    old, advantage = drawn
    multiplier = 2.0**exponent * float(np.ptp(advantage) or 1.0)
    parts = (old[:, None], advantage[:, None], np.ones((len(old), 1), bool))
    value = REVERSE_CHI2.dual_value(REVERSE_CHI2.rows(*parts), np.array([multiplier]))[0]
    true = best_value(old, advantage, multiplier)
    assert abs(value - true) <= 1e-13 * true + mp.mpf("1e-300"), (value, true)


# --- closed forms and corners --------------------------------------------------------------------------------------


def test_an_unclipped_row_gains_the_root_of_the_radius_times_the_standard_deviation() -> None:
    old, advantage = [0.25, 0.25, 0.5], [3.0, -1.0, -1.0]  # mean 0, variance 3
    for radius in (1e-30, 1e-16, 1e-4, 0.25):
        result = solve(one_row(old, advantage), ReverseMaxChi2(radius))
        assert result.surrogate_gain == pytest.approx(np.sqrt(3 * radius), rel=1e-14)
        np.testing.assert_allclose(result.change[0], np.sqrt(radius / 3) * np.array(old) * advantage, rtol=1e-13)
        assert result.constraint == pytest.approx(radius, rel=1e-13)
        assert_optimal(result)


@pytest.mark.parametrize(
    ("advantage", "new"),
    [
        (
            [1.0, 1.0, -2.0],
            (Fraction(1, 2), Fraction(1, 2), 0),
        ),  # the worst of three equally likely actions is just lost
        ([1.0, 0.0, -1.0], (Fraction(2, 3), Fraction(1, 3), 0)),  # the same at 1 + t (0, −1): t = 1
        ([1.0, 0.0, -1.0], (Fraction(3, 4), Fraction(1, 4), 0)),  # beyond it the two others share
        ([1.0, 0.0, -1.0], (1, 0, 0)),
    ],
)
def test_actions_are_lost_one_after_the_other(advantage: Any, new: Any) -> None:
    radius = 3 * sum((Fraction(x) - Fraction(1, 3)) ** 2 for x in new)
    result = solve(one_row([1 / 3, 1 / 3, 1 / 3], advantage), ReverseMaxChi2(float(radius)))
    np.testing.assert_allclose(result.policy[0], [float(x) for x in new], rtol=0, atol=4e-15)


def test_saturation_spreads_over_the_best_actions_as_old_does() -> None:
    result = solve(one_row([0.125, 0.375, 0.5, 0.0], [1.0, 1.0, 0.0, 9.0]), ReverseMaxChi2(1.0))
    np.testing.assert_allclose(result.policy[0], [0.25, 0.75, 0, 0], rtol=1e-15)  # from 1/old(best) − 1 = 1 on
    assert result.multiplier[0] == 0
    assert_optimal(result)
    just_below = solve(one_row([0.125, 0.375, 0.5, 0.0], [1.0, 1.0, 0.0, 9.0]), ReverseMaxChi2(1.0 - 2.0**-40))
    assert just_below.policy[0, 2] > 0
    assert_optimal(just_below)


def test_what_cannot_gain_stays() -> None:
    for old, advantage in (([0.5, 0.5], [2.0, 2.0]), ([1.0, 0.0], [0.0, 5.0]), ([1.0], [3.0])):
        result = solve(one_row(old, advantage), ReverseMaxChi2(0.5))
        assert not result.change.any()
        assert result.status is Status.OPTIMAL
        assert result.upper_bound == 0


@pytest.mark.parametrize("spread", [1e-8, 1e-100, 1e-250])
def test_tiny_differences_are_used_in_full(spread: float) -> None:
    result = solve(one_row([0.5, 0.5], [spread, 0.0]), ReverseMaxChi2(1e-30))
    np.testing.assert_allclose(result.change[0], [0.5e-15, -0.5e-15], rtol=1e-14)
    assert result.surrogate_gain == pytest.approx(0.5e-15 * spread, rel=1e-14)
    assert result.multiplier[0] == pytest.approx(spread / 4e-15, rel=1e-14)


@pytest.mark.parametrize("radius", [1e-20, 1e-6, 1.0, 1e12])
def test_rare_best_actions(radius: float) -> None:
    """old = (r, 1 − r), A = (1, 0): p/old − 1 = √(radius (1 − r)/r) on the rare action, until it takes all."""
    for rare in (1e-200, 2.0**-900, 1e-30, 2.0**-40):
        result = solve(one_row([rare, 1.0 - rare], [1.0, 0.0]), ReverseMaxChi2(radius))
        exact = mp.mpf(rare)
        true = min(mp.sqrt(mp.mpf(radius) * exact * (1 - exact)), 1 - exact)
        assert abs(result.change[0, 0] - true) <= 1e-13 * true, (rare, result.change)
        assert result.status is Status.OPTIMAL


def test_radii_up_to_saturation_under_the_mean() -> None:
    """Beyond Σ d (1/old(best) − 1) the mean's radius is slack."""
    rng = np.random.default_rng(5)
    mdp, old = random_mdp(rng, 6, 4, 0.9), random_rows(rng, 6, 4, zeros=0.2)
    for radius in (1e-25, 1e-5, 0.03, 0.5, 2.0, 20.0, 1e9):
        result = update(mdp, old, ReverseMeanChi2(radius))
        assert_optimal(result)
        rows = kkt_rows(result)
        mean = mp.fsum(row.rho * kkt.reverse_chi2(row) for row in rows) * (1 - mp.mpf(0.9))
        assert result.reverse_mean_chi2 == pytest.approx(float(mean), rel=1e-13)
        assert result.reverse_max_chi2 == pytest.approx(float(max(kkt.reverse_chi2(row) for row in rows)), rel=1e-13)
    assert result.constraint < 1e6


def test_a_step_on_frozen_lake_by_other_code() -> None:
    """Gains of an independent code for χ² ≤ .00419 from the uniform policy, to the four digits that it printed."""
    mdp = tt.load("gym:FrozenLake-v1", gamma=0.9)
    result = update(mdp, np.full((16, 4), 0.25), ReverseMaxChi2(4.190e-3))
    assert result.surrogate_gain == pytest.approx(8.431e-4, abs=1e-7)
    assert result.expected_return_new - result.expected_return_old == pytest.approx(9.087e-4, abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [ReverseMaxChi2, ReverseMeanChi2])
def test_gaps_of_nearly_deterministic_rows(kind: Any) -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        states, actions = int(rng.integers(2, 30)), int(rng.integers(2, 7))
        gamma = float(rng.choice([0.5, 0.9, 0.99, 0.999]))
        mdp = random_mdp(rng, states, actions, gamma)
        old = rng.dirichlet(np.full(actions, 0.1), states)
        result = update(mdp, old, kind(float(10 ** rng.uniform(-12, 1))))
        assert_optimal(result)
