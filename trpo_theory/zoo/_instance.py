"""`Instance`: an MDP with two policies, and what the families need to build it from parameters that may be arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trpo_theory._checks import discount
from trpo_theory.entries.expected import is_real
from trpo_theory.entries.kinds import brief
from trpo_theory.errors import InvalidInput
from trpo_theory.model.announced import announced
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.model.shapes import Float
from trpo_theory.model.types import RealLike


@announced
@dataclass(frozen=True, eq=False)
class Instance:
    """An MDP with a pair of policies.

    Attributes:
        mdp, old, new: the instance.
        gap: η(new) − L_old(new) in closed form, or None where none is known.
        bound: the id of the bound or claim that the family is about, or None.
        ratio: |gap| over the penalty of `bound`, in closed form; 0 where that penalty is infinite; None without a `bound`.
    """

    mdp: FiniteMDP
    old: Float[np.ndarray, "*batch S A"]
    new: Float[np.ndarray, "*batch S A"]
    gap: float | Float[np.ndarray, "*batch"] | None = None
    bound: str | None = None
    ratio: float | Float[np.ndarray, "*batch"] | None = None


def instance(
    transition: ArrayLike,
    reward: Sequence[Sequence[Any]],
    gamma: np.ndarray | np.floating,
    initial: Sequence[float],
    *,
    old: Sequence[Sequence[Any]],
    new: Sequence[Sequence[Any]],
    gap: np.ndarray | np.floating,
    state_labels: tuple[str, ...],
    bound: str | None = None,
    ratio: np.ndarray | np.floating | None = None,
) -> Instance:
    """Build the instance; entries of reward and of the policies may be arrays, which makes a batch of their shape."""
    batch = np.shape(gap)
    mdp = FiniteMDP(
        np.broadcast_to(np.asarray(transition, dtype=np.float64), (*batch, *np.shape(transition))),
        _stacked(reward, batch),
        gamma,
        initial,
        state_labels=state_labels,
    )
    share = None if ratio is None else scalar_or_batch(ratio)
    return Instance(mdp, _stacked(old, batch), _stacked(new, batch), scalar_or_batch(gap), bound, share)


def scalar_or_batch(value: np.ndarray | np.floating) -> float | np.ndarray:
    """A float where there is no batch."""
    return np.asarray(value) if np.ndim(value) else float(value)


def _stacked(rows: Sequence[Sequence[Any]], batch: tuple[int, ...]) -> np.ndarray:
    stacked = np.empty((*batch, len(rows), len(rows[0])))
    for state, row in enumerate(rows):
        for action, entry in enumerate(row):
            stacked[..., state, action] = entry
    return stacked


def numbers(**parameters: RealLike) -> list[np.ndarray]:
    """The parameters of a family as arrays of their common shape; its closed forms are of discounted returns, γ < 1."""
    try:
        arrays = [np.asarray(value, dtype=np.float64) for value in parameters.values()]
        arrays = [array.copy() for array in np.broadcast_arrays(*arrays)]
    except (TypeError, ValueError):
        raise InvalidInput(
            got=", ".join(f"{name} = {value!r}" for name, value in parameters.items()),
            wanted="numbers, or arrays that broadcast against each other",
            fix="check the parameters of the family",
        ) from None
    if "gamma" in parameters:
        discount(arrays[list(parameters).index("gamma")], arrays[0].shape)
    return arrays


def whole(n: Any, what: str, *, least: int, most: int, fix: str) -> int:
    """A whole number of `what` in [least, most], which may be a float."""
    if not is_real(n) or not least <= float(n) <= most or int(n) != n:
        raise InvalidInput(got=f"n = {brief(n)}", wanted=f"a whole number of {what}, {least} to {most:,}", fix=fix)
    return int(n)


def positive(name: str, value: np.ndarray | np.floating) -> None:
    """Refuse a parameter that is not positive and finite."""
    if not ((value > 0) & np.isfinite(value)).all():
        raise InvalidInput(got=f"{name} = {value}", wanted=f"a positive, finite {name}", fix=f"change {name}")


def within(name: str, value: np.ndarray | np.floating, low: float, high: float) -> None:
    """Refuse a parameter outside [low, high]."""
    if not ((value >= low) & (value <= high)).all():
        raise InvalidInput(got=f"{name} = {value}", wanted=f"{low:g} <= {name} <= {high:g}", fix=f"change {name}")
