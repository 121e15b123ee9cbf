"""Python's `math`, `statistics`, `float` and `int` for `Each`."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from trpo_theory.search.apart.calls import array, run_of
from trpo_theory.search.apart.each import Each


def _number(x: Any) -> np.ndarray:
    if isinstance(x, Each):
        if x.size != 1:
            raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
        return x.data.reshape(-1).astype(float)
    return np.array([float(x)])


def as_float(x: Any = 0.0, /) -> Any:
    """`float`: a Python number."""
    return x.made(_number(x), True) if isinstance(x, Each) else float(x)


def as_int(x: Any = 0, /, *base: Any, **options: Any) -> Any:
    """`int`, which has exceptions for nan and infinity."""
    if not isinstance(x, Each):
        return int(x, *base, **options)
    data = _number(x)
    if x.run.decide(np.isnan(data)):
        raise ValueError("cannot convert float NaN to integer")
    if x.run.decide(np.isinf(data)):
        raise OverflowError("cannot convert float infinity to integer")
    return x.made(np.trunc(np.where(np.isfinite(data), data, 0)).astype(int), True)


_LIKE_NUMPY = (
    *(
        "sqrt",
        "exp",
        "exp2",
        "expm1",
        "log2",
        "log10",
        "log1p",
        "fabs",
        "sin",
        "cos",
        "tan",
        "sinh",
        "cosh",
        "tanh",
        "cbrt",
    ),
    *(
        "hypot",
        "atan2",
        "asin",
        "acos",
        "atan",
        "asinh",
        "acosh",
        "atanh",
        "pow",
        "fmod",
        "copysign",
        "degrees",
        "radians",
    ),
)
_TO_WHOLE = {"floor": np.floor, "ceil": np.ceil, "trunc": np.trunc}
_QUESTIONS = {"isfinite": np.isfinite, "isinf": np.isinf, "isnan": np.isnan}


def _numeric(name: str, ufunc: Any) -> Callable[..., Any]:
    """A function of `math`: where it has an exception and NumPy an infinity or nan, the exception."""
    original = getattr(math, name)

    def called(*args: Any) -> Any:
        run = run_of(args)
        if run is None:
            return original(*args)
        data = np.broadcast_arrays(*(_number(x) for x in args), np.zeros(run.n))[:-1]
        made = ufunc(*data)
        doubtful = ~np.isfinite(made) & np.isfinite(data).all(0)
        if run.decide(doubtful):
            original(*(float(x[run.first]) for x in data))
        return Each(made, run, True)

    return called


def _log(x: Any, *base: Any) -> Any:
    return _NATURAL(x) / _NATURAL(base[0]) if base else _NATURAL(x)


_NATURAL = _numeric("log", np.log)


def _whole(name: str, ufunc: Any) -> Callable[..., Any]:
    original = getattr(math, name)
    return lambda x: as_int(x.made(ufunc(_number(x)))) if isinstance(x, Each) else original(x)


def _question(name: str, ufunc: Any) -> Callable[..., Any]:
    original = getattr(math, name)
    return lambda x: x.made(ufunc(_number(x)), True) if isinstance(x, Each) else original(x)


def _of_list(original: Callable[..., Any], ours: Callable[[np.ndarray], np.ndarray]) -> Callable[..., Any]:
    """A function of a list of numbers."""

    def called(data: Iterable[Any], *args: Any, **options: Any) -> Any:
        items = list(data)
        run = run_of(items)
        if run is None:
            return original(items, *args, **options)
        if args or options:
            raise run.refuse(f"{original.__name__} has further arguments")
        return Each(ours(array(items).data.astype(float)), run, True)

    return called


def _is_close(a: Any, b: Any, *, rel_tol: float = 1e-9, abs_tol: float = 0.0) -> Any:
    run = run_of([a, b])
    if run is None:
        return math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)
    x, y = _number(a), _number(b)
    near = np.abs(x - y) <= np.maximum(rel_tol * np.maximum(np.abs(x), np.abs(y)), abs_tol)
    return Each(np.broadcast_to((x == y) | (near & np.isfinite(x) & np.isfinite(y)), (run.n,)).copy(), run, True)


def mathematics() -> dict[str, Any]:
    """What `math` has."""
    numpy_names = {"atan2": "arctan2", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "pow": "power"}
    numpy_names |= {"asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh"}
    found = {name: _numeric(name, getattr(np, numpy_names.get(name, name))) for name in _LIKE_NUMPY}
    found |= {name: _whole(name, ufunc) for name, ufunc in _TO_WHOLE.items()}
    found |= {name: _question(name, ufunc) for name, ufunc in _QUESTIONS.items()}
    sums = {"fsum": lambda x: x.sum(0), "prod": lambda x: x.prod(0)}
    found |= {name: _of_list(getattr(math, name), ours) for name, ours in sums.items()}
    return found | {"log": _log, "isclose": _is_close}


_MEANS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda x: x.mean(0),
    "fmean": lambda x: x.mean(0),
    "median": lambda x: np.median(x, axis=0),
    "pstdev": lambda x: x.std(0),
    "stdev": lambda x: x.std(0, ddof=1),
    "pvariance": lambda x: x.var(0),
    "variance": lambda x: x.var(0, ddof=1),
}


def of_statistics() -> dict[str, Any]:
    """What `statistics` has."""
    return {name: _of_list(getattr(statistics, name), ours) for name, ours in _MEANS.items()}
