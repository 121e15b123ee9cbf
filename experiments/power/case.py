"""`Case`: a claim whose truth is known, with how far from true it is, and an example that shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.power.examples import Example
from trpo_theory import Quantities
from trpo_theory.bounds.record import Bound, Claim

Formula = Callable[[Quantities], Any]
"""The mathematics of one instance: in floats, in balls, and in the tests' own numbers."""

ANY, SOME = "any", "hypothesis"
"""Regions: every discount; a hypothesis about something else than the discount."""
REGIONS: dict[str, Formula | None] = {
    ANY: None,
    "gamma >= 0.5": lambda q: 2 * q.gamma >= 1,
    "gamma >= 0.8": lambda q: 5 * q.gamma >= 4,
    "gamma >= 0.9": lambda q: 10 * q.gamma >= 9,
    "gamma >= 0.99": lambda q: 100 * q.gamma >= 99,
    "gamma >= 0.999": lambda q: 1000 * q.gamma >= 999,
    "gamma <= 0.3": lambda q: 10 * q.gamma <= 3,
    "gamma <= 0.01": lambda q: 100 * q.gamma <= 1,
}
"""Hypotheses about the discount, by the words for them."""

DIVERGENCES, VALUES, FOLKLORE, UPDATES = "divergences of a row", "values and visits", "folklore", "updates"
"""Families of claims that are no bounds; that of a bound says what its penalty reads."""

_SOURCE = "made to measure the search; false, but for the twins"


@dataclass(frozen=True)
class Case:
    """One claim.

    Attributes:
        claim: the claim.
        family: of a bound what its penalty reads ("max_kl, max_abs_advantage"), else one of the kinds above.
        region: one of `REGIONS`, or `SOME`.
        margin: how much is missing, (smaller side wanted − what is claimed)/(smaller side wanted): 1 − k for a bound whose
            constant is k times the least true one, or at least k times what is attained; 0 for a true claim.
        why: why it is false.
        example: an instance on which it is false, most by more than half of the margin; None for a true claim, and where the
            lower end of the sharp gap is what shows it.
        size: what the margin is relative to: for a bound L − η(new).
        of: the id of the bound of the catalogue that the penalty is `share` of; "" if it is written out.
        share: that constant.
        proved: the discount and the radius of the sharp gap that the penalty is a share of; None for others.
    """

    claim: Claim
    family: str
    region: str
    margin: float
    why: str = ""
    example: Callable[[], Example] | None = None
    size: Formula = lambda q: -q.surrogate_gap
    of: str = ""
    share: float = 1.0
    proved: tuple[float, float] | None = None

    @property
    def id(self) -> str:
        """Of the claim."""
        return self.claim.id


def weakened(
    name: str,
    family: str,
    penalty: Formula,
    shares: Sequence[float],
    example: Callable[[], Example] | None,
    why: str,
    *,
    region: str = ANY,
    given: Formula | None = None,
    twin: bool = False,
    of: str = "",
    proved: tuple[float, float] | None = None,
) -> list[Case]:
    """η(new) ≥ L − share · penalty for each share, the penalty being sharp, and a true twin with 1.001 times the penalty."""
    found = []
    for share in (*shares, 1.001) if twin else shares:
        true = share > 1
        claim = Bound(
            f"power/{name}/{share:g}",
            _times(share, penalty),
            rf"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - {share:g} \cdot \text{{{name}}}",
            _SOURCE,
            given=given or REGIONS[region],
            expected=true,
            provenance="",
        )
        margin = 0.0 if true else round(1 - share, 12)
        where = SOME if given else region
        shown = None if true else example
        found.append(Case(claim, family, where, margin, why, shown, of=of, share=share, proved=proved))
    return found


def _times(share: float, penalty: Formula) -> Formula:
    return lambda q: share * penalty(q)


def stated(
    name: str,
    family: str,
    larger: Formula,
    smaller: Formula,
    margin: float,
    example: Callable[[], Example],
    why: str,
    *,
    given: Formula | None = None,
    size: Formula | None = None,
    relation: str = ">=",
    **details: Any,
) -> Case:
    """larger ≥ smaller, which is false by a margin relative to the smaller side, or to another size."""
    claim = Claim(
        f"power/{name}",
        lambda q: larger(q) - smaller(q),
        rf"\text{{{name}}}",
        _SOURCE,
        given,
        relation=relation,
        expected=False,
        **details,
    )
    return Case(claim, family, SOME if given else ANY, margin, why, example, size or smaller)


def true(name: str, family: str, larger: Formula, smaller: Formula, why: str) -> Case:
    """larger ≥ smaller, which is true."""
    claim = Claim(f"power/{name}", lambda q: larger(q) - smaller(q), rf"\text{{{name}}}", why)
    return Case(claim, family, ANY, 0.0, why)
