"""Where the hypotheses of a claim can hold at all: a claim whose hypotheses fail everywhere says nothing, and is not proved."""

from __future__ import annotations

from fractions import Fraction

from trpo_theory.bounds.record import Claim
from trpo_theory.io.evidence_files import sentence_text
from trpo_theory.proofs.penalties.cell import GAMMA, Cell, fraction, rational
from trpo_theory.proofs.penalties.covering import Domain, divided, domain, thresholds, where_it_applies
from trpo_theory.proofs.penalties.range import Range
from trpo_theory.proofs.penalties.reading import Penalty, fields_of, quantities_on, read_by
from trpo_theory.proofs.region import Region

_WORDS = "where the hypotheses hold"


def hold_nowhere(claim: Claim, region: Region) -> bool:
    """Whether it is proved that the hypotheses fail for every γ and divergence of a region; False where they read more."""
    found = _domain(claim, region)
    return found is not None and _fail_on(*found)


def words_of_hypotheses(claim: Claim, region: Region) -> str:
    """What a region's text says of them: "where the hypotheses hold (nowhere below gamma = 1/2)"; "" where there are none."""
    if claim.given is None:
        return ""
    found = _domain(claim, region)
    if found is None:
        return _WORDS
    penalty, where = found
    side = where.cell.sides[GAMMA]
    limits = thresholds(penalty, where.cell, GAMMA)
    parts = []
    for word, value, part in (
        *(("below", one, Range(side.low, one)) for one in limits[:1]),
        *(("above", one, Range(one, side.high)) for one in limits[-1:]),
    ):
        exact = fraction(value) or Fraction(0)
        cell = Cell({**where.cell.sides, GAMMA: part})
        inside = penalty.applies(quantities_on(cell, inside=True)) is False
        at_end = part.low != 0 or penalty.applies(quantities_on(cell.at(GAMMA, rational(Fraction(0))))) is False
        if part.low < part.high and inside and at_end:
            parts.append(f"{word} gamma = {sentence_text(exact)}")
    return f"{_WORDS} (nowhere {' or '.join(parts)})" if parts else _WORDS


def _domain(claim: Claim, region: Region) -> tuple[Penalty, Domain] | None:
    """The region in what the hypotheses read, γ and divergences; None where there are none, or they read more."""
    if claim.given is None or (fields := read_by(claim.given)) is None:
        return None
    own = fields_of(claim)
    whole = () if own is None else ((own | fields, region),)  # else the radius may be of what the formula reads besides
    for seen, within in (*whole, (fields, Region(gamma=region.gamma))):
        penalty = Penalty(claim, seen)
        if (found := domain(penalty, within)) is not None:
            return penalty, found
    return None


def _fail_on(penalty: Penalty, where: Domain) -> bool:
    cells = divided(where.cell, [penalty])
    return not any(True for cell in cells for _ in where_it_applies(penalty, cell)) and all(
        penalty.applies(quantities_on(edge.cell, zero=edge.zero)) is False for edge in where.edges
    )
