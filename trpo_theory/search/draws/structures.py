"""What chance seldom brings into an instance: unavailable actions, ties, unvisited states, determinism."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.numerics.floats import Floats
from trpo_theory.numerics.layout import batch_first, batch_last
from trpo_theory.search.draws.rows import Sharing, along_rows, largest_of, on_allowed, one_hot, share, vertices
from trpo_theory.search.worst_reward import worst_reward
from trpo_theory.step.instances import Instances
from trpo_theory.step.quantities import Quantities

_ODD = 0.04
"""Share of the instances that each of the `oddities` changes. Chosen."""
_BANDIT = 0.15
"""Of instances with one state, the share that starts uniform and ends greedy. Chosen: one state shows what such a step does."""
_ROWS = ("old", "new", "reference")
_OF_GAPS = ("gamma", "transition", "reward", "initial", "old", "new")
"""What η(new) − L is of."""


def with_worst_reward(instances: Instances, chosen: np.ndarray) -> Instances:
    """Those chosen get the reward that makes η(new) − L least."""
    if not chosen.any():
        return instances
    reward, chosen = instances.reward.copy(), np.flatnonzero(chosen)
    reward[chosen] = batch_first(worst_reward(_of_gaps(instances, chosen)))
    if instances.available is not None:
        reward[chosen] *= instances.available[chosen]
    return instances.replace(reward=reward)


def _of_gaps(instances: Instances, index: np.ndarray, **changes: np.ndarray) -> Quantities:
    """The quantities of those at the index, without what η(new) − L does not read, some of their fields exchanged."""
    read: dict[str, Any] = {name: getattr(instances, name).take(index, 0) for name in _OF_GAPS if name not in changes}
    last = {name: batch_last(array).copy(order="C") for name, array in (read | changes).items()}
    return Quantities(Floats(), batch_shape=(len(index),), available=np.True_, **last)


def with_available(instances: Instances, available: np.ndarray) -> Instances:
    """The instances where only these actions can be taken, (B, S, A): policies keep to them, P and r are 0 elsewhere."""
    changes = {name: on_allowed(getattr(instances, name), available) for name in _ROWS}
    changes |= {name: np.where(available, getattr(instances, name), 0.0) for name in ("reward", "noise")}
    transition = np.where(available[..., None], instances.transition, 0.0)
    return instances.replace(transition=transition, available=available, **changes)


def all_available(instances: Instances) -> Instances:
    """The instances where actions that cannot be taken are copies of the first that can be."""
    if instances.available is None:
        return instances
    first = instances.available.argmax(-1)[..., None]
    changes = {
        name: np.where(
            instances.available, getattr(instances, name), np.take_along_axis(getattr(instances, name), first, -1)
        )
        for name in ("reward", "noise")
    }
    copied = np.take_along_axis(instances.transition, first[..., None], 2)
    transition = np.where(instances.available[..., None], instances.transition, copied)
    return instances.replace(transition=transition, available=None, **changes)


def random_available(generator: np.random.Generator, groups: np.ndarray, actions: int) -> np.ndarray:
    """Which actions can be taken, (B, S, A): every state has one, states of a group the same, a third of the instances all."""
    shape = (*groups.shape, actions)
    all_of_them = generator.random((shape[0], 1, 1)) < 1 / 3
    able = all_of_them | (generator.random(shape) < 0.7) | (vertices(generator, shape) == 1)
    return share(able, groups)


def oddities(generator: np.random.Generator, instances: Instances) -> Instances:
    """Some of the instances with ties, states that nobody visits, everything deterministic, or old uniform and new greedy.

    States of a group get one row; arrays are changed in place.
    """

    def chosen(share_of_all: float) -> np.ndarray:
        return np.flatnonzero(generator.random(len(instances)) < share_of_all)

    states = instances.shape[0]
    arrays = instances.arrays()
    one = chosen(_ODD)
    if states > 1:
        _leave_unvisited(arrays, chosen(_ODD))
    if instances.available is None:  # the copies would have to be available, too
        for name in ("transition", "reward", *_ROWS):
            arrays[name][one, -1] = arrays[name][one, 0]
        one = chosen(_ODD)
        for name in ("transition", "reward"):
            arrays[name][one, :, -1] = arrays[name][one, :, 0]
    whole = chosen(_ODD)
    for name in ("transition", "initial"):
        arrays[name][whole] = _one_hot(generator, arrays[name][whole])
    for name, rows in zip(_ROWS, _one_hot(generator, np.stack([arrays[name][whole] for name in _ROWS])), strict=True):
        arrays[name][whole] = rows
    sharing = Sharing(arrays["groups"])
    for name in _ROWS:
        sharing.impose_on(arrays[name])
    return from_uniform_to_greedy(Instances(**arrays), chosen(_BANDIT if states == 1 else _ODD))


def _leave_unvisited(arrays: dict[str, np.ndarray], some: np.ndarray) -> None:
    """Nobody starts in the last state or comes to it from another: the first state takes its place."""
    transition, initial = arrays["transition"][some], arrays["initial"][some]
    transition[:, :-1, :, 0] += transition[:, :-1, :, -1]
    transition[:, :-1, :, -1] = 0.0
    initial[:, 0] += initial[:, -1]
    initial[:, -1] = 0.0
    arrays["transition"][some], arrays["initial"][some] = transition, initial


def _one_hot(generator: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    """A vertex of each row's support; rows without one stay."""
    return np.where(rows.any(-1, keepdims=True), vertices(generator, rows.shape, rows > 0), rows)


def from_uniform_to_greedy(instances: Instances, index: np.ndarray) -> Instances:
    """Those at the index with old uniform over what is available, and new greedy for old's advantage."""
    if not len(index):
        return instances
    able = np.ones((len(index), *instances.shape)) if instances.available is None else instances.available[index]
    even, groups = able / along_rows(np.add, able.astype(float)), instances.groups[index]
    advantage = batch_first(_of_gaps(instances, index, old=even).advantage)
    best = one_hot(largest_of(np.where(able, advantage, -np.inf)), able.shape[-1]).astype(float)
    old, new, sharing = instances.old.copy(), instances.new.copy(), Sharing(groups)
    old[index], new[index] = sharing(even), sharing(best)
    return instances.replace(old=old, new=new)
