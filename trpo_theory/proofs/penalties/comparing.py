"""`Comparison`: whether one penalty is at least another on a cell, whatever ε is: the claim then follows from the other."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from trpo_theory.errors import NotKnown
from trpo_theory.numerics.ball.raw import Undecided, fmpq
from trpo_theory.proofs.penalties import polynomial as p
from trpo_theory.proofs.penalties.cell import GAMMA, UNBOUNDED, Cell, symbol_of
from trpo_theory.proofs.penalties.number import Number
from trpo_theory.proofs.penalties.range import Range
from trpo_theory.proofs.penalties.reading import Penalty, mentions, quantities_on, with_ceilings
from trpo_theory.proofs.penalties.relations import Ceiling, ceilings, limits
from trpo_theory.proofs.penalties.ways import holds_every_way
from trpo_theory.step.partial import KnownQuantities

ROUNDING = 1e-9
"""Relative, of penalties in floats. Chosen, far above it."""
_MOST_CHOICES = 12
"""Ways to put known quantities for those of a premise that are tried. Chosen: there are rarely more than four."""


@dataclass(frozen=True)
class Comparison:
    """A claim's penalty beside that of a premise, in which each quantity that the claim does not read is replaced by a ceiling.

    Attributes:
        penalty: of the claim.
        premise: the other.
        ceilings: by quantity.
    """

    penalty: Penalty
    premise: Penalty
    ceilings: tuple[tuple[str, Ceiling], ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The inequalities that are used."""
        return tuple(dict.fromkeys(text for _, ceiling in self.ceilings for text in ceiling.texts))

    @property
    def by(self) -> str:
        """What the claim is implied by."""
        return self.premise.claim.id + (f" with {' and '.join(self.texts)}" if self.texts else "")

    def seems_to_hold_at(self, **point: float) -> bool:
        """Whether it holds at a point, in floats and but for rounding; ε = 1."""
        return not self.ratio_at(**point) < 1 - ROUNDING

    def ratio_at(self, **point: float) -> float:
        """The penalty over the premise's at a point, in floats, 0 where the premise does not apply; ε = 1."""
        if not self.premise.seems_to_apply_at(**point):
            return 0.0
        known = {**dict.fromkeys(UNBOUNDED, 1.0), **point}
        q = KnownQuantities(None, **known)
        known |= {name: float(ceiling.value(q)) for name, ceiling in self.ceilings}
        with np.errstate(all="ignore"):
            return float(np.divide(self.penalty.at(**known), self.premise.at(**known)))

    def applies(self, cell: Cell) -> bool:
        """Whether the premise's hypotheses hold on a cell; they may not speak of a quantity that a ceiling stands for."""
        return self.premise.claim.given is None or self.premise.applies(quantities_on(cell)) is True

    def difference(self, q: KnownQuantities) -> Number:
        """The claim's penalty less the premise's."""
        return self.penalty.on(q) - self.premise.on(self._ceiled(q))

    def _ceiled(self, q: KnownQuantities) -> KnownQuantities:
        return with_ceilings(q, {name: ceiling.value(q) for name, ceiling in self.ceilings}) if self.ceilings else q


def hold_together(against: Iterable[Comparison], cell: Cell, needed: set[str]) -> bool:
    """Whether a claim's penalty is proved to be at least one of several premises' on a cell, on each way through its formula.

    Args:
        against: comparisons of one claim.
        cell: the cell.
        needed: where that is not proved, the sides are added here that matter for the comparison with the fewest.
    """
    usable = [one for one in against if one.applies(cell)]
    fewest: list[set[str]] = [set(cell.sides)]

    def one_holds() -> bool:
        q = quantities_on(cell)
        for one in usable:
            try:
                difference = one.difference(q)
            except (Undecided, NotKnown):
                continue
            if one.penalty.on(q).infinity > 0 or difference.is_nonnegative_as_assumed():
                return True
            fewest.append(_sides_of(difference, cell))
        return False

    try:
        if usable and holds_every_way(one_holds):
            return True
    except (Undecided, NotKnown):
        pass
    needed |= min(fewest, key=len)
    return False


def _sides_of(difference: Number, cell: Cell) -> set[str]:
    """The sides that the sign of a difference depends on."""
    _, rest = p.factored(difference.numerator)
    found = {name for name in cell.sides if any(mentions(part, symbol_of(name)) for part in rest)}
    return found | ({GAMMA} if any(mentions(part, p.DELTA) for part in rest) else set())


def comparisons(penalty: Penalty, premise: Penalty) -> Iterator[Comparison]:
    """The ways to compare a claim with a premise: none where it reads what the claim's quantities do not bound."""
    missing = sorted(premise.fields - penalty.fields)
    if not all(is_increasing(premise, name) for name in missing):
        return
    choices = [[(name, ceiling) for ceiling in ceilings(name, penalty.fields)] for name in missing]
    for chosen in itertools.islice(itertools.product(*choices), _MOST_CHOICES):
        yield Comparison(penalty, premise, tuple(chosen))


def whole(radii: tuple[str, ...]) -> Cell:
    """All discounts in (0, 1) and all positive finite radii."""
    sides = {GAMMA: Range(fmpq(0), fmpq(1))} | {name: limits(name) for name in radii}
    return Cell(sides)


@functools.lru_cache(maxsize=256)
def is_increasing(penalty: Penalty, name: str) -> bool:
    """Whether a penalty is proved not to decrease in one of its quantities, all others fixed: by its derivative."""
    cell = whole(penalty.radii)

    def derivative_is_nonnegative() -> bool:
        value = penalty.on(quantities_on(cell))
        symbol = symbol_of(name)
        above, below = value.numerator, value.denominator or {p.UNIT: p.ONE}
        if any(
            one != symbol and mentions(one, symbol)
            for part in (above, below)
            for monomial in part
            for one, _ in monomial
        ):
            return False
        derivative = p.add(
            p.multiply(p.derivative(above, symbol), below), p.negative(p.multiply(above, p.derivative(below, symbol)))
        )
        return p.is_nonnegative(derivative, value.ranges)

    try:
        return holds_every_way(derivative_is_nonnegative)
    except (Undecided, NotKnown):
        return False
