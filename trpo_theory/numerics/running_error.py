"""`RunningError`: the arithmetic of float64 with running error bounds, for a batch: how much of a result is rounding.

The error of a solve x = b + γPx is bounded by the resolvent, which is non-negative, applied to the residual that x may have:
|x − x*| ≤ (I − γP)⁻¹ |b + γPx − x|, the residual with the errors of b, γ and P, and with its own rounding. Bounds are of first
order and not rigorous: ball arithmetic proves, this sorts.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from trpo_theory.numerics import divergence
from trpo_theory.numerics import polylog as special
from trpo_theory.numerics import resolvent as linear
from trpo_theory.numerics.arithmetic import Array, Policy, Resolvent
from trpo_theory.numerics.error_array import ErrorArray, parts
from trpo_theory.numerics.error_rules import UNIT
from trpo_theory.numerics.floats import Floats

_KL_ROUNDING = 16 * UNIT
"""Relative, of a term of a divergence: a quotient, a series or a logarithm, and sums of a few. Derived, with room."""
_POLYLOG_ROUNDING = 1e-14
"""Relative: the accuracy that `numerics.polylog` states."""


def with_errors(x: Array, error: Array = 0.0) -> ErrorArray:
    """Floats as an array with error bounds."""
    return x if isinstance(x, ErrorArray) else ErrorArray(x, error)


class RunningError(Floats):
    """float64 with error bounds. Its arrays are `ErrorArray`s; plain arrays of floats count as exact."""

    name = "float64 with running error bounds"

    @staticmethod
    def plain(x: Array) -> Array:
        """The values alone."""
        return parts(x)[0]

    sqrt: staticmethod[[Array], Array] = staticmethod(lambda x: np.sqrt(with_errors(*parts(x))))
    log: staticmethod[[Array], Array] = staticmethod(lambda x: np.log(with_errors(*parts(x))))
    exp: staticmethod[[Array], Array] = staticmethod(lambda x: np.exp(with_errors(*parts(x))))
    minimum: staticmethod[[Array, Array], Array] = staticmethod(lambda x, y: np.minimum(with_errors(*parts(x)), y))
    maximum: staticmethod[[Array, Array], Array] = staticmethod(lambda x, y: np.maximum(with_errors(*parts(x)), y))

    @staticmethod
    def where(condition: Array, x: Array, y: Array) -> Array:
        """x where the condition holds, else y."""
        (x, x_error), (y, y_error), (chosen, _) = parts(x), parts(y), parts(condition)
        return ErrorArray(np.where(chosen, x, y), np.where(chosen, x_error, y_error))

    @staticmethod
    def nan_to_inf(x: Array) -> Array:
        """∞ where x is nan."""
        value, error = parts(x)
        nothing = np.isnan(value)
        return ErrorArray(np.where(nothing, np.inf, value), np.where(nothing, 0.0, error))

    @staticmethod
    def close(x: Array, y: Array) -> Array:
        """As in floats."""
        return Floats.close(parts(x)[0], parts(y)[0])

    @staticmethod
    def sum(x: Array, axis: int, where: Array | None = None) -> Array:
        """Σ along an axis."""
        return with_errors(*parts(x)).sum(axis) if where is None else RunningError.where(where, x, 0.0).sum(axis)

    @staticmethod
    def max(x: Array, axis: int, where: Array | None = None) -> Array:
        """The largest along an axis."""
        return with_errors(*parts(x)).max(axis) if where is None else RunningError.where(where, x, -np.inf).max(axis)

    @staticmethod
    def polylog(order: float | Fraction, x: Array) -> Array:
        """Li_order(x): its derivative is Li_{order−1}(x)/x."""
        value, error = parts(x)
        found = special.polylog(float(order), value)
        slope = special.polylog(float(order) - 1, value) / np.where(value > 0, value, 1.0)
        return ErrorArray(found, np.where(value > 0, slope, 1.0) * error + _POLYLOG_ROUNDING * np.abs(found))

    @staticmethod
    def kl_div(p: Array, q: Array) -> Array:
        """p log(p/q) − p + q: the derivatives are log(p/q) and 1 − p/q."""
        (p, p_error), (q, q_error) = parts(p), parts(q)
        with np.errstate(all="ignore"):
            value = divergence.kl_div(p, q)
            p_share, q_share = _share(p, p_error), _share(q, q_error)
            ratio = (p - q) / q
            of_p = (np.abs(_log_ratio(p, q)) + p_share) * p_error
            of_q = (np.abs(ratio) + (p / q) * (p_share + q_share)) * q_error
            error = np.where(p_error == 0, 0.0, of_p) + np.where(q_error == 0, 0.0, of_q)
            at_zero = q_error + np.where(p_error == 0, 0.0, p_error * (2 + np.abs(np.log(p_error / q))))
        error = np.where(p == 0, at_zero, error)
        return ErrorArray(value, np.where(np.isinf(value), 0.0, error + _KL_ROUNDING * np.abs(value)))

    @staticmethod
    def chi2(p: Array, q: Array, *, axis: int) -> Array:
        """Σ (p − q)²/q."""
        return _chi2_of_change(with_errors(*parts(p)) - q, q, axis)

    @staticmethod
    def jensen_shannon(p: Array, q: Array, *, axis: int) -> Array:
        """½ Σ p log(p/m) + q log(q/m), whose derivatives are ½ log(p/m) and ½ log(q/m)."""
        p, q = with_errors(*parts(p)), with_errors(*parts(q))
        middle = 0.5 * (p.value + q.value)
        with np.errstate(all="ignore"):
            value = divergence.jensen_shannon(p.value, q.value, axis=axis)
            terms = [
                np.where(x.error == 0, 0.0, (np.abs(_log_ratio(x.value, middle)) + _share(x.value, x.error)) * x.error)
                for x in (p, q)
            ]
        return ErrorArray(value, (0.5 * (terms[0] + terms[1])).sum(axis) + _KL_ROUNDING * np.abs(value))

    @staticmethod
    def hellinger2(p: Array, q: Array, *, axis: int) -> Array:
        """½ Σ ((p − q)/(√p + √q))²."""
        p, q = with_errors(*parts(p)), with_errors(*parts(q))
        roots = np.sqrt(p) + np.sqrt(q)
        return 0.5 * ((p - q) / RunningError.where(roots.value == 0, 1.0, roots)).__pow__(2).sum(axis)

    @staticmethod
    def renyi(p: Array, q: Array, order: float | Fraction, *, axis: int) -> Array:
        """log(Σ p^a q^b)/(−b), b = 1 − a: Σ p^a q^b − a p − b q has the derivatives a ((q/p)^b − 1) and b ((p/q)^a − 1)."""
        (p, p_error), (q, q_error) = parts(p), parts(q)
        a = float(order)
        b = 1 - a
        with np.errstate(all="ignore"):
            value = divergence.renyi(p, q, order, axis=axis)
            affinity = np.exp(-b * value)
            less = np.where(np.expand_dims(affinity, axis) < 0.5, 0.0, 1.0)
            of_p = np.abs((q / p) ** b - less) * p_error + 2 * _share(p, p_error) * p_error
            of_q = np.abs((p / q) ** a - less) * q_error + 2 * _share(q, q_error) * q_error
            moved = np.where(p_error == 0, 0.0, a * of_p) + np.where(q_error == 0, 0.0, b * of_q)
            moved = moved + np.where(
                np.abs(p - q) < 0.25 * p, 0.0, _KL_ROUNDING * (p + q)
            )  # these cancel: p^a q^b − p − b (q − p)
        return ErrorArray(value, moved.sum(axis) / affinity / b + _KL_ROUNDING * np.abs(value))

    @staticmethod
    def stack(arrays: list[Array], axis: int = 0) -> Array:
        """Arrays of one shape along a new axis."""
        pairs = [parts(x) for x in arrays]
        values = [value for value, _ in pairs]
        return ErrorArray(np.stack(values, axis), np.stack([e + 0 * v for v, e in pairs], axis))

    def resolvent(self, transition: Array, policy: Policy, gamma: Array) -> Resolvent:
        """(I − γ P_π)⁻¹."""
        return _Resolvent(policy_chain(transition, policy), with_errors(*parts(gamma)))

    def expect(self, transition: Array, value: Array) -> Array:
        """Σ_s' P(s'|s,a) value(s')."""
        return product("sat...,t...->sa...", transition, value, len(transition))

    def push(self, transition: Array, weight: Array) -> Array:
        """Σ_s,a weight(s,a) P(s'|s,a)."""
        return product("sat...,sa...->t...", transition, weight, weight.shape[0] * weight.shape[1])

    def laws(self, transition: Array, policy: Policy, start: Array, steps: int) -> Array:
        """As in floats: non-negative numbers are summed, so that the error is relative, and grows with t."""
        chain, start = policy_chain(transition, policy), with_errors(*parts(start))
        plain, once = (chain.value[:, None], np.ones((len(chain), 1, *(1,) * (chain.ndim - 2))))
        arguments = plain.transpose(0, 1, *range(2, plain.ndim)), once
        value, error = (super(RunningError, self).laws(*arguments, part, steps) for part in (start.value, start.error))
        with np.errstate(all="ignore"):
            share = np.where(chain.error == 0, 0.0, chain.error / chain.value).max((0, 1))
        times = np.arange(steps).reshape(-1, *(1,) * (value.ndim - 1))
        return ErrorArray(value, error + value * np.expm1(times * (share + (len(chain) + 2) * UNIT)))

    def neumann_sum(self, transition: Array, weight: Array, b: Array) -> Array:
        """Σ_n Mⁿ b; its error is that sum over the residual's."""
        chain, b = policy_chain(transition, weight), with_errors(*parts(b))
        plain = chain.value[:, None], np.ones((len(chain), 1, *(1,) * (chain.ndim - 2)))
        value = super().neumann_sum(*plain, b.value)
        finite = np.isfinite(value)
        residual = _residual(chain, ErrorArray(np.where(finite, value, 0.0)), b)
        error = super().neumann_sum(*plain, np.where(finite, residual, 0.0))
        return ErrorArray(value, np.where(finite, error, 0.0))

    def chain_chi2(self, transition: Array, new: Policy, old: Policy) -> Array:
        """χ²(P_new(·|s) ‖ P_old(·|s)), from the policies' difference."""
        return _chi2_of_change(policy_chain(transition, new - old), policy_chain(transition, old), 1)

    @staticmethod
    def enclosed(x: Array) -> Array:
        """x itself."""
        return x

    def nearest_floats(self, x: Array) -> Array:
        """The values."""
        return np.asarray(parts(x)[0], dtype=np.float64)


def _share(x: np.ndarray, error: Any) -> Any:
    """The relative error, 0 of an exact number, ∞ of one that may be 0."""
    return np.where(error == 0, 0.0, error / np.maximum(x - error, 0.0))


def _log_ratio(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """log(p/q), to its last digits where p is close to q."""
    change = (p - q) / q
    return np.where(np.abs(change) < 0.5, np.log1p(change), np.log(p) - np.log(q))


def _chi2_of_change(change: Array, base: Array, axis: int) -> Array:
    with np.errstate(all="ignore"):
        still = (change.value == 0) & (change.error == 0)
        return RunningError.where(still, 0.0, change * (change / base)).sum(axis)


def product(rule: str, x: Array, y: Array, terms: int) -> ErrorArray:
    """An einsum of two arrays whose entries are sums of so many products."""
    (x, x_error), (y, y_error) = parts(x), parts(y)
    y_size = np.abs(y)
    error = np.einsum(rule, x_error + (terms * UNIT) * np.abs(x), y_size)
    if isinstance(y_error, np.ndarray):
        error = error + np.einsum(rule, np.abs(x) + x_error, y_error)
    return ErrorArray(np.einsum(rule, x, y), error)


def policy_chain(transition: Array, policy: Policy) -> ErrorArray:
    """P_π(s, s') = Σ_a π(a|s) P(s'|s,a)."""
    return product("sat...,sa...->st...", with_errors(*parts(transition)), policy, policy.shape[1])


class _Resolvent:
    """The resolvent of a chain with errors; what it solves has them, too."""

    def __init__(self, chain: ErrorArray, gamma: ErrorArray) -> None:
        self._chain = gamma * chain
        self._solved = linear.resolvent(self._chain.value, 1.0)

    def solve(self, b: Array) -> Array:
        """The x with x = b + γPx."""
        return self._bounded(self._solved.solve, self._chain, with_errors(*parts(b)))

    def solve_transposed(self, b: Array) -> Array:
        """The y with y = b + γPᵀy."""
        axes = (1, 0, *range(2, self._chain.ndim))
        return self._bounded(self._solved.solve_transposed, self._chain.transpose(axes), with_errors(*parts(b)))

    @staticmethod
    def _bounded(solve: Callable[[np.ndarray], np.ndarray], chain: ErrorArray, b: ErrorArray) -> ErrorArray:
        with np.errstate(all="ignore"):
            x = solve(b.value)
            return ErrorArray(x, np.abs(solve(_residual(chain, ErrorArray(x), b))))


def _residual(chain: ErrorArray, x: ErrorArray, b: ErrorArray) -> np.ndarray:
    """A bound on |b + Mx − x| of the exact M and b, for a computed x."""
    left = b + product("st...,t...->s...", chain, x, len(chain)) - x
    return np.abs(left.value) + left.error
