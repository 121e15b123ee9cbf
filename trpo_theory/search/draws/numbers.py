"""Discounts, rewards, starts and estimates' errors, over all their scales."""

from __future__ import annotations

import numpy as np

from trpo_theory.search.draws.rows import random_rows

GAMMAS = (0.01, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999)
"""Two of five instances have one of these discounts, chosen, so that hypotheses such as 10 γ = 9 are met."""
LEAST_GAMMA = 1e-6
"""The least γ, and the least 1 − γ. Chosen."""
_KINDS = (0.4, 0.7, 0.9)
"""Where, of a uniform number, listed discounts end, uniform ones, log-uniform 1 − γ; beyond it γ is log-uniform. Chosen."""
_SCALED = 0.15
"""Share of the instances whose rewards are multiplied by a power of ten. Chosen."""
_SCALES = 6.0
"""Rewards are multiplied by 10 to minus this at least, and to this at most. Chosen."""
LARGEST_REWARD = 10**_SCALES
"""Up to which mutation lets rewards grow, and over 1 down to which it lets all of them fall."""


def gammas(generator: np.random.Generator, count: int) -> np.ndarray:
    """Listed, or uniform in [0, 0.995], or with 1 − γ, or γ, log-uniform from 1 down to 1e-6."""
    kind, u = generator.random(count), generator.random(count)
    small = LEAST_GAMMA**u
    spread = np.where(kind < _KINDS[1], 0.995 * u, np.where(kind < _KINDS[2], 1 - small, small))
    listed = generator.choice(GAMMAS, count)
    return np.where(kind < _KINDS[0], listed, np.minimum(spread, 1 - LEAST_GAMMA))


def rewards(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Normal, of −1, 0 and 1, of [0, 1], or normal times 1 to 100; some of them times a power of ten."""
    kind = generator.integers(0, 4, shape[0], dtype=np.uint8)
    normal, sign, unit = (np.flatnonzero(which) for which in (kind % 3 == 0, kind == 1, kind == 2))
    reward = np.empty(shape)
    reward[normal] = generator.standard_normal((len(normal), *shape[1:]))
    reward[sign] = generator.integers(-1, 2, (len(sign), *shape[1:]), dtype=np.int8)
    reward[unit] = generator.random((len(unit), *shape[1:]))
    stretched = np.flatnonzero(kind == 3)
    reward[stretched] *= 10 ** (2 * generator.random((len(stretched), *shape[1:])))
    return reward * scales(generator, shape[0])[:, None, None]


def scales(generator: np.random.Generator, count: int) -> np.ndarray:
    """1 for most, else log-uniform from 1e-6 to 1e6."""
    power = generator.uniform(-_SCALES, _SCALES, count)
    return np.where(generator.random(count) < _SCALED, 10**power, 1.0)


def initials(generator: np.random.Generator, count: int, states: int) -> np.ndarray:
    """The first state, or a random row."""
    rows = random_rows(generator, (count, states))
    first = np.eye(states)[0]
    return np.where(generator.random((count, 1)) < 0.5, first, rows)


def errors(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Of one size: of random signs, uniform, or one sign in each state."""
    scale = 10 ** generator.uniform(-3, 0.5, (shape[0], 1, 1))
    kind = generator.integers(0, 3, shape[0], dtype=np.uint8)
    signs, between, of_states = (np.flatnonzero(kind == k) for k in range(3))
    error = np.empty(shape)
    error[signs] = _signs(generator, (len(signs), *shape[1:]))
    error[between] = generator.uniform(-1, 1, (len(between), *shape[1:]))
    error[of_states] = _signs(generator, (len(of_states), shape[1], 1))
    error *= scale
    return error


def _signs(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.integers(0, 2, shape, dtype=np.int8) * 2.0 - 1.0
