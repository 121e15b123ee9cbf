"""`certificate`, `cv_certificate` and `certified_step`: the numbers of docs/theory.md, exact rationals, closed forms."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import trpo_theory as tt

PROMISED = {
    "chi2/expected-advantage": 0.0193145714,
    "chi2/time-resolved": 0.0238928698,
    "chi2/mean-max": 0.0241802634,
    "chi2/second-order": 0.0335310018,
    "transition/time-resolved": 0.0265642298,
    "transition/mean-max": 0.0269756150,
    "transition/second-order": 0.0335699714,
}
"""Lower bounds on η(new) − η(old) = 10/297 of the worked instance."""


def ladder():
    made = tt.zoo.certificate_ladder(gamma=0.5, x=0.1)
    return tt.certificate(tt.compare(made.mdp, made.old, made.new))


def test_the_worked_instance_has_its_ten_digits():
    found = ladder()
    assert found.improvement == pytest.approx(10 / 297, rel=1e-13)
    for bound, wanted in PROMISED.items():
        assert float(found.promises[bound].value) == pytest.approx(wanted, abs=2e-10), bound
    assert found.best == "transition/second-order"
    assert found.promise == pytest.approx(PROMISED[found.best], abs=2e-10)
    assert found.certified
    assert set(PROMISED) <= set(found.certified_by)
    assert list(found.to_frame()["promise"]) == sorted(found.to_frame()["promise"], reverse=True)
    assert all(float(promise.value) <= found.improvement for promise in found.promises.values())


def test_the_penalty_by_time_is_its_closed_form_and_adds_up():
    """t = 1: γ sd_1(Ā) √v_1, p_1 = (1/4, 1/2, 1/4) on s0, s1, end, Ā = (1/270, 13/135, 0), v_1 = 1/25."""
    law, a = np.array([0.25, 0.5, 0.25]), np.array([1 / 270, 13 / 135, 0])
    wanted = 0.5 * np.sqrt(law @ a**2 - (law @ a) ** 2) * 0.2
    found = ladder()
    for bound in ("chi2/mean-max", "chi2/time-resolved"):
        parts = found.penalty_by_time(bound)
        assert parts[0] == 0
        assert parts[1] == pytest.approx(wanted, rel=1e-12)
        assert parts.sum() == pytest.approx(float(found.promises[bound].penalty), rel=1e-14)
    with pytest.raises(tt.InvalidInput, match="sums over time"):
        found.penalty_by_time("trpo/kl")


def test_states_where_no_action_matters_do_not_count():
    """What new does at the ends of an episode changes neither η nor L, and does not inflate c."""
    mdp = tt.load("gym:FrozenLake-v1", gamma=0.9)
    old = tt.uniform(mdp.available)
    new = tt.update(mdp, old, tt.ReverseMaxChi2(0.004)).policy.copy()
    still = tt.certificate(tt.compare(mdp, old, new))
    ends = [5, 7, 11, 12, 15]
    assert (new[ends] == old[ends]).all()
    new[ends] = [1, 0, 0, 0]
    q = tt.compare(mdp, old, new)
    drifted = tt.certificate(q)
    assert float(q.reverse_max_chi2) == 3
    assert drifted.promise == pytest.approx(still.promise, rel=1e-12)
    assert drifted.improvement == pytest.approx(float(q.expected_return_new - q.expected_return_old), rel=1e-9)
    assert drifted.cv == still.cv
    assert "chi2/expected-advantage" in drifted.certified_by


@pytest.mark.parametrize("seed", range(5))
def test_the_three_numbers_decide_as_the_bound_does(seed):
    """c (1 + CV²) < (1 − γ)/γ iff η(new) − η(old) ≥ (E Ā − κ sd)/(1 − γ) > 0, with what floats tell."""
    rng = np.random.default_rng(seed)
    mdp = tt.FiniteMDP(rng.dirichlet(np.ones(4), (4, 3)), rng.normal(size=(4, 3)), 0.8, np.eye(4)[0])
    old = rng.dirichlet(np.ones(3), 4)
    certified = 0
    for size in (0.001, 0.1, 0.3, 0.6):
        new = tt.mixture(old, tt.greedy(tt.evaluate(mdp, old).q_value), size)
        found = tt.certificate(tt.compare(mdp, old, new))
        assert found.cv.certified == bool(found.promises["chi2/expected-advantage"].certified)
        certified += found.cv.certified
    assert certified >= 1


def test_the_certificate_of_three_numbers_is_exact_at_its_edge():
    """(1 − γ)/(γ (1 + CV²)) = 1/18 at γ = 9/10 and CV = 1; it needs c below it, not at it."""
    edge = Fraction(1, 18)
    for gamma in (0.9, Decimal("0.9"), Fraction(9, 10)):
        assert not tt.cv_certificate(gamma, edge, 1, 1).certified
        assert tt.cv_certificate(gamma, edge - Fraction(1, 10**30), 1, 1).certified
    found = tt.cv_certificate(0.9, 0.05, 2.0, 2.0)
    assert Fraction(found.largest) <= edge < Fraction(math.nextafter(found.largest, 1))
    assert tt.cv_certificate(0.99, 1e-3, 1e-200, 1e-200) == tt.cv_certificate(0.99, 1e-3, 1e-200, 1e-200)
    assert tt.cv_certificate(0, 7, 1, 5).certified
    assert not tt.cv_certificate(0.5, math.inf, 1, 0).certified
    assert not tt.cv_certificate(0.5, 0.0, 0.0, 1).certified
    assert tt.cv_certificate(0.5, 0.0, -1.0, 1).largest == 0


@pytest.mark.parametrize("slope", [8.5, 9.5])
def test_the_certificate_of_three_numbers_ends_where_its_family_begins_to_fall(slope):
    """γ = 1/2, c = 1/10: κ = 1/3, CV → slope/3, η(new) − η(old) → 2 (1 − slope/9): certified iff it climbs."""
    made = tt.zoo.cv_certificate_tight(gamma=0.5, c=0.1, n=40, slope=slope)
    found = tt.certificate(tt.compare(made.mdp, made.old, made.new))
    assert found.cv.cv == pytest.approx(slope / 3, rel=1e-6)
    assert found.improvement == pytest.approx(2 * (1 - slope / 9), rel=1e-6)
    assert found.cv.certified == (slope < 9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.0, 0.1, 1.0, 1.0), "gamma"),
        ((-0.1, 0.1, 1.0, 1.0), "gamma"),
        ((0.9, -0.1, 1.0, 1.0), "0 or more"),
        ((0.9, 0.1, 1.0, -1.0), "0 or more"),
        ((0.9, 0.1, math.nan, 1.0), "mean"),
        ((0.9, math.nan, 1.0, 1.0), "c = nan"),
        ((0.9, 0.1, "1", 1.0), "mean"),
    ],
)
def test_other_numbers_are_refused(arguments, message):
    with pytest.raises(tt.InvalidInput, match=message):
        tt.cv_certificate(*arguments)


def lake(gamma=0.9):
    mdp = tt.load("gym:FrozenLake-v1", gamma=gamma)
    old = tt.uniform(mdp.available)
    return mdp, old, tt.evaluate(mdp, old).advantage


def test_the_longest_certified_share_of_a_step_is_its_closed_form():
    """Along a line Ā is t Ā and χ² is t² χ²: (A') certifies t < √(largest/c)."""
    mdp, old, _ = lake()
    new = tt.update(mdp, old, tt.TRPOStep(0.01)).policy
    whole = tt.certificate(tt.compare(mdp, old, new))
    wanted = math.sqrt(whole.cv.largest / whole.cv.c)
    assert wanted < 0.5
    step = tt.certified_step(mdp, old, new, bound="chi2/expected-advantage")
    assert step.t == pytest.approx(wanted, rel=1e-5)
    assert step.t < wanted
    assert step.policy == pytest.approx(old + step.t * (new - old), abs=1e-15)
    assert step.certified
    assert 0 < step.promise < step.improvement
    most = tt.certified_step(mdp, old, new, bound="chi2/expected-advantage", aim="promise")
    assert 0.2 * step.t < most.t < step.t
    assert step.promise < most.promise < most.improvement
    full = tt.certified_step(mdp, old, tt.mixture(old, new, 1e-3), bound="chi2/expected-advantage")
    assert full.t == pytest.approx(0.98, rel=1e-12)


def test_the_natural_gradient_with_a_certified_length_climbs():
    """new ∝ old exp(t A), of which a share is old: the longest step's promise is about 0, and every return is above the last."""
    mdp, policy, _ = lake()
    returns = [float(tt.evaluate(mdp, policy).expected_return)]
    for _ in range(3):
        x = tt.evaluate(mdp, policy).advantage
        step = tt.certified_step(mdp, policy, x, bound="chi2/second-order", path="exponential")
        direct = 0.02 * policy + 0.98 * tt.softmax(np.log(policy) + step.t * x)
        assert step.policy == pytest.approx(direct, abs=1e-13)
        policy = step.policy
        returns.append(float(tt.evaluate(mdp, policy).expected_return))
    assert (np.diff(returns) > 1e-3).all()


@pytest.mark.whole
@pytest.mark.slow
def test_the_certified_natural_gradient_takes_as_many_updates_as_the_theory_says():
    """8x8, γ = 0.95: 38 with (M2), counted by an independent code, to 99 % of the gain; none lowers the return."""
    mdp = tt.load("gym:FrozenLake-v1?map_name=8x8", gamma=0.95)
    policy, best = tt.uniform(mdp.available), float(tt.optimal(mdp).expected_return)
    returns = [float(tt.evaluate(mdp, policy).expected_return)]
    for _ in range(38):
        x = tt.evaluate(mdp, policy).advantage
        policy = tt.certified_step(mdp, policy, x, bound="chi2/mean-max", path="exponential").policy
        returns.append(float(tt.evaluate(mdp, policy).expected_return))
    assert (np.diff(returns) > 0).all()
    assert returns[38] - returns[0] >= 0.99 * (best - returns[0]) > returns[36] - returns[0]


def test_no_step_is_certified_downhill():
    mdp, old, advantage = lake()
    worst = tt.greedy(-advantage)
    step = tt.certified_step(mdp, old, worst, bound="chi2/mean-max")
    assert (step.t, step.promise, step.certified) == (0, 0, False)
    assert (step.policy == old).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bound": "pinsker/kl-1"}, "which is false"),
        ({"path": "circle"}, '"line" or "exponential"'),
        ({"mix": 2}, "mix"),
        ({"aim": "far"}, "aim"),
        ({"direction": np.zeros((16, 4))}, "direction"),
        ({"direction": np.zeros((2, 4)), "path": "exponential"}, "direction"),
    ],
)
def test_what_is_no_direction_is_refused(changes, message):
    mdp, old, _ = lake()
    arguments = {"direction": old, "bound": "trpo/kl"} | changes
    with pytest.raises(tt.InvalidInput, match=message):
        tt.certified_step(mdp, old, arguments.pop("direction"), **arguments)
    with pytest.raises(tt.InvalidInput, match="one step"):
        tt.certificate(tt.compare(mdp, np.array([old, old]), old))
