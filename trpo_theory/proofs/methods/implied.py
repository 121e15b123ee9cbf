"""A claim that follows from a proved bound of the catalogue, because its penalty is at least that bound's.

A claim reads γ, ε and divergences only, found by running it on a record that has nothing else. Its penalty is compared with
that of each proved bound, in exact rationals rounded outward, for all ε at once: on the whole region where that decides, else
on cells that are halved until each is decided. What a bound reads and the claim does not is replaced by what it is at most
(Pinsker's inequality and its like), if the bound's penalty increases with it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from trpo_theory import bounds
from trpo_theory.bounds.record import Bound, Claim
from trpo_theory.proofs.evidence import FileKind
from trpo_theory.proofs.method import Attempt
from trpo_theory.proofs.penalties.cell import GAMMA, Cell, float_end
from trpo_theory.proofs.penalties.comparing import ROUNDING, Comparison, comparisons, hold_together
from trpo_theory.proofs.penalties.covering import Domain, boxes, cover, divided, domain, is_trivial_on, widest
from trpo_theory.proofs.penalties.range import Range
from trpo_theory.proofs.penalties.reading import Penalty, quantities_on
from trpo_theory.proofs.proof import Proof
from trpo_theory.proofs.region import Interval, Region

KIND = "implied"
_BUDGETS = (1, 40, 250)
"""Cells that are looked at for the premises one by one, in turn. Chosen: 250 take about five seconds."""
_MOST_GROUPS = 3000
"""Groups of premises that are looked at. Chosen."""
_PART_BUDGETS = (1, 40)
"""For parts of what is asked for. Chosen."""
_GRID = (*(Fraction(k, 20) for k in range(1, 20)), Fraction(99, 100), Fraction(999, 1000))
"""Discounts from or up to which a part is tried. Chosen."""
DEFAULT_GAMMA = Interval(Fraction(1, 1000), Fraction(9999, 10000))
DEFAULT_RADIUS = Interval(Fraction(1, 10**6), Fraction(20))
"""The region that is tried where everything is asked for and is not decided. Chosen: what is computed with."""
_POINTS = tuple(
    (gamma, radius) for gamma in (0.01, 0.3, 0.6, 0.9, 0.999, 0.99999) for radius in (1e-8, 1e-4, 0.01, 0.5, 9.0)
)
"""Discounts and radii at which a premise that does not imply the claim mostly shows. Chosen."""


@dataclass(frozen=True)
class Implication:
    """Which proved bounds a claim follows from, in a region.

    Attributes:
        comparisons: with the bounds that are used, one of which each cell has.
        cells: how many, the edges of the region not counted.
    """

    comparisons: tuple[Comparison, ...]
    cells: int

    @property
    def by(self) -> str:
        """A phrase: "implied by trpo/kl"."""
        return "implied by " + " and, elsewhere, ".join(one.by for one in self.comparisons)


class _Implied:
    """Penalty ≥ penalty of a proved bound."""

    name: str = KIND
    seconds: float = 1.0
    files: Mapping[str, FileKind] = {}

    def attempt(self, claim: Claim, region: Region) -> Attempt | None:
        """Compare the claim's penalty with those of the proved bounds."""
        penalty = Penalty.of(claim)
        if penalty is None:
            return None
        if not (penalty.seems_homogeneous and penalty.is_affine):
            return Attempt(
                None, note="implied: no slack that is affine in eta(new) - L and of degree one in the advantage"
            )
        where = domain(penalty, region)
        if where is None:
            return Attempt(None, note="implied: the claim reads several divergences, of which a radius would be of one")
        found, left = implication(penalty, where)
        if found is not None:
            return Attempt(Proof(KIND, found.by, _region(region, penalty)))
        for part in _parts(penalty, region):
            inside = domain(penalty, part)
            found = None if inside is None else implication(penalty, inside, budgets=_PART_BUDGETS)[0]
            if found is not None:
                return Attempt(Proof(KIND, found.by, _region(part, penalty)), boxes(left), note=_note(left))
        return Attempt(None, boxes(left), note=_note(left))


METHOD = _Implied()


def premises(claim: Claim) -> list[Penalty]:
    """The penalties of the proved bounds of the catalogue, without the claim itself."""
    proved = (bound for bound in bounds.plain().values() if is_proved(bound) and bound.id != claim.id)
    return [penalty for bound in proved if (penalty := Penalty.of(bound)) is not None]


def is_proved(bound: Bound) -> bool:
    """Whether a bound of the catalogue may be a premise."""
    return bound.expected is True and bound.proof is not None


def _parts(penalty: Penalty, region: Region) -> Iterator[Region]:
    """Bounded parts of what is asked for: all that is computed with; and from or up to a discount, where that seems to hold.

    Looked at in floats: which part is tried is no matter of proof.
    """
    radius = region.radius or (DEFAULT_RADIUS if len(penalty.radii) == 1 else None)
    if region.gamma is None or region.radius is None:
        yield Region(region.gamma or DEFAULT_GAMMA, radius, given=region.given)
    within = region.gamma or DEFAULT_GAMMA
    every = [one for premise in premises(penalty.claim) for one in comparisons(penalty, premise)]
    grid = [gamma for gamma in _GRID if within.low < gamma < within.high and _applies_at(penalty, gamma)]
    holds = [any(_holds_along(one, penalty, gamma) for one in every) for gamma in grid]
    if True in holds and False in holds:
        last_false, first_false = len(holds) - 1 - holds[::-1].index(False), holds.index(False)
        if last_false + 1 < len(grid):
            yield Region(Interval(grid[last_false + 1], within.high), radius, given=region.given)
        if first_false > 0:
            yield Region(Interval(within.low, grid[first_false - 1]), radius, given=region.given)


def _applies_at(penalty: Penalty, gamma: Fraction) -> bool:
    """Whether the hypotheses seem to hold at a discount, at a small radius."""
    return penalty.seems_to_apply_at(gamma=float(gamma), **dict.fromkeys(penalty.radii, 0.01))


def _holds_along(one: Comparison, penalty: Penalty, gamma: Fraction) -> bool:
    """Whether a comparison seems to hold at a discount, for all radii that are looked at."""
    return all(
        one.seems_to_hold_at(gamma=float(gamma), **dict.fromkeys(penalty.radii, radius)) for radius in (1e-6, 0.01, 0.9)
    )


def implication(
    penalty: Penalty, where: Domain, only: list[Penalty] | None = None, budgets: tuple[int, ...] = _BUDGETS
) -> tuple[Implication | None, list[Cell]]:
    """What the claim follows from on the domain; None and the cells that are not decided, where that is not proved.

    Args:
        penalty: the claim's.
        where: the region.
        only: the premises; all proved bounds, if left out.
        budgets: cells that are looked at, in turn.
    """
    alone, group = _candidates(penalty, where, premises(penalty.claim) if only is None else only)
    left: list[Cell] = [where.cell]
    for budget in budgets:
        for one in alone:
            cells, left = _covered(penalty, where, (one,), alone, budget // len(alone) + 1)
            if not left:
                return Implication((one,), cells), []
        if group and budget > 1:
            cells, left = _covered(penalty, where, group, list(group), budget)
            if not left:
                return Implication(group, cells), []
    return None, left


def _candidates(
    penalty: Penalty, where: Domain, against: list[Penalty]
) -> tuple[list[Comparison], tuple[Comparison, ...]]:
    """Comparisons that seem to hold at all points that are looked at, the closest first, and two or three that do together."""
    every = list(_points(where.cell))
    points = [point for point in every if penalty.seems_to_apply_at(**point)] or every
    found = [
        (one, np.array([one.ratio_at(**point) for point in points]))
        for premise in against
        for one in comparisons(penalty, premise)
    ]
    middle = len(points) // 2
    alone = [(one, ratios) for one, ratios in found if not (ratios < 1 - ROUNDING).any()]
    alone.sort(key=lambda pair: (len(pair[0].texts), pair[1][middle]))
    return [one for one, _ in alone], _group(found)


def _group(found: list[tuple[Comparison, np.ndarray]]) -> tuple[Comparison, ...]:
    """Two or three of the comparisons, one of which seems to hold at each point with the most room; () if there are none."""
    for most in sorted({len(one.texts) for one, _ in found}):
        pool = [pair for pair in found if len(pair[0].texts) <= most]
        for size in (2, 3):
            groups = list(itertools.islice(itertools.combinations(pool, size), _MOST_GROUPS))
            margins = [float(np.max([ratios for _, ratios in group], axis=0).min()) for group in groups]
            if margins and max(margins) > 1 - ROUNDING:
                return tuple(one for one, _ in groups[int(np.argmax(margins))])
    return ()


def _points(cell: Cell) -> Iterator[dict[str, float]]:
    for gamma, radius in _POINTS:
        yield {name: _clipped(gamma if name == GAMMA else radius, side) for name, side in cell.sides.items()}


def _clipped(x: float, side: Range) -> float:
    return min(max(x, float_end(side.low)), float_end(side.high))


def _covered(
    penalty: Penalty, where: Domain, against: tuple[Comparison, ...], every: list[Comparison], budget: int
) -> tuple[int, list[Cell]]:
    """Cells on which one of the comparisons is proved, and those left; the edges first, with any that has the same premise."""
    premises_ = {one.premise.claim.id for one in against}
    penalties = [penalty, *(one.premise for one in against)]
    at_edges = tuple(one for one in every if one.premise.claim.id in premises_)
    for edge in where.edges:
        if edge.zero:
            compared = edge.zero == {"surrogate_gap"} and _holds(penalty, at_edges, edge.cell, set())
            if not compared and not is_trivial_on(penalty, edge):
                return 0, [edge.cell]
        elif cover(divided(edge.cell, penalties), lambda cell, needed: _holds(penalty, at_edges, cell, needed), budget)[
            1
        ]:
            return 0, [edge.cell]
    return cover(
        divided(where.cell, penalties),
        lambda cell, needed: _holds(penalty, against, cell, needed),
        budget,
        lambda cell: _seems_to_hold(penalty, against, cell),
    )


def _seems_to_hold(penalty: Penalty, against: Iterable[Comparison], cell: Cell) -> bool:
    """In the middle of a cell, and next to its ends, in floats."""
    return all(
        not penalty.seems_to_apply_at(**point) or any(one.seems_to_hold_at(**point) for one in against)
        for point in cell.sample
    )


def _is_excluded(penalty: Penalty, cell: Cell) -> bool:
    return penalty.claim.given is not None and penalty.applies(quantities_on(cell)) is False


def _holds(penalty: Penalty, against: tuple[Comparison, ...], cell: Cell, needed: set[str]) -> bool:
    if _is_excluded(penalty, cell):
        return True
    if penalty.claim.given is not None and penalty.applies(quantities_on(cell, inside=True)) is False:
        return all(_holds(penalty, against, face, set()) for face in cell.faces())
    likely = [one for one in against if any(one.seems_to_hold_at(**point) for point in cell.sample)]
    return hold_together(likely, cell, needed)


def _region(region: Region, penalty: Penalty) -> Region:
    """With the divergence that the radius is of."""
    divergence = penalty.radii[0] if region.radius is not None else None
    return Region(region.gamma, region.radius, divergence, region.given)


def _note(left: list[Cell]) -> str:
    return (
        f"implied: no proved bound is proved to be below the penalty in {len(left)} boxes, {widest(left)}"
        if left
        else ""
    )
