"""Tables P[s][a] = [(probability, s', reward, terminated), ...] as MDPs in which the ends of episodes are absorbing."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from trpo_theory.entries.precision import row_sum_atol
from trpo_theory.errors import InvalidInput
from trpo_theory.io._environments import first_line
from trpo_theory.io._rows import assemble, densified
from trpo_theory.model.mdp import FiniteMDP

_NOWHERE = -1
"""The successor of a transition that ends the episode in no state of the table."""


class Listed(NamedTuple):
    """The transitions of a table, as vectors; those with p = 0 are left out.

    Attributes:
        row: s·A + a.
        successor: s', or `_NOWHERE` where the episode ends and s' is no state of the table.
        probability, reward, terminated: as in the table.
        atol: the `row_sum_atol` of its probabilities.
    """

    row: np.ndarray
    successor: np.ndarray
    probability: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    atol: float


def is_table(value: object) -> bool:
    """Whether it looks like a table: a dict or list of states, of dicts or lists of actions, of lists of outcomes."""
    for level in range(3):
        if not isinstance(value, Mapping | list | tuple) or not value or (level and isinstance(value, str)):
            return False
        value = next(iter(value.values())) if isinstance(value, Mapping) else value[0]
    return isinstance(value, tuple | list) and len(value) in (3, 4)


def numbered(table: Any) -> tuple[dict[int, dict[int, list[Any]]], list[str] | None, list[str] | None]:
    """A bare table with states and actions by number, and their names; None for names that are the numbers.

    Actions that a state lacks are left out; outcomes of three fields never end the episode.

    Raises:
        InvalidInput: for outcomes that lead to a state that is none.
    """
    rows = dict(_items(table))
    state_of = {key: place for place, key in enumerate(sorted(rows) if _are_integers(rows) else rows)}
    every = dict.fromkeys(action for moves in rows.values() for action, _ in _items(moves))
    action_of = {key: place for place, key in enumerate(sorted(every) if _are_integers(every) else every)}
    if any(key != place for key, place in state_of.items()) and _are_integers(rows):
        raise InvalidInput(
            got=f"a table whose states are {', '.join(map(str, sorted(rows)[:8]))}",
            wanted="the states 0, 1, 2, ..., or names",
            fix="number them without gaps, or make texts of them: {str(s): ...}, in their successors, too",
        )
    found: dict[int, dict[int, list[Any]]] = {place: {} for place in state_of.values()}
    for state, moves in rows.items():
        for action, outcomes in _items(moves):
            listed = [_outcome(outcome, state_of, state, action) for outcome in outcomes]
            found[state_of[state]][action_of[action]] = listed
    return found, _names(state_of), _names(action_of)


def _items(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items()) if isinstance(value, Mapping) else list(enumerate(value))


def _are_integers(keys: Any) -> bool:
    return all(isinstance(key, numbers.Integral) for key in keys)


def _names(place_of: Mapping[Any, int]) -> list[str] | None:
    return None if all(key == place for key, place in place_of.items()) else [str(key) for key in place_of]


def _outcome(outcome: Any, state_of: Mapping[Any, int], state: Any, action: Any) -> Any:
    if not isinstance(outcome, tuple | list) or len(outcome) not in (3, 4):
        raise _wrong_entry(f"state {state!r}, action {action!r}", "the table", f"{outcome!r}"[:80])
    probability, successor, reward, *ends = outcome
    terminated = ends[0] if ends else False
    known = state_of.get(successor) if isinstance(successor, str | tuple | numbers.Integral) else None
    if known is None and not terminated and probability != 0:
        raise _wrong_entry(f"state {state!r}, action {action!r}", "the table", f"{successor!r} is not a state of it")
    return probability, _NOWHERE if known is None else known, reward, terminated


def _wrong_entry(place: str, name: str, said: str) -> InvalidInput:
    return InvalidInput(
        got=f"the entry of {place} in {name}: {said}",
        wanted="P[s][a] to be a list of (probability, successor, reward, terminated)",
        fix="correct that entry",
    )


def listed(table: Any, states: int, actions: int, name: str, *, whole: bool = True) -> Listed:
    """The transitions of a table with states and actions by number.

    Where an episode ends nothing follows, so that its last successor may be anything, -1 as well as None.

    Args:
        table: the table.
        states: S.
        actions: A.
        name: that of the environment, for messages.
        whole: whether every state must have every action.

    Raises:
        InvalidInput: naming the entry that is wrong.
    """
    found: list[tuple[int, int, Any, float, bool]] = []
    for state in range(states):
        for action in range(actions):
            try:
                if whole and len(table[state]) != actions:
                    raise ValueError(f"{len(table[state])} actions, others have {actions}")
                if not whole and action not in table[state]:
                    continue
                found += _entries(table[state][action], state * actions + action, states)
            except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
                place = f"state {state}, action {action}"
                raise _wrong_entry(place, f"the table of {name}", first_line(error)) from None
    if not found:
        raise InvalidInput(got=f"an empty table of {name}", wanted="transitions", fix="correct the environment's table")
    row, successor, probability, reward, terminated = zip(*found, strict=True)
    atol = row_sum_atol(list({type(p): p for p in probability}.values()))
    columns = [np.array(column) for column in (row, successor, [float(p) for p in probability], reward, terminated)]
    return Listed(columns[0], columns[1], columns[2], columns[3], columns[4], atol)


def _entries(outcomes: Any, row: int, states: int) -> list[tuple[int, int, Any, float, bool]]:
    found = []
    for probability, successor, reward, terminated in outcomes:
        if probability == 0:
            continue
        if terminated not in (0, 1) or not hasattr(reward, "__float__"):
            raise TypeError(f"reward {reward!r}, terminated {terminated!r}")
        target = _target(successor, states)
        if target == _NOWHERE and not terminated:
            raise ValueError(f"the successor {successor!r} is not a state")
        float(probability)
        found.append((row, target, probability, float(reward), bool(terminated)))
    return found


def _target(successor: Any, states: int) -> int:
    """The state that a successor is, or `_NOWHERE`."""
    try:
        return target if 0 <= (target := int(successor)) == successor < states else _NOWHERE
    except (TypeError, ValueError, OverflowError):
        return _NOWHERE


def with_ends_absorbing(
    entries: Listed, initial: np.ndarray, actions: int, gamma: Any, *, whole: bool = True, names: Any = (None, None)
) -> FiniteMDP:
    """The MDP of a table; see `trpo_theory.io.from_gym` for its ends.

    Args:
        entries: the table.
        initial: ρ₀, (S,).
        actions: A.
        gamma: the discount.
        whole: whether every state must have every action; else those without an entry are not available.
        names: of states and actions, or None.
    """
    row, successor, probability, reward, terminated, atol = entries
    states = len(initial)
    end = np.zeros(states + 1, dtype=bool)
    end[successor[terminated]] = True  # `_NOWHERE` is the last, as an index
    alive = _reached(row[~terminated] // actions, successor[~terminated], initial > 0)
    labels = names[0]
    if end[states] or (end[:states] & alive).any():
        end[:] = False
        end[states] = True
        successor = np.where(terminated, states, successor)
        initial = np.append(initial, 0.0)
        labels = [*(labels or map(str, range(states))), "terminated"]
        states += 1
    keep = ~end[row // actions]
    ends = (np.flatnonzero(end)[:, None] * actions + np.arange(actions)).ravel()
    matrix, mean, seen = assemble(
        np.concatenate([row[keep], ends]),
        np.concatenate([successor[keep], ends // actions]),
        np.concatenate([probability[keep], np.ones(len(ends))]),
        np.concatenate([reward[keep], np.zeros(len(ends))]),
        states,
        actions,
        atol,
    )
    return FiniteMDP(
        densified(matrix, states, actions),
        mean,
        gamma,
        initial,
        available=None if whole else seen,
        state_labels=labels,
        action_labels=names[1],
    )


def _reached(source: np.ndarray, target: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The states that an episode can visit before it terminates."""
    import scipy.sparse as sp
    from scipy.sparse.csgraph import breadth_first_order

    root, first = len(start), np.flatnonzero(start)
    source, target = np.append(source, np.full(len(first), root)), np.append(target, first)
    graph = sp.csr_array((np.ones(len(source)), (source, target)), shape=(root + 1, root + 1))
    reached = np.zeros(root + 1, dtype=bool)
    reached[breadth_first_order(graph, root, return_predecessors=False)] = True
    return reached[:root]
