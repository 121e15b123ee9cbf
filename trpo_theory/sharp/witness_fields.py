"""The witness of a sharp gap as the fields of its file, and what a proof reads of them: numbers as they are written."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.io._sparse import SPARSE_KEYS, transition_of
from trpo_theory.io.evidence_files import Fields, ReadFields, exact_content, exact_rows, number_text
from trpo_theory.numerics.ball import rationals
from trpo_theory.sharp.sparse_rows import SparseRows, successors
from trpo_theory.sharp.witness import SharpWitness

ARRAYS = ("reward", "initial", "old", "new")
"""The fields of a witness beside its transition."""
Taken: TypeAlias = tuple[tuple[bool, ...], ...]
"""Whether old or new takes an action, by states."""


def witness_arrays(witness: SharpWitness) -> Fields:
    """Transition, reward, initial, old and new as a file has them: rows of probabilities sum to one exactly."""
    mdp, used = witness.mdp, (witness.old > 0) | (witness.new > 0)
    rows = {"initial": mdp.initial, "old": witness.old, "new": witness.new}
    arrays: Fields = {"reward": mdp.reward} | {name: exact_rows(array) for name, array in rows.items()}
    if not mdp.is_sparse:
        return {"transition": exact_rows(mdp.transition, used)} | arrays
    matrix = mdp.transition
    parts = (
        matrix.data,
        matrix.indices,
        matrix.indptr,
        np.array(matrix.shape),
    )  # whose rows are of decimals that sum to one
    return dict(zip(SPARSE_KEYS, parts, strict=True)) | arrays


def check_that_it_ends(
    transition: np.ndarray | SparseRows, reward: np.ndarray, taken: Taken, fields: ReadFields
) -> None:
    """Whether after `horizon` steps every path is where all that old or new does leads back and earns nothing.

    Raises:
        InvalidInput: for a horizon that is no positive integer.
        NotSolved: where it is not.
    """
    horizon = fields["horizon"]
    if not isinstance(horizon, int) or isinstance(horizon, bool) or horizon < 1:
        raise InvalidInput(
            got=f"horizon = {rationals.shown(horizon)}", wanted="a positive integer", fix="change horizon"
        )
    initial = rationals.fractions(exact_content(fields["initial"]), "initial")
    used = [[a for a, yes in enumerate(row) if yes] for row in taken]
    leads: list[set[int]] = []
    for s, acts in enumerate(used):
        leads.append(set().union(*(successors(transition, s, a, len(taken[s])) for a in acts)))
    here = {int(s) for s in np.flatnonzero(initial != 0)}
    for _ in range(horizon):
        here = set().union(*(leads[s] for s in here))
    if not all(leads[s] == {s} and all(reward[s, a] == 0 for a in used[s]) for s in here):
        raise NotSolved(
            f"got an MDP that does not end after {horizon} steps; wanted states of reward 0 that lead to themselves; "
            "fix: correct the horizon"
        )


def transition_of_fields(arrays: ReadFields) -> np.ndarray | SparseRows:
    """Of a file: dense, or sparse, its numbers as they are written; rows of a sparse one sum to one exactly, or are padding."""
    if "transition" in arrays:
        if any(key in arrays for key in SPARSE_KEYS):
            raise InvalidInput(
                got="a dense transition and a sparse one", wanted="one of the two", fix="delete one of them"
            )
        return rationals.fractions(exact_content(arrays["transition"]), "transition")
    if missing := [key for key in SPARSE_KEYS if key not in arrays]:
        raise InvalidInput(got=f"no {', '.join(missing)}", wanted="transition, or its sparse parts", fix="add them")
    matrix = transition_of(arrays)  # checks the parts against each other
    data = rationals.fractions(exact_content(arrays[SPARSE_KEYS[0]]), SPARSE_KEYS[0])
    for row, (first, last) in enumerate(pairwise(matrix.indptr.tolist())):
        total = sum(data[first:last].tolist(), Fraction(0))
        if total not in (0, 1):
            raise InvalidInput(
                got=f"row {row} of the sparse transition, which sums to {number_text(total)}",
                wanted="probabilities that sum to 1 exactly, as the decimals or rationals that they are written as",
                fix="write the file again with this version, or correct the row",
            )
    return SparseRows(data, matrix.indices, matrix.indptr, matrix.shape)
