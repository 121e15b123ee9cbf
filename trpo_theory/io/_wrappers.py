"""Which wrappers of an environment change neither transitions nor rewards: a few are known by name, others are tried out."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.io._environments import first_line

_HARMLESS = frozenset(
    {
        *("TimeLimit", "OrderEnforcing", "PassiveEnvChecker", "RecordEpisodeStatistics", "Autoreset"),
        *("HumanRendering", "RenderCollection", "RecordVideo"),
    }
)
"""Wrappers of Gymnasium that change neither transitions nor rewards, and which need not be tried out."""
_MONITOR = ("stable_baselines3.common.monitor", "Monitor")
"""Writes a file as it steps, so that it is not tried out."""
_MOST_STEPS = 20_000
"""Of a trial; chosen: a second."""
_LEAST_STEPS = 500
"""Likewise: of a wrapper that changes one step in 20 none is seen with probability 1e-11."""


def expect_harmless(layer: Any, table: Any, name: str) -> None:
    """Raise unless a wrapper hands actions, observations, rewards and ends through as they are.

    A wrapper whose class is not known is copied, put around an environment that plays every transition of the table, and
    compared with it. A truncation changes nothing here, and neither does a reset by itself.

    Args:
        layer: the wrapper.
        table: P of the environment in it.
        name: that of the environment, for the message.

    Raises:
        InvalidInput: naming the wrapper and what it changes.
    """
    kind = type(layer)
    if kind.__module__.startswith("gymnasium.wrappers.") and kind.__name__ in _HARMLESS:
        return
    if (kind.__module__, kind.__name__) == _MONITOR:
        return
    try:
        changed = _changed(layer, table)
    except Exception as error:  # of somebody else's class, out of its surroundings
        changed = f"which cannot be tried out ({first_line(error)})"
    if changed:
        raise InvalidInput(
            got=f"{name} in the wrapper {kind.__name__}, {changed}",
            wanted="an environment whose table gives all of its dynamics",
            fix="pass env.unwrapped, whose MDP is the table's, without the wrapper",
        )


def _changed(layer: Any, table: Any) -> str:
    """What a wrapper changes; nothing if it hands all through."""
    played = _player(layer.env, table)
    wrapper = copy.copy(layer)
    for key, value in vars(layer).items():
        object.__setattr__(wrapper, key, played if value is layer.env else copy.deepcopy(value))
    ended = True
    for state, action, outcome in _trials(table):
        if ended:
            start, _ = wrapper.reset(seed=0)
            if played.actions or not np.array_equal(start, played.s):
                return "which changes how an episode starts"
        played.place(state, outcome)
        seen, reward, terminated, truncated, _ = wrapper.step(action)
        if played.actions != [action]:
            return f"which turns the action {action} into {played.actions or 'none'}"
        if not np.array_equal(seen, played.s):
            return f"which changes the observation {played.s} to {seen}"
        if not np.isclose(reward, played.reward, rtol=1e-6, atol=1e-12):
            return f"which changes the reward {played.reward:.6g} to {float(reward):.6g}"
        if bool(terminated) != played.terminated:
            return "which changes where episodes end"
        played.actions.clear()
        ended = terminated or truncated
    return ""


def _trials(table: Any) -> Iterator[tuple[int, int, Any]]:
    """State, action and outcome of every transition, over and over up to `_LEAST_STEPS`; of very many some."""
    every = [
        (state, action, outcome)
        for state in range(len(table))
        for action in range(len(table[state]))
        for outcome in table[state][action]
        if outcome[0] > 0
    ]
    rng = np.random.default_rng(0)
    if len(every) > _MOST_STEPS:
        every = [every[k] for k in rng.choice(len(every), _MOST_STEPS, replace=False)]
    rounds = -(-_LEAST_STEPS // max(len(every), 1))
    return itertools.chain.from_iterable([every] * max(rounds, 2))


def _player(env: Any, table: Any) -> Any:
    """An environment that plays the outcome it is given, and has all else of `env`."""
    import gymnasium

    class Player(gymnasium.Env[Any, Any]):
        metadata = env.metadata
        render_mode = env.render_mode
        spec = env.spec

        def __init__(self) -> None:
            self.observation_space, self.action_space = env.observation_space, env.action_space
            self.s, self.reward, self.terminated = 0, 0.0, False
            self.outcome: Any = None
            self.actions: list[int] = []

        def __getattr__(self, key: str) -> Any:
            return getattr(env.unwrapped, key)

        def place(self, state: int, outcome: Any) -> None:
            self.s, self.outcome = state, outcome

        def reset(self, **_: Any) -> tuple[int, dict[str, Any]]:
            self.s = int(np.random.default_rng(0).integers(len(table)))
            return self.s, {"prob": 1.0}

        def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
            self.actions.append(action)
            self.outcome = table[self.s][action][0] if self.outcome is None else self.outcome
            _, successor, reward, terminated = self.outcome
            if 0 <= successor < len(table):
                self.s = int(successor)
            self.reward, self.terminated = float(reward), bool(terminated)
            return self.s, self.reward, self.terminated, False, {"prob": 1.0}

    return Player()
