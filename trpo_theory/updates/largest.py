"""The largest parameter of a family of steps up to which a bound certifies all of them, by a scan that is refined."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from trpo_theory.bounds import Bound
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics.layout import batch_last
from trpo_theory.solve.criteria import DISCOUNTED
from trpo_theory.step.idle import held_still
from trpo_theory.step.quantities import Quantities, quantities_of
from trpo_theory.updates.certified import Aim
from trpo_theory.updates.promises import Promise, joined, promised

_ENTRIES = 2**21
"""Of the chains of the steps that are evaluated at once, S² each: chosen, 16 MB of float64 an array."""

_ROUNDS, _POINTS = 4, 24
"""Of refinement, so many points in each: a cell of the scan is cut to 25⁻⁴ = 3e-6 of its width in log r. Chosen."""

RETREATS = (1.0, 1 - 1e-6, 0.99, 0.9, 0.5, 0.1)
"""What is made of a parameter, in turn, until its step, evaluated by itself, is certified. Chosen: the first is all but always;
the others are for roundings that differ between a batch and one instance."""

Evaluate = Callable[[np.ndarray], Promise]
"""From parameters (K,), ascending, to the promises of their steps (K,)."""


def largest_certified(evaluate: Evaluate, grid: np.ndarray, aim: Aim) -> float | None:
    """The largest parameter up to which all of the scan are certified; of these, for "promise", the best. None if none is.

    Args:
        evaluate: the family.
        grid: ascending and positive, from where every step is tiny.
        aim: as for `Certified`.
    """
    count = _leading(evaluate(grid).certified)
    if count == 0:
        return None
    low = float(grid[count - 1])
    if count < len(grid):
        high = float(grid[count])
        for _ in range(_ROUNDS):
            points = np.geomspace(low, high, _POINTS + 2)[1:-1]
            inside = _leading(evaluate(points).certified)
            low, high = float([low, *points][inside]), float([*points, high][inside])
    if aim == "radius":
        return low
    points = np.append(grid[: count - 1], low)
    return _best(evaluate, points, evaluate(points).value)


def _best(evaluate: Evaluate, points: np.ndarray, value: np.ndarray) -> float:
    """The point of the largest promise among those whose predecessors are all certified, refined around it."""
    best = int(value.argmax())
    at, most = float(points[best]), float(value[best])
    for _ in range(_ROUNDS):
        low, high = float(points[max(best - 1, 0)]), float(points[min(best + 1, len(points) - 1)])
        points = np.geomspace(low, high, _POINTS)
        found = evaluate(points)
        count = _leading(found.certified)
        best = int(found.value[:count].argmax()) if count else 0
        if not count or found.value[best] <= most:
            break
        points, at, most = points[:count], float(points[best]), float(found.value[best])
    return at


def _leading(certified: np.ndarray) -> int:
    """How many are certified before the first that is not."""
    return len(certified) if certified.all() else int(np.argmin(certified))


class Steps:
    """Steps from old, one MDP, as a bound sees them; what is known of old is computed once.

    New is replaced by old where no action matters, which changes neither η nor L.
    """

    def __init__(self, q: Quantities, mdp: FiniteMDP, bound: Bound) -> None:
        self._one, self._bound = q, bound
        self._each_alone = mdp.is_sparse or q.criterion is not DISCOUNTED
        self._many = q if self._each_alone else quantities_of(mdp, np.asarray(q.old)[None], np.asarray(q.old)[None])
        self._width = max(1, _ENTRIES // mdp.states**2)

    def one(self, new: np.ndarray) -> Promise:
        """Of one step, new of shape (S, A), or (T, S, A) over a horizon."""
        return promised(self._bound, held_still(self._one.with_new(new.reshape(np.shape(self._one.old)))))

    def each(self, new: np.ndarray) -> Promise:
        """Of many, new of shape (K, S, A), or (K, T, S, A)."""
        if self._each_alone:
            return joined([self.one(policy) for policy in new])
        return joined([promised(self._bound, q) for q in self._batches(new)])

    def _batches(self, new: np.ndarray) -> Iterator[Quantities]:
        for start in range(0, len(new), self._width):
            part = new[start : start + self._width]
            q = self._many.with_new(np.ascontiguousarray(batch_last(part)))
            q.batch_shape = (len(part),)
            yield held_still(q)
