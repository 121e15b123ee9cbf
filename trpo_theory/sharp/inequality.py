"""One inequality of a supersolution, over all l ≥ 0, in exact rationals and balls: a chord over many lines at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from trpo_theory.numerics.ball.raw import arb
from trpo_theory.sharp.divergence import Divergence


class Ahead(Protocol):
    """What follows: lines in blocks, as `Blocks` has them."""

    first: list[tuple[int, int | None]]

    def line(self, block: tuple[int, int | None]) -> tuple[Any, Any]:
        """Slope and offset of the chord over a block."""
        ...

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
        hold, the block is halved, down to single lines.
        """
        checks, failed, blocks = 0, [], list(self.ahead.first)
        while blocks:
            block = blocks.pop()
            slope, offset = self.ahead.line(block)
            highest = self.divergence.conjugate(slope * self.x + self.climb, self.multiplier)
            room = self.left - (offset + self.level)
            checks += 1
            if highest <= room:
                continue
            halves = self.ahead.halves(block)
            if halves:
                blocks += halves
            else:
                failed.append(arb(highest - room))
        return checks, failed


class Blocks:
    """The lines of γ W, and chords over blocks of them: (first knot, last knot); the outer line is (last knot, None)."""

    def __init__(self, data: Piecewise) -> None:
        self._data, last = data, len(data.nodes) - 1
        self._known: dict[tuple[int, int | None], tuple[Any, Any]] = {}
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

    def halves(self, block: tuple[int, int | None]) -> list[tuple[int, int | None]]:
        """Both halves of a block; none of a line."""
        low, high = block
        if high is None or high - low == 1:
            return []
        middle = (low + high) // 2
        return [(low, middle), (middle, high)]


class OneLine:
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
