"""`View`: the quantities of a batch, or of a part of it, as those of one instance."""

from __future__ import annotations

import dataclasses
from types import ModuleType
from typing import Any

import numpy as np

from trpo_theory.search.apart import table
from trpo_theory.search.apart.each import Each, data_of
from trpo_theory.search.apart.run import Run
from trpo_theory.step.quantities import Quantities


@dataclasses.dataclass(frozen=True)
class Part:
    """Which instances of a batch of `count` a pass is about: those at `index`, or all (None)."""

    run: Run
    count: int
    index: np.ndarray | None

    def wrap(self, value: Any) -> Any:
        """What the quantities of the batch return, as those of one instance would return it."""
        if isinstance(value, np.ndarray) and value.ndim:
            return Each(self._part(np.asarray(value)), self.run)
        if isinstance(value, np.ndarray):
            return value[()]
        if isinstance(value, Quantities):
            return View(value, self)
        if type(value) in (tuple, list):
            return type(value)(map(self.wrap, value))
        if value is None or isinstance(value, np.generic | int | float | str | np.dtype | ModuleType):
            return value
        return _Called(value, self) if callable(value) else _Object(value, self)

    def _part(self, array: np.ndarray) -> np.ndarray:
        if array.shape[-1] not in (1, self.count):
            raise self.run.refuse("an array has no batch")
        if array.shape[-1] == self.count and self.index is not None:
            return array[..., self.index]
        return np.broadcast_to(array, (*array.shape[:-1], self.run.n)).copy()

    def unwrap(self, value: Any) -> Any:
        """An argument for the quantities of the batch."""
        if isinstance(value, Each):
            data = value.data
            if self.index is None:
                return data
            full = np.broadcast_to(data[..., [self.run.first]], (*value.shape, self.count)).copy()
            full[..., self.index] = data
            return full
        if isinstance(value, np.ndarray) and value.ndim:
            return data_of(value, self.run)
        if isinstance(value, list | tuple):
            return type(value)(map(self.unwrap, value))
        if isinstance(value, View):
            return value._plain_real
        return value


class _Called:
    """A function of the quantities, such as `q.max_s`."""

    def __init__(self, function: Any, part: Part) -> None:
        self.function, self.part = function, part

    def __call__(self, *args: Any, **options: Any) -> Any:
        name = getattr(self.function, "__name__", "")
        if name in ("identity", "eye"):
            return self.function(*args, **options)
        if name == "stack":
            return table.function(self.part.run, np.stack, args, options)
        if isinstance(options.get("axis"), int) and options["axis"] < 0:
            options["axis"] -= 1
        if name in ("sum", "max") and len(args) > 1 and args[1] < 0:
            args = (args[0], args[1] - 1, *args[2:])
        unwrapped = {key: self.part.unwrap(value) for key, value in options.items()}
        return self.part.wrap(self.function(*map(self.part.unwrap, args), **unwrapped))


class _Object:
    """Another object of the quantities, such as their arithmetic."""

    def __init__(self, real: Any, part: Part) -> None:
        vars(self).update(_plain_real=real, _plain_part=part)

    def __getattr__(self, name: str) -> Any:
        return self._plain_part.wrap(getattr(self._plain_real, name))


class View(_Object):
    """The quantities: each is computed for the whole batch, and read as an array of one instance.

    What a formula writes into an array is not seen by another pass.
    """

    @property
    def __class__(self) -> type:  # type: ignore[override]
        return Quantities

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Of one instance."""
        return ()

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        if isinstance(value, Each):
            vars(self)[name] = value
        return value
