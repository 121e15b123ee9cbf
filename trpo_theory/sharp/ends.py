"""The program at its two ends, x = 0 and ∞, where the future is the same whatever happens: closed forms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trpo_theory.sharp.laws import Prices
from trpo_theory.sharp.setting import Setting
from trpo_theory.sharp.space import Chords, Space

_DIFFERENCE = 1e-5
"""Of m, between two costs whose difference makes a slope: chosen, it has ten digits."""
_THIRDS = 90
"""Of the interval for m, to 1e-16."""


class Ends(NamedTuple):
    """The program at x = 0 and x = ∞, where |x − 1| is 1 and x, and the future the same whatever happens.

    Attributes:
        value: w(0).
        slope: of w at ∞.
        zero, infinity: multipliers there.
    """

    value: float
    slope: float
    zero: Prices
    infinity: Prices


def chords_of(space: Space, values: np.ndarray, ends: Ends) -> Chords:
    """The function through the values at the nodes, with the lines beyond them."""
    if not np.isfinite(space.floor):
        return Chords(space, values, -ends.slope, ends.slope)
    return Chords(space, values, float((values[0] - ends.value) / (space.positions[0] - space.floor)), ends.slope)


def ends_of(setting: Setting, space: Space, multiplier: float) -> Ends:
    """Of x = 0 and x = ∞: there the law that gains most at once is the best."""
    if setting.expected:
        worth = 1 / (1 - setting.gamma)
        free = Prices(*(np.zeros(1) for _ in Prices._fields))
        return Ends(worth, worth, free, free._replace(mu=free.mu + setting.gamma * worth))
    if not setting.mean:
        value = setting.width / (1 - setting.gamma)
        prices = of_two_atoms(setting, setting.width)
        return Ends(value, value, prices, prices._replace(mu=prices.mu + setting.gamma * value))
    width = float(widest(setting, np.ones(1), multiplier)[0])
    prices = of_two_atoms(setting, width, multiplier)
    spent = multiplier * float(setting.cost(np.array([width, -width])).mean()) if width else 0.0
    value, slope, one = (width - spent) / (1 - setting.gamma), 1 / (1 - setting.gamma), np.ones(1)
    # old never comes to ∞: its divergence costs nothing there
    return Ends(value, slope, prices, Prices(one, one + setting.gamma * slope, -one, 0 * one))


def of_two_atoms(setting: Setting, m: float, shared: float | None = None) -> Prices:
    """Multipliers of the law l = 1 ± m that is best where the future is the same whatever happens.

    λ is dm/dD, or that of a mean; μ makes the right-hand side level at the atoms, ν makes it the same. They come from
    differences: an error in them counts squared in what they prove.
    """
    one = np.ones(1)
    if shared is None and setting.spares:  # l is bounded from below by 0, or on both sides by the divergence
        free = float(setting.divergence.support[1] > 1)
        return Prices(m * one, free * one, -free * one, 0 * one)
    at = min(max(m, _DIFFERENCE), 1 - _DIFFERENCE)
    step = (_DIFFERENCE if setting.smooth else 0.5) * min(at, 1 - at)
    around = setting.cost(np.array([[at + step, at - step], [-at + step, -at - step]]))
    up, down = (around[:, 0] - around[:, 1]) / (2 * step)
    multiplier = 2 / (up - down) if shared is None else shared
    mu = 1 - multiplier * up if m > at or shared is None else -multiplier * (up + down) / 2
    cost = setting.cost(np.array([m, -m]))
    nu = (multiplier * (cost[1] - cost[0]) - 2 * mu * m) / 2
    return Prices(m * one, mu * one, nu * one, multiplier * one)


def widest(setting: Setting, weight: np.ndarray, multiplier: float) -> np.ndarray:
    """The m with the largest m weight − λ E f at l = 1 ± m, of a mean."""
    low, high = np.zeros_like(weight), np.ones_like(weight)
    for _ in range(_THIRDS):
        inner = low + (high - low) / 3, high - (high - low) / 3
        m = np.stack(inner)
        up, down = setting.cost(np.stack([m, -m]))
        worth = weight * m - multiplier * (up + down) / 2
        lower = worth[0] < worth[1]
        low, high = np.where(lower, inner[0], low), np.where(lower, high, inner[1])
    return high
