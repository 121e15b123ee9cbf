"""An MDP and policies of it as a criterion, a horizon and a temperature read them: for `evaluate` and `compare`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from trpo_theory import _checks
from trpo_theory.errors import InvalidInput
from trpo_theory.model.mdp import FiniteMDP, expect_mdp
from trpo_theory.numerics.floats import CheckedFloats
from trpo_theory.numerics.layout import batch_last
from trpo_theory.solve.criteria import DISCOUNTED, FINITE_HORIZON, criterion_of, undiscounted
from trpo_theory.solve.criterion import Criterion, Given
from trpo_theory.solve.layers import expect_room, layered, layered_policy, tiled
from trpo_theory.solve.words import with_arrays


class Returns(NamedTuple):
    """What a return sums, in the words of `evaluate`."""

    criterion: str | None = None
    horizon: int | None = None
    temperature: float | None = None


PLAIN = Returns()
"""Discounted returns, or for γ = 1 those up to the end."""


class PosedMDP(NamedTuple):
    """What formulas read.

    Attributes:
        criterion: what a return sums.
        mdp: with the batch axes last; over a horizon the states are (t, s).
        policies: likewise.
        batch_shape: of all.
        horizon: T; 0 for none.
        temperature: τ; the integer 0 for none.
        costs: c(s,a) of every cost of the MDP, (S, A, K, *batch), as the MDP's arrays; None for none.
        cost_names: their names.
    """

    criterion: Criterion
    mdp: Given
    policies: list[np.ndarray]
    batch_shape: tuple[int, ...]
    horizon: int
    temperature: float
    costs: np.ndarray | None
    cost_names: tuple[str, ...]


def posed_mdp(
    mdp: FiniteMDP,
    policies: dict[str, Any],
    criterion: str | None = None,
    horizon: int | None = None,
    temperature: float | None = None,
) -> PosedMDP:
    """The MDP and its policies, checked.

    Args:
        mdp: one or a batch.
        policies: by what messages call them, (*batch, S, A), or (T, S, A) with a horizon; or "uniform" or "optimal".
        criterion: as of `compare`, and so the next two.
        horizon: T, or None.
        temperature: τ, or None.

    Raises:
        InvalidInput: for what is no policy of this MDP, or has no return by the criterion.
    """
    expect_mdp(mdp)
    policies = with_arrays(policies, mdp, criterion, horizon, temperature)
    soft = 0 if temperature is None else temperature_of(temperature)
    if horizon is not None:
        return _over_a_horizon(mdp, policies, steps_asked(mdp, criterion, horizon), soft)
    rows: dict[str, np.ndarray] = {}
    for name, value in policies.items():  # a policy that stands for two is checked once
        same = [other for other in rows if policies[other] is value]
        rows[name] = rows[same[0]] if same else _checks.policy_rows(value, mdp.available, name)
    batch_shape = _batch_shape(mdp, rows)
    fields, trailing = trailing_fields(mdp, *rows.values())
    found, given = criterion_of(criterion, mdp.gamma), Given(**fields)
    if found is not DISCOUNTED or any_undiscounted(mdp.gamma):
        for name, policy in zip(policies, trailing, strict=True):
            if not np.all(found.allows(given, policy)):
                raise _complaint(found, given, policy, name, batch_shape)
    costs = trailing_costs(mdp, given.reward.ndim - 2)
    return PosedMDP(found, given, trailing, batch_shape, 0, soft, costs, tuple(mdp.costs))


def steps_asked(mdp: FiniteMDP, criterion: str | None, horizon: Any) -> int:
    """T, of one MDP.

    Raises:
        InvalidInput: for a horizon that is no whole number, with average rewards, or for a batch of MDPs.
    """
    steps = _checks.integer(horizon, "horizon", least=1)
    if criterion == "average":
        raise InvalidInput(
            got='criterion = "average" with a horizon',
            wanted="one of both: a return over T steps is their sum",
            fix="leave one out (divide a return over T steps by T for its mean)",
        )
    criterion_of(criterion, mdp.gamma)
    if mdp.batch_shape:
        raise InvalidInput(
            got=f"a batch of MDPs, {mdp.batch_shape}, with a horizon", wanted="one MDP", fix="loop over the batch"
        )
    expect_room(mdp, steps)
    return steps


def _over_a_horizon(mdp: FiniteMDP, policies: dict[str, Any], steps: int, soft: float) -> PosedMDP:
    rows = [layered_policy(value, mdp, steps, name) for name, value in policies.items()]
    fields, _ = trailing_fields(mdp)
    given = layered(CheckedFloats(), Given(**fields), np.array(steps))
    costs = trailing_costs(mdp)
    costs = None if costs is None else tiled(costs, steps)
    return PosedMDP(FINITE_HORIZON, given, rows, (), steps, soft, costs, tuple(mdp.costs))


def temperature_of(value: Any) -> float:
    """A τ ≥ 0."""
    return _checks.number_between(value, "temperature", 0.0, float(np.finfo(np.float64).max))


def _batch_shape(mdp: FiniteMDP, rows: dict[str, np.ndarray]) -> tuple[int, ...]:
    shapes = [mdp.batch_shape, *(policy.shape[:-2] for policy in rows.values())]
    if not any(shapes):
        return ()
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise InvalidInput(
            got=f"batches {', '.join(map(str, shapes))} of MDPs and of {', '.join(rows)}",
            wanted="batch shapes that broadcast against each other",
            fix="pass one, or as many, of each",
        ) from None


def _complaint(
    criterion: Criterion, mdp: Given, policy: np.ndarray, name: str, batch_shape: tuple[int, ...]
) -> InvalidInput:
    """Of the first of a batch that is not allowed."""
    if not batch_shape:
        return criterion.complaint(mdp, policy, name)
    allowed = np.broadcast_to(criterion.allows(mdp, policy), batch_shape)
    place = _checks.first_index(~allowed)
    cores = (0, 3, 2, 2, 1)
    one = Given(*(_at(field, core, place) for field, core in zip(mdp, cores, strict=True)))
    return criterion.complaint(one, _at(policy, 2, place), f"{name} {_checks.show_index(place)}")


def _at(array: Any, core: int, place: Any) -> Any:
    """One of a batch, whose axes of size 1 stand for all."""
    array = np.asarray(array)
    if array.ndim == core:
        return array
    index = tuple(int(i) if size > 1 else 0 for i, size in zip(place, array.shape[core:], strict=True))
    return array[(..., *index)]


def any_undiscounted(gamma: Any) -> bool:
    """Whether γ = 1, of one or of some of a batch."""
    return gamma == 1 if isinstance(gamma, float) else bool((np.asarray(gamma) == 1).any())


def expect_discount(gamma: Any, what: str) -> None:
    """Raise `InvalidInput` for γ = 1, for what knows discounted returns only."""
    if any_undiscounted(gamma):
        raise undiscounted(what)


def trailing_fields(mdp: FiniteMDP, *policies: np.ndarray) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The arrays of an MDP and of policies on it with the batch axes last, equally many in each (of size 1 or full)."""
    batch = max([len(mdp.batch_shape), *(policy.ndim - 2 for policy in policies)])
    gamma = mdp.gamma
    if batch:
        gamma = np.asarray(gamma).reshape((1,) * (batch - np.ndim(gamma)) + np.shape(gamma))
    fields = {
        "gamma": gamma,
        "transition": mdp.transition if mdp.is_sparse else _to_trailing(mdp.transition, 3, batch),
        "reward": _to_trailing(mdp.reward, 2, batch),
        "initial": _to_trailing(mdp.initial, 1, batch),
        "available": _to_trailing(mdp.available, 2, batch),
    }
    if mdp.is_sparse and batch:
        raise InvalidInput(
            got=f"a batch of policies, shape {policies[0].shape}, for a sparse MDP",
            wanted="one policy (S, A) at a time",
            fix="loop over the policies, or use a dense transition",
        )
    return fields, [_to_trailing(policy, 2, batch) for policy in policies]


def trailing_costs(mdp: FiniteMDP, batch: int = 0) -> np.ndarray | None:
    """The costs of an MDP as one array (S, A, K, *batch), with as many batch axes as asked for; None where it has none."""
    if not mdp.costs:
        return None
    return np.stack([_to_trailing(cost, 2, batch) for cost in mdp.costs.values()], axis=2)


def _to_trailing(array: np.ndarray, core: int, batch: int) -> np.ndarray:
    """(*batch, *core) -> contiguous (*core, *batch), with leading axes of size 1 added."""
    if not batch:
        return array
    array = array.reshape((1,) * (batch + core - array.ndim) + array.shape)
    return np.ascontiguousarray(batch_last(array, batch))
