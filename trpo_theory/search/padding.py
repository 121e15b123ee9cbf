"""Instances of one size as instances of a larger one."""

from __future__ import annotations

import numpy as np

from trpo_theory.step.instances import Instances


def padded(part: Instances, shape: tuple[int, int]) -> Instances:
    """The instances in a larger size: their last state again and again, never reached; their first action, never taken."""
    if part.shape == shape:
        return part
    small = part.shape
    states = np.minimum(np.arange(shape[0]), small[0] - 1)
    actions = np.where(np.arange(shape[1]) < small[1], np.arange(shape[1]), 0)
    shown = (np.arange(shape[1]) < small[1]).astype(float)
    new_state = np.arange(shape[0]) < small[0]

    def rows(array: np.ndarray) -> np.ndarray:
        return array[:, states][:, :, actions]

    extra = {} if part.available is None else {"available": rows(part.available)}
    return Instances.of_arrays(
        rows(part.transition)[..., states] * new_state,
        rows(part.reward),
        part.gamma,
        part.initial[:, states] * new_state,
        rows(part.old) * shown,
        rows(part.new) * shown,
        noise=rows(part.noise),
        size=part.size,
        **extra,
    )
