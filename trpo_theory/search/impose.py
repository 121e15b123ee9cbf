"""What a claim's hypotheses need and chance seldom brings is built into instances."""

from __future__ import annotations

import numpy as np

from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.policy import greedy
from trpo_theory.numerics.layout import batch_first
from trpo_theory.solve.control import optimal
from trpo_theory.step.instances import Instances


def impose(instances: Instances, needs: frozenset[str]) -> Instances:
    """The instances, changed to have what `claims.claim.NEEDS` says of each word; order of the words does not matter."""
    states, actions = instances.shape
    if "unit-reward" in needs:
        low = instances.reward.min((1, 2), keepdims=True)
        span = instances.reward.max((1, 2), keepdims=True) - low
        instances = instances.replace(reward=(instances.reward - low) / np.where(span > 0, span, 1.0))
    if "one-row" in needs:
        instances = instances.replace(
            groups=np.zeros_like(instances.groups),
            old=np.repeat(instances.old[:, :1], states, 1),
            new=np.repeat(instances.new[:, :1], states, 1),
        )
    if "uniform-old" in needs:
        instances = instances.replace(old=np.full_like(instances.old, 1.0 / actions))
    if "greedy-mixture" in needs:
        advantage = batch_first(instances.quantities().advantage)
        weight = np.abs(instances.new - instances.old).max((1, 2), keepdims=True)
        mixed = (1 - weight) * instances.old + weight * greedy(advantage)
        instances = instances.replace(new=mixed)
    if "optimal-new" in needs:
        mdp = FiniteMDP(instances.transition, instances.reward, instances.gamma, instances.initial)
        instances = instances.replace(new=np.array(optimal(mdp).policy))
    return instances
