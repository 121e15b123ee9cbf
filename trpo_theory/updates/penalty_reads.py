"""What a bound's penalty reads of the new policy: the one divergence that it may be a function of."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Any

import numpy as np

from trpo_theory.bounds import Bound
from trpo_theory.errors import InvalidInput, NotKnown
from trpo_theory.step.partial import KnownQuantities
from trpo_theory.updates.sharp_penalty import SteppedBound

_TRIED = {"gamma": 0.5, "max_abs_advantage": 1.0, "rms_advantage": 1.0}
"""The quantities of old that a penalty may read, with values at which it is asked for those of new: chosen, any do."""
_TRIED_HORIZON = 3.0
"""The number of steps at which a bound over a horizon is asked. Chosen: the least at which none of the catalogue is special."""
SPREAD = "expected_advantage_sd"
"""The quantity of new that a penalty may be proportional to, beside a function of a maximum over rows."""
_SMALL = 0.01
"""The value of a quantity of new there: chosen, as small as steps are."""

_REMEMBERED = 256
"""Bounds and fields: chosen, some hundred are known."""


def tried(bound: Bound) -> dict[str, Any]:
    """Values of γ, of quantities of old and, where the bound is over one, of the horizon."""
    known: dict[str, Any] = {name: np.full(1, value) for name, value in _TRIED.items()}
    return known | {"horizon": np.full(1, _TRIED_HORIZON)} if bound.horizon else known


def quantities_read(bound: Bound, allowed: Collection[str]) -> set[str]:
    """The quantities of new among `allowed` that the penalty reads.

    Raises:
        InvalidInput: for a bound that reads any other.
    """
    known = tried(bound)
    read: set[str] = set()
    while True:
        try:
            cheap(bound).penalty(KnownQuantities(**known))
            return read
        except NotKnown as error:
            if error.name not in allowed:
                raise refused(bound, error.name, allowed) from None
            read.add(error.name)
            known[error.name] = np.full(1, _SMALL)


def cheap(bound: Bound) -> Bound:
    """The envelope of a stepped bound, whose own numbers are expensive: it reads the same, and is 0 where the bound is."""
    return bound.envelope if isinstance(bound, SteppedBound) else bound


def is_proportional(bound: Bound, field: str) -> bool:
    """Whether a penalty of that field and of the spread of Ā is the spread times a function of the field."""
    known = tried(bound)
    known[field] = np.full(1, _SMALL)
    values: list[Any] = []
    for size in (1.0, 2.0):
        known[SPREAD] = np.full(1, size)
        values.append(bound.penalty(KnownQuantities(**known)))
    return bool(np.isclose(values[1], 2 * values[0], rtol=1e-12, atol=0.0).all())


@functools.lru_cache(maxsize=_REMEMBERED)
def sizes_read(bound: Bound, field: str) -> frozenset[str]:
    """The quantities of old, but for γ, that a penalty of that field reads."""
    bound = cheap(bound)
    known: dict[str, Any] = {name: value for name, value in tried(bound).items() if name in ("gamma", "horizon")}
    known[field] = np.full(1, _SMALL)
    read: set[str] = set()
    while True:
        try:
            bound.penalty(KnownQuantities(**known))
            return frozenset(read)
        except NotKnown as error:
            read |= {error.name} & _TRIED.keys()
            known[error.name] = np.full(1, _TRIED.get(error.name, _SMALL))


_IN_WORDS = {name: "arrays over states or actions" for name in ("max_s", "min_s", "sum_s", "max_a", "min_a", "sum_a")}


def refused(bound: Bound, what: str, allowed: Collection[str]) -> InvalidInput:
    """The message about a bound that reads what no penalty can be a function of."""
    return InvalidInput(
        got=f"the bound {bound.id!r}, which reads {_IN_WORDS.get(what, what)}",
        wanted=f"a penalty that depends on the new policy through max_kl only, or one of {', '.join(sorted(allowed))}",
        fix="use trpo/kl, pinsker/kl, chain-rule/kl, mean-kl/linear-2 or chi2/advantage; "
        f"or let this bound choose a radius, ReverseMaxChi2(Certified({bound.id!r})), --delta certified --bound {bound.id}",
    )
