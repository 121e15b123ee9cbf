"""`Each`: an array of one instance, as a formula sees it, that holds those of a whole batch on a hidden last axis.

Shapes, indices, axes and reductions are those of one instance; arithmetic is NumPy's, on all instances at once. What a function
of NumPy does that is not in `functions` is done instance by instance: slower, but the formula itself still runs once.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from trpo_theory.numerics.float_array import in_floats
from trpo_theory.numerics.plain.kinds import dtype_of
from trpo_theory.search.apart.run import Run

METHODS = (
    *(
        "sum",
        "max",
        "min",
        "mean",
        "prod",
        "std",
        "var",
        "any",
        "all",
        "argmax",
        "argmin",
        "cumsum",
        "cumprod",
        "argsort",
    ),
    *("dot", "trace", "diagonal", "round", "clip", "take", "nonzero", "repeat", "swapaxes", "squeeze", "searchsorted"),
)
"""Methods of arrays that are functions of NumPy under the same name."""


class Each(NDArrayOperatorsMixin):
    """An array, or a number, of one instance, for every instance of a batch.

    Attributes:
        data: (*shape, n), an array of its own.
        run: the pass that it belongs to.
        python: whether it stands for a Python number, whose division by 0 is an error, and not for one of NumPy.
    """

    data: np.ndarray
    run: Run
    python: bool

    __slots__ = ("data", "python", "run")
    __array_priority__ = 1000

    def __init__(self, data: np.ndarray, run: Run, python: bool = False) -> None:
        self.data, self.run, self.python = data, run, python

    # --- what it looks like ------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one instance's."""
        return self.data.shape[:-1]

    @property
    def ndim(self) -> int:
        """Of one instance's."""
        return self.data.ndim - 1

    @property
    def size(self) -> int:
        """Of one instance's."""
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> np.dtype:
        """Of the entries."""
        return self.data.dtype

    @property
    def T(self) -> Each:
        """The axes in reverse."""
        return self.made(self.data.transpose((*range(self.ndim - 1, -1, -1), self.ndim)))

    @property
    def flat(self) -> Iterator[Any]:
        """The entries."""
        return iter(self.ravel())

    @property
    def real(self) -> Each:
        """Itself: complex numbers are the real part's."""
        return self.made(np.real(self.data))

    def made(self, data: np.ndarray, python: bool = False) -> Each:
        """Another one of the same pass."""
        return Each(data, self.run, python)

    def kept(self, new: np.ndarray, old: np.ndarray) -> np.ndarray:
        """What is written into entries: within a branch, only those of the instances that take it."""
        return np.where(self.run.active, new, old) if self.run.depth else new

    def one(self, index: int) -> Any:
        """Of one of the instances, as it would be by itself."""
        part = self.data[..., index]
        return part if self.ndim else part.item() if self.python else part[()]

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Each]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return iter([self.made(part) for part in self.data])

    def __repr__(self) -> str:
        return f"Each(shape={self.shape}, instances={self.run.n})"

    def __str__(self) -> str:
        raise self.run.refuse("it makes a text of a number")

    def __format__(self, spec: str) -> str:
        raise self.run.refuse("it makes a text of a number")

    def __hash__(self) -> int:  # type: ignore[override]
        raise self.run.refuse("a number is a key")

    # --- where one instance's number is wanted -----------------------------------------------------------------

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()"
            )
        data = self.data.reshape(-1)
        return self.run.decide(data if data.dtype == bool else data != 0)

    def __index__(self) -> int:
        if self.ndim or self.dtype.kind not in "iub":
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return int(self.run.choose(self.data))

    def __int__(self) -> int:
        return int(self.run.choose(np.trunc(self.data.reshape(-1))))

    def __float__(self) -> float:
        raise self.run.refuse("a function that knows Python's floats only is given a number of a batch")

    def __complex__(self) -> complex:
        raise self.run.refuse("a number is made complex")

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise self.run.refuse("a function that knows NumPy's arrays only is given one of a batch")

    def __round__(self, digits: int | None = None) -> Each:
        if digits is None:
            return self.made(np.rint(self.data).astype(int), True)
        if not self.python:
            return self.made(np.round(self.data, digits))
        return self.made(
            np.array([round(x, digits) for x in self.data.tolist()]), True
        )  # which rounds decimals exactly

    def __trunc__(self) -> Each:
        return self.made(np.trunc(self.data).astype(int), True)

    def __floor__(self) -> Each:
        return self.made(np.floor(self.data).astype(int), True)

    def __ceil__(self) -> Each:
        return self.made(np.ceil(self.data).astype(int), True)

    # --- entries -----------------------------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Any:
        return _room().entries.read(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _room().entries.write(self, key, value)

    # --- NumPy -------------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return _room().calls.ufunc(self.run, ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _room().table.function(self.run, function, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name not in METHODS:
            raise AttributeError(f"an array of one instance has no {name} here", name=name)
        function = getattr(np, name)
        return lambda *args, **kwargs: function(self, *args, **kwargs)

    def ravel(self, order: str = "C") -> Each:
        """The entries in one row."""
        if order != "C":
            raise self.run.refuse("the order of memory is not C")
        return self.made(self.data.reshape(-1, self.run.n))

    def flatten(self, order: str = "C") -> Each:
        """A copy of the entries in one row."""
        return self.ravel(order).copy()

    def reshape(self, *shape: Any, order: str = "C") -> Each:
        """The entries in another shape."""
        if order != "C":
            raise self.run.refuse("the order of memory is not C")
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        full = np.empty(self.shape).reshape(tuple(wanted)).shape
        return self.made(self.data.reshape(*full, self.run.n))

    def transpose(self, *axes: Any) -> Each:
        """The axes in another order."""
        wanted = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return np.transpose(self, wanted or None)  # type: ignore[call-overload]

    def copy(self, order: str = "C") -> Each:
        """A copy."""
        return self.made(self.data.copy())

    def __copy__(self) -> Each:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Each:
        return self.copy()

    def astype(self, dtype: Any, **options: Any) -> Each:
        """In another format."""
        return self.made(self.data.astype(dtype_of(dtype)))

    def fill(self, value: Any) -> None:
        """Write one number everywhere."""
        self.data[...] = self.kept(data_of(value, self.run), self.data)

    def sort(self, axis: int = -1) -> None:
        """Sort in place."""
        self.data[...] = self.kept(self.made(np.sort(self.data, axis % self.ndim)).data, self.data)

    def item(self, *index: int) -> Each:
        """An entry as a Python number."""
        if not index and self.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        part = (
            self[index[0] if len(index) == 1 else index]
            if index and self.ndim == len(index)
            else self.ravel()[index or 0]
        )
        return part.made(part.data, True)

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return [part.tolist() for part in self] if self.ndim else self.made(self.data, True)

    def is_integer(self) -> Each:
        """Whether a Python float is a whole number."""
        return self.made(self.data == np.floor(self.data))


def data_of(value: Any, run: Run) -> np.ndarray:
    """What stands for a value in NumPy's own functions: an array of one instance has a last axis of size 1."""
    if type(value) is Each:
        return value.data
    if isinstance(value, list | tuple):
        made = _room().calls.array(value)
        return made.data if isinstance(made, Each) else np.asarray(made)[..., None]
    value = np.asarray(in_floats(value))
    if value.dtype == object:
        raise run.refuse("an array holds objects")
    return value[..., None]


@functools.cache
def _room() -> Any:
    """The files that compute with `Each`, which import this one."""
    from trpo_theory.search.apart import calls, entries, table

    return SimpleNamespace(calls=calls, entries=entries, table=table)
