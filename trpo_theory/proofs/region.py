"""`Region`: for which instances a proof holds; `Interval` and `Box`, its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeAlias

from trpo_theory._checks import shown
from trpo_theory.errors import InvalidInput
from trpo_theory.io.evidence_files import sentence_text
from trpo_theory.model.types import RealLike
from trpo_theory.numerics.ball import rationals

Ends: TypeAlias = tuple[RealLike, RealLike]
"""The two ends of an interval, floats read as the decimals that they are written as."""


@dataclass(frozen=True)
class Interval:
    """All numbers from `low` to `high`, both ends included.

    Raises:
        InvalidInput: where low > high.
    """

    low: Fraction
    high: Fraction

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise InvalidInput(
                got=f"an interval from {rationals.short(self.low)} to {rationals.short(self.high)}",
                wanted="ends in ascending order",
                fix="write LO:HI",
            )

    @classmethod
    def of_discounts(cls, low: RealLike, high: RealLike) -> Interval:
        """An interval of γ, decimals read as decimals.

        Raises:
            InvalidInput: for ends that are not in [0, 1), or in another order.
        """
        return cls(rationals.discount(low), rationals.discount(high))

    @classmethod
    def of_radii(cls, low: RealLike, high: RealLike) -> Interval:
        """An interval of radii of a divergence, decimals read as decimals.

        Raises:
            InvalidInput: for ends that are negative or not finite, or in another order.
        """
        return cls(rationals.amount(low, "radius"), rationals.amount(high, "radius"))

    def contains(self, other: Interval) -> bool:
        """Whether all of the other one lies in this one."""
        return self.low <= other.low and other.high <= self.high

    @property
    def text(self) -> str:
        """In a sentence: "[1/2, 99/100]"."""
        return f"[{sentence_text(self.low)}, {sentence_text(self.high)}]"

    def to_fields(self) -> list[str]:
        """For JSON: the two ends, exactly, as text."""
        return [str(self.low), str(self.high)]


@dataclass(frozen=True)
class Box:
    """A part of a region: an interval of γ, and one of the radius, None for every radius."""

    gamma: Interval
    radius: Interval | None = None

    @property
    def text(self) -> str:
        """In a sentence."""
        return f"gamma in {self.gamma.text}" + ("" if self.radius is None else f", radius in {self.radius.text}")

    def to_fields(self) -> dict[str, Any]:
        """For JSON: the ends as text."""
        return {"gamma": self.gamma.to_fields(), "radius": None if self.radius is None else self.radius.to_fields()}


@dataclass(frozen=True)
class Region:
    """For which instances a proof holds: all finite MDPs and pairs of policies with γ and a divergence in the intervals.

    Attributes:
        gamma: closed, in [0, 1); None: every γ in [0, 1).
        radius: of `divergence`, closed; None: every value, ∞ included. The proof then holds for all pairs of policies whose
            divergence lies in the interval.
        divergence: the field of `Quantities` that the radius is of, such as "max_kl"; None where there is no radius.
        given: further hypotheses in words, those of the claim itself: "where the hypotheses hold".
    """

    gamma: Interval | None = None
    radius: Interval | None = None
    divergence: str | None = None
    given: str = ""

    @classmethod
    def of(cls, gamma: Ends | None = None, radius: Ends | None = None) -> Region:
        """The region of a discount and a radius; None for everything.

        Raises:
            InvalidInput: for ends that are not in [0, 1), or in [0, ∞), in ascending order.
        """
        return cls(
            gamma=None if gamma is None else Interval.of_discounts(*_two_ends(gamma, "gamma")),
            radius=None if radius is None else Interval.of_radii(*_two_ends(radius, "radius")),
        )

    @property
    def is_whole(self) -> bool:
        """Whether neither γ nor a divergence is restricted."""
        return self.gamma is None and self.radius is None

    def covers(self, other: Region) -> bool:
        """Whether all that is asked for in the other region lies in this one; the other's divergence may be left open."""
        if self.radius is not None:
            if other.radius is None or not self.radius.contains(other.radius):
                return False
            if other.divergence not in (None, self.divergence):
                return False
        return self.gamma is None or (other.gamma is not None and self.gamma.contains(other.gamma))

    def without(self, other: Region) -> tuple[Region, ...] | None:
        """The parts of this region that are not in another one, with their edges; None where a part has no closed ends."""
        if other.covers(self):
            return ()
        if self.radius is None and other.radius is not None:
            return None
        if self.gamma is None and other.gamma is not None:
            return None
        found, inside = [], self
        for name in ("gamma", "radius"):
            whole, part = getattr(inside, name), getattr(other, name)
            if part is None or whole is None:
                continue
            if part.high < whole.low or whole.high < part.low:
                return (self,)
            if whole.low < part.low:
                found.append(replace(inside, **{name: Interval(whole.low, part.low)}))
            if part.high < whole.high:
                found.append(replace(inside, **{name: Interval(part.high, whole.high)}))
            inside = replace(inside, **{name: Interval(max(whole.low, part.low), min(whole.high, part.high))})
        return tuple(found)

    @property
    def text(self) -> str:
        """For people: "gamma in [1/2, 99/100], max-KL in [1e-6, 1]"; "every gamma in [0, 1)" where nothing is restricted."""
        parts = ["every gamma in [0, 1)" if self.gamma is None else f"gamma in {self.gamma.text}"]
        if self.radius is not None:
            parts.append(f"{_words(self.divergence or 'radius')} in {self.radius.text}")
        return ", ".join([*parts, *([self.given] if self.given else [])])

    def to_fields(self) -> dict[str, Any]:
        """For JSON: the ends as text, None for what is not restricted, and `text`."""
        return {
            "gamma": None if self.gamma is None else self.gamma.to_fields(),
            "radius": None if self.radius is None else self.radius.to_fields(),
            "divergence": self.divergence,
            "given": self.given,
            "text": self.text,
        }


EVERYTHING = Region()
"""All finite MDPs and pairs of policies that the hypotheses of a claim allow."""


def _two_ends(value: Any, name: str) -> tuple[Any, Any]:
    try:
        low, high = value
    except (TypeError, ValueError):
        raise InvalidInput(
            got=f"{name} = {shown(value)[:60]}",
            wanted="two ends",
            fix=f"pass {name}=(LO, HI), twice the same for one value",
        ) from None
    return low, high


def _words(field: str) -> str:
    """How a sentence names a divergence: max_kl is max-KL."""
    upper = {"kl": "KL", "tv": "TV"}
    return "-".join(upper.get(part, part) for part in field.split("_"))
