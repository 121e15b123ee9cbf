"""States in which no action matters, as after the end of an episode: new = old there changes neither η nor L."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.step.quantities import Quantities


def idle_states(transition: Any, reward: Any, available: Any) -> np.ndarray:
    """The states whose available actions all have the same transition and the same reward, (S, *batch).

    Args:
        transition: (S, A, S, *batch), (S, A, S) for all of a batch, or sparse, (S·A, S).
        reward: (S, A, *batch).
        available: likewise.
    """
    reward, available = np.broadcast_arrays(np.asarray(reward), np.asarray(available))
    first = available.argmax(1)[:, None]
    same = reward == np.take_along_axis(reward, first, 1)
    if transition.ndim <= 3:
        rows = _same_rows(transition, first.reshape(len(reward), -1)[:, 0], reward.shape[1])
        same = same & rows.reshape(*rows.shape, *(1,) * (reward.ndim - 2))
    else:
        same = same & (transition == np.take_along_axis(transition, first[:, :, None], 1)).all(2)
    return (same | ~available).all(1)


def _same_rows(transition: Any, first: np.ndarray, actions: int) -> np.ndarray:
    """Whether an action's row is that of the first available one, (S, A)."""
    states = len(first)
    rows: Any = transition if transition.ndim == 2 else transition.reshape(states * actions, states)
    here = np.arange(states) * actions
    reference = rows[here + first]
    same = np.empty((states, actions), dtype=bool)
    for action in range(actions):
        other = rows[here + action] != reference
        same[:, action] = np.asarray(other.sum(axis=1)).ravel() == 0
    return same


def held_still(q: Quantities) -> Quantities:
    """The same step with new = old in idle states: η(new) and L are those of q, and no divergence is larger."""
    idle = idle_states(q.transition, q.reward, q.available)
    if not idle.any() or not ((q.new != q.old) & idle[:, None]).any():
        return q
    return q.with_new(np.where(idle[:, None], q.old, q.new))
