"""Divergences between rows of probabilities, with relative accuracy near 1e-12 however close the rows are.

Each reduces one axis of non-negative arrays p and q that broadcast against each other. Units are nats. Rows as
stored sum to 1 only to rounding, so KL is read in its generalised form, Σ p log(p/q) − p + q: a sum of terms that
are never negative, each computed from q − p (exact for close floats), so that nothing cancels: docs/theory.md,
"Small steps in floating point". How each bounds the total variation: docs/theory.md, "Divergences of a row".
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.entries.arrays import real_array
from trpo_theory.entries.expected import as_float
from trpo_theory.entries.foreign import native
from trpo_theory.entries.kinds import brief
from trpo_theory.errors import InvalidInput
from trpo_theory.model.shapes import Real

Rows = Real[np.ndarray, "..."] | Sequence[object] | float
"""Probabilities, an axis of them a row: an array of floats or integers, or nested sequences."""

SMALL = 0.25
"""Below this |x| a series takes over from x − log(1 + x), which then cancels. Chosen: seven terms reach rounding there."""
ARTANH = (
    0.07103656992215065,
    0.0767988887710976,
    0.09091082944750323,
    0.11111109865131292,
    0.1428571428996039,
    0.1999999999999458,
    0.33333333333333334,
)
"""The polynomial in q = s² of degree 6 next to (artanh(s)/s − 1)/q = 1/3 + q/5 + q²/7 + … for |s| ≤ 1/7, highest power first:
Chebyshev's, computed to 40 digits, off by 1.2e-17 at most. Taylor's needs ten terms for that."""
_EXP_TERMS = 1.0 / np.cumprod(np.arange(2.0, 18.0))
"""1/2!, ..., 1/17!: the last, at |y| = 0.7, is below 1e-16 of the first."""


def _floats(rows: Any) -> np.ndarray:
    try:
        array = np.asarray(native(rows, "a row"))
    except ValueError:  # rows of several lengths
        array = None
    if array is None or array.dtype.kind not in "fiub":
        return real_array(rows, "a row")
    return array.astype(np.float64, copy=False)


def _alike(*rows: Any) -> list[np.ndarray]:
    """Rows as floats, of shapes that broadcast against each other."""
    arrays = [_floats(one) for one in rows]
    try:
        np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        shapes = " and ".join(str(array.shape) for array in arrays)
        raise InvalidInput(
            got=f"rows of shapes {shapes}", wanted="rows of one length", fix="pass distributions over the same outcomes"
        ) from None
    return arrays


def _over(axis: int, terms: np.ndarray) -> Any:
    try:
        return terms.sum(axis)
    except (TypeError, ValueError):
        axes = "any axis: these are numbers" if not terms.ndim else f"an axis from {-terms.ndim} to {terms.ndim - 1}"
        raise InvalidInput(got=f"axis = {brief(axis)}", wanted=axes, fix="leave axis out for the last one") from None


def x_minus_log1p(x: Real[np.ndarray, "*shape"]) -> Real[np.ndarray, "*shape"]:
    """x − log(1 + x) for x ≥ −1, to a few units in the last place: 0 at 0, ∞ at −1."""
    x = np.asarray(x, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.where(np.abs(x) < SMALL, _small_x_minus_log1p(x), x - np.log1p(x))


def x_minus_log(x: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """x − log(1 + x) for x > −1, of ratio = 1 + x where that is known better than 1 + x as stored, as next to 0."""
    small = np.abs(x) < SMALL
    if small.all():
        return _small_x_minus_log1p(x)
    terms = x - np.log(ratio)
    return np.where(small, _small_x_minus_log1p(x), terms) if small.any() else terms


def _small_x_minus_log1p(x: np.ndarray) -> np.ndarray:
    """With s = x/(2 + x), log(1 + x) = 2 artanh(s): x − log(1 + x) = s·x − 2 s³ (1/3 + s²/5 + s⁴/7 + …)."""
    s = x / (2.0 + x)
    square = s * s
    series = ARTANH[0] * square
    for coefficient in ARTANH[1:-1]:
        series += coefficient
        series *= square
    series += ARTANH[-1]
    return s * (x - 2.0 * square * series)


def kl_div(p: Rows, q: Rows) -> Real[np.ndarray, "..."]:
    """The term p log(p/q) − p + q of the generalised KL, elementwise: q where p = 0, ∞ where p > 0 = q.

    As `scipy.special.kl_div`, but without its cancellation where p is close to q.
    """
    p, q = _alike(p, q)
    return kl_of_change(p, q, q - p)


def kl_of_change(p: Rows, q: Rows, change: Rows) -> Real[np.ndarray, "..."]:
    """As `kl_div`, from change = q − p where that is known more precisely than q − p as stored."""
    p, q, change = _alike(p, q, change)
    with np.errstate(all="ignore"):
        close = np.abs(change) < SMALL * p
        if close.all():
            return p * _small_x_minus_log1p(change / p)
        shape = np.broadcast_shapes(p.shape, q.shape, change.shape)
        p, q, change, close = (np.broadcast_to(x, shape).reshape(-1) for x in (p, q, change, close))
        apart = ~close & (p > 0)
        terms = np.where(apart & (q == 0), np.inf, change)  # the change where p = 0, and where there is none
        for which, formula in ((close & (change != 0), _close_terms), (apart & (q > 0), _apart_terms)):
            (at,) = np.nonzero(which)  # NumPy's log is several times slower on 0, inf and nan
            terms[at] = formula(p.take(at), q.take(at), change.take(at))
    return terms.reshape(shape)


def _close_terms(p: np.ndarray, q: np.ndarray, change: np.ndarray) -> np.ndarray:
    return p * _small_x_minus_log1p(change / p)


def _apart_terms(p: np.ndarray, q: np.ndarray, change: np.ndarray) -> np.ndarray:
    ratio = q / p
    log_ratio = np.log(ratio)
    unsafe = ~((ratio > 1e-290) & (ratio < 1e290))
    if unsafe.any():
        log_ratio = np.where(unsafe, np.log(q) - np.log(p), log_ratio)
    return change - p * log_ratio


def kl(p: Rows, q: Rows, *, axis: int = -1) -> Real[np.ndarray, "..."] | float:
    """KL(p‖q) = Σ p log(p/q) in nats: 0 log 0 = 0, and ∞ where p > 0 = q.

    >>> float(kl(np.array([0.5, 0.5]), np.array([0.25, 0.75])))
    0.14384103622589045
    """
    return _over(axis, kl_div(p, q))


def tv(p: Rows, q: Rows, *, axis: int = -1) -> Real[np.ndarray, "..."] | float:
    """TV(p, q) = ½ Σ |p − q|, the largest difference in the probability of an event."""
    p, q = _alike(p, q)
    return 0.5 * _over(axis, np.abs(p - q))


def chi2(p: Rows, q: Rows, *, axis: int = -1) -> Real[np.ndarray, "..."] | float:
    """χ²(p‖q) = Σ (p − q)²/q, Pearson's: ∞ where p > 0 = q."""
    p, q = _alike(p, q)
    return chi2_of_change(p - q, q, axis=axis)


def chi2_of_change(change: Rows, q: Rows, *, axis: int = -1) -> Real[np.ndarray, "..."] | float:
    """As `chi2`, from change = p − q where that is known more precisely than p − q as stored."""
    change, q = _alike(change, q)
    with np.errstate(all="ignore"):
        return _over(axis, np.where(change == 0.0, 0.0, change * (change / q)))


def jeffreys(p: Rows, q: Rows, *, axis: int = -1) -> Real[np.ndarray, "..."] | float:
    """KL(p‖q) + KL(q‖p)."""
    return kl(p, q, axis=axis) + kl(q, p, axis=axis)


def jensen_shannon(p: Rows, q: Rows, *, axis: int = -1) -> Real[np.ndarray, "..."] | float:
    """½ KL(p‖m) + ½ KL(q‖m), m = (p + q)/2, from q − p: m itself would round the difference away."""
    p, q = _alike(p, q)
    middle, half = 0.5 * (p + q), 0.5 * (q - p)
    return 0.5 * _over(axis, kl_of_change(p, middle, half) + kl_of_change(q, middle, -half))


def hellinger2(p: Rows, q: Rows, *, axis: int = -1) -> Real[np.ndarray, "..."] | float:
    """H²(p, q) = 1 − Σ √(pq) = ½ Σ (√p − √q)², the squared Hellinger distance (1 − BC)."""
    p, q = _alike(p, q)
    root_sum = np.sqrt(p) + np.sqrt(q)
    return 0.5 * _over(axis, np.square((p - q) / np.where(root_sum == 0.0, 1.0, root_sum)))


def renyi(p: Rows, q: Rows, order: float | Fraction, *, axis: int = -1) -> Real[np.ndarray, "..."] | float:
    """Rényi's D_a(p‖q) = log(Σ p^a q^(1−a)) / (a − 1), 0.01 ≤ a ≤ 0.99; ∞ for disjoint rows.

    Near p = q, Σ p^a q^(1−a) − 1 is summed as Σ p [(1 + x)^b − 1 − b x] with x = q/p − 1, b = 1 − a: terms of one sign.
    """
    given, order = order, as_float(order)
    if not 0.01 <= order <= 0.99:
        raise InvalidInput(got=f"order = {brief(given)}", wanted="0.01 <= order <= 0.99", fix="use kl for order 1")
    p, q = _alike(p, q)
    b = 1.0 - order
    with np.errstate(all="ignore"):
        x = (q - p) / p
        near = p * (expm1_minus(b * np.log1p(x)) - b * x_minus_log1p(x))
        power = p**order * q**b
        terms = np.where(np.abs(q - p) < SMALL * p, near, power - p - b * (q - p))
        affinity = _over(axis, power)
        return np.where(affinity < 0.5, np.log(affinity), np.log1p(_over(axis, terms)))[()] / -b


def expm1_minus(y: np.ndarray) -> np.ndarray:
    """exp(y) − 1 − y."""
    series = np.zeros_like(y)
    for coefficient in _EXP_TERMS[::-1]:
        series = series * y + coefficient
    return np.where(np.abs(y) < 0.7, series * y * y, np.expm1(y) - y)
