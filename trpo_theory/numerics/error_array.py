"""`ErrorArray`: float64 arrays that carry a bound on their error, kept up to date by NumPy's own arithmetic.

Each operation adds its own rounding to what its operands' errors become, "running error analysis" (Higham, Accuracy and Stability
of Numerical Algorithms, 2nd ed., section 3.3). Bounds are computed in floats themselves: they are not rigorous, as balls are, but
off by a share of 1e-15 of themselves only. Errors of operands count as independent: a bound is too large where they cancel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from trpo_theory.numerics.arithmetic import Array
from trpo_theory.numerics.error_rules import OF_VALUES, REDUCTIONS, RULES, UNIT, Pair
from trpo_theory.numerics.float_array import in_floats

_EXACT_BITS = 2.0**30
"""A Python float with so few bits after the point is taken as meant; others are rounded numbers, such as 0.1."""


class ErrorArray(NDArrayOperatorsMixin):
    """An array of numbers that are known to lie within `error` of `value`; comparisons are those of the values.

    What it does not know (casts, sorting, most of NumPy's functions) raises a TypeError: the caller falls back on plain floats.

    >>> x = ErrorArray(np.array([3.0, 0.5]), np.array([0.5, 0.0]))
    >>> (x * x).error.round(2), x > 1
    (array([3.25, 0.  ]), array([ True, False]))
    """

    value: np.ndarray
    error: np.ndarray

    __slots__ = ("error", "value")
    __array_priority__ = 100

    def __init__(self, value: Any, error: Any = 0.0) -> None:
        self.value = np.asarray(value, dtype=np.float64)
        error = np.broadcast_to(error, self.value.shape)
        infinite = np.isinf(self.value)
        self.error = np.where(infinite, 0.0, error) if infinite.any() else error  # ∞ comes of a 0 that is exactly 0

    shape: Any = property(lambda self: self.value.shape)
    ndim: Any = property(lambda self: self.value.ndim)
    size: Any = property(lambda self: self.value.size)
    dtype: Any = property(lambda self: self.value.dtype)
    T = property(lambda self: ErrorArray(self.value.T, self.error.T))

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, index: Any) -> ErrorArray:
        return ErrorArray(self.value[index], self.error[index])

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("an array with error bounds would lose them")

    def __bool__(self) -> bool:
        return bool(self.value)

    def __repr__(self) -> str:
        return f"ErrorArray({self.value}, error={self.error})"

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        rules = {"__call__": RULES, "reduce": REDUCTIONS}.get(method, {})
        of_values = method == "__call__" and ufunc in OF_VALUES
        plain = options.pop("out", None) is None and options.pop("where", True) is True
        if not plain or not (of_values or ufunc in rules):
            return NotImplemented
        with np.errstate(all="ignore"):
            pairs = [parts(x) for x in inputs]
            if of_values:
                return ufunc(*(value for value, _ in pairs))
            return ErrorArray(*rules[ufunc](*pairs, **options))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in _SHAPED:
            value, error = (_each(args, kwargs, side) for side in (0, 1))
            return _joined(function(*value[0], **value[1]), function(*error[0], **error[1]))
        if function in _REDUCED:
            return _REDUCED[function](*args, **kwargs)
        return NotImplemented

    def reshape(self, *shape: Any) -> ErrorArray:
        """As NumPy's."""
        return ErrorArray(self.value.reshape(*shape), self.error.reshape(*shape))

    def transpose(self, *axes: Any) -> ErrorArray:
        """As NumPy's."""
        return ErrorArray(self.value.transpose(*axes), self.error.transpose(*axes))

    def ravel(self) -> ErrorArray:
        """As NumPy's."""
        return self.reshape(-1)

    def sum(self, axis: Any = None, keepdims: bool = False) -> ErrorArray:
        """As NumPy's."""
        return ErrorArray(*REDUCTIONS[np.add]((self.value, self.error), axis=axis, keepdims=keepdims))

    def max(self, axis: Any = None, keepdims: bool = False) -> ErrorArray:
        """As NumPy's."""
        return ErrorArray(*REDUCTIONS[np.maximum]((self.value, self.error), axis=axis, keepdims=keepdims))

    def min(self, axis: Any = None, keepdims: bool = False) -> ErrorArray:
        """As NumPy's."""
        return -(-self).max(axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> ErrorArray:
        """As NumPy's."""
        total = self.sum(axis=axis, keepdims=keepdims)
        return total / (self.size / max(total.size, 1))

    def all(self, axis: Any = None) -> Any:
        """Whether no value is 0."""
        return (self.value != 0).all(axis=axis)

    def any(self, axis: Any = None) -> Any:
        """Whether some value is not 0."""
        return (self.value != 0).any(axis=axis)


def parts(x: Array) -> Pair:
    """Values and errors. A number that is written into a formula and is no short dyadic one stands for a decimal next to it."""
    if isinstance(x, ErrorArray):
        return x.value, x.error
    plain = in_floats(x)
    if plain is not x and not isinstance(x, np.ndarray) and isinstance(plain, float):  # a Fraction, or the like
        return plain, 0.0 if not math.isfinite(plain) or x == plain else UNIT * abs(plain)
    if type(x) is float:
        return x, 0.0 if not math.isfinite(x) or x * _EXACT_BITS % 1 == 0 else UNIT * abs(x)
    if isinstance(plain, np.ndarray) and plain.dtype.kind not in "fiub":
        raise TypeError(f"an array of {plain.dtype}")
    return plain, 0.0


def _each(args: Any, kwargs: Any, side: int) -> tuple[Any, Any]:
    """The arguments of a function that only moves entries, for values (0) or errors (1)."""

    def part(x: Any, template: Any = None) -> Any:
        if isinstance(x, ErrorArray):
            return (x.value, x.error)[side]
        if isinstance(x, list | tuple) and any(isinstance(entry, ErrorArray | np.ndarray) for entry in x):
            return [part(entry, template) for entry in x]
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            return x if side == 0 else np.zeros_like(x)
        return x

    return [part(x) for x in args], {name: part(x) for name, x in kwargs.items()}


def _joined(value: Any, error: Any) -> Any:
    if isinstance(value, list | tuple):
        return [ErrorArray(*pair) for pair in zip(value, error, strict=True)]
    return ErrorArray(value, error)


_SHAPED = frozenset(
    {
        *(np.stack, np.concatenate, np.split, np.broadcast_arrays, np.broadcast_to, np.reshape, np.transpose),
        *(np.expand_dims, np.squeeze, np.moveaxis, np.swapaxes, np.ravel, np.take_along_axis, np.where, np.roll),
    }
)
_REDUCED: dict[Any, Callable[..., Any]] = {
    np.sum: lambda x, axis=None, **options: x.sum(axis=axis, keepdims=options.get("keepdims", False)),
    np.max: lambda x, axis=None, **options: x.max(axis=axis, keepdims=options.get("keepdims", False)),
    np.min: lambda x, axis=None, **options: x.min(axis=axis, keepdims=options.get("keepdims", False)),
    np.mean: lambda x, axis=None, **options: x.mean(axis=axis, keepdims=options.get("keepdims", False)),
    np.all: lambda x, axis=None, **_: x.all(axis=axis),
    np.any: lambda x, axis=None, **_: x.any(axis=axis),
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.size,
}
