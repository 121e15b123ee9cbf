"""One inequality of a supersolution, over all l ≥ 0, in exact rationals and balls: a chord over many lines at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from trpo_theory.numerics.ball.raw import arb
from trpo_theory.sharp.divergence import Divergence

_ONE, _ZERO = arb(1), arb(0)
"""λ of a conjugate that is scaled by λ, or has none."""


class Ahead(Protocol):
    """What follows: lines in blocks, as `Blocks` has them."""

    first: list[tuple[int, int | None]]

    def line(self, block: tuple[int, int | None]) -> tuple[Any, Any]:
        """Slope and offset of the chord over a block."""
        ...

    def enclosed(self, block: tuple[int, int | None]) -> tuple[arb, arb]:
        """Both in balls."""
        slope, offset = self.line(block)
        return arb(slope), arb(offset)

    def halves(self, block: tuple[int, int | None]) -> list[tuple[int, int | None]]:
        """Both halves of a block; none of a line."""
        ...


@dataclass
class Piecewise:
    """γ and a piecewise linear function: nodes, values, slope beyond the last, and whether it is convex."""

    gamma: Any
    nodes: list[Any]
    w: list[Any]
    slope: Any
    is_convex: bool


@dataclass
class Place:
    """The inequality at a node or at ∞, for one A: c l + b − λ f(l) ≤ left for all l ≥ 0 and each line of W.

    Attributes:
        name: of the place, for messages.
        sign: A.
        divergence, multiplier: f and λ.
        left: w(x) or s.
        ahead: the blocks of W's lines.
        climb, level: c is γ times a line's slope times x, plus climb; b is γ times its offset plus level.
        x: of the node.
    """

    name: str
    sign: int
    divergence: Divergence
    multiplier: Any
    left: Any
    ahead: Ahead
    x: Any
    climb: Any
    level: Any

    def check(self) -> tuple[int, list[Any]]:
        """How many inequalities it took, and by how much those fail that are not proved.

        A chord over a block of lines is above them where they are W: what holds for it holds for all of them. Where it does not
        hold, the block is halved, down to single lines. What balls do not prove of a single line is tried with exact c and b.
        """
        checks, failed, blocks = 0, [], list(self.ahead.first)
        rounded = _Rounded(self) if self.divergence.support[0] >= -1 else None
        while blocks:
            block = blocks.pop()
            checks += 1
            if rounded is not None and rounded.holds(*self.ahead.enclosed(block)):
                continue
            halves = self.ahead.halves(block)
            if rounded is not None and halves:
                blocks += halves
                continue
            slope, offset = self.ahead.line(block)
            highest = self.divergence.conjugate(slope * self.x + self.climb, self.multiplier)
            room = self.left - (offset + self.level)
            if highest <= room:
                continue
            if halves:
                blocks += halves
            else:
                failed.append(arb(highest - room))
        return checks, failed


class _Rounded:
    """The inequality in balls throughout, whose numbers are short: rationals grow, and are several times slower.

    sup over l ≥ 0 of c l − λ f(l) is λ times that of (c/λ) l − f(l), and does not fall in c: so c/λ is rounded up to a ball
    without radius, of which the conjugate's own comparisons are decided.
    """

    def __init__(self, place: Place) -> None:
        numbers = place.x, place.climb, place.left - place.level, place.multiplier
        self._x, self._climb, self._room, self._multiplier = map(arb, numbers)
        self._conjugate, self._positive = place.divergence.conjugate, place.multiplier > 0

    def holds(self, slope: arb, offset: arb) -> bool:
        """Whether it is proved for a line."""
        c = slope * self._x + self._climb
        if self._positive:
            highest = self._conjugate((c / self._multiplier).upper(), _ONE) * self._multiplier
        else:
            highest = self._conjugate(c.upper(), _ZERO)
        return bool(arb(highest) <= self._room - offset)


class Blocks(Ahead):
    """The lines of γ W, and chords over blocks of them: (first knot, last knot); the outer line is (last knot, None)."""

    def __init__(self, data: Piecewise) -> None:
        self._data, last = data, len(data.nodes) - 1
        self._known: dict[tuple[int, int | None], tuple[Any, Any]] = {}
        self._enclosed: dict[tuple[int, int | None], tuple[arb, arb]] = {}
        inner = [(0, last)] if data.is_convex and last else [(k, k + 1) for k in range(last)]
        self.first: list[tuple[int, int | None]] = [*inner, (last, None)]

    def line(self, block: tuple[int, int | None]) -> tuple[Any, Any]:
        """Slope and offset, times γ."""
        if block not in self._known:
            data, (low, high) = self._data, block
            x, w = data.nodes, data.w
            slope = data.slope if high is None else (w[high] - w[low]) / (x[high] - x[low])
            self._known[block] = data.gamma * slope, data.gamma * (w[low] - slope * x[low])
        return self._known[block]

    def enclosed(self, block: tuple[int, int | None]) -> tuple[arb, arb]:
        """Both in balls, of the precision in force at first."""
        if block not in self._enclosed:
            self._enclosed[block] = super().enclosed(block)
        return self._enclosed[block]

    def halves(self, block: tuple[int, int | None]) -> list[tuple[int, int | None]]:
        """Both halves of a block; none of a line."""
        low, high = block
        if high is None or high - low == 1:
            return []
        middle = (low + high) // 2
        return [(low, middle), (middle, high)]


class OneLine(Ahead):
    """A single line in the place of the blocks, at the two ends."""

    def __init__(self, slope: Any, offset: Any) -> None:
        self._line = slope, offset
        self.first: list[tuple[int, int | None]] = [(0, None)]

    def line(self, block: tuple[int, int | None]) -> tuple[Any, Any]:
        """Slope and offset."""
        del block
        return self._line

    def halves(self, block: tuple[int, int | None]) -> list[tuple[int, int | None]]:
        """None."""
        del block
        return []
