"""`ConicRows`: what the cone of a divergence reads of a conic program's rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class ConicRows:
    """Rows (G, A) and the scales that bring the variable x = (new − old)/unit and the divergence near 1.

    Attributes:
        old: the stored rows.
        unit: change = unit · x; step · old on old's support, 0 where the policy may not change.
        step: the size of new/old − 1 that is expected.
        radius: the divergence that is expected, or allowed; the cone's value is in units of it.
    """

    old: np.ndarray
    unit: np.ndarray
    step: float
    radius: float

    def ratio(self, x: Any) -> Any:
        """new/old on old's support, row after row, as an expression of x."""
        return 1 + self.step * x[self.old > 0]

    def on_support(self, terms: Any) -> Any:
        """Σ old terms / radius of each row, (G,), of an expression on old's support, row after row."""
        import scipy.sparse as sp  # pyright: ignore[reportMissingTypeStubs] - SciPy has no stubs

        row, column = np.nonzero(self.old > 0)
        where = (row, np.arange(len(row)))
        return sp.csr_array((self.old[row, column] / self.radius, where), shape=(len(self.old), len(row))) @ terms
