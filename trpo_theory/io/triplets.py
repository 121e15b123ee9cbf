"""MDPs as lists of transitions, in arrays or in a .csv file."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.kinds import MAPPING, expect
from trpo_theory.entries.reading import reading
from trpo_theory.errors import InvalidInput
from trpo_theory.io._costs import PREFIX
from trpo_theory.io._json import parse_rational
from trpo_theory.io._rows import assemble, check_size, count_of, integer_vector
from trpo_theory.io._source import existing_file, in_file, read_text
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.types import PathLike, RealLike

_FIELDS = ("state", "action", "successor", "probability", "reward")
_CRAAM = ("idstatefrom", "idaction", "idstateto", "probability", "reward")
_NAMES = (
    frozenset({"state", "idstatefrom", "s", "from", "fromstate", "statefrom", "currentstate", "source", "origin"}),
    frozenset({"action", "idaction", "a"}),
    frozenset(
        {
            "successor",
            "idstateto",
            "nextstate",
            "newstate",
            "to",
            "tostate",
            "stateto",
            "snext",
            "sprime",
            "s'",
            "sp",
            "target",
        }
    ),
    frozenset({"probability", "p", "prob", "transitionprobability"}),
    frozenset({"reward", "r", "rewards"}),
)
"""What the columns of `_FIELDS` are called, without spaces, hyphens and underscores."""
_INTEGER = re.compile(r"\s*\d{1,15}(?:\.0*)?\s*", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)


def from_triplets(
    state: RealLike,
    action: RealLike,
    successor: RealLike,
    probability: RealLike,
    reward: RealLike,
    gamma: RealLike,
    initial: RealLike | None = None,
    *,
    states: int | None = None,
    actions: int | None = None,
    costs: Mapping[str, RealLike] | None = None,
) -> FiniteMDP:
    """A sparse MDP from a list of its transitions, in any order.

    P(s'|s,a) = Σ p,  r(s,a) = Σ p r / Σ p over the listed transitions; an action of which no
    transition is listed is not available in that state.

    Args:
        state: s of each transition, integers from 0, shape (N,).
        action: a of each transition, integers from 0, shape (N,).
        successor: s' of each transition, integers from 0, shape (N,).
        probability: p, shape (N,).
        reward: r of each transition, shape (N,).
        gamma: the discount γ.
        initial: ρ₀, shape (S,); uniform by default.
        states: S; by default one more than the largest index.
        actions: A; by default one more than the largest index.
        costs: further rewards by name, (N,) each, averaged as r is.

    Returns:
        A sparse MDP.

    Raises:
        InvalidInput: for lengths that differ, an index that is not an integer from 0, a state without a transition,
            or rows that do not sum to 1.
    """
    gamma = _checks.discount_or_one(gamma)
    expect(MAPPING.or_none, costs=costs)
    atol = _checks.row_sum_atol(probability)
    probability, reward = _checks.real_array(probability, "probability"), _checks.real_array(reward, "reward")
    given = (state, action, _where_it_matters(successor, probability, state))
    indices = [integer_vector(value, name) for value, name in zip(given, _FIELDS, strict=False)]
    further = {name: _checks.real_array(cost, f"cost {name!r}") for name, cost in (costs or {}).items()}
    vectors = dict(zip(_FIELDS, (*indices, probability, reward), strict=True)) | further
    if len({vector.shape for vector in vectors.values()}) > 1:
        raise InvalidInput(
            got="lengths " + ", ".join(f"{name} {vector.shape}" for name, vector in vectors.items()),
            wanted="vectors of one length",
            fix="give each transition its state, action, successor, probability, reward and costs",
        )
    state, action, successor = indices
    states = count_of(states, "states", int(max(state.max(), successor.max())) + 1)
    actions = count_of(actions, "actions", int(action.max()) + 1)
    _check_sources(state, states)
    check_size(states, actions)
    initial = _checks.distribution(initial, "initial", states)
    with np.errstate(over="ignore", invalid="ignore"), reading():
        row = state * actions + action
        size = (states, actions, atol)
        matrix, mean, seen = assemble(row, successor, probability, reward, *size)
        means = {name: assemble(row, successor, probability, cost, *size)[1] for name, cost in further.items()}
        return FiniteMDP(matrix, mean, gamma, initial, available=seen, costs=means)


def _where_it_matters(successor: Any, probability: np.ndarray, state: Any) -> Any:
    """The successors, with the state itself for those that have probability 0: whatever is listed there, it is never entered."""
    array, source = _checks.real_array(successor, "successor"), _checks.real_array(state, "state")
    fits = array.shape == probability.shape == source.shape
    return np.where(probability == 0, source, array) if fits else array


def read_triplets(
    path: PathLike,
    gamma: RealLike,
    initial: RealLike | None = None,
    *,
    states: int | None = None,
    actions: int | None = None,
) -> FiniteMDP:
    """A sparse MDP from a .csv file with one transition on each line; see `from_triplets`.

    The header is idstatefrom,idaction,idstateto,probability,reward (as CRAAM writes it) or
    state,action,successor,probability,reward, or other usual names such as next_state, its columns in any order, separated by
    commas, semicolons or tabs; further columns cost:NAME are costs. A first column without a name, as pandas writes, is ignored.

    Args:
        path: the file.
        gamma: the discount.
        initial: ρ₀, shape (S,); uniform by default.
        states: S; by default one more than the largest index.
        actions: A; by default one more than the largest index.

    Returns:
        A sparse MDP.

    Raises:
        InvalidInput: naming the file and the line.
    """
    path = existing_file(path, (".csv",), "an MDP's transitions")
    gamma = _checks.discount_or_one(gamma)
    with in_file(path.name):
        (state, action, successor, probability, reward), costs = _columns(path)
        size = {"states": states, "actions": actions}
        return from_triplets(state, action, successor, probability, reward, gamma, initial, **size, costs=costs)


def written_triplets(path: PathLike, states: int, actions: int) -> dict[str, Any]:
    """P, r and costs of a file that `read_triplets` accepted, nested lists, its decimals taken exactly.

    P is (S, A, S), r (S, A), and costs, where there are any, a dictionary of (S, A).

    Raises:
        InvalidInput: for a decimal of thousands of digits.
    """
    path = existing_file(path, (".csv",), "an MDP's transitions")
    with in_file(path.name):
        columns, costs = _columns(path, parse_rational)
    *indices, mass, reward = columns
    places = [tuple(map(int, place)) for place in zip(*indices, strict=True)]
    transition: list[list[list[Any]]] = [[[0] * states for _ in range(actions)] for _ in range(states)]
    for (s, a, t), p in zip(places, mass, strict=True):
        transition[s][a][t] += p

    def mean(column: Any) -> list[list[Any]]:
        total: list[list[Any]] = [[0] * actions for _ in range(states)]
        for (s, a, _), p, r in zip(places, mass, column, strict=True):
            total[s][a] += p * r
        weights = [[sum(row) for row in rows] for rows in transition]
        return [[r / p if p else 0 for r, p in zip(*rows, strict=True)] for rows in zip(total, weights, strict=True)]

    found: dict[str, Any] = {"transition": transition, "reward": mean(reward)}
    return found | ({"costs": {name: mean(column) for name, column in costs.items()}} if costs else {})


def _check_sources(state: np.ndarray, states: int) -> None:
    listed = np.unique(state)
    if len(listed) < states:
        gaps = np.flatnonzero(listed != np.arange(len(listed)))
        missing = int(gaps[0]) if len(gaps) else len(listed)
        raise InvalidInput(
            got=f"no transition from state {missing} ({len(listed)} of {states} states have one)",
            wanted="at least one action in every state",
            fix="give a terminal state s the transition s, 0, s, probability 1, reward 0; number states without gaps",
        )


def _columns(path: Path, parsed: Callable[[str], Any] = float) -> tuple[list[Any], dict[str, Any]]:
    """Each field's column, and each cost's; probabilities, rewards and costs as `parsed` makes them of text."""
    text = read_text(path, "an MDP's transitions")
    try:
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)  # of two that are there as often, the comma
        reader = csv.reader(text.splitlines(), strict=True, delimiter=delimiter)
        header = [name.strip() for name in next(reader)]
        order = _order(header)
        values: list[list[Any]] = [[] for _ in order]
        for cells in reader:
            if not cells or not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise _bad_line(reader.line_num, f"{len(cells)} fields", f"{len(header)}, as the header has")
            never = _is_zero(cells[order[3]])
            for field, column in enumerate(order):
                cell = cells[order[0]] if field == 2 and never else cells[column]
                if not (_INTEGER if field < 3 else _NUMBER).fullmatch(cell):
                    wanted = "an integer from 0" if field < 3 else "a number"
                    raise _bad_line(reader.line_num, f"{cell[:60]!r} as {header[column]}", wanted)
                number = float(cell)
                if not math.isfinite(number):
                    raise _bad_line(reader.line_num, f"{cell[:60]!r} as {header[column]}", "a finite number")
                values[field].append(number if field < 3 else parsed(cell))
    except (csv.Error, StopIteration) as error:
        raise InvalidInput(
            got=f"text that is not CSV ({error or 'no header'})", wanted="one transition a line", fix="export it again"
        ) from None
    if not values[0]:
        raise InvalidInput(got="a header without a line below it", wanted="transitions", fix="export it again")
    columns = [np.array(column) for column in values]
    names = (header[place][len(PREFIX) :] for place in order[len(_FIELDS) :])
    return columns[: len(_FIELDS)], dict(zip(names, columns[len(_FIELDS) :], strict=True))


def _is_zero(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None and float(cell) == 0


def _is_cost(name: str) -> bool:
    return name.strip().lower().startswith(PREFIX)


def _order(header: list[str]) -> list[int]:
    """The places of the fields, then of the costs."""
    costs = [place for place, name in enumerate(header) if _is_cost(name)]
    plain = [re.sub(r"[ _-]", "", name.lower()) for name in header]
    found = [[place for place, name in enumerate(plain) if name in names] for names in _NAMES]
    every = [*(place for places in found for place in places), *costs]
    index = [0] if plain[:1] == [""] else []  # of the lines, as pandas writes it
    twice = len({header[place] for place in costs}) < len(costs)
    if all(len(places) == 1 for places in found) and sorted(every + index) == list(range(len(header))) and not twice:
        return every
    shown = ",".join(header)
    extra = "; outcomes of nature are not supported" if "idoutcome" in header else ""
    raise InvalidInput(
        got=f"the header {shown[:120]!r}{extra}",
        wanted=f"{','.join(_CRAAM)} or {','.join(_FIELDS)}",
        fix=f"put that header on the first line, and drop other columns but for {PREFIX}NAME",
    )


def _bad_line(number: int, got: str, wanted: str) -> InvalidInput:
    return InvalidInput(got=f"{got} on line {number}", wanted=wanted, fix="correct that line")
