"""Which recorded updates a bound certifies, and how much of each of the others it would have allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trpo_theory import bounds
from trpo_theory.model.shapes import Bool, Float
from trpo_theory.recorded.chains import Steps
from trpo_theory.step.idle import held_still
from trpo_theory.step.quantities import Quantities
from trpo_theory.updates.cv import largest_chi2
from trpo_theory.updates.promises import Promise, promised

if TYPE_CHECKING:
    import pandas as pd

CERTIFICATES = ("chi2/expected-advantage", "chi2/mean-max", "chi2/second-order", "transition/second-order")
"""Of the ladder of docs/theory.md: the one that reads three numbers, the best that has L as its centre, and the best two."""

_LEAST = 1e-6
"""The least share of an update that is tried. Chosen: below it a step is none."""

_BEFORE = 0.1
"""A scan begins at this part of the share that the first certificate allows: others may certify less."""

_POINTS, _HALVINGS = 6, 7
"""Shares of a scan, and halvings of its last cell: a range of 10 is cut to 0.3 %. Chosen for speed, an evaluation each."""


@dataclass(frozen=True, eq=False)
class AuditedCertificate:
    """What a bound promises of each update, with new = old where no action matters.

    Attributes:
        id: of the bound, such as "chi2/mean-max".
        promise: the lower bound on η(new) − η(old), (U,); −∞ where the bound says nothing.
        certified: whether it is above 0, by more than its rounding, (U,).
        share: the largest t such that (1 − t) old + t new is certified, and so all smaller ones of a scan; 1 where the update
            itself is, 0 where none is, (U,).
    """

    id: str
    promise: Float[np.ndarray, " U"]
    certified: Bool[np.ndarray, " U"]
    share: Float[np.ndarray, " U"]


def certificates(q: Steps) -> dict[str, tuple[np.ndarray, ...]]:
    """Promise, certified and share of a batch of updates, by the bound's id."""
    held = held_still(q)
    start = np.clip(_BEFORE * _first_share(held), _LEAST, _BEFORE)
    return {id: _of_bound(held, id, start) for id in CERTIFICATES}


def _of_bound(q: Quantities, id: str, start: np.ndarray) -> tuple[np.ndarray, ...]:
    change = q.new - q.old

    def at(t: np.ndarray) -> Promise:
        return promised(bounds.get(id), q.with_new(q.old + t * change))

    whole = promised(bounds.get(id), q)
    value, certified = (np.broadcast_to(part, start.shape).copy() for part in (whole.value, whole.certified))
    if certified.all():
        return value, certified, np.ones(start.shape)
    low, high, going = np.zeros(start.shape), np.ones(start.shape), ~certified
    for power in np.linspace(1, 0, _POINTS + 1)[:-1]:
        t = start**power
        inside = at(t).certified
        low = np.where(going & inside, t, low)
        high = np.where(going & ~inside, t, high)
        going = going & inside
    for _ in range(_HALVINGS):
        t = np.sqrt(low * high)
        inside = (low > 0) & at(t).certified
        low, high = np.where(inside, t, low), np.where(inside, high, t)
    return value, certified, np.where(certified, 1.0, low)


def _first_share(q: Quantities) -> np.ndarray:
    """√(largest/c), the share up to which chi2/expected-advantage certifies: along a line Ā is t Ā, and χ² is t² χ²."""
    c, mean, sd = (
        np.asarray(part) for part in (q.max_s(q.visited_chi2), q.mean_expected_advantage, q.expected_advantage_sd)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.sqrt(largest_chi2(q.gamma, mean, sd) / c)
    return np.where((mean > 0) & (share > 0), share, 0.0)


def best_of(found: Mapping[str, AuditedCertificate], updates: int) -> tuple[str, ...]:
    """Of each update the id of the certificate that promises most, "" where none holds."""
    names = tuple(found)
    if not names:
        return ("",) * updates
    value = np.array([np.where(one.certified, one.promise, -np.inf) for one in found.values()])
    return tuple(names[k] if best > -np.inf else "" for k, best in zip(value.argmax(0), value.max(0), strict=True))


def frame_of(found: Mapping[str, AuditedCertificate]) -> pd.DataFrame:
    """One row a certificate: the share of updates that it certifies; median and least share of an update that it allows."""
    import pandas as pd

    rows = [
        {
            "bound": name,
            "certified": float(one.certified.mean()),
            "median_share": float(np.median(one.share)),
            "least_share": float(one.share.min()),
        }
        for name, one in found.items()
    ]
    return pd.DataFrame(rows)
