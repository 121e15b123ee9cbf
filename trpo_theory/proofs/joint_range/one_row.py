"""From a claim on all states to one on a single row: the state, or the mean over states, that decides."""

from __future__ import annotations

from trpo_theory.proofs.joint_range.expression import Expression
from trpo_theory.proofs.joint_range.shape import direction

_LARGEST, _LEAST = ("max", "max_s"), ("min_s",)


class NotOneRow(ValueError):
    """Why a claim is not about one row."""


def one_row(slack: Expression) -> Expression:
    """The slack of one row that is ≥ 0 for all rows exactly if the slack of all states is ≥ 0 for all pairs of policies.

    An anchor is fixed: the state of an entry, or the mean row (divergences of a mean under d_old are those of a pair of rows,
    too: docs/theory.md), or else the state in which one maximum is attained. The slack does not fall with any other maximum over
    states, so that it is at least the anchor's. With one state all are the same.

    Raises:
        NotOneRow: where that cannot be said.
    """
    leaves = set(slack.leaves())
    kinds = {_kind(leaf) for leaf in leaves}
    if {"state", "mean"} <= kinds:
        raise NotOneRow("it compares a mean over states with single states")
    wrong = []
    for leaf in leaves:
        kind, sign = _kind(leaf), direction(slack, leaf)
        if (kind in _LARGEST and sign not in (0, 1)) or (kind in _LEAST and sign not in (0, -1)):
            wrong.append(leaf)
    if len(wrong) > (0 if kinds & {"state", "mean"} else 1):
        raise NotOneRow("maxima over states that different states attain may be compared")
    for leaf in leaves:
        slack = slack.replaced(leaf, _of_row(leaf))
    return slack


def _kind(leaf: Expression) -> str:
    return leaf.over if leaf.op == "field" else leaf.op


def _of_row(leaf: Expression) -> Expression:
    """A field of the row; what is reduced over states, of one state."""
    if leaf.op == "field":
        return Expression("field", value=leaf.value, over="row")
    (inner,) = leaf.args
    if any(_kind(one) != "state" for one in inner.leaves()):
        raise NotOneRow("a reduction over states within another")
    for one in set(inner.leaves()):
        inner = inner.replaced(one, _of_row(one))
    return inner
