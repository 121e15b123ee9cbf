"""Draws of exact instances, in fractions with small integers behind them, so that a failure shrinks to something small.

Nothing is filtered, so that no draw is thrown away: what would test nothing is changed by `_nontrivial`. Three devices help a
failure to shrink:
sizes come first, and with them, for each state and action, whether it is kept: one of no importance to a failure goes alone,
without moving the numbers of the others; a row is integer weights over their sum; how large weights may be, the grain, is
drawn too: one-hot rows, and uniform ones on a part of the actions, are the usual counterexamples.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from trpo_theory.step.agents import product
from trpo_theory.testing._nontrivial import with_a_gap
from trpo_theory.testing._options import Options
from trpo_theory.testing._repairs import repaired
from trpo_theory.testing._settings import REFERENCES

_KEPT = 8
"""A state or action is dropped in one draw of so many (0, the simplest draw, drops it)."""

_DENSE_STATES = 8
"""Rows of P have any number of successors up to so many states. Chosen: an integer for every next state of 30 would be 3,600."""

_SPARSE_SUCCESSORS = 4
"""Beyond it at most so many, unless the options say how many. Chosen."""

_ONE_HOT_TRANSITIONS, _ONE_HOT_POLICIES, _STAYS = 8, 4, 3
"""Where draws are not to be trivial: how many more values of a grain mean one-hot rows (see `_grain`), and one group of so
many does not move. By trial: with 200 examples mean-TV in the place of max-TV in trpo/tv, and ε without its absolute value,
are found in nine seeds of ten."""


@st.composite
def instance(draw: Any, options: Any, *, with_new: bool = True) -> Any:
    """The fields of an instance by name, in object arrays of fractions; `groups` are integers, `available` booleans."""
    states, actions = _sizes(draw, options.states), _sizes(draw, options.actions)
    gamma = draw(options.gamma)
    groups = _group_map(draw, states, options.aggregation)
    weight = draw(options.mixture) if options.mixture is not None and with_new else None
    fields = _mdp(draw, states, actions, gamma, groups, options)
    group_of = groups[states.kept]
    fields["old"] = old = _policy(draw, fields["available"], groups, states, actions, options, "old")
    fields["groups"] = np.unique(group_of, return_inverse=True)[1].reshape(-1)
    if with_new:
        target = _policy(draw, fields["available"], groups, states, actions, options, "new")
        _furnish(draw, fields, groups, states, actions, options)
        if not options.trivial:
            _let_stay(draw, fields, target, options)
            return with_a_gap(fields, target, weight, options)
        fields["new"] = target if weight is None else (1 - weight) * old + weight * target
        repaired(fields, options.setting)
    return fields


@st.composite
def mdp(draw: Any, options: Options) -> Any:
    """The fields of an MDP by name."""
    states, actions = _sizes(draw, options.states), _sizes(draw, options.actions)
    return _mdp(draw, states, actions, draw(options.gamma), np.arange(states.drawn), options)


@st.composite
def policy(draw: Any, available: Any, groups: Any, options: Any) -> Any:
    """A policy (S, A) with a row for each group."""
    states, actions = (Sizes(size, list(range(size))) for size in available.shape)
    return _policy(draw, available, groups, states, actions, options, "new")


@dataclass(frozen=True)
class Sizes:
    """How many states (or actions) there are draws for, and which of them are kept."""

    drawn: int
    kept: list[int]


def _sizes(draw: Any, bounds: tuple[int, int]) -> Sizes:
    """A number within bounds, of which some may be dropped again, down to the least."""
    # No composite: a span whose length varies makes most moves of Hypothesis's target() overrun, by trial.
    least, most = bounds
    drawn = draw(st.integers(least, most))
    if drawn == least:
        return Sizes(drawn, list(range(drawn)))
    marks = draw(_integers(drawn, 0, _KEPT - 1))
    order = sorted(range(drawn), key=lambda index: marks[index] == 0)  # the kept ones first
    return Sizes(drawn, sorted(order[: max(least, sum(mark > 0 for mark in marks))]))


def _mdp(draw: Any, states: Any, actions: Any, gamma: Any, groups: Any, options: Any) -> dict[str, Any]:
    available = _masks(draw, groups, states, actions, options)
    grain = _grain(draw, options, _ONE_HOT_TRANSITIONS)
    initial = _row(draw, states, grain or 1, full=options.start_anywhere)
    transition, reward = _filled(*available.shape, len(states.kept)), _filled(*available.shape)
    for s in range(states.drawn):
        numerators = _whole(draw, actions.drawn, options.reward[0], options.reward[1], states)
        rows = _successor_rows(draw, states, actions.drawn, options.successors, grain)
        for a, row in enumerate(rows):
            if (index := _kept_at(s, a, states, actions, available)) is not None:
                transition[index], reward[index] = row, Fraction(numerators[a], options.denominator)
    fields = {"transition": transition, "reward": reward, "gamma": gamma, "initial": initial}
    return {**fields, "available": available}


def _kept_at(s: int, a: int, states: Sizes, actions: Sizes, available: np.ndarray) -> tuple[int, int] | None:
    """Where a state and an action that were drawn are among those kept, if the action is available there."""
    if s not in states.kept or a not in actions.kept:
        return None
    index = states.kept.index(s), actions.kept.index(a)
    return index if available[index] else None


def _furnish(draw: Any, fields: dict[str, Any], groups: Any, states: Sizes, actions: Sizes, options: Any) -> None:
    """Draw what the setting has beside (mdp, old, new): horizon, temperature, costs by name, a model, references and weights."""
    setting, available = options.setting, fields["available"]
    if setting.horizon is not None:
        fields["horizon"] = draw(st.integers(*setting.horizon))
    if setting.temperature is not None:
        fields["temperature"] = draw(setting.temperature)
    if setting.costs:
        fields["costs"] = {name: _cost(draw, available, states, actions, options) for name in setting.costs}
    if setting.model:
        grain = _grain(draw, options, _ONE_HOT_TRANSITIONS)
        fields["model"] = model = _filled(*available.shape, len(states.kept))
        for s in range(states.drawn):
            for a, row in enumerate(_successor_rows(draw, states, actions.drawn, options.successors, grain)):
                if (index := _kept_at(s, a, states, actions, available)) is not None:
                    model[index] = row
    if setting.references:
        arguments = available, groups, states, actions, options, "reference"
        fields["references"] = [_policy(draw, *arguments) for _ in range(REFERENCES)]
        fields["weights"] = _quotients(draw(_integers(REFERENCES, 1, options.weights)))


def _cost(draw: Any, available: np.ndarray, states: Sizes, actions: Sizes, options: Any) -> np.ndarray:
    """As rewards are drawn."""
    cost = _filled(*available.shape)
    for s in range(states.drawn):
        for a, numerator in enumerate(_whole(draw, actions.drawn, options.reward[0], options.reward[1], states)):
            if (index := _kept_at(s, a, states, actions, available)) is not None:
                cost[index] = Fraction(numerator, options.denominator)
    return cost


def _group_map(draw: Any, states: Any, aggregation: Any) -> np.ndarray:
    """A group for each state: all apart unless aggregated; else each joins one before it or opens the next."""
    if aggregation is False:
        return np.arange(states.drawn)
    if aggregation is not True:
        return np.array(aggregation.group)
    groups = [0]
    for _ in range(states.drawn - 1):
        groups.append(draw(st.integers(0, max(groups) + 1)))
    return np.array(groups)


def _masks(draw: Any, groups: Any, states: Any, actions: Any, options: Any) -> np.ndarray:
    """Which actions are available, the same in all states of a group: often all, and several somewhere if need be."""
    available = np.ones((int(max(groups)) + 1, len(actions.kept)), dtype=bool)
    if options.unavailable and draw(st.booleans()):
        for g in range(len(available)):
            forbidden = np.array(_whole(draw, actions.drawn, 0, 1, states))[actions.kept]
            available[g] = forbidden == 0
            available[g, 0] |= forbidden.all()
    rows = available[groups[states.kept]]
    if not options.trivial and not (rows.sum(1) > 1).any():
        available[groups[states.kept[0]]] = True
    return available[groups[states.kept]]


def _policy(draw: Any, available: Any, groups: Any, states: Any, actions: Any, options: Any, which: str) -> np.ndarray:
    """A policy on the kept states, old or new as the options want that one; groups are of all states drawn for.

    Of several agents it is the product of their own.
    """
    agents = options.setting.agents
    if agents:
        each, alone = (Sizes(size, list(range(size))) for size in agents), options.alone()
        able = np.ones(len(available), dtype=bool)
        own = [_policy(draw, np.repeat(able[:, None], one.drawn, 1), groups, states, one, alone, which) for one in each]
        return product(own, agents)
    one, full = which in options.deterministic, which in options.full_support
    grain = 0 if one else _grain(draw, options, -1 if full or options.trivial else _ONE_HOT_POLICIES)
    one = grain == 0
    rows = _filled(*available.shape)
    for g in range(int(max(groups)) + 1):
        members = [index for index, s in enumerate(states.kept) if groups[s] == g]
        wanted = (1, 0, actions.drawn - 1) if one else (actions.drawn, int(full), grain)
        weights = _whole(draw, *wanted, states)
        if members:
            chosen = _one_hot(weights[0], actions.drawn) if one else weights
            rows[members] = _quotients(np.array(chosen)[actions.kept] * available[members[0]], available[members[0]])
    return rows


def _row(draw: Any, states: Any, most: int, *, full: bool) -> np.ndarray:
    """A distribution on states: weights 0..most over their sum, 1..most if full."""
    return _quotients(np.array(_whole(draw, states.drawn, int(full), most, states))[states.kept])


def _successor_rows(draw: Any, states: Sizes, actions: int, successors: Any, grain: int) -> list[np.ndarray]:
    """P(·|s,a) for each action: of weights 0..grain, one-hot if that is 0; or with so many successors, drawn with replacement."""
    if successors is None:
        successors = states.drawn if states.drawn <= _DENSE_STATES else _SPARSE_SUCCESSORS
    if grain and successors >= states.drawn:
        return [_row(draw, states, grain, full=False) for _ in range(actions)]
    each = successors if grain else 1
    ends = _whole(draw, actions * each, 0, states.drawn - 1, states)
    shares = _whole(draw, actions * each, 1, grain, states) if each > 1 else [1] * actions
    weights = np.zeros((actions, states.drawn), dtype=int)
    np.add.at(weights, (np.repeat(np.arange(actions), each), list(ends)), list(shares))
    return [_quotients(row[states.kept]) for row in weights]


def _one_hot(entry: int, size: int) -> list[int]:
    return [int(index == entry) for index in range(size)]


def _quotients(weights: Any, support: Any = None) -> np.ndarray:
    """Integer weights over their sum; all on the first entry of the support where all are 0."""
    whole = [int(weight) for weight in weights]
    if not any(whole):
        whole[0 if support is None else int(np.argmax(support))] = 1
    out = np.empty(len(whole), dtype=object)
    total = sum(whole)
    out[:] = [Fraction(weight, total) if weight else _ZERO for weight in whole]
    return out


def _filled(*shape: int) -> np.ndarray:
    return np.full(shape, _ZERO, dtype=object)


_ZERO = Fraction(0)


def _grain(draw: Any, options: Any, one_hot: int) -> int:
    """How large weights may be, 1..weights; 0 for one-hot rows, in 1 + one_hot of one_hot + weights + 1 draws."""
    if one_hot < 0:
        return draw(st.integers(1, options.weights))
    more = 0 if options.trivial else one_hot
    return max(0, draw(st.integers(0, options.weights + more)) - more)


def _let_stay(draw: Any, fields: dict[str, Any], target: np.ndarray, options: Any) -> None:
    """New is old in some groups, where old's row is one that the options allow new."""
    groups, old = fields["groups"], fields["old"]
    stays = np.array(draw(_integers(int(max(groups)) + 1, 0, _STAYS - 1)))[groups] == _STAYS - 1
    if "new" in options.deterministic:
        stays &= (old == 1).any(1)
    if "new" in options.full_support:
        stays &= ((old > 0) == fields["available"]).all(1)
    target[stays] = old[stays]


def _whole(draw: Any, count: int, low: int, high: int, states: Sizes) -> Any:
    """So many integers in [low, high]; of many states by bytes, which is one draw."""
    if states.drawn > _DENSE_STATES and high - low < _BYTE:
        return [low + byte % (high - low + 1) for byte in draw(_bytes(count))]
    return draw(_integers(count, low, high))


_BYTE = 256
"""Values of one."""


@functools.cache
def _bytes(count: int) -> Any:
    return st.binary(min_size=count, max_size=count)


@functools.cache
def _integers(count: int, low: int, high: int) -> Any:
    """So many integers in [low, high]."""
    return st.tuples(*[st.integers(low, high)] * count)
