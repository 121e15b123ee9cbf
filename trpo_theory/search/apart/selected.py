"""`Selected`: x[mask], whose entries are as many as each instance's mask has: reductions of it, and arithmetic on it.

Everything else is asked of the entries themselves, for the instances that have one mask in common: the others are left.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from trpo_theory.search.apart.each import Each
from trpo_theory.search.apart.run import Run

_OTHERWISE = {"sum": 0.0, "prod": 1.0, "max": -np.inf, "min": np.inf, "any": False, "all": True}
"""What stands in the place of an entry that is not selected."""
_METHODS = (*_OTHERWISE, "mean")
_UFUNCS = {np.add: "sum", np.multiply: "prod", np.maximum: "max", np.minimum: "min"}
_UFUNCS |= {np.logical_or: "any", np.logical_and: "all"}


class Selected(NDArrayOperatorsMixin):
    """The entries of an array of one instance under a mask, in one row.

    Attributes:
        entries: all of them, (K,).
        mask: which are selected, (K, n).
    """

    entries: Each
    mask: np.ndarray
    run: Run

    __array_priority__ = 1001

    def __init__(self, entries: Each, mask: np.ndarray) -> None:
        self.entries, self.mask, self.run = entries, mask, entries.run

    @property
    def size(self) -> Each:
        """How many."""
        return self.entries.made(np.count_nonzero(self.mask, axis=0), True)

    @property
    def shape(self) -> tuple[int, ...]:
        """For the instances that have as many."""
        return (len(self),)

    def __len__(self) -> int:
        return int(self.run.choose(self.size.data))

    def settled(self) -> Each:
        """The entries themselves, for the instances that have one mask in common."""
        columns = self.mask.T
        self.run.agree([column.tobytes() for column in columns])
        return self.entries.made(self.entries.data[columns[self.run.first]])

    def __iter__(self) -> Iterator[Each]:
        return iter(self.settled())

    def __getitem__(self, key: Any) -> Any:
        return self.settled()[key]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in _METHODS:
            return lambda axis=None, **options: self.reduced(name, axis, options)
        return getattr(self.settled(), name)

    def reduced(self, name: str, axis: Any = None, options: Any = None) -> Any:
        """The sum, the largest, ..., of those selected.

        Raises:
            ValueError: as NumPy does, for the largest or least of none.
        """
        if options or axis not in (None, 0, -1):
            return getattr(np, name)(self.settled(), axis=axis, **(options or {}))
        none = np.asarray(~self.mask.any(0))
        if name in ("max", "min") and self.run.decide(none):
            raise ValueError(f"zero-size array to reduction operation {name}imum which has no identity")
        if name == "mean":
            return self._mean()
        entries = np.where(self.mask, self.entries.data, _OTHERWISE[name])
        return self.entries.made(getattr(np, name)(entries, axis=0))

    def _mean(self) -> Each:
        total = np.where(self.mask, self.entries.data, 0.0).sum(0)
        return self.entries.made(total / np.count_nonzero(self.mask, axis=0))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if any(one is self for one in options.get("out") or ()):  # x[mask] *= 2: what it returns is written into x
            del options["out"]
        if method == "reduce" and ufunc in _UFUNCS:
            return self.reduced(_UFUNCS[ufunc], options.pop("axis", 0), options)
        others = [x for x in inputs if isinstance(x, Selected) and not np.array_equal(x.mask, self.mask)]
        shaped = [x for x in inputs if not isinstance(x, Selected) and np.ndim(x)]
        if method != "__call__" or others or shaped or options:
            return getattr(ufunc, method)(*map(plain, inputs), **options)
        made = ufunc(*(x.entries if isinstance(x, Selected) else x for x in inputs))
        return Selected(made, self.mask) if isinstance(made, Each) else plain(made)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = getattr(function, "__name__", "").removeprefix("a")
        if args and args[0] is self and name in _METHODS and len(args) <= 2:
            kwargs = dict(kwargs)
            axis = args[1] if len(args) == 2 else kwargs.pop("axis", None)
            return self.reduced(name, axis, kwargs)
        if function is np.size:
            return self.size
        return function(*map(plain, args), **{name: plain(value) for name, value in kwargs.items()})


def plain(value: Any) -> Any:
    """The entries themselves, of what is selected, in lists too."""
    if isinstance(value, Selected):
        return value.settled()
    return type(value)(map(plain, value)) if type(value) in (list, tuple) else value
