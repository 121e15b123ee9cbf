"""Discounts, rewards, starts and estimates' errors, over all their scales."""

from __future__ import annotations

import numpy as np

from trpo_theory.search.draws.rows import blocks, random_rows, shuffled, ten_to

GAMMAS = (0.01, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999)
"""Two of five instances have one of these discounts, chosen, so that hypotheses such as 10 γ = 9 are met."""
LEAST_GAMMA = 1e-6
"""The least γ, and the least 1 − γ. Chosen."""
_SHARES = (4, 3, 2, 1)
"""Of ten discounts so many are listed, uniform, have a log-uniform 1 − γ, and are log-uniform. Chosen."""
_SCALED = 0.15
"""Share of the instances whose rewards are multiplied by a power of ten. Chosen."""
_SCALES = 6.0
"""Rewards are multiplied by 10 to minus this at least, and to this at most. Chosen."""
LARGEST_REWARD = 10**_SCALES
"""Up to which mutation lets rewards grow, and over 1 down to which it lets all of them fall."""


def gammas(generator: np.random.Generator, count: int) -> np.ndarray:
    """Listed, or uniform in [0, 0.995], or with 1 − γ, or γ, log-uniform from 1 down to 1e-6; in any order."""
    listed, uniform, near_one, small = blocks(generator, count, _SHARES)
    gamma = generator.random(count)
    gamma[uniform] *= 0.995
    powers = slice(near_one.start, small.stop)
    gamma[powers] = np.exp(np.log(LEAST_GAMMA) * gamma[powers])
    gamma[near_one] = 1 - gamma[near_one]
    gamma[listed] = generator.choice(GAMMAS, listed.stop)
    np.minimum(gamma, 1 - LEAST_GAMMA, out=gamma)
    return shuffled(generator, gamma)


def rewards(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Normal, normal times 1 to 100, of −1, 0 and 1, or of [0, 1]; some of them times a power of ten. In any order."""
    normal, stretched, sign, unit = blocks(generator, shape[0], (1, 1, 1, 1))
    reward = np.empty(shape)
    generator.standard_normal(out=reward[normal.start : stretched.stop])
    reward[stretched] *= ten_to(2 * generator.random(reward[stretched].shape))
    reward[sign] = generator.integers(-1, 2, reward[sign].shape, dtype=np.int8)
    generator.random(out=reward[unit])
    reward *= scales(generator, shape[0])[:, None, None]
    return shuffled(generator, reward)


def scales(generator: np.random.Generator, count: int) -> np.ndarray:
    """1 for most, else log-uniform from 1e-6 to 1e6."""
    scale = np.ones(count)
    (scaled,) = np.nonzero(generator.random(count) < _SCALED)
    scale[scaled] = ten_to(generator.uniform(-_SCALES, _SCALES, len(scaled)))
    return scale


def initials(generator: np.random.Generator, count: int, states: int) -> np.ndarray:
    """The first state, or a random row."""
    rows = np.zeros((count, states))
    rows[:, 0] = 1.0
    (some,) = np.nonzero(generator.random(count) < 0.5)
    rows[some] = random_rows(generator, (len(some), states))
    return rows


def errors(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Of one size: of random signs, uniform, or one sign in each state; in any order."""
    signs, between, of_states = blocks(generator, shape[0], (1, 1, 1))
    error = np.empty(shape)
    error[signs] = _signs(generator, error[signs].shape)
    error[between] = generator.uniform(-1, 1, error[between].shape)
    error[of_states] = _signs(generator, (*error[of_states].shape[:2], 1))
    error *= ten_to(generator.uniform(-3, 0.5, (shape[0], 1, 1)))
    return shuffled(generator, error)


def _signs(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.integers(0, 2, shape, dtype=np.int8) * 2.0 - 1.0
