"""`Graded`: truth values that say how far they are from the other one, so that a search can move towards a hypothesis.

`GradedFloats` is float64 whose comparisons give them. A comparison that fails misses by how far its sides are apart, relative
to the number it is compared with; "and" adds what its parts miss, "or" takes the least, "not" exchanges.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from trpo_theory.numerics.arithmetic import Array
from trpo_theory.numerics.float_array import FloatArray, in_floats
from trpo_theory.numerics.floats import Floats

_LEAST = 1e-12
"""What a comparison that fails misses at least: of strict ones between equal numbers, say. Chosen: above 0, below all else."""
_MOST = 1e3
"""What it misses at most, or where a side is nan. Chosen: log(1e308) is below."""


class GradedArray(FloatArray):
    """A float64 array whose comparisons are `Graded`; so are those of its entries."""

    keeps_numbers = True

    def __getitem__(self, index: Any) -> Any:
        entry = super().__getitem__(index)
        return np.asarray(entry).view(GradedArray) if isinstance(entry, np.float64) else entry

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if ufunc in _COMPARED and method == "__call__" and not options:
            return compared(ufunc, *inputs)
        return super().__array_ufunc__(ufunc, method, *inputs, **options)


class Graded(NDArrayOperatorsMixin):
    """Truth values, with what is missing for them to be true, and to be false.

    Attributes:
        missed: 0 where true, else a positive distance.
        spared: the same of the negation: 0 where false.
    """

    missed: np.ndarray
    spared: np.ndarray

    __slots__ = ("missed", "spared")
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, missed: Any, spared: Any) -> None:
        self.missed, self.spared = np.asarray(missed, dtype=np.float64), np.asarray(spared, dtype=np.float64)

    @property
    def truth(self) -> np.ndarray:
        """The truth values alone."""
        return self.missed == 0

    shape: Any = property(lambda self: self.missed.shape)
    ndim: Any = property(lambda self: self.missed.ndim)
    size: Any = property(lambda self: self.missed.size)
    dtype: Any = property(lambda self: np.dtype(bool))

    def __invert__(self) -> Graded:
        return Graded(self.spared, self.missed)

    def __and__(self, other: Any) -> Graded:
        one = graded(other)
        return Graded(self.missed + one.missed, np.minimum(self.spared, one.spared))

    def __or__(self, other: Any) -> Graded:
        return ~(~self & ~graded(other))

    def __xor__(self, other: Any) -> Graded:
        one = graded(other)
        return (self & ~one) | (~self & one)

    __rand__: Any = __and__
    __ror__: Any = __or__
    __rxor__: Any = __xor__

    def __eq__(self, other: Any) -> Any:
        return ~(self ^ other) if _is_truth(other) else np.equal(self.truth, other)

    def __ne__(self, other: Any) -> Any:
        return self ^ other if _is_truth(other) else np.not_equal(self.truth, other)

    def __bool__(self) -> bool:
        return bool(self.truth)

    def __len__(self) -> int:
        return len(self.missed)

    def __getitem__(self, index: Any) -> Graded:
        return Graded(self.missed[index], self.spared[index])

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        return np.asarray(self.truth, *args)

    def all(self, axis: Any = None, keepdims: bool = False) -> Graded:
        """Whether all are true along axes."""
        return Graded(self.missed.sum(axis, keepdims=keepdims), self.spared.min(axis, keepdims=keepdims))

    def any(self, axis: Any = None, keepdims: bool = False) -> Graded:
        """Whether one is true along axes."""
        return ~(~self).all(axis, keepdims)

    def sum(self, axis: Any = None) -> Any:
        """How many are true."""
        return Count(self, axis)

    def reshape(self, *shape: Any) -> Graded:
        """As NumPy's."""
        return Graded(self.missed.reshape(*shape), self.spared.reshape(*shape))

    def astype(self, dtype: Any) -> np.ndarray:
        """The truth values as numbers."""
        return self.truth.astype(dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        rule = _CONNECTED.get(ufunc)
        if rule is not None and method == "__call__" and not options:
            return rule(*map(graded, inputs))
        if ufunc in (np.logical_and, np.logical_or, np.bitwise_and, np.bitwise_or) and method == "reduce":
            along = self.all if ufunc in (np.logical_and, np.bitwise_and) else self.any
            return along(options.get("axis", 0))
        return getattr(ufunc, method)(*(x.truth if isinstance(x, Graded) else x for x in inputs), **options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        rule = {np.all: Graded.all, np.any: Graded.any, np.sum: Graded.sum, np.count_nonzero: Graded.sum}.get(function)
        if rule is not None and isinstance(args[0], Graded) and not kwargs.keys() - {"axis"}:
            return rule(*args, **kwargs)
        return function(*map(_plain, args), **{name: _plain(value) for name, value in kwargs.items()})


class Count(NDArrayOperatorsMixin):
    """How many of some `Graded` are true along axes; compared with a number it is graded, for all else an array of integers."""

    value: Any

    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, counted: Graded, axis: Any) -> None:
        axes = tuple(range(counted.ndim)) if axis is None else np.atleast_1d(axis) % counted.ndim
        front = tuple(int(one) for one in axes)
        shape = tuple(n for k, n in enumerate(counted.shape) if k not in front)

        def sorted_sums(part: np.ndarray) -> np.ndarray:
            """The sum of the k least, (n + 1, ...)."""
            flat = np.sort(np.moveaxis(part, front, range(len(front))).reshape(-1, *shape), axis=0)
            return np.concatenate([np.zeros((1, *shape)), np.cumsum(flat, axis=0)])

        self._to_have, self._to_lack = sorted_sums(counted.missed), sorted_sums(counted.spared)
        self.value = counted.truth.sum(axis)

    def _at_least(self, number: Any) -> Graded:
        most, k = len(self._to_have) - 1, int(np.ceil(number))
        missed = self._to_have[min(max(k, 0), most)] + _MOST * max(k - most, 0)
        spared = self._to_lack[min(max(most - k + 1, 0), most)] + _MOST * max(1 - k, 0)
        return Graded(missed, spared)

    def __ge__(self, number: Any) -> Any:
        return self._at_least(number) if np.ndim(number) == 0 else self.value >= number

    def __gt__(self, number: Any) -> Any:
        return self._at_least(np.floor(number) + 1) if np.ndim(number) == 0 else self.value > number

    def __lt__(self, number: Any) -> Any:
        return ~self._at_least(number) if np.ndim(number) == 0 else self.value < number

    def __le__(self, number: Any) -> Any:
        return ~(self > number) if np.ndim(number) == 0 else self.value <= number

    def __eq__(self, number: Any) -> Any:
        return (self >= number) & (self <= number)

    def __ne__(self, number: Any) -> Any:
        return ~(self == number)

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        return np.asarray(self.value, *args)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """A comparison with the count on its right is turned round."""
        swapped = _SWAPPED.get(ufunc)
        if swapped is not None and not isinstance(inputs[0], Count) and method == "__call__":
            return getattr(inputs[1], swapped)(inputs[0])
        return getattr(ufunc, method)(*(x.value if isinstance(x, Count) else x for x in inputs), **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.value, name)


def compared(ufunc: np.ufunc, x: Array, y: Array, truth: Any = None) -> Graded:
    """A comparison with how far it is from failing, or from holding.

    Two numbers are log(1 + |x − y|/|y|) apart where y is one number other than 0, log(1 + |x − y|) where it is 0, and where
    both are arrays relative to the larger one.
    """
    x, y = (np.asarray(in_floats(side)) for side in (x, y))
    with np.errstate(all="ignore"):
        holds = np.asarray(ufunc(x, y) if truth is None else truth)
        scale = np.maximum(np.abs(x), np.abs(y)) if x.ndim and y.ndim else np.abs(x if y.ndim else y)
        scale = np.where((scale > 0) & np.isfinite(scale), scale, 1.0)
        apart = np.log1p(np.abs(np.subtract(x, y, dtype=np.float64)) / scale)
    apart = np.clip(np.where(np.isnan(apart), _MOST, apart), _LEAST, _MOST)
    return Graded(np.where(holds, 0.0, apart), np.where(holds, apart, 0.0))


def graded(x: Any) -> Graded:
    """Plain truth values as graded ones: what is missing is 1, whatever it is."""
    if isinstance(x, Graded):
        return x
    truth = np.asarray(x, dtype=bool)
    return Graded(np.where(truth, 0.0, 1.0), np.where(truth, 1.0, 0.0))


def _plain(x: Any) -> Any:
    if isinstance(x, list | tuple):
        return type(x)(map(_plain, x))
    return x.truth if isinstance(x, Graded) else x


def _is_truth(x: object) -> bool:
    return isinstance(x, Graded | bool | np.bool_) or (isinstance(x, np.ndarray) and x.dtype == bool)


_COMPARED = frozenset({np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal})
_CONNECTED: dict[Any, Callable[..., Graded]] = {
    np.logical_and: Graded.__and__,
    np.bitwise_and: Graded.__and__,
    np.logical_or: Graded.__or__,
    np.bitwise_or: Graded.__or__,
    np.logical_xor: Graded.__xor__,
    np.bitwise_xor: Graded.__xor__,
    np.logical_not: Graded.__invert__,
    np.invert: Graded.__invert__,
    np.equal: lambda x, y: ~(x ^ y),
    np.not_equal: Graded.__xor__,
}
_SWAPPED = {
    np.less: "__gt__",
    np.less_equal: "__ge__",
    np.greater: "__lt__",
    np.greater_equal: "__le__",
    np.equal: "__eq__",
    np.not_equal: "__ne__",
}


class GradedFloats(Floats):
    """float64, `GradedArray`s in and out, for the evaluation of hypotheses."""

    name = "float64 with graded comparisons"

    @staticmethod
    def nan_to_inf(x: Array) -> Array:
        """∞ where x is nan."""
        return np.asarray(Floats.nan_to_inf(x)).view(GradedArray)

    @staticmethod
    def close(x: Array, y: Array) -> Array:
        """As in floats, graded."""
        return compared(np.equal, x, y, Floats.close(x, y))

    @staticmethod
    def enclosed(x: Array) -> Array:
        """x itself."""
        return x
