"""MDPs in the convention of pymdptoolbox (and of the MATLAB MDPtoolbox): one transition matrix for each action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.foreign import cells, native
from trpo_theory.entries.reading import reading
from trpo_theory.entries.sparse import is_sparse, sp
from trpo_theory.errors import InvalidInput
from trpo_theory.io._rows import without_rounding
from trpo_theory.model._dynamics import one_reward_each
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import RealLike, SparseMatrix


def from_mdptoolbox(
    transitions: RealLike | Sequence[SparseMatrix],
    reward: RealLike | Sequence[SparseMatrix],
    gamma: RealLike,
    initial: RealLike | None = None,
) -> FiniteMDP:
    """The MDP of pymdptoolbox's arguments `transitions, reward, discount`, or of a MATLAB cell of matrices.

    P(s' | s, a) = transitions[a][s, s'].        Source: pymdptoolbox, module `mdp`, class MDP.

    Args:
        transitions: an array (A, S, S), or a sequence of A matrices (S, S), dense or sparse: a list, an array of objects (as
            `scipy.io.loadmat` reads a cell), or a dict by action 0, 1, ...
        reward: (S,), (S, A), (A, S, S), or a sequence of A matrices (S, S), dense or sparse, or of A vectors (S,).
        gamma: the discount.
        initial: ρ₀, shape (S,); uniform by default.

    Returns:
        A sparse MDP if any transition matrix is sparse, else a dense one.

    Raises:
        InvalidInput: for shapes that do not fit each other, or arrays that are not those of an MDP.
    """
    with reading():
        return _from_matrices(transitions, reward, gamma, initial)


def _from_matrices(transitions: Any, reward: Any, gamma: Any, initial: Any) -> FiniteMDP:
    matrices = _matrices(transitions, "transitions")
    if matrices is None:
        array = _checks.real_array(_unpacked(transitions), "transitions")
        if array.ndim != 3 or array.shape[1] != array.shape[2]:
            raise _misshapen("transitions", array.shape)
        actions, states, _ = array.shape
        transition: Any = array.transpose(1, 0, 2)
    else:
        states, actions = matrices[0].shape[0], len(matrices)
        if any(matrix.shape != (states, states) for matrix in matrices) or states == 0:
            raise _misshapen("transitions", [matrix.shape for matrix in matrices])
        transition = _interleaved(matrices)
    transition = without_rounding(transition, _checks.row_sum_atol(transitions))
    return FiniteMDP(transition, _reward(reward, states, actions, sparse=matrices is not None), gamma, initial)


def _matrices(value: Any, name: str) -> list[Any] | None:
    """A sequence of matrices as sparse ones, if any of them is sparse; else None."""
    if is_sparse(value):
        raise InvalidInput(
            got=f"one sparse matrix as {name}, shape {value.shape}",
            wanted="one (S, S) matrix for each action",
            fix="pass a list of A matrices; a stacked (S*A, S) matrix goes to FiniteMDP itself",
        )
    entries = cells(value)
    if entries is None or not any(is_sparse(entry) for entry in entries):
        return None
    entries = [entry if is_sparse(entry) else _checks.real_array(entry, name) for entry in entries]
    if any(entry.ndim != 2 for entry in entries):
        raise _misshapen(name, [entry.shape for entry in entries])
    return [one_reward_each(entry) if name == "reward" else sp.csr_array(entry) for entry in entries]


def _unpacked(value: Any) -> Any:
    """A dict of matrices, or a cell of them, as a list; anything else unchanged."""
    if isinstance(value, list | tuple):
        return value
    found = cells(value)
    return value if found is None else found


def _interleaved(matrices: list[Any]) -> Any:
    """The (S·A, S) matrix whose row s·A + a is row s of matrix a."""
    states, actions = matrices[0].shape[0], len(matrices)
    order = np.arange(actions * states).reshape(actions, states).T.ravel()
    return sp.csr_array(sp.vstack(matrices, format="csr"))[order]


def _reward(value: Any, states: int, actions: int, *, sparse: bool) -> Any:
    matrices = _matrices(value, "reward")
    if matrices is not None:
        if len(matrices) != actions or any(matrix.shape != (states, states) for matrix in matrices):
            raise _misshapen("reward", [matrix.shape for matrix in matrices])
        stacked = _interleaved(matrices)
        return stacked if sparse else stacked.toarray().reshape(states, actions, states)
    array = _checks.real_array(value := native(_unpacked(value), "reward"), "reward", allow_minus_inf=True)
    if array.shape in ((states,), (states, actions)) and not _is_ambiguous(value, array.shape, states, actions):
        return array
    if array.shape == (actions, states) and not isinstance(value, np.ndarray):
        return array.T
    if array.shape == (actions, states, states):
        array = array.transpose(1, 0, 2)
        return sp.csr_array(array.reshape(actions * states, states)) if sparse else array
    raise _misshapen("reward", array.shape)


def _is_ambiguous(value: Any, shape: tuple[int, ...], states: int, actions: int) -> bool:
    if len(shape) == 2 and states == actions > 1 and not isinstance(value, np.ndarray):
        raise InvalidInput(
            got=f"a list of {actions} lists of {states} rewards, as many actions as states",
            wanted="an array (S, A), which can be read in one way only",
            fix="pass np.array(reward), or its transpose if it lists one vector an action",
        )
    return False


def _misshapen(name: str, shape: Any) -> InvalidInput:
    wanted = {
        "transitions": "shape (A, S, S), or A matrices of shape (S, S)",
        "reward": "shape (S,), (S, A) or (A, S, S), or A matrices (S, S) or vectors (S,)",
    }
    return InvalidInput(
        got=f"{name} of shape {shape}",
        wanted=wanted[name],
        fix="put the action first: transitions[a][s, s'], np.moveaxis(x, 2, 0) of MATLAB's (S, S, A); FiniteMDP has (S, A, S)",
    )
