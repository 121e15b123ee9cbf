"""Tables, wrappers and vectors of environments as people have them: values are closed forms, or those of the bare environment."""

import copy
import pathlib
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces, wrappers

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.io import from_gym, time_limit

HALF = 0.5
CHAIN = {0: {0: [(0.6, 1, 1.0, True), (0.4, 1, 0.0, False)]}, 1: {0: [(1.0, 1, 2.0, True)]}}
"""From 0 the episode ends with 1, or goes on to 1, where it ends with 2: V = (0.6 + 0.4 · 2γ, 2)."""
VALUES = [0.6 + 0.4 * 2 * HALF, 2.0]


class Chain(gymnasium.Env):
    """An environment that plays `CHAIN`, from state 0."""

    def __init__(self, table=None):
        self.P = CHAIN if table is None else table
        self.initial_state_distrib = np.array([1.0, 0.0])
        self.observation_space, self.action_space = spaces.Discrete(2), spaces.Discrete(1)
        self.s = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.s = 0
        return 0, {}

    def step(self, action):
        outcomes = self.P[self.s][action]
        _, self.s, reward, ended = outcomes[self.np_random.choice(len(outcomes), p=[one[0] for one in outcomes])]
        return self.s, reward, ended, False, {}


def values(mdp):
    return tt.optimal(mdp).value[:2]


# --- tables ------------------------------------------------------------------------------------------------------

NAMED = {"a": {"go": [(0.6, "b", 1.0, True), (0.4, "b", 0.0, False)]}, "b": {"go": [(1.0, "b", 2.0, True)]}}
TABLES = {
    "dicts": CHAIN,
    "lists": [[list(moves[0])] for moves in CHAIN.values()],
    "out of order": dict(reversed(CHAIN.items())),
    "names": NAMED,
    "tuples as states": {
        (0, 0): {0: [(0.6, (0, 1), 1.0, True), (0.4, (0, 1), 0.0, False)]},
        (0, 1): {0: [(1.0, (0, 1), 2.0, True)]},
    },
    "NumPy's numbers": {
        np.int64(s): {0: [(np.float64(p), np.int64(t), np.float32(r), np.bool_(d)) for p, t, r, d in moves[0]]}
        for s, moves in CHAIN.items()
    },
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_by_itself_starts_anywhere(name):
    mdp = tt.load(TABLES[name], gamma=HALF)
    np.testing.assert_allclose(values(mdp), VALUES, rtol=1e-14)
    np.testing.assert_allclose(mdp.initial[:2], 0.5)


def test_names_of_a_table_are_labels():
    mdp = from_gym(NAMED, HALF, initial=[1, 0])
    assert mdp.state_labels[:2] == ("a", "b")
    assert mdp.action_labels == ("go",)


def test_actions_that_a_state_lacks_are_not_available():
    table = {0: {0: [(1.0, 1, 1.0)]}, 1: {0: [(1.0, 1, 0.0)], 1: [(1.0, 0, 3.0)]}}  # three fields: no episode ends
    mdp = tt.load(table, gamma=HALF)
    assert mdp.available.tolist() == [[True, False], [True, True]]
    np.testing.assert_allclose(tt.optimal(mdp).value, [1 + 0.5 * 14 / 3, 14 / 3], rtol=1e-14)  # V1 = 3 + V0/2


@pytest.mark.parametrize("nowhere", [-1, 7, None, 10**9, "end", 0.5, float("nan")])
def test_where_an_episode_ends_the_successor_does_not_matter(nowhere):
    table = {0: {0: [(0.6, nowhere, 1.0, True), (0.4, 1, 0.0, False)]}, 1: {0: [(1.0, nowhere, 2.0, True)]}}
    for source in (Chain(table), table):
        np.testing.assert_allclose(values(tt.load(source, gamma=HALF)), VALUES, rtol=1e-14)


@pytest.mark.parametrize("rest", [(-1, 0.0, False), (99, float("nan"), False), (None, None, None)])
def test_what_has_probability_0_is_not_looked_at(rest):
    table = copy.deepcopy(CHAIN)
    table[0][0].append((0.0, *rest))
    for source in (Chain(table), table):
        np.testing.assert_allclose(values(tt.load(source, gamma=HALF)), VALUES, rtol=1e-14)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({0: {0: [(1.0, 5, 0.0, False)]}}, "5 is not a state"),
        ({1: {0: [(1.0, 1, 0.0, False)]}, 2: {0: [(1.0, 1, 0.0, False)]}}, "number them without gaps"),
        ({0: {0: [(0.5, 0, 0.0, False)]}}, "sums to 0.5"),
        ({"a": {"go": [(1.0, "c", 0.0, False)]}}, "'c' is not a state"),
        ({0: {0: [(1.0, 0, "x", False)]}}, "fix: correct that entry"),
    ],
)
def test_tables_that_are_wrong(table, said):
    with pytest.raises(InvalidInput, match=said):
        tt.load(table, gamma=0.9)
    with pytest.raises(InvalidInput, match="--gamma"):
        tt.load(CHAIN)


def test_the_advice_about_states_with_gaps_works():
    table = {str(s): {0: [(1.0, "1", 1.0, False)]} for s in (1, 2)}
    np.testing.assert_allclose(tt.optimal(tt.load(table, gamma=HALF)).value, 2.0)


def test_a_pickle_is_refused_with_advice_that_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open("table.pkl", "wb") as stream:
        pickle.dump(CHAIN, stream)
    with pytest.raises(InvalidInput, match="a pickle can run any code") as caught:
        tt.load("table.pkl")
    advice = caught.value.fix.rpartition("in Python: ")[2]
    np.testing.assert_allclose(
        values(eval(advice, {"trpo_theory": tt, "pickle": pickle, "pathlib": pathlib}))[1], VALUES[1]
    )
    with open("policy.pickle", "wb") as stream:
        pickle.dump(np.eye(2), stream)
    with pytest.raises(InvalidInput, match="a pickle can run any code") as caught:
        tt.load_policy("policy.pickle", tt.zoo.kakade())
    exec(caught.value.fix.rpartition("in Python: ")[2], {"numpy": np, "pickle": pickle, "pathlib": pathlib})
    assert (tt.load_policy("policy.npy", tt.zoo.kakade()) == np.eye(2)).all()


def test_environments_that_are_none_of_gymnasiums():
    class Old:  # of the first versions of Gym
        P, isd, nS, nA = CHAIN, np.array([1.0, 0.0]), 2, 1

    np.testing.assert_allclose(values(tt.load(Old(), gamma=HALF)), VALUES, rtol=1e-14)
    assert tt.load(Old(), gamma=HALF).initial.tolist()[:2] == [1, 0]

    class WithTable(gymnasium.Wrapper):
        """As bettermdptools has it: the wrapper numbers the states, and has the table."""

        def __init__(self, env):
            super().__init__(env)
            self.observation_space, self.initial_state_distrib = spaces.Discrete(2), [1.0, 0.0]
            self.action_space = spaces.Discrete(1)

        @property
        def P(self):
            return CHAIN

    for env in (WithTable(gymnasium.make("CartPole-v1")), wrappers.TimeLimit(WithTable(Chain()), 5)):
        np.testing.assert_allclose(values(tt.load(env, gamma=HALF)), VALUES, rtol=1e-14)


# --- wrappers ----------------------------------------------------------------------------------------------------


class Counted(gymnasium.Wrapper):
    """Counts, and hands all through."""

    steps = 0

    def step(self, action):
        self.steps += 1
        return self.env.step(action)


class Rewarded(gymnasium.RewardWrapper):
    def __init__(self, env, change):
        super().__init__(env)
        self.change = change

    def reward(self, reward):
        return self.change(reward)


class Slipping(gymnasium.ActionWrapper):
    """Takes another action one time in twenty."""

    def action(self, action):
        return (action + 1) % 4 if self.np_random.random() < 0.05 else action


class Repeated(gymnasium.Wrapper):
    def step(self, action):
        self.env.step(action)
        return self.env.step(action)


class LateStart(gymnasium.Wrapper):
    def reset(self, **options):
        self.env.reset(**options)
        state, *_ = self.env.step(0)
        return state, {}


class Endless(gymnasium.Wrapper):
    def step(self, action):
        state, reward, _, truncated, info = self.env.step(action)
        return state, reward, False, truncated, info


class Seen(gymnasium.ObservationWrapper):
    def observation(self, state):
        return 15 - state


class Broken(gymnasium.Wrapper):
    def step(self, action):
        raise RuntimeError("no step")


def lake():
    return gymnasium.make("FrozenLake-v1")


HARMLESS = {
    "counts": Counted,
    "the same reward": lambda env: Rewarded(env, lambda reward: 1 * reward),
    "clipped where nothing is clipped": lambda env: wrappers.TransformReward(env, lambda r: max(-1, min(1, r))),
    "statistics": wrappers.RecordEpisodeStatistics,
    "limit": lambda env: wrappers.TimeLimit(env, 3),
    "order": wrappers.OrderEnforcing,
    "autoreset": wrappers.Autoreset,
    "several": lambda env: Counted(wrappers.Autoreset(Counted(env))),
    "the same observation": lambda env: wrappers.TransformObservation(env, lambda s: s, env.observation_space),
}
CHANGING = {
    "doubled": (lambda env: Rewarded(env, lambda reward: 2 * reward), "changes the reward 1 to 2"),
    "slips": (Slipping, "turns the action . into"),
    "repeats": (Repeated, "turns the action . into"),
    "starts late": (LateStart, "changes how an episode starts"),
    "does not end": (Endless, "changes where episodes end"),
    "sees another state": (Seen, "changes how an episode starts|changes the observation"),
    "one-hot": (lambda env: wrappers.FlattenObservation(env), "changes how an episode starts|changes the observation"),
    "sticky": (lambda env: wrappers.StickyAction(env, 0.25), "StickyAction"),
    "fails": (Broken, "cannot be tried out .RuntimeError: no step"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_wrapper_that_changes_nothing_is_looked_through(name):
    env = HARMLESS[name](lake())
    env.reset(seed=3)
    before = getattr(env, "steps", None)
    mdp = tt.load(env, gamma=0.9)
    assert (mdp.transition == from_gym("FrozenLake-v1", 0.9).transition).all()
    assert getattr(env, "steps", None) == before  # a copy was tried out


@pytest.mark.parametrize("name", CHANGING)
def test_a_wrapper_that_changes_something_is_refused_with_advice_that_works(name):
    wrap, said = CHANGING[name]
    env = wrap(lake())
    with pytest.raises(InvalidInput, match=said) as caught:
        tt.load(env, gamma=0.9)
    assert "pass env.unwrapped" in caught.value.fix
    assert (tt.load(env.unwrapped, gamma=0.9).transition == from_gym("FrozenLake-v1", 0.9).transition).all()


@pytest.mark.parametrize("of_file", [False, True])
def test_the_monitor_of_stable_baselines_is_looked_through(of_file, tmp_path):
    monitor = pytest.importorskip("stable_baselines3.common.monitor")
    env = monitor.Monitor(lake(), str(tmp_path / "log") if of_file else None)
    assert (tt.load(env, gamma=0.9).transition == from_gym("FrozenLake-v1", 0.9).transition).all()
    assert time_limit(env) == 100
    env.close()


# --- vectors -----------------------------------------------------------------------------------------------------


def other():
    return gymnasium.make("FrozenLake-v1", is_slippery=False)


@pytest.mark.parametrize("count", [1, 3])
def test_vectors_of_gymnasium(count):
    envs = gymnasium.vector.SyncVectorEnv([lake] * count)
    right = from_gym("FrozenLake-v1", 0.9)
    assert (tt.load(envs, gamma=0.9).transition == right.transition).all()
    observed = wrappers.vector.RecordEpisodeStatistics(envs)
    assert (tt.load(observed, gamma=0.9).transition == right.transition).all()
    assert time_limit(envs) == 100


def test_vectors_of_stable_baselines():
    common = pytest.importorskip("stable_baselines3.common.vec_env")
    right = from_gym("FrozenLake-v1", 0.9)
    envs = common.DummyVecEnv([lake, lake])
    for vector in (envs, common.VecMonitor(envs), common.DummyVecEnv([lake])):
        assert (tt.load(vector, gamma=0.9).transition == right.transition).all()

    class Scaled(common.VecEnvWrapper):
        def reset(self):
            return self.venv.reset()

        def step_wait(self):
            states, rewards, *rest = self.venv.step_wait()
            return states, 2 * rewards, *rest

    with pytest.raises(InvalidInput, match=r"Scaled.*fix: pass env.unwrapped"):
        tt.load(Scaled(envs), gamma=0.9)
    assert tt.load(Scaled(envs).unwrapped, gamma=0.9).states == 16


def test_vectors_whose_environments_differ():
    with pytest.raises(InvalidInput, match=r"number 0 and number 1 differ.*env.envs\[0\]"):
        tt.load(gymnasium.vector.SyncVectorEnv([lake, other]), gamma=0.9)
    assert tt.load(gymnasium.vector.SyncVectorEnv([lake, other]).envs[0], gamma=0.9).states == 16


def test_a_map_without_a_start_is_refused_with_advice_that_works():
    with pytest.raises(InvalidInput, match=r"no distribution.*no S, the start.*desc=SF,FG"):
        tt.load("gym:FrozenLake-v1?desc=FF,FG", gamma=0.9)
    assert tt.load("gym:FrozenLake-v1?desc=SF,FG", gamma=0.9).states == 4
