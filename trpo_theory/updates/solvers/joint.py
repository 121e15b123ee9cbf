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

from trpo_theory.updates.rows.newton import FEW
from trpo_theory.updates.rows.rows import Local, Rows
from trpo_theory.updates.solvers.blocks import Blocks

_STEPS = 12
"""Of Newton: four to eight are needed; chosen, where the search with a bracket is not dearer yet."""

_CLOSE = 1e-7
"""The last step of a row, relatively: what is left after it is its square, and so down to rounding."""

_LEAST_LEFT = 0.1
"""Of a mean, the share that a step leaves at least. Chosen: one in some thousand instances comes to it, at its first step."""

_MOSTLY = 0.5
"""Where this share of a batch has come to an end, the others go on alone. Chosen: gathering costs a third of a step of all."""

Linear = Callable[[Local, np.ndarray, np.ndarray | slice], tuple[np.ndarray, np.ndarray]]
"""From rows at their roots, (G, B), and the shared number, (B,), of some instances, to the next number and steps in v."""


@np.errstate(all="ignore")  # what is not brought to an end may be nan
def joint_multiplier(blocks: Blocks, weight: np.ndarray, delta: float, start: np.ndarray) -> np.ndarray:
    """The log of the multiplier at which Σ w D = δ, (B,), or `start` where that is not found; roots are left in the blocks."""
    rows = blocks.ordinary()
    if rows is None or not delta > 0:
        return start
    goal = log_expm1(delta)

    def step(here: Local, log_multiplier: np.ndarray, some: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray]:
        lack, share = log_multiplier - here.log_multiplier, weight[:, some]
        spent = share * here.divergence
        mean = np.add.reduce(spent - share * here.slope * lack, 0)
        mean = np.maximum(mean, _LEAST_LEFT * np.add.reduce(spent, 0))  # a straight line may leave less than none
        below_one = -np.expm1(-mean)
        rise = (mean + np.log(below_one) - goal) * below_one / np.add.reduce(share * here.slope, 0)
        return log_multiplier + rise, (lack + rise) * (here.slope / here.steep)

    return _together(blocks, rows, step, start, blocks.divergence.near_multiplier(rows, _each(blocks, np.exp(start))))


@np.errstate(all="ignore")  # what is not brought to an end may be nan
def joint_radius(blocks: Blocks, rho: np.ndarray, coefficient: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The log(eᵗ − 1) of the radius at which Σ ρ λ = C, (B,), likewise."""

    def step(here: Local, straight: np.ndarray, some: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray]:
        below_one = -np.expm1(-here.divergence)
        lack = straight - (here.divergence + np.log(below_one))
        price = rho[:, some] * np.exp(here.log_multiplier - lack * (below_one / here.slope))
        total = np.add.reduce(price, 0)
        rise = np.log(total / coefficient[some]) * total / np.add.reduce(price * (below_one / here.slope), 0)
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
    groups, batch = blocks.shape[1:]
    shared, states = start.copy(), state.copy()
    some: np.ndarray | slice = slice(None)
    part, here, now, done = rows, state, start, np.zeros(batch, dtype=bool)
    for _ in range(_STEPS):
        found, moved = step(blocks.divergence.local(part, here).shaped((groups, len(now))), now, some)
        now, here = found, here * np.exp(moved).reshape(-1)
        done = np.maximum.reduce(np.abs(moved), 0) <= _CLOSE
        ended = np.count_nonzero(done)
        if ended == done.size:
            break
        if ended >= _MOSTLY * done.size and here.size > FEW:
            _place(shared, states.reshape(groups, batch), some, done, now, here)
            some, left = np.arange(batch)[some][~done], ~done
            now, here, done = now[left], here.reshape(groups, -1)[:, left].reshape(-1), done[left]
            part = rows.take((batch * np.arange(groups)[:, None] + some).reshape(-1))
    _place(shared, states.reshape(groups, batch), some, done, now, here)
    blocks.guess = states
    return shared


def _place(
    shared: np.ndarray,
    states: np.ndarray,
    some: np.ndarray | slice,
    done: np.ndarray,
    found: np.ndarray,
    roots: np.ndarray,
) -> None:
    """Put what those that are done have found, of `some` of the instances, in its place."""
    index = np.arange(len(shared))[some][done]
    shared[index] = found[done]
    states[:, index] = roots.reshape(len(states), -1)[:, done]


def log_expm1(x: np.ndarray | float) -> np.ndarray:
    """log(eˣ − 1): log x for small x, x for large."""
    return np.asarray(x + np.log(-np.expm1(-np.asarray(x))))
