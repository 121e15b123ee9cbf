"""The lower bounds, by id: `bounds["trpo/kl"]`. One room a paper; each bound is written once."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, Mapping

from trpo_theory._checks import unknown_name
from trpo_theory.bounds import chain_rule, cpo, trpo
from trpo_theory.bounds.bound import Bound, BoundCheck, to_frame
from trpo_theory.quantities import Quantities

__all__ = ["Bound", "BoundCheck", "catalogue", "check_all", "get", "to_frame"]

catalogue: Mapping[str, Bound] = types.MappingProxyType(
    {bound.id: bound for room in (trpo, chain_rule, cpo) for bound in room.BOUNDS}
)


def get(bound_id: str) -> Bound:
    """The bound of that id.

    Raises:
        InvalidInput: for an unknown id, with its near matches.
    """
    if bound_id not in catalogue:
        raise unknown_name("bound", bound_id, catalogue)
    return catalogue[bound_id]


def check_all(q: Quantities) -> list[BoundCheck]:
    """Every bound of the catalogue on this instance (or on each of a batch)."""
    return [bound.check(q) for bound in catalogue.values()]


class _Catalogue(types.ModuleType):
    """This module reads as the mapping that it holds, so that `tt.bounds["trpo/kl"]` is what one would guess."""

    def __getitem__(self, bound_id: str) -> Bound:
        return get(bound_id)

    def __iter__(self) -> Iterator[str]:
        return iter(catalogue)

    def __len__(self) -> int:
        return len(catalogue)

    def __contains__(self, bound_id: object) -> bool:
        return bound_id in catalogue


sys.modules[__name__].__class__ = _Catalogue
