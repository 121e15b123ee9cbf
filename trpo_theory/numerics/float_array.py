"""`FloatArray`: float64 arrays that take `Fraction` and the like as the nearest floats, so that formulas stay batched."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from trpo_theory.model import decimals
from trpo_theory.numerics.arithmetic import Array


class FloatArray(np.ndarray):
    """A float64 array whose arithmetic and comparisons read an exact number as the nearest float.

    NumPy's own arrays turn `Fraction(1, 3) * x` into an array of Python objects, a hundred times slower and refused by most
    functions, and find the float 0.9 above `Fraction(9, 10)`.

    >>> from fractions import Fraction
    >>> x = np.array([0.9, 0.5]).view(FloatArray)
    >>> x <= Fraction(9, 10), (Fraction(1, 2) * x).dtype
    (FloatArray([ True,  True]), dtype('float64'))
    """

    keeps_numbers = False
    """Whether a lone number that comes of an array is one without axes, and so of the same class."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and not options:  # nearly always
            return _wrapped(ufunc(*[_quickly_in_floats(x) for x in inputs]), type(self))
        if "out" in options:
            options["out"] = tuple(_bare(out) for out in options["out"])
        return _wrapped(getattr(ufunc, method)(*[in_floats(x) for x in inputs], **options), type(self))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _wrapped(super().__array_function__(function, types, args, kwargs), type(self))


_PLAIN = (float, int, bool, np.float64)
"""Types of numbers that NumPy knows, which need no closer look."""


def float_array(x: Array) -> Array:
    """A `FloatArray` of the same memory; a lone float64 as an array without axes, for which the same is true."""
    array = np.asarray(x)
    return array.view(FloatArray) if array.dtype == np.float64 else x


def in_floats(x: Array) -> Array:
    """The same in what NumPy computes with: an exact number, or an array of Python numbers, in floats; else unchanged."""
    if isinstance(x, np.ndarray):
        numbers = x.dtype == object and all(
            decimals.is_exact(entry) or isinstance(entry, int | float) for entry in x.flat
        )
        if numbers:
            return np.array([decimals.nearest_float(entry) for entry in x.flat], dtype=np.float64).reshape(x.shape)
        return _bare(x)
    if type(x) in _PLAIN or not decimals.is_exact(x):
        return x
    return decimals.nearest_float(x)


def _quickly_in_floats(x: Array) -> Array:
    """`in_floats`, without a detour for the arrays that formulas are full of."""
    return x.view(np.ndarray) if type(x) is FloatArray and not x.dtype.hasobject else in_floats(x)


def takes_exact(function: Callable[..., Array]) -> Callable[..., Array]:
    """A function of float arrays that takes exact numbers, too, and returns a `FloatArray`, or subclass, where given one."""

    @functools.wraps(function)
    def of_any(*args: Array, **options: Any) -> Array:
        if all(type(x) is np.ndarray and x.dtype == np.float64 for x in args):
            return function(*args, **options)
        out = function(*(in_floats(x) for x in args), **options)
        kind = next((type(x) for x in args if isinstance(x, FloatArray)), None)
        return out if kind is None else _wrapped(out, kind)

    return of_any


def _bare(x: Array) -> Array:
    return x.view(np.ndarray) if isinstance(x, FloatArray) else x


def _wrapped(out: Any, kind: type[FloatArray]) -> Any:
    if type(out) is np.ndarray:
        return out.view(kind)
    if isinstance(out, tuple):
        return tuple(_wrapped(part, kind) for part in out)
    if kind.keeps_numbers and isinstance(out, np.float64):
        return np.asarray(out).view(kind)
    return out
