"""MDPs and policies in .npz and .json files, and policies in .npy files."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.kinds import MAPPING, TEXT, TRUTH, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.io._atomic import atomic_write
from trpo_theory.io._costs import costs_of, flattened
from trpo_theory.io._json import decode_json, encode_json
from trpo_theory.io._labels import label_list
from trpo_theory.io._npz import decode_npy, decode_npz, encode_npz
from trpo_theory.io._source import checked_path, existing_file, in_file, read_text
from trpo_theory.io._sparse import SPARSE_KEYS, transition_of
from trpo_theory.model.mdp import FiniteMDP, expect_one_mdp
from trpo_theory.model.shapes import Float
from trpo_theory.model.types import PathLike, RealLike

OPTIONAL_KEYS = ("available", "costs", "state_labels", "action_labels")
_RESERVED = frozenset({"transition", "reward", "gamma", "initial", *SPARSE_KEYS, *OPTIONAL_KEYS})
_SUFFIXES = (".npz", ".json")

Field = Any
"""The value of a field: an array, or what JSON holds: nested lists of numbers and `Fraction`, a number, a string."""


def read_mdp(path: PathLike, gamma: RealLike | None = None) -> FiniteMDP:
    """The MDP in a .npz or .json file.

    Its keys are `transition` (S, A, S), `reward` (S,), (S, A) or (S, A, S), `gamma`, `initial` (S,), and optionally
    `available` (S, A), `state_labels`, `action_labels`, and `costs`, an object of named arrays in the shapes of a reward (in
    .npz one array `cost:NAME` each). A sparse transition, of shape (S·A, S) in CSR form, is
    `transition_data`, `transition_indices`, `transition_indptr`, `transition_shape` instead. Other keys are ignored.
    JSON numbers may be rationals, "1/3"; -inf in a reward marks an unavailable action.

    Args:
        path: the file.
        gamma: a discount; it overrides the file's, and is needed if the file has none.

    Returns:
        The MDP; what `write_mdp` wrote comes back to the last bit.

    Raises:
        InvalidInput: naming the file, for one that is missing, damaged or not an MDP.
    """
    return mdp_from_fields(read_fields(path), gamma, source=Path(path).name)


def read_fields(path: PathLike, *, exact: bool = False, what: str = "an MDP") -> dict[str, Field]:
    """The raw content of a .npz (arrays) or .json file (nested lists of int, float and Fraction).

    Args:
        path: the file.
        exact: whether a decimal in JSON is a `Fraction`, the decimal that is written, and not the nearest float.
        what: what the file is of, for messages.

    Raises:
        InvalidInput: for a file that is missing, damaged, holds pickled objects or NaN, or is not a JSON object.
    """
    expect(TRUTH, exact=exact)
    expect(TEXT, what=what)
    path = existing_file(path, _SUFFIXES, what)
    with in_file(path.name):
        if path.suffix.lower() == ".npz":
            return decode_npz(path)
        fields = decode_json(path, "an MDP", exact=exact)
        if not isinstance(fields, dict):
            raise InvalidInput(
                got=f"a JSON {type(fields).__name__}",
                wanted="a JSON object with transition, reward, gamma, initial",
                fix='write {"transition": ..., "reward": ..., "gamma": ..., "initial": ...}',
            )
        return fields


def mdp_from_fields(
    fields: Mapping[str, Field], gamma: RealLike | None = None, source: str = "the fields"
) -> FiniteMDP:
    """The MDP in fields as `read_fields` returns them; other fields are ignored.

    Args:
        fields: see `read_mdp` for the keys.
        gamma: a discount; it overrides theirs, and is needed if they have none.
        source: their name in error messages.

    Raises:
        InvalidInput: if keys are missing or their content is not an MDP.
    """
    if gamma is not None:
        gamma = _checks.discount_or_one(gamma)
    expect(MAPPING, fields=fields)
    expect(TEXT, source=source)
    with in_file(source):
        fields = {key: value for key, value in fields.items() if value is not None}
        _check_keys(fields, gamma)
        mdp = FiniteMDP(
            transition_of(fields),
            fields["reward"],
            fields["gamma"] if gamma is None else gamma,
            fields["initial"],
            available=None if "available" not in fields else _checks.real_array(fields["available"], "available"),
            costs=costs_of(fields),
            state_labels=label_list(fields, "state_labels"),
            action_labels=label_list(fields, "action_labels"),
        )
        if mdp.batch_shape:
            raise InvalidInput(
                got=f"a batch of MDPs, transition of shape {mdp.transition.shape}",
                wanted="one MDP a file, transition of shape (S, A, S)",
                fix="write each MDP of the batch to its own file",
            )
        return mdp


def read_policy(path: PathLike, name: str = "policy") -> Float[np.ndarray, "*batch S A"]:
    """The policy in a .npy file, a .npz (array `name`), or a .json (a nested list, or an object with `name`).

    Only finite numbers in two or more axes are required here; `load_policy` checks a policy against its MDP.

    Raises:
        InvalidInput: naming the file, for one that is missing, damaged or holds no such array.
    """
    content = policy_entries(path, name)
    with in_file(Path(path).name):
        return policy_table(content, name)


def policy_table(content: Field, name: str = "policy") -> Float[np.ndarray, "*batch S A"]:
    """What `policy_entries` read, as an array of two axes or more.

    Raises:
        InvalidInput: for anything else.
    """
    policy = _checks.real_array(content, name)
    if policy.ndim < 2:
        raise InvalidInput(
            got=f"{name} of shape {policy.shape}",
            wanted="shape (S, A): one row a state, one column an action",
            fix="write out the probabilities; for actions a(s), trpo_theory.model.policy.deterministic(a, A)",
        )
    return policy


def policy_entries(path: PathLike, name: str = "policy") -> Any:
    """What a file says of a policy, unchecked: an array, or the nested list of a .json file, which may have rationals.

    Raises:
        InvalidInput: naming the file, for one that is missing, damaged or has no such entry.
    """
    expect(TEXT, name=name)
    path = existing_file(path, (".npy", *_SUFFIXES), "a policy")
    with in_file(path.name):
        suffix = path.suffix.lower()
        if suffix == ".npy":
            return decode_npy(path)
        content = decode_npz(path) if suffix == ".npz" else decode_json(path, "a policy")
        if isinstance(content, dict):
            if name not in content:
                raise _missing([name], content)
            return content[name]
        return content


def read_integers(path: PathLike) -> list[int]:
    """One integer for each state, from a .npy file, a .json list, or a text file with one on each line.

    Raises:
        InvalidInput: naming the file, for one that is missing or holds something else.
    """
    path = existing_file(path, (".npy", ".json", ".txt", ".csv"), "an aggregation map")
    with in_file(path.name):
        suffix = path.suffix.lower()
        if suffix == ".npy":
            content: Any = decode_npy(path).tolist()
        elif suffix == ".json":
            content = decode_json(path, "an aggregation map")
        else:
            content = read_text(path, "an aggregation map").split()
        try:
            if isinstance(content, str | Mapping):
                raise TypeError
            return [int(str(entry)) for entry in content]
        except (TypeError, ValueError):
            raise InvalidInput(
                got="entries that are not integers",
                wanted="one integer a state",
                fix="write the group of each state, such as 0 0 1",
            ) from None


def write_mdp(mdp: FiniteMDP, path: PathLike, **policies: RealLike) -> None:
    """Write an MDP as .npz or .json, atomically; see `read_mdp` for the keys.

    Args:
        mdp: one MDP, dense or sparse.
        path: a name that ends in .npz or .json.
        **policies: policies on it, (S, A), stored under their names, such as old= and new=.

    Raises:
        InvalidInput: for a batch, an array that is not a policy of the MDP, or a path that cannot be written.
    """
    expect_one_mdp(mdp, "write each to its own file")
    fields = mdp_fields(mdp)
    for name, policy in policies.items():
        if name in _RESERVED:
            raise InvalidInput(got=f"a policy named {name!r}", wanted="a name that no field has", fix="rename it")
        fields[name] = _checks.policy_rows(policy, mdp.available, name)
    write_fields(fields, path)


def write_fields(fields: Mapping[str, Field], path: PathLike) -> None:
    """Write named arrays (in JSON also strings, numbers, fractions) as .npz or .json, atomically.

    Raises:
        InvalidInput: for another suffix, a value that the format cannot hold, or a path that cannot be written.
    """
    expect(MAPPING, fields=fields)
    path = checked_path(path, _SUFFIXES, "an MDP")
    if path.suffix.lower() == ".json":
        content = encode_json(dict(fields)).encode()
        with atomic_write(path) as stream:
            stream.write(content)
        return
    fields = flattened(fields)
    arrays = {name: np.asanyarray(value) for name, value in fields.items()}
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise InvalidInput(
                got=f"{name} of type {type(fields[name]).__name__} for a .npz file",
                wanted="arrays of numbers or strings",
                fix="write .json, which keeps fractions, or convert it to floats",
            )
    with atomic_write(path) as stream:
        encode_npz(stream, arrays)


def mdp_fields(mdp: FiniteMDP) -> dict[str, Field]:
    """The fields of an MDP's file."""
    if mdp.is_sparse:
        matrix: Any = mdp.transition
        parts = (matrix.data, matrix.indices, matrix.indptr, np.array(matrix.shape))
        fields = dict(zip(SPARSE_KEYS, parts, strict=True))
    else:
        fields = {"transition": mdp.transition}
    fields |= {"reward": mdp.reward, "gamma": mdp.gamma, "initial": mdp.initial}
    if not mdp.available.all():
        fields["available"] = mdp.available
    if mdp.costs:
        fields["costs"] = dict(mdp.costs)
    labels = {"state_labels": mdp.state_labels, "action_labels": mdp.action_labels}
    return fields | {name: np.array(value) for name, value in labels.items() if value is not None}


def _check_keys(fields: Mapping[str, Any], gamma: Any) -> None:
    sparse = "transition" not in fields and any(key in fields for key in SPARSE_KEYS)
    needed = [*(SPARSE_KEYS if sparse else ("transition",)), "reward", "initial"]
    missing = [key for key in needed if key not in fields]
    if missing:
        raise _missing(missing, fields)
    if gamma is None and "gamma" not in fields:
        raise InvalidInput(
            got=f"no gamma (found {_listed(fields)})",
            wanted="a discount",
            fix="add gamma to the file, or pass gamma=0.99 (--gamma 0.99)",
        )
    if not sparse and any(key in fields for key in SPARSE_KEYS):
        raise InvalidInput(got="a dense transition and a sparse one", wanted="one of the two", fix="delete one of them")
    for key in fields:
        meant = difflib.get_close_matches(key, OPTIONAL_KEYS, n=1, cutoff=0.85)
        if meant and meant[0] != key:
            raise InvalidInput(got=f"the key {key!r}", wanted=f"{meant[0]!r}", fix="rename it")


def _missing(missing: list[str], fields: Mapping[str, Any]) -> InvalidInput:
    near = {key: difflib.get_close_matches(key, [name for name in fields if name not in _RESERVED]) for key in missing}
    renames = [f"rename {names[0]!r} to {key!r}" for key, names in near.items() if names]
    fix = "; ".join(renames) or "add " + ", ".join(missing)
    if "initial" in missing and not near["initial"]:
        fix += " (the uniform initial distribution has 1/S everywhere)"
    return InvalidInput(got=f"no {', '.join(missing)} (found {_listed(fields)})", wanted=", ".join(missing), fix=fix)


def _listed(fields: Mapping[str, Any]) -> str:
    names = [repr(name) if len(name) < 60 else repr(name[:60] + "...") for name in fields]
    return ", ".join(names[:20]) + (", ..." if len(names) > 20 else "") or "nothing"
