"""Where MDPs and policies come from: `gym:ENV_ID`, `zoo:NAME?key=value`, files, and other libraries' objects."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from trpo_theory import _checks, io, zoo
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import StateAggregation, uniform
from trpo_theory.solve.control import optimal

_POLICY_NAMES = ("uniform", "optimal")


@dataclass(frozen=True)
class Source:
    """An MDP with the policies that came along with it, and what its reader must tell the user.

    Attributes:
        mdp: the MDP.
        policies: by name: `old` and `new` of a zoo family or a witness file, `policy` of a file.
        notes: sentences, such as that a time limit is not part of the MDP.
    """

    mdp: FiniteMDP
    policies: Mapping[str, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def load(source: Any, *, gamma: Any = None) -> FiniteMDP:
    """The MDP that a name, a file or another library's object stands for.

    Args:
        source: "gym:FrozenLake-v1?map_name=8x8", "zoo:forest?fire=1/10"; a .npz, .json, .csv (triplets), .POMDP or
            .MDP file; a FiniteMDP, a QuantEcon DiscreteDP, or a Gymnasium environment with a table.
        gamma: the discount, which overrides or supplies the source's own.

    Raises:
        InvalidInput: for anything that cannot be read.

    >>> load("zoo:puterman", gamma=0.9)
    FiniteMDP(states=2, actions=2, gamma=0.9, dense)
    """
    return open_source(source, gamma=gamma).mdp


def open_source(source: Any, *, gamma: Any = None) -> Source:
    """As `load`, with the policies and notes that come with the MDP."""
    gamma = None if gamma is None else number(gamma, "gamma")
    if isinstance(source, FiniteMDP):
        return Source(source if gamma is None else source.with_gamma(gamma))
    if isinstance(source, (str, os.PathLike)):
        text = os.fspath(source)
        if text.startswith("gym:"):
            return _open_gym(text[4:], gamma)
        if text.startswith("zoo:"):
            return _open_zoo(text[4:], gamma)
        return _open_file(Path(text), gamma)
    if hasattr(source, "beta") and hasattr(source, "Q"):
        mdp = io.from_quantecon(source)
        return Source(mdp if gamma is None else mdp.with_gamma(gamma))
    if hasattr(source, "unwrapped"):
        return Source(io.from_gym(source, _required(gamma, "a Gymnasium environment")))
    raise InvalidInput(
        got=f"a {type(source).__name__} as the MDP",
        wanted="gym:ENV_ID, zoo:NAME, a file, a FiniteMDP, a QuantEcon DiscreteDP or a Gymnasium environment",
        fix="build a FiniteMDP(transition, reward, gamma, initial) from it",
    )


def number(value: Any, name: str) -> Any:
    """A number, or a string that reads as one ("0.99", "99/100"); arrays pass, to be checked where they are used."""
    if not isinstance(value, str):
        return value
    try:
        if len(value) > 40:
            raise ValueError
        return float(Fraction(value))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise InvalidInput(
            got=f"{name} = {value[:40]!r}", wanted="a number such as 0.99 or 99/100", fix=f"change {name}"
        ) from None


def load_policy(spec: Any, source: Source | FiniteMDP, *, name: str = "policy") -> Float[np.ndarray, "*batch S A"]:
    """The policy that a word, a file or an array stands for, checked against the MDP.

    Args:
        spec: "uniform", "optimal", the name of a policy that came with the source ("old", "new"), a .npy, .npz (array
            `policy`) or .json file, or an array (S, A).
        source: the MDP, or what `open_source` returned.
        name: what an error calls it.
    """
    if isinstance(source, FiniteMDP):
        source = Source(source)
    mdp = source.mdp
    if not isinstance(spec, (str, os.PathLike)):
        return _checks.policy_rows(spec, mdp.available, name)
    text = os.fspath(spec)
    if text == "uniform":
        return uniform(mdp.available)
    if text == "optimal":
        return np.array(optimal(mdp).policy)
    if text in source.policies:
        return _checks.policy_rows(source.policies[text], mdp.available, name)
    if not Path(text).suffix:
        known = (*_POLICY_NAMES, *source.policies)
        raise InvalidInput(
            got=f"{name} {text!r}",
            wanted="one of " + ", ".join(known) + ", or a .npy, .npz or .json file",
            fix=_checks.near_matches(text, known),
        )
    return _checks.policy_rows(io.read_policy(text), mdp.available, f"{name} (of {text})")


def load_aggregation(spec: Any) -> StateAggregation:
    """The `StateAggregation` of a file with one integer a state (.npy, .json, or text), or of a sequence."""
    if not isinstance(spec, (str, os.PathLike)):
        return StateAggregation(spec)
    return StateAggregation(io.read_integers(spec))


def _open_gym(text: str, gamma: Any) -> Source:
    env_id, _, query = text.partition("?")
    options = io.parse_options(query) if query else {}
    if "gamma" in options:
        gamma = _one_gamma(gamma, options.pop("gamma"))
    mdp = io.from_gym(env_id, _required(gamma, f"gym:{env_id}"), **options)
    limit = io.time_limit(env_id, **options)
    note = f"the time limit of {env_id}, {limit} steps, is not part of its table: the MDP solved has none"
    return Source(mdp, notes=(note,) if limit else ())


def _open_zoo(text: str, gamma: Any) -> Source:
    name, _, query = text.partition("?")
    options = io.parse_options(query) if query else {}
    options = {key: number(value, key) if key != "gamma" else value for key, value in options.items()}
    if "gamma" in options:
        gamma = _one_gamma(gamma, number(options.pop("gamma"), "gamma"))
    if gamma is not None:
        options["gamma"] = _checks.discount(gamma)
    made = zoo.make(name, **options)
    if isinstance(made, zoo.Instance):
        return Source(made.mdp, {"old": made.old, "new": made.new})
    return Source(made)


def _one_gamma(argument: Any, option: Any) -> Any:
    """An explicit gamma overrides the one in the source's own text."""
    return option if argument is None else argument


def _open_file(path: Path, gamma: Any) -> Source:
    suffix = path.suffix.lower()
    if suffix in (".pomdp", ".mdp"):
        return Source(io.read_cassandra(path, gamma))
    if suffix == ".csv":
        return Source(io.read_triplets(path, _required(gamma, str(path))))
    if suffix in (".npz", ".json"):
        fields = io.read_fields(path)
        policies = {key: fields[key] for key in ("old", "new", "policy") if key in fields}
        return Source(io.mdp_from_fields(fields, gamma, source=str(path)), policies)
    raise InvalidInput(
        got=f"{str(path)!r} as the MDP",
        wanted="gym:ENV_ID, zoo:NAME?key=value, or a .npz, .json, .csv, .POMDP or .MDP file",
        fix="give the file its usual suffix, or write gym: or zoo: before the name",
    )


def _required(gamma: Any, what: str) -> Any:
    if gamma is None:
        raise InvalidInput(
            got=f"{what} without a discount",
            wanted="gamma in [0, 1), which it does not fix",
            fix="pass gamma (--gamma 0.99)",
        )
    return gamma
