"""`np.zeros`, `np.array`, `np.vectorize` for formulas whose numbers are `Each`."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.numerics.plain.kinds import dtype_of
from trpo_theory.search.apart.calls import array, run_of
from trpo_theory.search.apart.each import Each
from trpo_theory.search.apart.run import Run

_NONE = object()


def as_array(value: Any, dtype: Any = None, **options: Any) -> Any:
    """`np.asarray`."""
    if isinstance(value, Each):
        return value if dtype is None else value.astype(dtype)
    return array(value, dtype, **options) if run_of(value) else np.asarray(value, dtype_of(dtype), **options)


class Vectorised:
    """`np.vectorize`: the function is called for each entry, of all instances at once."""

    function: Any
    options: dict[str, Any]

    def __init__(self, function: Any = _NONE, *_: Any, **options: Any) -> None:
        self.function, self.options = function, options

    def __call__(self, *args: Any) -> Any:
        """The results, in the shape of the arguments."""
        if self.function is _NONE:  # a decorator with arguments
            return Vectorised(args[0], **self.options)
        run = run_of(args)
        if run is None:
            return np.vectorize(self.function, **self.options)(*args)
        if set(self.options) - {"otypes", "doc", "cache"}:
            raise run.refuse("np.vectorize has further arguments")
        shapes = [np.shape(x) for x in args]
        shape = np.broadcast_shapes(*shapes)
        rows = [_entries(run, x, shape) for x in args]
        made = [self.function(*entries) for entries in zip(*rows, strict=True)]
        return array(made).reshape(shape) if run_of(made) else np.array(made).reshape(shape)


def _entries(run: Run, x: Any, shape: tuple[int, ...]) -> list[Any]:
    if isinstance(x, Each):
        return list(np.broadcast_to(x, shape).ravel()) if shape else [x]
    return list(np.broadcast_to(x, shape).ravel())


class Constant:
    """`np.zeros` and the like, while a formula runs: an array that numbers of a batch can be written into."""

    name: str
    original: Any

    run: Run | None = None

    def __init__(self, name: str) -> None:
        self.name, self.original = name, getattr(np, name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        """The array."""
        run = Constant.run
        fill = args[1:2] if self.name == "full" else ()
        if run is None:
            return self.original(*args, **options)
        options = {name: dtype_of(value) for name, value in options.items()}
        args = tuple(dtype_of(arg) for arg in args)
        if fill and run_of(fill):
            made = Each(np.empty((*np.empty(args[0]).shape, run.n)), run)
            made.data[...] = fill[0].data
            return made
        data = self.original(*args, **options)
        return Each(np.broadcast_to(data[..., None], (*data.shape, run.n)).copy(), run) if data.ndim else data
