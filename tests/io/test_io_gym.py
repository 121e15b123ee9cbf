"""Gymnasium tables: the oracle is backward induction over the raw table, `terminated` ending the sum."""

import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from cheap import long

from trpo_theory.errors import InvalidInput
from trpo_theory.io import from_gym, parse_options, time_limit
from trpo_theory.model.policy import uniform
from trpo_theory.solve.control import optimal
from trpo_theory.solve.evaluation import evaluate

GAMMA = 0.9


def by_sweeps(table, policy, gamma, sweeps=400):
    """V(s) of the raw table, in plain Python: rewards until a transition says terminated."""
    flat = [
        [(policy[s][a] * p, target, reward, done) for a in table[s] for p, target, reward, done in table[s][a]]
        for s in range(len(table))
    ]
    value = [0.0] * len(flat)
    for _ in range(sweeps):
        value = [sum(w * (r + gamma * (1 - done) * value[t]) for w, t, r, done in row) for row in flat]
    return np.array(value)


def reachable(table, initial):
    """The states that an episode can be in while it lasts."""
    todo, seen = [int(s) for s in np.flatnonzero(initial)], set()
    while todo:
        state = todo.pop()
        if state not in seen:
            seen.add(state)
            entries = [entry for outcomes in table[state].values() for entry in outcomes]
            todo += [int(target) for p, target, _, done in entries if p > 0 and not done]
    return sorted(seen)


class Toy(gymnasium.Env):
    def __init__(self, table, initial=None):
        self.P = table
        if initial is not None:
            self.initial_state_distrib = np.array(initial)
        self.observation_space = gymnasium.spaces.Discrete(len(table))
        self.action_space = gymnasium.spaces.Discrete(len(table[0]))


ENVIRONMENTS = [
    ("FrozenLake-v1", {}),
    ("FrozenLake-v1", {"is_slippery": False}),
    ("FrozenLake-v1", {"map_name": "8x8", "success_rate": 0.75, "reward_schedule": (1, -1, -0.01)}),
    ("FrozenLake-v1", {"map_name": "8x8", "is_slippery": False}),
    ("FrozenLake-v1", {"desc": ("SFS", "FHF", "FFG")}),
    ("CliffWalking-v1", {}),
    ("CliffWalkingSlippery-v1", {}),
]
TAXI = next(name for name in gymnasium.registry if name.startswith("Taxi-v"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), [*ENVIRONMENTS, (TAXI, {}), long(TAXI, {"is_rainy": True})])
def test_values_agree_with_the_raw_table(name, options):
    env = gymnasium.make(name, **options)
    table, initial = env.unwrapped.P, env.unwrapped.initial_state_distrib
    mdp = from_gym(name, GAMMA, **options)
    assert mdp.states == env.observation_space.n
    assert np.array_equal(mdp.initial, initial)
    policy = np.random.default_rng(0).dirichlet(np.ones(mdp.actions), mdp.states)
    here = reachable(table, initial)
    value = evaluate(mdp, policy).value
    np.testing.assert_allclose(value[here], by_sweeps(table, policy, GAMMA)[here], rtol=0, atol=1e-10)
    assert np.array_equal(evaluate(from_gym(env, GAMMA), policy).value, value)


@pytest.mark.parametrize(("name", "options"), ENVIRONMENTS)
def test_terminal_states_are_absorbing_without_reward(name, options):
    mdp = from_gym(name, GAMMA, **options)
    table = gymnasium.make(name, **options).unwrapped.P
    ends = {int(target) for row in table.values() for outs in row.values() for p, target, _, done in outs if done and p}
    assert ends
    for end in ends:
        assert np.array_equal(mdp.transition[end, :, end], np.ones(mdp.actions))
        assert np.array_equal(mdp.reward[end], np.zeros(mdp.actions))


def test_numbers_checked_by_hand():
    mdp = from_gym("FrozenLake-v1", GAMMA)
    assert mdp.reward[14, 2] == 1 / 3
    assert mdp.reward.sum() == 1.0  # three actions of state 14 reach the goal with probability 1/3
    assert mdp.transition[0, 0, 0] == pytest.approx(2 / 3, abs=1e-15)  # left and up both stay in the corner
    assert optimal(from_gym("FrozenLake-v1", GAMMA, is_slippery=False)).expected_return == pytest.approx(GAMMA**5)
    # the path of 13 steps, -1 each: -(1 - gamma^13) / (1 - gamma)
    cliff = optimal(from_gym("CliffWalking-v1", GAMMA))
    assert cliff.expected_return == pytest.approx(-(1 - GAMMA**13) / (1 - GAMMA))
    assert from_gym("CliffWalking-v1", GAMMA).reward[36, 1] == -100


@pytest.mark.slow
def test_taxi_delivers():
    mdp = from_gym(TAXI, 0.99)
    env = gymnasium.make(TAXI).unwrapped
    # the passenger at R = (0, 0), the taxi there too, the destination Y = (4, 0): pick up, four south, drop off
    start = env.encode(0, 0, 0, 2)
    assert optimal(mdp).value[start] == pytest.approx(-(1 - 0.99**5) / 0.01 + 20 * 0.99**5)
    assert mdp.states == 500
    assert not mdp.is_sparse


def toy_table():
    """State 1 ends the episode when 0 goes there by action 0, and not by action 1."""
    return {
        0: {0: [(1.0, 1, 5.0, True)], 1: [(0.5, 1, 1.0, False), (0.25, 0, 0.0, False), (0.25, 0, 4.0, False)]},
        1: {0: [(1.0, 0, 2.0, False)], 1: [(1.0, 1, 3.0, True)]},
    }


def test_a_terminal_state_that_is_also_passed_through():
    table = toy_table()
    mdp = from_gym(Toy(table, [1.0, 0.0]), 0.5)
    assert mdp.states == 3
    assert mdp.state_labels[-1] == "terminated"
    expected = np.array([[[0, 0, 1], [0.5, 0.5, 0]], [[1, 0, 0], [0, 0, 1]], [[0, 0, 1], [0, 0, 1]]])
    assert np.array_equal(mdp.transition, expected)
    assert np.array_equal(mdp.reward, [[5, 1.5], [2, 3], [0, 0]])
    policy = np.array([[0.3, 0.7], [0.6, 0.4], [1.0, 0.0]])
    np.testing.assert_allclose(evaluate(mdp, policy).value[:2], by_sweeps(table, policy, 0.5), atol=1e-12)


def test_a_terminal_state_that_is_a_possible_start():
    table = {0: {0: [(1.0, 1, 1.0, True)]}, 1: {0: [(1.0, 1, 1.0, False)]}}
    mdp = from_gym(Toy(table), 0.5, initial=[0.5, 0.5])
    np.testing.assert_allclose(evaluate(mdp, uniform(mdp.available)).value, [1.0, 2.0, 0.0])
    mdp = from_gym(Toy(table), 0.5, initial=[1.0, 0.0])
    np.testing.assert_allclose(evaluate(mdp, uniform(mdp.available)).value, [1.0, 0.0])


def test_impossible_entries_do_not_count():
    table = {0: {0: [(1.0, 1, 1.0, True), (0.0, 1, 9.0, False)]}, 1: {0: [(1.0, 0, 7.0, False)]}}
    assert from_gym(Toy(table, [1.0, 0.0]), 0.5).states == 2


def test_a_large_table_is_sparse(monkeypatch):
    states = 50
    monkeypatch.setattr("trpo_theory.io._rows.DENSE_ENTRIES", states**2 - 1)
    table = {s: {0: [(1.0, (s + 1) % states, 1.0, False)]} for s in range(states)}
    mdp = from_gym(Toy(table, np.eye(states)[0]), 0.5)
    assert mdp.is_sparse
    np.testing.assert_allclose(evaluate(mdp, np.ones((states, 1))).value, 2.0)


def test_time_limits_are_reported():
    assert time_limit("FrozenLake-v1") == 100
    assert time_limit("FrozenLake-v1", max_episode_steps=7) == 7
    assert time_limit(TAXI) == 200
    assert time_limit("CliffWalking-v1") is None
    assert time_limit(gymnasium.make("FrozenLake8x8-v1")) == 200
    assert from_gym("FrozenLake-v1", 0.9, max_episode_steps=7).states == 16


@pytest.mark.parametrize(
    "wrapper", [gymnasium.wrappers.RecordEpisodeStatistics, lambda env: gymnasium.wrappers.TimeLimit(env, 9)]
)
def test_wrappers_that_observe_are_accepted(wrapper):
    assert from_gym(wrapper(gymnasium.make("FrozenLake-v1")), 0.9).states == 16


def test_wrappers_that_may_change_the_dynamics_are_refused():
    env = gymnasium.wrappers.StickyAction(gymnasium.make("FrozenLake-v1"), 0.3)
    with pytest.raises(InvalidInput, match="StickyAction"):
        from_gym(env, 0.9)
    with pytest.raises(InvalidInput, match="TransformReward"):
        from_gym(gymnasium.wrappers.TransformReward(gymnasium.make("FrozenLake-v1"), lambda r: 2 * r), 0.9)


def test_fickle_passengers_are_refused_by_name():
    with pytest.raises(InvalidInput, match="fickle_passenger"):
        from_gym(TAXI, 0.9, fickle_passenger=True)
    with pytest.raises(InvalidInput, match="fickle_passenger"):
        from_gym(gymnasium.make(TAXI, fickle_passenger=True), 0.9)
    alone = from_gym(TAXI, 0.9, fickle_probability=0.9)
    assert np.array_equal(alone.transition, from_gym(TAXI, 0.9).transition)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("FrozenLke-v1", {}, "FrozenLake-v1"),
        ("Taxi-v3", {}, TAXI),
        ("FrozenLake", {}, "FrozenLake-v1"),
        ("Blackjack-v1", {}, "no table"),
        ("CartPole-v1", {}, "no table"),
        ("no_such_module:Env-v0", {}, "no_such_module"),
        ("..:Env-v0", {}, "cannot be imported"),
        ("", {}, "choose one of FrozenLake-v1"),
        ("FrozenLake-v1", {"is_slipery": True}, "is_slippery"),
        ("FrozenLake-v1", {"is_slippery": "yes"}, "true or false"),
        ("FrozenLake-v1", {"success_rate": "x"}, "a number"),
        ("FrozenLake-v1", {"success_rate": 1.5}, "probability -0.25"),
        ("FrozenLake-v1", {"map_name": "9x9"}, "9x9"),
        ("FrozenLake-v1", {"map_name": None}, "random map without a seed"),
        ("FrozenLake-v1", {"desc": ("FF", "FG")}, "initial"),
        ("FrozenLake-v1", {"max_episode_steps": "x"}, "max_episode_steps"),
        ("FrozenLake-v1", {"reward_schedule": ("a", "b", "c")}, "reward"),
        ("CliffWalking-v1", {"map_name": "8x8"}, "is_slippery"),
    ],
)
def test_what_cannot_be_made_says_why(name, options, said):
    with pytest.raises(InvalidInput) as caught:
        from_gym(name, 0.9, **options)
    assert said in str(caught.value)


FINE = [(1.0, 0, 0.0, False)]
BAD_TABLES = {
    "a successor out of range": {0: {0: [(1.0, 5, 0.0, False)]}},
    "a fractional successor": {0: {0: [(1.0, 0.5, 0.0, False)]}},
    "three fields": {0: {0: [(1.0, 0, 0.0)]}},
    "a missing action": {0: {0: FINE, 1: FINE}, 1: {0: FINE}},
    "a missing state": {0: {0: FINE}, 2: {0: FINE}},
    "probabilities that sum to 0.9": {0: {0: [(0.9, 0, 0.0, False)]}},
    "NaN": {0: {0: [(float("nan"), 0, 0.0, False)]}},
    "an infinite reward": {0: {0: [(1.0, 0, float("inf"), False)]}},
    "a negative probability": {0: {0: [(1.5, 0, 0.0, False), (-0.5, 0, 0.0, False)]}},
    "words": {0: {0: [("a", 0, 0.0, False)]}},
    "nothing": {0: {0: []}},
    "no list": {0: 3},
    "no actions": {0: {}},
}


@pytest.mark.parametrize("what", BAD_TABLES)
def test_bad_tables_are_refused(what):
    env = gymnasium.make("CliffWalking-v1").unwrapped
    env.P, env.initial_state_distrib = BAD_TABLES[what], np.eye(len(BAD_TABLES[what]))[0]
    del env.observation_space, env.action_space
    with pytest.raises(InvalidInput, match="fix: "):
        from_gym(env, 0.9)


def test_an_environment_must_say_where_it_starts():
    with pytest.raises(InvalidInput, match="initial="):
        from_gym(Toy({0: {0: FINE}}), 0.9)
    env = Toy({0: {0: FINE}}, [1.0])
    env.observation_space = gymnasium.spaces.Discrete(1, start=1)
    with pytest.raises(InvalidInput, match="counted from 1"):
        from_gym(env, 0.9)
    with pytest.raises(InvalidInput, match="already made"):
        from_gym(Toy({0: {0: FINE}}, [1.0]), 0.9, map_name="8x8")
    for thing in (None, 3, object()):
        with pytest.raises(InvalidInput, match=r"gymnasium\.Env"):
            from_gym(thing, 0.9)
        with pytest.raises(InvalidInput, match=r"gymnasium\.Env"):
            time_limit(thing)


def test_options_are_parsed():
    parsed = parse_options("map_name=8x8&is_slippery=False&n=-3&x=1e-3&desc=SF,FG&reward_schedule=1,0,0.5&big=1e999")
    assert parsed == {
        "map_name": "8x8",
        "is_slippery": False,
        "n": -3,
        "x": 1e-3,
        "desc": ("SF", "FG"),
        "reward_schedule": (1, 0, 0.5),
        "big": "1e999",
    }
    assert [type(parsed[key]) for key in ("is_slippery", "n", "x")] == [bool, int, float]


@pytest.mark.parametrize("query", ["", "a", "a=", "=1", "a=1&", "a=1&a=2", "a b=1", "a=1&&b=2"])
def test_malformed_options_are_refused(query):
    with pytest.raises(InvalidInput, match="KEY=VALUE"):
        parse_options(query)


@pytest.mark.slow
def test_importing_io_does_not_import_the_libraries():
    code = "import sys, trpo_theory.io; print(sorted({'gymnasium', 'quantecon', 'mdptoolbox'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
