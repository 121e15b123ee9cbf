"""`Objective`: what a local ascent makes large."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from trpo_theory.search.screen import Screen
from trpo_theory.search.worst_reward import Visits
from trpo_theory.step.instances import Instances
from trpo_theory.step.quantities import Quantities

_EXTRAS = frozenset({"reference", "noise", "groups", "size"})
"""The fields of an instance beyond (mdp, old, new)."""
_ONE_BY_ONE = 30
"""A formula that cannot be batched is run on so many times fewer instances. Chosen."""


class Objective(ABC):
    """What a local ascent makes large, to be called on batches: the ratio of a bound, how far a claim is from holding.

    Attributes:
        batched: whether its formula can be run on batches; else it is run on fewer instances, one at a time.
        uses: the fields beyond (mdp, old, new) that it reads.
        visits: how much more often new visits each state, by the criterion of what it is made of; None for the discounted one.
    """

    batched: bool
    uses: frozenset[str]
    visits: Visits | None = None

    @abstractmethod
    def __call__(self, instances: Instances) -> np.ndarray:
        """The values, (B,); −∞ where it says nothing."""

    @abstractmethod
    def traced(self, q: Quantities) -> Any:
        """The same without what has no derivative, (B,), in an arithmetic that may record derivatives."""

    def fewer(self, count: int) -> int:
        """How many instances of so many are affordable."""
        return count if self.batched else max(4, count // _ONE_BY_ONE)

    def stripped(self, instances: Instances) -> Instances:
        """The instances with what is not read set to its neutral value."""
        return neutral(instances).replace(**{name: getattr(instances, name) for name in self.uses})


def extras_read(screen: Screen) -> frozenset[str]:
    """The fields of an instance beyond (mdp, old, new) that the screen's claim reads."""
    return screen.reads & _EXTRAS


def neutral(instances: Instances) -> Instances:
    """The instances with the neutral value in each field beyond (mdp, old, new)."""
    return instances.replace(
        reference=instances.old,
        noise=np.zeros_like(instances.noise),
        groups=np.broadcast_to(np.arange(instances.shape[0]), instances.groups.shape).copy(),
        size=np.ones_like(instances.size),
    )
