"""What of an exact instance could be exchanged for something simpler: rows and numbers, and what each exchange saves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from trpo_theory.search.simple_numbers import number_at, rows_at, total_cost
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.fields import AXES
from trpo_theory.step.instances import Instances

DENOMINATORS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 32, 50, 64, 100, 128, 200, 256, 500, 999, 10**4, 10**5, 10**6)
"""Those that rows and numbers are rounded to, the simplest first. Chosen."""
ROW_FIELDS = ("transition", "initial", "old", "new", "reference", "model", "weights")
NUMBER_FIELDS = ("reward", "noise", "gamma", "size", "costs", "temperature", "horizon")
FEW = 6
"""From more states on merges are searched in floats, and a row is simplified where it is large only. Chosen."""

_FEWER_DENOMINATORS = (1, 2, 10, 100, 1000, 10**4, 10**6)
"""Those of an instance of more states, of which no reader sees the numbers. Chosen."""

Fields = dict[str, Any]
Edit = tuple[str, tuple[int, ...], Any]
"""A field, where in it (a row, or an entry), and what shall stand there."""


def denominators_for(states: int) -> tuple[int, ...]:
    """What rows and numbers of an instance of so many states are rounded to."""
    return DENOMINATORS if states <= FEW else _FEWER_DENOMINATORS


def fields_of(instance: ExactInstance) -> Fields:
    """Every field that the instance has, as object arrays; `available` where some action is not."""
    names = (name for name in AXES if name not in ("groups", "available"))
    fields = {name: value for name in names if (value := getattr(instance, name)) is not None}
    return fields if instance.available.all() else {**fields, "available": instance.available}


def with_fields(instance: ExactInstance, fields: Fields, groups: Any = None) -> ExactInstance:
    """The instance of these fields, with the groups of another, or those given; checked only where actions are missing.

    There, what stands for an action that cannot be taken is exchanged for 0. Else the fields are what instances have.
    """
    made = ExactInstance if "available" in fields else ExactInstance.of_stored
    return made(**fields, groups=instance.groups if groups is None else groups)


def edits_of(instance: ExactInstance, *, with_new: bool) -> list[tuple[float, list[Edit]]]:
    """What could be exchanged, with what it saves; only what saves."""
    fields, found = fields_of(instance), []
    few = denominators_for(instance.states)
    shared = instance.groups is not None and len(set(instance.groups)) == 1
    for name in ROW_FIELDS:
        if name not in fields or (name == "new" and not with_new):
            continue
        places = [place for place in np.ndindex(fields[name].shape[:-1]) if any(fields[name][place])]
        rows = [fields[name][place] for place in places]
        others = [fields["old"][place] for place in places] if name in ("new", "reference") else []
        for number, place in enumerate(places):
            if instance.states > FEW and max(rows[number]) == 1:
                continue
            everywhere = places if shared and name == "old" else [place]
            alike = [*others, *rows] if instance.states <= FEW else []
            for row in _simpler_rows(rows[number], alike, few):
                found.append([(name, index, row) for index in everywhere])
        if name != "initial" and len(rows) > 1:
            for row in _simpler_rows(rows[0], list(rows), few):
                found.append([(name, place, row) for place in places])
    for name in NUMBER_FIELDS:
        if name not in fields:
            continue
        array = np.asarray(fields[name], dtype=object)
        for place in np.ndindex(array.shape):
            found += [[(name, place, value)] for value in _simpler_numbers(name, array[place], few)]
        if array.ndim:
            found.append([(name, place, Fraction(0)) for place in np.ndindex(array.shape)])
    if "available" in fields:
        found = [edit for edit in found if _is_possible(instance, edit)]
    arrays = {name: np.asarray(value, dtype=object) for name, value in fields.items()}
    costs: dict[tuple[str, tuple[int, ...]] | int, float] = {}
    saved = [(_saving(arrays, costs, edit), edit) for edit in found]
    return [(saving, edit) for saving, edit in saved if saving > 1e-9]


def _is_possible(instance: ExactInstance, edit: list[Edit]) -> bool:
    """Whether policies keep to the actions that are available."""
    policies = [(index, row) for name, index, row in edit if name in ("old", "new", "reference")]
    return all(instance.available[index][row != 0].all() for index, row in policies)


def _saving(
    arrays: dict[str, np.ndarray], costs: dict[tuple[str, tuple[int, ...]] | int, float], edit: list[Edit]
) -> float:
    """What an edit saves; `costs` keeps what the entries of the instance cost, and values that edits share, by their id."""
    saved = 0.0
    for name, index, value in edit:
        if (before := costs.get((name, index))) is None:
            before = costs[name, index] = total_cost(arrays[name][index])
        if (after := costs.get(id(value))) is None:
            after = costs[id(value)] = total_cost(value)
        saved += before - after
    return saved


def _simpler_rows(row: Any, others: list[Any], denominators: tuple[int, ...]) -> Iterator[Any]:
    size = len(row)
    largest = sorted(range(size), key=lambda i: -row[i])[:FEW]
    for count in range(1, min(size, 3) + 1):
        for support in combinations(sorted(largest), count):
            yield np.array([Fraction(int(i in support), count) for i in range(size)], dtype=object)
    yield from others
    yield from rows_at(row, denominators)


def _simpler_numbers(name: str, value: Any, denominators: tuple[int, ...]) -> Iterator[Fraction]:
    if name == "gamma":
        yield from (Fraction(p, q) for p, q in ((1, 2), (9, 10), (1, 10), (3, 4), (1, 4), (99, 100), (1, 3), (2, 3)))
        for near in (20, 100, 1000, 10**4):
            yield from (Fraction(1, near), Fraction(near - 1, near))
    elif name == "horizon":
        yield from (Fraction(steps) for steps in range(1, min(int(value), 6)))
        return
    elif name in ("size", "temperature"):
        yield from (Fraction(10) ** power for power in (0, 1, 2, -1, -2, -3))
    else:
        yield from (Fraction(0), Fraction(1), Fraction(-1))
    for denominator in denominators:
        rounded = number_at(value, denominator)
        if name in ("reward", "noise", "costs") or 0 < rounded < (1 if name == "gamma" else math.inf):
            yield rounded


def edited(instance: ExactInstance, edit: list[Edit]) -> ExactInstance:
    """The instance under an edit."""
    fields = dict(fields_of(instance))
    for name in {name for name, _, _ in edit}:
        fields[name] = np.array(fields[name], dtype=object)
    for name, index, value in edit:
        fields[name][index] = value
    scalars = {name: fields[name].item() for name in {name for name, _, _ in edit} if not fields[name].ndim}
    return with_fields(instance, fields | scalars)


def edited_floats(instance: ExactInstance, edits: list[list[Edit]]) -> Instances:
    """The floats of the instance under each edit, as one batch."""
    base = Instances.of_exact([instance])
    batch = base.take(np.zeros(len(edits), dtype=int))
    arrays = batch.arrays()
    for number, edit in enumerate(edits):
        for name, index, value in edit:
            arrays[name][(number, *index)] = np.asarray(value, dtype=float)
    return batch
