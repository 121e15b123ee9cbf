"""`step_in_setting`: `compare`, with a second transition and policies of the past."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.solve.layers import layered_transition, tiled
from trpo_theory.step.quantities import Quantities, compare


def step_in_setting(
    mdp: FiniteMDP,
    old: Any,
    new: Any,
    *,
    model: Any = None,
    references: Any = None,
    weights: Any = None,
    horizon: int | None = None,
    **setting: Any,
) -> Quantities:
    """compare(mdp, old, new, ...), with `q.model`, or `q.references` and `q.weights`; nothing of these is checked.

    Args:
        mdp: one MDP.
        old: (S, A).
        new: (S, A).
        model: P₂(s'|s,a), (S, A, S).
        references: policies of the past, (J, S, A).
        weights: how often each was used, (J,).
        horizon: T.
        **setting: criterion and temperature, as of `compare`.
    """
    q = compare(mdp, old, new, horizon=horizon, **setting)
    changes: dict[str, Any] = {}
    if model is not None:
        second = np.asarray(model, dtype=np.float64)
        changes["model"] = second if horizon is None else layered_transition(q.arithmetic, second, np.array(horizon))
    if references is not None:
        past = np.stack([np.asarray(policy, dtype=np.float64) for policy in references], axis=-1)
        changes["references"] = past if horizon is None else tiled(past, horizon)
        changes["weights"] = np.asarray(weights, dtype=np.float64)
    return q.replace(**changes)
