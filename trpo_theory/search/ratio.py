"""The ratio (centre − η(new))/penalty of a bound on batches of instances, and the rewards that make it large."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.bounds.bound import Bound
from trpo_theory.claims.claim import claim_of
from trpo_theory.quantities import Quantities
from trpo_theory.search.battery import random_instances
from trpo_theory.search.instances import Instances
from trpo_theory.search.screen import Screen, failed
from trpo_theory.search.worst_reward import worst_reward

REWARDS = ("own", "worst", "balanced", "signed", "raised")
"""Where an instance's reward comes from: its own, or one of those that `formed` makes."""
LEVELS = ("own", "kl", "reverse_kl", "tv")
"""Which divergence of the step, if any, `formed` makes the same in every state."""
FORMS = len(REWARDS) * len(LEVELS)
"""A form is a pair of both, number = reward + 5 level."""
_LEVELLING = 6
_DOUBT = 1e-7
_CAUTION = 1e3
"""A ratio that floats know to d counts as so many d less, and not at all from a d of 1e-7 on: a step may be too small."""
_LEAST_SHARE = 1e-4
"""How far below the largest |Ā| a state's may be for `balanced` to level it: rewards are up to the inverse of it in size."""
_ONE_BY_ONE = 30


class Ratio:
    """The ratio of one bound, to be called on batches.

    Attributes:
        bound: the bound.
        batched: whether its formula can be run on batches; else it is run on fewer instances, one at a time.
        uses: the fields beyond (mdp, old, new) that it reads.

    Raises:
        ClaimFailed: if the bound's own code raises an exception, or gives no number.
    """

    def __init__(self, bound: Bound) -> None:
        self.bound = bound
        self.batched = Screen(claim_of(bound)).batched
        probe = random_instances(np.random.default_rng(0), self.fewer(600), 3, 2)
        told, plain = self(probe), _neutral(probe)
        self.uses = frozenset(
            name
            for name in ("reference", "noise", "groups", "size")
            if not np.array_equal(told, self(probe.replace(**{name: getattr(plain, name)})))
        )

    def __call__(self, instances: Instances) -> np.ndarray:
        """The ratios, a little less where floats doubt them, (B,); −∞ where the bound says nothing or its penalty is 0."""
        try:
            with np.errstate(all="ignore"):
                if self.batched:
                    return np.broadcast_to(self._of(instances.quantities()), (len(instances),))
                return np.array([float(self._of(instances.one(i))) for i in range(len(instances))])
        except Exception as error:
            raise failed(claim_of(self.bound), error) from error

    def _of(self, q: Quantities) -> Any:
        penalty = np.asarray(self.bound.penalty(q), dtype=np.float64)
        doubt = self.bound.rounding(q) / penalty
        ratio = 1 - np.asarray(self.bound.slack(q), dtype=np.float64) / penalty
        known = (penalty > 0) & np.isfinite(penalty) & (doubt <= _DOUBT) & np.isfinite(ratio)
        return np.where(known, ratio - _CAUTION * doubt, -np.inf)

    def fewer(self, count: int) -> int:
        """How many instances of so many are affordable."""
        return count if self.batched else max(4, count // _ONE_BY_ONE)

    def stripped(self, instances: Instances) -> Instances:
        """The instances with what the bound does not read set to its neutral value."""
        return _neutral(instances).replace(**{name: getattr(instances, name) for name in self.uses})


def _neutral(instances: Instances) -> Instances:
    return instances.replace(
        reference=instances.old,
        noise=np.zeros_like(instances.noise),
        groups=np.broadcast_to(np.arange(instances.shape[0]), instances.groups.shape).copy(),
        size=np.ones_like(instances.size),
    )


def formed(instances: Instances, forms: np.ndarray) -> Instances:
    """The instances with steps and rewards of these forms, (B,). Let σ(s) be the sign of ρ_old − ρ_new.

    A step that is levelled goes on along new − old in each state until all states have the mean of their divergences: the
    worst steps for a maximum over states are such, and a search would have to keep to a kink to find them.
    worst: the A with |A| ≤ 1 and the largest gap (`worst_reward`), for penalties that are proportional to max|A|.
    balanced: the same, each row scaled until Ā(s) = σ(s): for those proportional to max_s |Ā(s)|, as in F5.
    signed: Q = σ(s) sign(new − old), for those proportional to the span of A or to max|Q|; raised: Q + 1, for Q ≥ 0.
    """
    levels, rewards = np.divmod(forms, len(REWARDS))
    if levels.any():
        new = instances.new.copy()
        for number in np.unique(levels[levels > 0]):
            chosen = levels == number
            new[chosen] = np.moveaxis(_levelled(instances.take(chosen).quantities(), LEVELS[number]), -1, 0)
        instances = instances.replace(new=new)
    if rewards.any():
        reward = instances.reward.copy()
        for number in np.unique(rewards[rewards > 0]):
            chosen = rewards == number
            made = _REWARDS[REWARDS[number]](instances.take(chosen).quantities())
            reward[chosen] = np.moveaxis(made, -1, 0)
        instances = instances.replace(reward=reward)
    return instances


def _levelled(q: Quantities, name: str) -> Any:
    """new = old + c (new − old), by a few steps of c ← c √(goal/divergence), (goal/divergence for TV): near enough."""
    change, size = q.new - q.old, getattr(q, name)
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(change < 0, q.old / -change, np.inf).min(1)
        goal = np.where(np.isfinite(size), size, 0.0).mean(0)
        length = np.ones_like(size)
        for _ in range(1 if name == "tv" else _LEVELLING):
            factor = goal / size if name == "tv" else np.sqrt(goal / size)
            length = np.clip(np.where(np.isfinite(factor) & (factor > 0), length * factor, length), 0.0, room)
            length = np.where(np.isfinite(length), length, 1.0)
            size = getattr(q.with_new(q.old + length[:, None] * change), name)
    new = np.maximum(q.old + length[:, None] * change, 0.0)
    return new / new.sum(1, keepdims=True)


def _balanced(q: Quantities) -> Any:
    reward = worst_reward(q)
    size = abs(q.sum_a((q.new - q.old) * reward))
    share = (size / np.maximum(q.max_s(size), 1e-300))[:, None]
    return np.where(share > 0, reward / np.maximum(share, _LEAST_SHARE), 0.0)


def _signed(q: Quantities) -> Any:
    """r = Q − γ P V, V = Σ_a old Q."""
    sigma = np.where(q.visitation_change > 0, -1.0, 1.0)
    action_value = sigma[:, None] * np.sign(q.new - q.old)
    return action_value - q.gamma * q.expect(q.sum_a(q.old * action_value))


def _raised(q: Quantities) -> Any:
    return _signed(q) + (1 - q.gamma)


_REWARDS = {"worst": worst_reward, "balanced": _balanced, "signed": _signed, "raised": _raised}
