"""Forms: rewards and steps that make the gap η(new) − L large, made of an instance's transitions and policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trpo_theory.numerics.floats import as_floats
from trpo_theory.numerics.layout import batch_first
from trpo_theory.search.distinct import distinct
from trpo_theory.search.worst_reward import Visits, discounted_visits, worst_reward
from trpo_theory.step.instances import Instances
from trpo_theory.step.quantities import Quantities

REWARDS = ("own", "worst", "balanced", "signed", "raised")
"""Where an instance's reward comes from: its own, or one of those that `formed` makes."""
LEVELS = ("own", "kl", "reverse_kl", "tv")
"""Which divergence of the step, if any, `formed` makes the same in every state."""
FORMS = len(REWARDS) * len(LEVELS)
"""A form is a pair of both, number = reward + 5 level."""
_LEVELLING = 6
"""Steps of the iteration that makes a divergence the same in every state. Chosen: near enough for a search."""
_LEAST_SHARE = 1e-4
"""How far below the largest |Ā| a state's may be for `balanced` to level it: rewards are up to the inverse of it in size."""


def formed(instances: Instances, forms: np.ndarray, visits: Visits | None = None) -> Instances:
    """The instances with steps and rewards of these forms, (B,), as `in_form` makes them."""
    levels, rewards = np.divmod(forms, len(REWARDS))

    def rewarded(q: Quantities, kind: int) -> Any:
        return _reward(q, kind, visits)

    return _exchanged(_exchanged(instances, "new", levels, _new), "reward", rewards, rewarded)


def _exchanged(instances: Instances, name: str, kinds: np.ndarray, make: Callable[[Quantities, int], Any]) -> Instances:
    """Those of a kind above 0 with that field as `make` makes it."""
    if not kinds.any():
        return instances
    values = getattr(instances, name).copy()
    for kind in distinct(kinds[kinds > 0]):
        chosen = kinds == kind
        values[chosen] = batch_first(make(instances.take(chosen).plain_quantities(), int(kind)))
    return instances.replace(**{name: values})


def in_form(q: Quantities, form: int, visits: Visits | None = None) -> Quantities:
    """The quantities with the step and the reward of a form. Let σ(s) be the sign of ρ_old − ρ_new, as of `worst_reward`.

    A step that is levelled goes on along new − old in each state until all states have the mean of their divergences: the
    worst steps for a maximum over states are such, and a search would have to keep to a kink to find them.
    worst: the A with |A| ≤ 1 and the largest gap (`worst_reward`), for penalties that are proportional to max|A|.
    balanced: the same, each row scaled until Ā(s) = σ(s): for those proportional to max_s |Ā(s)|, as in F5.
    signed: Q = σ(s) sign(new − old), for those proportional to the span of A or to max|Q|; raised: Q + 1, for Q ≥ 0.
    """
    level, reward = divmod(form, len(REWARDS))
    if level:
        q = q.with_new(_new(q, level))
    return q.replace(reward=_reward(q, reward, visits)) if reward else q


def _new(q: Quantities, level: int) -> Any:
    return _levelled(q, LEVELS[level])


def _reward(q: Quantities, reward: int, visits: Visits | None) -> Any:
    return _REWARDS[REWARDS[reward]](q, visits)


def _levelled(q: Quantities, name: str) -> Any:
    """new = old + c (new − old), by a few steps of c ← c √(goal/divergence), (goal/divergence for TV): near enough."""
    floats = as_floats(q.arithmetic)
    xp = floats.xp
    change, size = q.new - q.old, getattr(q, name)
    with np.errstate(divide="ignore", invalid="ignore"):
        room = xp.min(xp.where(change < 0, q.old / xp.where(change < 0, -change, 1.0), np.inf), 1)
        goal = xp.mean(xp.where(np.isfinite(floats.plain(size)), size, 0.0), 0)
        length = np.ones(np.shape(size))
        for _ in range(1 if name == "tv" else _LEVELLING):
            known = floats.plain((size > 0) & (size < np.inf) & (goal > 0))
            share = xp.where(known, goal / xp.where(known, size, 1.0), 1.0)
            length = xp.minimum(length * (share if name == "tv" else xp.sqrt(share)), room)
            length = xp.where(np.isfinite(floats.plain(length)), length, 1.0)
            size = getattr(q.with_new(q.old + length[:, None] * change), name)
    new = xp.maximum(q.old + length[:, None] * change, 0.0)
    return new / xp.sum(new, 1, keepdims=True)


def _balanced(q: Quantities, visits: Visits | None) -> Any:
    xp = as_floats(q.arithmetic).xp
    reward = worst_reward(q, visits)
    size = abs(q.sum_a((q.new - q.old) * reward))
    share = (size / xp.maximum(q.max_s(size), 1e-300))[:, None]
    return xp.where(share > 0, reward / xp.maximum(share, _LEAST_SHARE), 0.0)


def _signed(q: Quantities, visits: Visits | None) -> Any:
    """r = Q − γ P V, V = Σ_a old Q."""
    plain = as_floats(q.arithmetic).plain
    change = discounted_visits(q) if visits is None else visits(q)
    sigma = np.where(plain(change) > 0, -1.0, 1.0)
    action_value = sigma[:, None] * np.sign(plain(q.new) - plain(q.old))
    return action_value - q.gamma * q.expect(q.sum_a(q.old * action_value))


def _raised(q: Quantities, visits: Visits | None) -> Any:
    return _signed(q, visits) + (1 - q.gamma)


_REWARDS = {"worst": worst_reward, "balanced": _balanced, "signed": _signed, "raised": _raised}
