"""The lattice of bounds: which bound of the catalogue implies which, proved; and where a bound of one's own stands in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypedDict

from trpo_theory import bounds
from trpo_theory._outward import Toward, decimal_toward, float_toward
from trpo_theory.bounds.record import Claim
from trpo_theory.errors import InvalidInput
from trpo_theory.model.decimals import as_written
from trpo_theory.numerics.ball.raw import Undecided
from trpo_theory.proofs.methods.below_penalty import certified_gap, gap_of
from trpo_theory.proofs.methods.implied import Implication, implication, premises
from trpo_theory.proofs.penalties.cell import fraction
from trpo_theory.proofs.penalties.comparing import Comparison, comparisons
from trpo_theory.proofs.penalties.covering import domain
from trpo_theory.proofs.penalties.reading import Penalty
from trpo_theory.proofs.penalties.standing import Weaker, beside, beside_text, point_of
from trpo_theory.proofs.region import EVERYTHING, Interval, Region
from trpo_theory.updates.sharp_penalty import SteppedBound

_GAMMAS = tuple(Fraction(k, 100) for k in range(1, 100))
"""Discounts from which on an implication that is not true everywhere is tried. Chosen: hundredths, rounded up by the proof."""
_RADII = tuple(Fraction(k, 100) for k in (1, 2, 5, 10, 20, 50, 100, 150, 160, 170, 200, 250, 300, 400, 500, 1000))
"""Radii, likewise. Chosen."""
_LARGEST_RADIUS = Fraction(100)
"""Up to which a region of large radii is proved. Chosen."""
_LARGEST_GAMMA = Fraction(99999, 100000)
"""Likewise of discounts. Chosen: beyond it nothing is computed."""
_BUDGETS = (1, 40)
"""Cells for a pair of bounds. Chosen: what holds everywhere takes one, as a rule."""
_WIDTH = 5e-3
"""Of a sharp gap, upper/lower - 1. Chosen: three digits of a share, and a second or two at gamma = .99."""
_STANDING_GAMMAS, _STANDING_RADIUS = (Fraction(9, 10), Fraction(99, 100)), Fraction(1, 1000)
"""Where a claim is compared with the least bound of its kind. Chosen: usual discounts, and a small step."""


@dataclass(frozen=True)
class Implied:
    """One bound that follows from another one.

    Attributes:
        id, premise: of the weaker and of the stronger one.
        by: the inequalities between divergences that are used.
        region: where; everywhere, if it is not restricted.
    """

    id: str
    premise: str
    by: tuple[str, ...]
    region: Region

    @property
    def everywhere(self) -> bool:
        """Whether it holds for every γ and radius."""
        return self.region.is_whole


def lattice(ids: Iterable[str] | None = None) -> list[Implied]:
    """Which bound implies which, each pair proved by comparing penalties in exact arithmetic.

    Args:
        ids: of bounds that are functions of γ, ε and divergences; all true ones of the catalogue, if left out.
    """
    chosen = [bounds.get(id) for id in (bounds.plain() if ids is None else ids)]
    penalties = [penalty for bound in chosen if (penalty := Penalty.of(bound)) is not None]
    return [
        found for one, other in itertools.permutations(penalties, 2) if (found := implied_by(one, other)) is not None
    ]


def implied_by(penalty: Penalty, premise: Penalty) -> Implied | None:
    """Whether one bound follows from another one, everywhere or in a region of large discounts or radii; None if not."""
    for region in _regions(penalty, premise):
        where = domain(penalty, region)
        found: Implication | None = None if where is None else implication(penalty, where, [premise], _BUDGETS)[0]
        if found is not None:
            named = Region(region.gamma, region.radius, penalty.radii[0] if region.radius else None)
            return Implied(penalty.claim.id, premise.claim.id, found.comparisons[0].texts, named)
    return None


def _regions(penalty: Penalty, premise: Penalty) -> Iterator[Region]:
    """Everything; discounts, or radii, from where on the implication seems to hold, and from the next one on."""
    yield EVERYTHING
    ways = list(comparisons(penalty, premise))
    for low in _first(_GAMMAS, lambda gamma: _seem_to_hold(ways, gammas=(gamma, *_later(_GAMMAS, gamma)))):
        yield Region(gamma=Interval(low, _LARGEST_GAMMA))
    if len(penalty.radii) == 1 and _largest(penalty) > 1:
        for low in _first(_RADII, lambda radius: _seem_to_hold(ways, radii=(radius, *_later(_RADII, radius)))):
            yield Region(radius=Interval(low, _LARGEST_RADIUS))


def _largest(penalty: Penalty) -> float:
    from trpo_theory.proofs.penalties.relations import limits

    high = limits(penalty.radii[0]).high
    return high if isinstance(high, float) else float(fraction(high) or 0)


def _later(values: tuple[Fraction, ...], least: Fraction) -> tuple[Fraction, ...]:
    return tuple(value for value in values if value > least)[::8]


def _first(values: tuple[Fraction, ...], seems: Any) -> tuple[Fraction, ...]:
    """The first value for which something seems to be true, and the next; beginning with the second, as it may be true before."""
    place = next((k for k, value in enumerate(values) if seems(value)), None)
    return () if place is None else values[place : place + 2]


def _seem_to_hold(
    ways: list[Comparison],
    gammas: tuple[Fraction, ...] = (Fraction(1, 10), Fraction(1, 2), Fraction(9, 10), Fraction(99, 100)),
    radii: tuple[Fraction, ...] = (Fraction(1, 10**6), Fraction(1, 100), Fraction(1, 2), Fraction(5)),
) -> bool:
    """In floats, by one and the same way."""
    return any(
        all(
            one.seems_to_hold_at(gamma=float(gamma), **dict.fromkeys(one.penalty.radii, float(radius)))
            for gamma in gammas
            for radius in radii
        )
        for one in ways
    )


def reduced(edges: Iterable[Implied]) -> list[Implied]:
    """Those that do not follow from two others: the edges of the Hasse diagram, of what holds everywhere.

    Bounds that imply each other are the same for that: of these the first stands for all.
    """
    known = {(edge.id, edge.premise): edge for edge in edges if edge.everywhere}
    ids = sorted({id for pair in known for id in pair})
    stands = {id: min([id, *(other for other in ids if (id, other) in known and (other, id) in known)]) for id in ids}
    kept = []
    for (id, premise), edge in known.items():
        if stands[id] != id or stands[premise] != premise:
            continue
        between = (other for other in ids if stands[other] == other and other not in (id, premise))
        if not any((id, other) in known and (other, premise) in known for other in between):
            kept.append(edge)
    return kept


class Share(TypedDict):
    """The sharp gap over a claim's penalty, both ends proved and rounded outward."""

    gamma: float
    radius: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Placed:
    """Where a claim stands among the bounds of the catalogue.

    Attributes:
        id: of the claim.
        implied_by: what it follows from for every γ and radius, as a phrase; "" if it is not proved to.
        weaker: beside the bounds of the same quantities, at each discount the one whose penalty is least.
        sharp: how much of its penalty the sharp gap is, at each discount.
        radius: at which these are.
    """

    id: str
    implied_by: str
    weaker: tuple[Weaker, ...]
    sharp: tuple[Share, ...]
    radius: float

    @property
    def text(self) -> str:
        """A sentence."""
        return "; ".join(
            [self.implied_by or "implied by no bound of the catalogue for every gamma and radius", *self.beside]
        )

    @property
    def beside(self) -> list[str]:
        """The comparisons, a phrase each."""
        return [
            *map(beside_text, self.weaker),
            *(
                f"the sharp constant is {decimal_toward(one['lower'], 3, Toward.DOWN):.3g} to "
                f"{decimal_toward(one['upper'], 3, Toward.UP):.3g} of it at gamma {one['gamma']:g}"
                for one in self.sharp
            ),
        ]

    def to_fields(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.id,
            "implied_by": self.implied_by,
            "radius": self.radius,
            "weaker": list(self.weaker),
            "sharp": list(self.sharp),
        }


def placed(
    claim: Claim,
    *,
    gammas: tuple[float, ...] = (0.9, 0.99),
    radius: float = 1e-3,
    sharp: bool = True,
    width: float = _WIDTH,
) -> Placed:
    """Where a claim stands: what it follows from, how it compares with the tightest bound beside it, and with the sharp gap.

    Args:
        claim: a function of γ, ε and divergences, of the catalogue or one's own.
        gammas: discounts at which it is compared.
        radius: of the divergence, likewise; small ones show the constant.
        sharp: whether to compute sharp gaps, which take seconds each.
        width: of these, upper/lower - 1, where so much is reached.

    Raises:
        InvalidInput: for a claim that reads something else.
    """
    penalty = Penalty.of(claim)
    if penalty is None:
        raise InvalidInput(
            got=f"{claim.id}, which reads more than gamma, the advantage's maximum and divergences",
            wanted="a penalty that is a function of these",
            fix="use `prove` for other claims",
        )
    where = domain(penalty, EVERYTHING)
    found = None if where is None else implication(penalty, where)[0]
    others = premises(claim)
    weaker = [one for gamma in gammas if (one := beside(penalty, others, gamma, radius)) is not None]
    shares = [share for gamma in gammas if sharp and (share := sharp_share(penalty, gamma, radius, width)) is not None]
    return Placed(claim.id, "" if found is None else found.by, tuple(weaker), tuple(shares), radius)


def placed_within(claim: Claim, region: Region = EVERYTHING) -> Placed | None:
    """Where a claim stands at usual discounts and a small radius, or those of a region that are nearest.

    None for a claim that is no such function, and where its hypotheses exclude all of these.
    """
    if isinstance(claim, SteppedBound) or (penalty := Penalty.of(claim)) is None:
        return None
    if not (penalty.seems_homogeneous and penalty.is_affine) or not penalty.radii:
        return None
    if region.radius is not None and len(penalty.radii) > 1:
        return None
    radius = float(_nearest(_STANDING_RADIUS, region.radius))
    gammas = dict.fromkeys(float(_nearest(gamma, region.gamma)) for gamma in _STANDING_GAMMAS)
    point = dict.fromkeys(penalty.radii, radius)
    met = tuple(gamma for gamma in gammas if gamma > 0 and penalty.seems_to_apply_at(gamma=gamma, **point))
    if not met or radius <= 0:
        return None
    return placed(claim, gammas=met, radius=radius)


def _nearest(value: Fraction, interval: Interval | None) -> Fraction:
    return value if interval is None else min(max(value, interval.low), interval.high)


def sharp_share(penalty: Penalty, gamma: float, radius: float, width: float = _WIDTH) -> Share | None:
    """The sharp gap over the penalty at a point, proved on both sides; None where the sharp gap is not known of it."""
    named = gap_of(penalty)
    if named is None:
        return None
    gap = certified_gap(named.divergence, as_written(gamma), as_written(radius), named.normaliser, width=width)
    if gap is None:
        return None
    try:
        value = named.per_epsilon(point_of(penalty, gamma, radius))
    except Undecided:
        return None
    low, high = fraction(value.low), fraction(value.high)
    if low is None or high is None or low <= 0:
        return None
    return Share(
        gamma=gamma,
        radius=radius,
        lower=float_toward(Fraction(gap.lower) / high, Toward.DOWN),
        upper=float_toward(Fraction(gap.upper) / low, Toward.UP),
    )
