"""Costs as they are given: named further rewards, checked and reduced to c(s, a) as rewards are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.sparse import is_sparse
from trpo_theory.errors import InvalidInput
from trpo_theory.model._dynamics import Parts, reduced_dense, reduced_sparse


def reduced_costs(costs: Any, parts: Parts) -> dict[str, np.ndarray]:
    """c(s, a) of each cost, (*batch, S, A), in their order; 0 for an unavailable action.

    Raises:
        InvalidInput: for what is no mapping of names to (S,), (S, A) or (S, A, S) finite numbers.
    """
    if costs is None:
        return {}
    if not isinstance(costs, Mapping):
        raise InvalidInput(
            got=f"a {type(costs).__name__} as costs", wanted="a mapping", fix='write costs={"fuel": (S, A) array}'
        )
    named = cast("Mapping[Any, Any]", costs)
    return {_checked_name(name): _reduced(f"cost {name!r}", value, parts) for name, value in named.items()}


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not name or not name.isprintable() or name != name.strip():
        raise InvalidInput(
            got=f"a cost named {name!r}", wanted="a printable string without spaces around it", fix="rename it"
        )
    return name


def _reduced(what: str, value: Any, parts: Parts) -> np.ndarray:
    reduced: np.ndarray
    if is_sparse(parts.transition):
        states, actions = parts.reward.shape
        given = value if is_sparse(value) else _checks.real_array(value, what)
        reduced = reduced_sparse(given, parts.transition, states, actions, what)
    else:
        reduced = reduced_dense(_checks.real_array(value, what), parts.transition, what)
    return np.where(parts.available, reduced, 0.0)
