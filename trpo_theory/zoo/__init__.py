"""Named and random MDPs: the catalogue's worst-case families, textbook classics, Dirichlet and Garnet."""

from __future__ import annotations

import inspect
import numbers
from typing import Any

import numpy as np

from trpo_theory._checks import integer, unknown_name
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.zoo.classics import (
    CLASSICS,
    chain,
    forest,
    grid,
    kakade,
    maintenance,
    puterman,
    queue,
    recycling_robot,
    river_swim,
    taxicab,
    toymaker,
)
from trpo_theory.zoo.families import FAMILIES, Instance, f1, f2, f3, f4, f5, f6, walk
from trpo_theory.zoo.random import RANDOM, dirichlet, garnet, random_policy

__all__ = [
    "NAMES",
    "Instance",
    "chain",
    "dirichlet",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "f6",
    "forest",
    "garnet",
    "grid",
    "kakade",
    "maintenance",
    "make",
    "puterman",
    "queue",
    "random_policy",
    "recycling_robot",
    "river_swim",
    "taxicab",
    "toymaker",
    "walk",
]

NAMES = (*FAMILIES, *CLASSICS, *RANDOM)


def make(name: str, **options: Any) -> FiniteMDP | Instance:
    """The MDP (or, for a family, the instance) of that name; random ones take seed=.

    Raises:
        InvalidInput: for an unknown name or option.

    >>> make("forest", gamma=0.9)
    FiniteMDP(states=3, actions=2, gamma=0.9, dense)
    """
    if name not in NAMES:
        raise unknown_name("zoo MDP", name, NAMES)
    factory = {**FAMILIES, **CLASSICS, **RANDOM}[name]
    random = name in RANDOM
    accepted = {
        key
        for key, parameter in inspect.signature(factory).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    } - {"batch"}
    for option in options:
        if option not in accepted | ({"seed"} if random else set()):
            raise unknown_name(f"option of zoo:{name}", option, sorted(accepted) + (["seed"] if random else []))
        if isinstance(options[option], bool) or not isinstance(options[option], (numbers.Real, np.ndarray)):
            raise InvalidInput(
                got=f"{option} = {options[option]!r} for zoo:{name}", wanted="a number", fix=f"change {option}"
            )
    if random:
        seed = integer(options.pop("seed", 0), "seed", least=0)
        return factory(np.random.default_rng(seed), **options)
    return factory(**options)
