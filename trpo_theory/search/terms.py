"""How close to 0 a slack is as a share of the claim's own terms: of gap + penalty, slack/(|gap| + |penalty|)."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.bounds.record import Bound, Claim
from trpo_theory.numerics.float_array import FloatArray, in_floats
from trpo_theory.step.quantities import Quantities


class TermArray(FloatArray):
    """A float64 array that, as a sum or difference, knows the sum of the absolute values of its terms.

    Attributes:
        terms: that sum, in the array's shape; None for what is neither a sum nor a difference.
    """

    terms: np.ndarray | None = None

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        out = super().__array_ufunc__(ufunc, method, *inputs, **options)
        if method == "__call__" and isinstance(out, TermArray):
            if ufunc in (np.add, np.subtract):
                out.terms = _terms(inputs[0]) + _terms(inputs[1])
            elif ufunc in (np.negative, np.positive, np.absolute):
                out.terms = getattr(inputs[0], "terms", None)
        return out


def _terms(x: Any) -> np.ndarray:
    known = getattr(x, "terms", None)
    return np.abs(np.asarray(in_floats(x))) if known is None else known


class _WithTerms:
    """The same quantities, as arrays whose sums know their terms; what a quantity is itself made of does not matter."""

    def __init__(self, q: Quantities) -> None:
        self._q = q

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._q, name)
        return value.view(TermArray) if isinstance(value, np.ndarray) and value.dtype == np.float64 else value


def signed_slack_with_terms(claim: Claim, q: Quantities) -> Any:
    """The claim's signed slack as an array that knows its terms; None where the formula does more than such arrays follow.

    Of a bound, too: its terms are its gap and its penalty, whatever that is made of.
    """
    if _is_gap_and_penalty(claim):
        return None
    try:
        with np.errstate(all="ignore"):
            return claim.signed_slack(_WithTerms(q))  # pyright: ignore[reportArgumentType]
    except (Exception, SystemExit):  # it may do well on the quantities themselves
        return None


def _is_gap_and_penalty(claim: Claim) -> bool:
    return isinstance(claim, Bound) and claim.shift is None and claim.residual is None


def share_and_terms(claim: Claim, q: Quantities, slack: np.ndarray, signed: Any) -> tuple[np.ndarray, np.ndarray]:
    """The least entry of slack over the sum of the absolute values of the terms that its formula adds up last, and that sum.

    Both are (B,), and NaN where that is not known: where the last operation is not a sum, or the formula does more than arrays
    follow. Of a bound they are known of its gap and its least slack, (B,), of others of `signed_slack_with_terms`.
    """
    if _is_gap_and_penalty(claim):
        gap = np.asarray(q.surrogate_gap)
        with np.errstate(all="ignore"):
            sizes = np.abs(gap) + np.abs(slack - gap)
            share = slack / sizes
        return np.where(np.isnan(share), np.inf, share), sizes
    count = len(slack)
    terms = getattr(signed, "terms", None)
    if terms is None or terms.shape != signed.shape or signed.shape[-1:] not in ((1,), (count,)):
        return np.full(count, np.nan), np.full(count, np.nan)
    with np.errstate(all="ignore"):
        share = np.asarray(signed) / terms
    share = np.where(np.isnan(share), np.inf, -np.abs(share) if claim.relation == "=" else share)
    share, terms = (x.reshape(-1, x.shape[-1]) for x in (share, np.asarray(terms)))
    least = share.argmin(0)[None]
    share, terms = (np.take_along_axis(x, least, 0)[0] for x in (share, terms))
    return np.broadcast_to(share, (count,)), np.broadcast_to(terms, (count,))
