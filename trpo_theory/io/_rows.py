"""From lists of transitions to the arrays of an MDP."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.sparse import is_sparse, sp
from trpo_theory.errors import InvalidInput
from trpo_theory.io._source import MAX_ENTRIES
from trpo_theory.model.shapes import Float, Int

DENSE_ENTRIES = 2 * 10**7
"""Transitions of more entries (S·A·S) than this are kept sparse; chosen: 160 MB of float64."""


def assemble(
    row: Int[np.ndarray, "N"],
    successor: Int[np.ndarray, "N"],
    probability: Float[np.ndarray, "N"],
    reward: Float[np.ndarray, "N"],
    states: int,
    actions: int,
    atol: float = _checks.ROW_SUM_ATOL,
) -> tuple[sp.csr_array, Float[np.ndarray, "S A"], np.ndarray]:
    """The transition, the conditional mean reward, and which (s, a) occur, from transitions listed in any order.

    P(s'|s,a) = Σ p,  r(s,a) = Σ p r / Σ p, the sums over the listed transitions of row s·A + a (and successor s').
    Where all rewards of a row are equal, r is that number to the last bit. `atol` is as in `without_rounding`.

    Raises:
        InvalidInput: for a negative or infinite p, an infinite r, or too many (s, a).
    """
    check_size(states, actions)
    probability = _without_tiny_negatives(probability, atol)
    bad = ~(np.isfinite(probability) & (probability >= 0) & np.isfinite(reward))
    if bad.any():
        at = int(np.argmax(bad))
        raise InvalidInput(
            got=f"probability {probability[at]:.10g} and reward {reward[at]:.10g} in the transition "
            f"from state {row[at] // actions} under action {row[at] % actions} to state {successor[at]}",
            wanted="a finite probability, not negative, and a finite reward",
            fix="look for a sign error, a division by zero or a missing entry where they were computed",
        )
    count = states * actions
    matrix = sp.csr_array((probability, (row, successor)), shape=(count, states))
    mass = np.bincount(row, probability, count)
    weighted = np.bincount(row, probability * reward, count)
    # a row that sums to 1 up to rounding is not divided by its sum, so that exact rewards stay exact
    mean = np.where((mass > 0) & (np.abs(mass - 1) > 1e-12), weighted / np.where(mass > 0, mass, 1.0), weighted)
    taken = probability > 0
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, row[taken], reward[taken])
    np.maximum.at(high, row[taken], reward[taken])
    mean = np.where(low == high, low, mean)
    seen = np.bincount(row, minlength=count) > 0
    return without_rounding(matrix, atol), mean.reshape(states, actions), seen.reshape(states, actions)


def without_rounding(transition: Any, atol: float) -> Any:
    """A transition, dense or sparse, with rows divided by their sums where they are off by the rounding of another format.

    Args:
        transition: rows along the last axis.
        atol: the `row_sum_atol` of the numbers as they came. Rows within `ROW_SUM_ATOL`, and those beyond `atol`, are left as
            they are, for the checks of the MDP.
    """
    if atol <= _checks.ROW_SUM_ATOL:
        return transition
    if is_sparse(transition):
        matrix = sp.csr_array(transition, dtype=np.float64)
        matrix.data = _without_tiny_negatives(matrix.data, atol)
        sums = matrix.sum(axis=1)
        return sp.csr_array(sp.diags_array(1.0 / _divisors(sums, atol)) @ matrix)
    array = _without_tiny_negatives(np.asarray(transition, dtype=np.float64), atol)
    return array / _divisors(array.sum(-1), atol)[..., None]


def _divisors(sums: np.ndarray, atol: float) -> np.ndarray:
    off = np.abs(sums - 1)
    return np.where((off > _checks.ROW_SUM_ATOL) & (off <= atol), sums, 1.0)


def _without_tiny_negatives(entries: np.ndarray, atol: float) -> np.ndarray:
    """Entries below 0 by rounding as 0; others, for the checks to refuse, as they are."""
    tiny = (entries < 0) & (entries >= -atol)
    if not tiny.any():
        return entries
    cleared = _checks.without_tiny_negatives(np.where(tiny, entries, 0.0), atol, "the probabilities", str)
    return np.where(tiny, cleared, entries)


def densified(matrix: sp.csr_array, states: int, actions: int) -> Any:
    """A (S·A, S) matrix as the dense (S, A, S) array, unless that has more than `DENSE_ENTRIES` entries."""
    if states * actions * states > DENSE_ENTRIES:
        return matrix
    return matrix.toarray().reshape(states, actions, states)


def check_size(states: int, actions: int) -> None:
    """Refuse sizes whose (S, A) arrays would not fit into memory, before they are allocated."""
    if states * actions > MAX_ENTRIES // 10:
        raise InvalidInput(
            got=f"{states:.6g} states and {actions:.6g} actions",
            wanted=f"at most {MAX_ENTRIES // 10:.0e} pairs of state and action",
            fix="number states and actions 0, 1, 2, ... without gaps, and check the header",
        )


def integer_vector(value: object, name: str) -> np.ndarray:
    """A vector of integers in [0, 2⁵³]."""
    array = _checks.real_array(value, name)
    wrong = (array < 0) | (array != np.round(array)) | (array > 2**53)
    if array.ndim != 1 or wrong.any():
        what = f"of shape {array.shape}" if array.ndim != 1 else f"with {array[wrong][0]:.10g} in it"
        raise InvalidInput(got=f"{name} {what}", wanted="a vector of integers, 0 or more", fix=f"correct {name}")
    return array.astype(np.int64)


def count_of(value: int | None, name: str, least: int) -> int:
    """A number of states or actions: `value`, which must be at least `least`; `least` if `value` is None."""
    if value is None:
        return least
    value = _checks.integer(value, name, least=1)
    if value < least or not math.isfinite(value):
        raise InvalidInput(
            got=f"{name} = {value} but indices up to {least - 1}",
            wanted=f"{least} or more",
            fix=f"raise or omit {name}",
        )
    return value
