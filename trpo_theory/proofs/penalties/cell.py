"""`Cell`: a box of discounts and radii, whose ends may be those of what is possible: γ = 0 or 1, a radius of 0 or ∞."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from trpo_theory.numerics.ball import raw as r
from trpo_theory.numerics.ball.raw import fmpq
from trpo_theory.proofs.penalties import polynomial as p
from trpo_theory.proofs.penalties.number import Number
from trpo_theory.proofs.penalties.polynomial import Symbol
from trpo_theory.proofs.penalties.quotient import Ranges
from trpo_theory.proofs.penalties.range import Range

GAMMA = "gamma"
_FACTOR = 16
"""A part next to 0 or ∞ is split at so many times its other end. Chosen: about as wide, in logarithms, as other parts."""
_OPEN_WIDTH = 20.0
"""How wide, in logarithms, a part that reaches to 0 or ∞ counts. Chosen: some seven splits of the other parts."""


@dataclass(frozen=True)
class Cell:
    """Numbers between two ends each: γ and the radii of the divergences that a claim reads.

    An end 0 of γ or of a radius, γ = 1 and a radius ∞ are themselves outside, unless both ends are the same.

    Attributes:
        sides: "gamma" and the fields of `Quantities`, with their ranges.
        splits: how often each was halved.
    """

    sides: Mapping[str, Range]
    splits: Mapping[str, int] = field(default_factory=lambda: {})

    def ranges(self, *, inside: bool = False) -> Ranges:
        """Where the symbols of the cell lie."""
        gamma = self.sides[GAMMA]
        found = Ranges({p.GAMMA: gamma, p.DELTA: Range(1 - gamma.high, 1 - gamma.low)}, inside=inside)
        for name, side in self.sides.items():
            found[symbol_of(name)] = side
        for name in UNBOUNDED:
            found[symbol_of(name)] = Range(fmpq(0), math.inf)
        return found

    def number(self, name: str, ranges: Ranges) -> Number:
        """A side as formulas read it: its value, where it has one, else a symbol."""
        side = self.sides.get(name)
        if side is not None and side.low == side.high:
            return Number(ranges, {}).like(side)
        return Number(ranges, p.variable(symbol_of(name)))

    def halves(self, among: Iterable[str]) -> tuple[Cell, Cell]:
        """Its two parts along the widest of some sides, each halving making a side count less."""
        name = max(among, key=lambda one: _width(one, self.sides[one]) / (1 + self.splits.get(one, 0)))
        side, splits = self.sides[name], {**self.splits, name: self.splits.get(name, 0) + 1}
        middle = _middle(name, side)
        parts = (Range(side.low, middle), Range(middle, side.high))
        first, second = (replace(self, sides={**self.sides, name: part}, splits=splits) for part in parts)
        return first, second

    def at(self, name: str, value: Any) -> Cell:
        """With one side at one of its values."""
        return replace(self, sides={**self.sides, name: Range(value, value)})

    def faces(self) -> Iterator[Cell]:
        """Its faces at ends that belong to it."""
        for name, side in self.sides.items():
            for end in (side.low, side.high):
                if (
                    side.low != side.high
                    and end != 0
                    and not isinstance(end, float)
                    and not (name == GAMMA and end == 1)
                ):
                    yield self.at(name, end)

    @property
    def sample(self) -> list[dict[str, float]]:
        """Some points of the cell in floats, to look at: its middle, and those of the halves of each side."""
        middle = {name: float_end(_middle(name, side)) for name, side in self.sides.items()}
        return [middle] + [
            {**middle, name: float_end(end)} for name, side in self.sides.items() for end in _quarters(name, side)
        ]


UNBOUNDED = ("max_abs_advantage", "max_abs_expected_advantage", "max_advantage_sd")
"""What may be ε, of any size."""


def symbol_of(name: str) -> Symbol:
    """The symbol of a quantity."""
    return p.GAMMA if name == GAMMA else ("quantity", name)


def rational(x: Fraction) -> fmpq:
    """As an end of a range."""
    return fmpq(x.numerator, x.denominator)


def fraction(end: Any) -> Fraction | None:
    """An end as a fraction; None for ∞."""
    return None if isinstance(end, float) else r.fraction(end)


def float_end(end: Any) -> float:
    """The nearest float."""
    return end if isinstance(end, float) else float(r.fraction(end))


def _width(name: str, side: Range) -> float:
    """In logarithms of the number, for γ above 1/2 of 1 − γ."""
    if side.low == side.high:
        return 0.0
    low, high = float_end(side.low), float_end(side.high)
    if name == GAMMA:
        return max(_log_width(low, high), _log_width(1 - high, 1 - low))
    return _log_width(low, high)


def _log_width(low: float, high: float) -> float:
    return _OPEN_WIDTH if low <= 0 or math.isinf(high) else math.log(high / low)


def _middle(name: str, side: Range) -> Any:
    """Between the ends, evenly in the logarithm; one of the ends, if they are the same."""
    low, high = side.low, side.high
    if low == high:
        return low
    if name == GAMMA:
        half = fmpq(1, 2)
        if low < half < high:
            return half
        if low >= half:
            return 1 - _even(1 - high, 1 - low)
    return _even(low, high)


def _quarters(name: str, side: Range) -> list[Any]:
    if side.low == side.high:
        return []
    middle = _middle(name, side)
    return [_middle(name, Range(side.low, middle)), _middle(name, Range(middle, side.high))]


def _even(low: Any, high: Any) -> Any:
    if isinstance(high, float):
        return fmpq(1) if low == 0 else low * _FACTOR
    if low == 0:
        return high / _FACTOR
    guess = Fraction(f"{math.sqrt(float_end(low)) * math.sqrt(float_end(high)):.2e}")
    middle = rational(guess)
    return middle if low < middle < high else (low + high) / 2
