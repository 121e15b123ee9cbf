"""Rows of probabilities that a text rounded to few digits, in rationals: what a proof is about."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from trpo_theory.model.decimals import as_written

_ROWS = frozenset({"transition", "initial", "old", "new", "policy"})
"""Fields whose innermost lists are rows of probabilities."""


def divided_exactly(exact: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Source.exact` with every row of probabilities over its exact sum, and 0 for entries below 0.

    Decimals are the decimals that are written: 0.333333 three times is 1/3 three times. That rows may be so much off has been
    checked of their floats.

    >>> divided_exactly({"initial": [0.333333, 0.333333, 0.333333], "reward": [0.5]})
    {'initial': [Fraction(1, 3), Fraction(1, 3), Fraction(1, 3)], 'reward': [0.5]}
    """
    return {name: _divided(value) if name in _ROWS else value for name, value in exact.items()}


def _divided(value: Any) -> Any:
    if not isinstance(value, list) or not value:
        return value
    if isinstance(value[0], list):
        return [_divided(row) for row in value]
    entries = [max(Fraction(as_written(x) if isinstance(x, float) else x), Fraction(0)) for x in value]
    total = sum(entries, Fraction(0))
    return [x / total for x in entries] if total > 0 else entries
