"""The usual policies, as (S, A) arrays, and aggregation: the class of policies that are equal in states of one group."""

from __future__ import annotations

import numpy as np

from trpo_theory import _checks
from trpo_theory.errors import InvalidInput
from trpo_theory.model.shapes import Bool, Float, Int
from trpo_theory.model.types import RealLike


def uniform(available: RealLike) -> Float[np.ndarray, "*batch S A"]:
    """The policy that takes each available action with the same probability.

    Args:
        available: booleans, shape (*batch, S, A).

    >>> uniform(np.array([[True, True], [True, False]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    taken = _actions_taken(available)
    return taken / taken.sum(-1, keepdims=True)


def softmax(
    logits: RealLike, available: Bool[np.ndarray, "*batch S A"] | None = None
) -> Float[np.ndarray, "*batch S A"]:
    """π(a|s) ∝ exp(logits(s, a)) over the available actions.

    Args:
        logits: real numbers, shape (*batch, S, A); −∞ gives an action probability 0.
        available: booleans, shape (*batch, S, A); all by default.

    Raises:
        InvalidInput: for a state in which every logit is −∞.
    """
    logits = _checks.real_array(logits, "logits", allow_minus_inf=True)
    if available is not None:
        taken = _actions_taken(available)
        _expect_together(logits=logits, available=taken)
        logits = np.where(taken, logits, -np.inf)
    _expect_axes(logits, "logits")
    top = logits.max(-1, keepdims=True)
    if (top == -np.inf).any():
        raise InvalidInput(got="a row of logits without a finite entry", wanted="one or more", fix="raise one logit")
    weights = np.exp(logits - top)
    return weights / weights.sum(-1, keepdims=True)


def greedy(
    q_value: RealLike, available: Bool[np.ndarray, "*batch S A"] | None = None
) -> Float[np.ndarray, "*batch S A"]:
    """The deterministic policy that takes an action of largest q_value; of several, the first.

    Args:
        q_value: real numbers, shape (*batch, S, A).
        available: booleans, shape (*batch, S, A); all by default.
    """
    q_value = _checks.real_array(q_value, "q_value", allow_minus_inf=True)
    if available is not None:
        taken = _actions_taken(available)
        _expect_together(q_value=q_value, available=taken)
        q_value = np.where(taken, q_value, -np.inf)
    _expect_axes(q_value, "q_value")
    return deterministic(q_value.argmax(-1), q_value.shape[-1])


def deterministic(action: RealLike, actions: int) -> Float[np.ndarray, "*batch S A"]:
    """The policy that takes action[s] in state s.

    Args:
        action: integers, shape (*batch, S).
        actions: A.
    """
    return (_checks.real_array(action, "action")[..., None] == np.arange(actions)).astype(np.float64)


def mixture(
    old: Float[np.ndarray, "*#batch S A"],
    target: Float[np.ndarray, "*#batch S A"],
    weight: float | Float[np.ndarray, "*#batch 1 1"],
) -> Float[np.ndarray, "*batch S A"]:
    """The mixture (1 − weight) old + weight target: Kakade and Langford's conservative update.

    Args:
        old: a policy, shape (*batch, S, A).
        target: likewise.
        weight: in [0, 1], one number or (*batch, 1, 1).
    """
    weight = _checks.real_array(weight, "the mixture weight")
    if not ((weight >= 0) & (weight <= 1)).all():
        raise InvalidInput(got=f"a mixture weight of {weight}", wanted="weights in [0, 1]", fix="change weight")
    old, target = _checks.real_array(old, "old"), _checks.real_array(target, "target")
    if old.shape[-2:] != target.shape[-2:]:
        raise InvalidInput(
            got=f"policies of shapes {old.shape} and {target.shape}",
            wanted="two of the same states and actions",
            fix="write mixture(old, target, weight), of one MDP",
        )
    _expect_together(old=old, target=target, weight=weight)
    return (1.0 - weight) * old + weight * target


def _actions_taken(available: RealLike) -> np.ndarray:
    """Which actions may be taken, from truth values or from 0 and 1: one or more in each state."""
    given = _checks.real_array(available, "available")
    _expect_axes(given, "available")
    taken = _checks.actions_available(given)
    _checks.expect_an_action(taken)
    return taken


def _expect_axes(array: np.ndarray, name: str) -> None:
    if array.ndim == 0:
        raise InvalidInput(got=f"one number as {name}", wanted="an array of shape (S, A)", fix="pass one row a state")


def _expect_together(**arrays: np.ndarray) -> None:
    """Raise unless the shapes broadcast against each other."""
    try:
        np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        raise InvalidInput(
            got=" and ".join(f"{name} of shape {array.shape}" for name, array in arrays.items()),
            wanted="shapes that broadcast against each other",
            fix="check that they belong to the same MDP, and that none is transposed",
        ) from None


class StateAggregation:
    """The class of policies in which all states of a group share one row: π(·|s) depends on group[s] only.

    Args:
        groups: one integer a state, shape (S,); states with the same integer share a row.

    >>> StateAggregation([0, 0, 1])
    StateAggregation(states=3, groups=2)
    """

    __slots__ = ("count", "group")

    group: Int[np.ndarray, "S"]
    count: int

    def __init__(self, groups: RealLike) -> None:
        array = _checks.real_array(groups, "the aggregation map")
        if array.ndim != 1 or (array != np.round(array)).any():
            raise InvalidInput(
                got=f"an aggregation map of shape {array.shape} and dtype {np.asarray(groups).dtype}",
                wanted="one integer a state",
                fix="pass a flat sequence such as [0, 0, 1]",
            )
        names, group = np.unique(array, return_inverse=True)
        group = group.reshape(array.shape)
        group.flags.writeable = False
        object.__setattr__(self, "group", group)
        object.__setattr__(self, "count", len(names))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a StateAggregation is frozen: {name} cannot be set")

    def __reduce__(self) -> tuple[type, tuple[np.ndarray]]:
        return StateAggregation, (np.array(self.group),)

    def __repr__(self) -> str:
        return f"StateAggregation(states={len(self.group)}, groups={self.count})"

    def expand(self, rows: Float[np.ndarray, "*batch G A"]) -> Float[np.ndarray, "*batch S A"]:
        """The policy that has rows[g] in every state of group g."""
        return self._rows(rows, self.count, "rows")[..., self.group, :]

    def contains(self, policy: Float[np.ndarray, "*batch S A"]) -> bool:
        """Whether all states of a group have bitwise the same row."""
        first = np.unique(self.group, return_index=True)[1]
        policy = self._rows(policy, len(self.group), "policy")
        return bool((policy == policy[..., first, :][..., self.group, :]).all())

    @staticmethod
    def _rows(value: RealLike, count: int, name: str) -> np.ndarray:
        array = np.asarray(value)
        if array.ndim < 2 or array.shape[-2] != count:
            raise InvalidInput(
                got=f"{name} of shape {array.shape}",
                wanted=f"{count} rows of probabilities",
                fix=f"check that {name} belongs to this aggregation",
            )
        return array
