"""`Batched`: a function of the quantities of one instance, run on those of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trpo_theory.numerics.floats import Floats
from trpo_theory.search.apart.arrays import Constant
from trpo_theory.search.apart.calls import array
from trpo_theory.search.apart.each import Each
from trpo_theory.search.apart.python import REWIRING
from trpo_theory.search.apart.run import NotApart, Run
from trpo_theory.search.apart.view import Part, View
from trpo_theory.step.fields import GIVEN
from trpo_theory.step.quantities import Quantities

_FEWEST, _SHARE = 24, 20
"""Passes over a batch of n instances at most: the first, or n over the second, where that is more. Chosen: a pass costs as much
as a few instances one at a time."""


_FAILING = 8
"""Where the first so many instances of a pass raise an exception one at a time, the rest is not run. Chosen."""
_SINGLY = 100
"""Instances at most that are run one at a time with error bounds or derivatives. Chosen: a tenth of a second or so."""


class Batched:
    """A function, to be called on quantities with or without a batch.

    Attributes:
        function: as it was written.
        unknown: what the result is of an instance that is left out.
        lenient: whether instances on which the function raises an exception are left out, unless it does on all of them.
        left_out: of the batch that it was called on last, those that the limit on passes leaves out, and failed, (n,) booleans.
        failed: those of them on which the function raised an exception, or would as well, (n,).
        error: such an exception; None where there was none.
        passes: over that batch.
        seen: the old policies of that batch, to know it by.
        refused: why some pass could not be made of a batch, whenever that was.
    """

    function: Callable[[Quantities], Any]
    unknown: float | bool
    lenient: bool
    failed: np.ndarray
    refused: str
    left_out: np.ndarray
    passes: int

    def __init__(self, function: Callable[[Quantities], Any], unknown: float | bool, *, lenient: bool = False) -> None:
        self.function, self.unknown, self.lenient = function, unknown, lenient
        self._copy = REWIRING.rewired(function)
        self.left_out = self.failed = np.zeros(0, dtype=bool)
        self.error: BaseException | None = None
        self.passes = 0
        self.seen: Any = None
        self.refused = ""

    @property
    def __code__(self) -> Any:
        """Of the function: errors and their lines are its own."""
        return self.function.__code__

    def __call__(self, q: Quantities) -> Any:
        """The result with the batch last, or of one instance."""
        if len(q.batch_shape) != 1 or not isinstance(q.arithmetic, Floats):
            return self.function(q)
        if not isinstance(q.old, np.ndarray):  # floats with error bounds, or recorded for derivatives
            return self._stacked(q, q.batch_shape[0])
        return self._in_parts(q, q.batch_shape[0])

    def _stacked(self, q: Quantities, count: int) -> Any:
        """The results one at a time, of a few instances in an arithmetic whose arrays are not NumPy's.

        Raises:
            TypeError: for many.
        """
        if count > _SINGLY:
            raise TypeError(f"a formula of one instance on {count} instances in {q.arithmetic.name}")
        made = [self.function(single(q, i)) for i in range(count)]
        return q.arithmetic.stack([one + 0 * q.gamma[i] for i, one in enumerate(made)], axis=-1)

    def _in_parts(self, q: Quantities, count: int) -> Any:
        limit = max(_FEWEST, count // _SHARE)
        todo = [np.arange(count)]
        done: list[tuple[np.ndarray, Any]] = []
        self.passes, self.seen = 0, q.old
        self.failed, self.error = np.zeros(count, dtype=bool), None
        while todo and self.passes < limit:
            todo.sort(key=len)
            index = todo.pop()
            self.passes += 1
            run = Run(len(index))
            try:
                value = self._pass(q, run, Part(run, count, None if len(index) == count else index))
                done.append((index[run.active], _of_active(value, run)))
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # of any kind, as in `proofs.settle.own_code`
                if isinstance(error, NotApart):
                    self.refused = str(error)
                todo.append(self._one_at_a_time(q, index[run.active], limit, done))
            todo += [index[mask] for mask in run.left]
            todo = [part for part in todo if len(part)]
        self.left_out = self.failed.copy()
        for index in todo:
            self.left_out[index] = True
        if self.error is not None and not done:
            raise self.error
        return self._together(done, count)

    def _one_at_a_time(
        self, q: Quantities, index: np.ndarray, limit: int, done: list[tuple[np.ndarray, Any]]
    ) -> np.ndarray:
        """Run as many instances as the limit on passes allows one at a time; those that are left, of which one may know more."""
        alone = index[: limit - self.passes + 1]
        self.passes += len(alone) - 1
        for number, i in enumerate(alone):
            try:
                done.append((alone[number : number + 1], _alone(self.function, q, int(i))))
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                if not self.lenient:
                    raise
                self.failed[i], self.error = True, error
            if number + 1 == _FAILING and self.failed[alone[:_FAILING]].all():
                self.failed[index] = True
                return index[:0]
        return index[len(alone) :]

    def _pass(self, q: Quantities, run: Run, part: Part) -> Any:
        before, Constant.run = Constant.run, run
        try:
            with np.errstate(all="ignore"):
                value = self._copy(View(q, part))
        finally:
            Constant.run = before
            if run.broken:
                raise NotApart(run.broken)
        return value

    def _together(self, done: list[tuple[np.ndarray, Any]], count: int) -> Any:
        """The results of all passes, with the batch last; what is no number is returned for the caller to complain of."""
        arrays = []
        for index, value in done:
            array = np.asarray(value)
            if array.dtype.kind not in "biuf":
                return value
            arrays.append((index, array))
        if len(arrays) == 1 and len(arrays[0][0]) == count:
            return arrays[0][1]
        shape = np.broadcast_shapes(*(array.shape[:-1] for _, array in arrays))
        kind = np.result_type(*(array.dtype for _, array in arrays))
        out = np.full(
            (*shape, count),
            self.unknown,
            dtype=kind if not self.left_out.any() else np.result_type(kind, type(self.unknown)),
        )
        for index, array in arrays:
            extra = (1,) * (len(shape) - array.ndim + 1)
            out[..., index] = array.reshape(*extra, *array.shape)
        return out


def single(q: Quantities, index: int) -> Quantities:
    """One instance of a batch, without a batch axis."""
    fields: dict[str, Any] = {name: getattr(q, name) for name in GIVEN if name != "batch_shape"}
    count = q.batch_shape[0]
    parts: dict[str, Any] = {
        name: _entry(x, index if x.shape[-1] == count else 0) if getattr(x, "shape", ()) else x
        for name, x in fields.items()
    }
    return Quantities(q.arithmetic, **parts)


def _entry(x: Any, index: int) -> Any:
    part = x[..., index]
    return part.copy() if isinstance(x, np.ndarray) else part


def _alone(function: Callable[[Quantities], Any], q: Quantities, index: int) -> Any:
    """What the function says of one instance by itself: its exceptions are the author's own."""
    with np.errstate(all="ignore"):
        value = np.asarray(function(single(q, index)))
    return value[..., None] if value.dtype != object or value.ndim else value


def _of_active(value: Any, run: Run) -> Any:
    """The result of the instances that a pass was about, batch last, (..., active)."""
    if isinstance(value, list | tuple):
        value = array(value)
    if isinstance(value, Each):
        return value.data[..., run.active]
    value = np.asarray(value)
    return value[..., None] if value.dtype != object or value.ndim else value
