"""The inequalities that the sharp gap's linear program starts from: places, likelihood ratios, signs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from trpo_theory.sharp.setting import Setting

_AFFORDABLE_MAX = 1e4
"""Inequalities at l with f(l) > so many radii times max(1, l) are not among the first: their coefficients spoil the scaling of
the program, and a cut adds the few that bind. Chosen."""
_AFFORDABLE_MEAN = 1e9
"""Likewise for a mean, which allows rare states a large divergence. Chosen."""
_WINDOW_MAX, _WINDOW_MEAN = 2, 8
"""Nodes within so many largest gains in log x are targets from the start: optimal laws of a largest divergence lie near
l = 1 ± m; a mean allows some states more. Chosen; cuts add what is further."""
_LEAST_WINDOW_MEAN = 1.0
"""For a mean the window is at least this, in log x. Chosen."""
_WIDER = 1.6
"""Beyond the window targets lie at ever larger distances in log x: this is their quotient. Chosen."""
_SIXTEENTHS = np.arange(1, 200) / 16
"""For a mean: targets beyond the window lie evenly, up to log l = 12.4. Chosen."""
_AT_ENDS = np.linspace(-8, 8, 161)
"""log l, for the places x = 0 and ∞, where no node is a target. Chosen."""
_STEPS_AT_ENDS = np.linspace(-1, 1, 81)
"""(l − 1)/m, for the same places."""
_USUAL = np.linspace(0.7, 1.3, 25)
"""|l − 1|/m where a law's atoms mostly are, m the largest gain: two atoms 1 ± m attain it."""


class Inequalities(NamedTuple):
    """Inequalities (a) and (b) of docs/theory.md, "Supersolutions", one an entry.

    Attributes:
        place: of x: 0 .. N−1 for the nodes, N for x = 0, N+1 for ∞.
        ratio: l, from 0 to ∞.
        sign: A, ±1.
    """

    place: np.ndarray
    ratio: np.ndarray
    sign: np.ndarray


def for_signs(setting: Setting, place: np.ndarray, ratio: np.ndarray) -> Iterator[Inequalities]:
    """For A = 1 and A = −1, or once where A does not occur."""
    for sign in (1,) if setting.expected else (1, -1):
        yield Inequalities(place, ratio, np.full(len(place), sign))


def first_inequalities(setting: Setting, nodes: np.ndarray, *, lattice: bool) -> Iterator[Inequalities]:
    """Those that a program starts with: for a lattice all from node to node, else those near, and a few that lead far.

    The order matters to the solver's last digits: nodes, the two ends, anywhere, l = 0, l = ∞.
    """
    divergence = setting.divergence
    for place, ratio in _pairs(setting, nodes, lattice=lattice):
        finite = np.where(np.isfinite(ratio) & (ratio > 0), ratio, 1.0)
        most = (_AFFORDABLE_MEAN if setting.mean else _AFFORDABLE_MAX) * setting.radius
        affordable = divergence.generator(finite) <= most * np.maximum(1.0, finite)
        yield from for_signs(setting, place[affordable], ratio[affordable])


def _pairs(setting: Setting, nodes: np.ndarray, *, lattice: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    count, largest = len(nodes), setting.largest_gain
    window = max(_WINDOW_MEAN * largest, _LEAST_WINDOW_MEAN) if setting.mean else _WINDOW_MAX * largest
    place, target = (part.ravel() for part in np.meshgrid(np.arange(count), np.arange(count), indexing="ij"))
    ratio = nodes[target] / nodes[place]
    near = np.abs(np.log(ratio)) <= (np.inf if lattice else window)
    yield place[near], ratio[near]
    steps = 1 + largest * _STEPS_AT_ENDS
    ladder = np.unique(np.concatenate([np.exp(_AT_ENDS), steps[steps > 0]]))
    for end in (count, count + 1):
        yield np.full(len(ladder), end), ladder
    every = np.arange(count + 2)
    if not lattice:
        anywhere = _anywhere(setting, nodes, window)
        yield np.repeat(every, len(anywhere)), np.tile(anywhere, count + 2)
    if np.isfinite(setting.divergence.at_zero):
        yield every, np.zeros(count + 2)
    if np.isfinite(setting.divergence.at_infinity):
        yield every, np.full(count + 2, np.inf)


def _anywhere(setting: Setting, nodes: np.ndarray, window: float) -> np.ndarray:
    """Ratios that are tried from every place: beyond the window, and where a law's atoms mostly are."""
    largest = setting.largest_gain
    far = _SIXTEENTHS if setting.mean else window * _WIDER ** np.arange(1, 100)
    far = far[far < 2 * np.log(nodes[-1]) + 10]
    usual = 1 + largest * np.concatenate([-_USUAL[_USUAL * largest < 1], _USUAL])
    return np.concatenate([np.exp(-far), np.exp(far), usual])
