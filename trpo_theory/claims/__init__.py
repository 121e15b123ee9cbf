"""The claims of the literature and its folklore, by id: `claims["trpo/tv"]`. Records only; one room a kind."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from trpo_theory import bounds
from trpo_theory._catalogue import Importable
from trpo_theory._checks import unknown_name
from trpo_theory.claims import divergences, errors, identities, order, rates, rules, updates
from trpo_theory.claims.record import Claim, claim, claim_of
from trpo_theory.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Claim", "catalogue", "checked_own", "claim", "claim_of", "get", "to_frame"]

_ORDER = (
    *("id/", "errata/", "id/eta-with-old-advantage", "order/"),
    *("kakade-langford", "trpo/tv", "trpo/tv-2", "coupling/", "trpo/kl", "pinsker/", "blog/", "cpo/max-tv", "blog/no"),
    *(
        "span/",
        "mixed/",
        "bh/",
        "divergence/",
        "cpo/mean-tv",
        "cpo/mean-kl",
        "cpo/prop-1",
        "pirotta/",
        "geppo",
        "mixing/",
    ),
    *("chain-rule/", "chain-rule/mean-kl", "chain-rule/occupancy", "mean-kl/", "", "update/penalty-monotone"),
    *("update/max-kl-monotone", "update/mean-kl-monotone", "update/coefficient-needed", "update/step-tiny"),
    *("update/softmax-gradient", "update/npg", "update/ppo-clip", "update/clip-gain", "update/", "rate/", "error/"),
)
"""The beginnings of ids in the order of the catalogue's tables: a claim stands with the longest that fits."""


def _place(claim_id: str) -> int:
    return max(
        (beginning for beginning in enumerate(_ORDER) if claim_id.startswith(beginning[1])),
        key=lambda beginning: len(beginning[1]),
    )[0]


def _collected() -> Mapping[str, Claim]:
    of_bounds = {**bounds.catalogue, **getattr(bounds, "folklore", {})}
    records = [claim_of(bound) for bound in of_bounds.values()]
    for room in (identities, order, divergences, rules, updates, rates, errors):
        records += room.CLAIMS
    return types.MappingProxyType(
        {record.id: record for record in sorted(records, key=lambda record: _place(record.id))}
    )


catalogue: Mapping[str, Claim] = _collected()


def get(claim_id: str) -> Claim:
    """The claim of that id.

    Raises:
        InvalidInput: for an unknown id, with its near matches.

    >>> get("id/flow").relation
    '='
    """
    if claim_id not in catalogue:
        raise unknown_name("claim", claim_id, catalogue)
    return catalogue[claim_id]


def checked_own(own: Iterable[Claim]) -> list[Claim]:
    """Claims of one's own, none of which bears an id of the catalogue: those are reserved.

    Raises:
        InvalidInput: naming the first id that is the catalogue's, but another claim.
    """
    claims = list(own)
    for record in claims:
        if catalogue.get(record.id, record) is not record:
            raise InvalidInput(
                got=f"the id {record.id!r} for a claim of your own",
                wanted="an id that is not in the catalogue: what is printed under those ids is the catalogue's statement",
                fix=f"rename it, such as {'mine/' + record.id.rpartition('/')[2]!r}",
            )
    return claims


def to_frame() -> pd.DataFrame:
    """One row a claim: id, expected, provenance, source, statement."""
    import pandas as pd

    columns = ("id", "expected", "provenance", "source", "statement")
    return pd.DataFrame([{name: getattr(record, name) for name in columns} for record in catalogue.values()])


class _Catalogue(Importable):
    """This module reads as the mapping that it holds, so that `tt.claims["trpo/kl"]` is what one would guess."""

    def __getitem__(self, claim_id: str) -> Claim:
        return get(claim_id)

    def __iter__(self) -> Iterator[str]:
        return iter(catalogue)

    def __len__(self) -> int:
        return len(catalogue)

    def __contains__(self, claim_id: object) -> bool:
        return claim_id in catalogue


sys.modules[__name__].__class__ = _Catalogue
