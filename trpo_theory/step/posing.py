"""`posed`: the step as a claim's setting reads it, with another criterion, over a horizon, or with a price of entropy."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.numerics.floats import Floats
from trpo_theory.solve.criteria import AVERAGE, FINITE_HORIZON, FiniteHorizon
from trpo_theory.solve.criterion import Criterion, Given
from trpo_theory.solve.layers import layered, layered_transition, layers_of_runs, steps_of, tiled
from trpo_theory.step.quantities import Quantities

_ALLOWED = "_allowed"
_LONGEST = 1e12
"""What a solve in floats may multiply errors by. Chosen: three digits are left."""
_PER_STATE = ("old", "new", "reference", "noise", "groups", "costs", "references")
"""Fields with one row a state, beside those of the MDP, which every layer has."""


def posed(q: Quantities, criterion: Criterion, *, horizon: bool = False, temperature: bool = False) -> Quantities:
    """The same step in a setting.

    Args:
        q: of a discounted step; what the setting reads beside γ, P, r, ρ₀, old and new it has as its fields.
        criterion: what a return sums.
        horizon: whether the run has q.horizon steps; the states are then (t, s).
        temperature: whether the return counts q.temperature times the entropy; else that field is set to 0.

    Raises:
        InvalidInput: where a horizon is asked for and the step has none.
    """
    changes: dict[str, Any] = {"criterion": criterion}
    if criterion is AVERAGE:
        changes["gamma"] = q.arithmetic.where(np.True_, 1, q.gamma)
    if not temperature:
        changes["temperature"] = 0
    return _layered(q.replace(**changes)) if horizon else guarded(q.replace(**changes))


def guarded(q: Quantities) -> Quantities:
    """The same with P = 0 for those of a batch that have no returns by the criterion: nothing else is solvable for them.

    In floats also for those that end, or mix, so late that no digit would be right. `is_allowed` still says which they are.
    """
    allowed = is_allowed(q)
    if isinstance(q.arithmetic, Floats):
        with np.errstate(all="ignore"):
            allowed = allowed & (np.asarray(q.arithmetic.plain(q.longest)) < _LONGEST)
        if np.all(allowed):
            vars(q)[_ALLOWED] = allowed
    if np.all(allowed):
        return q
    safe = q.replace(transition=q.arithmetic.where(allowed, q.transition, 0))
    vars(safe)[_ALLOWED] = allowed
    return safe


def is_allowed(q: Quantities) -> Any:
    """Whether both policies have returns by the criterion, (*batch)."""
    if _ALLOWED in vars(q):
        return vars(q)[_ALLOWED]
    mdp = _mdp(q)
    return q.criterion.allows(mdp, q.old) & q.criterion.allows(mdp, q.new)


def _layered(q: Quantities) -> Quantities:
    lengths = steps_of(q.arithmetic, q.horizon)
    steps = int(lengths.max())
    fields = {name: tiled(getattr(q, name), steps) for name in _PER_STATE}
    mdp, criterion = layered(q.arithmetic, _mdp(q), lengths), FINITE_HORIZON
    same = q.model is q.transition
    model = mdp.transition if same else layered_transition(q.arithmetic, q.model, lengths)
    if lengths.ndim:
        counted = layers_of_runs(lengths, q.states)
        criterion = FiniteHorizon(counted=counted)
        fields["costs"] = q.arithmetic.where(counted[:, None, None], fields["costs"], 0)
    return q.replace(**mdp._asdict(), **fields, model=model, criterion=criterion)


def _mdp(q: Quantities) -> Given:
    return Given(q.gamma, q.transition, q.reward, q.available, q.initial)
