"""The penalty of (11) as a function of max-KL, or of the divergence that its bound reads: it does not fall.

Linear where the bound is; else convex or not, as its values at many radii tell.

Proofs: docs/theory.md, "Penalties that are not linear".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.bounds import Bound
from trpo_theory.errors import InvalidInput
from trpo_theory.step.partial import KnownQuantities
from trpo_theory.updates.decimal_penalty import NEAR_ONE, relative_error, with_decimals
from trpo_theory.updates.penalty_reads import SPREAD, cheap, sizes_read
from trpo_theory.updates.problems import Penalty
from trpo_theory.updates.sharp_penalty import SteppedBound
from trpo_theory.updates.surrogate import Surrogate

_PROBES = np.array([1e-12, 1e-6, 1e-3, 0.1, 1.0, 7.0])
"""Radii in nats at which a penalty is compared with a line, chosen over all sizes that steps have."""

_TRIED = (0.5, 0.9, 0.1)
"""Discounts at which a penalty's form is looked at: the first that its hypotheses allow."""

_TRIED_STEPS = 3
"""Steps of a horizon at which a penalty's form is looked at: chosen, as in `penalty_reads`."""

_HORIZON_ROUNDINGS = 4
"""Roundings a step in a sum over the steps of a horizon, each of size ε: of a power or a root, a product and the sum."""

_LINEAR_RTOL = 1e-13
"""How far slopes of a linear penalty may differ: some hundred roundings, of the bound's own formula."""


def penalty_at(surrogate: Surrogate, problem: Penalty, divergence: np.ndarray) -> np.ndarray:
    """The penalty at values of the divergence that the problem holds down, (..., B) -> (..., B), in discounted reward.

    Of a coupled one that for a unit of the spread of Ā.
    """
    if isinstance(problem.bound, Bound):
        _expect_hypotheses(surrogate, problem, problem.bound)
        value = np.broadcast_to(divergence, (*np.shape(divergence)[:-1], len(surrogate.gamma)))
        read = sizes_read(problem.bound, problem.field)
        flat = {name: np.broadcast_to(size, value.shape).reshape(-1) for name, size in surrogate.sizes(read).items()}
        flat[problem.field] = value.reshape(-1)
        if problem.coupled:
            flat[SPREAD] = np.ones(value.size)
        return _of_bound(problem.bound, flat, problem.field).reshape(value.shape)
    assert problem.coefficient is not None
    with np.errstate(invalid="ignore"):
        return np.where(problem.coefficient == 0, 0.0, np.full(surrogate.gamma.shape, problem.coefficient) * divergence)


def _of_bound(bound: Bound, flat: dict[str, Any], field: str) -> np.ndarray:
    """The penalty of numbers by the names of `Quantities`, (N,) each; nothing times infinity is nothing.

    But not of rms(A), which is 0 where old plays no action of another advantage: one that it never plays may have any.
    """
    if bound.horizon and field == "max_tv" and (flat[field] > 1).any():  # powers of 1 − α say nothing there
        most = _of_bound(bound, flat | {field: np.minimum(flat[field], 1.0)}, field)
        return np.where((flat[field] > 1) & (most > 0), np.inf, most)
    penalty = np.broadcast_to(bound.penalty(KnownQuantities(**flat)), flat[field].shape)
    if np.isinf(flat[field]).any() and "rms_advantage" not in sizes_read(bound, field):
        one: dict[str, Any] = {field: np.ones(penalty.shape)}
        at_one = cheap(bound).penalty(KnownQuantities(**flat | one))
        penalty = np.where((at_one == 0) & np.isinf(flat[field]), 0.0, penalty)
    return _of_decimals(bound, flat, penalty)


def _expect_hypotheses(surrogate: Surrogate, problem: Penalty, bound: Bound) -> None:
    """Refuse a bound whose hypotheses fail for old itself: it has no penalty there."""
    if bound.given is None:
        return
    none = np.zeros(surrogate.gamma.shape)
    known: dict[str, Any] = {**surrogate.sizes(), problem.field: none, SPREAD: none}
    met = np.broadcast_to(bound.met(KnownQuantities(**known)), none.shape)
    if not met.all():
        raise InvalidInput(
            got=f"the bound {bound.id!r} at gamma = {surrogate.gamma[~met][0]:.12g}",
            wanted=f"an instance that meets its hypotheses, as they stand in {bound.statement}",
            fix="use another bound, such as chain-rule/kl, which holds for every gamma",
        )


def _of_decimals(bound: Bound, flat: dict[str, Any], penalty: np.ndarray) -> np.ndarray:
    """A penalty in floats, (N,), replaced near γ = 1; a stepped one is of decimals itself, but for its envelope."""
    if bound.horizon or not (1 - flat["gamma"] < NEAR_ONE).any():  # a horizon's penalty does not read γ
        return penalty
    if isinstance(bound, SteppedBound):
        return np.minimum(penalty, _of_decimals(bound.envelope, flat, penalty))
    return with_decimals(bound, flat, penalty)


def coefficient_error(surrogate: Surrogate, problem: Penalty) -> np.ndarray:
    """The relative error of a bound's penalty, which is a function of γ and A, (B,); 0 for a coefficient that is given."""
    if not isinstance(problem.bound, Bound):
        return np.zeros(surrogate.gamma.shape)
    missed, size = surrogate.largest_error, surrogate.max_abs_advantage
    with np.errstate(divide="ignore"):  # an A that is 0 but for its error
        relative = missed / np.where(missed > 0, size, 1.0)
    bound = cheap(problem.bound)
    if "rms_advantage" in sizes_read(bound, problem.field):
        relative = np.asarray(surrogate.rms_error)
    if bound.horizon:
        return _HORIZON_ROUNDINGS * np.finfo(np.float64).eps * surrogate.horizon + relative
    names = ("max_abs_advantage", "rms_advantage", problem.field, SPREAD)
    return relative_error(bound, surrogate.gamma, surrogate.complement, names) + relative


def linear_coefficient(surrogate: Surrogate, problem: Penalty) -> np.ndarray | None:
    """C, (B,), where the penalty is C times the divergence; None where it is not linear."""
    if not isinstance(problem.bound, Bound):
        return np.full(surrogate.gamma.shape, problem.coefficient, dtype=float)
    if isinstance(problem.bound, SteppedBound) or problem.coupled:
        return None
    seen = surrogate.coefficients_seen
    if problem.bound not in seen:
        seen[problem.bound] = _slope(surrogate, problem)
    return seen[problem.bound]


def _slope(surrogate: Surrogate, problem: Penalty) -> np.ndarray | None:
    """C of a bound, (B,), from its values at some radii; None where these are not on a line."""
    slopes = penalty_at(surrogate, problem, _PROBES[:, None]) / _PROBES[:, None]
    with np.errstate(invalid="ignore"):
        linear = (np.abs(slopes - slopes[-1]) <= _LINEAR_RTOL * np.abs(slopes[-1])).all()
    return slopes[-1] if linear else None


def is_free(surrogate: Surrogate, problem: Penalty) -> np.ndarray:
    """Where there is no penalty, whatever new is, (B,)."""
    if not isinstance(problem.bound, Bound):
        return np.full(surrogate.gamma.shape, problem.coefficient == 0)
    linear = linear_coefficient(surrogate, problem)
    if linear is not None and (linear > 0).all():
        return np.zeros(surrogate.gamma.shape, dtype=bool)
    return penalty_at(surrogate, problem, np.full(surrogate.gamma.shape, np.inf)) == 0


def is_linear(problem: Penalty) -> bool:
    """Whether the penalty is a coefficient times the divergence, tried at ε = 1 and a γ that meets the hypotheses."""
    one = np.ones(1)
    row = np.ones((1, 1, 1))
    for gamma in _TRIED:
        steps = _TRIED_STEPS if isinstance(problem.bound, Bound) and problem.bound.horizon else 0
        tried = Surrogate(row, row, row > 0, np.ones((1, 1)), gamma * one, one, horizon=steps)
        try:
            return linear_coefficient(tried, problem) is not None
        except InvalidInput:
            continue
    return False
