"""MDPs from Gymnasium environments that publish a table of their transitions."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.kinds import TEXT, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.io._environments import layers_of, made, map_letters, single, with_table, with_the_table
from trpo_theory.io._rows import check_size
from trpo_theory.io._source import in_file
from trpo_theory.io._tables import Listed, is_table, listed, numbered, with_ends_absorbing
from trpo_theory.io._wrappers import expect_harmless
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import RealLike

Option = str | bool | int | float | tuple[str | bool | int | float, ...] | list[str] | None
"""The value of an option for `gymnasium.make`."""


@runtime_checkable
class Environment(Protocol):
    """What makes an object an environment to this package, before Gymnasium itself is asked (and imported)."""

    @property
    def unwrapped(self) -> Any:
        """The environment without its wrappers, whose attribute `P` is the table."""
        ...


if TYPE_CHECKING:
    _Given = str | Environment | Mapping[Any, Any] | Sequence[Any]
else:
    _Given = object  # `from_gym` refuses anything else with its own message


def from_gym(source: _Given, gamma: RealLike, *, initial: RealLike | None = None, **options: Option) -> FiniteMDP:
    """The MDP of a Gymnasium environment with a table `P[s][a] = [(probability, s', reward, terminated), ...]`, or of a table.

    P(s'|s,a) = Σ p,  r(s,a) = Σ p r.  An episode ends after a transition with `terminated`: the state that it enters becomes
    absorbing, with reward 0, whatever the table has in that state's own row. The MDP then has as many states as there are
    observations, so that a policy trained on the environment fits it. If such a state can also be entered without
    `terminated` on a path from the start, or is a possible start, all terminated transitions lead to one extra absorbing
    state instead, appended as the last (label "terminated"); also where a terminated transition enters no state of the
    table, such as -1.

    Exact for every state that can be reached from the start; for other states a successor may have become absorbing.
    Time limits are not in the table: see `time_limit`.

    Args:
        source: an id such as "FrozenLake-v1"; an environment, in wrappers that change nothing (which is tried out), or a vector
            of equal ones; or the table alone, P: a dict or list by state, then by action (names are labels).
        gamma: the discount.
        initial: ρ₀, shape (S,); by default the environment's `initial_state_distrib`, and of a table alone uniform.
        **options: for `gymnasium.make`, such as map_name="8x8".

    Returns:
        A dense MDP, or a sparse one where S·A·S exceeds 2·10⁷.

    Raises:
        InvalidInput: for an unknown id or option, an environment without a table, or one whose table does not give all of its
            dynamics (a wrapper that may change them, or Taxi's fickle_passenger).
    """
    gamma = _checks.discount_or_one(gamma)
    env: Any
    with _quiet():
        env, name = (made(source, options), source) if isinstance(source, str) else (source, _named(source))
    if env is source and options:
        raise InvalidInput(
            got=f"options {', '.join(options)} for an environment that is already made",
            wanted="an id with options, or an environment without",
            fix="pass them to gymnasium.make",
        )
    try:
        with in_file(str(name)):
            if is_table(env):
                return _from_table(env, gamma, initial)
            with _quiet():
                core, entries, size = _described(single(env), str(name))
            return with_ends_absorbing(entries, _initial(core, initial, size[0], str(name)), size[1], gamma)
    finally:
        if env is not source:
            env.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """While the block runs, environments do not warn: of what they are used for here nothing is deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def time_limit(source: _Given, **options: Option) -> int | None:
    """The number of steps after which an environment truncates its episodes; the MDP of `from_gym` has no such limit.

    Args:
        source: an id, or an environment.
        **options: as for `from_gym`.

    Returns:
        max_episode_steps, or None if there is no limit.
    """
    with _quiet():
        env: Any = made(source, options) if isinstance(source, str) else single(source)
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
    expect(TEXT, query=query)
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


def _named(source: Any) -> str:
    return "the table" if is_table(source) else repr(source)[:80]


def _from_table(table: Any, gamma: RealLike, initial: RealLike | None) -> FiniteMDP:
    by_number, states, actions = numbered(table)
    size = len(by_number), 1 + max((max(moves, default=0) for moves in by_number.values()), default=0)
    check_size(*size)
    entries = listed(by_number, *size, "P", whole=False)
    start = _checks.distribution(initial, "initial", size[0])
    return with_ends_absorbing(entries, start, size[1], gamma, whole=False, names=(states, actions))


def _described(env: Any, name: str) -> tuple[Any, Listed, tuple[int, int]]:
    """The layer with the table, its transitions, and S and A."""
    core, layers = with_the_table(env)
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
            fix="choose one of these, set P on an environment of your own, or build a FiniteMDP of its transitions",
        )
    try:
        states, actions = len(table), len(table[0])
    except (KeyError, TypeError):
        states, actions = len(table), 0
    _check_space(core, "observation_space", states, name)
    _check_space(core, "action_space", actions, name)
    check_size(states, actions)
    entries = listed(table, states, actions, name)
    for layer in layers:
        expect_harmless(layer, table, name)
    return core, entries, (states, actions)


def _initial(core: Any, initial: Any, states: int, name: str) -> np.ndarray:
    """The start: as given, or as the environment has it (`isd` in early versions of Gym)."""
    if initial is not None:
        return _checks.distribution(initial, "initial", states)
    own = getattr(core, "initial_state_distrib", getattr(core, "isd", None))
    if own is None:
        raise InvalidInput(
            got=f"{name}, which does not say where it starts",
            wanted="its attribute initial_state_distrib",
            fix="pass initial=[...], a distribution over its states, to trpo_theory.io.from_gym",
        )
    try:
        return _checks.distribution(own, "initial", states)
    except InvalidInput:
        lettered = "desc" if "S" not in map_letters(core) else ""
        raise InvalidInput(
            got=f"the environment's initial_state_distrib that is no distribution, {str(own)[:60]}"
            + (", as its map has no S, the start" if lettered else ""),
            wanted="where it starts: probabilities that sum to 1",
            fix="put an S into the map, such as desc=SF,FG"
            if lettered
            else "correct the attribute, or pass initial=[...]",
        ) from None


def _check_space(core: Any, space: str, length: int, name: str) -> None:
    size, start = getattr(getattr(core, space, None), "n", length), getattr(getattr(core, space, None), "start", 0)
    if length == 0 or size != length or start != 0:
        raise InvalidInput(
            got=f"{name} with a table of {length} for its {space} of {size}, counted from {start}",
            wanted="a table with an entry for each, counted from 0",
            fix="correct the environment's table or its space",
        )
