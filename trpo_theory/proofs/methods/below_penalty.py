"""A claim whose penalty is at least the sharp gap: certified upper ends of G at the upper corners of boxes.

G(γ, D) = sup (L − η(new))/ε does not decrease in γ, nor in the radius D, so that its value at a box's upper corner bounds it on
the box: docs/theory.md, "Monotone in the discount and in the radius". From the largest radius down, each upper end proves the
claim on radii as far as the penalty stays above it. Where a lower end exceeds the penalty, its MDP refutes the claim.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from trpo_theory.bounds.record import Claim
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.numerics.ball.raw import Undecided
from trpo_theory.proofs.evidence import FileKind
from trpo_theory.proofs.method import Attempt
from trpo_theory.proofs.penalties.cell import GAMMA, UNBOUNDED, Cell, float_end, fraction, rational
from trpo_theory.proofs.penalties.covering import boxes, cover, divided, domain, is_trivial_on, where_it_applies
from trpo_theory.proofs.penalties.range import Range
from trpo_theory.proofs.penalties.reading import NotAPenalty, Penalty, per_epsilon, quantities_on
from trpo_theory.proofs.penalties.ways import holds_every_way
from trpo_theory.proofs.proof import Proof
from trpo_theory.proofs.region import Region
from trpo_theory.sharp.divergences import DIVERGENCES
from trpo_theory.sharp.gap import SharpGap, sharp_gap
from trpo_theory.sharp.normaliser import Normaliser
from trpo_theory.step.exact import ExactInstance

_WIDTHS = (0.02, 0.004, 0.001)
"""Between the two ends, relative, in turn where a larger one does not decide. Chosen: each costs three times the last."""
_MOST_GAPS = 300
"""Certified gaps of one attempt. Chosen: several minutes."""
_LEAST_STEP = Fraction(1, 50)
"""Of a radius, relative: where an upper end reaches no further down, closer ends are tried. Chosen."""
_HALVINGS = 12
"""Of the distance that an upper end reaches: to a few per mille of it. Chosen."""
_CELLS = 64
"""Into which the box of one upper end may be divided. Chosen."""
_LEAST_GAMMA_STEP = Fraction(1, 1000)
"""Boxes of discounts are not halved below this width relative to 1 − γ. Chosen."""
_PROBES = (("1/2", "1/1000"), ("9/10", "1/1000"), ("1/10", "1/1000"), ("9/10", "1/10"))
"""Discounts and radii at which a claim is looked at where no bounded region is asked for. Chosen."""


@functools.lru_cache(maxsize=512)
def certified_gap(
    divergence: str,
    gamma: Fraction,
    radius: Fraction,
    normaliser: str,
    width: float | None = None,
) -> SharpGap | None:
    """Both ends, proved, that far apart, relative; None where that fails."""
    try:
        return sharp_gap(divergence, gamma, radius, normaliser, certify=True, width=width)
    except (NotSolved, Undecided, InvalidInput):
        return None


@dataclasses.dataclass
class SharpComparison:
    """One claim against the sharp gap of its divergence.

    Attributes:
        penalty: of the claim.
        field: of the divergence, in `Quantities`.
        divergence: its name in `DIVERGENCES`.
        epsilon: the ε that the claim reads.
        gaps: how many certified gaps were used.
        refuted: an MDP that exceeds the penalty.
    """

    penalty: Penalty
    field: str
    divergence: str
    epsilon: str
    gaps: int = 0
    refuted: ExactInstance | None = None

    @property
    def normaliser(self) -> str:
        """The name of the ε in `sharp_gap`."""
        return next(one.value for one in Normaliser if one.field == self.epsilon)

    def per_epsilon(self, point: Cell) -> Range:
        """Where penalty/ε lies at a point.

        Raises:
            Undecided: where the formula leaves a comparison open.
        """
        return per_epsilon(self.penalty.on(quantities_on(point)), self.epsilon).range()

    def at_least(self, cell: Cell, value: Fraction) -> bool:
        """Whether penalty/ε is proved to be at least a number on a cell."""

        def holds(part: Cell, needed: set[str]) -> bool:
            needed |= part.sides.keys()
            try:
                return holds_every_way(
                    lambda: (
                        per_epsilon(self.penalty.on(quantities_on(part)), self.epsilon) - value
                    ).is_nonnegative_as_assumed()
                )
            except NotAPenalty:
                raise
            except Undecided:
                return False

        return not cover([cell], holds, _CELLS)[1]

    def covered(self, cell: Cell) -> tuple[int, list[Cell]]:
        """Prove the claim on a cell, from its largest radius and discount down; how many upper ends it took, and what is left."""
        used, left, ahead = 0, list[Cell](), [cell]
        while ahead and self.refuted is None:
            part = ahead.pop()
            if self.gaps >= _MOST_GAPS:
                left += [part, *ahead]
                break
            reached = self._reached(part)
            radius, gamma = part.sides[self.field], part.sides[GAMMA]
            wide = gamma.high - gamma.low > rational(_LEAST_GAMMA_STEP) * (1 - gamma.high)
            if reached is None and not wide:
                left.append(part)
            elif reached is None or (wide and self._reaches_further(part, *reached)):
                ahead += part.halves([GAMMA])
            else:
                used += 1
                if reached[0] > radius.low:
                    ahead.append(Cell({**part.sides, self.field: Range(radius.low, reached[0])}))
        return used, left

    def _reaches_further(self, part: Cell, reached: Any, upper: Fraction) -> bool:
        """Whether the same upper end proves more than twice as much, in log radius, on the upper half of the discounts."""
        radius = part.sides[self.field]
        if reached == radius.low:
            return False
        half = self._down_to(part.halves([GAMMA])[1], upper)
        return math.log(float_end(radius.high) / float_end(half)) > 2 * math.log(
            float_end(radius.high) / float_end(reached)
        )

    def _reached(self, part: Cell) -> tuple[Any, Fraction] | None:
        """The least radius from which on an upper end at the corner proves the claim on the part, and that end; else None."""
        best = None
        for width in _WIDTHS:
            gap = self._gap(part, width)
            if gap is None:
                continue
            upper = Fraction(gap.upper)
            radius = part.sides[self.field]
            top = part.at(self.field, radius.high)
            if self.at_least(top, upper):
                best = (self._down_to(part, upper), upper)
                if best[0] == radius.low or radius.high - best[0] > rational(_LEAST_STEP) * radius.high:
                    return best
            elif part.sides[GAMMA].low == part.sides[GAMMA].high and self._exceeds(top, Fraction(gap.lower)):
                self.refuted = ExactInstance.of(gap.witness.mdp, gap.witness.old, gap.witness.new)
                return None
        return best

    def _gap(self, part: Cell, width: float) -> SharpGap | None:
        self.gaps += 1
        gamma, radius = (fraction(part.sides[name].high) for name in (GAMMA, self.field))
        assert gamma is not None
        assert radius is not None
        return certified_gap(self.divergence, gamma, radius, self.normaliser, width)

    def _down_to(self, part: Cell, upper: Fraction) -> Any:
        radius = part.sides[self.field]
        if self.at_least(part, upper):
            return radius.low
        low, high = radius.low, radius.high
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if self.at_least(Cell({**part.sides, self.field: Range(middle, radius.high)}), upper):
                high = middle
            else:
                low = middle
        return high

    def _exceeds(self, point: Cell, lower: Fraction) -> bool:
        """Whether a lower end is above the penalty at a point: the MDP itself is decided again."""

        def below() -> bool:
            value = per_epsilon(self.penalty.on(quantities_on(point)), self.epsilon)
            return (lower - value).is_nonnegative()

        try:
            return holds_every_way(below)
        except Undecided:
            return False


class _SharpGap:
    """Penalty ≥ ε G."""

    name: str = "sharp gap"
    seconds: float = 60.0
    files: Mapping[str, FileKind] = {}

    def attempt(self, claim: Claim, region: Region) -> Attempt | None:
        """Compare the claim's penalty with certified ends of the sharp gap of its divergence."""
        penalty = Penalty.of(claim)
        search = None if penalty is None else gap_of(penalty)
        if search is None:
            return None
        if region.gamma is None or region.radius is None:
            return _probed(search, region)
        where = domain(search.penalty, region)
        assert where is not None  # the claim reads one divergence
        if not all(is_trivial_on(search.penalty, edge) for edge in where.edges if edge.zero):
            return Attempt(None, boxes([where.cell]), note="sharp gap: the claim is not proved where its gap is 0")
        used, left = 0, list[Cell]()
        for cell in divided(where.cell, [search.penalty]):
            for part in where_it_applies(search.penalty, cell):
                more, rest = search.covered(part)
                used, left = used + more, left + rest
        if search.refuted is not None:
            return Attempt(None, refuted=search.refuted, note="sharp gap: its witness exceeds the penalty")
        if left:
            return Attempt(None, boxes(left), note=f"sharp gap: {len(left)} boxes are not decided")
        by = f"sharp gap of {search.divergence}, {used} certified upper end{'s' * (used != 1)}"
        return Attempt(Proof(self.name, by, dataclasses.replace(region, divergence=search.field)))


METHOD = _SharpGap()


def gap_of(penalty: Penalty) -> SharpComparison | None:
    """The sharp gap that a penalty is to be compared with, if it reads one divergence and one ε of which that is known."""
    if len(penalty.radii) != 1 or not penalty.is_affine:
        return None
    epsilons = [name for name in UNBOUNDED if name in penalty.fields]
    names = [name for name, one in DIVERGENCES.items() if one.reduction.field == penalty.radii[0]]
    if len(epsilons) != 1 or not names:
        return None
    search = SharpComparison(penalty, penalty.radii[0], names[0], epsilons[0])
    half = Range(rational(Fraction(1, 2)), rational(Fraction(1, 2)))
    try:
        search.at_least(Cell({GAMMA: half, search.field: half}), Fraction(0))
    except NotAPenalty:
        return None
    return search


def _probed(search: SharpComparison, region: Region) -> Attempt:
    """Where no bounded region is asked for: an MDP that refutes the claim, if there is one at a few places."""
    for gamma, radius in _probes(region):
        point = Cell({GAMMA: _point(gamma), search.field: _point(radius)})
        gap = search._gap(point, _WIDTHS[0])
        if gap is not None and search._exceeds(point, Fraction(gap.lower)):
            instance = ExactInstance.of(gap.witness.mdp, gap.witness.old, gap.witness.new)
            return Attempt(None, refuted=instance, note=f"sharp gap: exceeded at gamma = {gamma}, radius {radius}")
    return Attempt(None, note="sharp gap: name an interval of gamma and of the radius, such as 0.9:0.9 and 1e-4:1e-2")


def _probes(region: Region) -> Iterator[tuple[Fraction, Fraction]]:
    for gamma, radius in _PROBES:
        x, y = Fraction(gamma), Fraction(radius)
        if region.gamma is not None:
            x = min(max(x, region.gamma.low), region.gamma.high)
        if region.radius is not None:
            y = min(max(y, region.radius.low), region.radius.high)
        yield x, y


def _point(value: Fraction) -> Range:
    return Range(rational(value), rational(value))
