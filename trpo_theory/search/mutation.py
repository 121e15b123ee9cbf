"""`mutated`: children of instances, each changed a little at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.search.battery import GAMMAS, random_rows, share, with_worst_reward
from trpo_theory.step.instances import Instances


def mutated(instances: Instances, generator: np.random.Generator) -> Instances:
    """Children: some rows moved towards a vertex or a random row, the step stretched, the reward or γ changed."""
    count = len(instances)

    def chosen(share_of_all: float) -> np.ndarray:
        return generator.random(count) < share_of_all

    rows = {
        name: _moved_rows(generator, getattr(instances, name), chosen(0.5))
        for name in ("transition", "initial", "old", "new", "reference")
    }
    rows["new"] = _stretched(generator, rows["old"], rows["new"], chosen(0.4))
    still = (chosen(0.15)[:, None] & (generator.random(rows["new"].shape[:2]) < 0.5))[..., None]
    rows["new"] = np.where(still, rows["old"], rows["new"])
    sharing = (instances.groups[:, :, None] == instances.groups[:, None, :]).sum((1, 2)) > instances.groups.shape[1]
    for name in ("old", "new"):
        rows[name] = np.where(sharing[:, None, None], share(rows[name], instances.groups), rows[name])
    children = instances.replace(
        **rows,
        reward=_moved_reward(generator, instances.reward, chosen(0.5)),
        noise=_moved_reward(generator, instances.noise, chosen(0.3)),
        gamma=_moved_gamma(generator, instances.gamma, chosen(0.3)),
        size=np.clip(
            np.where(chosen(0.4), instances.size * np.exp(generator.normal(size=count)), instances.size), 1e-6, 1e6
        ),
    )
    return with_worst_reward(children, chosen(0.25))


def _moved_rows(generator: np.random.Generator, rows: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Each row of the instances chosen, with probability ¼ towards a vertex, a random row, or another row of its own."""
    shape = rows.shape
    flat = rows.reshape(shape[0], -1, shape[-1])
    vertex = np.eye(shape[-1])[generator.integers(0, shape[-1], flat.shape[:2])]
    other = flat[np.arange(shape[0])[:, None], generator.integers(0, flat.shape[1], flat.shape[:2])]
    kind = generator.integers(0, 3, (*flat.shape[:2], 1))
    target = np.choose(np.broadcast_to(kind, flat.shape), [vertex, random_rows(generator, flat.shape), other])
    step = np.where(
        generator.random((*flat.shape[:2], 1)) < 0.3, 1.0, 10 ** generator.uniform(-3, 0, (*flat.shape[:2], 1))
    )
    step = step * (chosen[:, None, None] & (generator.random((*flat.shape[:2], 1)) < 0.4))
    moved = flat + step * (target - flat)
    return (moved / moved.sum(-1, keepdims=True)).reshape(shape)


def _stretched(generator: np.random.Generator, old: np.ndarray, new: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """new = old + c (new − old), c log-normal, as far as rows stay rows."""
    change = new - old
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(change < 0, old / -change, np.inf).min((1, 2))
    factor = np.minimum(np.where(chosen, np.exp(generator.normal(size=len(old))), 1.0), room)
    stretched = np.maximum(old + np.where(np.isfinite(factor), factor, 1.0)[:, None, None] * change, 0.0)
    return stretched / stretched.sum(-1, keepdims=True)


def _moved_reward(generator: np.random.Generator, reward: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    size = np.abs(reward).max((1, 2), keepdims=True) + 1e-3
    step = size * generator.normal(size=reward.shape) * 10 ** generator.uniform(-2, 0, (len(reward), 1, 1))
    moved = reward + step * (generator.random(reward.shape) < 0.5)
    kind = generator.integers(0, 4, (len(reward), 1, 1))
    moved = np.where(kind == 0, size * np.round(moved / size), moved)
    moved = np.where(kind == 1, np.where(generator.random(reward.shape) < 0.3, 0.0, reward), moved)
    return np.where(chosen[:, None, None], moved, reward)


def _moved_gamma(generator: np.random.Generator, gamma: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    inside = np.clip(gamma, 1e-3, 0.9995)
    logit = np.log(inside / (1 - inside)) + generator.normal(size=len(gamma))
    moved: Any = np.where(
        generator.random(len(gamma)) < 0.3, generator.choice(GAMMAS, len(gamma)), 1 / (1 + np.exp(-logit))
    )
    return np.where(chosen, np.clip(moved, 0.0, 0.9995), gamma)
