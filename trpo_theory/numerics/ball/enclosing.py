"""`EnclosingBalls`: balls that never hold a long rational, for chains of many states or of numbers with many digits.

Data stay exact, so that what is 0, 1 or equal among them is; what is summed over states, and every solution of a linear system,
is enclosed at the precision in force: at 192 bits a system of 64 states is a hundredth of the work of its exact solution, whose
denominators have thousands of digits. A comparison of numbers that are equal stays open here: `Balls` decides it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flint
import numpy as np
from flint import arb, arb_mat, fmpq

from trpo_theory.numerics.arithmetic import Array, Policy, Resolvent
from trpo_theory.numerics.ball import raw as r
from trpo_theory.numerics.ball.arrays import BallArray, balls, plain
from trpo_theory.numerics.ball.balls import Balls
from trpo_theory.numerics.ball.number import Ball
from trpo_theory.numerics.ball.resolvent import BallResolvent
from trpo_theory.numerics.ball.solver import EnclosedSolver

_SHORT_BITS = 256
"""Rationals up to this length stay exact in sums. Chosen: a probability over its row's sum has 106, and a policy's mean of
rewards some 250."""
_POWERS = 64
"""Steps of the power method. Chosen: a vector that it does not find is not needed, as the system is then solved."""
_SMALLEST_WEIGHT = 1e-9
"""Of a state in that vector, whose weights sum to 1. Chosen."""


class EnclosingBalls(Balls):
    """Exact data, and enclosures of what is summed over states or solved for."""

    name = "enclosing balls"

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def _chain(self, transition: Array, policy: Policy) -> arb_mat:
        """P_π, (S, S)."""
        key = (flint.ctx.prec, id(transition), id(policy))
        if key not in self._known:
            self._known[key] = self._weighted(transition, policy), transition, policy
        return self._known[key][0]

    def _weighted(self, transition: Array, weight: Array) -> arb_mat:
        """Σ_a weight(s,a) P(s'|s,a), (S, S')."""
        states = len(weight)
        return arb_mat(states, states, [x for row in self._moved(transition, weight) for x in row.entries()])

    def _moved(self, transition: Array, weight: Array) -> Iterator[arb_mat]:
        """The rows of that, (1, S') each."""
        actions, weights = weight.shape[1], raws(plain(weight))
        for s, moves in enumerate(self._blocks(transition)):
            yield arb_mat(1, actions, weights[s * actions : (s + 1) * actions]) * moves

    def _blocks(self, transition: Array) -> list[arb_mat]:
        """P(·|s,·) of each state, (A, S)."""
        key = (flint.ctx.prec, id(transition))
        if key not in self._known:
            blocks = [arb_mat(len(moves), len(moves[0]), raws(moves)) for moves in plain(transition)]
            self._known[key] = blocks, transition  # which is kept, so that no other array gets its id
        return self._known[key][0]

    @staticmethod
    def sum(x: Array, axis: int, where: Array | None = None) -> Array:
        """Σ along an axis, over the entries where `where` is true: long rationals are enclosed."""
        return _shortened(Balls.sum(x, axis, where))

    def resolvent(self, transition: Array, policy: Policy, gamma: Array) -> Resolvent:
        """(I − γ P_π)⁻¹, by verified solutions."""
        if _has_floats(policy):
            return BallResolvent(transition, policy, gamma)
        return EnclosedResolvent(self._chain(transition, policy), Ball(gamma))

    def expect(self, transition: Array, value: Array) -> Array:
        """Σ_s' P(s'|s,a) value(s'), shape (S, A)."""
        entries = raws(plain(value))
        if _any_float(entries):
            return super().expect(transition, value)
        column = arb_mat(len(entries), 1, entries)
        found = [x for moves in self._blocks(transition) for x in (moves * column).entries()]
        return wrapped(found, transition.shape[:-1])

    def push(self, transition: Array, weight: Array) -> Array:
        """Σ_s,a weight(s,a) P(s'|s,a), shape (S',)."""
        entries = raws(plain(weight))
        if _any_float(entries):
            return super().push(transition, weight)
        rows = self._moved(transition, weight)
        return wrapped(sum(rows, next(rows)).entries(), transition.shape[-1:])

    def laws(self, transition: Array, policy: Policy, start: Array, steps: int) -> Array:
        """The laws of s_0, ..., s_{steps−1}, (steps, S)."""
        turned, laws = self._chain(transition, policy).transpose(), [balls(start)]  # whose rows are read in turn
        law = arb_mat(len(start), 1, raws(plain(start)))
        for _ in range(steps - 1):
            law = turned * law
            laws.append(wrapped(law.entries(), (len(start),)))
        return np.stack(laws).view(BallArray)

    def moments(self, laws: Array, f: Array) -> tuple[Array, Array]:
        """Σ p f and Σ p (f − mean)²; f and 0 where f is the same wherever p is not 0.

        Of the laws that have several states, as Σ p (f − c)² − (Σ p (f − c))² about one c for all.
        """
        weights, entries = self._weights(laws), raws(plain(f))
        if weights is None or _any_float(entries):
            return super().moments(laws, f)
        matrix, support = weights
        spread = support.sum(1) > 1
        if all(type(x) is fmpq for x in entries):
            number: dict[Any, int] = {}
            kinds = np.array([number.setdefault(x, len(number)) for x in entries])
            spread &= [bool((kinds[row] != kinds[row][0]).any()) for row in support]
        mean, variance = np.empty(len(laws), dtype=object), np.empty(len(laws), dtype=object)
        for t in np.flatnonzero(~spread):
            mean[t], variance[t] = map(Ball, (one[0] for one in super().moments(laws[t : t + 1], f)))
        if spread.any():
            middle = entries[int(np.argmax(support[spread].sum(0)))]
            less = [arb(x - middle) for x in entries]
            columns = arb_mat(len(less), 2, [y for x in less for y in (x, x * x)])
            first = matrix * columns
            for t in map(int, np.flatnonzero(spread)):
                shift, square = first[t, 0], first[t, 1]
                mean[t] = Ball(shift + middle)
                variance[t] = Ball(r.nonnegative(square - shift * shift))
        return balls(mean), balls(variance)

    def _weights(self, laws: Array) -> tuple[arb_mat, np.ndarray] | None:
        """Laws as a matrix (T, S), kept for the many functions whose moments are taken, and where they are not 0 itself.

        None for infinities.
        """
        key = (flint.ctx.prec, laws.__array_interface__["data"], laws.shape, laws.strides)
        if key not in self._known:
            numbers = raws(plain(laws))
            if _any_float(numbers):
                return None
            support = np.array([type(x) is arb or x != 0 for x in numbers]).reshape(laws.shape)
            self._known[key] = arb_mat(len(laws), len(laws[0]), numbers), support, laws
        return self._known[key][:2]

    def neumann_sum(self, transition: Array, weight: Array, b: Array) -> Array:
        """Σ_n Mⁿ b, ∞ where the solution of x = b + Mx is not ≥ 0.

        Raises:
            Undecided: where enclosures leave that open.
        """
        if _has_floats(weight) or _has_floats(b):
            return super().neumann_sum(transition, weight, b)
        b, size = plain(b), len(b)
        chain, resolvent = self._series(transition, weight, tuple(s for s in range(size) if _is_zero(b[s].raw)))
        if not resolvent.is_convergent and _diverges(chain, raws(b)):
            return balls(np.full(size, np.inf))
        x = plain(resolvent.solve(b))
        return balls(x if all(entry >= 0 for entry in x) else np.full(size, np.inf))

    def _series(self, transition: Array, weight: Array, zero: tuple[int, ...]) -> tuple[arb_mat, EnclosedResolvent]:
        """M and (I − M)⁻¹ for b that is 0 in some states: what is never left there adds nothing, 0 + 0 + ...

        Kept by the weights themselves, as many sums over time have the same.
        """
        key = (flint.ctx.prec, id(transition), zero, *map(_digits, raws(plain(weight))))
        if key not in self._known:
            chain = self._weighted(transition, weight)
            for s in zero:
                if all(chain[s, t].is_zero() for t in range(len(weight)) if t != s):
                    chain[s, s] = 0
            self._known[key] = chain, EnclosedResolvent(chain, Ball(1)), transition
        return self._known[key][:2]

    def chain_chi2(self, transition: Array, new: Policy, old: Policy) -> Array:
        """χ²(P_new(·|s) ‖ P_old(·|s)), of the difference (new − old) P, which is 0 where the policies agree."""
        change = self._weighted(transition, balls(new) - balls(old)).entries()
        base = self._chain(transition, old).entries()
        terms = wrapped([_chi2_term(x, q) for x, q in zip(change, base, strict=True)], (len(old), len(old)))
        return self.sum(terms, 1)


class EnclosedResolvent(BallResolvent):
    """(I − κ K_π)⁻¹ of a chain in balls, by verified solutions."""

    def __init__(self, chain: arb_mat, gamma: Ball) -> None:
        matrix = -(chain * arb(gamma.raw))
        for s in range(chain.nrows()):
            matrix[s, s] += 1
        self._matrix, self._exact = matrix, False
        self._solver = EnclosedSolver(matrix)

    @property
    def is_convergent(self) -> bool:
        """Whether K_π ≥ 0 is proved to have a Neumann series that converges."""
        return self._solver.is_convergent

    def solve(self, b: Array) -> Array:
        """The x with x = b + κ K_π x."""
        return super().solve(b) if _has_floats(b) else self._of(self._solver.solve, b)

    def solve_transposed(self, b: Array) -> Array:
        """The y with y = b + κ K_πᵀ y."""
        return super().solve_transposed(b) if _has_floats(b) else self._of(self._solver.solve_transposed, b)

    def inverse(self) -> Array:
        """(I − κ K_π)⁻¹, (S, S)."""
        rows = self._solver.inverse()
        return wrapped([x for row in rows for x in row], (len(rows), len(rows)))

    @staticmethod
    def _of(solve: Any, b: Array) -> Array:
        entries = [arb(x) for x in raws(plain(b))]
        return wrapped(solve(entries), (len(entries),))


def raws(array: np.ndarray) -> list[Any]:
    """The numbers under the entries of a bare array of balls."""
    return [entry.raw for entry in array.ravel()]


def wrapped(entries: list[Any], shape: tuple[int, ...]) -> Array:
    """Numbers as an array of balls."""
    out = np.empty(len(entries), dtype=object)
    out[:] = [x if type(x) is Ball else Ball.of(x) for x in entries]
    return out.reshape(shape).view(BallArray)


def _diverges(chain: arb_mat, b: list[Any]) -> bool:
    """Whether Σ_n Mⁿ b is proved to diverge for M, b ≥ 0: by v ≥ 0 with vᵀM ≥ vᵀ and v·b > 0, found by the power method."""
    size = chain.nrows()
    matrix = np.array(list(map(float, chain.entries()))).reshape(size, size)
    v = np.full(size, 1 / size)
    for _ in range(_POWERS):
        v = v @ matrix
        total = v.sum()
        if not 0 < total < np.inf:
            return False
        v = v / total
    v = np.where(v > _SMALLEST_WEIGHT, v, 0.0)
    weights = list(map(arb, v.tolist()))
    moved = (arb_mat(1, size, weights) * chain).entries()
    grows = all(after >= before for before, after in zip(weights, moved, strict=True) if before > 0)
    return grows and bool(sum((w * x for w, x in zip(weights, b, strict=True)), arb(0)) > 0)


def _chi2_term(change: arb, q: arb) -> Any:
    if change.is_zero():
        return fmpq(0)
    return change * change / q if not q.is_zero() else Ball(np.inf)


def _shortened(x: Array) -> Array:
    if isinstance(x, np.ndarray):
        return Balls.enclosed(x) if x.size == 0 else wrapped([_short(entry) for entry in plain(x).ravel()], x.shape)
    return _short(x)


def _short(x: Ball) -> Ball:
    return Ball(arb(x.raw)) if x.is_exact and x.raw.height_bits() > _SHORT_BITS else x


def _any_float(entries: list[Any]) -> bool:
    return not set(map(type, entries)) <= {arb, fmpq}


def _has_floats(x: Array) -> bool:
    return _any_float(raws(plain(x)))


def _digits(x: Any) -> Any:
    """What two numbers have in common only if they are the same rational, or the same ball."""
    return (x.mid().man_exp(), x.rad().man_exp()) if type(x) is arb else x


def _is_zero(x: Any) -> bool:
    return type(x) is fmpq and x == 0
