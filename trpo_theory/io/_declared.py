"""What a file in Cassandra's format declares, as a whole: that its states are observed, and its numbers as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trpo_theory.errors import InvalidInput
from trpo_theory.io._rules import Rules


@dataclass(frozen=True, eq=False)
class Written:
    """The transitions of a file before rows are divided by their sums and rewards are averaged.

    Attributes:
        size: S and A.
        place: state, action and successor of each transition, three vectors.
        probability, reward: of each transition.
        initial: the start; None where the file has none.
    """

    size: tuple[int, int]
    place: tuple[np.ndarray, np.ndarray, np.ndarray]
    probability: np.ndarray
    reward: np.ndarray
    initial: list[float] | None

    def fields(self) -> dict[str, Any]:
        """Transition and reward, nested lists (S, A, S), and the start, whose floats are the decimals that are written."""
        states, actions = self.size
        found: dict[str, Any] = {"initial": self.initial or [1.0 / states] * states}
        for name, values in (("transition", self.probability), ("reward", self.reward)):
            table = np.zeros((states, actions, states))
            table[self.place] = values
            found[name] = table.tolist()
        return found


def expect_every_row(row: np.ndarray, names: Mapping[str, Mapping[str, int]], states: int, actions: int) -> None:
    """Raise unless each of the rows s·A + a has a transition; `names` are those of states and actions, in their order."""
    listed = np.unique(row)
    if len(listed) == states * actions:
        return
    gaps = np.flatnonzero(listed != np.arange(len(listed)))
    missing = divmod(int(gaps[0]) if len(gaps) else len(listed), actions)
    state, action = (
        repr(list(names[kind])[at]) if names[kind] else str(at)
        for kind, at in zip(("states", "actions"), missing, strict=True)
    )
    raise InvalidInput(
        got=f"no T for action {action} in state {state}",
        wanted="a distribution over successors for every action in every state",
        fix="add it; T: a : s uniform, or T: a identity for an action that changes nothing",
    )


def expect_observed(rules: Rules, states: int, actions: int, observations: int) -> None:
    """Raise unless there are as many observations as states, and the rules O are the identity."""
    if observations == states:
        action, successor, seen, probability = rules.support()
        same = (successor == seen) & (probability == 1)
        if same.all() and len(action) == states * actions:
            return
        what = "O that is not the identity"
    else:
        what = f"{observations} observations of {states} states"
    raise InvalidInput(
        got=f"a partially observed model, with {what}",
        wanted="a fully observed one: as many observations as states, and O the identity under every action",
        fix="if the agent is meant to see the state, delete observations: and the rules O, and write rules R: a : s : s' : o r "
        "as R: a : s : s' r, with the expected reward over o",
    )
