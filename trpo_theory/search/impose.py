"""What a claim's hypotheses need and chance seldom brings is built into instances."""

from __future__ import annotations

import numpy as np

from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import greedy
from trpo_theory.numerics.layout import batch_first
from trpo_theory.search.draws.structures import all_available
from trpo_theory.search.draws.tiny_steps import tiny_made_exact
from trpo_theory.search.settings import furnished
from trpo_theory.solve.control import optimal
from trpo_theory.step.instances import Instances


def impose(instances: Instances, needs: frozenset[str]) -> Instances:
    """The instances, changed to have what `bounds.record_checks.NEEDS` says of each word; order of the words does not matter."""
    states, actions = instances.shape
    if "unit-reward" in needs:
        instances = instances.replace(reward=_unit_reward(instances))
    if "one-row" in needs:
        instances = all_available(instances)  # one row for all states takes actions that some did not have
        instances = instances.replace(
            groups=np.zeros_like(instances.groups),
            old=np.repeat(instances.old[:, :1], states, 1),
            new=np.repeat(instances.new[:, :1], states, 1),
        )
    able = np.ones((1, states, actions), dtype=bool) if instances.available is None else instances.available
    if "uniform-old" in needs:
        even = able / able.sum(-1, keepdims=True)
        instances = instances.replace(old=np.broadcast_to(even, instances.old.shape).copy())
    if "greedy-mixture" in needs:
        advantage = batch_first(instances.plain_quantities().advantage)
        weight = np.abs(instances.new - instances.old).max((1, 2), keepdims=True)
        best = greedy(advantage, np.broadcast_to(able, advantage.shape))
        old, new = tiny_made_exact(instances.old, instances.old + weight * (best - instances.old))
        instances = instances.replace(old=old, new=new)
    if "optimal-new" in needs:
        mdp = FiniteMDP(
            instances.transition, instances.reward, instances.gamma, instances.initial, available=instances.available
        )
        instances = instances.replace(new=np.array(optimal(mdp).policy))
    return furnished(instances, needs)


def _unit_reward(instances: Instances) -> np.ndarray:
    """The rewards of available actions moved and scaled to [0, 1], the others 0."""
    if instances.available is None:
        low, high = (end(instances.reward, (1, 2), keepdims=True) for end in (np.min, np.max))
        return (instances.reward - low) / np.where(high > low, high - low, 1.0)
    able = instances.available
    low = np.where(able, instances.reward, np.inf).min((1, 2), keepdims=True)
    high = np.where(able, instances.reward, -np.inf).max((1, 2), keepdims=True)
    return np.where(able, (instances.reward - low) / np.where(high > low, high - low, 1.0), 0.0)
