"""The set: false claims with known margins, and true ones beside them."""

from __future__ import annotations

from experiments.power import other_penalties, penalties, radii, regions, rows, statements
from experiments.power.case import Case

CASES: tuple[Case, ...] = (
    *penalties.CASES,
    *other_penalties.CASES,
    *radii.CASES,
    *regions.CASES,
    *rows.CASES,
    *statements.CASES,
)
FALSE = tuple(case for case in CASES if case.claim.expected is False)
TRUE = tuple(case for case in CASES if case.claim.expected is True)
