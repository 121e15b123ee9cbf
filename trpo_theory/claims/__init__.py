"""The claims of the literature and its folklore, by id: `claims["trpo/tv"]`. Records only; one file a kind.

The bounds are claims: the catalogue holds the records of `trpo_theory.bounds` themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from trpo_theory._catalogue import Catalogue, read_as_mapping
from trpo_theory.bounds import all_bounds
from trpo_theory.bounds.decorator import claim
from trpo_theory.bounds.record import Claim
from trpo_theory.claims import (
    agents,
    average,
    average_moves,
    chi_square,
    clips,
    costs,
    divergences,
    entropy,
    errors,
    identities,
    joint_steps,
    models,
    multi_step,
    occupancies,
    optimality,
    order,
    projections,
    rates,
    rules,
    smoothness,
    soft_npg,
    soft_optimum,
    steps,
    tilts,
    tokens,
    updates,
)
from trpo_theory.entries.kinds import TEXT, each_of, expect
from trpo_theory.errors import InvalidInput
from trpo_theory.updates.sharp_penalty import SHARP

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs] - pandas has no stubs

__all__ = ["Claim", "catalogue", "checked_own", "claim", "get", "known", "selected", "to_frame"]

FIRST, LAST = (
    (identities, order),
    (
        divergences,
        chi_square,
        occupancies,
        updates,
        rules,
        clips,
        steps,
        tilts,
        optimality,
        smoothness,
        rates,
        errors,
        multi_step,
        models,
        costs,
        projections,
        tokens,
        average,
        average_moves,
        entropy,
        soft_npg,
        soft_optimum,
        agents,
        joint_steps,
    ),
)
"""The files of claims that come before and after the bounds in the tables; each lists its own as CLAIMS. A new file is added
here."""


def _records() -> Iterable[Claim]:
    for file in FIRST:
        yield from file.CLAIMS
    yield from all_bounds.values()
    for file in LAST:
        yield from file.CLAIMS


catalogue: Catalogue[Claim] = Catalogue.of(
    "claim", _records(), "`trpo-theory claims` lists them, list(tt.claims) in Python"
)
"""Every claim, by id, bounds included."""
known: Catalogue[Claim] = Catalogue("claim", [*catalogue.items(), *SHARP.items()], catalogue.listing)
"""What ids stand for: the catalogue, and the sharp penalties, which are proved step by step, and not searched."""


def selected(names: Iterable[str], own: Iterable[Claim] = (), listing: str = "") -> list[Claim]:
    """The claims of some ids and patterns; a sharp penalty where its name or pattern begins with sharp/.

    Args:
        names: ids and patterns.
        own: claims of one's own, which are looked up, too.
        listing: how a user sees all ids, for messages.

    Raises:
        InvalidInput: for an unknown id, with its near matches; for a pattern that matches none.
    """
    expect(TEXT, listing=listing)
    names = each_of(str, names, "names", 'write ["trpo/tv", "chi2/*"], say')
    among = known if any(name.startswith("sharp/") for name in names) else catalogue
    mine = {record.id: record for record in checked_own(own)}
    return Catalogue("claim", {**among, **mine}.items(), listing or among.listing).selected(names)


def get(claim_id: str) -> Claim:
    """The claim of that id, of the catalogue or `updates.SHARP`.

    Raises:
        InvalidInput: for an unknown id, with its near matches.

    >>> get("id/flow").relation
    '='
    """
    return known[claim_id] if claim_id in known else catalogue[claim_id]


def checked_own(own: Iterable[Claim]) -> list[Claim]:
    """Claims of one's own, none of which bears an id of the catalogue: those are reserved.

    Raises:
        InvalidInput: naming the first id that is the catalogue's, but another claim.
    """
    claims = each_of(Claim, own, "own", 'decorate the function with @claim("mine/lemma-3", statement="...")')
    for record in claims:
        if known.get(record.id, record) is not record:
            raise InvalidInput(
                got=f"the id {record.id!r} for a claim of your own",
                wanted="an id that is not in the catalogue: what is printed under those ids is the catalogue's statement",
                fix=f"rename it, such as {'mine/' + record.id.rpartition('/')[2]!r}",
            )
    return claims


def to_frame() -> pd.DataFrame:
    """One row a claim: id, expected, provenance, source, statement."""
    return catalogue.to_frame(("expected", "provenance", "source", "statement"))


read_as_mapping(__name__, listed=catalogue, known=known)
