"""States in which no action matters, as after the end of an episode: a network's policy drifts there without effect."""

from __future__ import annotations

import numpy as np

from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import uniform
from trpo_theory.model.shapes import Bool, Float
from trpo_theory.step import idle


def idle_states(mdp: FiniteMDP) -> Bool[np.ndarray, " S"]:
    """The states whose available actions all have the same transition and the same reward."""
    return idle.idle_states(mdp.transition, mdp.reward, mdp.available)


def held(policies: Float[np.ndarray, "T S A"], mdp: FiniteMDP) -> Float[np.ndarray, "T S A"]:
    """The policies with uniform rows in idle states: V, A, ρ, η and L stay the same, and divergences are 0 there."""
    return np.where(idle_states(mdp)[:, None], uniform(mdp.available), policies)
