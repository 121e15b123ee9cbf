"""MDPs from Gymnasium environments that publish a table of their transitions."""

from __future__ import annotations

import math
import numbers
import re
import warnings
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from trpo_theory import _checks
from trpo_theory.errors import InvalidInput
from trpo_theory.io._environments import first_line, layers_of, made, with_table
from trpo_theory.io._rows import assemble, check_size, densified
from trpo_theory.io._source import in_file
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import RealLike

Option = str | bool | int | float | tuple[str | bool | int | float, ...] | list[str] | None
"""The value of an option for `gymnasium.make`."""

_HARMLESS = (
    "TimeLimit",
    "OrderEnforcing",
    "PassiveEnvChecker",
    "RecordEpisodeStatistics",
    "HumanRendering",
    "RenderCollection",
    "RecordVideo",
)
"""Wrappers of Gymnasium that change neither transitions nor rewards."""


@runtime_checkable
class Environment(Protocol):
    """What makes an object an environment to this package, before Gymnasium itself is asked (and imported)."""

    @property
    def unwrapped(self) -> Any:
        """The environment without its wrappers, whose attribute `P` is the table."""
        ...


if TYPE_CHECKING:
    _Given = str | Environment
else:
    _Given = object  # `from_gym` refuses anything else with its own message


def from_gym(source: _Given, gamma: RealLike, *, initial: RealLike | None = None, **options: Option) -> FiniteMDP:
    """The MDP of a Gymnasium environment with a table `P[s][a] = [(probability, s', reward, terminated), ...]`.

    P(s'|s,a) = Σ p,  r(s,a) = Σ p r.  An episode ends after a transition with `terminated`: the state that it enters becomes
    absorbing, with reward 0, whatever the table has in that state's own row. The MDP then has as many states as there are
    observations, so that a policy trained on the environment fits it. If such a state can also be entered without
    `terminated` on a path from the start, or is a possible start, all terminated transitions lead to one extra absorbing
    state instead, appended as the last (label "terminated").

    Exact for every state that can be reached from the start; for other states a successor may have become absorbing.
    Time limits are not in the table: see `time_limit`.

    Args:
        source: an id such as "FrozenLake-v1", or an environment.
        gamma: the discount.
        initial: ρ₀, shape (S,); by default the environment's `initial_state_distrib`.
        **options: for `gymnasium.make`, such as map_name="8x8".

    Returns:
        A dense MDP, or a sparse one where S·A·S exceeds 2·10⁷.

    Raises:
        InvalidInput: for an unknown id or option, an environment without a table, or one whose table does not give all of its
            dynamics (a wrapper that may change them, or Taxi's fickle_passenger).
    """
    gamma = _checks.discount_or_one(gamma)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env: Any
        env, name = (made(source, options), source) if isinstance(source, str) else (source, repr(source)[:80])
        if env is source and options:
            raise InvalidInput(
                got=f"options {', '.join(options)} for an environment that is already made",
                wanted="an id with options, or an environment without",
                fix="pass them to gymnasium.make",
            )
        try:
            with in_file(str(name)):
                return _from_env(env, str(name), gamma, initial)
        finally:
            if env is not source:
                env.close()


def time_limit(source: _Given, **options: Option) -> int | None:
    """The number of steps after which an environment truncates its episodes; the MDP of `from_gym` has no such limit.

    Args:
        source: an id, or an environment.
        **options: as for `from_gym`.

    Returns:
        max_episode_steps, or None if there is no limit.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env: Any = made(source, options) if isinstance(source, str) else source
        limits = [layer._max_episode_steps for layer in layers_of(env) if type(layer).__name__ == "TimeLimit"]
        if env is not source:
            env.close()
    return min(limits, default=None)


def parse_options(query: str) -> dict[str, Any]:
    """The options after the question mark of a name: "map_name=8x8&is_slippery=false".

    true and false are booleans, numbers are numbers, a value with commas is a tuple, everything else is a string.

    Raises:
        InvalidInput: for a part that is not KEY=VALUE, or a key that occurs twice.

    >>> parse_options("map_name=8x8&is_slippery=false&reward_schedule=1,0,-0.5")
    {'map_name': '8x8', 'is_slippery': False, 'reward_schedule': (1, 0, -0.5)}
    """
    options: dict[str, Any] = {}
    for part in query.split("&"):
        key, equals, value = part.partition("=")
        if not equals or not key.isidentifier() or not value or key in options:
            raise InvalidInput(
                got=f"the option {part!r}" + (" a second time" if key in options else ""),
                wanted="KEY=VALUE&KEY=VALUE, each key once",
                fix='write, for example, "map_name=8x8&is_slippery=false"',
            )
        options[key] = tuple(map(_parsed, value.split(","))) if "," in value else _parsed(value)
    return options


def _parsed(value: str) -> bool | int | float | str:
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    if re.fullmatch(r"[+-]?\d{1,18}", value, re.ASCII):
        return int(value)
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value, re.ASCII) and math.isfinite(float(value)):
        return float(value)
    return value


def _from_env(env: Any, name: str, gamma: RealLike, initial: RealLike | None) -> FiniteMDP:
    import gymnasium

    for layer in layers_of(env):
        if not any(type(layer) is getattr(gymnasium.wrappers, known) for known in _HARMLESS):
            raise InvalidInput(
                got=f"{name} in the wrapper {type(layer).__name__}, which may change its dynamics",
                wanted="an environment whose table gives all of its dynamics",
                fix="pass env.unwrapped if the wrapper changes neither transitions nor rewards",
            )
    core = env.unwrapped
    if getattr(core, "fickle_passenger", False):
        raise InvalidInput(
            got=f"{name} with fickle_passenger = True, whose changes of destination are not in its table",
            wanted="dynamics that are all in the table",
            fix="omit fickle_passenger (fickle_probability has no effect without it)",
        )
    table = getattr(core, "P", None)
    if not isinstance(table, dict | list | tuple) or not table:
        raise InvalidInput(
            got=f"{name}, which publishes no table P of its transitions",
            wanted="an environment with one: " + ", ".join(with_table()),
            fix="estimate its transitions and build a FiniteMDP, or choose one of these",
        )
    try:
        states, actions = len(table), len(table[0])
    except (KeyError, TypeError):
        states, actions = len(table), 0
    _check_space(core, "observation_space", states, name)
    _check_space(core, "action_space", actions, name)
    check_size(states, actions)
    if initial is None:
        initial = getattr(core, "initial_state_distrib", None)
        if initial is None:
            raise InvalidInput(
                got=f"{name}, which does not say where it starts",
                wanted="its attribute initial_state_distrib",
                fix="pass initial=, a distribution over its states",
            )
    initial = _checks.distribution(initial, "initial", states)
    return _with_ends_absorbing(_listed(table, states, actions, name), initial, actions, gamma)


def _check_space(core: Any, space: str, length: int, name: str) -> None:
    size, start = getattr(getattr(core, space, None), "n", length), getattr(getattr(core, space, None), "start", 0)
    if length == 0 or size != length or start != 0:
        raise InvalidInput(
            got=f"{name} with a table of {length} for its {space} of {size}, counted from {start}",
            wanted="a table with an entry for each, counted from 0",
            fix="correct the environment's table or its space",
        )


def _listed(table: Any, states: int, actions: int, name: str) -> tuple[np.ndarray, ...]:
    """The table as vectors: row s·A + a, successor, probability, reward, terminated; entries with p = 0 are dropped."""
    found: list[tuple[int, int, float, float, bool]] = []
    for state in range(states):
        for action in range(actions):
            try:
                if len(table[state]) != actions:
                    raise ValueError(f"{len(table[state])} actions, others have {actions}")
                for probability, successor, reward, terminated in table[state][action]:
                    if not 0 <= (target := int(successor)) == successor < states:
                        raise ValueError(f"the successor {successor!r} is not a state")
                    if terminated not in (0, 1) or not isinstance(reward, numbers.Real):
                        raise TypeError(f"reward {reward!r}, terminated {terminated!r}")
                    if probability != 0:
                        entry = (state * actions + action, target, float(probability), float(reward), bool(terminated))
                        found.append(entry)
            except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
                raise InvalidInput(
                    got=f"the entry of state {state}, action {action} in the table of {name}: {first_line(error)}",
                    wanted="P[s][a] to be a list of (probability, successor, reward, terminated)",
                    fix="correct the environment's table",
                ) from None
    if not found:
        raise InvalidInput(got=f"an empty table of {name}", wanted="transitions", fix="correct the environment's table")
    return tuple(np.array(column) for column in zip(*found, strict=True))


def _with_ends_absorbing(listed: tuple[np.ndarray, ...], initial: np.ndarray, actions: int, gamma: Any) -> FiniteMDP:
    row, successor, probability, reward, terminated = listed
    states = len(initial)
    end = np.zeros(states + 1, dtype=bool)
    end[successor[terminated]] = True
    alive = _reached(row[~terminated] // actions, successor[~terminated], initial > 0)
    labels = None
    if (end[:states] & alive).any():
        end[:] = False
        end[states] = True
        successor = np.where(terminated, states, successor)
        initial = np.append(initial, 0.0)
        labels = [*map(str, range(states)), "terminated"]
        states += 1
    keep = ~end[row // actions]
    ends = (np.flatnonzero(end)[:, None] * actions + np.arange(actions)).ravel()
    matrix, mean, _ = assemble(
        np.concatenate([row[keep], ends]),
        np.concatenate([successor[keep], ends // actions]),
        np.concatenate([probability[keep], np.ones(len(ends))]),
        np.concatenate([reward[keep], np.zeros(len(ends))]),
        states,
        actions,
    )
    return FiniteMDP(densified(matrix, states, actions), mean, gamma, initial, state_labels=labels)


def _reached(source: np.ndarray, target: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The states that an episode can visit before it terminates."""
    import scipy.sparse as sp
    from scipy.sparse.csgraph import breadth_first_order

    root, first = len(start), np.flatnonzero(start)
    source, target = np.append(source, np.full(len(first), root)), np.append(target, first)
    graph = sp.csr_array((np.ones(len(source)), (source, target)), shape=(root + 1, root + 1))
    reached = np.zeros(root + 1, dtype=bool)
    reached[breadth_first_order(graph, root, return_predecessors=False)] = True
    return reached[:root]
