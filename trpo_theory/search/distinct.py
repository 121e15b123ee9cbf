"""Distinct numbers of an array: as `np.unique` and `np.isin`, which import masked arrays, a tenth of a short command."""

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


def known_among(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Whether each value is one of `known`, which may be empty."""
    if not len(known):
        return np.zeros(values.shape, dtype=bool)
    ordered = np.sort(known)
    places = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[places] == values
