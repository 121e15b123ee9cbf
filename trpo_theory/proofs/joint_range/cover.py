"""The sign of a slack over all binary pairs, in boxes; about old = new = (½, ½), where constants are sharp, to second order."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from trpo_theory.numerics.ball.raw import Undecided, fmpq, fraction
from trpo_theory.proofs.joint_range.expression import Expression
from trpo_theory.proofs.joint_range.graded import Evaluation, Graded
from trpo_theory.proofs.joint_range.intervals import Interval, Jet, rational
from trpo_theory.proofs.joint_range.rows import TV, Box, row_field
from trpo_theory.proofs.joint_range.shape import direction

_MOST_BOXES, _MOST_SHARP = 8_000, 25_000
"""Where no constant is sharp at old = new = (½, ½), and where one is. Chosen: a margin of 1e-3 takes some 2,000, a sharp constant
20,000, in ten seconds."""
_RADII = tuple(fmpq(1, 2**k) for k in range(2, 12))
"""Of the neighbourhood of (½, 0) that is tried, the largest first. Chosen: dyadic, so that boxes of the cover lie in it."""
_HALF, _ZERO, _ONE = fmpq(1, 2), fmpq(0), fmpq(1)


@dataclass(frozen=True)
class Covered:
    """What a cover came to.

    Attributes:
        boxes: how many were decided.
        radius: of the neighbourhood of p = q = ½ that was decided by second order; None where there was no need.
        refuted: (p, q) of a pair where the slack is negative.
        left: a box that is not decided; None where all are, or it is no box.
        undecided: whether something is left.
    """

    boxes: int
    radius: Fraction | None = None
    refuted: tuple[Fraction, Fraction] | None = None
    left: Box | None = None
    undecided: bool = False

    @property
    def is_proved(self) -> bool:
        """Whether the slack is ≥ 0 for all binary pairs."""
        return self.refuted is None and not self.undecided


def cover(slack: Expression, most: int | None = None) -> Covered:
    """Decide slack ≥ 0 for all binary pairs, at the precision in force.

    Args:
        slack: over the divergences of one row.
        most: how many boxes are tried, if not as many as some seconds allow.
    """
    signs = _signs(slack)
    for c, d in _likely():
        if pair := _refuting(slack, signs, Box(Interval.at(c), Interval.at(d))):
            return Covered(0, refuted=pair)
    radius = _second_order(slack, signs)
    most = most or (_MOST_BOXES if radius is None else _MOST_SHARP)
    queue = [(-1.0, 0, Box.of((_ZERO, _ONE), (_ZERO, _ONE)))]
    for count in range(1, most + 1):
        if not queue:
            return Covered(count - 1, None if radius is None else fraction(radius))
        _, _, box = heapq.heappop(queue)
        if (radius is not None and _inside(box, radius)) or _holds(slack, signs, box):
            continue
        if pair := _refuting(slack, signs, box):
            return Covered(count, refuted=pair)
        for number, half in enumerate(_halves(box)):
            heapq.heappush(queue, (-_size(half), 2 * count + number, half))
    return Covered(most, left=queue[0][2] if queue else None, undecided=bool(queue))


def _likely() -> Iterator[tuple[fmpq, fmpq]]:
    """Pairs at which a constant that is too small shows: near p = q, and p or q near 0 or 1, old and new alike or apart."""
    small = [fmpq(1, 2**k) for k in (2, 4, 7, 12, 20, 30)]
    sides = [_HALF, *small, *(1 - x for x in small)]
    return ((c, d) for d in sides for c in sides)


def _size(box: Box) -> float:
    return float(fraction(max(_lengths(box))))


def _lengths(box: Box) -> tuple[fmpq, fmpq]:
    """Of its sides, d relative to itself where it is not small: what is compared is of the order of d²."""
    (c, d), least = (box.c, box.d), box.d.low
    return c.high - c.low, d.high if least == 0 else (d.high - least) / d.high


def _halves(box: Box) -> Iterator[Box]:
    """Of the longer side."""
    c, d = box.c, box.d
    of_c, of_d = _lengths(box)
    longer = c if of_c > of_d else d
    middle = (longer.low + longer.high) / 2
    for part in (Interval(longer.low, middle), Interval(middle, longer.high)):
        yield Box(part, d) if longer is c else Box(c, part)


def _signs(slack: Expression) -> dict[str, int | None]:
    """How the slack moves with each divergence but total variation."""
    return {leaf.value: direction(slack, leaf) for leaf in slack.leaves() if leaf.value != TV}


def _evaluated(
    slack: Expression, signs: dict[str, int | None], box: Box, order: int = 2
) -> tuple[Graded[Interval], Evaluation[Interval]]:
    """The slack over a box, of what it moves with only at the end where it is least."""
    leaves: dict[str, Interval] = {}
    for name, sign in signs.items():
        if known := row_field(name):
            whole = known.remainder(box) if order == 2 else known.quotient(box)
            beyond = known.largest is not None and not box.d.high**order * whole.high <= rational(known.largest)
            if sign is None or (sign < 0 and beyond):  # it need not fall where no row is
                leaves[name] = whole
            else:
                leaves[name] = Interval.at(whole.low if sign >= 0 else whole.high)
    evaluation = Evaluation(box.d, leaves, Interval.at, order)
    return evaluation.of(slack), evaluation


def _holds(slack: Expression, signs: dict[str, int | None], box: Box) -> bool:
    """Whether the slack is ≥ 0 in the whole box: with D as d² R or, where R is infinite, as d E."""
    return any(_holds_in(slack, signs, box, order) for order in (2, 1))


def _holds_in(slack: Expression, signs: dict[str, int | None], box: Box, order: int) -> bool:
    try:
        found, evaluation = _evaluated(slack, signs, box, order)
        if found.constant != 0:
            return bool(evaluation.plain(found).low >= 0)
        return found.part is None or bool(found.part.low >= 0)
    except Undecided:
        return False


def _refuting(slack: Expression, signs: dict[str, int | None], box: Box) -> tuple[Fraction, Fraction] | None:
    """The pair in the middle of the box, if the slack is negative there."""
    c, d = ((side.low + side.high) / 2 for side in (box.c, box.d))
    try:
        found, evaluation = _evaluated(slack, dict.fromkeys(signs), Box(Interval.at(c), Interval.at(d)))
        if evaluation.plain(found).high < 0:
            return fraction(c * (1 - d)), fraction(c + (1 - c) * d)
    except Undecided:
        pass
    return None


def is_negative(slack: Expression, pair: tuple[Fraction, Fraction]) -> bool:
    """Whether the slack is seen to be negative at p ≤ q."""
    p, q = (rational(x) for x in pair)
    d = q - p
    c = p / (1 - d) if d < 1 else _ZERO
    names = {leaf.value: None for leaf in slack.leaves() if leaf.value != TV}
    return _refuting(slack, dict[str, int | None](names), Box(Interval.at(c), Interval.at(d))) is not None


def _inside(box: Box, radius: fmpq) -> bool:
    return _HALF - radius <= box.c.low and box.c.high <= _HALF + radius and box.d.high <= radius


def _second_order(slack: Expression, signs: dict[str, int | None]) -> fmpq | None:
    """A radius of c = ½, d = 0 within which X ≥ 0 by Taylor's formula, for the slack d^k X; None where it does not tell.

    A lower bound on X and its derivative in s = (p + q − 1)/2 vanish there, the one in d is ≥ 0, and the Hessian is positive
    definite in the whole neighbourhood. As s = (c − ½)(1 − d), it contains |c − ½| ≤ radius, d ≤ radius.
    """
    if any(sign not in (0, 1) for sign in signs.values()):
        return None
    fields = list(signs)
    try:
        at = _below(slack, fields, Interval.at(_ZERO), Interval.at(_ZERO))
        if at is None or not (_is_zero(at.value) and _is_zero(at.gradient[0]) and at.gradient[1].low >= 0):
            return None
    except Undecided:
        return None
    for radius in _RADII:
        try:
            jet = _below(slack, fields, Interval(-radius, radius), Interval(_ZERO, radius))
        except Undecided:
            continue
        if jet is None:
            return None
        cc, cd, dd = jet.hessian
        if cc.low > 0 and dd.low > 0 and (cc * dd - cd * cd).low > 0:
            return radius
    return None


def _is_zero(x: Interval) -> bool:
    return bool(x.low == 0 and x.high == 0)


def _below(slack: Expression, fields: list[str], s: Interval, d: Interval) -> Jet | None:
    """A lower bound on X over a box in (s, d), with derivatives; None where the slack is not d^k X."""
    jets = Jet.variable(s, 0, 2), Jet.variable(d, 1, 2)
    leaves = {name: known.below(*jets) for name in fields if (known := row_field(name))}
    found = Evaluation(jets[1], leaves, lambda x: Jet.constant(Interval.at(x), 2)).of(slack)
    return found.part if found.constant == 0 else None
