"""What errors become under NumPy's functions: each rule takes pairs (value, error) and returns one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

UNIT = float(np.finfo(np.float64).eps) / 2
"""The largest relative error of a rounding to nearest."""
_FUNCTION = 2 * UNIT
"""Of NumPy's log, exp and powers: they are within an ulp or so."""
Pair = tuple[Any, Any]
"""A value and the bound on its error: two arrays, or two numbers."""


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


RULES: dict[np.ufunc, Callable[..., Pair]] = {
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
OF_VALUES = frozenset(
    {
        *(np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal),
        *(np.isfinite, np.isinf, np.isnan, np.sign),
    }
)
"""Functions whose results are those of the values, without errors."""
REDUCTIONS: dict[np.ufunc, Callable[..., Pair]] = {np.add: _sum, np.maximum: _largest, np.minimum: _smallest}
