"""A function of three indices given by rules with wildcards; the latest rule that matches decides."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput

ANY = -1
"""The wildcard."""

_MAX_RULES = 2 * 10**7
"""Chosen: 16 bytes each, so that rules take at most 320 MB."""
_MAX_SUPPORT = 10**7
"""Non-zero values that rules expand to; chosen: with their three indices 320 MB."""


class Rules:
    """Rules (i, j, k) ↦ value, in which any index may be `ANY`; 0 where no rule matches.

    Stored in the order of the file, so that a wildcard takes no more memory than one entry; later rules override earlier ones.

    Args:
        sizes: how many values each index has.
        name: the name of the function in messages.
    """

    def __init__(self, sizes: tuple[int, int, int], name: str) -> None:
        self.sizes, self.name = sizes, name
        self._keys, self._values = array("q"), array("d")
        self._sorted: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None = None

    def add(self, i: int, j: int, k: int, value: float) -> None:
        """Set the value at (i, j, k)."""
        self._keys.append(self._key(i, j, k))
        self._values.append(value)
        self._check_count()

    def add_row(self, i: int, j: int, values: list[float]) -> None:
        """Set the values at (i, j, 0), (i, j, 1), ..."""
        first = self._key(i, j, 0)
        self._keys.extend(range(first, first + len(values)))
        self._values.extend(values)
        self._check_count()

    def add_identity(self, i: int) -> None:
        """Set 1 at (i, j, j) and 0 at (i, j, k) elsewhere."""
        self.add(i, ANY, ANY, 0.0)
        first, step = self._key(i, 0, 0), self.sizes[2] + 2
        self._keys.extend(range(first, first + step * self.sizes[1], step))
        self._values.extend([1.0] * self.sizes[1])
        self._check_count()

    def at(self, i: np.ndarray, j: np.ndarray, k: np.ndarray) -> np.ndarray:
        """The values at the given indices."""
        keys, order, values, masks = self._latest()
        out, latest = np.zeros(len(i)), np.full(len(i), -1)
        for mask in np.unique(masks):
            wanted = self._key(*(np.where(mask >> bit & 1, ANY, part) for bit, part in enumerate((i, j, k))))
            place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            newer = (keys[place] == wanted) & (order[place] > latest)
            out[newer], latest[newer] = values[place[newer]], order[place[newer]]
        return out

    def support(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The indices i, j, k of all values that are not zero, sorted, and the values."""
        keys, _, values, masks = self._latest()
        keys, masks = keys[values != 0], masks[values != 0]
        sizes = [[size if mask >> bit & 1 else 1 for bit, size in enumerate(self.sizes)] for mask in range(8)]
        count = sum(int((masks == mask).sum()) * a * b * c for mask, (a, b, c) in enumerate(sizes))
        if count > _MAX_SUPPORT:
            raise InvalidInput(
                got=f"rules that set {count:.3g} values of {self.name}",
                wanted=f"at most {_MAX_SUPPORT:.0e} that are not zero",
                fix="build the MDP with trpo_theory.io.from_triplets",
            )
        cells = [np.zeros(0, dtype=np.int64)]
        for mask in np.unique(masks):
            parts = np.array(self._split(keys[masks == mask]))[:, :, None, None, None]
            grids = np.ix_(*(np.arange(size) for size in sizes[mask]))
            i, j, k = (
                grid if mask >> bit & 1 else part for bit, (part, grid) in enumerate(zip(parts, grids, strict=True))
            )
            cells.append(
                np.broadcast_to((i * self.sizes[1] + j) * self.sizes[2] + k, (parts.shape[1], *sizes[mask])).ravel()
            )
        i, j, k = np.unravel_index(np.unique(np.concatenate(cells)), self.sizes)
        values = self.at(i, j, k)
        kept = values != 0
        return i[kept], j[kept], k[kept], values[kept]

    def _key(self, i: Any, j: Any, k: Any) -> Any:
        return ((i + 1) * (self.sizes[1] + 1) + j + 1) * (self.sizes[2] + 1) + k + 1

    def _split(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rest, k = np.divmod(keys, self.sizes[2] + 1)
        i, j = np.divmod(rest, self.sizes[1] + 1)
        return i - 1, j - 1, k - 1

    def _latest(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The rules that no later rule repeats, sorted by key: key, order of writing, value, which indices are wild."""
        if self._sorted is None:
            keys = np.array(self._keys, dtype=np.int64)
            order = np.argsort(keys, kind="stable")
            last = np.append(np.diff(keys[order]) != 0, True) if len(keys) else np.zeros(0, dtype=bool)
            order = order[last]
            masks = sum(((part == ANY) << bit for bit, part in enumerate(self._split(keys[order]))), 0)
            self._sorted = keys[order], order, np.array(self._values)[order], np.asarray(masks)
        return self._sorted

    def _check_count(self) -> None:
        self._sorted = None
        if len(self._keys) > _MAX_RULES:
            raise InvalidInput(
                got=f"more than {_MAX_RULES:.0e} values of {self.name}",
                wanted="a smaller model",
                fix="build it with trpo_theory.io.from_triplets",
            )
