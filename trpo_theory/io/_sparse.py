"""Transitions in files, dense or as the parts of a sparse matrix, which are checked against each other."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.sparse import sp
from trpo_theory.errors import InvalidInput
from trpo_theory.io._rows import without_rounding
from trpo_theory.model.decimals import as_written

SPARSE_KEYS = ("transition_data", "transition_indices", "transition_indptr", "transition_shape")


def transition_of(fields: Mapping[str, Any]) -> Any:
    """The transition of a file: its dense array, or the CSR matrix of its parts."""
    if "transition" in fields:
        return fields["transition"]
    data, atol = _vector(fields[SPARSE_KEYS[0]], SPARSE_KEYS[0]), _checks.row_sum_atol(fields[SPARSE_KEYS[0]])
    indices, indptr, shape = (_integers(fields[key], key) for key in SPARSE_KEYS[1:])
    rows, states = (int(size) for size in shape) if len(shape) == 2 else (0, 0)
    sound = (
        rows > 0
        and states > 0
        and len(indptr) == rows + 1
        and indptr[0] == 0
        and indptr[-1] == len(indices) == len(data)
        and (np.diff(indptr) >= 0).all()
        and indices.min(initial=0) >= 0
        and indices.max(initial=0) < states
    )
    if not sound:
        raise InvalidInput(
            got=f"a sparse transition whose parts do not fit together (transition_shape {shape[:4].tolist()}, "
            f"{len(data)} data, {len(indices)} indices, {len(indptr)} indptr)",
            wanted="a CSR matrix of shape (S*A, S): indptr of length S*A + 1 rising from 0 to the number of data, "
            "and as many indices in [0, S)",
            fix="store data, indices, indptr and shape of scipy.sparse.csr_array(transition)",
        )
    return without_rounding(sp.csr_array((data, indices, indptr), shape=(rows, states)), atol)


def written_transition(fields: Mapping[str, Any], states: int, actions: int) -> list[list[list[Fraction | int]]]:
    """The dense transition (S, A, S), nested lists, of the parts that `transition_of` accepted: numbers as they are written."""
    data, indices, indptr = (fields[key] for key in SPARSE_KEYS[:3])
    rows: list[list[Fraction | int]] = [[0] * states for _ in range(states * actions)]
    for row, (first, last) in zip(rows, pairwise(map(int, indptr)), strict=True):
        for at in range(first, last):
            entry = data[at]
            row[int(indices[at])] += as_written(entry) if isinstance(entry, float) else entry
    return [rows[s * actions : (s + 1) * actions] for s in range(states)]


def _vector(value: Any, name: str) -> np.ndarray:
    array = _checks.real_array(value, name)
    if array.ndim != 1:
        raise InvalidInput(got=f"{name} of shape {array.shape}", wanted="one axis", fix=f"flatten {name}")
    return array


def _integers(value: Any, name: str) -> np.ndarray:
    array = _vector(value, name)
    if (array != np.round(array)).any() or np.abs(array).max() > 2**53:
        raise InvalidInput(got=f"{name} with entries that are not integers", wanted="integers", fix=f"correct {name}")
    return array.astype(np.int64)
