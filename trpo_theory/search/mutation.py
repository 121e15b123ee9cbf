"""`mutated`: children of instances, each changed a little at random, over the same ranges as instances are drawn from."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.search.draws.numbers import GAMMAS, LARGEST_REWARD, LEAST_GAMMA
from trpo_theory.search.draws.rows import along_rows, random_rows, share, vertices
from trpo_theory.search.draws.structures import with_available, with_worst_reward
from trpo_theory.search.draws.tiny_steps import tiny_made_exact
from trpo_theory.search.settings import moved_extras
from trpo_theory.step.fields import POLICIES
from trpo_theory.step.instances import Instances

_RARELY = 0.02
"""Share of the children with a copied action, with a copied state, with an action made available or not, each. Chosen."""
_LEAST_STEP = 1e-12
"""Steps are stretched down to this change of a probability. Chosen: floats keep it, on their grid, to four digits."""
_FAR = 0.25
"""Share of the stretched steps, and of the moved discounts, that go decades at once. Chosen."""
_EXTRAS = frozenset({"reference", "noise", "size"})
"""The fields that only some claims read."""
_COPIED = ("transition", "reward", "costs", "model", *POLICIES)
"""The fields of which a copied action or state is one."""


def mutated(instances: Instances, generator: np.random.Generator, reads: frozenset[str] = _EXTRAS) -> Instances:
    """Children: some rows moved towards a vertex or a random row, the step stretched, the reward or γ changed.

    Rarely an action or a state becomes a copy of another; where instances say which actions are available, that may change.
    A reference, noise and size that are not among the fields that a claim reads stay as they are.
    """
    count = len(instances)

    def chosen(share_of_all: float) -> np.ndarray:
        return generator.random(count) < share_of_all

    instances = _with_copies(generator, instances, chosen(_RARELY), chosen(_RARELY))
    rows = {
        name: _moved_rows(generator, getattr(instances, name), chosen(0.5))
        for name in ("transition", "initial", "old", "new", "reference")
        if name != "reference" or name in reads
    }
    carried, stretched = chosen(0.3)[:, None, None], chosen(0.4)
    change = np.where(carried, instances.new - instances.old, rows["new"] - rows["old"])
    again = _stretched(generator, rows["old"], change, stretched)
    rows["new"] = np.where(carried | stretched[:, None, None], again, rows["new"])
    still = (chosen(0.15)[:, None] & (generator.random(rows["new"].shape[:2]) < 0.5))[..., None]
    rows["new"] = np.where(still, rows["old"], rows["new"])
    sharing = (instances.groups[:, :, None] == instances.groups[:, None, :]).sum((1, 2)) > instances.groups.shape[1]
    for name in ("old", "new"):
        rows[name] = np.where(sharing[:, None, None], share(rows[name], instances.groups), rows[name])
    children = instances.replace(
        **rows,
        reward=_moved_reward(generator, instances.reward, chosen(0.5)),
        gamma=_moved_gamma(generator, instances.gamma, chosen(0.3)),
    )
    if "noise" in reads:
        children = children.replace(noise=_moved_reward(generator, instances.noise, chosen(0.3)))
    if "size" in reads:
        size = np.where(chosen(0.4), instances.size * np.exp(generator.normal(size=count)), instances.size)
        children = children.replace(size=np.clip(size, 1e-6, 1e6))
    extras = moved_extras(
        generator,
        children,
        chosen(0.3) if children.has_extras else np.zeros(count, dtype=bool),
        lambda rows: _moved_rows(generator, rows, chosen(0.3)),
        lambda reward: _moved_reward(generator, reward, chosen(0.3)),
    )
    children = children.replace(**extras)
    if instances.available is not None:
        children = _with_moved_mask(generator, children, instances.available, chosen(_RARELY))
    old, new = tiny_made_exact(children.old, children.new)
    return with_worst_reward(children.replace(old=old, new=new), chosen(0.25))


def _with_copies(
    generator: np.random.Generator, instances: Instances, action: np.ndarray, state: np.ndarray
) -> Instances:
    """One action of some becomes a copy of another in every state, or one state of another, where all actions are available."""
    states, actions = instances.shape
    if instances.available is not None or not (action.any() or state.any()):
        return instances
    arrays = {name: array.copy() for name, array in instances.arrays().items() if name in _COPIED}
    copy, source = generator.integers(0, actions, 2)
    one, other = generator.integers(0, states, 2)
    for name, array in arrays.items():
        if name not in POLICIES:
            array[action, :, copy] = array[action, :, source]
        array[state, one] = array[state, other]
    return instances.replace(**arrays)


def _with_moved_mask(
    generator: np.random.Generator, children: Instances, available: np.ndarray, chosen: np.ndarray
) -> Instances:
    """Some of the children with one action of a state available that was not, or not any more; all keep to what is available."""
    flip = chosen[:, None, None] & (vertices(generator, available.shape) == 1)
    able = share(available ^ flip, children.groups)
    able = np.where(able.any(-1, keepdims=True), able, available)
    empty = (able & ~children.transition.any(-1))[..., None]
    transition = np.where(empty, vertices(generator, children.transition.shape), children.transition)
    return with_available(children.replace(transition=transition), able)


def _moved_rows(generator: np.random.Generator, rows: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Each row of the instances chosen, with probability ⅖ towards a vertex, a random row, another row of its own, or to it.

    A fourth kind multiplies one entry by a power of ten down to 1e-100, or by up to 1e3. A row of zeros, which is that of an
    action that cannot be taken, stays.
    """
    flat = rows.reshape(-1, rows.shape[-1])
    each = len(flat) // len(rows)
    (index,) = np.nonzero(np.repeat(chosen, each) & (generator.random(len(flat)) < 0.4) & flat.any(-1))
    count = len(index)
    if not count:
        return rows
    row, other = flat[index], flat[index - index % each + generator.integers(0, each, count)]
    which = np.arange(flat.shape[1]) == generator.integers(0, flat.shape[1], (count, 1))
    kind = generator.integers(0, 13, (count, 1)) // 4
    other = np.where(other.any(-1, keepdims=True), other, row)
    target = np.where(kind == 0, which, np.where(kind == 1, random_rows(generator, row.shape), other))
    step = np.where(generator.random((count, 1)) < 0.3, 1.0, 10 ** generator.uniform(-3, 0, (count, 1)))
    moved = np.where(step == 1, target, row + step * (target - row))
    power = np.where(generator.random(count) < 0.5, generator.uniform(-3, 3, count), generator.uniform(-100, 0, count))
    moved = np.where(kind == 3, np.where(which, row * 10 ** power[:, None], row), moved)
    out = flat.copy()
    out[index] = moved / along_rows(np.add, moved)
    return out.reshape(rows.shape)


def _stretched(generator: np.random.Generator, old: np.ndarray, change: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """old + c change as far as rows stay rows, c = 1 where not chosen; else log-normal, or such that the step is log-uniform.

    Of some only one state's row is stretched.
    """
    count, states, _ = old.shape
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(change < 0, old / -change, np.inf).min(-1)
    largest = np.maximum(np.abs(change).max((1, 2)), _LEAST_STEP)
    u, far = generator.random(count), generator.random(count) < _FAR
    factor = np.where(far, _LEAST_STEP**u / largest, np.exp(generator.normal(size=count)))
    alone = (generator.random(count) < _FAR)[:, None]
    picked = np.arange(states) == generator.integers(0, states, (count, 1))
    factors = np.where(chosen[:, None] & (picked | ~alone), factor[:, None], 1.0)
    factors = np.minimum(factors, np.where(alone, room, room.min(1, keepdims=True)))[..., None]
    stretched = np.maximum(old + factors * change, 0.0)
    return np.where(change.any(-1, keepdims=True), stretched / along_rows(np.add, stretched), old)


def _moved_reward(generator: np.random.Generator, reward: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    size = np.abs(reward).max((1, 2), keepdims=True) + 1e-9
    step = size * generator.normal(size=reward.shape) * 10 ** generator.uniform(-2, 0, (len(reward), 1, 1))
    moved = reward + step * (generator.random(reward.shape) < 0.5)
    kind = generator.integers(0, 4, (len(reward), 1, 1))
    moved = np.where(kind == 0, size * np.round(moved / size), moved)
    moved = np.where(kind == 1, np.where(generator.random(reward.shape) < 0.3, 0.0, reward), moved)
    largest = np.abs(moved).max((1, 2), keepdims=True)
    within = np.clip(largest, 1 / LARGEST_REWARD, LARGEST_REWARD) / np.where(largest > 0, largest, 1.0)
    return np.where(chosen[:, None, None], moved * np.where(largest > 0, within, 1.0), reward)


def _moved_gamma(generator: np.random.Generator, gamma: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """A listed one, or its logit moved, by decades at times."""
    inside = np.clip(gamma, LEAST_GAMMA, 1 - LEAST_GAMMA)
    size = np.where(generator.random(len(gamma)) < _FAR, 5.0, 1.0)
    logit = np.log(inside / (1 - inside)) + size * generator.normal(size=len(gamma))
    listed = generator.random(len(gamma)) < 0.3
    moved: Any = np.where(listed, generator.choice(GAMMAS, len(gamma)), 1 / (1 + np.exp(-logit)))
    return np.where(chosen, np.clip(moved, LEAST_GAMMA, 1 - LEAST_GAMMA), gamma)
