"""Draws of exact instances, in fractions with small integers behind them, so that a failure shrinks to something small.

Nothing is filtered, so that no draw is thrown away. Three devices help a failure to shrink:
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

from trpo_theory.testing._options import Options

_KEPT = 8
"""A state or action is dropped in one draw of so many (0, the simplest draw, drops it)."""


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
        fields["new"] = target if weight is None else (1 - weight) * old + weight * target
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
    available = _masks(draw, groups, states, actions, options.unavailable)
    grain = draw(st.integers(0, options.weights))
    initial = _row(draw, states, grain or 1, full=options.start_anywhere)
    transition, reward = _filled(*available.shape, len(states.kept)), _filled(*available.shape)
    for s in range(states.drawn):
        numerators = draw(_integers(actions.drawn, *options.reward))
        for a in range(actions.drawn):
            row = _successor_row(draw, states, options.successors, grain)
            if s in states.kept and a in actions.kept:
                index = states.kept.index(s), actions.kept.index(a)
                if available[index]:
                    transition[index], reward[index] = row, Fraction(numerators[a], options.denominator)
    fields = {"transition": transition, "reward": reward, "gamma": gamma, "initial": initial}
    return {**fields, "available": available}


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


def _masks(draw: Any, groups: Any, states: Any, actions: Any, some_are_not: bool) -> np.ndarray:
    """Which actions are available, the same in all states of a group: often all."""
    available = np.ones((int(max(groups)) + 1, len(actions.kept)), dtype=bool)
    if some_are_not and draw(st.booleans()):
        for g in range(len(available)):
            forbidden = np.array(draw(_integers(actions.drawn, 0, 1)))[actions.kept]
            available[g] = forbidden == 0
            available[g, 0] |= forbidden.all()
    return available[groups[states.kept]]


def _policy(draw: Any, available: Any, groups: Any, states: Any, actions: Any, options: Any, which: str) -> np.ndarray:
    """A policy on the kept states, old or new as the options want that one; groups are of all states drawn for."""
    one, full = which in options.deterministic, which in options.full_support
    grain = 0 if one else draw(st.integers(1, options.weights))
    rows = _filled(*available.shape)
    for g in range(int(max(groups)) + 1):
        members = [index for index, s in enumerate(states.kept) if groups[s] == g]
        weights = draw(_integers(1, 0, actions.drawn - 1) if one else _integers(actions.drawn, int(full), grain))
        if members:
            chosen = _one_hot(weights[0], actions.drawn) if one else weights
            rows[members] = _quotients(np.array(chosen)[actions.kept] * available[members[0]], available[members[0]])
    return rows


def _row(draw: Any, states: Any, most: int, *, full: bool) -> np.ndarray:
    """A distribution on states: weights 0..most over their sum, 1..most if full."""
    return _quotients(np.array(draw(_integers(states.drawn, int(full), most)))[states.kept])


def _successor_row(draw: Any, states: Any, successors: Any, grain: int) -> np.ndarray:
    """P(·|s,a): of weights 0..grain, one-hot if grain is 0; or with so many successors at most, drawn with replacement."""
    if grain and (successors is None or successors >= states.drawn):
        return _row(draw, states, grain, full=False)
    weights = np.zeros(states.drawn, dtype=int)
    for _ in range(1 if grain == 0 else successors):
        successor = draw(st.integers(0, states.drawn - 1))
        weights[successor] += 1 if grain == 0 or successors == 1 else draw(st.integers(1, grain))
    return _quotients(weights[states.kept])


def _one_hot(entry: int, size: int) -> list[int]:
    return [int(index == entry) for index in range(size)]


def _quotients(weights: Any, support: Any = None) -> np.ndarray:
    """Integer weights over their sum; all on the first entry of the support where all are 0."""
    whole = [int(weight) for weight in weights]
    if not any(whole):
        whole[0 if support is None else int(np.argmax(support))] = 1
    out = np.empty(len(whole), dtype=object)
    out[:] = [Fraction(weight, sum(whole)) for weight in whole]
    return out


def _filled(*shape: int) -> np.ndarray:
    return np.full(shape, Fraction(0), dtype=object)


@functools.cache
def _integers(count: int, low: int, high: int) -> Any:
    """So many integers in [low, high]."""
    return st.tuples(*[st.integers(low, high)] * count)
