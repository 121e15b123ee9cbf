"""Both ends of h(0), the small-radius constant of the sharp gap, proved in exact rationals: docs/theory.md, "Small radii".

With T the right-hand side of h(y) = sup { E[|y| ξ A + γ h(y + ξ)] : E ξ = 0, E ξ² ≤ 1, E A = 0, A = ±1 } and s = 1/(1 − γ):

From above. W ≥ 0 is even, convex and piecewise linear, of slope s beyond the last node. Proved is, at each node y ≥ 0,
    |y| ξ A + γ W(y + ξ) + λ (1 − ξ²) − μ ξ − ν A ≤ W(y)      for A = ±1 and every ξ,
so that (T W)(y) ≤ W(y) there, and at −y by symmetry. T W is convex, as in `prove_upper`: it is below W between nodes. With
W(z) ≤ s |z| + C, (T W)(y) ≤ |y| + γ (s (|y| + 1) + C), and 1 + γ s = s: the convex T W rises no faster than s beyond the last
node, as W does. So T W ≤ W, and h_k = Tᵏ 0 ≤ Tᵏ W ≤ W.

From below. Laws lead from node to node; their masses solve the four constraints exactly. At a node without one h ≥ s |y|, by
ξ = A = ±1 in every step. With u = r + γ P u at the nodes up to a residual, h ≥ T h gives h ≥ u − max(u − r − γ P u)/(1 − γ).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from trpo_theory.entries.sparse import sp
from trpo_theory.errors import NotSolved
from trpo_theory.numerics.ball.raw import fmpq, fmpq_mat, fraction, raw
from trpo_theory.sharp.inequality import Ahead, Blocks, Piecewise, Place
from trpo_theory.sharp.small_radii import SQUARE, EvenSupersolution, NodeLaws

_ONE, _ZERO = fmpq(1), fmpq(0)


class _Around(Ahead):
    """γ W(y + l − 1) as a function of l, on one side of 0."""

    def __init__(self, blocks: Blocks, y: Any, side: int) -> None:
        self._blocks, self._y, self._side = blocks, y, side
        self.first = list(blocks.first)

    def line(self, block: tuple[int, int | None]) -> tuple[Any, Any]:
        """Slope and offset."""
        slope, offset = self._blocks.line(block)
        return self._side * slope, offset + self._side * slope * (self._y - 1)

    def halves(self, block: tuple[int, int | None]) -> list[tuple[int, int | None]]:
        """Both halves of a block."""
        return self._blocks.halves(block)


def proved_above(found: EvenSupersolution) -> Fraction:
    """h(0) is at most this.

    Raises:
        NotSolved: if an inequality is not proved.
    """
    gamma = raw(found.gamma)
    y, w, multiplier, mu, nu = (
        [raw(Fraction(float(entry))) for entry in part]
        for part in (found.nodes, found.w, found.multiplier, found.mu, found.nu)
    )
    lines = Piecewise(gamma, y, w, 1 / (1 - gamma), is_convex=True)
    if y[0] != 0 or min(w) < 0 or min(multiplier) < 0 or any(a >= b for a, b in pairwise(y)):
        raise NotSolved(
            "got numbers of no supersolution; wanted 0 = y_0 < y_1 < ... and w, lambda >= 0; fix: correct them"
        )
    slopes = [_ZERO, *((w[k + 1] - w[k]) / (y[k + 1] - y[k]) for k in range(len(y) - 1)), lines.slope]
    if any(a > b for a, b in pairwise(slopes)):
        raise NotSolved(
            "got no even, convex function of slopes up to 1/(1 - gamma); wanted one; fix: use other nodes (width=)"
        )
    blocks = Blocks(lines)
    for i, left in enumerate(w):
        for sign in (1, -1):
            reward = y[i] * sign
            level = multiplier[i] + mu[i] - reward - nu[i] * sign
            for side in (1, -1):
                around = _Around(blocks, y[i], side)
                name = f"y = {float(fraction(y[i])):.6g}"
                place = Place(name, sign, SQUARE, multiplier[i], left, around, _ONE, reward - mu[i], level)
                if place.check()[1]:
                    raise NotSolved(
                        f"got a supersolution of small radii whose inequality is not proved at {name}; wanted all proved; "
                        "fix: use other nodes (width=)"
                    )
    return fraction(w[0])


def proved_below(laws: NodeLaws) -> Fraction:
    """h(0) is at least this."""
    gamma = raw(laws.gamma)
    y = [raw(Fraction(float(entry))) for entry in laws.positions]
    slope = 1 / (1 - gamma)
    rows = [_law(y, i, laws) for i in range(len(y))]
    earned = [abs(at) * slope if row is None else abs(at) * row[1] for at, row in zip(y, rows, strict=True)]
    value = _value(float(laws.gamma), rows, earned)
    short = _ZERO
    for v, row, r in zip(value, rows, earned, strict=True):
        ahead = _ZERO if row is None else sum((p * value[j] for j, p in row[0].items()), _ZERO)
        short = max(short, v - r - gamma * ahead)
    return fraction(value[y.index(_ZERO)] - short * slope)


def _law(y: list[Any], i: int, laws: NodeLaws) -> tuple[dict[int, Any], Any] | None:
    """Masses by target, and E ξ A; None where the atoms allow no law."""
    if laws.frozen[i]:
        return None
    targets, signs = [int(j) for j in laws.target[i]], [int(a) for a in laws.sign[i]]
    steps = [y[j] - y[i] for j in targets]
    matrix = fmpq_mat(4, 4, [_ONE] * 4 + steps + [fmpq(a) for a in signs] + [step * step for step in steps])
    try:
        masses = [one[0] for one in matrix.solve(fmpq_mat(4, 1, [_ONE, _ZERO, _ZERO, _ONE])).tolist()]
    except ZeroDivisionError:
        return None
    if min(masses) < 0 or max(map(abs, signs)) > 1:
        return None
    row: dict[int, Any] = {}
    for j, p in zip(targets, masses, strict=True):
        row[j] = row.get(j, _ZERO) + p
    return row, sum((p * step * a for p, step, a in zip(masses, steps, signs, strict=True)), _ZERO)


def _value(gamma: float, rows: list[tuple[dict[int, Any], Any] | None], earned: list[Any]) -> list[Any]:
    """The solution of u = r + γ P u in floats, as rationals."""
    from scipy.sparse.linalg import spsolve

    entries = [(i, j, float(fraction(p))) for i, row in enumerate(rows) if row for j, p in row[0].items()]
    left, right, masses = zip(*entries, strict=True) if entries else ((), (), ())
    matrix = sp.eye_array(len(rows)) - gamma * sp.coo_array((masses, (left, right)), shape=(len(rows),) * 2)
    found = np.asarray(spsolve(matrix.tocsc(), np.array([float(fraction(r)) for r in earned])))
    return [raw(Fraction(float(v))) for v in found]
