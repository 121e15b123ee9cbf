"""Costs in files: an object of named arrays in JSON, and one array or column `cost:NAME` each elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trpo_theory import _checks
from trpo_theory.errors import InvalidInput
from trpo_theory.model.labels import labels

PREFIX = "cost:"
"""Before the name of a cost, in the keys of .npz files and the header of .csv files."""


def costs_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The costs in a file's fields, by name: its `cost:NAME` and those of the object `costs`.

    `costs` may also be one array (S, A, K), as proof files have it; its columns are c, c2, c3, ..., or `cost_names`.

    Raises:
        InvalidInput: for anything else, or one name twice.
    """
    found = {key.removeprefix(PREFIX): value for key, value in fields.items() if key.startswith(PREFIX)}
    given = fields.get("costs")
    if given is None:
        return found
    more = dict(given) if isinstance(given, Mapping) else _columns(given, fields.get("cost_names"))
    twice = found.keys() & more.keys()
    if twice:
        raise InvalidInput(got=f"the cost {min(twice)!r} twice", wanted="each once", fix="delete one of the two")
    return found | more


def _columns(array: Any, names: Any) -> dict[str, Any]:
    array = _checks.real_array(array, "costs")
    if array.ndim != 3:
        raise InvalidInput(
            got=f"costs of shape {array.shape}",
            wanted="an object of named costs, or one array (S, A, K)",
            fix='write "costs": {"fuel": [[...], ...]}',
        )
    count = array.shape[2]
    found = labels(names, "cost_names", count)
    if found is None:
        found = tuple("c" if k == 0 else f"c{k + 1}" for k in range(count))
    return {str(name): array[:, :, k] for k, name in enumerate(found)}


def flattened(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with an object `costs` as one `cost:NAME` each, for formats that hold arrays alone."""
    costs = fields.get("costs")
    if not isinstance(costs, Mapping):
        return dict(fields)
    rest = {name: value for name, value in fields.items() if name != "costs"}
    return rest | {f"{PREFIX}{name}": value for name, value in costs.items()}
