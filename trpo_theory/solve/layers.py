"""A finite horizon T as an MDP whose states are (t, s), t = 0, ..., T − 1: a finite MDP like any other, in any arithmetic.

The state (t, s) has the number t S + s. Every action of the last layer ends the run: rows of the transition are 0 there.
Source: docs/theory.md, "Criteria".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.sparse import is_sparse, sp
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP, expect_one_mdp
from trpo_theory.numerics.arithmetic import Arithmetic, Array
from trpo_theory.numerics.float_array import FloatArray
from trpo_theory.solve.criterion import Given

_MOST_PAIRS = 2 * 10**7
"""Steps times states times actions; chosen: 160 MB of float64, of which there are some dozen."""
_DENSE_ENTRIES = 2e7
"""Of the layered transition of one MDP: beyond, it is sparse. Chosen, as of MDPs that are read: 160 MB."""


def steps_of(arithmetic: Arithmetic, horizon: Array) -> np.ndarray:
    """T as integers, () or (B,).

    Raises:
        InvalidInput: where it is 0, for none.
    """
    lengths = np.rint(np.asarray(arithmetic.nearest_floats(horizon))).astype(int)
    if (lengths < 1).any():
        raise InvalidInput(
            got="a finite horizon asked of an instance without one",
            wanted="horizon, a whole number of steps, 1 or more",
            fix='pass horizon=T, or add "horizon" to the instance',
        )
    return lengths


def layered(arithmetic: Arithmetic, mdp: Given, lengths: np.ndarray) -> Given:
    """The MDP over T steps; where a batch has several T, later layers of the shorter ones are not reached and earn nothing."""
    steps, where, alive = int(lengths.max()), arithmetic.where, layers_of_runs(lengths, len(mdp.reward))
    return Given(
        mdp.gamma,
        layered_transition(arithmetic, mdp.transition, lengths),
        where(alive[:, None], tiled(mdp.reward, steps), 0),
        tiled(np.asarray(mdp.available), steps),
        joined(arithmetic.stack([mdp.initial, *[0 * mdp.initial] * (steps - 1)])),
    )


def layers_of_runs(lengths: np.ndarray, states: int) -> np.ndarray:
    """Whether a state (t, s) has t < T, (T·S, *batch), T the largest."""
    return np.concatenate([np.broadcast_to(t < lengths, (states, *lengths.shape)) for t in range(int(lengths.max()))])


def layered_transition(arithmetic: Arithmetic, transition: Array, lengths: np.ndarray) -> Array:
    """P((t + 1, s')|(t, s), a) = P(s'|s,a) for t + 1 < T."""
    steps = int(lengths.max())
    if is_sparse(transition):
        return sp.csr_array(sp.kron(sp.eye_array(steps, k=1), transition))
    states, actions = transition.shape[:2]
    if transition.ndim == 3 and transition.dtype == np.float64 and transition.size * steps**2 > _DENSE_ENTRIES:
        return layered_transition(arithmetic, sp.csr_array(transition.reshape(states * actions, states)), lengths)
    if type(transition) in (np.ndarray, FloatArray) and transition.dtype == np.float64:
        return _filled(transition, lengths)
    rows: list[Array] = []
    for t in range(steps):
        goes = arithmetic.where(t + 1 < lengths, transition, 0)
        blocks = arithmetic.stack([goes if u == t + 1 else 0 * goes for u in range(steps)], axis=2)
        rows.append(blocks.reshape(states, actions, steps * states, *blocks.shape[4:]))
    return joined(arithmetic.stack(rows))


def _filled(transition: Array, lengths: np.ndarray) -> Array:
    """The same of floats, block by block into an array of zeros, a tenth of the time."""
    steps, (states, actions), plain = int(lengths.max()), transition.shape[:2], np.asarray(transition)
    batch = np.broadcast_shapes(plain.shape[3:], lengths.shape)
    blocks = np.zeros((steps, states, actions, steps, states, *batch))
    for t in range(steps - 1):
        blocks[t, :, :, t + 1] = np.where(t + 1 < lengths, plain, 0.0)
    return blocks.reshape(steps * states, actions, steps * states, *batch).view(type(transition))


def tiled(rows: Array, steps: int) -> Array:
    """The same rows in every layer: (S, ...) -> (T·S, ...)."""
    return rows[np.tile(np.arange(rows.shape[0]), steps)]


def joined(array: Array) -> Array:
    """(T, S, ...) -> (T·S, ...)."""
    return array.reshape(array.shape[0] * array.shape[1], *array.shape[2:])


def finite_horizon(mdp: FiniteMDP, horizon: int) -> FiniteMDP:
    """The MDP over T steps as one with an end: states (t, s), numbered t S + s, and a last one that is never left.

    A run of T steps ends there, and earns nothing more, so that γ = 1 is allowed. Policies for it have (T·S + 1) rows.

    Args:
        mdp: one MDP, dense or sparse; γ ≤ 1.
        horizon: T, 1 or more.

    Returns:
        A dense MDP, or a sparse one where it is large. Its labels are (t, label).

    Raises:
        InvalidInput: for a batch, or a horizon that is no whole number.

    >>> chain = FiniteMDP([[[0, 1]], [[1, 0]]], [[1.0], [2.0]], 1.0, [1, 0])
    >>> finite_horizon(chain, 3)
    FiniteMDP(states=7, actions=1, gamma=1, dense)
    """
    expect_one_mdp(mdp)
    steps = _checks.integer(horizon, "horizon", least=1)
    expect_room(mdp, steps)
    rows, last = mdp.states * mdp.actions, steps * mdp.states
    chain = mdp.transition if mdp.is_sparse else sp.csr_array(mdp.transition.reshape(rows, mdp.states))
    runs = sp.kron(sp.eye_array(steps, k=1), chain)
    able = np.tile(mdp.available, (steps, 1)).ravel()
    to_end = np.zeros(steps * rows)
    to_end[-rows:] = able[-rows:]
    end = np.zeros((mdp.actions, last + 1))
    end[:, last] = 1.0
    transition: Any = sp.vstack([sp.hstack([runs, sp.csr_array(to_end[:, None])]), sp.csr_array(end)], format="csr")
    if transition.shape[0] * transition.shape[1] <= _DENSE_ENTRIES:
        transition = transition.toarray().reshape(last + 1, mdp.actions, last + 1)
    labels = mdp.state_labels or tuple(range(mdp.states))
    return FiniteMDP(
        transition,
        _until_the_end(mdp.reward, steps),
        mdp.gamma,
        np.concatenate([mdp.initial, np.zeros(last + 1 - mdp.states)]),
        available=np.vstack([np.tile(mdp.available, (steps, 1)), np.ones((1, mdp.actions))]),
        costs={name: _until_the_end(cost, steps) for name, cost in mdp.costs.items()},
        state_labels=[*(f"({t}, {label})" for t in range(steps) for label in labels), "end"],
        action_labels=mdp.action_labels,
    )


def expect_room(mdp: FiniteMDP, steps: int) -> None:
    """Refuse a horizon whose arrays (T·S, A) would not fit into memory, before they are allocated."""
    most = _MOST_PAIRS // (mdp.states * mdp.actions)
    if steps > most:
        raise InvalidInput(
            got=f"horizon = {_checks.shown(steps)} with {mdp.states} states and {mdp.actions} actions",
            wanted=f"at most {most} steps: values and visitations are of every step, state and action",
            fix=f"pass horizon={most}, or no horizon, with a discount or criterion='average'"
            if most
            else "aggregate states",
        )


def _until_the_end(reward: np.ndarray, steps: int) -> np.ndarray:
    """(S, A) -> (T·S + 1, A): the same in each step, then nothing."""
    return np.vstack([np.tile(reward, (steps, 1)), np.zeros((1, reward.shape[1]))])


def layered_policy(policy: Any, mdp: FiniteMDP, steps: int, name: str) -> np.ndarray:
    """A policy (S, A) or (T, S, A) as rows of the layered MDP's states, (T·S, A).

    Raises:
        InvalidInput: for another shape, or rows that are not distributions over available actions.
    """
    rows = _checks.policy_rows(policy, mdp.available, name)
    if rows.ndim == 2:
        return tiled(rows, steps)
    if rows.shape[:-2] != (steps,):
        raise InvalidInput(
            got=f"{name} of shape {rows.shape} with a horizon of {steps}",
            wanted=f"({mdp.states}, {mdp.actions}), or one policy a step, ({steps}, {mdp.states}, {mdp.actions})",
            fix="pass the policy of each step, or loop over a batch of policies",
        )
    return joined(rows)
