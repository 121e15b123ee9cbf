"""Training runs: the sequence of policies on an MDP, with the numbers logged for each update; and their .npz files."""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trpo_theory import _checks
from trpo_theory.entries.expected import expect_numbers, is_real
from trpo_theory.entries.foreign import native
from trpo_theory.entries.kinds import MAPPING, expect, expect_type
from trpo_theory.errors import InvalidInput
from trpo_theory.io._source import checked_path, in_file
from trpo_theory.io.files import SPARSE_KEYS, mdp_fields, mdp_from_fields, read_fields, write_fields
from trpo_theory.model.mdp import FiniteMDP, expect_mdp, expect_one_mdp
from trpo_theory.model.shapes import Float
from trpo_theory.model.types import PathLike, RealLike

RUN_ROW_ATOL = 1e-4
"""How far a row of a recorded policy may be from summing to 1:

Chosen: float32 softmaxes are off by 1e-7, and rows printed with five digits by up to 1e-5 for each action.
"""

_MOST_ROW_ATOL = 2e-2
"""The same in the widest format that there is, bfloat16: see `entries.precision`."""

_LOGGED = "logged_"
_SUFFIXES = (".npz",)


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """The policies of a training run, first to last: policies[k] → policies[k + 1] is update k.

    Attributes:
        policies: shape (T, S, A), T ≥ 2; rows sum to 1 to rounding.
        mdp: the MDP of the training, with the discount that returns are computed with.
        logged: numbers that the training logged for its updates, by name: shape (T − 1,), NaN where nothing was logged.
        about: algorithm, environment, seed, ...
        renormalised: the largest |row sum − 1| that was corrected by dividing; 0 where none was.
    """

    policies: Float[np.ndarray, "T S A"]
    mdp: FiniteMDP
    logged: Mapping[str, np.ndarray]
    about: Mapping[str, str | float]
    renormalised: float

    @property
    def updates(self) -> int:
        """The number of updates, T − 1."""
        return len(self.policies) - 1

    def __repr__(self) -> str:
        parts = [f"updates={self.updates}", repr(self.mdp)]
        parts += [f"logged={list(self.logged)}"] if self.logged else []
        parts += [f"about={dict(self.about)}"] if self.about else []
        return f"Run({', '.join(parts)}, renormalised={self.renormalised:.3g})"


def run_of(
    policies: RealLike,
    mdp: FiniteMDP,
    *,
    logged: Mapping[str, RealLike] | None = None,
    about: Mapping[str, object] | None = None,
    atol: float | None = None,
) -> Run:
    """A checked run: its policies fit the MDP, and rows whose sum is within 1e-4 of 1 (5e-3 in float16) are divided by it.

    Args:
        policies: shape (T, S, A), T ≥ 2, in the order of the training.
        mdp: one MDP.
        logged: numbers logged for the updates, by name: shape (T − 1,), NaN where nothing was logged.
        about: strings and numbers that identify the run.
        atol: how far rows may be from summing to 1; by default as the format of their numbers deserves.

    Raises:
        InvalidInput: for anything else: a wrong shape, NaN, a single policy, rows that are not distributions, probability
            on an unavailable action.

    >>> run_of([[[0.5, 0.5]], [[0.25, 0.75]]], FiniteMDP([[[1], [1]]], [[0, 1]], 0.9)).updates
    1
    """
    expect_one_mdp(mdp)
    expect(MAPPING.or_none, logged=logged, about=about)
    atol = run_row_atol(policies) if atol is None else _checks.number_between(atol, "atol", 0.0, 1.0)
    array = _checks.real_array(policies, "policies")
    _check_shape(array, mdp)
    sums = array.sum(-1)
    array = _checks.probability_rows(array, "policies", atol=atol, written=False)
    array = _checks.policy_rows(array, mdp.available, "policies")
    array.flags.writeable = False
    off = np.abs(sums - 1)
    return Run(
        policies=array,
        mdp=mdp,
        logged={_name(name): _series(value, name, len(array) - 1) for name, value in (logged or {}).items()},
        about={_text(name): _said(value, name) for name, value in (about or {}).items()},
        renormalised=float(np.max(off, where=off > _checks.ROUNDING, initial=0.0)),
    )


def run_row_atol(policies: Any) -> float:
    """How far rows of recorded policies may be from summing to 1: `RUN_ROW_ATOL`, and more in formats of 16 bits."""
    return max(RUN_ROW_ATOL, _checks.row_sum_atol(policies))


def read_run(path: PathLike, *, mdp: FiniteMDP | None = None, gamma: RealLike | None = None) -> Run:
    """The run in a .npz file.

    Its keys are `policies` (T, S, A) and those of an MDP, dense or sparse (see `read_mdp`), and optionally `logged_NAME`
    (T − 1,), `about` (the text of a JSON object) and `renormalised`, which `write_run` keeps. Other keys are ignored.

    Args:
        path: the file.
        mdp: the MDP; it overrides the file's, and is needed if the file has none.
        gamma: a discount; it overrides the MDP's.

    Returns:
        The run; what `write_run` wrote comes back to the last bit.

    Raises:
        InvalidInput: naming the file, for one that is missing, damaged or not a run.
    """
    path = checked_path(path, _SUFFIXES, "a run", to_read=True)
    fields = read_fields(path, what="a run")
    with in_file(path.name):
        if "policies" not in fields:
            raise InvalidInput(
                got=f"no policies (found {', '.join(map(repr, list(fields)[:20]))})",
                wanted="policies of shape (T, S, A), first to last",
                fix="write the file with trpo_theory.io.write_run, or numpy.savez(..., policies=...)",
            )
        mdp = _mdp_of(fields, mdp, gamma, path)
        logged = {key.removeprefix(_LOGGED): value for key, value in fields.items() if key.startswith(_LOGGED)}
        run = run_of(fields["policies"], mdp, logged=logged, about=_about(fields.get("about")))
        before = _checks.number_between(_scalar(fields.get("renormalised", 0.0)), "renormalised", 0.0, _MOST_ROW_ATOL)
    return Run(run.policies, run.mdp, run.logged, run.about, max(run.renormalised, before))


def write_run(run: Run, path: PathLike) -> None:
    """Write a run with its MDP as .npz, atomically; see `read_run` for the keys.

    Raises:
        InvalidInput: for another suffix, or a path that cannot be written.
    """
    expect_type(Run, run, "the run", "make it by run_of(policies, mdp), or a Recorder")
    path = checked_path(path, _SUFFIXES, "a run")
    fields: dict[str, Any] = {"policies": run.policies, **mdp_fields(run.mdp)}
    fields |= {f"{_LOGGED}{name}": values for name, values in run.logged.items()}
    fields |= {"about": json.dumps(dict(run.about)), "renormalised": run.renormalised}
    write_fields(fields, path)


def _mdp_of(fields: Mapping[str, Any], mdp: FiniteMDP | None, gamma: Any, path: Path) -> FiniteMDP:
    if mdp is not None:
        expect_mdp(mdp)
        return mdp if gamma is None else mdp.with_gamma(gamma)
    if not any(key in fields for key in ("transition", *SPARSE_KEYS)):
        raise InvalidInput(
            got="policies without an MDP",
            wanted="transition, reward, gamma, initial in the file, or an MDP beside it",
            fix="name it (--mdp gym:FrozenLake-v1, or read_run(path, mdp=...)), or write the run with write_run",
        )
    return mdp_from_fields(fields, gamma, source=path.name)


def _check_shape(array: np.ndarray, mdp: FiniteMDP) -> None:
    wanted = f"shape (T, {mdp.states}, {mdp.actions}): T policies, a row for each state and a column for each action of this MDP"
    if array.ndim == 2 or (array.ndim == 3 and len(array) == 1):
        raise InvalidInput(
            got=f"a run with one policy, policies of shape {array.shape}",
            wanted=f"{wanted}, T at least 2",
            fix="record the policy before the first update too, and after each one",
        )
    if array.ndim != 3 or array.shape[1:] != (mdp.states, mdp.actions):
        raise InvalidInput(
            got=f"policies of shape {array.shape}",
            wanted=wanted,
            fix="check that they belong to this MDP, and the order of the axes",
        )


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        raise InvalidInput(
            got=f"the name {name!r} of a logged number",
            wanted="letters, digits and _",
            fix="rename it, such as 'train/kl' to 'kl'",
        )
    return name


def _series(value: Any, name: str, updates: int) -> np.ndarray:
    value = native(value, f"logged {name}")
    expect_numbers(value, f"logged {name}")
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "fiub" and not (array.dtype == object and all(map(is_real, array.flat))):
            raise TypeError
        array = np.array(array, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        array = None
    if array is None or array.shape != (updates,):
        kind = "no numbers" if array is None else f"shape {array.shape}"
        raise InvalidInput(
            got=f"logged {name} with {kind}",
            wanted=f"one number for each update, shape ({updates},): one fewer than policies",
            fix="put NaN where nothing was logged",
        )
    array.flags.writeable = False
    return array


def _text(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise InvalidInput(got=f"{name!r} as a key of about", wanted="a string", fix="name it, such as 'seed'")
    return name


def _said(value: Any, name: str) -> str | float:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, str):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise InvalidInput(got=f"about {name} = {value!r}"[:200], wanted="a string or a finite number", fix="omit it")
    return float(value)


def _about(stored: Any) -> dict[str, Any]:
    if stored is None:
        return {}
    try:
        about = json.loads(str(_scalar(stored)))
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict):
        raise InvalidInput(
            got=f"about = {str(stored)[:60]!r}",
            wanted='the text of a JSON object, such as {"algorithm": "TRPO", "seed": 0}',
            fix="correct it with json.dumps, or omit it",
        )
    return about


def _scalar(stored: Any) -> Any:
    """The entry of an array of size 1; anything else unchanged."""
    array = np.asarray(stored)
    return array.reshape(-1)[0].item() if array.size == 1 else stored
