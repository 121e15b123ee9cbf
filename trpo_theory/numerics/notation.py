"""The reductions and functions that formulas are written with, named as in mathematics, in any arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from trpo_theory.numerics.arithmetic import Arithmetic, Array


class Notation:
    """Σ_s, max_a, √ and the like, over an `arithmetic`: the S axis is 0, the A axis 1, a batch last.

    `max_a`, `min_a` and `sum_a` run over the available actions.
    """

    arithmetic: Arithmetic
    available: Array
    _all_available: bool

    def sum_s(self, x: Array, *, where: Array | None = None) -> Array:
        """Σ_s, over axis 0."""
        return self.arithmetic.sum(x, 0, where)

    def max_s(self, x: Array, *, where: Array | None = None) -> Array:
        """max_s, over axis 0."""
        return self.arithmetic.max(x, 0, where)

    def min_s(self, x: Array, *, where: Array | None = None) -> Array:
        """min_s, over axis 0."""
        return -self.arithmetic.max(-x, 0, where)

    def sum_a(self, x: Array, *, where: Array | None = None) -> Array:
        """Σ_a, over axis 1."""
        return self.arithmetic.sum(x, 1, self._actions(where))

    def max_a(self, x: Array, *, where: Array | None = None) -> Array:
        """max_a, over axis 1: of the available actions."""
        return self.arithmetic.max(x, 1, self._actions(where))

    def min_a(self, x: Array, *, where: Array | None = None) -> Array:
        """min_a, over axis 1: of the available actions."""
        return -self.arithmetic.max(-x, 1, self._actions(where))

    def greedy(self, x: Array) -> Array:
        """The policy on the best available action, of several the first: (S, A, *batch), for x of shape (S, A, *batch).

        q.greedy(q.q_value) is a step of policy iteration. Ties are exact: in floats rounding may break one.

        Raises:
            Undecided: in balls, for enclosures that overlap.
        """
        largest: Array = ~(x < self.max_a(x)[:, None])
        if not self._all_available:
            largest = largest & self.available
        return self.arithmetic.where(largest & (np.cumsum(largest, axis=1) == 1), 1.0, 0.0)

    def _actions(self, where: Array | None) -> Array | None:
        if self._all_available:
            return where
        return self.available if where is None else where & self.available

    def sqrt(self, x: Array) -> Array:
        """√x."""
        return self.arithmetic.sqrt(x)

    def log(self, x: Array) -> Array:
        """The natural logarithm."""
        return self.arithmetic.log(x)

    def exp(self, x: Array) -> Array:
        """eˣ."""
        return self.arithmetic.exp(x)

    def minimum(self, x: Array, y: Array) -> Array:
        """The smaller, elementwise."""
        return self.arithmetic.minimum(x, y)

    def maximum(self, x: Array, y: Array) -> Array:
        """The larger, elementwise."""
        return self.arithmetic.maximum(x, y)

    def polylog(self, order: float | Fraction, x: Array) -> Array:
        """Li_order(x) = Σ_{k≥1} xᵏ / k^order."""
        return self.arithmetic.polylog(order, x)

    def close(self, x: Array, y: Array) -> Array:
        """Whether x = y, elementwise: to a relative 1e-9 of the larger in floats, exactly in exact arithmetic."""
        return self.arithmetic.close(x, y)
