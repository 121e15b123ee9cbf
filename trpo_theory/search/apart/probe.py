"""Instances on which a formula made to run on a batch is compared with itself, one instance at a time."""

from __future__ import annotations

import numpy as np

from trpo_theory.step.instances import Instances

_LARGEST_GAMMA = 0.95
"""So that no condition of a formula is decided by rounding. Chosen."""


def probe(count: int, states: int, actions: int, seed: int = 1) -> Instances:
    """Instances without anything extreme, which rounding would tell apart: rows from the simplex, normal rewards.

    A third of the steps are short; of three actions or more, one cannot be taken in a third of the instances.
    """
    generator = np.random.default_rng(seed)
    ones = np.ones(max(states, actions))
    third = np.arange(count) % 3
    available = np.ones((count, states, actions), dtype=bool)
    available[third == 1, 0, 0] = actions <= 2  # of two, the other one would have an advantage of 0 up to rounding

    def policies() -> np.ndarray:
        rows = generator.dirichlet(ones[:actions], (count, states)) * available
        return rows / rows.sum(-1, keepdims=True)

    old, new = policies(), policies()
    new = np.where((third == 2)[:, None, None], old + 0.1 * (new - old), new)
    return Instances.of_arrays(
        transition=generator.dirichlet(ones[:states], (count, states, actions)) * available[..., None],
        reward=generator.normal(size=(count, states, actions)) * available,
        gamma=generator.uniform(0, _LARGEST_GAMMA, count),
        initial=generator.dirichlet(ones[:states], count),
        old=old,
        new=new,
        available=available,
    )
