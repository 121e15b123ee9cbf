"""What pymdptoolbox holds: its MDP objects, and the pairs (P, R) that its examples return."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory import io
from trpo_theory.entries.foreign import cells
from trpo_theory.loading.reader import Reader, Source, required
from trpo_theory.model.types import RealLike


class MDPToolbox(Reader):
    """See `trpo_theory.io.from_mdptoolbox`."""

    form = "pymdptoolbox's (P, R)"

    def recognises(self, source: object) -> bool:
        """Whether it is such an object, or a pair whose first is A square matrices."""
        if isinstance(source, tuple):
            return len(source) == 2 and _are_matrices(source[0])
        return hasattr(source, "discount") and hasattr(source, "R") and _are_matrices(getattr(source, "P", None))

    def read(self, source: Any, gamma: RealLike | None) -> Source:
        """Its MDP; `gamma` overrides its discount, which a pair has not."""
        if isinstance(source, tuple):
            return Source(io.from_mdptoolbox(source[0], source[1], required(gamma, self.form)))
        reward = [np.ravel(one) for one in source.R] if isinstance(source.R, list | tuple) else source.R
        by_pair = np.stack(reward, axis=1) if isinstance(reward, list) else reward
        return Source(io.from_mdptoolbox(source.P, by_pair, source.discount if gamma is None else gamma))


def _are_matrices(value: Any) -> bool:
    shape = _shape(value)
    if len(shape) == 3:
        return shape[1] == shape[2]
    entries = cells(value) or []
    return bool(entries) and all(len(_shape(one)) == 2 for one in entries)


def _shape(value: Any) -> tuple[int, ...]:
    shape = getattr(value, "shape", ())
    return shape if isinstance(shape, tuple) else ()


READER: Reader = MDPToolbox()
