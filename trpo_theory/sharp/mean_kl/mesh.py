"""Where the nodes of a supersolution, or of a witness, are: close to the likelihood ratio 1, in proportion to the distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mesh:
    """Where the nodes are. Chosen, by trial: what half a per cent of K needs.

    Attributes:
        radius: h.
        growth: |log x| grows by this factor from a node to the next one, but
        step: by no more than this where |log x| ≤ 3, and in proportion to |log x| beyond.
        far: the last node.
        near: the reciprocal of the first node after 0.
        inner: the first inner node is at radius/inner.
    """

    radius: float = 0.001
    growth: float = 0.1
    step: float = 0.1
    far: float = 300.0
    near: float = 300.0
    inner: float = 20.0

    def outside(self) -> np.ndarray:
        """0, the nodes left of 1, the nodes right of 1."""
        left, right = self._side(-1, np.log(self.near)), self._side(1, np.log(self.far))
        return np.concatenate([[0.0], left[::-1], right])

    def inside(self) -> np.ndarray:
        """Offsets of the inner nodes."""
        count = int(np.log(self.inner) / np.log1p(self.growth))
        return _round(self.radius * (1 + self.growth) ** -np.arange(count, 0, -1.0))

    def _side(self, sign: int, stop: float) -> np.ndarray:
        offsets, u = [self.radius], abs(np.log1p(sign * self.radius))
        while (u := u + min(self.growth * u, self.step * max(1.0, u / 3))) < stop:
            offsets.append(abs(np.expm1(sign * u)))
        return 1 + sign * np.append(self.radius, _round(np.array(offsets[1:])))


def _round(x: np.ndarray) -> np.ndarray:
    """To six significant digits, which keeps files short."""
    return np.array([float(f"{one:.6g}") for one in x])
