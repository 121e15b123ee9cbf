"""A row problem under KL(old‖p) at u, in the notation of `forward_kl`: p, its KL and what it gains."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trpo_theory.numerics.divergence import kl_of_change, x_minus_log
from trpo_theory.updates.rows.rows import Rows

LEAST_NEW = 1e-300
"""What old takes, p takes at least as often as this (or as old does): at p = 0 < old, KL would be ∞, for no gain. Chosen
a little above the least normal float, 2.2e-308."""

LOSS = 14.0
"""Roundings ε that KL may be off by, relatively, so that plain logarithms may tell it: chosen, a third of those of a root."""

_NEAR = 0.1
"""The least p/old of which log1p(p/old − 1) is a log to all digits but one. Chosen."""

FAR = 1e-100
"""The least p/old at which no p may be as rare as LEAST_NEW, as old exceeds RARE or does not count. Chosen."""


class Point(NamedTuple):
    """Rows at u > 0: p/old, x and old x, (A, N), m and V, (N,), relative to scale."""

    rows: Rows
    ratio: np.ndarray
    x: np.ndarray
    change: np.ndarray
    m: np.ndarray
    v: np.ndarray

    @classmethod
    def at(cls, rows: Rows, u: np.ndarray) -> Point:
        """Of rows at u, (N,)."""
        y = rows.deficit / u
        z = 1 / (1 + y)
        weighted = rows.old * z
        m, w = np.add.reduce(weighted, 0), np.add.reduce(weighted * y, 0)
        ratio = z / m
        x = (w - m * y) * ratio
        change = rows.old * x
        return cls(rows, ratio, x, change, m, np.add.reduce(change * x, 0))

    def bend(self) -> np.ndarray:
        """d² KL/(dlog u)² over dKL/dlog u, (N,): 1 − m (1 + V) − 2m (1 − V + Σ old x³/V)."""
        skew = np.add.reduce(self.change * self.x**2, 0) / self.v
        return 1 - self.m * (3 - self.v + 2 * skew)

    def kl(self, loss: float = LOSS) -> np.ndarray:
        """KL, (N,), to `loss` roundings: by plain logarithms, at a fifth of the cost, where these tell as much.

        What x − log1p(x) leaves is ε E|x| ≤ ε √V of a KL of about V/2 or more, and x − log(p/old) leaves about ε.
        """
        old, least = self.rows.old, np.minimum.reduce(self.ratio, axis=None, initial=1.0)
        if least > _NEAR:
            if np.minimum.reduce(self.v, initial=1.0) >= (2 / loss) ** 2:
                return np.add.reduce(old * (self.x - np.log1p(self.x)), 0)
        elif least > FAR:
            kl = np.add.reduce(old * (self.x - np.log(self.ratio)), 0)
            if np.minimum.reduce(kl, initial=1.0) * loss >= 1:
                return kl
        if least > FAR:
            return np.add.reduce(old * x_minus_log(self.x, self.ratio), 0)
        return np.add.reduce(kl_of_change(old, self.new(), self.change), 0)

    def new(self, mass: np.ndarray | float = 1.0) -> np.ndarray:
        """p, (A, N), where so much of the mass, (N,), is left on old's support."""
        return np.maximum(self.rows.old * self.ratio * mass, np.minimum(self.rows.old, LEAST_NEW))

    def gain(self) -> np.ndarray:
        """Σ (p − old) A, (N,): Σ change = 0, so the deficit may be centred."""
        return -self.rows.scale * np.add.reduce(self.change * self.rows.centred, 0)
