"""The dynamics of an MDP as they are given, dense or sparse, checked and reduced to what `FiniteMDP` stores."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.sparse import is_sparse, sp
from trpo_theory.errors import InvalidInput


class Parts(NamedTuple):
    """What an MDP stores of its dynamics: rows of unavailable actions are 0, r(s, a) is the conditional mean."""

    transition: Any
    reward: np.ndarray
    available: np.ndarray


def dense_parts(transition: Any, reward: Any, available: Any, atol: float) -> Parts:
    """Checks a transition (*batch, S, A, S) with its reward and availability; rows may miss a sum of 1 by `atol`."""
    transition = _checks.real_array(transition, "transition")
    shape = transition.shape
    if transition.ndim < 3 or shape[-3] != shape[-1]:
        raise InvalidInput(
            got=f"transition of shape {shape}",
            wanted="shape (S, A, S), or (*batch, S, A, S)",
            fix="put the axes in the order state, action, next state "
            "(trpo_theory.io.from_mdptoolbox reads (A, S, S)); a sparse one is (S*A, S)",
        )
    reward = _checks.real_array(reward, "reward", allow_minus_inf=True)
    core = len(_reward_core(reward, shape, "reward"))
    available = _availability(available, ~np.isneginf(reward) if core == 2 else True, shape[:-1])
    if not available.all():
        transition[~available] = 0.0
    transition = _checks.probability_rows(transition, "transition", where=available, atol=atol)
    reward = reduced_dense(reward, transition, "reward")
    return Parts(transition, np.where(available, reward, 0.0), available)


def _reward_core(reward: np.ndarray, shape: tuple[int, ...], what: str) -> tuple[int, ...]:
    """The shape of a reward without its batch axes: (S,), (S, A) or (S, A, S)."""
    *batch, states, actions, _ = shape
    core = reward.shape[len(batch) :]
    fits = all(size in (1, full) for size, full in zip(reward.shape, batch, strict=False))
    if not fits or core not in ((states,), (states, actions), (states, actions, states)):
        raise InvalidInput(
            got=f"{what} of shape {reward.shape}",
            wanted=f"{f'{tuple(batch)} and then ' if batch else ''}({states},), ({states}, {actions}) "
            f"or ({states}, {actions}, {states}) for a transition of shape {shape}",
            fix="give one number a state, a state and action, or a transition",
        )
    return core


def reduced_dense(reward: np.ndarray, transition: np.ndarray, what: str) -> np.ndarray:
    """r(s, a), from a reward (*batch, S), (*batch, S, A) or (*batch, S, A, S); `what` is its name in messages."""
    core = len(_reward_core(reward, transition.shape, what))
    if core != 2:
        _finite_reward(reward, f"an (S,) {what}" if core == 1 else f"an (S, A, S) {what}")
    if core == 3:
        return np.einsum("...sat,...sat->...sa", transition, reward)
    return np.broadcast_to(reward if core == 2 else reward[..., None], transition.shape[:-1])


def _finite_reward(reward: np.ndarray, what: str) -> None:
    bad = ~np.isfinite(reward)
    if bad.any():
        index = _checks.first_index(bad)
        raise InvalidInput(
            got=f"{reward[index]} in reward at {_checks.show_index(index)}, {what}",
            wanted="finite rewards (-inf only in an (S, A) reward, where it marks an unavailable action)",
            fix="pass available= (S, A) and a finite reward",
        )


def _availability(available: Any, finite: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The mask of available actions, (*batch, S, A): where reward is not -inf and the argument does not forbid."""
    mask = np.broadcast_to(finite, shape)
    if available is not None:
        given = _checks.real_array(available, "available")
        able = _checks.actions_available(given)
        _checks.expect_shape(given, "available", *shape[-2:], "S", "A", batch_shape=shape[:-2])
        mask = mask & able
    _checks.expect_an_action(mask)
    return mask.copy()


def sparse_parts(transition: Any, reward: Any, available: Any, atol: float) -> Parts:
    """Checks a sparse transition (S·A, S) with its reward and availability; rows may miss a sum of 1 by `atol`."""
    if transition.ndim != 2 or transition.dtype.kind not in "fiub":
        raise InvalidInput(
            got=f"a sparse transition of shape {transition.shape} and dtype {transition.dtype}",
            wanted="real numbers of shape (S*A, S)",
            fix="pass its real part, as a matrix of two axes",
        )
    matrix: Any = sp.csr_array(transition, dtype=np.float64, copy=True)
    rows, states = (int(size) for size in matrix.shape)
    if states == 0 or rows == 0 or rows % states:
        raise InvalidInput(
            got=f"a sparse transition of shape {matrix.shape}",
            wanted="shape (S*A, S), row s*A + a holding P(. | s, a)",
            fix="stack the rows state by state (trpo_theory.io.from_mdptoolbox reads one matrix an action)",
        )
    actions = rows // states
    matrix.sum_duplicates()
    if (
        max(matrix.nnz, states) < np.iinfo(np.int32).max
    ):  # 32-bit indices: products with vectors are limited by memory bandwidth
        matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    _expect_probabilities(matrix, actions, atol)
    if not is_sparse(reward):
        reward = _checks.real_array(reward, "reward", allow_minus_inf=True)
    per_pair = reward.shape == (states, actions)
    finite: np.ndarray | bool = reward != -np.inf if per_pair and not is_sparse(reward) else True
    available = _availability(available, finite, (states, actions))
    if not available.all():
        matrix.data *= np.repeat(available.ravel(), np.diff(matrix.indptr))
        matrix.eliminate_zeros()
    sums = matrix.sum(axis=1)
    starts = matrix.indptr
    _checks.check_row_sums(
        sums.reshape(states, actions),
        available,
        "transition",
        atol,
        lambda index: matrix.data[starts[row := index[0] * actions + index[1]] : starts[row + 1]],
    )
    scale = np.where(available.ravel() & (np.abs(sums - 1) > _checks.ROUNDING), sums, 1.0)
    if (scale != 1.0).any():
        matrix.data /= np.repeat(scale, np.diff(matrix.indptr))
    reward = reduced_sparse(reward, matrix, states, actions, "reward")
    return Parts(matrix, np.where(available, reward, 0.0), available)


def _expect_probabilities(matrix: Any, actions: int, atol: float) -> None:
    """Set negative entries of a sparse transition to 0 where they are rounding; refuse others, and what is not finite."""

    def said(index: tuple[int, ...]) -> str:
        row = int(np.searchsorted(matrix.indptr, index[0], side="right")) - 1
        return f"{matrix.data[index]} in the sparse transition, state {row // actions}, action {row % actions}"

    bad = ~np.isfinite(matrix.data)
    if bad.any():
        raise InvalidInput(
            got=said(_checks.first_index(bad)),
            wanted="finite probabilities, none negative",
            fix="find where that entry comes from and replace it",
        )
    matrix.data = _checks.without_tiny_negatives(matrix.data, atol, "the sparse transition", said)


def reduced_sparse(reward: Any, matrix: Any, states: int, actions: int, what: str) -> np.ndarray:
    """r(s, a), from a reward (S,), (S, A) or sparse (S·A, S) of a sparse transition; `what` is its name in messages."""
    if is_sparse(reward):
        if reward.shape != matrix.shape or reward.dtype.kind not in "fiub":
            raise InvalidInput(
                got=f"a sparse {what} of shape {reward.shape} and dtype {reward.dtype}",
                wanted=f"real numbers of the transition's shape {matrix.shape}",
                fix="give the reward of each stored transition, or r(s, a) as a dense (S, A) array",
            )
        reward = one_reward_each(reward)
        _finite_reward(reward.data, f"the stored entries of a sparse {what}")
        return np.asarray(matrix.multiply(reward).sum(axis=1)).reshape(states, actions)
    if reward.shape == (states,):
        _finite_reward(reward, f"an (S,) {what}")
        return np.repeat(reward[:, None], actions, axis=1)
    _checks.expect_shape(reward, what, states, actions, "S", "A")
    return reward


def one_reward_each(reward: Any) -> sp.csr_array:
    """A sparse reward as a CSR matrix, one stored entry a place.

    An entry that is stored more than once is no sum: r(s, a, s') is one number. Equal ones are that number.

    Raises:
        InvalidInput: for a place that has two different rewards.
    """
    entries: Any = sp.coo_array(reward, dtype=np.float64)
    order = np.lexsort((entries.col, entries.row))
    row, column, value = entries.row[order], entries.col[order], entries.data[order]
    again = (row[1:] == row[:-1]) & (column[1:] == column[:-1])
    differs = again & (value[1:] != value[:-1]) & ~(np.isnan(value[1:]) & np.isnan(value[:-1]))
    if differs.any():
        where = int(np.argmax(differs))
        raise InvalidInput(
            got=f"a sparse reward with both {value[where]:.10g} and {value[where + 1]:.10g} at "
            f"row {row[where]}, column {column[where]}",
            wanted="one reward for each transition: several are not summed",
            fix="store each place once (for the mean of several outcomes: trpo_theory.io.from_triplets)",
        )
    first = np.concatenate(([True], ~again))[: len(value)]
    return sp.csr_array((value[first], (row[first], column[first])), shape=entries.shape)
