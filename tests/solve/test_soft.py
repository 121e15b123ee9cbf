"""The best policy with a price of entropy against soft value iteration and backward induction in NumPy, and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from cheap import sampled

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.step.exact import ExactInstance

STATES, ACTIONS, STEPS = 4, 3, 5
SETTINGS = ({}, {"criterion": "episodic"}, {"criterion": "average"}, {"horizon": STEPS})


def case(setting, seed=0, sparse=False):
    """An MDP with an unavailable action; γ = 1 but for discounted returns. Where it ends, steps cost more than entropy earns."""
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(STATES), (STATES, ACTIONS))
    reward = rng.normal(size=(STATES, ACTIONS)) - 4.0
    if setting.get("criterion") == "episodic":
        transition[-1], reward[-1] = np.eye(STATES)[-1], 0.0
    available = np.ones((STATES, ACTIONS), dtype=bool)
    available[0, 1] = False
    start = rng.dirichlet(np.ones(STATES))
    rows = sp.csr_array(transition.reshape(-1, STATES)) if sparse else transition
    return tt.FiniteMDP(rows, reward, 1.0 if setting else 0.9, start, available=available), transition


def soft_maximum(q, available, tau):
    """τ log Σ exp(Q/τ) over the available actions."""
    best = np.where(available, q, -np.inf).max(1)
    return best + tau * np.log((available * np.exp((q - best[:, None]) / tau)).sum(1))


def iterated(mdp, transition, setting, tau):
    """V*, π* and η* by value iteration."""
    value, gain, values, policies = np.zeros(STATES), 0.0, [], []
    for _ in range(setting.get("horizon", 4000)):
        q = mdp.reward + mdp.gamma * transition @ value
        better = soft_maximum(q, mdp.available, tau)
        policies.insert(0, mdp.available * np.exp((q - better[:, None]) / tau))
        if setting.get("criterion") == "episodic":
            better[-1] = 0.0
        if setting.get("criterion") == "average":
            gain, better = (better - value)[0], better - better[0]
        value = better
        values.insert(0, value)
    if "horizon" in setting:
        return np.array(values), np.array(policies), mdp.initial @ value
    return value, policies[0], gain if setting.get("criterion") == "average" else mdp.initial @ value


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@sampled("tau", [0.05, 0.5, 3.0], every=2)
@pytest.mark.parametrize("sparse", [False, True])
def test_it_is_that_of_soft_value_iteration(setting, tau, sparse):
    mdp, transition = case(setting, sparse=sparse)
    best = tt.optimal(mdp, temperature=tau, **setting)
    value, policy, expected = iterated(mdp, transition, setting, tau)
    assert best.expected_return == pytest.approx(expected, abs=1e-10)
    apart = np.asarray(best.value) - value
    if setting.get("criterion") == "average":
        apart = apart - apart[0]
    np.testing.assert_allclose(apart, 0, atol=1e-10)
    states = slice(0, -1) if setting.get("criterion") == "episodic" else slice(None)
    np.testing.assert_allclose(best.policy[..., states, :], policy[..., states, :], atol=1e-9)
    assert np.max(best.error_bound) <= 1e-11
    assert best.temperature == tau


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_its_return_is_what_evaluate_and_compare_say(setting):
    mdp, _ = case(setting, seed=1)
    best = tt.optimal(mdp, temperature=0.5, **setting)
    alone = tt.evaluate(mdp, best.policy, temperature=0.5, **setting)
    assert alone.expected_return == pytest.approx(best.expected_return, abs=1e-12)
    uniform = tt.uniform(mdp.available)
    q = tt.compare(mdp, uniform, best.policy, temperature=0.5, **setting)
    assert q.optimal_return == pytest.approx(best.expected_return, abs=1e-11)
    assert q.expected_return_new == pytest.approx(float(q.optimal_return), abs=1e-11)
    assert q.optimal_return - q.expected_return_old > 1e-3
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = mdp.available * rng.dirichlet(np.ones(ACTIONS), STATES)
        other = other / other.sum(1, keepdims=True)
        assert tt.evaluate(mdp, other, temperature=0.5, **setting).expected_return <= best.expected_return + 1e-12


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_without_a_temperature_optimal_values_of_a_step_are_those_of_the_setting(setting):
    mdp, _ = case(setting, seed=2)
    uniform = tt.uniform(mdp.available)
    q = tt.compare(mdp, uniform, uniform, **setting)
    assert q.optimal_return == pytest.approx(tt.optimal(mdp, **setting).expected_return, abs=1e-11)


def test_one_state_in_closed_form():
    """V* = τ log Σ exp(r/τ)/(1 − γ) and π ∝ exp(r/τ), however small or large τ is."""
    reward = np.array([[1.0, 2.0, -1.0]])
    for tau in (1e-4, 0.5, 1e4):
        best = tt.optimal(tt.FiniteMDP(np.ones((1, 3, 1)), reward, 0.75), temperature=tau)
        shifted = np.exp((reward[0] - 2.0) / tau)
        assert best.expected_return == pytest.approx(4 * (2.0 + tau * np.log(shifted.sum())), rel=1e-13)
        np.testing.assert_allclose(best.policy[0], shifted / shifted.sum(), rtol=1e-12)
    none = tt.optimal(tt.FiniteMDP(np.ones((1, 3, 1)), reward, 0.75), temperature=0)
    assert none.expected_return == 8.0
    np.testing.assert_array_equal(none.policy, [[0, 1, 0]])


def test_a_batch_is_the_same_one_by_one():
    (one, _), (other, _) = case({}, seed=3), case({}, seed=4)
    arrays = [np.stack([getattr(mdp, name) for mdp in (one, other)]) for name in ("transition", "reward", "initial")]
    batch = tt.FiniteMDP(*arrays[:2], [0.9, 0.9], arrays[2], available=one.available)
    best, uniform = tt.optimal(batch, temperature=0.3), tt.uniform(one.available)
    q = tt.compare(batch, uniform, uniform, temperature=0.3)
    for k, mdp in enumerate((one, other)):
        alone = tt.optimal(mdp, temperature=0.3)
        np.testing.assert_allclose(best.value[k], alone.value, rtol=1e-12)
        np.testing.assert_allclose(q.optimal_value[:, k], alone.value, rtol=1e-12)


def test_to_stay_or_to_leave_in_closed_form():
    """Staying costs c: V = τ log(exp((V − c)/τ) + 1) is −τ log(1 − exp(−c/τ)); for c = 0 there is no solution."""
    transition = [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]
    for tau in (0.1, 2.0, 50.0):
        best = tt.optimal(tt.FiniteMDP(transition, [[-1, 0], [0, 0]], 1.0, [1, 0]), temperature=tau)
        assert best.expected_return == pytest.approx(-tau * np.log(-np.expm1(-1 / tau)), rel=1e-11, abs=1e-14)
        assert best.policy[0, 0] == pytest.approx(np.exp(-1 / tau), rel=1e-9)
    with pytest.raises(InvalidInput, match="lower the temperature"):
        tt.optimal(tt.FiniteMDP(transition, [[0, -1], [0, 0]], 1.0, [1, 0]), temperature=1.0)
    with pytest.raises(InvalidInput, match="lower the temperature"):
        tt.optimal(tt.FiniteMDP(transition, [[1, 0], [0, 0]], 1.0, [1, 0]), temperature=0.1)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": 1.0, "horizon": 0}, "horizon"),
        ({"temperature": 1.0, "horizon": 2, "criterion": "average"}, "one of both"),
    ],
)
def test_what_has_no_maximum_is_refused(setting, said):
    mdp, _ = case({"criterion": "episodic"})
    with pytest.raises(InvalidInput, match=said):
        tt.optimal(mdp, **setting)


def test_balls_have_no_soft_optimum():
    one = ExactInstance(transition=[[[1], [1]]], reward=[[1, 0]], gamma="1/2", initial=[1], old=[[1, 0]], new=[[1, 0]])
    q = one.quantities()
    assert q.optimal_return == 2
    soft = q.replace(temperature=one.replace(temperature=1).quantities().temperature)
    with pytest.raises(InvalidInput, match="balls"):
        _ = soft.optimal_value
