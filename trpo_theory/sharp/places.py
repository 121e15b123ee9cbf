"""The places of the sharp gap's program: its nodes, then x = 0, then ∞, and how they are scaled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trpo_theory.sharp.inequalities import Inequalities


@dataclass(frozen=True, eq=False)
class Places:
    """0 .. N−1 are the nodes x_1 .. x_N, N is x = 0, and N+1 is ∞, where w has a slope in place of a value."""

    nodes: np.ndarray

    @property
    def zero(self) -> int:
        """That of x = 0."""
        return len(self.nodes)

    @property
    def infinity(self) -> int:
        """That of ∞."""
        return len(self.nodes) + 1

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.nodes) + 2

    @property
    def one(self) -> int:
        """That of x = 1, where a path starts."""
        return len(self.nodes) // 2

    def ratios(self, place: np.ndarray) -> np.ndarray:
        """X; NaN at ∞."""
        return np.append(self.nodes, [0.0, np.nan])[place]

    def scale(self, place: np.ndarray | int) -> np.ndarray:
        """1 + x, and 1 at ∞: w(x) is at most that times a constant."""
        return np.where(place == self.infinity, 1.0, 1 + np.append(self.nodes, [0.0, 0.0])[place])

    def row_scale(self, rows: Inequalities) -> np.ndarray:
        """The size of an inequality's coefficients: (1 + x) max(1, l)."""
        return self.scale(rows.place) * np.maximum(1.0, np.where(np.isinf(rows.ratio), 1.0, rows.ratio))
