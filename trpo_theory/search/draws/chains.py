"""Chains and cycles of states, which random transitions hardly ever are."""

from __future__ import annotations

import numpy as np

from trpo_theory.search.draws import numbers
from trpo_theory.search.draws.policies import two_policies
from trpo_theory.search.draws.rows import random_rows, vertices
from trpo_theory.search.draws.structures import with_worst_reward
from trpo_theory.step.instances import Instances

_CROSSING = 0.2
"""Share of the chains on which returns cross. Chosen."""


def chains_and_cycles(generator: np.random.Generator, count: int, states: int) -> Instances:
    """From the first state through all of them: the first action goes on, the second one elsewhere.

    The last state stays where it is, or leads to the first. The second action goes on as well, stays, goes to the last state,
    to the first, or to any. Half of the policies are deterministic, and of those half go on everywhere under old.
    """
    transition = np.zeros((count, states, 2, states))
    every = np.arange(states)
    last = np.where(generator.random(count) < 0.5, states - 1, 0)
    onward = np.where(every < states - 1, every + 1, last[:, None])
    kind = generator.integers(0, 5, (count, 1))
    anywhere = generator.integers(0, states, (count, states))
    targets = np.broadcast_arrays(onward, every, states - 1, 0, anywhere)
    other = np.choose(kind, targets)
    for action, target in enumerate((onward, other)):
        np.put_along_axis(transition[:, :, action], target[..., None], 1.0, -1)
    shape = (count, states, 2)
    old, new = two_policies(generator, shape)
    certain, going_on = (generator.random((count, 1, 1)) < 0.5 for _ in range(2))
    firm = np.where(going_on, np.array([1.0, 0.0]), vertices(generator, shape))
    made = Instances.of_arrays(
        transition,
        numbers.rewards(generator, shape),
        numbers.gammas(generator, count),
        np.eye(states)[0],
        np.where(certain, firm, old),
        np.where(certain, vertices(generator, shape), new),
        reference=random_rows(generator, shape),
        noise=numbers.errors(generator, shape),
        size=10 ** generator.uniform(-2, 2, count),
    )
    made = with_worst_reward(made, generator.random(count) < 0.25)
    return _with_crossing_returns(generator, made, np.flatnonzero(generator.random(count) < _CROSSING))


def _with_crossing_returns(generator: np.random.Generator, instances: Instances, index: np.ndarray) -> Instances:
    """Those at the index with a new that goes on and an old that stops at once, or the other way round.

    What going on pays makes its return a polynomial in the discount with two or three zeros near γ, between about √γ and γ²;
    stopping pays nothing. Which of the two is better then changes with the discount, more than once.
    """
    count, states = len(index), instances.shape[0]
    zeros = instances.gamma[index, None] ** generator.uniform(0.5, 2.5, (count, min(states - 2, 3)))
    polynomial = np.zeros((count, states))
    polynomial[:, 0] = np.where(generator.random(count) < 0.5, -1.0, 1.0)
    for zero in zeros.T:  # times (discount − zero)
        polynomial = np.roll(polynomial, 1, axis=1) - zero[:, None] * polynomial
    arrays = {name: getattr(instances, name).copy() for name in ("transition", "reward", "old", "new")}
    arrays["reward"][index] = np.stack([polynomial, np.zeros_like(polynomial)], axis=-1)
    onward, stop = np.eye(states, k=1), np.eye(states)[[-1] * states]
    onward[-1, -1] = 1.0
    arrays["transition"][index] = np.stack([onward, stop], axis=1)
    starts = vertices(generator, (count, 2))
    for name, first in (("old", starts), ("new", 1.0 - starts)):
        arrays[name][index] = [1.0, 0.0]
        arrays[name][index, 0] = first
    return instances.replace(**arrays)
