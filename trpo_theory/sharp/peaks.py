"""The best column over all lines of the chords, found by halving: a chord over many lines is above all of them."""

from __future__ import annotations

import numpy as np

from trpo_theory.sharp.laws import Atoms, Found, Prices
from trpo_theory.sharp.pricing import Stage, highest, unit

_BLOCKS = 8
"""That the lines are first divided into. Chosen."""
_MOST = 4_000_000
"""Pairs of node and block at once."""


def highest_everywhere(stage: Stage, node: np.ndarray, prices: Prices) -> Found:
    """The best column of each node over all lines; a node where none gains anything has gain 0."""
    knots, values = _knots(stage)
    count = len(knots) - 1
    best, excess, sign = np.zeros(len(node)), np.zeros(len(node)), np.zeros(len(node))
    edges = np.unique(np.linspace(0, count, min(_BLOCKS, count) + 1).astype(int))
    row = np.repeat(np.arange(len(node)), len(edges) - 1)
    low, high = (np.tile(part, len(node)) for part in (edges[:-1], edges[1:]))
    low, high, row = (
        np.concatenate([low, np.full(len(node), count), np.full(len(node), -1)]),
        np.concatenate([high, np.full(len(node), count + 1), np.full(len(node), 0)]),
        np.concatenate([row, np.arange(len(node)), np.arange(len(node))]),
    )
    if np.isfinite(stage.space.floor):  # the left line is between two knots
        low, high, row = low[: -len(node)], high[: -len(node)], row[: -len(node)]
    while len(row):
        found = _on(stage, node, prices, knots, values, row, low, high)
        leaf = high - low == 1
        at = np.flatnonzero(leaf & (found.gain > best[row]))
        order = at[np.argsort(found.gain[at], kind="stable")]
        best[row[order]], excess[row[order]] = found.gain[order], found.atoms.excess[order]
        sign[row[order]] = found.atoms.sign[order]
        split = ~leaf & (found.gain > best[row])
        row, low, high = row[split], low[split], high[split]
        middle = (low + high) // 2
        row = np.concatenate([row, row])
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
    one = np.ones(len(node))
    return Found(best, Atoms(one, excess, sign, stage.setting.cost(excess) / unit(stage.setting)))


def _knots(stage: Stage) -> tuple[np.ndarray, np.ndarray]:
    """Positions and values, that of x = 0 included."""
    space, chords = stage.space, stage.chords
    if not np.isfinite(space.floor):
        return space.positions, chords.values
    at_floor = chords.values[0] + chords.left * (space.floor - space.positions[0])
    return np.append(space.floor, space.positions), np.append(at_floor, chords.values)


def _on(stage, node, prices, knots, values, row, low, high) -> Found:
    """On blocks of lines, from knot low to knot high."""
    space, last = stage.space, len(knots) - 1
    p, stretch = space.positions[node[row]], space.stretch[node[row]]
    a, b = np.clip(low, 0, last), np.clip(high, 0, last)
    width = knots[b] - knots[a]
    slope = np.where(width > 0, (values[b] - values[a]) / np.where(width > 0, width, 1.0), stage.chords.right)
    slope = np.where(low < 0, stage.chords.left, slope)
    anchor = np.where(low < 0, 0, a)
    level = values[anchor] + slope * (p - knots[anchor])
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.where(low < 0, -np.inf, (knots[a] - p) / stretch)
        most = np.where(high > last, np.inf, (knots[b] - p) / stretch)
    column = (slope[:, None], level[:, None]), (least[:, None], most[:, None])
    return highest(stage, node[row], prices.of(row), *column, np.ones((len(row), 1), dtype=bool))
