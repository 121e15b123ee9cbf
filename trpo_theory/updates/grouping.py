"""What states have, made what the groups of a `StateAggregation` have."""

from __future__ import annotations

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.model.policy import StateAggregation


def by_step(aggregation: StateAggregation, states: int, steps: int) -> StateAggregation:
    """A map of the states (t, s) from one of s, whose groups are then apart in each step."""
    group = np.asarray(aggregation.group)
    if len(group) == states:
        return aggregation
    if len(group) * steps != states:
        raise InvalidInput(
            got=f"an aggregation map of {len(group)} states",
            wanted=f"one integer for each of the {states // steps} states, or for each of the {states} (step, state)",
            fix="check that the map belongs to this MDP",
        )
    return StateAggregation((group + aggregation.count * np.arange(steps)[:, None]).ravel())


def grouped(
    aggregation: StateAggregation, old: np.ndarray, advantage: np.ndarray, available: np.ndarray, visitation: np.ndarray
) -> tuple[np.ndarray, ...]:
    """The rows of groups: ρ summed, A averaged under ρ (0 where a group is never visited), old shared."""
    group = aggregation.group
    if len(group) != old.shape[1]:
        raise InvalidInput(
            got=f"an aggregation map of {len(group)} states",
            wanted=f"one integer for each of the {old.shape[1]} states",
            fix="check that the map belongs to this MDP",
        )
    first = np.unique(group, return_index=True)[1]
    for array, what in ((old, "old policy"), (available, "available actions")):
        apart = (array != array[:, first][:, group]).any(axis=(0, 2))
        if apart.any():
            state = int(np.argmax(apart))
            raise InvalidInput(
                got=f"an {what} outside the class: state {state} differs from state {int(first[group[state]])} of its group",
                wanted=f"the same {what} in all states of a group",
                fix="start from a policy of the class (StateAggregation.expand makes one), or change the map",
            )
    total = np.zeros((aggregation.count, visitation.shape[1]))
    np.add.at(total, group, visitation)
    weighted = np.zeros((len(old), *total.shape))
    for sums, terms in zip(weighted, advantage * visitation, strict=True):
        np.add.at(sums, group, terms)
    return old[:, first], weighted / np.where(total > 0, total, 1.0), available[:, first], total


def largest(aggregation: StateAggregation, part: np.ndarray) -> np.ndarray:
    """The largest of each group, (S, B) -> (G, B)."""
    out = np.zeros((aggregation.count, part.shape[1]))
    np.maximum.at(out, aggregation.group, part)
    return out


def summed(aggregation: StateAggregation, part: np.ndarray) -> np.ndarray:
    """The sum over each group, (S, B) -> (G, B)."""
    out = np.zeros((aggregation.count, part.shape[1]))
    np.add.at(out, aggregation.group, part)
    return out
