"""How a problem sums up the divergences of its rows: by their maximum, or by their mean under the visitation of old."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np


class Reduction(ABC):
    """From the divergences of rows (G, B) and their weights w = (1 − γ) ρ (G, B) to what is held down, and its dual.

    Attributes:
        name: as it stands in the names of problems: "max" or "mean".
        shares_multiplier: whether λ is the same in all rows of an instance (else rows are problems of their own).
    """

    name: ClassVar[str]
    shares_multiplier: ClassVar[bool]

    @abstractmethod
    def spent(self, divergence: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """What must not exceed δ, row by row (G, B) or once an instance (B,)."""

    @abstractmethod
    def reduce(self, divergence: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """The divergence of the policy, (B,)."""

    @abstractmethod
    def admissible(self, multiplier: np.ndarray, rho: np.ndarray) -> np.ndarray:
        """The multipliers of rows (G, B) made such that they prove an upper bound."""

    @abstractmethod
    def budget(self, multiplier: np.ndarray, rho: np.ndarray, complement: np.ndarray, delta: float) -> np.ndarray:
        """What admissible multipliers (G, B) charge for the radius δ in the dual function, (B,); complement is 1 − γ."""

    @abstractmethod
    def conic(self, divergence: Any, weight: np.ndarray) -> Any:
        """What a CVXPY program holds down: an expression of the rows' divergences (G,) and weights (G,)."""

    @abstractmethod
    def row_multipliers(self, dual_value: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """From the dual value of that constraint to Σ ρ λ's summands, (G,)."""


class _Max(Reduction):
    name = "max"
    shares_multiplier = False

    def spent(self, divergence: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return divergence

    def reduce(self, divergence: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return divergence.max(0)

    def admissible(self, multiplier: np.ndarray, rho: np.ndarray) -> np.ndarray:
        return multiplier

    def budget(self, multiplier: np.ndarray, rho: np.ndarray, complement: np.ndarray, delta: float) -> np.ndarray:
        return (rho * (multiplier * delta)).sum(0)

    def conic(self, divergence: Any, weight: np.ndarray) -> Any:
        return divergence

    def row_multipliers(self, dual_value: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return dual_value


class _Mean(Reduction):
    name = "mean"
    shares_multiplier = True

    def spent(self, divergence: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return (weight * np.where(weight > 0, divergence, 0.0)).sum(0)

    def reduce(self, divergence: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return self.spent(divergence, weight)

    def admissible(self, multiplier: np.ndarray, rho: np.ndarray) -> np.ndarray:
        shared = np.empty(rho.shape)
        shared[...] = np.maximum.reduce(np.where(rho > 0, multiplier, 0.0), 0)
        return shared

    def budget(self, multiplier: np.ndarray, rho: np.ndarray, complement: np.ndarray, delta: float) -> np.ndarray:
        return multiplier.max(0) * delta / complement

    def conic(self, divergence: Any, weight: np.ndarray) -> Any:
        return weight @ divergence

    def row_multipliers(self, dual_value: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return dual_value * weight


MAX: Reduction = _Max()
"""max over the rows."""

MEAN: Reduction = _Mean()
"""Σ_s d_old(s) of the rows, d_old = (1 − γ) ρ_old."""
