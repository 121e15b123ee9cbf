"""The lower bounds, by id: `bounds["trpo/kl"]`. One room a paper; each bound is written once.

`catalogue` holds the true ones, and is what iteration and `check_all` run over; `folklore` those known to be false, or open.
`get`, `bounds[...]` and `in` know both.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, Mapping

from trpo_theory._catalogue import Importable
from trpo_theory._checks import unknown_name
from trpo_theory.bounds import chain_rule, cpo, derived, geppo, kakade_langford, mean_kl, mixing, notes, pirotta, trpo
from trpo_theory.bounds.bound import Bound, BoundCheck, to_frame
from trpo_theory.step.quantities import Quantities

__all__ = ["Bound", "BoundCheck", "all_bounds", "catalogue", "check_all", "folklore", "get", "to_frame"]

_ROOMS = (kakade_langford, trpo, derived, chain_rule, mean_kl, cpo, pirotta, geppo, mixing, notes)
_SMALL = 200
"""Bounds that are `small_only` are left out of `check_all` above so many states."""

all_bounds: Mapping[str, Bound] = types.MappingProxyType({bound.id: bound for room in _ROOMS for bound in room.BOUNDS})
catalogue: Mapping[str, Bound] = types.MappingProxyType(
    {bound.id: bound for bound in all_bounds.values() if bound.expected is True}
)
folklore: Mapping[str, Bound] = types.MappingProxyType(
    {bound.id: bound for bound in all_bounds.values() if bound.expected is not True}
)


def get(bound_id: str) -> Bound:
    """The bound of that id, true or not.

    Raises:
        InvalidInput: for an unknown id, with its near matches.
    """
    for mapping in (catalogue, folklore):
        if bound_id in mapping:
            return mapping[bound_id]
    raise unknown_name("bound", bound_id, [*catalogue, *folklore])


def check_all(q: Quantities) -> list[BoundCheck]:
    """Every bound of the catalogue on this instance (or on each of a batch)."""
    small = len(q.old) <= _SMALL
    return [bound.check(q) for bound in catalogue.values() if small or not bound.small_only]


class _Catalogue(Importable):
    """This module reads as the mapping that it holds, so that `tt.bounds["trpo/kl"]` is what one would guess."""

    def __getitem__(self, bound_id: str) -> Bound:
        return get(bound_id)

    def __iter__(self) -> Iterator[str]:
        return iter(catalogue)

    def __len__(self) -> int:
        return len(catalogue)

    def __contains__(self, bound_id: object) -> bool:
        return bound_id in catalogue or bound_id in folklore


sys.modules[__name__].__class__ = _Catalogue
