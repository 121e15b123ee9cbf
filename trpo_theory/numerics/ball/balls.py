"""`Balls`: the arithmetic of proofs, exact rationals and rigorous intervals, for one instance.

Arrays are object arrays of `Ball`, S axis 0, A axis 1. Each function has the formula of its namesake in `divergence` or
`resolvent`, in its plainest form: rationals do not round, and enclosures that are too wide are recomputed with more bits.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from flint import arb, arb_mat, fmpq

from trpo_theory.errors import InvalidInput
from trpo_theory.numerics.arithmetic import Array, Policy, Resolvent
from trpo_theory.numerics.ball import operations as op
from trpo_theory.numerics.ball import raw as r
from trpo_theory.numerics.ball.arrays import BallArray, balls, elementwise, plain
from trpo_theory.numerics.ball.number import Ball, larger, smaller
from trpo_theory.numerics.ball.resolvent import BallResolvent, array_of, chain_of, matrix_of, product_of
from trpo_theory.numerics.ball.row_distance import furthest

_LONG_BITS = 1024
"""Rationals longer than this are enclosed in a recursion. Chosen: an equality of a few steps is still decided exactly."""


class Balls:
    """Exact rationals, and balls where roots and logarithms enter."""

    name = "balls"
    stack: staticmethod[..., Array] = staticmethod(np.stack)
    sqrt: staticmethod[[Array], Array] = staticmethod(elementwise(Ball.sqrt, 1))
    log: staticmethod[[Array], Array] = staticmethod(elementwise(Ball.log, 1))
    exp: staticmethod[[Array], Array] = staticmethod(elementwise(Ball.exp, 1))
    minimum: staticmethod[[Array, Array], Array] = staticmethod(elementwise(smaller, 2))
    maximum: staticmethod[[Array, Array], Array] = staticmethod(elementwise(larger, 2))
    nan_to_inf: staticmethod[[Array], Array] = staticmethod(
        elementwise(lambda x: Ball(np.inf) if x.is_nothing else x, 1)
    )

    @staticmethod
    def where(condition: Array, x: Array, y: Array) -> Array:
        """x where the condition holds, else y."""
        return balls(np.where(np.asarray(condition, dtype=bool), plain(x), plain(y)))

    @staticmethod
    def close(x: Array, y: Array) -> Array:
        """Whether x = y, exactly.

        Raises:
            Undecided: for enclosures that overlap.
        """
        return np.equal(plain(x), plain(y))

    @staticmethod
    def kl_div(p: Array, q: Array) -> Array:
        """The term p log(p/q) − p + q of the generalised KL, elementwise: q where p = 0, ∞ where p > 0 = q."""
        return _KL_DIV(p, q)

    @staticmethod
    def chi2(p: Array, q: Array, *, axis: int = -1) -> Array:
        """χ²(p‖q) = Σ (p − q)²/q: ∞ where p > 0 = q."""
        return Balls.sum(_CHI2(p, q), axis)

    @staticmethod
    def jensen_shannon(p: Array, q: Array, *, axis: int = -1) -> Array:
        """½ KL(p‖m) + ½ KL(q‖m), m = (p + q)/2."""
        p, q = balls(p), balls(q)
        middle = (p + q) / 2
        return Balls.sum(Balls.kl_div(p, middle) + Balls.kl_div(q, middle), axis) / 2

    @staticmethod
    def hellinger2(p: Array, q: Array, *, axis: int = -1) -> Array:
        """H²(p, q) = ½ Σ (√p − √q)²."""
        return Balls.sum(_HELLINGER2(p, q), axis)

    @staticmethod
    def renyi(p: Array, q: Array, order: float | Fraction, *, axis: int = -1) -> Array:
        """D_a(p‖q) = log(Σ p^a q^(1−a)) / (a − 1), 0.01 ≤ a ≤ 0.99 as in floats; ∞ for disjoint rows.

        Raises:
            InvalidInput: for another order.
        """
        a = Ball(order)
        if not (a >= 0.01 and a <= 0.99):
            raise InvalidInput(got=f"order = {order}", wanted="0.01 <= order <= 0.99", fix="use kl for order 1")
        return Balls.log(Balls.sum(_AFFINITY(p, q, a), axis)) / (a - 1)

    @staticmethod
    def polylog(order: float | Fraction, x: Array) -> Array:
        """Li_order(x) = Σ_{k≥1} xᵏ / k^order, 0 ≤ x < 1: exact at x = 0 and for the orders 0 and −1.

        Raises:
            InvalidInput: for x outside [0, 1).
        """
        return _POLYLOG(order, x)

    @staticmethod
    def identity(n: int) -> Array:
        """The unit matrix."""
        return balls(np.eye(n))

    @staticmethod
    def sum(x: Array, axis: int, where: Array | None = None) -> Array:
        """Σ along an axis, over the entries where `where` is true."""
        x = balls(x) if where is None else Balls.where(where, x, 0)
        return _sum(plain(x), axis)

    @staticmethod
    def max(x: Array, axis: int, where: Array | None = None) -> Array:
        """The largest along an axis, over the entries where `where` is true; −∞ where it never is."""
        x = balls(x) if where is None else Balls.where(where, x, -np.inf)
        return np.maximum.reduce(x, axis=axis)

    def row_distance(self, matrix: Array) -> Array:
        """max_{s,t} Σ_u |M(s,u) − M(t,u)|, of the pairs that floats leave open."""
        one, other = furthest(plain(matrix))
        return self.max(self.sum(abs(matrix[one] - matrix[other]), 1), 0)

    def resolvent(self, transition: Array, policy: Policy, gamma: Array) -> Resolvent:
        """(I − γ P_π)⁻¹."""
        return BallResolvent(transition, policy, gamma)

    def expect(self, transition: Array, value: Array) -> Array:
        """Σ_s' P(s'|s,a) value(s'), shape (S, A)."""
        transition = plain(transition)
        rows = transition.reshape(-1, transition.shape[-1])
        return product_of(rows, plain(value)).reshape(transition.shape[:-1])

    def push(self, transition: Array, weight: Array) -> Array:
        """Σ_s,a weight(s,a) P(s'|s,a), shape (S',)."""
        transition = plain(transition)
        return product_of(transition.reshape(-1, transition.shape[-1]).T, plain(weight).ravel())

    def laws(self, transition: Array, policy: Policy, start: Array, steps: int) -> Array:
        """The laws of s_0, ..., s_{steps−1}, (steps, S), in balls once they have become long rationals."""
        chain, laws = matrix_of(chain_of(transition, policy)), [balls(start)]
        for _ in range(steps - 1):
            law = matrix_of(plain(self.enclosed(laws[-1]))[None])
            if isinstance(law, arb_mat) or isinstance(chain, arb_mat):
                law, chain = arb_mat(law), arb_mat(chain)
            laws.append(array_of(law * chain, (len(start),)))
        return np.stack(laws).view(BallArray)

    def moments(self, laws: Array, f: Array) -> tuple[Array, Array]:
        """Σ p f and Σ p (f − mean)²; f and 0 where f is the same wherever p is not 0."""
        found = [_moments(law, plain(f)) for law in plain(laws)]
        return balls([mean for mean, _ in found]), balls([variance for _, variance in found])

    def neumann_sum(self, transition: Array, weight: Array, b: Array) -> Array:
        """Σ_n Mⁿ b, ∞ where the solution of x = b + Mx is not ≥ 0.

        Raises:
            Undecided: where enclosures leave that open.
        """
        chain, b = chain_of(transition, weight), plain(b)
        for s, row in enumerate(chain):
            if b[s] == 0 and all(entry == 0 for t, entry in enumerate(row) if t != s):
                chain[s] = 0 * row  # what is never left adds nothing: 0 + 0 + ...
        try:
            x = BallResolvent.of_matrix(balls(np.eye(len(b))) - chain).solve(b)
        except ZeroDivisionError:
            return balls(np.full(len(b), np.inf))
        return x if all(entry >= 0 for entry in plain(x)) else balls(np.full(len(b), np.inf))

    def chain_chi2(self, transition: Array, new: Policy, old: Policy) -> Array:
        """χ²(P_new(·|s) ‖ P_old(·|s))."""
        return Balls.chi2(chain_of(transition, new), chain_of(transition, old), axis=1)

    enclosed: staticmethod[[Array], Array] = staticmethod(
        elementwise(lambda x: Ball(arb(x.raw)) if x.is_exact and x.raw.height_bits() > _LONG_BITS else x, 1)
    )

    @staticmethod
    def nearest_floats(x: Array) -> Array:
        """The middles."""
        entries = plain(x)
        return np.array([entry.midpoint for entry in entries.ravel()]).reshape(entries.shape)


def _sum(x: np.ndarray, axis: int) -> Array:
    """Σ along an axis, of the numbers under the balls where all are finite: in the same order, at a tenth of the cost."""
    turned = np.moveaxis(x, axis, -1)
    entries, terms = [entry.raw for entry in turned.flat], turned.shape[-1]
    if not entries or any(type(entry) is float or type(entry) is r.Undefined for entry in entries):
        return balls(np.add.reduce(x.view(BallArray), axis=axis))
    out = np.empty(turned.shape[:-1], dtype=object)
    out.ravel()[:] = [
        Ball.of(sum(entries[start + 1 : start + terms], entries[start])) for start in range(0, len(entries), terms)
    ]
    return balls(out)


def _moments(law: np.ndarray, f: np.ndarray) -> tuple[Ball, Ball]:
    weighted = [(p, x) for p, x in zip(law, f, strict=True) if not (p.is_exact and p == 0)]
    first = weighted[0][1]
    if first.is_exact and all(x.is_exact and x == first for _, x in weighted):
        return first, Ball(0)
    _, likeliest = max(weighted, key=lambda one: one[0].midpoint)
    # of f less its value there, whose mean is as small as what is rare: a variance known to its last digit, and not about 0
    less = [(p, Ball(0) if x is likeliest else x - likeliest) for p, x in weighted]
    mean = sum((p * x for p, x in less), Ball(0))
    return likeliest + mean, abs(sum((p * (x - mean) ** 2 for p, x in less), Ball(0)))


def _kl_div(p: Ball, q: Ball) -> Ball:
    """The term p log(p/q) − p + q, never negative: q where p = 0, ∞ where p > 0 = q, exactly 0 where p = q."""
    a, b = p.raw, q.raw
    if type(a) is fmpq:
        if a == 0:
            return q
        if type(b) is fmpq and a == b:
            return Ball(0)
    term = p * (p / q).log() - p + q
    return Ball(r.nonnegative(term.raw)) if type(term.raw) is arb and a > 0 else term


def _chi2_term(p: Ball, q: Ball) -> Ball:
    difference = p - q
    return difference if difference.raw == 0 else difference**2 / q


def _hellinger2_term(p: Ball, q: Ball) -> Ball:
    """½ (√p − √q)² = (p + q)/2 − √(pq)."""
    if p.is_exact and q.is_exact and p.raw == q.raw:
        return Ball(0)
    return (p + q) / 2 - (p * q).sqrt()


def _affinity_term(p: Ball, q: Ball, order: Ball) -> Ball:
    """p^a q^(1−a)."""
    if p.is_exact and q.is_exact and p.raw == q.raw:
        return p
    return p**order * q ** (1 - order)


def _polylog(order: Ball, x: Ball) -> Ball:
    if not (x >= 0 and x < 1):
        raise InvalidInput(got=f"x = {x!r}", wanted="0 <= x < 1, as a discount", fix="check gamma")
    return Ball(op.polylog(order.raw, x.raw))


_KL_DIV, _CHI2, _HELLINGER2 = (elementwise(term, 2) for term in (_kl_div, _chi2_term, _hellinger2_term))
_AFFINITY, _POLYLOG = elementwise(_affinity_term, 3), elementwise(_polylog, 2)
