"""NumPy's functions of arrays on `Each`: on all instances at once where the axes allow it, else instance by instance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trpo_theory.numerics.plain.kinds import dtype_of
from trpo_theory.search.apart import linear
from trpo_theory.search.apart.calls import along, axis_of, instance_by_instance, parts_of, stacked, wrapped
from trpo_theory.search.apart.each import Each, data_of
from trpo_theory.search.apart.run import Run


def function(run: Run, called: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A function of NumPy that takes arrays."""
    kwargs = {name: dtype_of(value) for name, value in kwargs.items()}
    if "out" in kwargs and kwargs["out"] is not None:
        raise run.refuse("out= is not done for a batch")
    ours = _FUNCTIONS.get(called)
    if ours is None:
        return instance_by_instance(run, called, args, kwargs)
    return ours(run, called, *args, **kwargs)


def _concatenate(run: Run, _: Any, arrays: Any, axis: int | None = 0) -> Each:
    parts = parts_of(run, arrays)
    if axis is None:
        parts, axis = [part.reshape(-1, run.n) for part in parts], 0
    return Each(np.concatenate(parts, axis=axis_of(axis, parts[0].ndim - 1)), run)


def _reducer(run: Run, called: Any, a: Any, axis: Any = None, *rest: Any, **options: Any) -> Any:
    if rest:
        return instance_by_instance(run, called, (a, axis, *rest), options)
    return along(run, called, a, axis, options, True)


def _sorter(run: Run, called: Any, a: Any, axis: Any = -1, *rest: Any, **options: Any) -> Any:
    return (
        along(run, called, a, axis, options, False)
        if not rest
        else instance_by_instance(run, called, (a, axis, *rest), options)
    )


def _diff(run: Run, called: Any, a: Any, n: int = 1, axis: int = -1, **options: Any) -> Any:
    if options:
        return instance_by_instance(run, called, (a, n, axis), options)
    data = data_of(a, run)
    return Each(np.diff(data, n, axis_of(axis, data.ndim - 1)), run)


def _where(run: Run, called: Any, condition: Any, *choices: Any) -> Any:
    if not choices:
        return instance_by_instance(run, called, (condition,), {})
    return _elementwise(run, called, condition, *choices)


def _elementwise(run: Run, called: Any, *args: Any, **options: Any) -> Any:
    """A function that broadcasts all its arguments."""
    named = {name: data_of(x, run) if isinstance(x, Each) else x for name, x in options.items()}
    return wrapped(run, called(*(data_of(x, run) if x is not None else None for x in args), **named))


def _all_close(run: Run, called: Any, a: Any, b: Any, *rest: Any, **options: Any) -> Any:
    close = _elementwise(run, np.isclose, a, b, *rest, **options)
    return along(run, np.all, close, None, {}, True)


def _like(run: Run, called: Any, a: Any, *args: Any, **options: Any) -> Any:
    if isinstance(a, Each) and "shape" not in options:
        fill = [data_of(args[0], run), *args[1:]] if args and called is np.full_like else list(args)
        return Each(called(a.data, *fill, **options), run)
    return instance_by_instance(run, called, (a, *args), options)


def _reshape(run: Run, called: Any, a: Each, *args: Any, **options: Any) -> Any:
    """A function that moves entries only, and all instances' alike: it is tried on their numbers."""
    if not isinstance(a, Each):
        return instance_by_instance(run, called, (a, *args), options)
    places = called(np.arange(a.size).reshape(a.shape), *args, **options)
    return Each(a.data.reshape(-1, run.n)[places], run)


def _view(run: Run, called: Any, a: Each, *args: Any, **options: Any) -> Any:
    """`transpose`, `reshape`: of which writing into the result writes into the array."""
    if called is np.reshape:
        wanted = args[0] if args else options.get("shape", options.get("newshape"))
        return a.reshape(wanted)
    if called is np.ravel:
        return a.ravel(*args, **options)
    axes = args[0] if args else options.get("axes")
    order = range(a.ndim - 1, -1, -1) if axes is None else [axis_of(one, a.ndim) for one in axes]
    return Each(a.data.transpose((*order, a.ndim)), run)


def _average(run: Run, called: Any, a: Any, axis: Any = None, weights: Any = None, **options: Any) -> Any:
    if options or (weights is not None and axis is not None):
        return instance_by_instance(run, called, (a, axis, weights), options)
    if weights is None:
        return along(run, np.mean, a, axis, {}, True)
    total = along(run, np.sum, weights, None, {}, True)
    return along(run, np.sum, np.multiply(a, weights), None, {}, True) / total


def _shape(run: Run, called: Any, a: Any, *rest: Any) -> Any:
    return (
        called(np.broadcast_to(0.0, a.shape), *rest)
        if isinstance(a, Each)
        else instance_by_instance(run, called, (a, *rest), {})
    )


def _copy(run: Run, called: Any, a: Each, *args: Any, **options: Any) -> Any:
    return a.copy()


def _clip(run: Run, called: Any, a: Any, low: Any = None, high: Any = None, **options: Any) -> Any:
    low, high = options.get("min", options.get("a_min", low)), options.get("max", options.get("a_max", high))
    made = a
    made = made if low is None else np.maximum(made, low)
    return made if high is None else np.minimum(made, high)


_REDUCERS = (
    *(
        "sum",
        "prod",
        "max",
        "min",
        "amax",
        "amin",
        "mean",
        "std",
        "var",
        "any",
        "all",
        "median",
        "ptp",
        "argmax",
        "argmin",
    ),
    *(
        "nansum",
        "nanprod",
        "nanmax",
        "nanmin",
        "nanmean",
        "nanstd",
        "nanvar",
        "nanargmax",
        "nanargmin",
        "count_nonzero",
    ),
    *("cumsum", "cumprod", "nancumsum"),
)
_MOVING = ("squeeze", "expand_dims", "swapaxes", "moveaxis", "flip", "roll", "repeat", "tile", "diagonal", "rot90")
_MOVING += ("atleast_1d", "atleast_2d", "broadcast_to", "delete", "fliplr", "flipud", "rollaxis", "resize")
_LINALG = ("solve", "inv", "det", "slogdet", "matrix_power", "eigvals", "eigvalsh", "svd", "cholesky", "pinv", "eigh")


def _table() -> dict[Any, Callable[..., Any]]:
    by_name: dict[str, Callable[..., Any]] = {
        **dict.fromkeys(_REDUCERS, _reducer),
        **dict.fromkeys(("sort", "argsort"), _sorter),
        **dict.fromkeys(("isclose", "nan_to_num", "round", "around", "real"), _elementwise),
        **dict.fromkeys(("zeros_like", "ones_like", "empty_like", "full_like"), _like),
        **dict.fromkeys(("transpose", "permute_dims", "reshape", "ravel"), _view),
        **dict.fromkeys(("shape", "ndim", "size"), _shape),
        **dict.fromkeys(("dot", "vdot"), linear.dot),
        **dict.fromkeys(_MOVING, _reshape),
        "where": _where,
        "allclose": _all_close,
        "diff": _diff,
        "stack": stacked,
        "concatenate": _concatenate,
        "outer": linear.outer,
        "einsum": linear.einsum,
        "average": _average,
        "copy": _copy,
        "clip": _clip,
    }
    found = {getattr(np, name): ours for name, ours in by_name.items() if hasattr(np, name)}
    found |= {getattr(np.linalg, name): linear.linalg for name in _LINALG}
    return found | {np.linalg.norm: linear.norm}


_FUNCTIONS = _table()
"""How NumPy's functions are done on all instances at once; the others are done instance by instance."""
