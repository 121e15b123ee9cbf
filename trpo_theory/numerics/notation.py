"""The reductions and functions that formulas are written with, named as in mathematics, in any arithmetic."""

from __future__ import annotations

from typing import Any


class Notation:
    """Σ_s, max_a, √ and the like, over an `arithmetic`: the S axis is 0, the A axis 1, a batch trails.

    `max_a`, `min_a` and `sum_a` run over the available actions.
    """

    arithmetic: Any
    available: Any
    _all_available: bool

    def sum_s(self, x: Any, *, where: Any = None) -> Any:
        """Σ_s, over axis 0."""
        return self.arithmetic.sum(x, 0, where)

    def max_s(self, x: Any, *, where: Any = None) -> Any:
        """max_s, over axis 0."""
        return self.arithmetic.max(x, 0, where)

    def min_s(self, x: Any, *, where: Any = None) -> Any:
        """min_s, over axis 0."""
        return -self.arithmetic.max(-x, 0, where)

    def sum_a(self, x: Any, *, where: Any = None) -> Any:
        """Σ_a, over axis 1."""
        return self.arithmetic.sum(x, 1, self._actions(where))

    def max_a(self, x: Any, *, where: Any = None) -> Any:
        """max_a, over axis 1: of the available actions."""
        return self.arithmetic.max(x, 1, self._actions(where))

    def min_a(self, x: Any, *, where: Any = None) -> Any:
        """min_a, over axis 1: of the available actions."""
        return -self.arithmetic.max(-x, 1, self._actions(where))

    def _actions(self, where: Any) -> Any:
        if self._all_available:
            return where
        return self.available if where is None else where & self.available

    def sqrt(self, x: Any) -> Any:
        """√x."""
        return self.arithmetic.sqrt(x)

    def log(self, x: Any) -> Any:
        """The natural logarithm."""
        return self.arithmetic.log(x)

    def exp(self, x: Any) -> Any:
        """eˣ."""
        return self.arithmetic.exp(x)

    def minimum(self, x: Any, y: Any) -> Any:
        """The smaller, elementwise."""
        return self.arithmetic.minimum(x, y)

    def maximum(self, x: Any, y: Any) -> Any:
        """The larger, elementwise."""
        return self.arithmetic.maximum(x, y)

    def polylog(self, order: float, x: Any) -> Any:
        """Li_order(x) = Σ_{k≥1} xᵏ / k^order."""
        return self.arithmetic.polylog(order, x)

    def close(self, x: Any, y: Any) -> Any:
        """Whether x = y, elementwise: to a relative 1e-9 of the larger in floats, exactly in exact arithmetic."""
        return self.arithmetic.close(x, y)
