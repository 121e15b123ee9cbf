"""No reported upper bound is below what a policy attains on the MDP as given, by an oracle of 100 digits (oracles/hostile.py).

Measured on the 1,000 MDPs of the slow test: see its assertion for how many are optimal all the same.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

import hostile
import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.proofs.update_gap import certify_update
from trpo_theory.updates import MaxKL, MeanKL, Penalty, Status, Surrogate, solve, update
from trpo_theory.updates.data_error import enclosed_old_policy, old_policy

RADIUS = 0.01


def judged(seeds):
    """How many are optimal; the bounds and the objectives of all of them are held against the oracle."""
    statuses: Counter[Status] = Counter()
    for seed in seeds:
        fields, old = hostile.hostile(seed)
        solution = update(tt.FiniteMDP(**fields), old, MaxKL(RADIUS))
        value = hostile.feasible_value(fields, old, RADIUS)
        left = 1 - hostile.mp.mpf(repr(fields["gamma"]))
        # of 100 digits, what rewards of this size leave to a difference of values
        noise = hostile.mp.mpf(10) ** -90 * float(np.abs(fields["reward"]).max()) / left**2
        upper = solution.upper_bound + float(solution.data_error[0])
        assert upper >= value - noise, (seed, upper, float(value))
        statuses[solution.status] += 1
        if solution.status is Status.OPTIMAL:
            assert solution.objective >= value * (1 - hostile.mp.mpf("1e-8")) - noise, seed
    return statuses


@pytest.mark.slow
def test_no_upper_bound_is_below_a_feasible_policy():
    statuses = judged(range(100))
    assert statuses[Status.OPTIMAL] >= 95
    assert statuses[Status.OPTIMAL] + statuses[Status.INACCURATE] == 100


@pytest.mark.slow
def test_no_upper_bound_of_a_thousand_is_below_a_feasible_policy():
    assert judged(range(100, 1100))[Status.OPTIMAL] >= 930


@pytest.mark.parametrize(
    ("gamma", "low", "high"), [(1 - 1e-9, 1.0, 1 + 1e-6), (0.9, 1e10, 1e10 + 1e-5), (1 - 1e-12, 1e10, 1e10 + 4e-6)]
)
def test_two_rewards_next_to_each_other(gamma, low, high):
    """67.10 was reported for 70.36, and 1.07e-5 for 6.71e-6."""
    fields = {"transition": np.ones((1, 2, 1)), "reward": [[low, high]], "gamma": gamma, "initial": [1.0]}
    old = np.full((1, 2), 0.5)
    value = hostile.feasible_value(fields | {"reward": np.array([[low, high]])}, old, RADIUS)
    solution = update(tt.FiniteMDP(**fields), old, MaxKL(RADIUS))
    assert solution.status is Status.OPTIMAL
    assert solution.objective <= value * (1 + hostile.mp.mpf("1e-9"))
    assert value <= solution.upper_bound + float(solution.data_error[0]) <= value * (1 + hostile.mp.mpf("2e-9"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "problem", [MeanKL(RADIUS), MeanKL(1e-12), Penalty(1.0), Penalty(bound="chain-rule/kl")], ids=str
)
def test_the_float_upper_bound_is_not_below_the_proved_lower_one(problem):
    for seed in range(25):
        fields, old = hostile.hostile(seed)
        solution = update(tt.FiniteMDP(**fields), old, problem)
        try:
            assert certify_update(solution).objective <= solution.upper_bound + float(solution.data_error[0])
        except tt.NotSolved:  # over its radius by more than 2^-30, which its status says too
            assert solution.status is Status.INACCURATE


@pytest.mark.parametrize("gamma", [0.9, 0.999, 1 - 1e-6, 1 - 1e-9])
@pytest.mark.parametrize("offset", [0.0, 1e10])
def test_the_errors_of_floats_are_bounded(gamma, offset):
    rng = np.random.default_rng(0)
    for states in (1, 4, 40):
        mdp = tt.zoo.dirichlet(rng, states=states, actions=3, gamma=gamma)
        mdp = tt.FiniteMDP(mdp.transition, offset + mdp.reward, gamma, mdp.initial)
        policy = tt.zoo.random_policy(rng, (states, 3))
        found, true = old_policy(tt.compare(mdp, policy, policy)), enclosed_old_policy(mdp, policy)
        assert (np.abs(found.advantage - true.advantage).max(1) <= found.advantage_error + true.advantage_error).all()
        assert np.abs(found.visitation - true.visitation).sum() <= found.total_error + true.total_error
        assert found.advantage_error.max() <= 1e-13 * np.ptp(mdp.reward) * states / (1 - gamma) + 1e-9


def test_the_errors_of_the_data_stand_beside_the_bound():
    """Of one state whose A may be off by 1e-6: √(2δ) of it at a radius of δ nats."""
    mdp = tt.FiniteMDP(np.ones((1, 2, 1)), [[0.0, 1.0]], 0.9, [1.0])
    q = tt.compare(mdp, [[0.5, 0.5]], [[0.5, 0.5]])
    known = old_policy(q)
    rough = dataclasses.replace(known, advantage_error=known.advantage_error + 1e-6)
    unsure = solve(Surrogate.of(q, known=rough), MaxKL(RADIUS))
    assert unsure.status is Status.OPTIMAL
    assert float(unsure.data_error[0]) == pytest.approx(1e-5 * np.sqrt(2 * RADIUS), rel=1e-6)
