"""Random MDPs and policies, drawn from a NumPy Generator: Dirichlet (dense, in batches) and Garnet (few successors)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.kinds import GENERATOR, SERIES, expect
from trpo_theory.entries.sparse import sp
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.shapes import Float
from trpo_theory.zoo._moves import DENSE_UP_TO


def dirichlet(
    generator: np.random.Generator,
    *,
    states: int = 5,
    actions: int = 3,
    gamma: float | Float[np.ndarray, "*batch"] = 0.9,
    concentration: float = 1.0,
    batch: tuple[int, ...] = (),
) -> FiniteMDP:
    """Rows P(·|s,a) from a symmetric Dirichlet(concentration), ρ₀ from Dirichlet(1), rewards standard normal.

    Args:
        generator: where the random numbers come from.
        states: S.
        actions: A.
        gamma: the discount γ, a number or one for each MDP of the batch.
        concentration: the Dirichlet's parameter; below 1 most rows are nearly deterministic.
        batch: the shape of the batch; () for one MDP.
    """
    states, actions = _checks.integer(states, "states", least=1), _checks.integer(actions, "actions", least=1)
    batch = _shape(batch, "batch")
    transition = _rows(generator, concentration, (*batch, states, actions, states))
    reward = generator.standard_normal((*batch, states, actions))
    return FiniteMDP(transition, reward, gamma, _rows(generator, 1.0, (*batch, states)))


def random_policy(
    generator: np.random.Generator, shape: tuple[int, ...], *, concentration: float = 1.0
) -> Float[np.ndarray, "*batch S A"]:
    """A policy whose rows are independent draws from a symmetric Dirichlet.

    Args:
        generator: where the random numbers come from.
        shape: (*batch, S, A).
        concentration: the Dirichlet's parameter.
    """
    return _rows(generator, concentration, _shape(shape, "shape"))


def _shape(value: Any, name: str) -> tuple[int, ...]:
    expect(SERIES, **{name: value})
    return tuple(_checks.integer(size, name, least=0) for size in value)


def _rows(generator: np.random.Generator, concentration: float, shape: tuple[int, ...]) -> np.ndarray:
    """Dirichlet rows from gamma variates: much faster than Generator.dirichlet, for any shape."""
    expect(GENERATOR, generator=generator)
    order = _checks.number_between(concentration, "concentration", 1e-3, 1e6)
    weight = generator.standard_exponential(shape) if order == 1.0 else generator.standard_gamma(order, shape)
    weight += np.finfo(np.float64).tiny
    return weight / weight.sum(-1, keepdims=True)


def garnet(
    generator: np.random.Generator,
    *,
    states: int = 50,
    actions: int = 4,
    branching: int = 5,
    gamma: float = 0.95,
) -> FiniteMDP:
    """Garnet(states, actions, branching): each (s, a) has branching successors, drawn with replacement.

    Probabilities are the gaps between sorted uniform cuts of [0, 1]; rewards r(s, a) are standard normal. The
    transition is sparse where S·A·S > 2·10⁶. Source: Archibald, McKinnon and Thomas (1995); Bhatnagar et al. (2009).
    """
    states, actions = _checks.integer(states, "states", least=1), _checks.integer(actions, "actions", least=1)
    branching = _checks.integer(branching, "branching", least=1)
    expect(GENERATOR, generator=generator)
    rows = states * actions
    cuts = np.sort(generator.random((rows, branching - 1)), axis=1)
    weights = np.diff(cuts, axis=1, prepend=0.0, append=1.0)
    successors = generator.integers(states, size=(rows, branching))
    indptr = np.arange(0, rows * branching + 1, branching)
    matrix = sp.csr_array((weights.ravel(), successors.ravel(), indptr), shape=(rows, states))
    reward = generator.standard_normal((states, actions))
    dense = rows * states <= DENSE_UP_TO
    transition = matrix.toarray().reshape(states, actions, states) if dense else matrix
    return FiniteMDP(transition, reward, gamma)


RANDOM: dict[str, Callable[..., FiniteMDP]] = {"dirichlet": dirichlet, "garnet": garnet}
