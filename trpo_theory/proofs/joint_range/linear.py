"""Linear inequalities between smooth divergences: Σ a D_f ≥ 0 for all rows exactly if Σ a f(l) ≥ 0 for all l, f centred."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from trpo_theory.numerics.ball.raw import Real, fmpq, fraction
from trpo_theory.proofs.joint_range.cover import Covered
from trpo_theory.proofs.joint_range.expression import Expression
from trpo_theory.proofs.joint_range.rows import TV, RowField, row_field
from trpo_theory.proofs.joint_range.shape import terms

_MOST_PIECES = 20_000
"""Of [0, 1]. Chosen: a second or two."""
_SMALLEST = 60
"""Witnesses with p = 2⁻¹ … 2⁻⁶⁰ are tried. Chosen."""

Terms = list[tuple[Real, RowField]]


def linear_terms(slack: Expression) -> Terms | None:
    """The factors and divergences of a slack that is such a sum; None for any other, and for one with total variation."""
    found: Terms = []
    for term in terms(slack):
        factor, leaf = (
            (term.args[0].value, term.args[1]) if term.op == "*" and term.args[0].is_constant else (fmpq(1), term)
        )
        known = row_field(leaf.value) if leaf.op == "field" and leaf.value != TV else None
        if known is None:
            return None
        found.append((factor, known))
    return found


def cover_linear(sum_: Terms) -> Covered:
    """Decide Σ a K ≥ 0 and Σ a K* ≥ 0 on [0, 1], piece by piece, K being f(t)/(1 − t)², which does not rise."""
    pieces = [(fmpq(0), fmpq(1), star) for star in (True, False)]
    count = 0
    while pieces and count < _MOST_PIECES:
        count += 1
        low, high, star = pieces.pop(0)
        if _least(sum_, low, high, star) >= 0 or _least_weighted(sum_, low, high, star) >= 0:
            continue
        middle = (low + high) / 2
        if sum((factor * known.kernel(middle, star) for factor, known in sum_), fmpq(0)) < 0:
            pair = _pair(sum_, middle, star)
            return Covered(count, refuted=pair, undecided=pair is None)
        pieces += [(low, middle, star), (middle, high, star)]
    return Covered(count) if not pieces else Covered(count, undecided=True)


def _least(sum_: Terms, low: fmpq, high: fmpq, star: bool) -> Real:
    """A lower bound on Σ a K between two places."""
    return sum((factor * known.kernel(high if factor >= 0 else low, star) for factor, known in sum_), fmpq(0))


def _least_weighted(sum_: Terms, low: fmpq, high: fmpq, star: bool) -> Real:
    """Likewise on Σ a t K, which is finite at t = 0."""
    return sum((factor * known.weighted(low if factor >= 0 else high, star) for factor, known in sum_), fmpq(0))


def _pair(sum_: Terms, t: fmpq, star: bool) -> tuple[Fraction, Fraction] | None:
    """A binary pair one of whose ratios is t (or 1/t), so rare that the other action's share in the sum is less."""
    for p, q in _pairs(t, star):
        total = fmpq(0)
        for factor, known in sum_:
            total = total + factor * (p * known.enclosed(q / p) + (1 - p) * known.enclosed((1 - q) / (1 - p)))
        if total < 0:
            return fraction(p), fraction(q)
    return None


def _pairs(t: fmpq, star: bool) -> Iterator[tuple[fmpq, fmpq]]:
    for k in range(1, _SMALLEST):
        small = fmpq(1, 2**k)
        yield (small * t, small) if star else (small, small * t)
