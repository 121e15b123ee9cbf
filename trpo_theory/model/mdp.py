"""`FiniteMDP`: a finite Markov decision process, validated once and then trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float

from trpo_theory import _checks
from trpo_theory._announced import announced
from trpo_theory.errors import InvalidInput


@announced
class FiniteMDP:
    """A finite MDP, or a batch of them: frozen, validated once, with read-only arrays.

    P(s' | s, a),  r(s, a) = E[r | s, a],  γ ∈ [0, 1),  ρ₀.

    Source: docs/theory.md, "Setting and notation".

    Args:
        transition: P, shape (*batch, S, A, S); or, for one large MDP, a SciPy sparse matrix of shape (S·A, S)
            whose row s·A + a is P(· | s, a). Duplicate entries are summed.
        reward: per step of discounted return, shape (*batch, S), (*batch, S, A) or (*batch, S, A, S) (sparse:
            also a sparse (S·A, S)); reduced once to its conditional mean r(s, a). -inf in an (S, A) reward marks an
            action that is not available in that state.
        gamma: the discount γ ∈ [0, 1): a scalar, or one for each MDP of the batch.
        initial: ρ₀, shape (S,) or (*batch, S); uniform if left out.
        available: booleans (S, A) or (*batch, S, A): which actions may be taken where. The transition row of an
            unavailable action is ignored and stored as zero, as is its reward.
        state_labels, action_labels: optional names, for people.

    Rows that sum to 1 only within 1e-8 (1e-5 for float32 input) are divided by their sum; others are refused.

    Raises:
        InvalidInput: for a wrong shape, NaN or infinity, a negative probability, a row that does not sum to 1,
            γ outside [0, 1), or a state without an action.

    >>> mdp = FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[0, 1], [0, 0]], 0.9, [1, 0])
    >>> mdp
    FiniteMDP(states=2, actions=2, gamma=0.9, dense)
    """

    __slots__ = (
        "action_labels",
        "actions",
        "available",
        "batch_shape",
        "gamma",
        "initial",
        "reward",
        "state_labels",
        "states",
        "transition",
    )

    transition: Any  # Float[np.ndarray, "*batch S A S"], or a csr_array (S*A, S)
    reward: Float[np.ndarray, "*batch S A"]
    gamma: float | Float[np.ndarray, "*batch"]
    initial: Float[np.ndarray, "*batch S"]
    available: Bool[np.ndarray, "*batch S A"]
    states: int
    actions: int
    batch_shape: tuple[int, ...]
    state_labels: tuple[str, ...] | None
    action_labels: tuple[str, ...] | None

    def __init__(
        self,
        transition: Any,
        reward: Any,
        gamma: Any,
        initial: Any = None,
        *,
        available: Any = None,
        state_labels: Sequence[str] | None = None,
        action_labels: Sequence[str] | None = None,
    ) -> None:
        atol = _checks.row_sum_atol(transition)
        if sp.issparse(transition):
            fields = _sparse_fields(transition, reward, available, atol)
        else:
            fields = _dense_fields(transition, reward, available, atol)
        transition, reward, available, batch_shape = fields
        states, actions = reward.shape[-2:]
        fields = {
            "transition": transition,
            "reward": reward,
            "gamma": _checks.discount(gamma, batch_shape),
            "initial": _checks.distribution(initial, "initial", states, batch_shape),
            "available": available,
            "states": states,
            "actions": actions,
            "batch_shape": batch_shape,
            "state_labels": _checks.labels(state_labels, "state_labels", states),
            "action_labels": _checks.labels(action_labels, "action_labels", actions),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, _read_only(value))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a FiniteMDP is frozen: build a new one instead of setting {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a FiniteMDP is frozen: {name} cannot be deleted")

    def __reduce__(self) -> tuple[Any, ...]:
        args = (self.transition, self.reward, self.gamma, self.initial)
        return _rebuild, (*args, self.available, self.state_labels, self.action_labels)

    def __repr__(self) -> str:
        gamma = f"array{np.shape(self.gamma)}" if np.ndim(self.gamma) else f"{self.gamma:.10g}"
        batch = f", batch={self.batch_shape}" if self.batch_shape else ""
        kind = f"sparse, {self.transition.nnz} transitions" if self.is_sparse else "dense"
        return f"FiniteMDP(states={self.states}, actions={self.actions}, gamma={gamma}{batch}, {kind})"

    @property
    def is_sparse(self) -> bool:
        """Whether the transitions are stored as a sparse (S·A, S) matrix."""
        return sp.issparse(self.transition)

    def with_gamma(self, gamma: Any) -> FiniteMDP:
        """The same MDP under another discount."""
        return FiniteMDP(
            self.transition,
            self.reward,
            gamma,
            self.initial,
            available=self.available,
            state_labels=self.state_labels,
            action_labels=self.action_labels,
        )


def _rebuild(*args: Any) -> FiniteMDP:
    *core, available, state_labels, action_labels = args
    return FiniteMDP(*core, available=available, state_labels=state_labels, action_labels=action_labels)


def _dense_fields(transition: Any, reward: Any, available: Any, atol: float) -> tuple[Any, ...]:
    transition = _checks.real_array(transition, "transition")
    shape = transition.shape
    if transition.ndim < 3 or shape[-3] != shape[-1]:
        raise InvalidInput(
            got=f"transition of shape {shape}",
            wanted="shape (S, A, S), or (*batch, S, A, S)",
            fix="put the axes in the order state, action, next state "
            "(trpo_theory.io.from_mdptoolbox reads (A, S, S)); a sparse one is (S*A, S)",
        )
    batch_shape = shape[:-3]
    reward = _checks.real_array(reward, "reward", allow_minus_inf=True)
    core = len(_reward_core(reward, shape))
    available = _availability(available, ~np.isneginf(reward) if core == 2 else True, shape[:-1])
    if not available.all():
        transition[~available] = 0.0
    transition = _checks.probability_rows(transition, "transition", where=available, atol=atol)
    reward = _reduced_reward(reward, core, transition)
    return transition, np.where(available, reward, 0.0), available, batch_shape


def _reward_core(reward: np.ndarray, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a reward behind its batch axes: (S,), (S, A) or (S, A, S)."""
    *batch, states, actions, _ = shape
    core = reward.shape[len(batch) :]
    fits = all(size in (1, full) for size, full in zip(reward.shape, batch, strict=False))
    if not fits or core not in ((states,), (states, actions), (states, actions, states)):
        raise InvalidInput(
            got=f"reward of shape {reward.shape}",
            wanted=f"{f'{tuple(batch)} and then ' if batch else ''}({states},), ({states}, {actions}) "
            f"or ({states}, {actions}, {states}) for a transition of shape {shape}",
            fix="give one reward a state, a state and action, or a transition",
        )
    return core


def _reduced_reward(reward: np.ndarray, core: int, transition: np.ndarray) -> np.ndarray:
    """r(s, a), from a reward with so many axes behind the batch's."""
    if core != 2:
        _finite_reward(reward, "an (S,) reward" if core == 1 else "an (S, A, S) reward")
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
        if not np.isin(given, (0.0, 1.0)).all():
            raise InvalidInput(
                got="available with entries that are neither true nor false",
                wanted="booleans",
                fix="pass reward > -np.inf, or a boolean array of shape (S, A)",
            )
        _checks.expect_shape(given, "available", *shape[-2:], "S", "A", batch_shape=shape[:-2])
        mask = mask & (given == 1.0)
    stuck = ~mask.any(-1)
    if stuck.any():
        raise InvalidInput(
            got=f"no available action in state {_checks.show_index(_checks.first_index(stuck))}",
            wanted="at least one action in every state",
            fix="give a terminal state one action that stays there with reward 0",
        )
    return mask.copy()


def _sparse_fields(transition: Any, reward: Any, available: Any, atol: float) -> tuple[Any, ...]:
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
    if max(matrix.nnz, states) < np.iinfo(np.int32).max:  # products are bound by memory: half the index, more speed
        matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    if not np.isfinite(matrix.data).all() or (matrix.data < 0).any():
        where = int(np.argmax(~(np.isfinite(matrix.data) & (matrix.data >= 0))))
        row = int(np.searchsorted(matrix.indptr, where, side="right")) - 1
        raise InvalidInput(
            got=f"{matrix.data[where]} in the sparse transition, state {row // actions}, action {row % actions}",
            wanted="finite probabilities, none negative",
            fix="find where that entry comes from and replace it",
        )
    if not sp.issparse(reward):
        reward = _checks.real_array(reward, "reward", allow_minus_inf=True)
    per_pair = reward.shape == (states, actions)
    finite = ~np.isneginf(reward) if per_pair and not sp.issparse(reward) else True
    available = _availability(available, finite, (states, actions))
    if not available.all():
        matrix = sp.diags_array(available.ravel().astype(np.float64)) @ matrix
        matrix.eliminate_zeros()
    sums = matrix.sum(axis=1)
    _checks.check_row_sums(sums.reshape(states, actions), available, "transition", atol)
    scale = np.where(available.ravel() & (np.abs(sums - 1) > _checks.ROUNDING), sums, 1.0)
    if (scale != 1.0).any():
        matrix.data /= np.repeat(scale, np.diff(matrix.indptr))
    reward = _reduced_sparse_reward(reward, matrix, states, actions)
    return matrix, np.where(available, reward, 0.0), available, ()


def _reduced_sparse_reward(reward: Any, matrix: sp.csr_array, states: int, actions: int) -> np.ndarray:
    if sp.issparse(reward):
        if reward.shape != matrix.shape or reward.dtype.kind not in "fiub":
            raise InvalidInput(
                got=f"a sparse reward of shape {reward.shape} and dtype {reward.dtype}",
                wanted=f"real numbers of the transition's shape {matrix.shape}",
                fix="give the reward of each stored transition, or r(s, a) as a dense (S, A) array",
            )
        reward = sp.csr_array(reward, dtype=np.float64)
        _finite_reward(reward.data, "the stored entries of a sparse reward")
        return np.asarray(matrix.multiply(reward).sum(axis=1)).reshape(states, actions)
    if reward.shape == (states,):
        _finite_reward(reward, "an (S,) reward")
        return np.repeat(reward[:, None], actions, axis=1)
    _checks.expect_shape(reward, "reward", states, actions, "S", "A")
    return reward


def _read_only(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif sp.issparse(value):
        for part in (value.data, value.indices, value.indptr):
            part.flags.writeable = False
    return value
