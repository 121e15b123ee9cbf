"""The fourteen numbered equations of docs/theory.md, one property each, on instances that the public strategies draw.

An instance is drawn in fractions. The oracle works on these, exactly: linear systems in rationals
(tests/oracles/exact.py), sums over time of exact state distributions, truncated where γᵀ is small, differences of rational
functions, mpmath for logarithms. The package works on the nearest floats. It may be off by the rounding of the input, which
1/(1 − γ) amplifies twice: `tolerance`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import exact
import kkt
import mpmath
import numpy as np
import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

import trpo_theory as tt
from trpo_theory.testing import strategies
from trpo_theory.updates import MaxKL, MeanKL, Penalty

mp = mpmath.MPContext()
mp.dps = 50
SHORT = [0, 0.1, 0.5, 0.9]
"""Discounts for which a sum over time is short."""

TRUNCATION = 1e-13


class Case:
    """A drawn instance: the exact step, and the package's quantities of its floats."""

    def __init__(self, drawn: dict[str, Any]) -> None:
        self.drawn, self.instance = drawn, strategies.rounded(drawn)
        self.mdp, self.floats = self.instance.mdp, (self.instance.old, self.instance.new)
        rest = (drawn["transition"], drawn["reward"], drawn["gamma"], drawn["initial"])
        self.old, self.new = (exact.ExactPolicy(*rest, drawn[name]) for name in ("old", "new"))
        self.step = exact.ExactStep(self.old, self.new, drawn["available"])
        self.q = tt.compare(self.mdp, *self.floats)
        self.gamma = float(drawn["gamma"])
        self.scale = max(map(abs, drawn["reward"].flat)) / (1 - drawn["gamma"])  # of V; of A twice that

    @property
    def tolerance(self) -> float:
        """Of η, L and their like: S + A roundings of V's scale, twice through (I − γP)⁻¹."""
        return 1e-14 * float(self.scale) / (1 - self.gamma) ** 2 + TRUNCATION * float(self.scale)

    def close(self, got: Any, true: Any) -> bool:
        return exact.error(got, true) <= self.tolerance

    def policy(self, rows: Any) -> exact.ExactPolicy:
        return exact.ExactPolicy(self.old.transition, self.old.reward, self.old.gamma, self.old.initial, rows)


def cases(**options: Any) -> st.SearchStrategy[Case]:
    options = {"states": (1, 3), "unavailable": True, **options}
    both = [strategies.exact_instances(**options, trivial=trivial) for trivial in (False, True)]
    return st.one_of(both).map(Case)


def over_time(policy: exact.ExactPolicy, f: Any) -> fmpq:
    """Σ_{t<T} γᵗ E[f(s_t)] with the exact distribution of s_t, T the first with γᵀ ≤ TRUNCATION (1 − γ).

    The rest is at most max|f| γᵀ/(1 − γ). Numbers are rounded to 200 bits now and then, or their digits would fill the memory.
    """
    distribution, discount, total = policy.initial, fmpq(1), fmpq(0)
    while discount > exact.rational(TRUNCATION) * (1 - policy.gamma):
        total += discount * sum(distribution * f)
        distribution = np.array([shortened(x) for x in np.add.reduce(distribution[:, None] * policy.chain, axis=0)])
        discount = shortened(discount * policy.gamma)
    return total


def shortened(x: fmpq) -> fmpq:
    """Rounded to 2⁻²⁰⁰ once it is long: by far less than the truncation."""
    return x if int(x.q).bit_length() < 1000 else fmpq((x * 2**200).floor(), 2**200)


def by_states(policy: Any, f: Any) -> Any:
    """Σ_a π(a|s) f(s,a)."""
    return np.add.reduce(policy * f, axis=1)


# --- (1) a gradient step -----------------------------------------------------------------------------------------


def sigmoid(theta: Any) -> Any:
    return 1 / (1 + mp.exp(-theta))


def test_equation_1_a_gradient_step_of_bad_size_lowers_the_return() -> None:
    """F6, one parameter θ, p = σ(θ) in every state: dη/dθ = γ (1 − 2p) p (1 − p) = 0.0432, and 40 of it takes .216 to .150."""
    f6 = tt.zoo.f6(gamma=0.9, p=0.4)
    toward_one = f6.old + np.array([1, -1]) * f6.old[:, :1] * f6.old[:, 1:]  # old + dπ/dθ
    slope = tt.compare(f6.mdp, f6.old, toward_one).return_derivative
    assert slope == pytest.approx(0.0432, rel=1e-13)
    theta = mp.log(mp.mpf(0.4) / mp.mpf(0.6))

    def after(step: Any) -> float:
        p = float(sigmoid(theta + step * slope))
        return tt.evaluate(f6.mdp, [[p, 1 - p]] * 3).expected_return

    assert after(0) == pytest.approx(0.216, rel=1e-13)
    assert after(40) == pytest.approx(0.150, abs=5e-4)
    assert after(40) == pytest.approx(
        float(0.9 * sigmoid(theta + 40 * slope) * (1 - sigmoid(theta + 40 * slope))), rel=1e-12
    )
    assert after(40) < after(0) < after(5)


@given(
    strategies.classes(gamma=SHORT, states=(1, 3), full_support=True, unit=True),
    st.sampled_from([1, Fraction(1, 2), Fraction(1, 100)]),
)
def test_equation_1_a_gradient_step_that_is_small_enough_raises_the_return(case: Any, share: Any) -> None:
    """η is β-smooth in the logits, β = 8/(1 − γ)³ for rewards in [0, 1] (Agarwal et al. 2021, Lemma D.4), and n β where n
    states share a row: a step h ≤ 1/(n β) gains at least h |∇η|²/2. The gradient is the package's, the returns are exact.
    """
    mdp, aggregation, old = case
    sharing = np.bincount(aggregation.group).max()
    h = float(share) * (1 - mdp.gamma) ** 3 / (8 * sharing)
    q = tt.compare(mdp, old, old)
    gradient = np.zeros((aggregation.count, mdp.actions))
    np.add.at(gradient, aggregation.group, q.visitation_old[:, None] * old * q.advantage)
    weights = exact.rationals(old * np.exp(h * aggregation.expand(gradient)))
    new = weights / np.add.reduce(weights, axis=1)[:, None]
    gain = exact.policy_on(mdp, new).expected_return - exact.policy_on(mdp, old).expected_return
    assert exact.nearest(gain) >= h * (gradient**2).sum() / 2 - 1e-14 / (1 - mdp.gamma) ** 2


# --- (2)-(6) returns, advantages, visitation ---------------------------------------------------------------------


@given(cases(gamma=SHORT))
def test_equation_2_the_return_is_the_expected_discounted_sum_of_rewards(case: Case) -> None:
    for policy, got in ((case.old, case.q.expected_return_old), (case.new, case.q.expected_return_new)):
        assert case.close(got, over_time(policy, by_states(policy.policy, policy.reward)))
    assert case.close(case.q.discounted_sum_old(case.mdp.reward), case.old.expected_return)


@given(cases(gamma=SHORT))
def test_equation_2_with_the_advantage_in_place_of_the_reward_is_zero(case: Case) -> None:
    """The erratum: E_π Σ γᵗ A_π = 0, whatever η is."""
    assert over_time(case.old, by_states(case.old.policy, case.old.advantage)) == 0
    assert over_time(case.old, by_states(case.old.policy, exact.rationals(case.q.advantage))) <= exact.rational(
        case.tolerance
    )
    assert abs(case.q.discounted_sum_old(case.q.advantage)) <= case.tolerance


def test_equation_2_the_erratum_is_not_the_return() -> None:
    mdp = tt.FiniteMDP([[[1.0]]], [[1.0]], 0.5)
    q = tt.compare(mdp, [[1.0]], [[1.0]])
    assert (q.expected_return_old, q.discounted_sum_old(q.advantage)) == (2.0, 0.0)


@given(cases(gamma=SHORT))
def test_equation_3_the_difference_of_returns_is_the_new_policys_sum_of_old_advantages(case: Case) -> None:
    difference = case.new.expected_return - case.old.expected_return
    series = over_time(case.new, case.step.expected_advantage)
    assert abs(exact.nearest(series - difference)) <= 4 * TRUNCATION * case.scale
    assert case.close(case.q.discounted_sum_new(case.q.advantage), series)
    assert exact.error(case.q.expected_return_new - case.q.expected_return_old, difference) <= case.tolerance


@given(cases(gamma=SHORT))
def test_equation_4_the_advantage_is_q_minus_v(case: Case) -> None:
    """Q and V by backward induction over a horizon of T steps, without a linear system."""
    old, value, discount = case.old, np.array([fmpq(0)] * case.mdp.states), fmpq(1)
    q_value = old.reward
    while discount > exact.rational(TRUNCATION) * (1 - old.gamma):
        q_value = old.reward + old.gamma * np.add.reduce(old.transition * value, axis=2)
        value = np.array([shortened(x) for x in by_states(old.policy, q_value)])
        discount = shortened(discount * old.gamma)
    q_value = old.reward + old.gamma * np.add.reduce(old.transition * value, axis=2)
    assert case.close(case.q.q_value, q_value)
    assert case.close(case.q.value, value)
    advantage = np.where(case.mdp.available, q_value - value[:, None], fmpq(0))
    assert case.close(case.q.advantage, advantage)
    assert abs(exact.nearest(by_states(old.policy, exact.rationals(case.q.advantage)))).max() <= case.tolerance


@given(cases(gamma=SHORT))
def test_equation_5_visitation_is_the_discounted_sum_of_state_probabilities(case: Case) -> None:
    total = 1 / (1 - case.gamma)
    for policy, got in ((case.old, case.q.visitation_old), (case.new, case.q.visitation_new)):
        series = [over_time(policy, row) for row in exact.rationals(np.eye(case.mdp.states))]
        assert exact.error(got, np.array(series)) <= 1e-14 * total**2 + 1e-12
        flow = policy.initial + policy.gamma * np.add.reduce(exact.rationals(got)[:, None] * policy.chain, axis=0)
        assert exact.error(got, flow) <= 1e-15 * case.mdp.states * total
        assert exact.error(got.sum(), 1 / (1 - policy.gamma)) <= 1e-14 * total**2


@given(cases())
def test_equation_6_the_difference_by_states(case: Case) -> None:
    """Exactly an identity in rationals; the package's own sum is close to it."""
    difference = case.new.expected_return - case.old.expected_return
    assert sum(case.new.visitation * case.step.expected_advantage) == difference
    got = (case.q.visitation_new[:, None] * case.floats[1] * case.q.advantage).sum()
    assert case.close(got, difference)
    assert case.close(case.q.expected_return_old + got, case.new.expected_return)


# --- (7), (8) the surrogate --------------------------------------------------------------------------------------


@given(cases(gamma=SHORT))
def test_equation_7_the_surrogate_sums_new_actions_over_old_visits(case: Case) -> None:
    series = case.old.expected_return + over_time(case.old, case.step.expected_advantage)
    assert case.close(case.q.surrogate, series)
    assert case.close(case.q.surrogate - case.q.surrogate_gain, case.old.expected_return)


@given(st.data(), st.fractions(0, 1, max_denominator=8))
def test_equation_7_is_linear_in_new(data: Any, x: Fraction) -> None:
    case = data.draw(cases())
    other = data.draw(strategies.policies(case.mdp))
    new = case.floats[1]
    ends = [exact.step_on(case.mdp, case.floats[0], policy).surrogate for policy in (new, other)]
    between = tt.compare(case.mdp, case.floats[0], (1 - float(x)) * new + float(x) * other).surrogate
    assert case.close(between, (1 - exact.rational(x)) * ends[0] + exact.rational(x) * ends[1])


@given(cases())
def test_equation_8_values_and_slopes_agree_at_old_in_every_direction(case: Case) -> None:
    """η(old + t (new − old)) is a rational function of t, so that (η(t) − η(−t))/2t at t = 2⁻⁶⁰ is its slope to 2⁻¹⁰⁰ or so."""
    direction, t = case.new.policy - case.old.policy, fmpq(1, 2**60)
    ends = [case.policy(case.old.policy + sign * t * direction).expected_return for sign in (1, -1)]
    slope = (ends[0] - ends[1]) / (2 * t)
    assert abs(exact.nearest(slope - case.step.surrogate_gain)) <= 1e-20 * float(case.scale)
    assert case.close(case.q.surrogate_gain, slope)
    assert case.close(case.q.return_derivative, slope)
    at_old = tt.compare(case.mdp, case.floats[0], case.floats[0])
    assert at_old.surrogate == at_old.expected_return_old
    assert case.close(at_old.surrogate, case.old.expected_return)


def mp_return(mdp: Any, policy: Any) -> Any:
    """η in 50 digits; policy an object array of mpf."""
    states, actions = mdp.states, mdp.actions
    chain, reward = mp.eye(states), mp.matrix(states, 1)
    for s in range(states):
        for a in range(actions):
            reward[s] += policy[s][a] * mp.mpf(float(mdp.reward[s, a]))
            for t in range(states):
                chain[s, t] -= mp.mpf(mdp.gamma) * policy[s][a] * mp.mpf(float(mdp.transition[s, a, t]))
    value = mp.lu_solve(chain, reward)
    return mp.fsum(mp.mpf(float(p)) * v for p, v in zip(mdp.initial, value, strict=True))


@given(strategies.classes(states=(1, 3), actions=(2, 3)), st.data())
def test_equation_8_through_a_shared_softmax(drawn: Any, data: Any) -> None:
    """π(a|s) ∝ old(a|s) exp(t u(g(s), a)): dη/dt at 0 by central differences in 50 digits, error t² ≈ 1e-30."""
    mdp, aggregation, old = drawn
    count = (aggregation.count, mdp.actions)
    size = aggregation.count * mdp.actions
    u = np.array(data.draw(st.lists(st.integers(-4, 4), min_size=size, max_size=size)))
    u = aggregation.expand(u.reshape(count) / 8)

    def shifted(t: Any) -> list[list[Any]]:
        rows = []
        for probabilities, directions in zip(old, u, strict=True):
            weights = [mp.mpf(p) * mp.exp(t * mp.mpf(d)) for p, d in zip(probabilities, directions, strict=True)]
            rows.append([weight / mp.fsum(weights) for weight in weights])
        return rows

    t = mp.mpf("1e-15")
    slope = (mp_return(mdp, shifted(t)) - mp_return(mdp, shifted(-t))) / (2 * t)
    # dπ/dt = π (u − mean of u under π), at most 1 in size beside π: old + dπ/dt is a policy
    q = tt.compare(mdp, old, old * (1 + u - (old * u).sum(1, keepdims=True)))
    tolerance = 1e-14 * np.abs(mdp.reward).max() / (1 - mdp.gamma) ** 3
    assert abs(q.return_derivative - slope) <= tolerance
    assert abs(q.surrogate_gain - slope) <= tolerance


# --- (9), (10) the bound -----------------------------------------------------------------------------------------


def divergence(p: Any, q: Any) -> Any:
    """KL(p‖q) of rational rows, in 50 digits."""
    total = mp.mpf(0)
    for x, y in zip(p, q, strict=True):
        if x > 0 and y == 0:
            return mp.inf
        if x > 0:
            total += number(x) * mp.log(number(x) / number(y))
    return total


def number(x: Any) -> Any:
    x = exact.rational(x)
    return mp.mpf(int(x.p)) / int(x.q)


def largest_divergence(case: Case) -> Any:
    return max(divergence(p, q) for p, q in zip(case.old.policy, case.new.policy, strict=True))


def some_or_near() -> st.SearchStrategy[Case]:
    """Pairs of any distance, more often near, whose KL is finite or not."""
    return st.one_of(cases(), cases(near=True), cases(full_support="new"))


@given(some_or_near())
def test_equation_9_the_gap_is_at_least_minus_the_penalty(case: Case) -> None:
    """Gap and ε in rationals, D in 50 digits; then the package's slack of pinsker/kl against theirs."""
    gamma, kl = number(case.old.gamma), largest_divergence(case)
    penalty = 2 * number(abs(case.step.advantage).max()) * gamma / (1 - gamma) ** 2
    penalty = penalty * kl if penalty > 0 else mp.mpf(0)
    slack = number(case.step.surrogate_gap) + penalty
    assert slack >= -mp.mpf("1e-40") * (1 + float(case.scale))
    bound = tt.bounds["pinsker/kl"]
    if mp.isinf(kl):
        assert bound.penalty(case.q) == np.inf  # 0 · ∞ included
    else:
        assert abs(bound.slack(case.q) - slack) <= case.tolerance + 1e-12 * penalty
        assert bound.check(case.q).holds


COEFFICIENTS = {
    "trpo/kl": lambda gamma: 4 * gamma / (1 - gamma) ** 2,
    "pinsker/kl": lambda gamma: 2 * gamma / (1 - gamma) ** 2,
    "chain-rule/kl": lambda gamma: 2 * mp.polylog(-0.5, gamma),
}
"""C/ε of true bounds."""


@pytest.mark.slow
@given(some_or_near(), st.sampled_from(sorted(COEFFICIENTS)))
def test_equation_10_a_rise_of_the_lower_bound_is_a_rise_of_the_return(case: Case, name: str) -> None:
    """η(new) − η(old) ≥ M(new) − M(old), first in rationals and 50 digits; then the package's M beside these; M(old) = η(old)."""
    bound, stay = tt.bounds[name], tt.compare(case.mdp, case.floats[0], case.floats[0])
    assert case.close(bound.lower_bound(stay), case.old.expected_return)
    coefficient = number(abs(case.step.advantage).max()) * COEFFICIENTS[name](number(case.old.gamma))
    kl = largest_divergence(case)
    if mp.isinf(kl):
        assert bound.lower_bound(case.q) == -np.inf
        return
    rise = number(case.new.expected_return - case.old.expected_return)
    rise_of_bound = number(case.step.surrogate_gain) - coefficient * kl
    assert rise >= rise_of_bound - mp.mpf("1e-40") * (1 + float(case.scale))
    got = bound.lower_bound(case.q) - bound.lower_bound(stay)
    assert abs(got - rise_of_bound) <= case.tolerance + 1e-12 * coefficient * kl


# --- (11)-(13) the update problems -------------------------------------------------------------------------------


def feasible_share(within: Any) -> Any:
    """The largest of 60 halvings' x in [0, 1] with within(x), which is true near 0."""
    low, high = mp.mpf(0), mp.mpf(1)
    if within(high):
        return high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle) else (low, middle)
    return low


class Competition:
    """What a competitor is worth, from the exact advantages and visitation of the floats: gain, max-KL, mean-KL in 50 digits."""

    def __init__(self, mdp: Any, old: Any) -> None:
        self.step = exact.step_on(mdp, old, old)
        self.old = [[number(x) for x in row] for row in old]
        self.weights = [number(x) for x in self.step.old.visitation]
        self.advantage = [[number(x) for x in row] for row in self.step.advantage]
        self.gamma = number(mdp.gamma)

    def gain(self, change: Any) -> Any:
        """Σ ρ Σ (new − old) A."""
        rows = zip(self.weights, change, self.advantage, strict=True)
        return mp.fsum(
            rho * mp.fsum(c * a for c, a in zip(cs, advantages, strict=True)) for rho, cs, advantages in rows
        )

    def kl(self, change: Any) -> list[Any]:
        """Σ p log(p/q) − p + q of each state: of stored rows, which sum to 1 only to rounding."""
        out = []
        for p, c in zip(self.old, change, strict=True):
            pairs = list(zip(p, c, strict=True))
            lost = any(x > 0 and x + y <= 0 for x, y in pairs)
            out.append(mp.inf if lost else mp.fsum(y - (x * mp.log1p(y / x) if x > 0 else 0) for x, y in pairs))
        return out

    def max_kl(self, change: Any) -> Any:
        return max(self.kl(change))

    def mean_kl(self, change: Any) -> Any:
        pairs = zip(self.weights, self.kl(change), strict=True)
        return (1 - self.gamma) * mp.fsum(rho * kl for rho, kl in pairs if rho > 0)

    def toward(self, target: Any, x: Any) -> Any:
        rows = zip(self.old, target, strict=True)
        return [[x * (mp.mpf(float(t)) - p) for p, t in zip(ps, ts, strict=True)] for ps, ts in rows]


def as_mp(change: Any) -> Any:
    return [[mp.mpf(float(c)) for c in row] for row in change]


def meets_kkt(result: Any, **bound: Any) -> float:
    """The worst violation of the Karush-Kuhn-Tucker conditions, in 80 digits (tests/oracles/kkt.py)."""
    s = result.surrogate
    first = np.unique(s.aggregation.group, return_index=True)[1]
    parts = [part[..., 0].T for part in (s.old, s.advantage, s.available)]
    rows = kkt.rows_of(
        *parts, s.visitation[:, 0], result.change[first], result.policy[first], np.asarray(result.multiplier)
    )
    return kkt.violations(result.problem.name, rows, float(s.gamma[0]), **bound).worst


UPDATE = {"states": (1, 3), "gamma": [*SHORT, 0.99], "unavailable": True}
DELTAS = st.sampled_from([0.1, 1e-3, 1.0, 1e-8])


def rounding_of(mdp: Any) -> float:
    """Of a gain: A is off by some ε/(1 − γ)² of the rewards."""
    return 1e-14 * float(np.abs(mdp.reward).max()) / (1 - mdp.gamma) ** 3


@pytest.mark.slow
@settings(max_examples=40)
@given(strategies.classes(**UPDATE), st.sampled_from([1.0, 0.1, 10.0, 1000.0]), st.data())
def test_equation_11_no_policy_of_the_class_beats_the_penalty_solution(
    drawn: Any, coefficient: float, data: Any
) -> None:
    mdp, aggregation, old = drawn
    result, field = tt.update(mdp, old, Penalty(coefficient), aggregation=aggregation), Competition(mdp, old)
    assert aggregation.contains(result.policy)
    assert meets_kkt(result, coefficient=coefficient) <= 1e-11

    def worth(change: Any) -> Any:
        return field.gain(change) - mp.mpf(coefficient) * field.max_kl(change)

    mine = worth(as_mp(result.change))
    assert mine >= -rounding_of(mdp)
    assert abs(mine - result.objective) <= rounding_of(mdp)
    target = data.draw(strategies.policies(mdp, aggregation=aggregation))
    for x in (1, mp.mpf("0.3"), mp.mpf("0.01"), mp.mpf("0.0001")):
        assert worth(field.toward(target, x)) <= mine + rounding_of(mdp)


def check_constrained(drawn: Any, problem: Any, spent: str, data: Any) -> None:
    """KKT, feasibility, and that the furthest feasible step towards any policy of the class gains no more."""
    mdp, aggregation, old = drawn
    result, field = tt.update(mdp, old, problem, aggregation=aggregation), Competition(mdp, old)
    divergence_of, delta = getattr(field, spent), mp.mpf(problem.delta)
    assert aggregation.contains(result.policy)
    assert meets_kkt(result, delta=problem.delta) <= 1e-11
    assert divergence_of(as_mp(result.change)) <= delta * (1 + mp.mpf("1e-9"))
    mine = field.gain(as_mp(result.change))
    assert abs(mine - result.surrogate_gain) <= rounding_of(mdp)
    for _ in range(2):
        target = data.draw(strategies.policies(mdp, aggregation=aggregation))
        x = feasible_share(lambda x, target=target: divergence_of(field.toward(target, x)) <= delta)
        assert field.gain(field.toward(target, x)) <= mine + rounding_of(mdp)


@pytest.mark.slow
@settings(max_examples=40)
@given(strategies.classes(**UPDATE), DELTAS, st.data())
def test_equation_12_no_feasible_policy_of_the_class_beats_the_max_kl_solution(
    drawn: Any, delta: float, data: Any
) -> None:
    check_constrained(drawn, MaxKL(delta), "max_kl", data)


@pytest.mark.slow
@settings(max_examples=40)
@given(strategies.classes(**UPDATE), DELTAS, st.data())
def test_equation_13_no_feasible_policy_of_the_class_beats_the_mean_kl_solution(
    drawn: Any, delta: float, data: Any
) -> None:
    check_constrained(drawn, MeanKL(delta), "mean_kl", data)


# --- (14) importance sampling ------------------------------------------------------------------------------------


def sampled_by_old(case: Case, f: Any) -> fmpq:
    """E_{s~ρ_old, a~old}[new/old f], summed over time: actions that old never takes are not sampled."""
    old, new = case.old.policy, case.new.policy
    ratio = np.where(old > 0, new / np.where(old > 0, old, fmpq(1)), fmpq(0))
    return over_time(case.old, by_states(old * ratio, f))


@given(cases(gamma=SHORT, full_support="old"))
def test_equation_14_importance_sampling_is_the_surrogate_where_old_covers_new(case: Case) -> None:
    want = case.step.surrogate_gain
    assert abs(exact.nearest(sampled_by_old(case, case.step.advantage) - want)) <= 4 * TRUNCATION * case.scale
    got = tt.importance_sampled(case.mdp, *case.floats)
    assert got.supported
    assert case.close(got.exact, want)
    shift = sum(case.old.visitation * case.old.value)
    with_q = tt.importance_sampled(case.mdp, *case.floats, use_q=True)
    assert case.close(with_q.exact, sampled_by_old(case, case.old.q_value))
    assert case.close(with_q.exact - got.exact, shift)


@given(cases(gamma=SHORT))
def test_equation_14_misses_what_new_does_where_old_never_acts(case: Case) -> None:
    got = tt.importance_sampled(case.mdp, *case.floats, require_support=False)
    assert case.close(got.exact, sampled_by_old(case, case.step.advantage))
    missed = np.where(case.old.policy == 0, case.new.policy * case.step.advantage, fmpq(0))
    assert case.close(got.surrogate_gain - got.exact, over_time(case.old, np.add.reduce(missed, axis=1)))


def test_equation_14_fails_on_f1() -> None:
    """γ = ½, x = ¼: the surrogate gain is 1, the sum over actions that old takes ½."""
    f1 = tt.zoo.f1(gamma=0.5, x=0.25)
    got = tt.importance_sampled(f1.mdp, f1.old, f1.new, require_support=False)
    assert not got.supported
    assert (got.surrogate_gain, got.exact) == (1.0, 0.5)
