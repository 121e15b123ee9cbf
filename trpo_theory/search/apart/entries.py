"""Reading and writing entries of `Each`, at places that may differ between the instances."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from trpo_theory.search.apart.calls import array, instance_by_instance
from trpo_theory.search.apart.each import Each, data_of
from trpo_theory.search.apart.selected import Selected


def read(x: Each, key: Any) -> Any:
    """x[key]."""
    key = _tuple_of(key)
    if len(key) == 1 and isinstance(key[0], Each) and key[0].dtype == bool and key[0].shape == x.shape and x.ndim:
        return Selected(x.ravel(), key[0].data.reshape(-1, x.run.n))
    if any(isinstance(part, Each) and part.dtype == bool for part in key):
        key = tuple(_settled(part) for part in key)
    if any(isinstance(part, Each) for part in key):
        return _gathered(x, key)
    if not any(part is Ellipsis for part in key):
        key = (*key, Ellipsis)
    return x.made(x.data[(*key, slice(None))])


def write(x: Each, key: Any, value: Any) -> None:
    """x[key] = value."""
    key = _tuple_of(key)
    if isinstance(value, Selected) and _is_mask_of(key, x, value):
        new = value.entries.data.reshape(x.data.shape)
        x.data[...] = x.kept(np.where(key[0].data, new, x.data), x.data)
        return
    value = value.settled() if isinstance(value, Selected) else value
    masks = [part for part in key if isinstance(part, Each) and part.dtype == bool]
    if (
        len(key) == 1
        and masks
        and not (isinstance(value, Each) and value.ndim)
        and not np.ndim(data_of(value, x.run)[..., 0])
    ):
        x.data[...] = x.kept(np.where(_like(masks[0].data, x.data), data_of(value, x.run), x.data), x.data)
        return
    key = tuple(_settled(part) for part in key)
    if any(isinstance(part, Each) for part in key):
        key = tuple(operator.index(part) if isinstance(part, Each) else part for part in key)
    if not any(part is Ellipsis for part in key):
        key = (*key, Ellipsis)
    key = (*key, slice(None))
    x.data[key] = x.kept(data_of(value, x.run), x.data[key])


def _is_mask_of(key: tuple[Any, ...], x: Each, value: Selected) -> bool:
    """Whether x[key] are the entries that the value has: x[mask] = 2 * x[mask]."""
    if len(key) != 1 or not isinstance(key[0], Each) or key[0].shape != x.shape:
        return False
    return np.array_equal(key[0].data.reshape(-1, x.run.n), value.mask)


def _gathered(x: Each, key: tuple[Any, ...]) -> Any:
    """Entries whose place differs between the instances."""
    numbers = [part for part in key if isinstance(part, Each | int | np.integer)]
    rest = [part for part in key if isinstance(part, slice)]
    if len(numbers) + len(rest) < len(key) or any(isinstance(part, Each) and part.ndim for part in numbers):
        return instance_by_instance(x.run, lambda whole, *places: whole[places], (x, *key), {})
    axes = x.shape[: len(key)]
    if len(key) > x.ndim:
        raise IndexError(f"too many indices for array: array is {x.ndim}-dimensional, but {len(key)} were indexed")
    places = [_place(part, size) for part, size in zip(key, axes, strict=True)]
    whole = (slice(None),) * (x.ndim - len(key))
    out = x.data[(*places, *whole, np.arange(x.run.n))]
    apart = bool(rest or whole)  # then NumPy puts the axis of all numbers first
    return x.made(np.moveaxis(out, 0, -1) if apart and out.ndim > 1 else out)


def _place(part: Any, size: int) -> Any:
    if not isinstance(part, Each):
        return part
    if part.dtype.kind not in "iu":
        raise IndexError("only integers, slices, ellipsis, None and integer or boolean arrays are valid indices")
    outside = (part.data < -size) | (part.data >= size)
    if part.run.decide(outside):
        raise IndexError(f"index is out of bounds for axis with size {size}")
    return np.where(outside, 0, part.data)


def _tuple_of(key: Any) -> tuple[Any, ...]:
    key = key if isinstance(key, tuple) else (key,)
    return tuple(_listed(part) if isinstance(part, list) else part for part in key)


def _listed(part: list[Any]) -> Any:
    if any(isinstance(one, Each) for one in part):
        return array(part)
    return part


def _settled(part: Any) -> Any:
    """A mask that all instances of the pass have in common: those that have another one are left."""
    if not isinstance(part, Each) or part.dtype != bool:
        return part
    rows = part.data.reshape(-1, part.run.n).T
    part.run.agree([row.tobytes() for row in rows])
    return rows[part.run.first].reshape(part.shape)


def _like(mask: np.ndarray, data: np.ndarray) -> np.ndarray:
    """A mask over the first axes, over all of them."""
    return mask.reshape(*mask.shape[:-1], *(1,) * (data.ndim - mask.ndim), mask.shape[-1])
