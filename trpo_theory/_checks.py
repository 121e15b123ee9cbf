"""Every argument check, in one place: arrays come out float64, valid and ready to be trusted."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Collection, Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.entries.arrays import real_array
from trpo_theory.entries.expected import as_float, is_real, shown
from trpo_theory.entries.foreign import native
from trpo_theory.entries.kinds import brief
from trpo_theory.entries.precision import ROUNDING, ROW_SUM_ATOL, row_sum_atol
from trpo_theory.entries.rows import (
    check_row_sums,
    first_index,
    meaning,
    probability_rows,
    show_index,
    without_tiny_negatives,
)
from trpo_theory.entries.sparse import is_sparse
from trpo_theory.errors import InvalidInput

__all__ = [
    "ROUNDING",
    "ROW_SUM_ATOL",
    "actions_available",
    "as_float",
    "check_row_sums",
    "discount",
    "discount_or_one",
    "distribution",
    "expect_an_action",
    "expect_shape",
    "first_index",
    "integer",
    "known_name",
    "meaning",
    "near_matches",
    "number_between",
    "policy_rows",
    "probability_rows",
    "real_array",
    "row_sum_atol",
    "scalar",
    "show_index",
    "shown",
    "unknown_name",
    "without_tiny_negatives",
]

_NAMED = 24
"""Choices that a message names, at most; of more it names the nearest. Chosen: what is read at a glance, three lines."""


def near_matches(name: str, choices: Iterable[str], listing: str = "") -> str:
    """The clause that names what `name` may have meant: near matches, else the choices, the nearest of them if they are many.

    Args:
        name: what was got.
        choices: what there is.
        listing: how to see all of it, added in brackets: "`trpo-theory claims` lists them".
    """
    choices = [choice if len(choice) <= 60 else f"{choice[:50]}..." for choice in choices]
    near = difflib.get_close_matches(name, choices, n=3, cutoff=0.5)
    if near:
        found = "did you mean " + " or ".join(repr(match) for match in near) + "?"
    elif len(choices) <= _NAMED:
        return "choose one of " + ", ".join(choices)
    else:
        nearest = difflib.get_close_matches(name, choices, n=3, cutoff=0.0)
        found = f"the nearest of {len(choices)} names are {', '.join(nearest)}"
    return found + (f" ({listing})" if listing else "")


def known_name(kind: str, name: Any, choices: Iterable[str], listing: str = "") -> str:
    """The name, which is one of the choices; `listing` says how to see all of them.

    Raises:
        InvalidInput: for another name, or what is no text.
    """
    choices = choices if isinstance(choices, Collection) else list(choices)
    if isinstance(name, str) and name in choices:
        return name
    raise unknown_name(kind, name, choices, listing)


def unknown_name(kind: str, name: object, choices: Iterable[str], listing: str = "") -> InvalidInput:
    """The error for a name that is not in a catalogue; `listing` says how to see all of them."""
    choices, wanted = list(choices), f"the name of a known {kind}"
    if isinstance(name, str):
        return InvalidInput(got=f"the {kind} {name!r}", wanted=wanted, fix=near_matches(name, choices, listing))
    fix = (
        near_matches("", choices)
        if 0 < len(choices) <= _NAMED
        else f"write its name{f' ({listing})' if listing else ''}"
    )
    return InvalidInput(got=f"{brief(name)} as the {kind}", wanted=wanted, fix=fix)


def discount(value: Any, batch_shape: tuple[int, ...] = ()) -> float | np.ndarray:
    """Gamma in [0, 1): a float, or for a batch an array that broadcasts to its shape."""
    return _discount(value, batch_shape, "a discount gamma in [0, 1)", "pass a number such as 0.99", 1.0)


def discount_or_one(value: Any, batch_shape: tuple[int, ...] = ()) -> float | np.ndarray:
    """Gamma in [0, 1], 1 for MDPs that end or whose rewards are averaged, likewise."""
    wanted = "a discount gamma in [0, 1]"
    fix = "pass a number such as 0.99, or 1 for an MDP that ends"
    return _discount(value, batch_shape, wanted, fix, float(np.nextafter(1.0, 2.0)))


def _discount(value: Any, batch_shape: tuple[int, ...], wanted: str, fix: str, end: float) -> float | np.ndarray:
    if isinstance(value, (str, bool, np.bool_)) or value is None:
        raise InvalidInput(got=f"gamma = {value!r}", wanted=wanted, fix=fix)
    array = real_array(value, "gamma")
    outside = (array < 0) | (array >= end)
    if outside.any():
        raise InvalidInput(got=f"gamma = {array[first_index(outside)]:.10g}", wanted=wanted, fix=fix)
    if array.ndim == 0:
        return float(array)
    return np.broadcast_to(array, _broadcasts(array.shape, batch_shape, "gamma"))


def _broadcasts(shape: tuple[int, ...], batch_shape: tuple[int, ...], name: str) -> tuple[int, ...]:
    try:
        if np.broadcast_shapes(shape, batch_shape) == batch_shape:
            return batch_shape
    except ValueError:
        pass
    raise InvalidInput(
        got=f"{name} of shape {shape}",
        wanted=f"a scalar or an array that broadcasts to the batch shape {batch_shape}",
        fix=f"pass one {name} for each MDP of the batch",
    )


def distribution(value: Any, name: str, states: int, batch_shape: tuple[int, ...] = ()) -> np.ndarray:
    """An initial distribution (*batch, S); a missing one is uniform."""
    if value is None:
        return np.full((*(1 for _ in batch_shape), states), 1.0 / states)
    array = real_array(value, name)
    expect_shape(array, name, states, "S", batch_shape=batch_shape)
    return probability_rows(array, name, atol=row_sum_atol(value))


def expect_shape(array: np.ndarray, name: str, *sizes: Any, batch_shape: tuple[int, ...] = ()) -> None:
    """Raise unless `array` is (*batch, *core); sizes are the core's, then its letters ("S", "A")."""
    core = tuple(size for size in sizes if not isinstance(size, str))
    letters = ", ".join(size for size in sizes if isinstance(size, str))
    lead = array.shape[: array.ndim - len(core)]
    fits = array.ndim >= len(core) and array.shape[array.ndim - len(core) :] == core
    if fits and len(lead) <= len(batch_shape):
        try:
            if np.broadcast_shapes(lead, batch_shape) == batch_shape:
                return
        except ValueError:
            pass
    batch = f", after leading axes that broadcast to the batch {batch_shape}" if batch_shape else ""
    raise InvalidInput(
        got=f"{name} of shape {array.shape}",
        wanted=f"shape {core}" + (f" ({letters})" if letters else "") + batch,
        fix=f"check that {name} belongs to this MDP, and the order of its axes",
    )


def actions_available(given: np.ndarray, name: str = "available") -> np.ndarray:
    """Truth values of which actions can be taken, from an array of 0 and 1, floats or fractions.

    Raises:
        InvalidInput: for other numbers.
    """
    wrong = np.asarray((given != 0) & (given != 1), dtype=bool)
    if wrong.any():
        index = first_index(wrong)
        raise InvalidInput(
            got=f"{name}{show_index(index)} = {shown(given[index].item() if given.dtype != object else given[index])}",
            wanted="true or false, or 1 or 0",
            fix="pass reward > -np.inf, mdp.available, or a boolean array of shape (S, A)",
        )
    return np.asarray(given == 1, dtype=bool)


def expect_an_action(mask: np.ndarray) -> None:
    """Raise unless every state has an action that can be taken, (*batch, S, A)."""
    stuck = ~mask.any(-1)
    if stuck.any():
        index = first_index(stuck)
        place = str(int(index[0])) if len(index) == 1 else show_index(index)
        raise InvalidInput(
            got=f"no available action in state {place}".rstrip(),
            wanted="at least one in every state",
            fix="give a terminal state one action that stays there with reward 0",
        )


def policy_rows(value: Any, available: np.ndarray, name: str = "policy") -> np.ndarray:
    """A policy (*batch, S, A): row-stochastic, no mass on unavailable actions. Leading axes may be new."""
    array = real_array(value.toarray() if is_sparse(value) else value, name)
    states, actions = available.shape[-2:]
    if array.ndim < 2 or array.shape[-2:] != (states, actions):
        raise InvalidInput(
            got=f"{name} of shape {array.shape}",
            wanted=f"shape ({states}, {actions}): one row a state, one column an action of this MDP",
            fix="check that the policy belongs to this MDP and is not transposed; with ?horizon= the states of a gym: table "
            "are (step, state), and horizon=T (--horizon T) in its place takes a policy of the states",
        )
    try:
        if array.shape != available.shape:
            available = np.broadcast_to(available, np.broadcast_shapes(array.shape, available.shape))
    except ValueError:
        raise InvalidInput(
            got=f"{name} with batch {array.shape[:-2]} for MDPs with batch {available.shape[:-2]}",
            wanted="leading axes that broadcast against each other",
            fix="pass one policy, or as many as there are MDPs",
        ) from None
    if not available.all():
        stray = np.broadcast_to(array, available.shape) * ~available
        if stray.any():
            index = first_index(stray != 0)
            raise InvalidInput(
                got=f"{name}{show_index(index)} = {stray[index]:.6g} for an action that is not available there",
                wanted="no mass on unavailable actions",
                fix="move it to the available ones (mdp.available says which they are)",
            )
    return probability_rows(array, name, atol=row_sum_atol(value))


def integer(value: Any, name: str, *, least: int) -> int:
    """An integer that is at least `least`; an array of no axes is its number."""
    value = scalar(value, name)
    if not is_real(value) or not isinstance(value, numbers.Integral) or int(value) < least:
        raise InvalidInput(got=f"{name} = {shown(value)}", wanted=f"an integer, {least} or more", fix=f"change {name}")
    return int(value)


def number_between(value: Any, name: str, low: float, high: float) -> float:
    """A real number in [low, high]; an array of no axes is its number."""
    value = scalar(value, name)
    number = as_float(value)
    if not low <= number <= high or not math.isfinite(number):
        raise InvalidInput(
            got=f"{name} = {shown(value)}", wanted=f"a number in [{low:g}, {high:g}]", fix=_number_meant(value, name)
        )
    return number


def scalar(value: Any, name: str) -> Any:
    """The number of an array or tensor of no axes; anything else unchanged."""
    value = native(value, name) if hasattr(value, "shape") else value
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _number_meant(value: Any, name: str) -> str:
    """How to write a number that was passed as text; else to change it."""
    if isinstance(value, str):
        try:
            meant = Fraction(value)
        except (ValueError, ZeroDivisionError):
            return f"pass {name} as a number; check the order of the arguments"
        return f"pass a number, {float(meant):.12g} or Fraction({str(meant)!r}), and not text"
    return f"change {name}"
