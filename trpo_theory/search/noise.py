"""How much of a slack is rounding, relative to the claim's own terms: floats with running error bounds, on few instances.

A slack near 0 is compared with a noise that is a small share of values over (1 − γ) first. That costs nothing and tells the
sign on nearly all instances; of a step of TV 1e-8 it tells none, although most quantities of a step keep their digits however
small it is.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.numerics.error_array import ErrorArray, parts
from trpo_theory.numerics.error_rules import UNIT
from trpo_theory.numerics.running_error import RunningError
from trpo_theory.search.screened import Screened
from trpo_theory.step.instances import Instances, quantities_of_arrays
from trpo_theory.step.quantities import Quantities

_SHORT_BITS = 2.0**30
"""A discount or size with so few bits is the decimal that it is written as."""
_TIE = 1e-9
"""A slack below this share of the gap is a tie, and one of a bound that is attained, more often than not. Chosen: the gap is
known to 1e-13 of itself, and to 1e-16 over the step's TV."""
_CLOSER = 48
"""Instances of a batch whose noise is found where the coarse one resolves others. Chosen: a few are enough for a negative one."""
_ONE_BY_ONE = 6
"""Likewise of a formula that is evaluated one instance at a time."""
_ALL = 400
"""Likewise where it resolves none. Chosen: more than a generation of the directed search."""
MARGIN = 4.0
"""Times that the error bound is taken. Chosen: on 24,000 hostile instances of the catalogue's claims the true error was up to 3.5
times the bound of first order, but for formulas with jumps."""
_HARDLY = 0.05
"""Share of instances of which the coarse noise tells the sign that is next to nothing. Chosen."""
_ROWS = ("transition", "initial", "old", "new", "reference")
"""Fields whose rows, in a proof, are taken over their exact sums."""


def with_error_bounds(instances: Instances, index: int | None = None) -> Quantities:
    """Their quantities in floats with running error bounds, about what `Instances.exact` makes of them, the batch last.

    Of one of them, without a batch axis, where an index is given.
    """
    arrays: dict[str, Any] = instances.arrays()
    for name in _ROWS:
        arrays[name] = ErrorArray(arrays[name], np.abs(arrays[name]) * _defect(arrays[name])[..., None])
    for name in ("gamma", "size"):
        long = arrays[name] * _SHORT_BITS % 1 != 0
        arrays[name] = ErrorArray(arrays[name], np.where(long, UNIT * arrays[name], 0.0))
    for name in ("reward", "noise"):
        arrays[name] = ErrorArray(arrays[name])
    with np.errstate(all="ignore"):
        if index is None:
            return quantities_of_arrays(arrays, RunningError())
        one: dict[str, Any] = {"available": np.True_} | {name: x[index] for name, x in arrays.items()}
        return Quantities(RunningError(), **one)


def _defect(rows: np.ndarray) -> np.ndarray:
    """|Σ p − 1| of each row: exact sums of two keep what a sum rounds off."""
    total, lost = np.full(rows.shape[:-1], -1.0), np.zeros(rows.shape[:-1])
    for k in range(rows.shape[-1]):
        total, rounded = _two_sum(total, rows[..., k])
        lost = lost + rounded
    return np.abs(total + lost)


def _two_sum(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x + y in floats, and what it rounds off, exactly (Knuth)."""
    total = x + y
    of_y = total - x
    return total, (x - (total - of_y)) + (y - of_y)


def slack_and_error(claim: Claim, instances: Instances, *, batched: bool) -> tuple[np.ndarray, np.ndarray] | None:
    """The least entry of a claim's slack and its error, (B,); None where its formula does more than error bounds follow.

    Args:
        claim: the claim.
        instances: B of them.
        batched: whether the formula is evaluated on all of them at once, or one at a time.
    """
    try:
        if batched:
            return _of_entries(claim, with_error_bounds(instances), len(instances))
        each = [_of_entries(claim, with_error_bounds(instances, index), 1) for index in range(len(instances))]
    except (Exception, SystemExit):  # a cast, a function that is not followed: floats did well
        return None
    return np.concatenate([slack for slack, _ in each]), np.concatenate([error for _, error in each])


def _of_entries(claim: Claim, q: Quantities, count: int) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(all="ignore"):
        slack = ErrorArray(*parts(claim.slack(claim.stepped(q))))
        entries = slack.ndim - bool(q.batch_shape)
        least = slack.min(axis=tuple(range(entries))) if entries > 0 else slack
        return np.broadcast_to(least.value, (count,)), np.broadcast_to(least.error, (count,))


def finer(claim: Claim, screened: Screened, instances: Instances, tries: Tries, *, at_once: bool) -> Screened:
    """With the noise relative to the claim's own terms, on the instances whose sign it most likely resolves.

    Args:
        claim: the claim.
        screened: what floats said of it.
        instances: of these.
        tries: how often error bounds were asked for before; it is written to.
        at_once: whether they are found of all instances at once, or one at a time, as of a formula that was written for one.
    """
    coarse = screened.noise
    tries.see(screened.met, np.abs(screened.slack) > coarse)
    chosen = worth_a_closer_look(screened.slack, screened.met, coarse, screened.gap, above=tries.hardly_told)
    if not tries.allowed(len(chosen)):
        return screened
    if not at_once:
        order = screened.slack[chosen] / (screened.gap[chosen] + screened.noise[chosen])
        chosen = chosen[np.argsort(order)[:_ONE_BY_ONE]]
    found = slack_and_error(claim, instances.take(chosen), batched=at_once)
    if found is None:
        tries.over()
        return screened
    slack, noise = screened.slack[chosen], screened.noise.copy()
    with np.errstate(invalid="ignore"):
        missed = MARGIN * found[1] + np.abs(found[0] - slack)
        noise[chosen] = np.fmin(missed, noise[chosen])
    tries.count(resolved=bool((np.abs(slack) > noise[chosen]).any()))
    return dataclasses.replace(screened, noise=noise)


def worth_a_closer_look(
    slack: np.ndarray, met: np.ndarray, noise: np.ndarray, gap: np.ndarray, *, above: bool
) -> np.ndarray:
    """Indices of instances whose slack is within the coarse noise, but may not be within its own: the least over the gap first.

    Those with a slack below 0; those above, too, where the coarse noise tells next to nothing, as of claims about tiny steps.
    """
    within = met & (np.abs(slack) <= noise) & (np.abs(slack) > _TIE * gap)
    if not above:
        within &= slack < 0
    (index,) = np.nonzero(within)
    most = _ALL if above else _CLOSER
    if len(index) > most:
        with np.errstate(over="ignore"):
            ratio = slack[index] / np.maximum(gap[index], np.finfo(np.float64).tiny)
        index = index[np.argpartition(ratio, most)[:most]]
    return index


class Tries:
    """How often error bounds are asked for: always while they resolve signs, else once for each doubling of the batches seen.

    Slacks of identities are never resolved, and cost little so.
    """

    def __init__(self) -> None:
        self._batches, self._in_vain, self._over = 0, 0, False
        self._met, self._resolved = 0, 0

    def see(self, met: np.ndarray, resolved: np.ndarray) -> None:
        """Count a batch: which instances meet the hypotheses, and of which the coarse noise tells the sign."""
        self._batches += 1
        self._met, self._resolved = self._met + int(met.sum()), self._resolved + int((met & resolved).sum())

    @property
    def hardly_told(self) -> bool:
        """Whether the coarse noise has resolved next to nothing so far."""
        return self._resolved <= _HARDLY * self._met

    def allowed(self, count: int) -> bool:
        """Whether to look closer at so many instances of the batch seen last."""
        return bool(count) and not self._over and self._batches >= 2**self._in_vain

    def count(self, *, resolved: bool) -> None:
        """Whether a closer look resolved the sign of some slack."""
        self._in_vain += not resolved

    def over(self) -> None:
        """The formula cannot be followed at all."""
        self._over = True
