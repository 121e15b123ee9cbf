"""Instances that meet rare hypotheses: a search for a small violation, by mutation and by moves that hypotheses ask for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trpo_theory.search.distinct import distinct
from trpo_theory.search.draws.numbers import GAMMAS
from trpo_theory.search.draws.structures import with_available
from trpo_theory.search.draws.tiny_steps import tiny_made_exact
from trpo_theory.search.impose import impose
from trpo_theory.search.mutation import mutated
from trpo_theory.search.screen import Screen
from trpo_theory.step.instances import Instances, joined

_CHILDREN = 240
"""In each generation. Chosen: NumPy's cost is per operation up to there."""
_PARENTS = 48
"""Kept of each generation. Chosen."""
_TRIES = 3
"""Moves that an instance which fails is tried with, of which the best is kept. Chosen."""

Move = Callable[[Instances, np.random.Generator], Instances]


class Fitting:
    """Moves instances towards a claim's hypotheses. It learns which moves help.

    Attributes:
        screen: of the claim.
        generator: of random numbers.
    """

    screen: Screen
    generator: np.random.Generator

    def __init__(self, screen: Screen, generator: np.random.Generator) -> None:
        self.screen, self.generator = screen, generator
        self._helped = np.ones(len(MOVES))

    def reach(self, start: Instances, generations: int, wanted: int) -> Instances:
        """Instances that meet the hypotheses, so many if that many generations find them, else fewer or none.

        Args:
            start: those to begin with, of one size.
            generations: at most.
            wanted: when to stop.

        Raises:
            ClaimFailed: if the claim raises an exception.
        """
        population, missed = start, self.screen.violation(start)
        for _ in range(generations):
            if (missed == 0).sum() >= wanted:
                break
            best = self._least(missed)
            population, missed = population.take(best), missed[best]
            chosen = population.take(self.generator.integers(0, len(population), _CHILDREN))
            half = len(chosen) // 2
            children = joined(
                [self._imposed(mutated(chosen.take(slice(half)), self.generator)), chosen.take(slice(half, None))]
            )
            children, of_children = self.moved(children)
            population, missed = joined([population, children]), np.concatenate([missed, of_children])
        return population.take(missed == 0)

    def moved(self, instances: Instances) -> tuple[Instances, np.ndarray]:
        """Each instance, or, where it fails, the best of a few moves of it, and what that misses, (B,)."""
        missed = self.screen.violation(instances)
        for _ in range(_TRIES):
            (failing,) = np.nonzero(missed > 0)
            if not len(failing):
                break
            tried, which = self._one_move(instances.take(failing))
            of_tried = self.screen.violation(tried)
            better = of_tried < missed[failing]
            np.add.at(self._helped, which[better], 1.0)
            self._helped *= len(MOVES) * 4 / max(self._helped.sum(), len(MOVES) * 4)
            place = np.arange(len(instances))
            place[failing[better]] = len(instances) + np.flatnonzero(better)
            instances = joined([instances, tried]).take(place)
            missed[failing[better]] = of_tried[better]
        return instances, missed

    def _one_move(self, instances: Instances) -> tuple[Instances, np.ndarray]:
        """Each instance by a move of its own, and which, (B,)."""
        count = len(instances)
        which = np.sort(self.generator.choice(len(MOVES), count, p=self._helped / self._helped.sum()))
        parts = [MOVES[m](instances.take(which == m), self.generator) for m in distinct(which)]
        return self._imposed(joined(parts)), which

    def _imposed(self, instances: Instances) -> Instances:
        return impose(instances, self.screen.claim.instance_needs)

    def _least(self, missed: np.ndarray) -> np.ndarray:
        """Those of least violation; of equal ones, any."""
        order = np.lexsort((self.generator.random(len(missed)), missed))
        return order[:_PARENTS]


# --- moves ----------------------------------------------------------------------------------------------------------


def _normalised(rows: np.ndarray) -> np.ndarray:
    """Over their sums; the row of an action that cannot be taken is 0."""
    total = rows.sum(-1, keepdims=True)
    return rows / np.where(total > 0, total, 1.0)


def _each(generator: np.random.Generator, instances: Instances, low: float, high: float) -> np.ndarray:
    """10^u of each instance, u uniform, (B, 1, 1)."""
    return 10 ** generator.uniform(low, high, (len(instances), 1, 1))


def other_length(instances: Instances, generator: np.random.Generator) -> Instances:
    """new = old + c (new − old): c log-uniform down to 1e-13, or 1 ± what is log-uniform down to 1e-10, as far as rows allow."""
    shape = (len(instances), 1, 1)
    near = np.exp(10 ** generator.uniform(-10, 0, shape) * generator.normal(size=shape))
    factor = np.where(generator.random(shape) < 0.5, _each(generator, instances, -13, 0), near)
    change = instances.new - instances.old
    with np.errstate(all="ignore"):
        room = np.where(change < 0, instances.old / -change, np.inf).min((1, 2), keepdims=True)
    moved = instances.old + np.minimum(factor, np.maximum(room, 1.0)) * change
    old, new = tiny_made_exact(instances.old, _normalised(np.maximum(moved, 0.0)))
    return instances.replace(old=old, new=new)


def other_discount(instances: Instances, generator: np.random.Generator) -> Instances:
    """γ or 1 − γ changed by a factor that is log-uniform down to 1e-6, γ moved a little, or a common one."""
    count, gamma = len(instances), instances.gamma
    factor = 10 ** -generator.uniform(0, 6, count)
    near = gamma + factor * generator.normal(size=count) * (1 - gamma)
    kinds = [gamma * factor, 1 - (1 - gamma) * factor, near, generator.random(count), generator.choice(GAMMAS, count)]
    chosen = np.choose(generator.integers(0, len(kinds), count), kinds)
    return instances.replace(gamma=np.clip(chosen, 0.0, 1 - 1e-6))


def other_rewards(instances: Instances, generator: np.random.Generator) -> Instances:
    """Rewards onto [0, 1], shifted to ≥ 0, of another size or sign, or the same everywhere in a state."""
    reward = instances.reward
    low = reward.min((1, 2), keepdims=True)
    span = reward.max((1, 2), keepdims=True) - low
    unit = (reward - low) / np.where(span > 0, span, 1.0)
    size = _each(generator, instances, -6, 6) ** generator.choice([1.0, 0.01], (len(instances), 1, 1))
    kinds = [unit, reward - low, reward * size, -reward, np.repeat(reward[:, :, :1], reward.shape[2], 2)]
    kind = np.broadcast_to(generator.integers(0, len(kinds), (len(instances), 1, 1)), reward.shape)
    chosen = np.choose(kind, kinds)
    return instances.replace(
        reward=chosen if instances.available is None else np.where(instances.available, chosen, 0.0)
    )


def _rows(move: Callable[[np.ndarray, np.random.Generator], np.ndarray]) -> Move:
    """A move of rows of probabilities: of one field of each instance, all rows or each with probability ½."""

    def moved(instances: Instances, generator: np.random.Generator) -> Instances:
        field = generator.integers(0, len(_FIELDS), len(instances))
        changes = {}
        for number, name in enumerate(_FIELDS):
            rows = getattr(instances, name)
            shape = (len(rows), *(1,) * (rows.ndim - 1))
            whole = (field == number).reshape(shape)
            some = generator.random((*rows.shape[:-1], 1)) < generator.choice([0.5, 1.0], shape)
            some = some & rows.any(-1, keepdims=True)
            changes[name] = np.where(whole & some, _normalised(move(rows, generator)), rows)
        changed = instances.replace(**changes)
        return changed if instances.available is None else with_available(changed, instances.available)

    return moved


_FIELDS = ("transition", "initial", "old", "new")


def _one_hot(rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """On the likeliest entry, or on any."""
    weight = rows + generator.choice([0.0, 1.0], (*rows.shape[:-1], 1)) * generator.random(rows.shape)
    return (weight == weight.max(-1, keepdims=True)).astype(float)


def _spread(rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Mixed with the uniform law, of a weight that is log-uniform down to 1e-8."""
    weight = 10 ** generator.uniform(-8, 0, (*rows.shape[:-1], 1))
    return (1 - weight) * rows + weight / rows.shape[-1]


def _sharper(rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Powers of the probabilities, some of which become as small as 1e-100; zeros stay."""
    power = np.exp(2 * generator.normal(size=(*rows.shape[:-1], 1)))
    return np.where(rows > 0, np.maximum(rows, 1e-300) ** power + 1e-100, 0.0)


def swapped(instances: Instances, generator: np.random.Generator) -> Instances:
    """The step back."""
    return instances.replace(old=instances.new, new=instances.old)


def same_rows(instances: Instances, generator: np.random.Generator) -> Instances:
    """new = old in some states, in all but one, or where old goes least."""
    count, states = instances.old.shape[:2]
    order = generator.random((count, states))
    only_one = order == order.max(1, keepdims=True)
    stays = np.where(generator.random((count, 1)) < 0.5, ~only_one, order < 0.5)[..., None]
    return instances.replace(new=np.where(stays, instances.old, instances.new))


def other_start(instances: Instances, generator: np.random.Generator) -> Instances:
    """One start state, or all of them alike."""
    count, states = instances.initial.shape
    first = np.eye(states)[generator.integers(0, states, count)]
    return instances.replace(initial=np.where(generator.random((count, 1)) < 0.5, first, 1.0 / states))


MOVES: tuple[Move, ...] = (
    *(other_length, other_discount, other_rewards, swapped, same_rows, other_start),
    *(_rows(_one_hot), _rows(_spread), _rows(_sharper), mutated),
)
"""What hypotheses ask for: short steps, discounts and rewards of another size, deterministic rows or full support, ..."""
