"""Named and random MDPs: families of worst cases, textbook examples, random MDPs (Dirichlet, Garnet)."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from trpo_theory._checks import integer, known_name
from trpo_theory.entries.expected import expect_numbers, is_real
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.zoo.chi_square import certificate_ladder, kl_for_chi2
from trpo_theory.zoo.chi_square_chains import (
    chi2_advantage_tight,
    chi2_reward_tight,
    chi2_time_resolved_tight,
    cv_certificate_tight,
)
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
from trpo_theory.zoo.families import (
    ALIASES,
    FAMILIES,
    Instance,
    aliased,
    coupling_tight,
    cpo_tight,
    drunkards_walk,
    equal_kl,
    kakade_langford_tight,
    pinsker_tight,
)
from trpo_theory.zoo.families import aliased as f6
from trpo_theory.zoo.families import coupling_tight as f1
from trpo_theory.zoo.families import cpo_tight as f5
from trpo_theory.zoo.families import drunkards_walk as walk
from trpo_theory.zoo.families import equal_kl as f3
from trpo_theory.zoo.families import kakade_langford_tight as f4
from trpo_theory.zoo.families import pinsker_tight as f2
from trpo_theory.zoo.random import RANDOM, dirichlet, garnet, random_policy

__all__ = [
    "ALIASES",
    "NAMES",
    "Instance",
    "aliased",
    "certificate_ladder",
    "chain",
    "chi2_advantage_tight",
    "chi2_reward_tight",
    "chi2_time_resolved_tight",
    "coupling_tight",
    "cpo_tight",
    "cv_certificate_tight",
    "dirichlet",
    "drunkards_walk",
    "equal_kl",
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
    "kakade_langford_tight",
    "kl_for_chi2",
    "maintenance",
    "make",
    "pinsker_tight",
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
"""The names that `make` and `zoo:` read, with the earlier ids of the families, which `ALIASES` maps to theirs."""


def make(name: str, **options: Any) -> FiniteMDP | Instance:
    """The MDP of that name; for a family of worst cases, the instance (an MDP and two policies).

    Args:
        name: one of `NAMES`.
        options: parameters of the MDP, all of them numbers; random MDPs also take `seed`, 0 by default.

    Raises:
        InvalidInput: for an unknown name or option, or a value out of range.

    >>> make("forest", gamma=0.9)
    FiniteMDP(states=3, actions=2, gamma=0.9, dense)
    """
    name = known_name("zoo MDP", name, NAMES, "list(tt.zoo.NAMES) in Python has all")
    factory = {**FAMILIES, **CLASSICS, **RANDOM}[name]
    random = name in RANDOM
    accepted = {
        key
        for key, parameter in inspect.signature(factory).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    } - {"batch"}
    for option in options:
        known_name(f"option of zoo:{name}", option, sorted(accepted) + (["seed"] if random else []))
        if not is_real(options[option]) and not isinstance(options[option], np.ndarray):
            raise InvalidInput(
                got=f"{option} = {options[option]!r} for zoo:{name}", wanted="a number", fix=f"change {option}"
            )
        expect_numbers(options[option], option)
    if random:
        seed = integer(options.pop("seed", 0), "seed", least=0)
        return factory(np.random.default_rng(seed), **options)
    return factory(**options)
