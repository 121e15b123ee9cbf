"""`stepped`: a claim's own step, where it is a policy in floats."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.step.quantities import Quantities


def stepped(claim: Claim, q: Quantities) -> tuple[Quantities, Any]:
    """The quantities that a claim's formula reads, and whether its step is a policy there: (B,), or one truth value.

    Where it is none, as an exponential step that overflows, new is old: solving with it could fail for a whole batch. Nothing
    that the formula says there counts.

    Raises:
        Exception: what the claim's code raises.
    """
    with np.errstate(all="ignore"):
        moved = claim.stepped(q)
    if claim.step is None:
        return moved, True
    sound = np.isfinite(np.asarray(moved.new)).all((0, 1))
    return (moved, sound) if sound.all() else (q.with_new(np.where(sound, moved.new, q.old)), sound)
