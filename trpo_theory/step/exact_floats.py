"""A step of arrays of floats in balls, without its `ExactInstance`, whose `Fraction`s take most of the time of a large one."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.numerics.arithmetic import Arithmetic
from trpo_theory.numerics.ball.arrays import balls
from trpo_theory.numerics.ball.dyadic import exact, exact_rows
from trpo_theory.numerics.ball.rationals import number
from trpo_theory.step.quantities import Quantities

_FLOAT_BITS = 53
"""Of a float's significand."""


def quantities_of_floats(
    mdp: FiniteMDP,
    old: np.ndarray,
    new: np.ndarray,
    arithmetic: Arithmetic,
    *,
    horizon: int | None,
    temperature: Fraction | None,
) -> Quantities:
    """The quantities of `ExactInstance.of(mdp, old, new)` with a horizon and a temperature; the fields have been checked.

    Args:
        mdp: one dense MDP.
        old: (S, A).
        new: (S, A).
        arithmetic: of balls.
        horizon: T.
        temperature: τ.
    """
    able = np.asarray(mdp.available, dtype=bool)
    costs = np.stack(list(mdp.costs.values()), axis=-1) * able[:, :, None] if mdp.costs else None
    return Quantities(
        arithmetic,
        gamma=balls(number(mdp.gamma, "gamma")),
        transition=exact_rows(mdp.transition * able[:, :, None]),
        reward=exact(np.where(able, mdp.reward, 0.0)),
        initial=exact_rows(mdp.initial),
        available=able,
        old=exact_rows(np.asarray(old)),
        new=exact_rows(np.asarray(new)),
        size=balls(1),
        costs=None if costs is None else exact(costs),
        horizon=_given(horizon),
        temperature=_given(temperature),
    )


def _given(value: int | Fraction | None) -> Any:
    return None if value is None else balls(value)


def float_bits(actions: int) -> int:
    """About how many bits a state adds to the denominator of an exact value, of floats: its sums of rows, and the policy's."""
    return _FLOAT_BITS * (actions + 2)
