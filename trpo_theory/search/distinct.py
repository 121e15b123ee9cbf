"""Distinct numbers of an array: as `np.unique`, which imports masked arrays first, as long as a tenth of all this package."""

from __future__ import annotations

import numpy as np


def places_of_distinct(values: np.ndarray) -> np.ndarray:
    """Where each distinct number stands first, in the order of the numbers; there are no NaNs among them."""
    order = values.argsort(kind="stable")
    ordered = values[order]
    first = np.ones(len(values), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return order[first]


def distinct(values: np.ndarray) -> np.ndarray:
    """The distinct numbers, in order."""
    return values[places_of_distinct(values)]
