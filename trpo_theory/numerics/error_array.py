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
from trpo_theory.numerics.float_array import in_floats

UNIT = float(np.finfo(np.float64).eps) / 2
"""The largest relative error of a rounding to nearest."""
_FUNCTION = 2 * UNIT
"""Of NumPy's log, exp and powers: they are within an ulp or so."""
_EXACT_BITS = 2.0**30
"""A Python float with so few bits after the point is taken as meant; others are rounded numbers, such as 0.1."""
Pair = tuple[Any, Any]


class ErrorArray(NDArrayOperatorsMixin):
    """An array of numbers that are known to lie within `error` of `value`; comparisons are those of the values.

    What it does not know (casts, sorting, most of NumPy's functions) raises a TypeError: the caller falls back on plain floats.

    >>> x = ErrorArray(np.array([3.0, 0.5]), np.array([0.5, 0.0]))
    >>> (x * x).error.round(2), x > 1
    (array([3.25, 0.  ]), array([ True, False]))
    """

    value: Any
    error: Any

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
        if ufunc not in rules or options.get("out") is not None or options.get("where", True) is not True:
            return NotImplemented
        options.pop("out", None)
        options.pop("where", None)
        with np.errstate(all="ignore"):
            pairs = [parts(x) for x in inputs]
            if method == "__call__" and ufunc in _OF_VALUES:
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
        return ErrorArray(*_sum((self.value, self.error), axis=axis, keepdims=keepdims))

    def max(self, axis: Any = None, keepdims: bool = False) -> ErrorArray:
        """As NumPy's."""
        return ErrorArray(*_largest((self.value, self.error), axis=axis, keepdims=keepdims))

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


# --- what errors become: each rule takes pairs (value, error) and returns one ---------------------------------------


def _add(x: Pair, y: Pair) -> Pair:
    value = np.add(x[0], y[0])
    return value, x[1] + y[1] + UNIT * np.abs(value)


def _subtract(x: Pair, y: Pair) -> Pair:
    value = np.subtract(x[0], y[0])
    return value, x[1] + y[1] + UNIT * np.abs(value)


def _times(size: Any, error: Any) -> Any:
    """size · error, where an exact number has none, be it infinite."""
    return np.where(error == 0, 0.0, size * error) if isinstance(error, np.ndarray) or error else 0.0


def _multiply(x: Pair, y: Pair) -> Pair:
    value = np.multiply(x[0], y[0])
    return value, _times(np.abs(x[0]), y[1]) + _times(np.abs(y[0]) + y[1], x[1]) + UNIT * np.abs(value)


def _divide(x: Pair, y: Pair) -> Pair:
    value = np.divide(x[0], y[0])
    size = np.abs(value)
    least = np.maximum(np.abs(y[0]) - y[1], 0.0)
    return value, np.where(np.isinf(y[0]), 0.0, _over(x[1] + _times(size, y[1]), least)) + UNIT * size


def _over(error: Any, least: Any) -> Any:
    return np.where(error == 0, 0.0, np.divide(error, least))


def _sqrt(x: Pair) -> Pair:
    value = np.sqrt(x[0])
    low = np.sqrt(np.maximum(x[0] - x[1], 0.0))
    bottom = np.where(x[0] <= 0, np.sqrt(x[1]), value + low)
    return value, _over(x[1], bottom) + UNIT * value


def _log(x: Pair) -> Pair:
    value = np.log(x[0])
    return value, np.where(x[1] == 0, 0.0, -np.log1p(-np.minimum(x[1] / x[0], 1.0))) + _FUNCTION * np.abs(value)


def _log1p(x: Pair) -> Pair:
    value = np.log1p(x[0])
    return value, _over(x[1], np.maximum(1 + x[0] - x[1], 0.0)) + _FUNCTION * np.abs(value)


def _exp(x: Pair) -> Pair:
    value = np.exp(x[0])
    return value, value * np.expm1(x[1]) + _FUNCTION * value


def _expm1(x: Pair) -> Pair:
    value = np.expm1(x[0])
    return value, (value + 1) * np.expm1(x[1]) + _FUNCTION * np.abs(value)


def _power(x: Pair, y: Pair) -> Pair:
    """xʸ: of relative error |y| ε/x, and where ε is not small against x, the distance to (|x| ± ε)ʸ."""
    value = np.power(x[0], y[0])
    size, share = np.abs(value), np.abs(x[1] / x[0])
    relative = np.expm1(np.abs(y[0]) * -np.log1p(-np.minimum(share, 0.5)))
    far = np.maximum(
        np.abs(np.power(np.abs(x[0]) + x[1], y[0]) - size),
        np.abs(size - np.power(np.maximum(np.abs(x[0]) - x[1], 0.0), y[0])),
    )
    error = np.where(x[1] == 0, 0.0, np.where(share < 0.5, size * relative, far))
    of_power = _times(size * np.abs(np.log(np.abs(x[0]))), y[1])
    return value, error + np.where(size > 0, of_power, 0.0) + _FUNCTION * size


def _square(x: Pair) -> Pair:
    return _multiply(x, x)


def _maximum(x: Pair, y: Pair) -> Pair:
    """The smaller of two counts as far as its error lets it reach above the larger one."""
    value, behind = np.maximum(x[0], y[0]), np.abs(x[0] - y[0])
    first = np.asarray(x[0]) >= y[0]
    error = np.where(first, np.maximum(x[1], y[1] - behind), np.maximum(y[1], x[1] - behind))
    return value, np.where(np.isinf(value), 0.0, error)


def _minimum(x: Pair, y: Pair) -> Pair:
    value, error = _maximum((-x[0], x[1]), (-y[0], y[1]))
    return -value, error


def _same(function: np.ufunc) -> Callable[[Pair], Pair]:
    return lambda x: (function(x[0]), x[1])


def _sum(x: Pair, axis: Any = 0, keepdims: Any = False, **_: Any) -> Pair:
    value = np.add.reduce(x[0], axis=axis, keepdims=keepdims)
    terms = x[0].size / max(value.size, 1) - 1
    size = np.add.reduce(np.abs(x[0]), axis=axis, keepdims=keepdims)
    return value, np.add.reduce(x[1], axis=axis, keepdims=keepdims) + terms * UNIT * size


def _largest(x: Pair, axis: Any = 0, keepdims: Any = False, **_: Any) -> Pair:
    value = np.maximum.reduce(x[0], axis=axis, keepdims=True)
    reach = np.maximum.reduce(np.where(np.isinf(value), 0.0, (x[0] - value) + x[1]), axis=axis, keepdims=True)
    if keepdims:
        return value, reach
    shape = np.maximum.reduce(x[0], axis=axis).shape
    return value.reshape(shape), reach.reshape(shape)


def _smallest(x: Pair, **options: Any) -> Pair:
    value, error = _largest((-x[0], x[1]), **options)
    return -value, error


RULES: dict[Any, Callable[..., Any]] = {
    np.add: _add,
    np.subtract: _subtract,
    np.multiply: _multiply,
    np.divide: _divide,
    np.negative: _same(np.negative),
    np.positive: _same(np.positive),
    np.absolute: _same(np.absolute),
    np.sqrt: _sqrt,
    np.log: _log,
    np.log1p: _log1p,
    np.exp: _exp,
    np.expm1: _expm1,
    np.power: _power,
    np.square: _square,
    np.maximum: _maximum,
    np.minimum: _minimum,
}
_OF_VALUES = frozenset(
    {
        *(np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal),
        *(np.isfinite, np.isinf, np.isnan, np.sign),
    }
)
RULES.update(dict.fromkeys(_OF_VALUES, _same))
REDUCTIONS: dict[Any, Callable[..., Pair]] = {np.add: _sum, np.maximum: _largest, np.minimum: _smallest}
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
