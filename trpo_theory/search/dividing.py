"""`divided`: an instance with more states and actions, which are equal parts of those that it has: the same process."""

from __future__ import annotations

import numpy as np

from trpo_theory.search.draws.structures import with_available
from trpo_theory.step.instances import Instances


def divided(instances: Instances, states: int, actions: int) -> Instances:
    """Divided into so many states and actions: each into as many equal parts as the others, or the first ones into one more.

    No divergence changes that sums over actions, no value, and no mean over where old or new go; what depends on a single
    probability does.

    Args:
        instances: B of them, all of whose actions are available.
        states: how many, at least as many as they have.
        actions: likewise.
    """
    own_states, own_actions = instances.shape
    of_state, of_action = _parts(own_states, states), _parts(own_actions, actions)
    state_share, action_share = (1 / np.bincount(of)[of] for of in (of_state, of_action))

    def spread(array: np.ndarray) -> np.ndarray:
        return array[:, of_state][:, :, of_action]

    return instances.replace(
        transition=spread(instances.transition)[..., of_state] * state_share,
        initial=instances.initial[:, of_state] * state_share,
        groups=np.broadcast_to(np.arange(states), (len(instances), states)).copy(),
        **{name: spread(getattr(instances, name)) for name in ("reward", "noise")},
        **{name: spread(getattr(instances, name)) * action_share for name in ("old", "new", "reference")},
    )


def without_idle_actions(instances: Instances) -> Instances:
    """Those in which neither policy ever takes some action, where that one is not available."""
    taken = (instances.old > 0) | (instances.new > 0)
    (some,) = np.nonzero(~taken.all((1, 2)))
    chosen = instances.take(some)
    return with_available(chosen, taken[some]) if len(some) else chosen


def _parts(own: int, wanted: int) -> np.ndarray:
    """Of which of the own ones each of the wanted ones is a part."""
    return np.sort(np.arange(wanted) % own)
