"""Rows of an experiment by several processes, in the order of what they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import joblib
import pandas as pd

from experiments.contract import Frames


def in_parallel(function: Callable[..., Any], arguments: Iterable[tuple[Any, ...]], jobs: int) -> Iterator[Any]:
    """function(*one) for each of the arguments, in their order, each as soon as it and those before it are done."""
    results: Any = joblib.Parallel(n_jobs=jobs, return_as="generator")
    yield from results(joblib.delayed(function)(*one) for one in arguments)


def rows_and_times(
    function: Callable[..., tuple[dict[str, Any], dict[str, Any]]],
    arguments: Iterable[tuple[Any, ...]],
    jobs: int,
    advance: Callable[[], None],
) -> Frames:
    """The frames "", of the rows, and "timing", of a function that returns a row and a row of times."""
    rows: list[dict[str, Any]] = []
    times: list[dict[str, Any]] = []
    for row, seconds in in_parallel(function, arguments, jobs):
        rows.append(row)
        times.append(seconds)
        advance()
    return {"": pd.DataFrame(rows), "timing": pd.DataFrame(times)}
