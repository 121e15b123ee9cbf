"""Rows of probabilities of every kind, and which states share them."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence

import numpy as np

_LOG_TEN = math.log(10)
"""The natural logarithm of 10."""
_SHARES = (3, 3, 3, 3, 3, 1)
"""Of 16 instances so many have rows of each of the six kinds of `random_rows`. Chosen."""
_QUANTILES = -np.log((np.arange(2**16) + 0.5) / 2**16)
"""Of the exponential law."""
_LONG = 8
"""Entries from which on NumPy is fast along a row. Measured. Up to it all supports of a row are written out."""
_MANY = 2048
"""Supports of longer rows that are drawn at once. Chosen: as many as there are of shorter ones."""
_DECADES = 100
"""Probabilities go down to 10 to minus this. Chosen: far below any that floats can add to 1."""


def random_rows(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Rows of probabilities, each instance of one of six kinds, in any order.

    One-hot, uniform on few entries, on few entries, dense, skewed, log-uniform down to some power of ten that is itself uniform.
    """
    weight = np.empty(shape)
    one, uniform, sparse, _, skewed, log_uniform = blocks(generator, shape[0], _SHARES)
    supports = _supports(generator, shape[-1])
    _any_of(generator, np.eye(shape[-1]), weight[one])
    _any_of(generator, supports / supports.sum(1, keepdims=True), weight[uniform])
    _exponential(generator, weight[sparse.start : skewed.stop])
    np.square(np.square(weight[skewed], out=weight[skewed]), out=weight[skewed])
    weight[sparse] *= _any_of(generator, supports, np.empty(weight[sparse].shape))
    weight[log_uniform] = _powers(generator, weight[log_uniform].shape)
    normalise(weight[sparse.start :])
    return shuffled(generator, weight)


def _supports(generator: np.random.Generator, size: int) -> np.ndarray:
    """Rows of 0 and 1: an entry that is 1, the others either; all such, or many of them where there are too many."""
    if size < _LONG:
        return _all_supports(size)
    one = np.eye(size).take(generator.integers(0, size, _MANY), 0)
    return np.maximum(one, generator.integers(0, 2, one.shape, dtype=np.uint8))


@functools.cache
def _all_supports(size: int) -> np.ndarray:
    return np.array(
        [np.maximum(one, others) for one in np.eye(size) for others in itertools.product((0, 1), repeat=size)]
    )


def _any_of(generator: np.random.Generator, rows: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Each row of out one of the rows, all as likely."""
    which = generator.integers(0, len(rows), math.prod(out.shape[:-1]))
    rows.take(which, 0, out=out.reshape(-1, out.shape[-1]), mode="clip")
    return out


def _exponential(generator: np.random.Generator, out: np.ndarray) -> None:
    """Independent exponential variables, quantiles of 2¹⁶ equally likely levels: in a third of the time of NumPy's."""
    levels = generator.integers(0, 2**64, -(-out.size // 4), dtype=np.uint64).view(np.uint16)[: out.size]
    _QUANTILES.take(levels.reshape(out.shape), out=out, mode="clip")


def blocks(generator: np.random.Generator, count: int, shares: Sequence[float]) -> list[slice]:
    """Consecutive parts of so many, in proportion to the shares, each rounded down or up at random: on average exact."""
    whole, offset = sum(shares), generator.random()
    ends = [int(count * (end / whole) + offset) for end in itertools.accumulate(shares, initial=0)]
    return [slice(*part) for part in itertools.pairwise(ends)]


def shuffled(generator: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """The instances in a random order, so that kinds of different fields are independent."""
    return array.take(generator.permutation(len(array)), 0)


def ten_to(power: np.ndarray) -> np.ndarray:
    """10 to a power, to 1e-14 of it at 1e100: in a quarter of the time of NumPy's."""
    return np.exp(_LOG_TEN * power)


def _powers(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """10 to a power uniform down to one that is itself uniform down to −`_DECADES`."""
    decades = -_DECADES * generator.random((shape[0], *[1] * (len(shape) - 1)))
    return ten_to(decades * generator.random(shape))


def along_rows(operation: np.ufunc, array: np.ndarray) -> np.ndarray:
    """operation.reduce over the last axis, which is kept: entry by entry where rows are too short for NumPy to be fast."""
    if array.shape[-1] >= _LONG:
        return operation.reduce(array, -1, keepdims=True)
    out = array[..., :1].copy()
    for k in range(1, array.shape[-1]):
        operation(out, array[..., k : k + 1], out=out)
    return out


def normalise(rows: np.ndarray) -> None:
    """Each row divided by its sum, in place; entry by entry as `along_rows`."""
    total = along_rows(np.add, rows)
    if rows.shape[-1] >= _LONG:
        rows /= total
        return
    for k in range(rows.shape[-1]):
        rows[..., k : k + 1] /= total


def largest_of(rows: np.ndarray) -> np.ndarray:
    """The place of the largest entry of each row, of equal ones the first: as argmax, and as fast as `along_rows`."""
    if rows.shape[-1] >= _LONG:
        return rows.argmax(-1)
    best, place = rows[..., 0], np.zeros(rows.shape[:-1], dtype=np.intp)
    for k in range(1, rows.shape[-1]):
        above = rows[..., k] > best
        best, place = np.where(above, rows[..., k], best), np.where(above, k, place)
    return place


def one_hot(place: np.ndarray, size: int) -> np.ndarray:
    """Whether an entry is the one at its row's place, (..., size)."""
    return place[..., None] == np.arange(size)


def vertices(generator: np.random.Generator, shape: tuple[int, ...], allowed: np.ndarray | None = None) -> np.ndarray:
    """Rows that are 1 at one of the entries allowed, each as likely, and 0 elsewhere."""
    lucky = generator.random(shape)
    if allowed is not None:
        lucky = np.where(allowed, lucky, -1.0)
    return one_hot(largest_of(lucky), shape[-1]).astype(float)


def on_allowed(rows: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Each row without what it has elsewhere, divided by its sum; uniform where nothing is left."""
    kept = np.where(allowed, rows, 0.0)
    total = along_rows(np.add, kept)
    kept = np.where(total > 0, kept, allowed)
    return np.where(allowed.all(-1, keepdims=True), rows, kept / along_rows(np.add, kept))


def share(policy: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Every state takes the row of the first state of its group."""
    return Sharing(groups)(policy)


class Sharing:
    """Which state of each instance gives its row to which: the first of a group to all of it; called on rows, (B, S, ...)."""

    def __init__(self, groups: np.ndarray) -> None:
        (self._some,) = np.nonzero(along_rows(np.logical_or, groups != np.arange(groups.shape[1]))[:, 0])
        few = groups.take(self._some, 0)
        self._first = np.argmax(few[:, :, None] == few[:, None, :], axis=2)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The rows as they are shared, in an array of their own if any are."""
        if not len(self._some):
            return rows
        shared = rows.copy()
        self.impose_on(shared)
        return shared

    def impose_on(self, rows: np.ndarray) -> None:
        """The same in place."""
        rows[self._some] = rows[self._some[:, None], self._first]
