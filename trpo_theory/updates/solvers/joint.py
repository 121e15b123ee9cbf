"""Newton on the roots of all rows and the number that they share together, from where the search with a bracket then starts.

A row's root u, v = log u, has K(v) and λ(v). To first order in v, with κ = dK/dlog λ,
    a mean, Σ w K = δ at one log λ:       K + κ (log λ − log λ(v)) for K;
    a radius, Σ ρ λ = C at one h = h(t):  log λ(v) + (h − h(K)) (dh/dlog λ)⁻¹ for log λ,    h = log(eᴷ − 1).
Each gives the number, and the number gives every v: one evaluation of the rows a step, where roots inside roots take five.
Nothing is taken on trust here: what comes out is where safeguarded searches begin, and where it fails they begin as without it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trpo_theory.updates.rows.rows import Local, Rows
from trpo_theory.updates.solvers.blocks import Blocks

_STEPS = 12
"""Of Newton: four to eight are needed; chosen, where the search with a bracket is not dearer yet."""

_CLOSE = 1e-7
"""The last step of a row, relatively: what is left after it is its square, and so down to rounding."""

_MOSTLY = 0.98
"""Newton ends where this share of a batch has come to an end: the others, solved alone, cost less than a step of all. Chosen."""

Linear = Callable[[Local, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From rows at their roots, (G, B), and the shared number, (B,), to the next number, and to the steps in v, (G, B)."""


@np.errstate(all="ignore")  # what is not brought to an end may be nan
def joint_multiplier(blocks: Blocks, weight: np.ndarray, delta: float, start: np.ndarray) -> np.ndarray:
    """The log of the multiplier at which Σ w D = δ, (B,), or `start` where that is not found; roots are left in the blocks."""
    rows = blocks.ordinary()
    if rows is None or not delta > 0:
        return start
    goal = log_expm1(delta)

    def step(here: Local, log_multiplier: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lack = log_multiplier - here.log_multiplier
        mean = np.add.reduce(weight * (here.divergence - here.slope * lack), 0)
        below_one = -np.expm1(-mean)
        rise = (mean + np.log(below_one) - goal) * below_one / np.add.reduce(weight * here.slope, 0)
        return log_multiplier + rise, (lack + rise) * (here.slope / here.steep)

    return _together(blocks, rows, step, start, blocks.divergence.near_multiplier(rows, _each(blocks, np.exp(start))))


@np.errstate(all="ignore")  # what is not brought to an end may be nan
def joint_radius(blocks: Blocks, rho: np.ndarray, coefficient: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The log(eᵗ − 1) of the radius at which Σ ρ λ = C, (B,), likewise."""

    def step(here: Local, straight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        below_one = -np.expm1(-here.divergence)
        lack = straight - (here.divergence + np.log(below_one))
        price = rho * np.exp(here.log_multiplier - lack * (below_one / here.slope))
        total = np.add.reduce(price, 0)
        rise = np.log(total / coefficient) * total / np.add.reduce(price * (below_one / here.slope), 0)
        return straight + rise, -(lack + rise) * (below_one / here.steep)

    rows = blocks.ordinary()
    if rows is None:
        return start
    radius = np.logaddexp(0.0, start)
    return _together(blocks, rows, step, start, blocks.divergence.near_radius(rows, _each(blocks, radius)))


def _each(blocks: Blocks, shared: np.ndarray) -> np.ndarray:
    """A number of each instance for all of its rows, (B,) -> (N,)."""
    groups, batch = blocks.shape[1:]
    return np.repeat(shared, groups) if batch == 1 else np.broadcast_to(shared, (groups, batch)).reshape(-1)


def _together(blocks: Blocks, rows: Rows, step: Linear, start: np.ndarray, state: np.ndarray | None) -> np.ndarray:
    """Newton from `start` and the rows' states, (N,); the instances that it does not bring to an end keep their start."""
    if state is None:
        return start
    shape, first, shared = blocks.shape[1:], state, start
    done = np.zeros(start.shape, dtype=bool)
    for _ in range(_STEPS):
        here = blocks.divergence.local(rows, state).shaped(shape)
        found, moved = step(here, shared)
        done = np.maximum.reduce(np.abs(moved), 0) <= _CLOSE
        shared, state = found, state * np.exp(moved).reshape(-1)
        if np.count_nonzero(done) >= _MOSTLY * done.size:
            break
    if done.all():
        blocks.guess = state
        return shared
    blocks.guess = np.where(np.repeat(done[None], shape[0], 0).reshape(-1), state, first)
    return np.where(done, shared, start)


def log_expm1(x: np.ndarray | float) -> np.ndarray:
    """log(eˣ − 1): log x for small x, x for large."""
    return np.asarray(x + np.log(-np.expm1(-np.asarray(x))))
