"""The lower bounds, by id: `bounds["trpo/kl"]`. One file a paper; each bound is written once.

`catalogue` holds the true ones, and is what iteration and `check_all` run over; `folklore` those known to be false, or open.
`all_bounds`, `get`, `bounds[...]` and `in` know both.
"""

from __future__ import annotations

from trpo_theory._catalogue import Catalogue, read_as_mapping
from trpo_theory.bounds import (
    agents,
    average,
    chain_rule,
    chi2,
    cpo,
    derived,
    doeblin,
    entropy,
    false_twins,
    floor,
    geppo,
    horizon,
    kakade_langford,
    mean_kl,
    mixing,
    notes,
    pirotta,
    small_radius,
    time_resolved,
    tokens,
    trpo,
)
from trpo_theory.bounds.checked import BoundCheck, to_frame
from trpo_theory.bounds.doeblin import average_of
from trpo_theory.bounds.record import Bound, Claim
from trpo_theory.entries.kinds import expect_type
from trpo_theory.step.quantities import Quantities

__all__ = [
    "Bound",
    "BoundCheck",
    "Claim",
    "all_bounds",
    "average_of",
    "catalogue",
    "check_all",
    "folklore",
    "get",
    "over_horizon",
    "plain",
    "to_frame",
]

FILES = (
    kakade_langford,
    trpo,
    derived,
    chain_rule,
    mean_kl,
    cpo,
    pirotta,
    geppo,
    mixing,
    small_radius,
    horizon,
    average,
    doeblin,
    entropy,
    agents,
    tokens,
    chi2,
    time_resolved,
    floor,
    notes,
    false_twins,
)
"""The files of bounds in the order of the tables; each lists its own as BOUNDS. A new file is added here."""

_MANY_STATES = 200
"""Bounds that are `small_only` are skipped by `check_all` above so many states. Chosen: S solves of S states take about a
second there."""

all_bounds: Catalogue[Bound] = Catalogue.of(
    "bound",
    (bound for file in FILES for bound in file.BOUNDS),
    "`trpo-theory claims` lists them, list(tt.bounds) in Python",
)
"""Every bound, by id."""
catalogue: Catalogue[Bound] = all_bounds.where(lambda bound: bound.expected is True)
"""The bounds that are true."""
folklore: Catalogue[Bound] = all_bounds.where(lambda bound: bound.expected is not True)
"""The bounds that are false, or open."""


def get(bound_id: str) -> Bound:
    """The bound of that id, true or not.

    Raises:
        InvalidInput: for an unknown id, with its near matches.
    """
    return all_bounds[bound_id]


def plain() -> dict[str, Bound]:
    """The true ones that speak of (mdp, old, new) with discounted returns, and of nothing else."""
    return {name: bound for name, bound in catalogue.items() if not bound.setting}


def over_horizon() -> dict[str, Bound]:
    """The true ones that speak of (mdp, old, new) and the return of T steps, and of nothing else."""
    return {name: bound for name, bound in catalogue.items() if bound.setting == frozenset({"horizon"})}


def check_all(q: Quantities) -> list[BoundCheck]:
    """Every bound of the catalogue that is of the instance's setting, on this instance (or on each of a batch)."""
    expect_type(Quantities, q, "a step", "pass compare(mdp, old, new)")
    small = len(q.old) <= _MANY_STATES
    return [bound.check(q) for bound in catalogue.values() if bound.reads(q) and (small or not bound.small_only)]


read_as_mapping(__name__, listed=catalogue, known=all_bounds)
