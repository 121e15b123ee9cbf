"""`BallArray`: arrays of `Ball`, on which NumPy's own arithmetic, comparisons and reductions work."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from trpo_theory.numerics.arithmetic import Array
from trpo_theory.numerics.ball import raw as r
from trpo_theory.numerics.ball.number import Ball, larger, smaller


class BallArray(np.ndarray):
    """An object array of balls, whose maximum is an enclosure even where it is open which entry is largest.

    Comparisons give boolean arrays; whatever NumPy's arithmetic makes of it is one again.
    """

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return apply(ufunc, method, inputs, options)

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, plain(value)[()])


def plain(x: Array) -> np.ndarray:
    """A number, or an array or nested list of them, as a bare object array of balls."""
    if type(x) is BallArray:
        return x.view(np.ndarray)
    if isinstance(x, np.ndarray | list | tuple):
        out = _to_ball(_objects(x))
        if isinstance(out, np.ndarray):
            return out
        x = out
    out = np.empty((), dtype=object)
    out[()] = Ball(x)
    return out


def _objects(x: Array) -> np.ndarray:
    """An object array of the numbers of x: of float32 in their own format, which says what decimals they are written as."""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.dtype != np.float64:
        out = np.empty(x.shape, dtype=object)
        out.ravel()[:] = list(x.ravel())
        return out
    return np.asarray(x, dtype=object)


def balls(x: Array) -> Array:
    """The same as a `BallArray`; a lone number as a `Ball`."""
    return _wrapped(plain(x)[()])


def elementwise(function: Callable[..., Ball], arity: int) -> Callable[..., Array]:
    """A function of balls that takes arrays of whatever numbers, too."""
    ufunc = np.frompyfunc(function, arity, 1)
    return lambda *args: _wrapped(ufunc(*(plain(arg) for arg in args)))


def _wrapped(out: Any) -> Any:
    return out.view(BallArray) if isinstance(out, np.ndarray) and out.dtype == object else out


_to_ball = np.frompyfunc(lambda x: x if type(x) is Ball else Ball(x), 1, 1)
_maximum, _minimum = np.frompyfunc(larger, 2, 1, identity=None), np.frompyfunc(smaller, 2, 1, identity=None)
_OURS = {
    np.maximum: (_maximum, None),
    np.minimum: (_minimum, None),
    np.square: (np.frompyfunc(lambda x: x**2, 1, 1), None),
    np.isfinite: (np.frompyfunc(lambda x: x.is_finite, 1, 1), bool),
    np.isinf: (np.frompyfunc(lambda x: isinstance(x.raw, float) and math.isinf(x.raw), 1, 1), bool),
    np.isnan: (np.frompyfunc(lambda x: r.is_nan(x.raw), 1, 1), bool),
}
"""What NumPy does by comparing, or not at all for objects."""


def apply(ufunc: np.ufunc, method: str, inputs: tuple[Array, ...], options: dict[str, Array]) -> Array:
    """A NumPy ufunc on balls: what `__array_ufunc__` of `Ball` and `BallArray` do."""
    ufunc, dtype = _OURS.get(ufunc, (ufunc, None))
    if "out" in options:
        options["out"] = tuple(o.view(np.ndarray) if isinstance(o, BallArray) else o for o in options["out"])
    if ufunc is np.add and method == "reduce" and options.get("where", True) is not True:
        options.setdefault("initial", 0)
    if "initial" in options and options["initial"] is not np._NoValue:  # type: ignore[attr-defined]
        options["initial"] = Ball(options["initial"])
    out = getattr(ufunc, method)(*(plain(x) for x in inputs), **options)
    if dtype is not None:
        return np.asarray(out, dtype=dtype)[()]
    return tuple(map(_wrapped, out)) if isinstance(out, tuple) else _wrapped(out)
