"""`gym:ID?horizon=T`: returns against backward induction in plain NumPy over the environment's own table."""

from __future__ import annotations

import numpy as np
import pytest
from cheap import long

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.loading.sources import open_source

gymnasium = pytest.importorskip("gymnasium")


def induction(env_id: str, steps: int, optimal: bool) -> float:
    """The return of the uniform or the optimal policy over T steps, γ = 1, from the table and its own first states."""
    env = gymnasium.make(env_id).unwrapped
    value = np.zeros(len(env.P))
    moves = [(s, a, *move) for s, rows in env.P.items() for a, several in rows.items() for move in several]
    state, action, probability, to, reward, done = map(np.array, zip(*moves, strict=True))
    for _ in range(steps):
        q = np.zeros((len(env.P), len(env.P[0])))
        np.add.at(q, (state, action), probability * (reward + ~done * value[to]))
        value = q.max(1) if optimal else q.mean(1)
    start = env.initial_state_distrib
    return float(np.asarray(start) @ value)


@pytest.mark.parametrize(
    ("env_id", "option", "steps"),
    [
        ("FrozenLake-v1", "limit", 100),
        ("CliffWalking-v1", "60", 60),
        pytest.param("Taxi-v4", "200", 200, marks=pytest.mark.slow),
        long("Taxi-v4", "limit", 200),
    ],
)
def test_returns_are_those_of_backward_induction(env_id, option, steps):
    source = open_source(f"gym:{env_id}?horizon={option}")
    mdp = source.mdp
    assert mdp.gamma == 1
    uniform = np.full((mdp.states, mdp.actions), 1 / mdp.actions)
    assert tt.evaluate(mdp, uniform).expected_return == pytest.approx(induction(env_id, steps, False), rel=1e-10)
    assert f"runs end after {steps} steps" in source.notes[0]


def test_the_note_says_how_to_have_the_limit_and_which_it_is():
    (without,) = open_source("gym:FrozenLake-v1?is_slippery=false", gamma=0.9).notes
    assert "100 steps, is not part of its table" in without
    assert "gym:FrozenLake-v1?is_slippery=false&horizon=limit has it" in without
    assert open_source("gym:FrozenLake-v1?horizon=limit").notes[0].endswith("that is the time limit of FrozenLake-v1")
    (other,) = open_source("gym:FrozenLake-v1?horizon=3", gamma=0.9).notes
    assert other.endswith("the time limit of FrozenLake-v1 is 100")


def test_a_discount_beside_a_horizon_is_kept():
    assert open_source("gym:FrozenLake-v1?horizon=3&gamma=0.9").mdp.gamma == 0.9
    assert open_source("gym:FrozenLake-v1?horizon=3", gamma=0.8).mdp.gamma == 0.8


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("gym:FrozenLake-v1?horizon=soon", "a whole number of steps, or limit"),
        ("gym:FrozenLake-v1?horizon=0", "horizon"),
        ("gym:FrozenLake-v1?horizon=1.5", "a whole number of steps, or limit"),
        ("gym:CliffWalking-v1?horizon=limit", "has no time limit"),
    ],
)
def test_horizons_that_are_none_are_refused(source, words):
    with pytest.raises(InvalidInput, match=words):
        open_source(source)
