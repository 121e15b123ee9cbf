"""A formula written for one instance, run on a whole batch: `apart(claim)` is the claim with its functions made so.

The formula runs once, in plain Python, on a `View` of the batch: every quantity looks as it does for one instance, gamma a
number, tv an array of shape (S,), and carries the numbers of all instances on a hidden last axis (`Each`). Arithmetic, indices,
loops over states and actions, and NumPy's functions then do all instances at once. `max`, `min`, `sum`, `any`, `all`, `sorted`,
`float`, `math.sqrt`, `np.zeros` and others are exchanged for functions that know `Each`, in a copy of the function
(`numerics.plain.rewired`): no name of the author's file changes.

Where the formula asks whether a condition holds (`if`, `and`, `while`) and instances differ, the pass goes on for those with the
more frequent answer, and the others are run in a further pass, up to a limit; those beyond it meet no hypothesis, nor do those
on which the formula raises an exception. What has no meaning for a batch, such as a text made of a number, ends a pass, and some
of its instances are run one at a time.

`Screen` uses such a claim only if it says of instances of its own what the formula says one at a time.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.search.apart.batched import Batched
from trpo_theory.step.quantities import Quantities

_FORMULAS = ("formula", "shift", "residual")
"""The fields of a claim and of a bound that hold functions of the quantities, but for its hypotheses and its step."""


class _Given:
    """The hypotheses, false of instances that a limit on passes left out of the formula or the step."""

    def __init__(self, given: Any, others: list[Batched]) -> None:
        self.given, self.others = given, others
        self.error: BaseException | None = None

    def __call__(self, q: Quantities) -> Any:
        met = True if self.given is None else self.given(q)
        self.error, hypotheses = None, met
        for other in (*self.others, *([] if self.given is None else [self.given])):
            if other.left_out.any() and other.seen is q.old:
                if np.any((other is self.given or hypotheses) & other.failed):
                    self.error = other.error
                met = met & ~other.left_out
        return met


def apart(claim: Claim) -> Claim:
    """The same claim, whose functions take quantities with or without a batch."""
    changes: dict[str, Any] = {}
    for name in (*_FORMULAS, "step"):
        if (function := getattr(claim, name, None)) is not None:
            changes[name] = Batched(function, np.nan, lenient=True)
    given = None if claim.given is None else Batched(claim.given, False, lenient=True)
    return dataclasses.replace(claim, **changes, given=_Given(given, list(changes.values())))


def left_out(claim: Claim, count: int) -> np.ndarray:
    """Which instances of the last batch, of `count`, the limit on passes left out, (count,); of other claims none."""
    masks = [part.left_out for part in _parts(claim) if len(part.left_out) == count]
    return np.any(masks, axis=0) if masks else np.zeros(count, dtype=bool)


def raised(claim: Claim) -> BaseException | None:
    """What the claim's code raised on some instance of the last batch that meets the hypotheses, if anything."""
    return claim.given.error if isinstance(claim.given, _Given) else None


def refused(claim: Claim) -> str:
    """What of a claim has no meaning for a batch, so far as batches have shown; "" where all has."""
    return next((part.refused for part in _parts(claim) if part.refused), "")


def _parts(claim: Claim) -> list[Batched]:
    functions = [getattr(claim, name, None) for name in (*_FORMULAS, "step")]
    functions.append(claim.given.given if isinstance(claim.given, _Given) else None)
    return [part for part in functions if isinstance(part, Batched)]
