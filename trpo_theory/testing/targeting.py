"""`targeted`: the slack of a draft on a drawn step, which Hypothesis then makes as small as it can."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import target

from trpo_theory.bounds.record import Claim
from trpo_theory.entries.kinds import FUNCTION, TEXT, expect, expect_type
from trpo_theory.step.quantities import Quantities


def targeted(claim: Claim | Callable[[Quantities], Any], q: Quantities, *, label: str = "") -> float:
    """The slack of a claim on one step, in floats; a target makes Hypothesis look for steps where it is small beside the gap.

    What is maximised is −slack/(|slack| + |η(new) − L|): it grows as the slack over the gap falls, and knows no units. A claim
    whose hypotheses fail has the slack ∞, and makes no target.

    Args:
        claim: a `Claim`, such as tt.bounds["coupling/tv"], or a function of q that returns a slack: a number, or an array, of
            which the least entry counts.
        q: of one step, such as `strategies.quantities` or `quantities_for` draws.
        label: for Hypothesis, one for each claim of a test; the claim's id if left out.

    >>> from hypothesis import given, settings
    >>> from trpo_theory.testing import strategies
    >>> @settings(max_examples=10)
    ... @given(strategies.quantities())
    ... def test_gap(q):
    ...     assert targeted(lambda q: q.surrogate_gap + 2 * q.max_abs_advantage / (1 - q.gamma), q) >= 0
    >>> test_gap()
    """
    expect(FUNCTION, claim=claim)
    expect_type(Quantities, q, "a step", "pass compare(mdp, old, new), or what strategies.quantities draws")
    expect(TEXT, label=label)
    slack = _slack(claim, q)
    size = abs(slack) + abs(float(q.surrogate_gap))
    if math.isfinite(size) and size > 0:
        target(-slack / size, label=label or getattr(claim, "id", "slack"))
    return slack


def _stepped(claim: Claim, q: Quantities) -> Quantities:
    """What the formula reads: q may be a plain step, or one of the claim's setting, which is posed already."""
    if claim.is_discounted or not claim.reads(q):
        return claim.stepped(q)
    return q if claim.step is None else q.with_new(claim.step(q))


def _slack(claim: Any, q: Quantities) -> float:
    if not isinstance(claim, Claim):
        return float(np.min(claim(q)))
    moved = _stepped(claim, q)
    return float(np.min(claim.slack(moved))) if bool(np.all(claim.met(moved))) else math.inf
