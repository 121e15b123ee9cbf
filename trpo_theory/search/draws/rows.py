"""Rows of probabilities of every kind, and which states share them."""

from __future__ import annotations

import numpy as np

_EACH = 3
"""Of 16 instances so many have rows of each of the first five kinds of `random_rows`; the others the last. Chosen."""
_DECADES = 100
"""Probabilities go down to 10 to minus this. Chosen: far below any that floats can add to 1."""


def random_rows(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Rows of probabilities, each instance of one of six kinds.

    Dense, skewed, one-hot, on few entries, uniform on few, log-uniform down to some power of ten that is itself uniform.
    """
    kind = generator.integers(0, 16, shape[0], dtype=np.uint8) // _EACH
    weight = np.empty(shape)
    dense, skewed, one_hot, sparse, uniform, log_uniform = (_Drawn(generator, kind == k, shape) for k in range(6))
    weight[dense.where] = dense.exponential()
    weight[skewed.where] = np.square(np.square(skewed.exponential()))
    weight[one_hot.where] = one_hot.one_each()
    weight[sparse.where] = sparse.exponential() * sparse.few()
    weight[uniform.where] = uniform.few()
    weight[log_uniform.where] = log_uniform.powers()
    weight /= along_rows(np.add, weight)
    return weight


class _Drawn:
    """Random rows of the instances of one kind, of which only what the kind reads is drawn."""

    def __init__(self, generator: np.random.Generator, chosen: np.ndarray, shape: tuple[int, ...]) -> None:
        self.where = np.flatnonzero(chosen)
        self._generator, self._shape = generator, (len(self.where), *shape[1:])

    def exponential(self) -> np.ndarray:
        return self._generator.standard_exponential(self._shape)

    def one_each(self) -> np.ndarray:
        """Whether an entry is the one of its row, all as likely."""
        entries = self._shape[-1]
        return np.arange(entries) == self._generator.integers(0, entries, (*self._shape[:-1], 1))

    def few(self) -> np.ndarray:
        """Half of the entries, and one of each row in any case."""
        return (self._generator.integers(0, 2, self._shape, dtype=np.uint8) == 1) | self.one_each()

    def powers(self) -> np.ndarray:
        """10 to a power uniform down to one that is itself uniform down to −`_DECADES`."""
        decades = -_DECADES * self._generator.random((len(self.where), *[1] * (len(self._shape) - 1)))
        return 10 ** (decades * self._generator.random(self._shape))


def along_rows(operation: np.ufunc, array: np.ndarray) -> np.ndarray:
    """operation.reduce over the last axis, which is kept: entry by entry where rows are too short for NumPy to be fast."""
    if array.shape[-1] >= 8:
        return operation.reduce(array, -1, keepdims=True)
    out = array[..., :1].copy()
    for k in range(1, array.shape[-1]):
        operation(out, array[..., k : k + 1], out=out)
    return out


def vertices(generator: np.random.Generator, shape: tuple[int, ...], allowed: np.ndarray | None = None) -> np.ndarray:
    """Rows that are 1 at one of the entries allowed, each as likely, and 0 elsewhere."""
    lucky = generator.random(shape)
    if allowed is not None:
        lucky = np.where(allowed, lucky, -1.0)
    return (np.arange(shape[-1]) == lucky.argmax(-1)[..., None]).astype(float)


def on_allowed(rows: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Each row without what it has elsewhere, divided by its sum; uniform where nothing is left."""
    kept = np.where(allowed, rows, 0.0)
    total = along_rows(np.add, kept)
    kept = np.where(total > 0, kept, allowed)
    return np.where(allowed.all(-1, keepdims=True), rows, kept / along_rows(np.add, kept))


def share(policy: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Every state takes the row of the first state of its group."""
    (some,) = np.nonzero((groups != np.arange(groups.shape[1])).any(1))
    if not len(some):
        return policy
    shared, few = policy.copy(), groups[some]
    first = np.argmax(few[:, :, None] == few[:, None, :], axis=2)
    shared[some] = policy[some[:, None], first]
    return shared
