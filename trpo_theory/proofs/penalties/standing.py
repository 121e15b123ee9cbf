"""How a claim's penalty compares with the least one of bounds that read the same quantities."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TypedDict

from trpo_theory._outward import Toward, float_toward
from trpo_theory.model.decimals import as_written
from trpo_theory.numerics.ball.raw import Undecided
from trpo_theory.proofs.penalties.cell import GAMMA, Cell, fraction, rational
from trpo_theory.proofs.penalties.range import Range
from trpo_theory.proofs.penalties.reading import Penalty, quantities_on


class Weaker(TypedDict):
    """How many times the penalty of a bound of the catalogue a claim's is, at one discount and radius, rounded down."""

    id: str
    gamma: float
    radius: float
    times: float


def point_of(penalty: Penalty, gamma: float, radius: float) -> Cell:
    """The cell of one discount and one radius."""
    sides = {GAMMA: gamma, **dict.fromkeys(penalty.radii, radius)}
    return Cell({name: Range(x := rational(as_written(value)), x) for name, value in sides.items()})


def beside(penalty: Penalty, others: Iterable[Penalty], gamma: float, radius: float) -> Weaker | None:
    """Beside that one of some bounds which has the least penalty at a discount and a radius; None if none reads the same."""
    others = [one for one in others if one.fields == penalty.fields]
    cell = point_of(penalty, gamma, radius)
    ratios = [(other.claim.id, ratio) for other in others if (ratio := _ratio(penalty, other, cell)) is not None]
    if not ratios:
        return None
    id, ratio = max(ratios, key=lambda pair: pair[1])
    return Weaker(id=id, gamma=gamma, radius=radius, times=float_toward(ratio, Toward.DOWN))


def _ratio(penalty: Penalty, other: Penalty, cell: Cell) -> Fraction | None:
    """A rational at or below penalty/other at a point; None where the other says nothing there."""
    q = quantities_on(cell)
    try:
        if other.applies(q) is not True:
            return None
        return fraction((penalty.on(q) / other.on(q)).range().low)
    except Undecided:
        return None


def beside_text(one: Weaker) -> str:
    """A phrase: "3.1 times chain-rule/kl at gamma 0.99: weaker"; with the radius where it is not said beside it."""
    word = "weaker" if one["times"] > 1 else "stronger" if one["times"] < 1 else "the same"
    return f"{one['times']:.3g} times {one['id']} at gamma {one['gamma']:g}: {word}"
