"""Large sparse MDPs: answers are those of a small MDP many times over, or closed forms; and the command line keeps short."""

from __future__ import annotations

import json

import numpy as np
import pytest
import scipy.sparse as sp
from strategies_small import random_mdp

import trpo_theory as tt
from trpo_theory.cli import main
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import uniform
from trpo_theory.solve.control import optimal


def copies(mdp: FiniteMDP, count: int) -> FiniteMDP:
    """Block-diagonal: as many of the same MDP side by side, each entered with probability 1/count."""
    block = sp.csr_array(mdp.transition.reshape(-1, mdp.states))
    return FiniteMDP(
        sp.block_diag([block] * count, format="csr"),
        np.tile(mdp.reward, (count, 1)),
        mdp.gamma,
        np.tile(mdp.initial, count) / count,
    )


@pytest.fixture(scope="module")
def small() -> FiniteMDP:
    return random_mdp(np.random.default_rng(8), 5, 3, 0.95)


@pytest.fixture(scope="module")
def large(small) -> FiniteMDP:
    return copies(small, 2000)


def test_every_number_of_a_step_is_that_of_one_copy(small, large):
    rng = np.random.default_rng(1)
    old, new = tt.zoo.random_policy(rng, (5, 3)), tt.zoo.random_policy(rng, (5, 3))
    one, all_of_them = (
        tt.compare(small, old, new),
        tt.compare(large, *(np.tile(policy, (2000, 1)) for policy in (old, new))),
    )
    for name in (
        *("expected_return_old", "expected_return_new", "surrogate", "surrogate_gain", "surrogate_gap", "mean_kl"),
        *("max_kl", "max_tv", "max_abs_advantage"),
    ):
        assert getattr(all_of_them, name) == pytest.approx(getattr(one, name), rel=1e-11), name
    held = {check.id: check for check in tt.bounds.check_all(one)}
    checks = tt.bounds.check_all(all_of_them)
    assert len(checks) > 15
    for check in checks:
        assert check.penalty == pytest.approx(held[check.id].penalty, rel=1e-10), check.id
        assert check.slack == pytest.approx(held[check.id].slack, rel=1e-10), check.id


@pytest.mark.parametrize("problem", [tt.MaxKL(0.01), tt.MeanKL(0.01), tt.Penalty(bound="pinsker/kl")], ids=repr)
def test_an_update_is_that_of_one_copy(small, large, problem):
    one, many = (tt.update(mdp, uniform(mdp.available), problem) for mdp in (small, large))
    assert many.status == "optimal"
    assert many.objective == pytest.approx(one.objective, rel=1e-9)
    assert many.upper_bound >= many.objective * (1 - 1e-12)
    np.testing.assert_allclose(many.policy[-5:], one.policy, atol=1e-7)


def test_improve_stops_at_the_optimum_of_one_copy(small, large):
    one, many = (tt.improve(mdp, tt.MaxKL(5.0), 30) for mdp in (small, large))
    assert many.reason == one.reason
    assert many.expected_return == pytest.approx(optimal(small).expected_return, rel=1e-11)


def test_the_optimum_is_that_of_one_copy(small, large):
    best, one = optimal(large), optimal(small)
    np.testing.assert_allclose(best.value.reshape(-1, 5), np.tile(one.value, (2000, 1)), atol=1e-11)
    assert np.abs(best.value.reshape(-1, 5) - one.value).max() <= best.error_bound + 1e-11


@pytest.mark.parametrize(("states", "gamma"), [(10_000, 0.5), (3_000, 0.999), (100_000, 0.95)])
def test_a_corridor_with_a_prize_at_its_end(states, gamma):
    """Right moves on, left back; the end pays 1 a step: V*(s) = γ^(S−1−s)/(1 − γ), and right is optimal."""
    site = np.arange(states)
    successors = np.stack([np.maximum(site - 1, 0), np.minimum(site + 1, states - 1)], 1).ravel()
    transition = sp.csr_array((np.ones(2 * states), successors, np.arange(2 * states + 1)))
    reward = np.zeros((states, 2))
    reward[-1, 1] = 1.0
    best = optimal(FiniteMDP(transition, reward, gamma, site == states - 100))
    exact = np.exp((states - 1 - site) * np.log(gamma)) / (1 - gamma)
    assert np.abs(best.value - exact).max() <= best.error_bound + 1e-12 / (1 - gamma)
    assert best.error_bound <= 1e-9 / (1 - gamma)
    assert (best.policy[-20:, 1] == 1).all()
    assert best.iterations < 30


@pytest.mark.slow
def test_a_random_walk_with_rewards_at_one_end():
    """A birth-death chain with reward 1 at 0: V(s) = V(0) uˢ as far from the other end, γ up u² − u + γ down = 0."""
    states, gamma, up = 50_000, 0.99, 0.3
    site = np.arange(states)
    down = 1 - up
    rows, columns = (
        np.concatenate([site, site]),
        np.concatenate([np.minimum(site + 1, states - 1), np.maximum(site - 1, 0)]),
    )
    weights = np.concatenate([np.full(states, up), np.full(states, down)])
    transition = sp.csr_array(sp.coo_array((weights, (rows, columns)), shape=(states, states)))
    mdp = FiniteMDP(transition, (site == 0).astype(float)[:, None], gamma, site == 0)
    u = (1 - np.sqrt(1 - 4 * gamma**2 * up * down)) / (2 * gamma * up)
    start = 1 / (1 - gamma * (up * u + down))  # V(0) = 1 + γ (up V(1) + down V(0))
    value = tt.evaluate(mdp, np.ones((states, 1))).value
    np.testing.assert_allclose(value[:1000], start * u ** site[:1000], rtol=1e-11, atol=1e-13)


def test_the_grid_agrees_with_value_iteration_from_above():
    """T V ≤ V from V = 0 ≥ V*: what plain value iteration gives after so many sweeps is within γᵏ/(1 − γ) above."""
    mdp = tt.zoo.grid(size=120, gamma=0.9)
    value = np.zeros(mdp.states)
    for _ in range(330):
        value = (mdp.reward + 0.9 * (mdp.transition @ value).reshape(-1, 4)).max(1)
    best = optimal(mdp)
    assert (best.value <= value + 1e-12).all()
    assert np.abs(best.value - value).max() <= 0.9**330 / 0.1 + best.error_bound + 1e-12
    assert best.iterations < 15


def test_tables_stay_short_and_json_is_whole(capsys):
    words = ["evaluate", "zoo:chain?states=20000", "--gamma", "0.9"]
    assert main(words) == 0
    assert len(capsys.readouterr().out.splitlines()) < 40
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["value"]) == told["states"] == 20000


@pytest.mark.parametrize("name", ["forest", "maintenance", "chain", "river-swim", "queue"])
def test_the_zoos_toys_are_sparse_where_they_are_large_and_the_same(name):
    size = "capacity" if name == "queue" else "states"
    dense, sparse = (tt.load(f"zoo:{name}?{size}={count}", gamma=0.9) for count in (900, 2000))
    assert sparse.is_sparse
    assert not dense.is_sparse
    middle = 2 * 400  # a state whose neighbours are the same in both
    np.testing.assert_array_equal(
        sparse.transition[[middle, middle + 1]].toarray()[:, :800], dense.transition[400][:, :800]
    )
