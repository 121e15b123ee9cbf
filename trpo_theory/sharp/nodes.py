"""The likelihood ratios at which the sharp gap's program has its values."""

from __future__ import annotations

import numpy as np

from trpo_theory.sharp.setting import Setting

_WIDTHS = 6
"""The core reaches to 6 m/√(1 − γ) in log x, m the largest gain: six standard deviations of log X over a horizon 1/(1 − γ),
as log X makes steps of about m."""
_LEAST_STEPS = 8
"""The core reaches at least so many steps of the walk from 1. Chosen, for small γ, where a path is only a few steps long."""
_WIDEST = 30.0
"""The core's reach in log x, at most: x = e³⁰ = 1e13, beyond which v is a line to all digits that a float has left."""
_GROWTH = 1.35
"""Of the far nodes' log x, from one to the next. Chosen: v is nearly a line there."""
_FAR = 60
"""How many far nodes there are at most; `reach` ends them long before."""
_PRESSED = 0.35
"""Far nodes reach to log x = `reach`, and this share of the core further. Chosen, as `_GROWTH` − 1: with a wide core at least
one far node remains."""
_BENDS = (1e-6, 20.0)
"""The bend b of the core's spacing lies between: at 1e-6 it is even, at 20 the outermost gap is e²⁰ times the middle one."""
_HALVINGS = 60
"""Of the interval for b: to its last bit."""


def grid(setting: Setting, half: int, *, per_step: float = 8.0, reach: float = 3.0) -> np.ndarray:
    """Ratios about 1, symmetric in log x: half on each side, dense near 1 and ever wider; and a few far ones.

    v bends within some m/√(1 − γ) of 1 in log x, m the largest step. Chords over-estimate it, and splitting a target between
    two nodes loses, by about a share (spacing/m)²/8 of it.

    Args:
        setting: which gap.
        half: how many nodes a side, without the far ones.
        per_step: nodes in a step of the walk near 1, if half is too small for an even spacing that is finer.
        reach: in log x, of the far nodes.

    Returns:
        x_1 .. x_N, with 1 in the middle.
    """
    largest = setting.largest_gain
    step = float(np.log1p(largest))
    core = min(max(_WIDTHS * largest / np.sqrt(1 - setting.gamma), _LEAST_STEPS * step), _WIDEST)
    side = _spaced(core, half, step / per_step)
    far = core * _GROWTH ** np.arange(1, _FAR)
    side = np.concatenate([side, far[far < reach + _PRESSED * core]])
    return np.exp(np.concatenate([-side[:0:-1], side]))


def _spaced(core: float, half: int, first: float) -> np.ndarray:
    """half + 1 numbers from 0 to core, the first gap at most `first`: even, or else core sinh(b t)/sinh(b)."""
    k = np.arange(half + 1) / half
    fine = first * half / core
    if fine >= 1:
        return core * k
    low, high = _BENDS
    for _ in range(_HALVINGS):
        bend = (low + high) / 2
        low, high = (bend, high) if bend / np.sinh(bend) > fine else (low, bend)
    return core * np.sinh(low * k) / np.sinh(low)
