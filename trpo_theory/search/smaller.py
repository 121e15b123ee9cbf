"""Fewer states and actions for an instance that refutes a claim: merged greedily in floats, whole batches of merges at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trpo_theory.numerics.layout import batch_first
from trpo_theory.search.impose import impose
from trpo_theory.search.mutation import mutated
from trpo_theory.search.scales import least_of, scaled
from trpo_theory.search.screen import Screen
from trpo_theory.search.screened import Screened
from trpo_theory.search.worst_reward import worst_reward
from trpo_theory.step.fields import AXES, POLICIES
from trpo_theory.step.instances import Instances, joined

_PAIRS = 300
"""Merges of two states that are tried at once, at most: those of nearest visits and values first. Chosen."""
_BYTES = 32_000_000
"""Of the transitions of one batch; its quantities take a few times as many. Chosen: below 200 MB in all."""
_DESCENT_TO = 10
"""Up to so many states mutation mends merges that no longer refute. Chosen: beyond, its children are seldom any good."""
_GENERATIONS, _PARENTS, _CHILDREN = 60, 24, 200
"""Of such a search. Chosen: a tenth of a second a size."""


def smaller(screen: Screen, instance: Instances) -> Iterator[Instances]:
    """Ever smaller instances on which floats refute the claim, one a size, from one instance on which they do.

    States are merged, as many at once as the refutation bears, and actions dropped or merged, with the reward as it is or the
    worst one. Where no merge refutes, mutation of the best merges goes on, if there are few states.
    """
    generator = np.random.default_rng(0)
    while True:
        following = None if screen.claim.agents else _best(screen, _without_actions(instance))
        if following is None:
            following = _with_fewer_states(screen, instance)
        if following is None and 2 < instance.shape[0] <= _DESCENT_TO:
            following = _mended(screen, instance, generator)
        if following is None:
            return
        instance = following
        yield instance


def _with_fewer_states(screen: Screen, instance: Instances) -> Instances | None:
    """As many of the best merges at once as refute."""
    merges = list(_merges(instance))
    if not merges:
        return None
    screened = _screened(screen, merges)
    order = np.argsort(scaled(screened, "gap"), kind="stable")
    best = int(order[0])
    if not screened.negative[best]:
        return None
    one = _at(merges, best)
    pairs, half = _pairs(instance), len(screened.slack) // 2
    many = max(1, instance.shape[0] // 6)
    while many > 1:
        chosen: list[tuple[int, int]] = []
        for index in order[screened.negative[order]]:
            gone, heir = map(int, pairs[index % half])
            if all(gone not in pair and heir not in pair for pair in chosen):
                chosen.append((gone, heir))
            if len(chosen) == many:
                break
        found = _best(screen, [_both(_merged_all(instance, chosen))])
        if found is not None:
            return found
        many //= 2
    return one


def _merges(instance: Instances) -> Iterator[Instances]:
    """Batches of one state less: with the reward as it is, then with the worst one."""
    states, actions = instance.shape
    if states == 1:
        return
    pairs = _pairs(instance)
    each = max(1, _BYTES // (8 * states**2 * actions))
    parts = [_merged(instance, pairs[begin : begin + each]) for begin in range(0, len(pairs), each)]
    yield from parts
    yield from (_worst(part) for part in parts)


def _pairs(instance: Instances) -> np.ndarray:
    """(gone, heir), the most alike first: of likelihood ratio of visits, and value."""
    q = instance.quantities()
    with np.errstate(all="ignore"):
        ratio = np.nan_to_num(np.asarray(q.visitation_new / q.visitation_old)[:, 0], nan=1.0, posinf=1e9)
    position = np.log(np.maximum(ratio, 1e-9))
    value = np.asarray(q.value)[:, 0]
    unlike = np.abs(position[:, None] - position) / max(np.ptp(position), 1e-300)
    unlike = unlike + 0.1 * np.abs(value[:, None] - value) / max(np.ptp(value), 1e-300)
    np.fill_diagonal(unlike, np.inf)
    order = np.argsort(unlike.ravel(), kind="stable")[: min(_PAIRS, unlike.size - len(unlike))]
    return np.stack(np.divmod(order, len(unlike)), 1)


def _merged(instance: Instances, pairs: np.ndarray) -> Instances:
    """One instance with the first state of each pair merged into the second, a batch."""
    states, count = instance.shape[0], len(pairs)
    every, (gone, heir) = np.arange(count), pairs.T
    kept = np.argsort(np.arange(states) == gone[:, None], axis=1, kind="stable")[:, :-1]
    made: dict[str, np.ndarray] = {}
    for name, array in instance.arrays().items():
        if name == "initial":
            made[name] = _summed(array.repeat(count, 0)[:, None, None], every, gone, heir)[:, 0, 0]
        elif AXES[name] == "sas":
            made[name] = _summed(array[0][kept], every, gone, heir)
        else:
            made[name] = array[0][kept] if AXES[name][:1] == "s" else array.repeat(count, 0)
    return Instances(**made)


def _summed(moves: np.ndarray, every: np.ndarray, gone: np.ndarray, heir: np.ndarray) -> np.ndarray:
    """Probabilities (B, ..., S) of arriving, those of each one's first state added to its second's: (B, ..., S − 1)."""
    moves[every, :, :, heir] += moves[every, :, :, gone]
    before = np.arange(moves.shape[-1] - 1) < gone[:, None, None, None]
    return np.where(before, moves[..., :-1], moves[..., 1:])


def _merged_all(instance: Instances, pairs: list[tuple[int, int]]) -> Instances:
    """The instance with all of these disjoint pairs merged."""
    left = list(range(instance.shape[0]))
    for gone, heir in pairs:
        instance = _merged(instance, np.array([[left.index(gone), left.index(heir)]]))
        left.remove(gone)
    return instance


def _without_actions(instance: Instances) -> Iterator[Instances]:
    """One action less: dropped, its mass given to the others, or its mass given to another one."""
    actions = instance.shape[1]
    for gone in range(actions if actions > 1 and instance.available is None else 0):
        kept = [a for a in range(actions) if a != gone]
        for heir in (None, *range(len(kept))):
            arrays = {name: array for name, array in instance.arrays().items() if AXES[name][:2] == "sa"}
            changes = {name: array[:, :, kept] for name, array in arrays.items() if name not in POLICIES}
            for name in (name for name in POLICIES if name in arrays):
                rows = arrays[name]
                cut = rows[:, :, kept].copy()
                if heir is not None:
                    cut[:, :, heir] += rows[:, :, gone]
                total = cut.sum(2, keepdims=True)
                first = np.eye(len(kept))[0].reshape(-1, *(1,) * (cut.ndim - 3))
                cut = np.where(total > 0, cut / np.where(total > 0, total, 1.0), first)
                changes[name] = cut
            if kept:
                yield _both(instance.replace(**changes))


def _both(instances: Instances) -> Instances:
    """With the reward as it is, and with the worst one."""
    return joined([instances, _worst(instances)])


def _worst(instances: Instances) -> Instances:
    """With the reward that makes η(new) − L least, of the size of its own."""
    size = np.abs(instances.reward).max((1, 2), keepdims=True)
    return instances.replace(reward=size * batch_first(worst_reward(instances.plain_quantities())))


def _best(screen: Screen, batches: list[Instances] | Iterator[Instances]) -> Instances | None:
    """The one that refutes the claim by most of its gap."""
    batches = list(batches)
    if not batches:
        return None
    screened = _screened(screen, batches)
    order = np.where(screened.negative, scaled(screened, "gap"), np.inf)
    best = int(np.argmin(order))
    return _at(batches, best) if np.isfinite(order[best]) else None


def _screened(screen: Screen, batches: list[Instances]) -> Screened:
    found = screen(batches[0])
    for batch in batches[1:]:
        found = found + screen(batch)
    return found


def _at(batches: list[Instances], index: int) -> Instances:
    for batch in batches:
        if index < len(batch):
            return batch.take([index])
        index -= len(batch)
    raise IndexError(index)


def _mended(screen: Screen, instance: Instances, generator: np.random.Generator) -> Instances | None:
    """One with a state less, by mutation: of the instance, until one of its merges refutes, and of the merges."""
    for batches in (list(_merges(instance)), [instance]):
        population = joined(batches)
        screened = screen(population)
        for _ in range(_GENERATIONS):
            parents = least_of(scaled(screened, "gap"), _PARENTS)
            population, screened = population.take(parents), screened.take(parents)
            children = mutated(population.take(generator.integers(0, len(parents), _CHILDREN)), generator)
            children = impose(children, screen.claim.instance_needs)
            judged = screen(children)
            population, screened = joined([population, children]), screened + judged
            if batches[0] is not instance and screened.negative.any():
                return _best_of(population, screened)
        if batches[0] is instance:
            best = population.take([int(np.argmin(scaled(screened, "gap")))])
            return _with_fewer_states(screen, best)
    return None


def _best_of(instances: Instances, screened: Screened) -> Instances | None:
    order = np.where(screened.negative, scaled(screened, "gap"), np.inf)
    best = int(np.argmin(order))
    return instances.take([best]) if np.isfinite(order[best]) else None
