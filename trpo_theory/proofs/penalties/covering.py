"""Covering a region with cells on each of which something is proved: cells are halved until it is, or there are too many."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from trpo_theory.errors import NotKnown
from trpo_theory.numerics.ball.raw import Undecided, fmpq
from trpo_theory.proofs.penalties.cell import GAMMA, UNBOUNDED, Cell, float_end, rational
from trpo_theory.proofs.penalties.range import Range, below, least
from trpo_theory.proofs.penalties.reading import Penalty, quantities_on
from trpo_theory.proofs.penalties.relations import limits
from trpo_theory.proofs.penalties.ways import holds_every_way
from trpo_theory.proofs.region import Box, Interval, Region
from trpo_theory.step.partial import KnownQuantities

_SAMPLES = 64
"""Values of γ and of a radius at which hypotheses are looked at. Chosen."""
_BISECTIONS = 60
"""Of the place where a hypothesis begins to hold: more than a float's 53 bits."""
_SIMPLE = 10_000
"""Denominators up to this are taken for the threshold that was meant. Chosen."""
_SPAN = (-7.0, 2.0)
"""Powers of 10 between which radii are looked at. Chosen."""
_SHOWN = 12
"""Boxes that are listed, at most. Chosen."""


@dataclass(frozen=True)
class Domain:
    """The instances of a region, by the quantities that a claim reads.

    Attributes:
        cell: γ and the radii between their ends: the inside.
        edges: parts where the gap is 0, or a divergence infinite: γ = 0, a radius of 0 or ∞.
    """

    cell: Cell
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Edge:
    """Part of a region: some sides at an end.

    Attributes:
        cell: those sides have one value.
        zero: quantities that are 0, an ε or the gap; empty where the radius is infinite and nothing else.
    """

    cell: Cell
    zero: frozenset[str]


def domain(penalty: Penalty, region: Region) -> Domain | None:
    """The region in the quantities that the claim reads; None where its radius is of one of several divergences."""
    radii = penalty.radii
    if region.radius is not None and len(radii) != 1:
        return None
    gamma = region.gamma or Interval(Fraction(0), Fraction(1))
    sides = {GAMMA: Range(rational(gamma.low), rational(gamma.high))}
    for name in radii:
        possible = limits(name)
        if region.radius is None:
            sides[name] = possible
        else:
            low, high = rational(region.radius.low), rational(region.radius.high)
            if not isinstance(possible.high, float):
                low, high = least([low, possible.high]), least([high, possible.high])
            sides[name] = Range(low, high)
    cell = Cell(sides)
    return Domain(cell, tuple(_edges(penalty, cell)))


def _edges(penalty: Penalty, cell: Cell) -> Iterator[Edge]:
    """The parts where some side is at an end that the inside leaves out."""
    places: list[list[tuple[str, Any]]] = []
    for name, side in cell.sides.items():
        ends: list[tuple[str, Any]] = [(name, None)]
        ends += [(name, fmpq(0))] if side.low == 0 else []
        ends += [(name, math.inf)] if isinstance(side.high, float) else []
        places.append(ends)
    epsilons = [name for name in UNBOUNDED if name in penalty.fields]
    vanishing = [frozenset[str](), *({frozenset(epsilons[i:]) for i in range(len(epsilons))})]
    for chosen in itertools.product(*places):
        for zero in vanishing:
            at = cell
            for name, end in chosen:
                at = at if end is None else at.at(name, end)
            no_gap = bool(zero) or any(end == 0 for _, end in chosen if end is not None)
            if at is not cell or zero:
                yield Edge(at, zero | {"surrogate_gap"} if no_gap else frozenset())


def is_trivial_on(penalty: Penalty, edge: Edge) -> bool:
    """Whether the claim is proved on an edge where the gap is 0: its slack is ≥ 0, or nothing, or its hypotheses fail."""

    def slack_is_nonnegative() -> bool:
        slack = penalty.slack(quantities_on(edge.cell, zero=edge.zero))
        return slack.is_nothing or slack.is_nonnegative()

    try:
        q = quantities_on(edge.cell, zero=edge.zero)
        return penalty.applies(q) is False or holds_every_way(slack_is_nonnegative)
    except (Undecided, NotKnown):
        return False


def cover(
    cells: Iterable[Cell],
    is_proved: Callable[[Cell, set[str]], bool],
    most: int,
    seems: Callable[[Cell], bool] = lambda _: True,
) -> tuple[int, list[Cell]]:
    """Halve cells until each is proved.

    Args:
        cells: to begin with.
        is_proved: of one; if not, it adds the sides that matter to a set.
        most: cells that are looked at.
        seems: whether it seems to hold in the middle of a cell; where it does not, nothing more is tried.

    Returns:
        How many cells were proved, and those that were not.
    """
    ahead, left, proved = list(cells), list[Cell](), 0
    for _ in range(most):
        if not ahead:
            break
        cell, needed = ahead.pop(0), set[str]()
        if is_proved(cell, needed):
            proved += 1
            continue
        if not seems(cell):
            return proved, [*left, cell, *ahead]
        if open_sides := [name for name in sorted(needed) if cell.sides[name].low != cell.sides[name].high]:
            ahead += cell.halves(open_sides)
        else:
            left.append(cell)
    return proved, left + ahead


def divided(cell: Cell, penalties: Iterable[Penalty]) -> list[Cell]:
    """The cell, divided where a hypothesis on γ or a radius begins to hold: there no halving would end."""
    cells = [cell]
    for penalty in penalties:
        if penalty.claim.given is None:
            continue
        for name in cell.sides:
            for value in thresholds(penalty, cell, name):
                cells = [part for one in cells for part in _split(one, name, value)]
    return cells


def where_it_applies(penalty: Penalty, cell: Cell) -> Iterator[Cell]:
    """The cell; its faces, where the hypotheses fail inside of it only; nothing, where they fail on all of it."""
    if penalty.applies(quantities_on(cell)) is False:
        return
    if penalty.applies(quantities_on(cell, inside=True)) is not False:
        yield cell
        return
    for face in cell.faces():
        yield from where_it_applies(penalty, face)


def _split(cell: Cell, name: str, value: fmpq) -> list[Cell]:
    side = cell.sides[name]
    if not (below(side.low, value) and below(value, side.high)):
        return [cell]
    parts = (Range(side.low, value), Range(value, side.high))
    return [Cell({**cell.sides, name: part}) for part in parts]


def thresholds(penalty: Penalty, cell: Cell, name: str) -> list[fmpq]:
    """Where the hypotheses of a claim change along a side, seen in floats: any place is right, these are useful."""
    at = {one: 0.5 if one == GAMMA else 0.1 for one in (GAMMA, *cell.sides, *UNBOUNDED)}

    def applies(x: float) -> bool | None:
        try:
            assert penalty.claim.given is not None
            return bool(penalty.claim.given(KnownQuantities(None, **{**at, name: x})))
        except NotKnown:
            return None

    if name == GAMMA:
        values = [(k + 0.5) / _SAMPLES for k in range(_SAMPLES)]
    else:
        step = (_SPAN[1] - _SPAN[0]) / _SAMPLES
        values = [10 ** (_SPAN[0] + k * step) for k in range(_SAMPLES + 1)]
    found: list[fmpq] = []
    for low, high in itertools.pairwise(values):
        before, after = applies(low), applies(high)
        if None not in (before, after) and before != after:
            for _ in range(_BISECTIONS):
                middle = (low + high) / 2
                low, high = (middle, high) if applies(middle) == before else (low, middle)
            found.append(rational(Fraction(high).limit_denominator(_SIMPLE)))
    return found


def boxes(cells: Iterable[Cell]) -> tuple[Box, ...]:
    """Cells as the boxes of a verdict, the widest first, and not all of many."""
    found = []
    for cell in cells:
        radii = [side for name, side in cell.sides.items() if name != GAMMA]
        radius = radii[0] if len(radii) == 1 and not isinstance(radii[0].high, float) else None
        found.append(Box(_interval(cell.sides[GAMMA]), None if radius is None else _interval(radius)))
    return tuple(found[:_SHOWN])


def _interval(side: Range) -> Interval:
    return Interval(_fraction(side.low), _fraction(side.high))


def _fraction(end: fmpq) -> Fraction:
    return Fraction(int(end.p), int(end.q))


def widest(cells: Iterable[Cell]) -> str:
    """For a note: where cells lie, in floats."""
    parts = []
    names = {name for cell in cells for name in cell.sides}
    for name in sorted(names):
        low = min(float_end(cell.sides[name].low) for cell in cells)
        high = max(float_end(cell.sides[name].high) for cell in cells)
        parts.append(f"{name} in [{low:.4g}, {high:.4g}]")
    return ", ".join(parts)
