"""Hypothesis strategies for small MDPs and policies, and random ones from a seed. Private to the tests.

Drawn rows of probabilities are dyadic, multiples of 2⁻²⁰, and sum to exactly 1: identities that hold for probability
rows then hold in exact rationals too, with no allowance for the rounding of a row.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from trpo_theory.model.mdp import FiniteMDP

GAMMAS = (0.0, 0.5, 0.9, 0.99, 0.9999)
_UNIT = 2**20


def dyadic(weights: np.ndarray, unit: int = _UNIT) -> np.ndarray:
    """Rows in proportion to the weights, rounded to multiples of 1/unit that sum to exactly 1; zeros stay zero."""
    weights = np.asarray(weights, dtype=np.float64)
    parts = np.floor(unit * (weights / weights.sum(-1, keepdims=True)))
    missing = unit - parts.sum(-1, keepdims=True)
    largest = np.arange(weights.shape[-1]) == weights.argmax(-1)[..., None]
    return (parts + missing * largest) / unit


@st.composite
def row_weights(draw: st.DrawFn, support: np.ndarray) -> list[int]:
    """Integers that are zero outside support and not all zero; often with one non-zero entry only."""
    weights = [draw(st.integers(0, 8)) if inside else 0 for inside in support]
    if not any(weights):
        inside = [int(i) for i in np.flatnonzero(support)]
        weights[draw(st.sampled_from(inside))] = 1
    return weights


@st.composite
def policies(draw: st.DrawFn, available: np.ndarray) -> np.ndarray:
    """A policy on the available actions, with zeros; sometimes deterministic."""
    rows = [draw(row_weights(row)) for row in available]
    return dyadic(np.array(rows))


@st.composite
def masks(draw: st.DrawFn, states: int, actions: int) -> np.ndarray:
    """Which actions are available: usually all."""
    if draw(st.integers(0, 2)):
        return np.ones((states, actions), dtype=bool)
    mask = np.array([[draw(st.booleans()) for _ in range(actions)] for _ in range(states)])
    mask[~mask.any(1), 0] = True
    return mask


@st.composite
def mdps(
    draw: st.DrawFn, *, max_states: int = 4, max_actions: int = 3, gammas: tuple[float, ...] = GAMMAS
) -> FiniteMDP:
    """A small MDP: zero probabilities, states that nothing reaches, unavailable actions, ties."""
    states, actions = draw(st.integers(1, max_states)), draw(st.integers(1, max_actions))
    mask = draw(masks(states, actions))
    everywhere = np.ones(states, dtype=bool)
    transition = np.zeros((states, actions, states))
    reward = np.zeros((states, actions))
    for s, a in zip(*np.nonzero(mask), strict=True):
        transition[s, a] = dyadic(np.array(draw(row_weights(everywhere))))
        reward[s, a] = draw(st.integers(-16, 16)) / 8
    initial = dyadic(np.array(draw(row_weights(everywhere))))
    return FiniteMDP(transition, reward, draw(st.sampled_from(gammas)), initial, available=mask)


@st.composite
def evaluations(draw: st.DrawFn, **options: object) -> tuple[FiniteMDP, np.ndarray]:
    """An MDP and a policy on it."""
    mdp = draw(mdps(**options))
    return mdp, draw(policies(mdp.available))


@st.composite
def steps(draw: st.DrawFn, **options: object) -> tuple[FiniteMDP, np.ndarray, np.ndarray]:
    """An MDP, old and new."""
    mdp, old = draw(evaluations(**options))
    return mdp, old, draw(policies(mdp.available))


def random_rows(rng: np.random.Generator, *shape: int, zeros: float = 0.3) -> np.ndarray:
    """Dense float rows of which a share of the entries is zero; they sum to 1 to rounding."""
    weights = rng.exponential(size=shape) * (rng.random(shape) >= zeros)
    weights[..., 0] += 1e-3 * (weights.sum(-1) == 0)
    return weights / weights.sum(-1, keepdims=True)


def random_mdp(
    rng: np.random.Generator, states: int, actions: int, gamma: object, *, batch: tuple[int, ...] = ()
) -> FiniteMDP:
    """A random dense MDP, or a batch of them."""
    transition = random_rows(rng, *batch, states, actions, states)
    return FiniteMDP(transition, rng.normal(size=(*batch, states, actions)), gamma, random_rows(rng, *batch, states))
