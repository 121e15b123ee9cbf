"""Python's `max`, `min`, `sum`, `sorted`, `float`, `math.sqrt`, `np.array` and the like, for `Each`.

Given no `Each` they do what they always do. `max` and `min` are Python's to the letter: the first one stays unless a later one is
larger, so that nan behaves as it does one instance at a time.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.numerics.plain.kinds import kind
from trpo_theory.numerics.plain.lists import takes_lists
from trpo_theory.numerics.plain.rewired import Rewiring
from trpo_theory.search.apart import rewrite
from trpo_theory.search.apart.arrays import Constant, Vectorised, as_array
from trpo_theory.search.apart.calls import array, run_of
from trpo_theory.search.apart.each import Each, data_of
from trpo_theory.search.apart.mathematics import as_float, as_int, mathematics, of_statistics
from trpo_theory.search.apart.run import Run
from trpo_theory.search.apart.selected import Selected

_NONE = object()


def select(run: Run, condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y: of numbers, and of tuples of them."""
    if not isinstance(condition, Each):
        return x if condition else y
    if isinstance(x, tuple) and isinstance(y, tuple) and len(x) == len(y):
        return tuple(select(run, condition, one, other) for one, other in zip(x, y, strict=True))
    if x is y:
        return x
    if not (is_number(x) and is_number(y)):
        return x if condition else y
    python = all(one.python if isinstance(one, Each) else isinstance(one, int | float) for one in (x, y))
    return Each(np.where(condition.data, data_of(x, run), data_of(y, run)), run, python)


def is_number(x: Any) -> bool:
    """Whether it is a number, or an array of them."""
    return isinstance(x, Each | int | float | np.number | np.bool_ | Fraction) or (
        isinstance(x, np.ndarray) and x.dtype != object
    )


def _extreme(name: str, better: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    original = getattr(builtins, name)

    def extreme(*args: Any, key: Any = None, default: Any = _NONE) -> Any:
        if len(args) == 1 and isinstance(args[0], Selected) and key is None and default is _NONE:
            return args[0].reduced(name)
        items = list(args[0]) if len(args) == 1 else list(args)
        keys = items if key is None else [key(item) for item in items]
        run = run_of(keys)
        if run is None:
            options = {} if default is _NONE else {"default": default}
            if key is not None and items:
                return items[original(range(len(items)), key=keys.__getitem__)]
            return original(items, **options)
        best, of_best = items[0], keys[0]
        for item, its_key in zip(items[1:], keys[1:], strict=True):
            wins = _truth(better(its_key, of_best))
            of_best = select(run, wins, its_key, of_best)
            best = of_best if key is None else select(run, wins, item, best)
        return best

    extreme.__name__ = name
    return extreme


def _truth(condition: Any) -> Any:
    """A condition on numbers, one an instance; of arrays Python's own error."""
    return condition if isinstance(condition, Each) and not condition.ndim else bool(condition)


def _sum(iterable: Iterable[Any], /, start: Any = 0) -> Any:
    if isinstance(iterable, Selected):
        return iterable.reduced("sum") + start
    if isinstance(iterable, Each) and iterable.ndim == 1 and not isinstance(start, Each) and start == 0:
        return iterable.made(iterable.data.sum(0))
    return builtins.sum(iterable, start)


def _any(iterable: Iterable[Any], /) -> Any:
    return _joined(iterable, np.logical_or, False)


def _all(iterable: Iterable[Any], /) -> Any:
    return _joined(iterable, np.logical_and, True)


def _joined(iterable: Iterable[Any], join: Any, neutral: bool) -> Any:
    known: Any = neutral
    for one in iterable:
        if not isinstance(one, Each):
            if bool(one) is not neutral:
                return not neutral
            continue
        if one.ndim:
            one = one.made(np.full(one.run.n, bool(one)))
        known = join(known, one) if isinstance(known, Each) else one.made(one.data != 0, True)
    if isinstance(known, Each):
        known.python = True
    return known


def _sorted(iterable: Iterable[Any], /, *, key: Any = None, reverse: bool = False) -> list[Any]:
    items = list(iterable)
    keys = items if key is None else [key(item) for item in items]
    run = run_of(keys)
    if run is None:
        return [items[i] for i in builtins.sorted(range(len(items)), key=keys.__getitem__, reverse=reverse)]
    if any(isinstance(one, tuple | list) or np.ndim(data_of(one, run)) > 1 for one in keys):
        return _insertion_sorted(items, keys, reverse)
    ordered = array(keys)
    order = np.argsort(-ordered.data if reverse else ordered.data, axis=0, kind="stable")
    if all(is_number(item) for item in items):
        python = all(item.python if isinstance(item, Each) else isinstance(item, int | float) for item in items)
        taken = np.take_along_axis(
            array(items).data if run_of(items) else np.array(items)[:, None] + 0 * order, order, 0
        )
        return [Each(row, run, python) for row in taken]
    run.agree([column.tobytes() for column in order.T])
    return [items[i] for i in order[:, run.first]]


def _insertion_sorted(items: list[Any], keys: list[Any], reverse: bool) -> list[Any]:
    """By comparisons, at each of which the instances may part."""
    return [items[i] for i in builtins.sorted(range(len(items)), key=keys.__getitem__, reverse=reverse)]


def _is_of(kind_of_number: str) -> Callable[[Any], bool]:
    return lambda x: isinstance(x, Each) and not x.ndim and x.python and x.dtype.kind in kind_of_number


def _bool(x: Any = False, /) -> Any:
    if isinstance(x, Each) and x.size == 1:
        return x.made(x.data.reshape(-1) != 0, True)
    return bool(x)


REWIRING = Rewiring(
    names={
        "max": _extreme("max", lambda x, y: x > y),
        "min": _extreme("min", lambda x, y: x < y),
        **{"sum": _sum, "any": _any, "all": _all, "sorted": _sorted, "bool": _bool},
        "float": kind(float, as_float, _is_of("f")),
        "int": kind(int, as_int, _is_of("iub")),
        **rewrite.NAMES,
    },
    modules={
        "math": mathematics(),
        "statistics": of_statistics(),
        "numpy": {
            "array": array,
            **dict.fromkeys(("asarray", "asanyarray", "ascontiguousarray", "asfarray"), as_array),
            **{name: Constant(name) for name in ("zeros", "ones", "empty", "full", "eye", "identity")},
            "vectorize": Vectorised,
        },
        "numpy.linalg": {},
    },
    others={
        np.vectorize: lambda value, exchange: Vectorised(exchange(value.pyfunc)),
        **takes_lists(lambda value: run_of(value) is not None, array),
    },
    code=rewrite.rewritten,
)
"""What a formula's code finds in the place of Python's and NumPy's own."""
