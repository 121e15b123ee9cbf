"""What a slack is divided by, so that instances of any size can be compared, and which are the best."""

from __future__ import annotations

import numpy as np

from trpo_theory.search.distinct import distinct, places_of_distinct
from trpo_theory.search.screened import SAYS_NOTHING, Screened
from trpo_theory.search.slack_kind import SlackKind

_BEST = 24
"""Kept by each scale. Chosen."""


def scaled(screened: Screened, scale: str) -> np.ndarray:
    """The slack over its scale, 0 where it is within rounding of 0.

    The scale is the "gap", so that a bound's constant is what falls, however small the step, or the size of the "reward".
    Where the gap is not screened from 0 either, the instance says nothing and comes behind the others; where the hypotheses do
    not hold, last.
    """
    return screened.by_gap if scale == "gap" else screened.by_reward


def share_of_terms(screened: Screened, kind: SlackKind) -> np.ndarray:
    """The slack of a bound over its terms' sizes, |η(new) − L| + |penalty|, in [−1, 1]; of other claims over the gap.

    It falls where slack/|gap| does, but is 1 where the gap's sign helps the claim.
    """
    share = scaled(screened, "gap")
    if not kind.sign:
        return share
    terms = screened.gap + np.abs(screened.slack - kind.sign * screened.signed_gap)
    with np.errstate(invalid="ignore", divide="ignore"):
        of_terms = screened.clear_slack / np.where(terms > 0, terms, 1.0)
    return np.where(share < SAYS_NOTHING, np.where(np.isfinite(terms), of_terms, 1.0), share)


def best_of(kind: SlackKind, *parts: Screened) -> np.ndarray:
    """The least by either scale of some batches, end to end; of those that tie to six digits the latest only.

    So ties drift, and cannot crowd.
    """
    kept = []
    for orders in ([share_of_terms(part, kind) for part in parts], [scaled(part, "reward") for part in parts]):
        ratio = np.concatenate(orders)[::-1]
        with np.errstate(over="ignore"):
            rounded = np.where(ratio < SAYS_NOTHING, np.round(ratio, 6), ratio)
        latest = places_of_distinct(rounded)[:_BEST]
        kept.append(len(ratio) - 1 - latest)
    return distinct(np.concatenate(kept))


def least_of(order: np.ndarray, count: int) -> np.ndarray:
    """Where the least `count` entries are, the first of equal ones first, without sorting all."""
    if len(order) > count:
        (candidates,) = np.nonzero(order <= np.partition(order, count)[count])
        return candidates[np.argsort(order[candidates], kind="stable")[:count]]
    return np.argsort(order, kind="stable")
