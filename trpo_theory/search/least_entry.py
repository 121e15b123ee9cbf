"""`least_entry`: what a claim's code returned, reduced to one number for each instance."""

from __future__ import annotations

from typing import Any

import numpy as np


def least_entry(value: Any, count: int | None, reduce: Any, kinds: str, what: str) -> np.ndarray:
    """The least entry of each instance: the batch is the last axis, all before it belong to one instance.

    Args:
        value: what a claim's code returned.
        count: B; None for a single instance.
        reduce: `np.min` or `np.all`.
        kinds: of the array's dtype that are numbers, or truth values.
        what: it is, for the message.

    Raises:
        TypeError: if it is none of these.
        ValueError: if its shape is not that of a batch.
    """
    array = np.asarray(value)
    if array.dtype == object:
        array = array.astype(float)
    if array.dtype.kind not in kinds or not array.size:
        kind = f"a {type(value).__name__}" + (f" of {array.dtype}" if array.ndim else "")
        shown = kind if array.size else "an empty array"
        raise TypeError(f"{shown}, where {what} is wanted")
    if count is None:
        return np.asarray(reduce(array))
    if array.ndim and array.shape[-1] not in (1, count):
        raise ValueError(f"a result of shape {array.shape} for a batch of {count}")
    array = reduce(array, axis=tuple(range(array.ndim - 1))) if array.ndim > 1 else array
    return np.broadcast_to(array, (count,))
