"""What a claim's setting reads of an instance and discounted ones lack: an end, a horizon, costs, a second model and the like."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable

import numpy as np

from trpo_theory.bounds.setting import AGENTS, SETTINGS
from trpo_theory.numerics.layout import batch_first, batch_last
from trpo_theory.search.draws import numbers
from trpo_theory.search.draws.rows import random_rows
from trpo_theory.search.draws.structures import all_available
from trpo_theory.solve.criteria import AVERAGE, EPISODIC
from trpo_theory.step.agents import projected
from trpo_theory.step.fields import AXES, EXTRAS, POLICIES
from trpo_theory.step.instances import Instances

_MOST_LAYERED = 24
"""States (t, s) of an instance over a horizon, at most. Chosen: solves cost as their cube."""
_LONGEST = 12
"""Steps of a horizon. Chosen: with two states."""
_UNDISCOUNTED = 0.5
"""Discounts from which on an instance that ends has γ = 1. Chosen: most, and not all."""
_COSTS, _REFERENCES = 2, 2
"""How many costs and policies of the past are drawn. Chosen."""
_LEAST_MASS = 1e-290
"""Of the actions that are kept; rows with less are made uniform. Chosen: a quotient by it has all digits."""


def furnished(instances: Instances, needs: frozenset[str]) -> Instances:
    """The instances with what these words of a setting ask for; fields that they have stay. The same each time."""
    for word in needs:
        if word.startswith(AGENTS):
            instances = with_agents(instances, tuple(map(int, word.removeprefix(AGENTS).split("x"))))
    words = needs & SETTINGS
    if not words:
        return instances
    instances = all_available(instances)
    if EPISODIC.name in words:
        instances = _with_end(instances)
    if words & {EPISODIC.name, "horizon"}:
        instances = instances.replace(gamma=np.where(instances.gamma > _UNDISCOUNTED, 1.0, instances.gamma))
    if AVERAGE.name in words:
        instances = _without_discount(instances)
    lacking = [name for name in EXTRAS if name in words and getattr(instances, name) is None]
    if not lacking:
        return instances
    generator = np.random.default_rng(zlib.crc32(np.ascontiguousarray(instances.old).tobytes()))
    made = instances.replace(**{name: _DRAWS[name](generator, instances) for name in lacking})
    return _with_end(made) if EPISODIC.name in words else made


def with_agents(instances: Instances, agents: tuple[int, ...]) -> Instances:
    """The instances with a joint action for each combination of the agents' own, and policies that are products.

    Of an instance with another number of actions, joint actions are its own, over and over, or the first of them.
    """
    instances, total = all_available(instances), math.prod(agents)
    if instances.shape[1] != total:
        kept = np.arange(total) % instances.shape[1]
        share = 1 / np.bincount(kept, minlength=instances.shape[1])[kept]
        changes: dict[str, np.ndarray] = {}
        for name, array in instances.arrays().items():
            if AXES[name][:2] == "sa":
                changes[name] = array[:, :, kept]
        for name in (name for name in POLICIES if name in changes):
            rows = changes[name] * share.reshape(-1, *(1,) * (changes[name].ndim - 3))
            mass = rows.sum(2, keepdims=True)
            changes[name] = np.where(mass > _LEAST_MASS, rows / np.where(mass > _LEAST_MASS, mass, 1.0), 1 / total)
        instances = instances.replace(**changes)
    rows = {name: getattr(instances, name) for name in ("old", "new", "reference")}
    made = {name: batch_first(projected(batch_last(row), agents)) for name, row in rows.items()}
    return instances.replace(**{name: row / row.sum(2, keepdims=True) for name, row in made.items()})


def _with_end(instances: Instances) -> Instances:
    """The last state is an end: it is never left, and nothing is earned there, nor costs anything."""
    transition, reward = instances.transition.copy(), instances.reward.copy()
    transition[:, -1], reward[:, -1] = 0.0, 0.0
    transition[:, -1, :, -1] = 1.0
    instances = instances.replace(transition=transition, reward=reward)
    if instances.costs is None:
        return instances
    costs = instances.costs.copy()
    costs[:, -1] = 0.0
    return instances.replace(costs=costs)


def _without_discount(instances: Instances) -> Instances:
    """γ = 1. Every second one starts anew with probability 1 − γ in each step: its gap is 1 − γ times the discounted one."""
    mixed = (np.arange(len(instances)) % 2 == 0)[:, None, None, None]
    gamma = instances.gamma[:, None, None, None]
    restarted = gamma * instances.transition + (1 - gamma) * instances.initial[:, None, None, :]
    return instances.replace(
        transition=np.where(mixed, restarted, instances.transition), gamma=np.ones_like(instances.gamma)
    )


def _horizons(generator: np.random.Generator, instances: Instances) -> np.ndarray:
    most = max(1, min(_LONGEST, _MOST_LAYERED // instances.shape[0]))
    return generator.integers(1, most + 1, len(instances))


def _temperatures(generator: np.random.Generator, instances: Instances) -> np.ndarray:
    """From 1e-3 to 10 times the largest reward."""
    size = np.abs(instances.reward).max((1, 2))
    return 10 ** generator.uniform(-3, 1, len(instances)) * np.where(size > 0, size, 1.0)


def _costs(generator: np.random.Generator, instances: Instances) -> np.ndarray:
    each = [numbers.rewards(generator, instances.old.shape) for _ in range(_COSTS)]
    return np.stack(each, axis=-1)


def _models(generator: np.random.Generator, instances: Instances) -> np.ndarray:
    """P moved towards random rows, by a share from 1e-3 to 1."""
    share = 10 ** generator.uniform(-3, 0, (len(instances), 1, 1, 1))
    return instances.transition + share * (random_rows(generator, instances.transition.shape) - instances.transition)


def _references(generator: np.random.Generator, instances: Instances) -> np.ndarray:
    """Old moved towards random rows, by a share from 1e-3 to 1."""
    share = 10 ** generator.uniform(-3, 0, (len(instances), 1, 1))
    each = [
        instances.old + share * (random_rows(generator, instances.old.shape) - instances.old)
        for _ in range(_REFERENCES)
    ]
    return np.stack(each, axis=-1)


def _weights(generator: np.random.Generator, instances: Instances) -> np.ndarray:
    return random_rows(generator, (len(instances), _REFERENCES))


_DRAWS: dict[str, Callable[[np.random.Generator, Instances], np.ndarray]] = {
    "horizon": _horizons,
    "temperature": _temperatures,
    "costs": _costs,
    "model": _models,
    "references": _references,
    "weights": _weights,
}


def moved_extras(
    generator: np.random.Generator,
    instances: Instances,
    chosen: np.ndarray,
    moved_rows: Callable[[np.ndarray], np.ndarray],
    moved_reward: Callable[[np.ndarray], np.ndarray],
) -> dict[str, np.ndarray]:
    """The fields of a setting that the instances have, moved a little, as `mutated` moves those that all have."""
    found: dict[str, np.ndarray] = {}
    if instances.horizon is not None:
        most = max(1, min(_LONGEST, _MOST_LAYERED // instances.shape[0]))
        step = np.where(chosen, generator.integers(-1, 2, len(instances)), 0)
        found["horizon"] = np.clip(instances.horizon + step, 1, most)
    if instances.temperature is not None:
        found["temperature"] = instances.temperature * np.where(
            chosen, np.exp(generator.normal(size=len(instances))), 1.0
        )
    for name, move in (("model", moved_rows), ("weights", moved_rows)):
        if getattr(instances, name) is not None:
            found[name] = move(getattr(instances, name))
    for name, move in (("references", moved_rows), ("costs", moved_reward)):
        array = getattr(instances, name)
        if array is not None:
            found[name] = np.stack([move(array[..., k]) for k in range(array.shape[-1])], axis=-1)
    return found
