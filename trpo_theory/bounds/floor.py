"""`chi2/floor`: the sum over time of `chi2/mean-max`, with the one thing more that X_t, a likelihood ratio, is never negative.

At each time E X_t a(s_t) is at least min {E_p[X a] : X ≥ 0, E X = 1, E (X − 1)² ≤ v}, and so a step whose Ā is nowhere negative
is certified, however long it is. Proofs: docs/theory.md, "The floor".
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.bounds.formulas import Numbers
from trpo_theory.bounds.record import Bound
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.bounds.time_resolved import Loss, growth_by_mean, time_resolved
from trpo_theory.numerics.arithmetic import Arithmetic
from trpo_theory.numerics.floats import Floats
from trpo_theory.step.quantities import Quantities

_LEAST_SPARE = Fraction(1, 2**80)
"""Stands for a τ² below it, whose level b would be too far away to compute with. Chosen: for such v X ≥ 0 is no restriction, and
sd √v, which is tried too, is the best."""
_LEAST_SIZE = Fraction(1, 2**120)
"""Of y, in units of span(a): smaller ones are not divided by, and count as this. Chosen: below any rounding."""
_NEAR_BEST = 1e-6
"""Relative: levels that are as good as the best in floats. Chosen: far above their rounding."""
_NO_BETTER = 1e-13
"""Relative: by how much no level is better where X ≥ 0 is no restriction, or v none. Measured: the rounding of floats there."""


class LossOfRatio(Loss):
    """How far E X_t a(s_t) may be below E a(s_t), by v_t ≥ E (X_t − 1)², X_t ≥ 0 and the law of s_t.

    For any level b it is at most √((1 + v) E y²) − E y + E (a − b)⁺, y = (b − a)⁺, and at the best b it is that: then X ∝ y.
    """

    most_steps: int = 64
    """Chosen: each of them costs as many bounds as there are states."""
    depth: Any
    inside: Any

    def __init__(self, q: Quantities, a: Any) -> None:
        super().__init__(q, a)
        same = np.eye(len(self.a), dtype=bool).reshape(len(self.a), -1, *(1,) * (np.ndim(self.a) - 1))
        depth = q.arithmetic.where(same, 0, self.a[:, None] - self.a[None])
        self.depth, self.inside = depth, depth >= 0

    def at(self, laws: Any, v: Any) -> Numbers:
        """At some times, in units, (T, *batch), from their laws (T, S, *batch) and v_t (T, *batch): at most sd_t(a) √v_t.

        The best b is where X ∝ y has E X² = 1 + v: b = m + s/τ if X > 0 for a ≤ a' only, with M, m, s² mass, mean and variance
        of a there and τ² = M (1 + v) − 1. Every state's a is tried for a'.
        """
        q = self.q
        least = q.arithmetic.sum(laws * (self.a - q.min_s(self.a, where=q.visited)), 1)
        least = q.minimum(super().at(laws, v), least)
        if isinstance(q.arithmetic, Floats):
            for depth, inside in zip(self.depth, self.inside, strict=True):
                least = q.minimum(least, q.arithmetic.nan_to_inf(_at_best_level(q.arithmetic, laws, v, depth, inside)))
        else:
            for times, level in self._levels(laws, v, least):
                step = laws[times], v[times], self.depth[level], self.inside[level]
                found = q.arithmetic.nan_to_inf(_at_best_level(q.arithmetic, *step))
                least[times] = q.minimum(least[times], found)
        return q.maximum(least, 0 * least)  # as it is: in balls, the part of an enclosure that can be it

    def _levels(self, laws: Any, v: Any, least: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Times and for each the state whose a is tried for a' in balls.

        The a' that is best in floats and those within 1e-6 of it, at the times at which it is below what is known, `least`: any
        level gives a bound, and one of a hundred states costs what all of floats cost.
        """
        floats = Floats()
        a, laws, v, least = (self.q.arithmetic.nearest_floats(x) for x in (self.a, laws, v, least))
        states = np.unique(a, return_index=True)[1]
        depth = a[states, None] - a
        with np.errstate(all="ignore"):
            rows = [_at_best_level(floats, laws, v, row, row >= 0) for row in depth]
        found = floats.nan_to_inf(np.stack(rows))
        order = np.argsort(found, axis=0, kind="stable")
        found = np.take_along_axis(found, order, 0)
        near = (found <= found[0] * (1 + _NEAR_BEST)) & (found[0] < least * (1 - _NO_BETTER))
        for rank in np.flatnonzero(near.any(1)):
            times = np.flatnonzero(near[rank])
            yield times, states[order[rank, times]]

    def after(self, weight: Any) -> Numbers:
        """Σ over all later times of E a − min a."""
        return self.q.sum_s(weight * (self.a - self.q.min_s(self.a, where=self.q.visited)))


def _at_best_level(arithmetic: Arithmetic, laws: Any, v: Any, depth: Any, inside: Any) -> Any:
    """The loss at that b for a' − a = depth, which is ≥ 0 where inside: of terms ≥ 0, without cancellation."""
    where, total, sqrt, maximum = arithmetic.where, arithmetic.sum, arithmetic.sqrt, arithmetic.maximum
    least_spare, least_size = map(arithmetic.enclosed, (_LEAST_SPARE, _LEAST_SIZE))
    kept = where(inside, laws, 0)
    mass = total(kept, 1)
    share = kept / where(mass > 0, mass, 1)[:, None]
    far = total(share * depth, 1)
    sd = sqrt(abs(total(share * (depth - far[:, None]) ** 2, 1)))
    spare = v - total(where(inside, 0, laws), 1) * (1 + v)
    above = (sd / sqrt(maximum(spare, least_spare)) - far)[:, None] + depth
    y = maximum(above, 0 * depth)
    mean, square = total(laws * y, 1), total(laws * y**2, 1)
    size = maximum(sqrt(abs((1 + v) * square)) + mean, least_size)
    spread = total(laws * (y - mean[:, None]) ** 2, 1)
    return (v * square + spread) / size + least_size + total(laws * (y - above), 1)


def _floor(q: Quantities) -> Numbers:
    anywhere = q.surrogate_gain - q.min_s(q.expected_advantage) / (1 - q.gamma)
    step = q, q.expected_advantage, q.visited_chi2, growth_by_mean
    with_floor = time_resolved(*step, loss=LossOfRatio, otherwise=anywhere)
    return q.minimum(with_floor, time_resolved(*step, otherwise=anywhere))  # which takes more times one by one


BOUNDS = (
    Bound(
        "chi2/floor",
        _floor,
        r"\eta(\tilde\pi) \ge \eta(\pi) + \sum_t\gamma^t\min\{\mathbb{E}_{p_t}[X\bar A] : X\ge0,\ \mathbb{E}[X]=1,\ "
        r"\mathbb{E}(X-1)^2\le v_t\},\quad v_t\text{ of chi2/mean-max}",
        'derived in docs/theory.md, "The floor"',
        small_only=True,
        proof=Theorem("The ladder as computed"),
    ),
)
