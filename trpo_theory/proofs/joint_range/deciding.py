"""A claim that is an inequality between divergences of rows: proved by binary pairs, refuted by one, or why neither."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

from trpo_theory.bounds.record import Claim
from trpo_theory.numerics.ball.raw import fraction, precision
from trpo_theory.proofs.joint_range.cover import Covered, cover, is_negative
from trpo_theory.proofs.joint_range.curves import Curve, Pair, reductions
from trpo_theory.proofs.joint_range.expression import Expression, RowRecord
from trpo_theory.proofs.joint_range.linear import cover_linear, linear_terms
from trpo_theory.proofs.joint_range.one_row import NotOneRow, one_row
from trpo_theory.proofs.joint_range.one_variable import is_nonnegative, sign_at
from trpo_theory.proofs.joint_range.rows import TV
from trpo_theory.proofs.joint_range.shape import branches, compared, defined, direction, is_concave
from trpo_theory.step.exact import ExactInstance

_BITS = 160
"""Of the balls. Chosen: K = f(t)/(1 − t)² loses twice the bits of 1 − t, which is above 2⁻²⁵ where boxes are not too many."""
_FOR_A_PAIR = 2000
"""Boxes in which a pair that refutes is looked for where binary pairs do not prove. Chosen: a second."""


@dataclass(frozen=True)
class RowDecision:
    """What was found.

    Attributes:
        why: the theorem that makes binary pairs suffice, "" where the claim is not proved.
        boxes: how many were decided.
        refuted: probabilities of the first of two actions, in old and in new, where the slack is negative.
        note: why nothing is proved.
    """

    why: str = ""
    boxes: int = 0
    refuted: tuple[Fraction, Fraction] | None = None
    note: str = ""


def read(claim: Claim) -> Expression | None:
    """The slack as a tree over divergences of rows; None for a claim that reads anything else."""
    if claim.relation != ">=":
        return None
    try:
        slack = claim.signed_slack(RowRecord())  # pyright: ignore[reportArgumentType]  # it stands for `Quantities`
    except Exception:  # of any kind: the formula does with a tree what it may do with numbers only
        return None
    return slack if isinstance(slack, Expression) and any(True for _ in slack.leaves()) else None


def decided(slack: Expression) -> RowDecision:
    """Prove slack ≥ 0 for all pairs of policies, or find a binary pair where it is negative."""
    with precision(_BITS):
        try:
            row = one_row(slack)
        except NotOneRow as reason:
            return RowDecision(note=str(reason))
        if not defined(row):
            return RowDecision(note="a root, a logarithm or a quotient of what is not seen to be >= 0")
        decisions: list[RowDecision] = []
        for branch in branches(row):
            decisions.append(_decided_row(branch))
            if decisions[-1].refuted is not None:
                return decisions[-1]
        open_ = next((decision for decision in decisions if not decision.why), decisions[0])
        return replace(open_, boxes=sum(decision.boxes for decision in decisions))


def _decided_row(row: Expression) -> RowDecision:
    """By one-parameter families, or by boxes of all binary pairs."""
    why, what = _suffices(row)
    if (decision := _by_curves(row, why, what)) is not None:
        return decision
    if what is None:
        found = cover(row, _FOR_A_PAIR)
        return RowDecision(boxes=found.boxes, refuted=found.refuted, note=why)
    terms = linear_terms(what)
    found = cover(what) if terms is None else cover_linear(terms)
    if found.refuted is not None:
        return RowDecision(boxes=found.boxes, refuted=found.refuted)
    return RowDecision(why, found.boxes) if found.is_proved else RowDecision(boxes=found.boxes, note=_left(found))


def _by_curves(row: Expression, why: str, binary: Expression | None) -> RowDecision | None:
    """By families with one pair for each d, if that is seen to decide; None where it does not."""
    for reduction, needed in reductions(row, binary):
        pieces = 0
        for curve in reduction.curves:
            refutes = partial(_refuting, row, curve)
            doubtful = (d for d in _ends(curve) if curve.refined or sign_at(curve, d) <= 0)
            found = next((pair for d in doubtful if (pair := refutes(d))), None) or is_nonnegative(curve, refutes)
            if isinstance(found, tuple):
                return RowDecision(boxes=pieces, refuted=found)
            pieces += found.pieces
            if found.left is not None:
                break
        else:
            return RowDecision(f"{why}; {reduction.why}" if needed else reduction.why, pieces)
    return None


def _refuting(row: Expression, curve: Curve, d: Fraction) -> Pair | None:
    """One of the curve's pairs where the slack is negative."""
    return next((pair for pair in curve.pairs(d) if is_negative(row, pair)), None)


def _ends(curve: Curve) -> Iterator[Fraction]:
    """Near the ends of the curve, and some between."""
    width = curve.high - curve.low
    for k in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128):
        yield curve.low + width / 2**k
        yield curve.high - width / 2**k


def _suffices(row: Expression) -> tuple[str, Expression | None]:
    """Why binary pairs suffice, and for which inequality, equivalent to row ≥ 0; None where that is not seen."""
    others = {leaf for leaf in row.leaves() if leaf.value != TV}
    if all(direction(row, leaf) in (0, 1) for leaf in others):
        return "merging actions keeps total variation and lowers what the slack increases with", row
    for one in compared(row):
        if defined(one) and is_concave(one):
            return "the region is convex", one
    return (
        "the region where it holds is not seen to be convex, nor the slack to increase with all but total variation",
        None,
    )


def _left(found: Covered) -> str:
    if found.left is None:
        return f"not decided after {found.boxes} pieces, near new/old = 0 or infinity"
    c, d = (float(fraction((side.low + side.high) / 2)) for side in (found.left.c, found.left.d))
    p, q = c * (1 - d), c + (1 - c) * d
    return f"not decided after {found.boxes} boxes, near old = ({p:.3g}, {1 - p:.3g}), new = ({q:.3g}, {1 - q:.3g})"


def binary_instance(pair: tuple[Fraction, Fraction], gamma: Fraction) -> ExactInstance:
    """One state with two actions, of which old takes the first with probability p, new with q."""
    p, q = pair
    return ExactInstance(
        transition=[[[1], [1]]], reward=[[0, 0]], gamma=gamma, initial=[1], old=[[p, 1 - p]], new=[[q, 1 - q]]
    )
