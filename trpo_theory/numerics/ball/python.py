"""Python's `max`, `sorted`, `float`, `math.sqrt` and the like, for formulas that are run in balls.

`max` of balls is the ball of the maximum, even where it is open which is the largest, and so on. `float(x)` is x: a proof is
about the mathematics of a formula, without its rounding.
"""

from __future__ import annotations

import builtins
import math
import operator
import statistics
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from trpo_theory.numerics.ball.arrays import BallArray, balls
from trpo_theory.numerics.ball.number import Ball, larger, smaller
from trpo_theory.numerics.ball.raw import Undecided
from trpo_theory.numerics.plain.kinds import dtype_of, kind
from trpo_theory.numerics.plain.lists import takes_lists
from trpo_theory.numerics.plain.rewired import Rewiring

_NONE = object()


def _concerns(value: Any) -> bool:
    """Whether a number, or a list, has a ball in it."""
    if isinstance(value, list | tuple):
        return any(map(_concerns, value))
    return isinstance(value, Ball | BallArray)


def _are_numbers(items: list[Any]) -> bool:
    return _concerns(items) and all(isinstance(item, Ball) or np.ndim(item) == 0 for item in items)


def _extreme(name: str, of_two: Callable[[Any, Any], Ball]) -> Callable[..., Any]:
    original = getattr(builtins, name)

    def extreme(*args: Any, key: Any = None, default: Any = _NONE) -> Any:
        items = list(args[0]) if len(args) == 1 else list(args)
        if key is not None or not _are_numbers(items):
            return original(items, key=key, **({} if default is _NONE else {"default": default}))
        best = Ball(items[0])
        for item in items[1:]:
            best = of_two(best, item)
        return best

    extreme.__name__ = name
    return extreme


def _sorted(iterable: Iterable[Any], /, *, key: Any = None, reverse: bool = False) -> list[Any]:
    """Each place has a ball of the number that belongs there: by exchanges of two, whose smaller and larger are balls."""
    items = list(iterable)
    if key is not None or not _are_numbers(items):
        return builtins.sorted(items, key=key, reverse=reverse)
    items = [Ball(item) for item in items]
    for last in range(len(items) - 1, 0, -1):
        for i in range(last):
            items[i], items[i + 1] = smaller(items[i], items[i + 1]), larger(items[i], items[i + 1])
    return items[::-1] if reverse else items


def _float(x: Any = 0.0, /) -> Any:
    if isinstance(x, BallArray) and x.size == 1:
        return x.reshape(-1)[0]
    return x if isinstance(x, Ball) else float(x)


def _int(x: Any = 0, /, *base: Any, **options: Any) -> Any:
    if isinstance(x, BallArray) and x.size == 1:
        x = x.reshape(-1)[0]
    if not isinstance(x, Ball):
        return int(x, *base, **options)
    return _whole(x, math.trunc)


def _whole(x: Ball, rounded: Callable[[Any], int]) -> int:
    if not x.is_finite:
        return rounded(float(x.raw))
    below, above = rounded(x.lower), rounded(x.upper)
    if below != above:
        raise Undecided(f"which whole number {x!r} is rounded to is open")
    return below


def _round(x: Any, digits: int | None = None) -> Any:
    if not isinstance(x, Ball):
        return round(x, digits)
    if digits is None:
        return _whole(x, round)
    below, above = round(x.lower, digits), round(x.upper, digits)
    if below != above:
        raise Undecided(f"which decimal {x!r} is rounded to is open")
    return Ball(below)


def _of_number(name: str, ours: Callable[..., Any], fails: Callable[[Ball], Any] | None = None) -> Callable[..., Any]:
    """A function of `math`, with its exception for numbers that it has no value for."""
    original = getattr(math, name)

    def called(x: Any, /, *more: Any) -> Any:
        x = _float(x) if isinstance(x, BallArray) else x
        if not _concerns([x, *more]):
            return original(x, *more)
        x = Ball(x)
        if fails is not None and fails(x):
            raise ValueError("math domain error")
        return ours(x, *more)

    return called


def _listed(original: Callable[..., Any], ours: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """A function of a list of numbers."""

    def called(data: Iterable[Any], *args: Any, **options: Any) -> Any:
        items = list(data)
        return ours(items) if _concerns(items) and not args and not options else original(items, *args, **options)

    return called


def _product(items: list[Any]) -> Any:
    made: Any = 1
    for item in items:
        made = made * item
    return made


def _mean(items: list[Any]) -> Any:
    return sum(items) / len(items)


def _median(items: list[Any]) -> Any:
    ordered, middle = _sorted(items), len(items) // 2
    return ordered[middle] if len(items) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _log(x: Ball, *base: Any) -> Any:
    return x.log() / Ball(base[0]).log() if base else x.log()


def _math() -> dict[str, Any]:
    found: dict[str, Any] = {
        "sqrt": _of_number("sqrt", Ball.sqrt, lambda x: x < 0),
        "log": _of_number("log", _log, lambda x: x <= 0),
        "log1p": _of_number("log1p", Ball.log1p, lambda x: x <= -1),
        "exp": _of_number("exp", Ball.exp),
        "expm1": _of_number("expm1", Ball.expm1),
        "fabs": _of_number("fabs", abs),
        "pow": _of_number("pow", operator.pow),
        "hypot": _of_number("hypot", lambda x, *more: (x * x + sum(y * y for y in more)).sqrt()),
        "isfinite": _of_number("isfinite", lambda x: x.is_finite),
        "isinf": _of_number("isinf", lambda x: not x.is_finite and math.isinf(x.raw)),
        "isnan": _of_number("isnan", lambda x: not x.is_finite and math.isnan(x.raw)),
        "fsum": _listed(math.fsum, sum),
        "prod": _listed(math.prod, _product),
    }
    for name in ("floor", "ceil", "trunc"):
        original = getattr(math, name)
        found[name] = _of_number(name, lambda x, original=original: _whole(x, original))
    return found


# --- NumPy ---------------------------------------------------------------------------------------------------------


def _array(value: Any, dtype: Any = None, **options: Any) -> Any:
    if isinstance(value, BallArray) or (isinstance(value, list | tuple) and _concerns(value)):
        return balls(value)[...].copy()
    return np.array(value, dtype_of(dtype), **options)


def _as_array(value: Any, dtype: Any = None, **options: Any) -> Any:
    if isinstance(value, Ball | BallArray):
        return value
    return balls(value) if _concerns(value) else np.asarray(value, dtype_of(dtype), **options)


def _constant(name: str) -> Callable[..., Any]:
    original = getattr(np, name)

    def called(*args: Any, **options: Any) -> Any:
        """An array that balls can be written into, unless it is one of whole numbers or of truth values."""
        if name == "full" and len(args) > 1 and _concerns(args[1]):
            return balls(np.full(args[0], args[1], dtype=object))
        made = original(*map(dtype_of, args), **{key: dtype_of(value) for key, value in options.items()})
        return balls(made) if made.dtype.kind == "f" and made.ndim else made

    return called


def _norm(x: Any, ord: Any = None, axis: Any = None, **options: Any) -> Any:
    if not isinstance(x, BallArray) or options or (axis is None and x.ndim > 1 and ord is not None):
        return np.linalg.norm(x, ord, axis, **options)
    x = x.reshape(-1) if axis is None else x
    axis = 0 if axis is None else axis
    if ord == 1:
        return np.add.reduce(abs(x), axis=axis)
    if ord == np.inf:
        return np.maximum.reduce(abs(x), axis=axis)
    if ord in (None, 2):
        return np.sqrt(np.add.reduce(x * x, axis=axis))
    return np.linalg.norm(x, ord, axis)


def _solve(a: Any, b: Any) -> Any:
    """The solution of a x = b, by elimination, with pivots that are proved to differ from 0."""
    if not (_concerns(a) or _concerns(b)):
        return np.linalg.solve(a, b)
    left, right = balls(a).copy(), balls(b).copy()
    for k in range(len(left)):
        best = k + max(range(len(left) - k), key=lambda i, k=k: abs(left[k + i, k].midpoint))
        if left[best, k] == 0:
            raise np.linalg.LinAlgError("Singular matrix")
        left[[k, best]], right[[k, best]] = left[[best, k]], right[[best, k]]
        right[k], left[k] = right[k] / left[k, k], left[k] / left[k, k]
        for i in range(len(left)):
            if i != k:
                right[i], left[i] = right[i] - left[i, k] * right[k], left[i] - left[i, k] * left[k]
    return right


def _inv(a: Any) -> Any:
    return _solve(a, np.eye(len(a))) if _concerns(a) else np.linalg.inv(a)


def _np_median(x: Any, axis: Any = None, **options: Any) -> Any:
    if not _concerns(x) or axis not in (None, 0) or options or np.ndim(x) > 1:
        return np.median(x, axis, **options)
    return _median(list(x))


REWIRING = Rewiring(
    names={
        "max": _extreme("max", larger),
        "min": _extreme("min", smaller),
        "sorted": _sorted,
        "round": _round,
        "float": kind(float, _float, lambda x: isinstance(x, Ball)),
        "int": kind(int, _int, lambda x: False),
    },
    modules={
        "math": _math(),
        "statistics": {
            "mean": _listed(statistics.mean, _mean),
            "fmean": _listed(statistics.fmean, _mean),
            "median": _listed(statistics.median, _median),
        },
        "numpy": {
            "array": _array,
            "median": _np_median,
            **dict.fromkeys(("asarray", "asanyarray"), _as_array),
            **{name: _constant(name) for name in ("zeros", "ones", "empty", "full", "eye", "identity")},
        },
        "numpy.linalg": {"norm": _norm, "solve": _solve, "inv": _inv},
    },
    others={
        np.vectorize: lambda value, exchange: np.vectorize(exchange(value.pyfunc), otypes=[object]),
        **takes_lists(_concerns, balls),
    },
)
"""What a formula's code finds in the place of Python's and NumPy's own, in balls."""
