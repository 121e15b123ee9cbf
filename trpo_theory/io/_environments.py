"""Gymnasium environments made by id, with checked options; failures become `InvalidInput`."""

from __future__ import annotations

import importlib
import inspect
import numbers
import re
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.errors import InvalidInput

_TABLELESS = ("Blackjack",)
"""Toy-text environments without a table."""
_MAKE_OPTIONS = ("max_episode_steps",)
"""Options of `gymnasium.make` itself that keep the dynamics."""


def made(name: str, options: dict[str, Any]) -> Any:
    """`gymnasium.make`, with every failure turned into `InvalidInput`."""
    import gymnasium

    module, _, bare = name.rpartition(":")
    try:
        if module:
            importlib.import_module(module)
    except Exception as error:  # importing a user's module may raise anything
        raise InvalidInput(
            got=f"the module {module!r}, which cannot be imported ({first_line(error)})",
            wanted="MODULE:ENV_ID with a module that registers the environment",
            fix="install it, or correct its name",
        ) from None
    if bare not in gymnasium.registry:
        raise InvalidInput(
            got=f"the environment id {name!r}", wanted="an id that Gymnasium knows", fix=_registered_instead(bare)
        )
    try:
        _check_options(bare, options)
        return gymnasium.make(bare, disable_env_checker=True, **options)
    except InvalidInput:
        raise
    except Exception as error:  # constructors check little and raise all kinds of errors
        raise InvalidInput(
            got=f"{name} with options {options}, which cannot be made: {first_line(error)}",
            wanted="an environment that can be made",
            fix="check the values of the options" if options else "install what it depends on",
        ) from None


def first_line(error: Exception) -> str:
    """The type and first line of an exception, for messages."""
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:200]


def _registered_instead(name: str) -> str:
    import gymnasium

    base = re.sub(r"-v\d+$", "", name)
    versions = [known for known in gymnasium.registry if re.sub(r"-v\d+$", "", known) == base]
    if versions:
        return "use " + " or ".join(repr(known) for known in versions) + ", the version registered here"
    return _checks.near_matches(name, with_table())


def with_table() -> list[str]:
    """The ids of Gymnasium's own environments that publish their table."""
    import gymnasium

    specs = gymnasium.registry.items()
    toys = [name for name, spec in specs if str(spec.entry_point).startswith("gymnasium.envs.toy_text")]
    return [name for name in toys if not name.startswith(_TABLELESS)]


def _check_options(name: str, options: dict[str, Any]) -> None:
    import gymnasium
    from gymnasium.envs.registration import load_env_creator

    spec = gymnasium.registry[name]
    creator = spec.entry_point if callable(spec.entry_point) else load_env_creator(str(spec.entry_point))
    parameters = inspect.signature(creator).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    accepted = [key for key in parameters if key != "render_mode"]
    for key, value in options.items():
        if key not in (*accepted, *_MAKE_OPTIONS):
            known = ", ".join(accepted) or "none"
            raise InvalidInput(
                got=f"the option {key!r} for {name}",
                wanted=f"one of its options: {known}",
                fix=_checks.near_matches(key, accepted) if accepted else "omit it",
            )
        default = parameters[key].default if key in parameters else 0
        kind = bool if isinstance(default, bool) else numbers.Real if isinstance(default, int | float) else object
        if not isinstance(value, kind) or (kind is numbers.Real and isinstance(value, bool)):
            raise InvalidInput(
                got=f"{key} = {value!r} for {name}",
                wanted="true or false" if kind is bool else "a number",
                fix=f"omit it for {default}" if key in parameters else f"change {key}",
            )
    if "map_name" in options and options["map_name"] is None and options.get("desc") is None:
        raise InvalidInput(
            got="map_name = None without desc, which draws a random map without a seed",
            wanted="a map",
            fix="pass desc=generate_random_map(size=8, seed=0), from gymnasium.envs.toy_text.frozen_lake",
        )


def layers_of(env: Any) -> list[Any]:
    """The wrappers of an environment, outermost first.

    Raises:
        InvalidInput: for an object that is not a `gymnasium.Env`.
    """
    import gymnasium

    if not isinstance(env, gymnasium.Env) and not hasattr(env, "P"):
        raise InvalidInput(
            got=f"{type(env).__name__} {str(env)[:80]!r} as an environment",
            wanted="a gymnasium.Env, or the id of one",
            fix="pass gymnasium.make(...), or an id such as 'FrozenLake-v1'",
        )
    layers = []
    while isinstance(env, gymnasium.Wrapper):
        layers.append(env)
        env = env.env
    return layers


def with_the_table(env: Any) -> tuple[Any, list[Any]]:
    """The outermost layer that has a table P of its own, or the innermost one; and the wrappers around it."""
    layers = layers_of(env)
    for place, layer in enumerate(layers):
        if "P" in vars(layer) or hasattr(type(layer), "P"):
            return layer, layers[:place]
    return (layers[-1].env if layers else env), layers


_OBSERVING = ("VecMonitor", "VecCheckNan", "VecVideoRecorder", "RecordEpisodeStatistics")
"""Wrappers of vectors of environments that change neither transitions nor rewards."""


def single(env: Any) -> Any:
    """The environment itself; of a vector of equal ones, in this process, the first.

    Raises:
        InvalidInput: for a vector whose environments differ or cannot be looked into, or in a wrapper that may change them.
    """
    if not (hasattr(env, "num_envs") and (hasattr(env, "envs") or hasattr(env, "venv") or hasattr(env, "env_method"))):
        import sys

        vector: Any = getattr(sys.modules.get("gymnasium"), "vector", None)
        if vector is None or not isinstance(env, vector.VectorEnv):
            return env
    while not isinstance(vars(env).get("envs"), list | tuple):
        inner = vars(env).get("venv", vars(env).get("env"))
        if inner is None:
            raise InvalidInput(
                got=f"{type(env).__name__}, whose environments run in other processes",
                wanted="an environment, or a vector of equal ones in this process",
                fix="pass one environment, as it is made for the vector: gymnasium.make(...)",
            )
        if type(env).__name__ not in _OBSERVING:
            raise InvalidInput(
                got=f"a vector of environments in the wrapper {type(env).__name__}, which may change rewards or observations",
                wanted="environments whose table gives all of their dynamics",
                fix="pass env.unwrapped, whose MDP is the table's, without the wrapper",
            )
        env = inner
    first, *others = env.envs
    for place, other in enumerate(others, 1):
        if not _are_alike(first, other):
            raise InvalidInput(
                got=f"a vector of environments of which number 0 and number {place} differ",
                wanted="equal environments: the MDP is one",
                fix="pass one of them: env.envs[0]",
            )
    return first


def _are_alike(one: Any, other: Any) -> bool:
    """Whether two environments have the same wrappers, table and start."""
    (core, layers), (core2, layers2) = with_the_table(one), with_the_table(other)
    if [*map(type, layers), type(core)] != [*map(type, layers2), type(core2)]:
        return False
    starts: list[Any] = [getattr(each, "initial_state_distrib", getattr(each, "isd", None)) for each in (core, core2)]
    return getattr(core, "P", None) == getattr(core2, "P", None) and (
        starts[0] is starts[1] or np.array_equal(starts[0], starts[1])
    )


def map_letters(core: Any) -> str:
    """The letters of a FrozenLake's map; S, the start, for an environment without one."""
    desc = getattr(core, "desc", None)
    if desc is None:
        return "S"
    return "".join(letter.decode() if isinstance(letter, bytes) else str(letter) for letter in np.ravel(desc))
