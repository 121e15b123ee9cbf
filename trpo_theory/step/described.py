"""`described`: all that a formula may read of a step, with formulas and shapes, from the code itself."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics.notation import Notation
from trpo_theory.solve.criteria import Discounted
from trpo_theory.step.agents import StepAgents
from trpo_theory.step.conditions import StepConditions
from trpo_theory.step.divergences import StepDivergence
from trpo_theory.step.fields import GIVEN, StepFields
from trpo_theory.step.minorisation import StepMinorisation
from trpo_theory.step.moments import StepMoments
from trpo_theory.step.optimum import StepOptimum
from trpo_theory.step.policies import StepPolicies
from trpo_theory.step.quantities import Quantities, compare

GROUPS = (
    *(
        "given",
        "of old",
        "of new",
        "of the step",
        "of the MDP",
        "divergences",
        "moments",
        "conditions",
        "of several agents",
    ),
    "reductions and functions",
)
"""In the order in which they are listed."""

_GROUP_OF: dict[type, str] = {
    StepFields: "given",
    StepOptimum: "of the MDP",
    StepMinorisation: "of the MDP",
    StepDivergence: "divergences",
    StepMoments: "moments",
    StepConditions: "conditions",
    StepAgents: "of several agents",
    Quantities: "of the step",
    Notation: "reductions and functions",
}
"""The group of what a class defines; of `StepPolicies`, and where a name says which policy it is of, that policy's."""

_SHAPE = re.compile(r"[,:] (\([^()]*\*batch\))( each)?")
"""The shape of a value in a docstring's first sentence, which has a column of its own; that of an argument follows a word."""

_SHOWN = 2
"""Arguments of a function that are listed; chosen: a name with more would fill the line."""


@dataclass(frozen=True)
class Field:
    """One name that a formula may read.

    Attributes:
        name: as in q.name.
        call: the name, with the arguments of a function.
        group: one of `GROUPS`.
        formula: the first sentence of its docstring, without the shape.
        shape: of its value, such as "(S, A, *batch)"; "" for a function whose docstring gives none.
    """

    name: str
    call: str
    group: str
    formula: str
    shape: str


def described() -> list[Field]:
    """Every name of `Quantities.names()`, by groups, each in the order of the code."""
    fields = [_given(name) for name in GIVEN] + [_defined(name) for name in _in_order()]
    return sorted(fields, key=lambda field: GROUPS.index(field.group))


def _in_order() -> list[str]:
    """The names that are not given, from the ground class up."""
    every = [name for kind in reversed(Quantities.__mro__) for name in vars(kind)]
    listed = [name for name in dict.fromkeys(every) if name in Quantities.names() and name not in GIVEN]
    return [*(name for name in sorted(Quantities.names()) if name not in (*GIVEN, *listed)), *listed]


def _given(name: str) -> Field:
    return Field(name, name, "given", GIVEN[name], _shape_of(name))


def _defined(name: str) -> Field:
    member = inspect.getattr_static(Quantities, name, None)
    if member is None:  # an annotation: the arithmetic
        return Field(name, name, "reductions and functions", "The arithmetic itself, with its name", "")
    first = (inspect.getdoc(member) or "").split("\n")[0]
    formula = _SHAPE.sub("", first, count=1).strip().rstrip(".")
    if not callable(member):
        return Field(name, name, _group(name), formula, _shape_of(name))
    group = "reductions and functions" if name in vars(StepFields) else _group(name)
    shape = _SHAPE.search(first)
    return Field(name, _call(name, member), group, formula, shape.group(1) if shape else "")


def _call(name: str, function: Any) -> str:
    names = [one for one in inspect.signature(function).parameters if one not in ("self", "where")]
    return f"{name}({', '.join(names) if len(names) <= _SHOWN else '...'})"


def _group(name: str) -> str:
    kind = next(kind for kind in Quantities.__mro__ if name in vars(kind))
    if kind is StepPolicies or (kind is StepMinorisation and name.endswith(("_old", "_new"))):
        return "of new" if "_new" in name else "of old"
    return _GROUP_OF[kind]


def _shape_of(name: str) -> str:
    """From the value on an instance whose sizes tell the axes apart."""
    value = getattr(_INSTANCE, name)
    if isinstance(value, tuple):
        return "a tuple"
    if isinstance(value, Discounted):
        return "a criterion"
    if isinstance(value, int) and name not in GIVEN:
        return "an integer"
    axes = {_STATES: "S", _ACTIONS: "A", _OTHERS: "K"}
    return f"({', '.join([*(axes[size] for size in np.shape(value)), '*batch'])})"


_STATES, _ACTIONS, _OTHERS = 3, 2, 4
"""Of the instance, and how many costs and references it has: different, and none 1. Chosen."""
_INSTANCE: Quantities = compare(
    FiniteMDP(
        np.full((_STATES, _ACTIONS, _STATES), 1 / _STATES),
        np.arange(_STATES * _ACTIONS).reshape(_STATES, _ACTIONS),
        0.5,
        np.full(_STATES, 1 / _STATES),
    ),
    np.full((_STATES, _ACTIONS), 1 / _ACTIONS),
    np.full((_STATES, _ACTIONS), 1 / _ACTIONS),
).replace(
    horizon=np.array(0),
    costs=np.zeros((_STATES, _ACTIONS, _OTHERS)),
    references=np.full((_STATES, _ACTIONS, _OTHERS), 1 / _ACTIONS),
    weights=np.full(_OTHERS, 1 / _OTHERS),
)
