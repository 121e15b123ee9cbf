"""States in which no action matters, as after the end of an episode: a network's policy drifts there without effect."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import uniform


def idle_states(mdp: FiniteMDP) -> Bool[np.ndarray, " S"]:
    """The states whose available actions all have the same transition and the same reward."""
    states, actions = mdp.states, mdp.actions
    first = mdp.available.argmax(1)
    rows: Any = mdp.transition if mdp.is_sparse else mdp.transition.reshape(states * actions, states)
    here = np.arange(states)
    reference = rows[here * actions + first]
    same = np.empty((states, actions), dtype=bool)
    for action in range(actions):
        other = rows[here * actions + action] != reference
        same[:, action] = np.asarray(other.sum(axis=1)).ravel() == 0
    same &= mdp.reward == mdp.reward[here, first][:, None]
    return (same | ~mdp.available).all(1)


def held(policies: Float[np.ndarray, "T S A"], mdp: FiniteMDP) -> Float[np.ndarray, "T S A"]:
    """The policies with uniform rows in idle states: V, A, ρ, η and L stay the same, and divergences are 0 there."""
    return np.where(idle_states(mdp)[:, None], uniform(mdp.available), policies)
