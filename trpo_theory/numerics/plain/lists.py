"""NumPy's functions given lists of numbers of another kind, which its own dispatch does not see: `np.max([x, y])`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trpo_theory.numerics.plain.kinds import dtype_of

_OF_LISTS = {
    getattr(np, name) for name in ("stack", "concatenate", "vstack", "hstack", "column_stack", "dstack", "block")
}
_OF_LISTS |= {np.select, np.meshgrid, np.broadcast_arrays, np.einsum, np.ix_, np.linalg.multi_dot}
"""Functions of lists of arrays, which NumPy itself tells from arrays."""


class _Ufunc:
    """A ufunc that takes such lists."""

    def __init__(self, ufunc: np.ufunc, bundled: Callable[[Any], Any]) -> None:
        self.ufunc, self.call = ufunc, bundled(ufunc)
        self.reduce, self.accumulate, self.outer = map(bundled, (ufunc.reduce, ufunc.accumulate, ufunc.outer))

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.call(*args, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ufunc, name)


def takes_lists(concerns: Callable[[Any], bool], array: Callable[[Any], Any]) -> dict[type, Callable[[Any, Any], Any]]:
    """How `Rewiring` exchanges ufuncs and functions of NumPy.

    Args:
        concerns: whether a list holds a number of the other kind.
        array: makes an array of such a list.
    """

    def bundle(value: Any) -> Any:
        return array(value) if isinstance(value, list | tuple) and concerns(value) else dtype_of(value)

    def bundled(called: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **options: called(*map(bundle, args), **{name: bundle(x) for name, x in options.items()})

    return {
        np.ufunc: lambda value, _: _Ufunc(value, bundled),
        type(np.max): lambda value, _: value if value in _OF_LISTS else bundled(value),
    }
