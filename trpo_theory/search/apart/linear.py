"""Products of matrices and linear algebra on `Each`."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.search.apart.calls import axis_of, core_last, instance_by_instance, wrapped
from trpo_theory.search.apart.each import Each, data_of
from trpo_theory.search.apart.run import Run


def dot(run: Run, called: Any, a: Any, b: Any, **options: Any) -> Any:
    """`np.dot` and `np.vdot`."""
    x, y = data_of(a, run), data_of(b, run)
    if x.ndim == 1 or y.ndim == 1:
        return wrapped(run, x * y)
    if called is np.vdot:
        x, y = x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])
    if (x.ndim <= 3 and y.ndim == 2) or (x.ndim <= 3 and y.ndim == 3):
        return core_last(run, np.matmul, (a, b)) if called is not np.vdot else wrapped(run, (x * y).sum(0))
    return instance_by_instance(run, called, (a, b), options)


def outer(run: Run, called: Any, a: Any, b: Any, **options: Any) -> Any:
    """`np.outer`."""
    x, y = (part.reshape(-1, part.shape[-1]) for part in (data_of(a, run), data_of(b, run)))
    return wrapped(run, x[:, None] * y[None, :])


def einsum(run: Run, called: Any, subscripts: Any, *operands: Any, **options: Any) -> Any:
    """`np.einsum`, the batch under the ellipsis."""
    if not isinstance(subscripts, str) or "..." in subscripts:
        return instance_by_instance(run, called, (subscripts, *operands), options)
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    if not arrow:
        output = "".join(sorted(letter for letter in set(inputs) - {","} if inputs.count(letter) == 1))
    parts = [f"{part}..." for part in inputs.split(",")]
    options.pop("optimize", None)
    return wrapped(run, np.einsum(f"{','.join(parts)}->{output}...", *(data_of(x, run) for x in operands), **options))


def linalg(run: Run, called: Any, *args: Any, **options: Any) -> Any:
    """A function of `np.linalg` that takes a stack of matrices."""
    if called is np.linalg.solve and isinstance(args[1], Each) and args[1].ndim == 1:
        return linalg(run, called, args[0], args[1][:, None])[:, 0]
    if not all(isinstance(x, Each) for x in args):
        return instance_by_instance(run, called, args, options)
    if not run.active.all():  # one that has been left may be singular
        args = tuple(Each(np.where(run.active, x.data, x.data[..., [run.first]]), run) for x in args)
    try:
        return core_last(run, called, args, options)
    except np.linalg.LinAlgError:
        return instance_by_instance(run, called, args, options)


def norm(run: Run, called: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """`np.linalg.norm`."""
    data = data_of(x, run)
    if axis is None and ord is None:
        data, axis = data.reshape(-1, data.shape[-1]), 0
        if keepdims:
            return instance_by_instance(run, called, (x, ord, None, keepdims), {})
    if axis is None:
        if data.ndim not in (2, 3):
            raise ValueError("Improper number of dimensions to norm.")
        axis = 0 if data.ndim == 2 else (0, 1)
    ndim = data.ndim - 1
    axis = tuple(axis_of(one, ndim) for one in axis) if isinstance(axis, tuple) else axis_of(axis, ndim)
    return wrapped(run, called(data, ord, axis, keepdims))
