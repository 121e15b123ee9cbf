"""What `Each` is computed with: ufuncs and their reductions; arrays of lists; any function, instance by instance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trpo_theory.numerics.plain.kinds import dtype_of
from trpo_theory.search.apart.each import Each, data_of
from trpo_theory.search.apart.run import Run

# --- ufuncs --------------------------------------------------------------------------------------------------------


def ufunc(run: Run, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Elementwise functions, and their reductions along an axis of one instance."""
    if ufunc in (np.matmul, np.vecdot if hasattr(np, "vecdot") else np.matmul) and method == "__call__":
        return core_last(run, ufunc, inputs, options)
    outs = options.pop("out", ())
    options = {name: dtype_of(value) for name, value in options.items()}
    if method == "__call__":
        python = all(isinstance(x, int | float) or (type(x) is Each and x.python) for x in inputs)
        if "where" in options and options["where"] is not True:
            return instance_by_instance(run, ufunc, inputs, options) if not outs else _refused(run, "where= with out=")
        data = [data_of(x, run) if not isinstance(x, int | float) else x for x in inputs]
        if python:
            _python_errors(run, ufunc, data)
        made = ufunc(*data, **options)
        return _written(run, made, outs, python)
    if outs:
        raise run.refuse("out= in a reduction is not done for a batch")
    if method in ("reduce", "accumulate"):
        axis = options.pop("axis", 0)
        return along(run, getattr(ufunc, method), inputs[0], axis, options, method == "reduce")
    if method == "outer":
        x, y = (data_of(one, run) for one in inputs)
        return Each(ufunc(x.reshape(*x.shape[:-1], *(1,) * (y.ndim - 1), x.shape[-1]), y), run)
    raise run.refuse(f"np.{ufunc.__name__}.{method} is not done for a batch")


def core_last(run: Run, called: Any, args: Any, options: Any = None) -> Any:
    """A product of matrices or the like, of which NumPy does many at once where the batch is first."""
    options = {name: dtype_of(value) for name, value in (options or {}).items()}
    if options.pop("out", None):
        raise run.refuse("out= is not done for a batch")
    made = [data_of(x, run) for x in args]
    ranks = [x.ndim - 1 for x in made]
    first = [np.moveaxis(x, -1, 0) for x in made]
    if called is np.matmul:
        if 0 in ranks:
            raise ValueError("matmul: Input operand does not have enough dimensions")
        x, y = first
        x, y = (x[:, None, :] if ranks[0] == 1 else x), (y[:, :, None] if ranks[1] == 1 else y)
        most = max(x.ndim, y.ndim)
        x, y = (one.reshape(one.shape[0], *(1,) * (most - one.ndim), *one.shape[1:]) for one in (x, y))
        out = np.matmul(x, y, **options)
        out = out[..., 0] if ranks[1] == 1 else out
        out = (out[..., 0, :] if ranks[1] != 1 else out[..., 0]) if ranks[0] == 1 else out
    else:
        out = called(*first, **options)
    if isinstance(out, tuple):
        parts = [Each(np.moveaxis(part, 0, -1), run) for part in out]
        return type(out)(*parts) if hasattr(out, "_fields") else tuple(parts)
    return wrapped(run, np.moveaxis(out, 0, -1))


def _written(run: Run, made: Any, outs: tuple[Any, ...], python: bool) -> Any:
    if outs:
        if not isinstance(outs[0], Each):
            raise run.refuse("numbers are written into an array made elsewhere")
        outs[0].data[...] = outs[0].kept(made, outs[0].data)
        return outs[0]
    if isinstance(made, tuple):
        return tuple(Each(_floats(part), run, python) for part in made)
    return Each(_floats(made), run, python)


def _floats(made: np.ndarray) -> np.ndarray:
    """What `np.frompyfunc` returns, as numbers."""
    return made.astype(float) if made.dtype == object else made


def _python_errors(run: Run, ufunc: np.ufunc, data: list[Any]) -> None:
    """Python's numbers have exceptions where NumPy's have infinities: for the instances concerned they are raised."""
    if ufunc in (np.true_divide, np.floor_divide, np.remainder, np.divmod):
        zero = np.broadcast_to(np.equal(data[1], 0), (run.n,))
        if run.decide(zero):
            raise ZeroDivisionError("float division by zero")
    if ufunc is np.power:
        base, power = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in data))
        with np.errstate(all="ignore"):
            made = base**power
        if run.decide((base == 0) & (power < 0)):
            raise ZeroDivisionError("0.0 cannot be raised to a negative power")
        if run.decide(np.isinf(made) & np.isfinite(base) & np.isfinite(power) & (base != 0)):
            raise OverflowError(34, "Numerical result out of range")
        if run.decide((base < 0) & np.isfinite(base) & (power != np.floor(power))):
            raise run.refuse("a number is complex")


def along(run: Run, function: Any, x: Any, axis: Any, options: dict[str, Any], reduces: bool) -> Any:
    """A function along axes, which are those of one instance; None for all of them."""
    if any(isinstance(value, Each) for value in options.values()):
        return instance_by_instance(run, function, (x,), {"axis": axis, **options})
    data = data_of(x, run)
    ndim = data.ndim - 1
    if axis is None:
        if options.get("keepdims"):
            axis = tuple(range(ndim))
        else:
            data, axis, ndim = data.reshape(-1, data.shape[-1]), 0, 1
    if ndim == 0:
        if axis not in (0, -1, ()):
            raise np.exceptions.AxisError(axis, 0)  # type: ignore[arg-type]
        data, axis, ndim = data[None], 0, 1
    axis = tuple(axis_of(one, ndim) for one in axis) if isinstance(axis, tuple) else axis_of(axis, ndim)
    return wrapped(run, function(data, axis=axis, **options))


def axis_of(axis: Any, ndim: int) -> int:
    """An axis of one instance, from the front."""
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return axis % ndim


def wrapped(run: Run, made: Any) -> Any:
    """What NumPy made of arrays with the batch last."""
    if isinstance(made, tuple):
        return tuple(wrapped(run, part) for part in made)
    if made.shape[-1] != run.n:
        made = np.broadcast_to(made, (*made.shape[:-1], run.n)).copy()
    return Each(made, run)


def _refused(run: Run, reason: str) -> Any:
    raise run.refuse(reason)


# --- instance by instance, and together ---


def instance_by_instance(run: Run, called: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The function of each instance's own arguments, and the results together; instances of other shapes are left."""
    made = run.one_by_one(
        lambda i: called(*(_of(x, i) for x in args), **{name: _of(x, i) for name, x in kwargs.items()})
    )
    return _together(run, made)


def _of(value: Any, index: int) -> Any:
    """An argument as it is for one instance."""
    if isinstance(value, Each):
        return value.one(index)
    if type(value) in (list, tuple):
        return type(value)(_of(part, index) for part in value)
    if isinstance(value, dict):
        return {key: _of(part, index) for key, part in value.items()}
    return value


def _together(run: Run, made: list[Any]) -> Any:
    kind = type(made[run.first])
    if issubclass(kind, tuple | list):
        size = run.agree([len(one) for one in made])
        parts = [_together(run, [one[i] if i < len(one) else None for one in made]) for i in range(size)]
        return kind(*parts) if hasattr(kind, "_fields") else tuple(parts) if kind is tuple else list(parts)
    if made[run.first] is None:
        return None
    if isinstance(made[run.first], str) or not isinstance(
        np.asarray(made[run.first]).dtype.type(), np.number | np.bool_
    ):
        raise run.refuse(f"a function returns a {kind.__name__}")
    shape = run.agree([np.shape(one) for one in made])
    first = np.asarray(made[run.first])
    out = np.zeros(
        (*shape, run.n), dtype=first.dtype if first.dtype.kind != "i" else float if _any_float(made) else int
    )
    for i in np.flatnonzero(run.active):
        out[..., i] = made[i]
    return Each(out, run, isinstance(made[run.first], int | float) and not isinstance(made[run.first], np.generic))


def _any_float(made: list[Any]) -> bool:
    return any(np.asarray(one).dtype.kind == "f" for one in made)


def array(value: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.array` of nested lists that may hold `Each`."""
    run = run_of(value)
    if run is None:
        return np.array(value, dtype=dtype_of(dtype), **options)
    made = _nested(run, value)
    return made.astype(dtype) if dtype is not None else made


def _nested(run: Run, value: Any) -> Each:
    if isinstance(value, Each):
        return value.copy()
    if isinstance(value, list | tuple) and run_of(value) is not None:
        return stacked(run, np.stack, [_nested(run, part) for part in value])
    data = np.asarray(value)
    if data.dtype == object:
        data = data.astype(float)
    return Each(np.broadcast_to(data[..., None], (*data.shape, run.n)).copy(), run)


def run_of(value: Any) -> Run | None:
    """The pass that some number in a value belongs to."""
    if isinstance(value, Each):
        return value.run
    if isinstance(value, list | tuple):
        return next((run for run in map(run_of, value) if run is not None), None)
    if isinstance(value, dict):
        return run_of(list(value.values()))
    return None


def parts_of(run: Run, arrays: Any) -> list[np.ndarray]:
    """The arrays of a list, each with the whole batch last."""
    if isinstance(arrays, Each):
        arrays = list(arrays)
    made = [data_of(one, run) for one in arrays]
    return [np.broadcast_to(one, (*one.shape[:-1], run.n)) for one in made]


def stacked(run: Run, _: Any, arrays: Any, axis: int = 0) -> Each:
    """`np.stack`."""
    parts = parts_of(run, arrays)
    return Each(np.stack(parts, axis=axis_of(axis, parts[0].ndim)), run)
