"""Pairs of policies: far apart, near, a part of the states moved, an action almost given up."""

from __future__ import annotations

import numpy as np

from trpo_theory.search.draws.rows import blocks, normalise, on_allowed, random_rows, ten_to
from trpo_theory.search.draws.tiny_steps import exact_step, tiny_made_exact

_SHARES = (5, 4, 3, 3, 3, 2)
"""Of 20 instances so many have each of the kinds of `two_policies`, in its order. Chosen."""
_NEAREST, _TINIEST = 5.0, 12.0
"""Weights of the target go down to 10 to minus this, of near steps and of those kept exact. Chosen."""
_GIVEN_UP = 100.0
"""An action's probability is multiplied by 10 to minus this at least. Chosen."""
_EVENLY, _FEW_STATES, _FEW = 0.05, 2, 3
"""Share of the instances whose rows move up and down by the same, of those with so few states, as such moves matter in a row
alone, and more than three actions, as fewer do so by chance. Chosen."""


def two_policies(
    generator: np.random.Generator, shape: tuple[int, ...], available: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of old and new, (B, S, A), one kind after the other.

    new is independent of old; or a mixture of old and something: with any weight, with a log-uniform one, with that in some
    states only, with one so small that both are put on a grid; or old with one action's probability times down to 1e-100.
    """
    count, states, _ = shape
    drawn = random_rows(generator, (2 * count, *shape[1:]))
    old, new = drawn[:count], drawn[count:]
    if states <= _FEW_STATES and shape[2] > _FEW:
        _move_evenly(generator, old, new)
    if available is not None:
        old, new = on_allowed(old, available), on_allowed(new, available)
    _, mixed, near, part, tiny, given_up = blocks(generator, count, _SHARES)
    mixtures = slice(mixed.start, tiny.stop)
    u = generator.random(count)
    u[near.start : part.stop] = ten_to(-_NEAREST * u[near.start : part.stop])
    u[tiny] = ten_to(-3 - (_TINIEST - 3) * u[tiny])
    change = u[mixtures, None, None] * (new[mixtures] - old[mixtures])
    new[mixtures] = np.maximum(old[mixtures] + change, 0.0)
    normalise(new[mixtures])
    new[given_up] = _almost_without(generator, old[given_up])
    still = generator.random((count - part.start, states)) < 0.5
    still[tiny.start - part.start :] &= generator.random((count - tiny.start, 1)) < 0.5
    new[part.start :][still] = old[part.start :][still]
    change[part.start - mixed.start :][still[: tiny.stop - part.start]] = 0.0
    old[tiny], new[tiny] = exact_step(old[tiny], change[tiny.start - mixed.start :])
    return tiny_made_exact(old, new)


def _move_evenly(generator: np.random.Generator, old: np.ndarray, target: np.ndarray) -> None:
    """Some of the instances with uniform rows of old, which the target moves up in one half of the actions, to 0 in another."""
    actions = old.shape[-1]
    (some,) = np.nonzero(generator.random(len(old)) < _EVENLY)
    rank = generator.random(old[some].shape).argsort(-1).argsort(-1)
    old[some] = 1 / actions
    half = actions // 2
    target[some] = np.where(rank < half, 2 / actions, np.where(rank < 2 * half, 0.0, 1 / actions))


def _almost_without(generator: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    """One entry of each row times 10 to a power uniform in [−100, 0], and the row divided by its sum."""
    found = rows.reshape(-1, rows.shape[-1]).copy()
    one = np.arange(len(found)), generator.integers(0, rows.shape[-1], len(found))
    found[one] *= ten_to(-_GIVEN_UP * generator.random(len(found)))
    normalise(found)
    return found.reshape(rows.shape)
