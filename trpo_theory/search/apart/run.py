"""`Run`: one pass of a formula over a batch, of which those instances go along that branch as it does."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from trpo_theory.numerics.plain.rewired import is_own


class NotApart(BaseException):
    """What a formula does that has no meaning for a whole batch; no `except Exception` of its own may catch it."""


class Run:
    """One pass over n instances.

    Where the formula asks for the truth of a condition, or for a whole number to count to, and the instances differ, the pass
    goes on for those that agree on the most frequent answer; the others are left for a further pass.

    Attributes:
        n: how many instances.
        active: those that this pass still is about, (n,) booleans.
        left: the others, as masks; each will be a pass of its own, or several.
        depth: of branches of which the other one is run, too.
        broken: whether the formula did what has no meaning for a batch, whatever it made of the exception.
    """

    broken: str
    active: np.ndarray

    def __init__(self, n: int) -> None:
        self.n = n
        self.active = np.ones(n, dtype=bool)
        self.left: list[np.ndarray] = []
        self.broken = ""
        self.depth = 0
        self._first = 0

    @property
    def first(self) -> int:
        """One of the instances that the pass is about."""
        if not self.active[self._first]:
            self._first = int(np.argmax(self.active))
        return self._first

    def decide(self, condition: np.ndarray) -> bool:
        """Whether a condition (n,) holds, for the instances that the pass goes on with: for as many as possible."""
        holds = np.count_nonzero(condition & self.active)
        if holds == 0:
            return False
        alike = np.count_nonzero(self.active)
        if holds == alike:
            return True
        answer = 2 * holds >= alike
        self._keep(condition if answer else ~condition)
        return bool(answer)

    def choose(self, labels: np.ndarray) -> Any:
        """The most frequent one of labels (n,), of instances that the pass then goes on with."""
        if (labels[self.active] == labels[self.first]).all():
            return labels[self.first]
        found, counts = np.unique(labels[self.active], return_counts=True)
        most = found[np.argmax(counts)]
        self._keep(labels == most)
        return most

    def agree(self, values: list[Any]) -> Any:
        """As `choose`, for objects that can be keys."""
        numbers: dict[Any, int] = {}
        labels = np.array([numbers.setdefault(value, len(numbers)) for value in values])
        return list(numbers)[self.choose(labels)]

    def refuse(self, reason: str) -> NotApart:
        """The exception for what has no meaning for a batch."""
        self.broken = self.broken or f"{_place()}: {reason}"
        return NotApart(reason)

    def one_by_one(self, function: Callable[..., Any], count: int | None = None) -> list[Any]:
        """The results of a function of the number of an instance; of those that the pass is not about, that of another."""
        made = [function(i) if self.active[i] else None for i in range(self.n)]
        return [made[self.first] if one is None and not self.active[i] else one for i, one in enumerate(made)]

    def _keep(self, which: np.ndarray) -> None:
        self.left.append(self.active & ~which)
        self.active = self.active & which


def _place() -> str:
    """The author's line that is being run, such as "mine.py, line 12: float(str(x))"."""
    frame = inspect.currentframe()
    while frame is not None and not is_own(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return "its code"
    file, line = frame.f_code.co_filename, frame.f_lineno
    return f"{Path(file).name}, line {line}: {linecache.getline(file, line).strip().rstrip(':')}"
