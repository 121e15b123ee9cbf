"""Pairs of policies: far apart, near, a part of the states moved, an action almost given up."""

from __future__ import annotations

import numpy as np

from trpo_theory.search.draws.rows import along_rows, on_allowed, random_rows
from trpo_theory.search.draws.tiny_steps import exact_step, tiny_made_exact

_KINDS = 20
"""Of which instances have one each."""
_FAR, _MIXED, _NEAR, _PART, _TINY = 5, 9, 12, 15, 18
"""Where, of `_KINDS`, the kinds of `two_policies` end, in its order; beyond it an action is almost given up. Chosen."""
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
    """Rows of old and new, (B, S, A).

    new is independent of old; or a mixture of old and something: with any weight, with a log-uniform one, with that in some
    states only, with one so small that both are put on a grid; or old with one action's probability times down to 1e-100.
    """
    old, target = random_rows(generator, shape), random_rows(generator, shape)
    if shape[1] <= _FEW_STATES and shape[2] > _FEW:
        _move_evenly(generator, old, target)
    if available is not None:
        old, target = on_allowed(old, available), on_allowed(target, available)
    count, states, _ = shape
    kind = generator.integers(0, _KINDS, count)
    u = generator.random(count)
    weight = np.where(kind < _MIXED, u, 10 ** (-_NEAREST * u))
    tiny, given_up = (kind >= _PART) & (kind < _TINY), kind >= _TINY
    weight[tiny] = 10 ** (-3 - (_TINIEST - 3) * u[tiny])
    part = ((kind >= _NEAR) & (kind < _PART)) | ((kind >= _PART) & (generator.random(count) < 0.5))
    moved = (~part[:, None] | (generator.random((count, states)) < 0.5))[..., None]
    target[given_up] = _almost_without(generator, old[given_up])
    whole = ((kind < _FAR) | given_up)[:, None, None]
    change = np.where(moved, weight[:, None, None] * (target - old), 0.0)
    new = np.where(moved, np.where(whole, target, np.maximum(old + change, 0.0)), old)
    new = np.where(moved & ~whole, new / along_rows(np.add, new), new)
    old[tiny], new[tiny] = exact_step(old[tiny], change[tiny])
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
    which = np.arange(rows.shape[-1]) == generator.integers(0, rows.shape[-1], rows.shape[:-1])[..., None]
    rows = np.where(which, rows * 10 ** (-_GIVEN_UP * generator.random((*rows.shape[:-1], 1))), rows)
    return rows / along_rows(np.add, rows)
