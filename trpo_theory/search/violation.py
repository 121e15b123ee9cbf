"""How far a claim's hypotheses are from being met: `given` evaluated with comparisons that say by how much they fail."""

from __future__ import annotations

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.numerics.arithmetic import Array
from trpo_theory.numerics.graded import GradedArray, GradedFloats, graded
from trpo_theory.numerics.layout import batch_last
from trpo_theory.proofs.settle import own_code
from trpo_theory.search.stepped import stepped
from trpo_theory.step.instances import Instances
from trpo_theory.step.quantities import Quantities

_SOME = 1e-12
"""Of hypotheses that fail, at least: a sum of positive numbers may underflow. Chosen."""


def violation(claim: Claim, instances: Instances, *, batched: bool) -> np.ndarray:
    """A degree by which `given` fails, (B,): 0 where it holds, and 0 or 1 where its code looks at plain numbers.

    Args:
        claim: the claim.
        instances: B of them.
        batched: whether the claim's formulas run on a batch; else they are evaluated one instance at a time.

    Raises:
        ClaimFailed: if the claim raises an exception.
    """
    if batched:
        return _missed(claim, graded_quantities(instances), len(instances))
    each = [_missed(claim, graded_quantities(instances, index), 1) for index in range(len(instances))]
    return np.concatenate(each) if each else np.zeros(0)


def _missed(claim: Claim, q: Quantities, count: int) -> np.ndarray:
    try:
        with np.errstate(all="ignore"):
            moved, sound = stepped(claim, q)
            met = graded(claim.met(moved))
    except (Exception, SystemExit):  # of truth values that are none, it may be: plain ones are asked
        plain = q.replace(**{name: _plain(value) for name, value in vars(q).items() if isinstance(value, GradedArray)})
        with own_code(claim), np.errstate(all="ignore"):
            moved, sound = stepped(claim, plain)
            met = graded(claim.met(moved))
    before = tuple(range(met.ndim - bool(q.batch_shape)))
    missed = met.missed.sum(axis=before) if before else met.missed
    missed = np.where(sound, np.where(missed > 0, np.maximum(missed, _SOME), 0.0), np.inf)
    return np.array(np.broadcast_to(missed, (count,)))


def _plain(x: Array) -> Array:
    return np.asarray(x).view(np.ndarray)


def graded_quantities(instances: Instances, index: int | None = None) -> Quantities:
    """The quantities of a batch, or of one of them without a batch axis, in `GradedFloats`; arrays of their own."""
    fields: dict[str, Array] = {"available": np.True_}
    for name, array in instances.arrays().items():
        own = batch_last(array).copy(order="C") if index is None else np.array(array[index])
        fields[name] = own.view(GradedArray) if own.dtype == np.float64 else own
    return Quantities(GradedFloats(), batch_shape=(len(instances),) if index is None else (), **fields)
