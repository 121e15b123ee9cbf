"""Branches of a formula that both run, each for the instances that take it: what `rewrite` puts in the place of `if`.

While a branch runs, `Run.active` is of the instances that take it, so that conditions and exceptions in it are about these alone,
and what it writes into arrays is written for these.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from trpo_theory.search.apart.each import Each
from trpo_theory.search.apart.run import Run

UNSET: Any = type("Unset", (), {"__repr__": lambda self: "unset"})()
"""In the place of a variable that has no value yet."""
_COMPARISONS = {
    **{
        "Lt": operator.lt,
        "LtE": operator.le,
        "Gt": operator.gt,
        "GtE": operator.ge,
        "Eq": operator.eq,
        "NotEq": operator.ne,
    }
}


def mixed(condition: Any) -> bool:
    """Whether the instances of the pass differ on a condition."""
    if not isinstance(condition, Each) or condition.size != 1:
        return False
    truth = condition.data.reshape(-1)[condition.run.active] != 0
    return bool(truth.any() and not truth.all())


class Branches:
    """One `if` on which the instances differ: `then()`, its body, `otherwise()`, the other body, `join()`.

    Args:
        condition: of the `if`.
        names: of the variables that the bodies assign, and their values before.
    """

    truth: np.ndarray
    before: np.ndarray
    names: dict[str, Any]
    depth: int

    def __init__(self, condition: Each, **names: Any) -> None:
        self.run: Run = condition.run
        self.truth = condition.data.reshape(-1) != 0
        self.before, self.names = self.run.active, names
        self.depth = self.run.depth
        self.first: tuple[np.ndarray, dict[str, Any]] | None = None

    def __enter__(self) -> Branches:
        self.run.active, self.run.depth = self.before & self.truth, self.depth + 1
        return self

    def otherwise(self, *values: Any) -> tuple[Any, ...]:
        """Given the variables after the first body, their values before it, for the second."""
        self.first = self.run.active, dict(zip(self.names, values, strict=True))
        self.run.active = self.before & ~self.truth
        return tuple(self.names.values())

    def join(self, *values: Any) -> tuple[Any, ...]:
        """Given the variables after the second body, their values after both."""
        assert self.first is not None
        active, firsts = self.first
        second = self.run.active
        joined = tuple(_chosen(self.run, active, x, y) for x, y in zip(firsts.values(), values, strict=True))
        self.run.active = active | second
        if any(
            one is _APART for one in joined
        ):  # no one value for both: the pass goes on with the first body's instances
            self.run.left.append(second)
            self.run.active = active
            return tuple(firsts.values())
        return joined

    def __exit__(self, kind: Any, *_: Any) -> None:
        self.run.depth = self.depth
        if kind is not None:  # an exception of the instances of one branch: the others are left
            others = self.before & (self.truth if self.first is not None else ~self.truth)
            if self.first is not None:
                others = self.first[0]
            self.run.left.append(others)


_APART: Any = type("Apart", (), {})()


def _chosen(run: Run, first: np.ndarray, x: Any, y: Any) -> Any:
    """x for the instances of the first branch, y for the others."""
    if x is y or y is UNSET:
        return x
    if x is UNSET:
        return y
    if isinstance(x, tuple) and isinstance(y, tuple) and len(x) == len(y):
        parts = tuple(_chosen(run, first, one, other) for one, other in zip(x, y, strict=True))
        return _APART if any(one is _APART for one in parts) else parts
    from trpo_theory.search.apart.python import is_number, select

    if not (is_number(x) and is_number(y)) or np.shape(x) != np.shape(y):
        return _APART
    return select(run, Each(first, run), x, y)


def either(condition: Any, x: Callable[[], Any], y: Callable[[], Any]) -> Any:
    """`x() if condition else y()`."""
    if not mixed(condition):
        return x() if condition else y()
    with Branches(condition, value=None) as both:
        first = x()
        both.otherwise(first)
        (value,) = both.join(y())
    return value


def conjunction(*parts: Callable[[], Any]) -> Any:
    """`a and b and ...`."""
    value = parts[0]()
    for k, part in enumerate(parts[1:], 1):
        if mixed(value):
            rest = parts[k:]
            return either(value, lambda rest=rest: conjunction(*rest), lambda value=value: value)
        if not value:
            return value
        value = part()
    return value


def disjunction(*parts: Callable[[], Any]) -> Any:
    """`a or b or ...`."""
    value = parts[0]()
    for k, part in enumerate(parts[1:], 1):
        if mixed(value):
            rest = parts[k:]
            return either(value, lambda value=value: value, lambda rest=rest: disjunction(*rest))
        if value:
            return value
        value = part()
    return value


def negation(value: Any) -> Any:
    """`not value`."""
    if isinstance(value, Each) and value.size == 1:
        return value.made(value.data.reshape(-1) == 0, True)
    return not value


def chain(signs: tuple[str, ...], *parts: Callable[[], Any]) -> Any:
    """`a < b < c`."""
    values = [parts[0](), parts[1]()]

    def link(k: int) -> Callable[[], Any]:
        def compared() -> Any:
            if k + 1 >= len(values):
                values.append(parts[k + 1]())
            return _COMPARISONS[signs[k]](values[k], values[k + 1])

        return compared

    return conjunction(*(link(k) for k in range(len(signs))))


def filtered(name: str, pairs: Iterable[tuple[Any, Callable[[], Any]]], default: Any = UNSET) -> Any:
    """`sum(x for ... if condition)` and `max`, `min`, `any`, `all`, given (condition, value) pairs."""
    if name == "sum":
        total: Any = 0 if default is UNSET else default
        for condition, value in pairs:
            total = either(condition, lambda value=value, total=total: total + value(), lambda total=total: total)
        return total
    if name in ("any", "all"):
        return _questioned(name == "any", pairs)
    return _extreme(operator.gt if name == "max" else operator.lt, pairs, default)


def _questioned(wanted: bool, pairs: Iterable[tuple[Any, Callable[[], Any]]]) -> Any:
    known: Any = not wanted
    for condition, value in pairs:
        found = either(condition, lambda value=value: _truth(value()), lambda: not wanted)
        known = (
            disjunction(lambda known=known: known, lambda found=found: found)
            if wanted
            else conjunction(lambda known=known: known, lambda found=found: found)
        )
    return known


def _truth(value: Any) -> Any:
    return value.made(value.data.reshape(-1) != 0, True) if isinstance(value, Each) and value.size == 1 else bool(value)


def _extreme(better: Callable[[Any, Any], Any], pairs: Iterable[tuple[Any, Callable[[], Any]]], default: Any) -> Any:
    seen: Any = False
    best: Any = UNSET

    def taken(value: Callable[[], Any], seen: Any, best: Any) -> Any:
        new = value()
        return either(seen, lambda: either(better(new, best), lambda: new, lambda: best), lambda: new)

    for condition, value in pairs:
        if best is UNSET and mixed(condition):
            best = either(condition, value, lambda: 0)
        elif best is UNSET and condition:
            best = value()
        elif best is not UNSET:
            best = either(
                condition, lambda value=value, seen=seen, best=best: taken(value, seen, best), lambda best=best: best
            )
        seen = disjunction(lambda seen=seen: seen, lambda condition=condition: _truth(condition))
    if default is not UNSET:
        return either(seen, lambda: best, lambda: default)
    if not seen:
        raise ValueError("max() arg is an empty sequence")
    return best
