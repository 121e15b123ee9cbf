"""`Screened`: the slack and the hypotheses of a claim on a batch, in floats."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trpo_theory.search.distinct import distinct

SAYS_NOTHING = 1e300
"""Stands behind every ratio of an instance that puts the claim to the test, and before infinity."""
NOISE = 1e-11
"""Of the size of the numbers that a slack is made of: below it, floats do not resolve its sign."""
ONE_BY_ONE_SHARE = 0.05
"""Share of the instances that a formula is run on that cannot be batched. Chosen: it is some 20 times slower."""


@dataclass(frozen=True, eq=False)
class Screened:
    """A claim's slack and hypotheses on a batch, in floats.

    Attributes:
        slack: the least entry of the claim's slack, (B,); ∞ where it says nothing.
        met: whether the hypotheses hold, (B,).
        noise: rounding error of the slack, (B,): below it in absolute value floats do not resolve the slack's sign.
        signed_gap: η(new) − L, (B,); of a bound with a centre of its own η(new) minus that.
        size: of the numbers that slacks are made of: values and rewards over (1 − γ), (B,).
        moved: whether new differs from old, and the claim is not 0 = 0, (B,); true of a claim that does not read new at all.
            It is taken for 0 = 0 where slack and gap are both exactly 0, if the claim reads the reward.
        share: the slack as a share of the claim's own terms, (B,); NaN where that is not known.
        terms: the sum of their absolute values, (B,), likewise.
    """

    slack: np.ndarray
    met: np.ndarray
    noise: np.ndarray
    signed_gap: np.ndarray
    size: np.ndarray
    moved: np.ndarray
    share: np.ndarray
    terms: np.ndarray

    def __post_init__(self) -> None:
        for name, array in list(vars(self).items()):  # those of quantities are `FloatArray`, of formulas only
            object.__setattr__(self, name, np.asarray(array))

    @cached_property
    def clear_slack(self) -> np.ndarray:
        """The slack, 0 where floats do not resolve its sign, (B,)."""
        return np.where(np.abs(self.slack) <= self.noise, 0.0, self.slack)

    @cached_property
    def gap(self) -> np.ndarray:
        """|η(new) − L|, (B,): what slacks of bounds are compared with."""
        return np.abs(self.signed_gap)

    @cached_property
    def by_gap(self) -> np.ndarray:
        """The slack over the gap as `scales.scaled` has it, (B,)."""
        return self._over(np.maximum(self.gap, self.noise))

    @cached_property
    def by_reward(self) -> np.ndarray:
        """The slack over the size of the rewards, likewise, (B,)."""
        return self._over(self.size)

    def _over(self, size: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = self.clear_slack / np.where(size > 0, size, 1.0)
        return np.where(self.met, np.where(self.within_rounding, SAYS_NOTHING, ratio), np.inf)

    @property
    def coarse_noise(self) -> np.ndarray:
        """A rounding error that any slack may have, whatever its own terms, (B,): for slacks that owe more to a solver."""
        return NOISE * self.size

    @cached_property
    def tests(self) -> np.ndarray:
        """Whether the instance puts the claim to the test, (B,): hypotheses hold, and it moved or clearly violates the claim.

        A slack of ∞ does not: an infinite penalty, or a number that is none.
        """
        return self.met & (self.moved | self.negative) & (self.slack < np.inf)

    @property
    def silent(self) -> np.ndarray:
        """Whether floats resolve nothing, (B,): the slack is ∞, or `unresolved`."""
        return np.isposinf(self.slack) | self.unresolved

    @property
    def unresolved(self) -> np.ndarray:
        """Whether neither the slack nor the claim's own terms are resolved from 0 (the gap, where those are not known), (B,)."""
        size = np.where(np.isnan(self.terms), self.gap, self.terms)
        return (np.abs(self.slack) <= self.noise) & (size <= 100 * self.noise)

    @cached_property
    def within_rounding(self) -> np.ndarray:
        """Whether neither the slack nor the gap is resolved from 0, (B,)."""
        return (np.abs(self.slack) <= self.noise) & (self.gap <= 100 * self.noise)

    @cached_property
    def negative(self) -> np.ndarray:
        """Whether the hypotheses hold and the slack is below 0 by more than rounding, (B,)."""
        return self.met & (self.slack < -self.noise)

    @property
    def near(self) -> np.ndarray:
        """Whether the hypotheses hold and the slack is below 0 by no more than rounding, (B,)."""
        return self.met & (self.slack < 0) & (self.slack >= -self.noise)

    @classmethod
    def nothing(cls, *count: int) -> Screened:
        """Of a batch of so many instances, or of one, that say nothing of the claim."""
        one, no = np.ones(count), np.zeros(count, dtype=bool)
        return cls(np.inf * one, no, NOISE * one, one.copy(), one, no.copy(), np.nan * one, np.nan * one)

    def take(self, index: np.ndarray) -> Screened:
        """Of the instances at an index."""
        return Screened(*(getattr(self, name)[index] for name in FIELDS))

    def __add__(self, other: Screened) -> Screened:
        """Of both batches, end to end."""
        return Screened(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in FIELDS))


FIELDS = tuple(field.name for field in dataclasses.fields(Screened))
"""Of a `Screened`, in order."""


def stacked(rows: list[Screened | None]) -> Screened:
    """Single instances as a batch, without those that are None."""
    fine = [row for row in rows if row is not None]
    return Screened(*(np.array([getattr(row, name) for row in fine]) for name in FIELDS))


def spread(count: int, share: float) -> np.ndarray:
    """Indices of a share of so many instances, at least 8, evenly: batches hold their kinds one after the other."""
    return distinct(np.linspace(0, count - 1, min(count, max(8, int(share * count)))).astype(int))
