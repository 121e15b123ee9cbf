"""The checker of a piecewise linear supersolution: every inequality in exact rationals and one logarithm in ball arithmetic."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from trpo_theory.errors import NotSolved
from trpo_theory.numerics.ball.raw import arb, fmpq, precision, raw
from trpo_theory.sharp.mean_kl.near_one import NextToOne, below_cubic

if TYPE_CHECKING:
    from trpo_theory.sharp.mean_kl.supersolution import LinearOnInterval, Multipliers

_BITS = 96
"""Of the balls. Chosen: W is found in floats, with 1e-6 of m² or more to spare, and nothing cancels as much as half of these."""
_SIGNS = (1, -1)
_NUMBERS = ("constant", "curvature", "bend", "outer_bend", "reach")


class _Line(NamedTuple):
    """y ↦ slope y + offset, with the two nodes that it runs through (the last node twice, for the last line)."""

    slope: fmpq
    offset: fmpq
    start: fmpq
    end: fmpq


def prove_interval(case: LinearOnInterval) -> int:
    """Prove the inequalities that `supersolution` lists, of numbers that are sound.

    Returns:
        How many it took.

    Raises:
        NotSolved: with the place where an inequality is not proved.
    """
    with precision(_BITS):
        return _Proof(case).run()


class _Proof:
    """The broken line in exact rationals, and how many inequalities were checked."""

    def __init__(self, case: LinearOnInterval) -> None:
        self.case = case
        self.constant, self.curvature, self.bend, self.outer_bend, self.reach = (
            raw(getattr(case, n)) for n in _NUMBERS
        )
        self.h = raw(case.radius)
        self.nodes, self.w = [raw(x) for x in case.nodes], [raw(w) for w in case.w]
        self.lines = self._lines()
        self.balls = [(arb(line.slope), arb(line.offset)) for line in self.lines]
        self.checks = 0

    def _lines(self) -> list[_Line]:
        """Through neighbouring nodes, those within h included, and the last one, of slope 1."""
        offsets = [raw(y) for y in self.case.inner]
        points = [*zip(self.nodes, self.w, strict=True), (fmpq(1), fmpq(0))]
        points += [(1 + s * y, self.curvature * y**2 - self.bend * y**3) for s in _SIGNS for y in offsets]
        points.sort(key=lambda point: point[0])
        slopes = [((v - u) / (y - x), x, y, u) for (x, u), (y, v) in pairwise(points)]
        slopes.append((fmpq(1), points[-1][0], points[-1][0], points[-1][1]))
        return [_Line(slope, value - slope * start, start, end) for slope, start, end, value in slopes]

    def run(self) -> int:
        """All parts of the proof."""
        self._want(min(self.w) >= 0, "W >= 0")
        self._want(
            all(low.slope <= high.slope for low, high in pairwise(self.lines)), "that W is convex, with slopes up to 1"
        )
        self._check_outer_bend()
        for end in self.case.ends:
            gamma = raw(end.gamma)
            a = gamma / (1 - gamma)
            self._check_next_to_one(a)
            self._check_leaps(a)
            self._check_nodes(a, end)
        return self.checks

    def _want(self, holds: bool, what: str) -> None:
        self.checks += 1
        if not holds:
            raise NotSolved(
                f"got {what} not proved; wanted every inequality proved; fix: a larger constant, or more nodes"
            )

    def _check_outer_bend(self) -> None:
        """W ≤ C |y − 1|² − B' |y − 1|³ wherever x l may be, h ≤ |y − 1| ≤ (1 + h) (1 + r) − 1."""
        farthest, cubic = (1 + self.h) * (1 + self.reach) - 1, (self.curvature, self.outer_bend)
        for line in self.lines:
            side = 1 if line.start >= 1 else -1
            low, high = sorted((side * (line.start - 1), side * (line.end - 1)))
            if line is self.lines[-1]:
                high = max(low, farthest)
            if high <= self.h or low >= farthest:
                continue
            below = below_cubic(side * line.slope, line.slope + line.offset, cubic, (low, min(high, farthest)))
            self._want(below, f"W below its cubic bound at {_shown(line.start)}")

    def _check_next_to_one(self, a: fmpq) -> None:
        """|l − 1| ≤ r."""
        numbers = self.constant, self.curvature, self.bend, self.outer_bend, self.h, self.reach
        self._want(NextToOne(a, *numbers).holds(), "the inequality next to x = 1, l = 1")

    def _check_leaps(self, a: fmpq) -> None:
        """|l − 1| ≥ r, at x = 1 and 1 ± h."""
        price = arb(a * self.constant)
        for x in (1 - self.h, fmpq(1), 1 + self.h):
            mu, m = 2 * a * self.curvature * (x - 1), abs(x - 1)
            for side in _SIGNS:  # |l − 1| is l − 1 to the right of 1, 1 − l to its left
                end, climb, base = arb(1 + side * self.reach), arb(a * x), arb(a)
                rest = arb(side * m - mu)
                for slope, offset in self.balls:
                    holds = _at_most(price, climb * slope + rest, rest - base * offset, end, side)
                    self._want(holds, f"leaps from x = {_shown(x)} by |l - 1| >= {_shown(self.reach)}")

    def _check_nodes(self, a: fmpq, end: Multipliers) -> None:
        """Every node but those within h of 1, and both signs of A."""
        price, share = arb(a * self.constant), arb(a)
        for x, w, mu, nu in zip(self.nodes, self.w, map(raw, end.mu), map(raw, end.nu), strict=True):
            m, climb = abs(x - 1), arb(a * x)
            lines = self.balls if x > 0 else [(arb(0), arb(self.w[0]))]
            for sign in _SIGNS:
                rest, room = arb(m * sign - mu), arb((1 + a) * w + m * sign - mu + nu * sign)
                for slope, offset in lines:
                    holds = _at_most(price, climb * slope + rest, room - share * offset)
                    self._want(holds, f"the inequality at node x = {_shown(x)}, A = {sign:+d}")


def _at_most(price: arb, c: arb, room: arb, end: arb | None = None, side: int = 0) -> bool:
    """Whether it is proved that c l − price f(l) ≤ room for all l ≥ 0, or for those on one side of `end`.

    It is concave in l and largest, price log l, at l = price/(price − c); beyond `end` at `end`, if that peak is not beyond it.
    """
    if end is not None and (_peak_below(price, c, end) if side > 0 else _peak_above(price, c, end)):
        return bool(c * end - price * (end - 1 - end.log()) <= room)
    left = price - c
    return bool(left > 0) and bool(price * (price / left).log() <= room)


def _peak_below(price: arb, c: arb, end: arb) -> bool:
    """Whether the peak is proved to be below `end`: price < (price − c) end."""
    return bool(price < (price - c) * end)


def _peak_above(price: arb, c: arb, end: arb) -> bool:
    """Whether it is proved to be above: price > (price − c) end, which says so for c ≥ price, too."""
    return bool(price > (price - c) * end)


def _shown(x: fmpq) -> str:
    return f"{float(x.p) / float(x.q):.4g}"
