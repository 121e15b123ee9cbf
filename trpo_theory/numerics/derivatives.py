"""`Traced`: the arithmetic of float64 with derivatives, recorded by autograd: a formula over `Quantities` has an exact gradient.

What autograd does not know (elimination, divergences without cancellation) has its derivatives here. Those of the resolvent
are adjoint solves: if x = M⁻¹ b and g is the gradient in x, the gradient in b is λ = M⁻ᵀ g and that in M is −λ xᵀ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd
import autograd.numpy
import numpy as np
from autograd.extend import defvjp, primitive
from autograd.tracer import getval

from trpo_theory.numerics import divergence
from trpo_theory.numerics import resolvent as linear
from trpo_theory.numerics.arithmetic import Array, Policy, Resolvent
from trpo_theory.numerics.float_array import in_floats
from trpo_theory.numerics.floats import Floats

anp: Any = autograd.numpy  # Any: its functions are wrapped at import, where no type checker sees them
_gradient_of: Any = autograd.grad  # likewise


def gradient(function: Callable[[Array], Array], x: np.ndarray) -> np.ndarray:
    """The gradient at x of the sum of the function's values, 0 where it is not finite."""
    with np.errstate(all="ignore"):
        slope = _gradient_of(lambda at: anp.sum(function(at)))(x)
    return np.where(np.isfinite(slope), slope, 0.0)


@primitive
def _sqrt(x: np.ndarray) -> np.ndarray:
    return np.sqrt(x)


def _of_sqrt(root: np.ndarray, _: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    slope = np.where(root > 0, 0.5 / np.where(root > 0, root, 1.0), 0.0)  # a root that is 0 stays 0
    return lambda g: g * slope


defvjp(_sqrt, _of_sqrt)


class Traced(Floats):
    """float64 with autograd's functions, for one batch: fields are (S, B), (S, A, B), (S, A, S, B).

    A condition (`close`, comparisons) has no derivative, nor has a polylogarithm or a Rényi divergence here.
    """

    name = "float64, traced"
    xp = anp
    sqrt: staticmethod[[Array], Array] = staticmethod(_sqrt)
    log: staticmethod[[Array], Array] = staticmethod(anp.log)
    exp: staticmethod[[Array], Array] = staticmethod(anp.exp)
    minimum: staticmethod[[Array, Array], Array] = staticmethod(anp.minimum)
    maximum: staticmethod[[Array, Array], Array] = staticmethod(lambda x, y: anp.maximum(in_floats(x), in_floats(y)))
    where: staticmethod[..., Array] = staticmethod(lambda c, x, y: anp.where(c, in_floats(x), in_floats(y)))
    stack: staticmethod[..., Array] = staticmethod(anp.stack)

    @staticmethod
    def plain(x: Array) -> Array:
        """The numbers alone, without what autograd records of them."""
        return getval(x)

    @staticmethod
    def nan_to_inf(x: Array) -> Array:
        """∞ where x is nan."""
        return anp.where(np.isnan(getval(x)), np.inf, x)

    @staticmethod
    def close(x: Array, y: Array) -> Array:
        """Whether x = y to a relative 1e-9 of the larger; it has no derivative."""
        return Floats.close(getval(x), getval(y))

    @staticmethod
    def sum(x: Array, axis: int, where: Array | None = None) -> Array:
        """Σ along an axis, over the entries where `where` is true."""
        return anp.sum(x if where is None else anp.where(where, x, 0.0), axis=axis)

    @staticmethod
    def max(x: Array, axis: int, where: Array | None = None) -> Array:
        """The largest along an axis; where several tie, the mean of their gradients."""
        return anp.max(x if where is None else anp.where(where, x, -np.inf), axis=axis)

    def resolvent(self, transition: Array, policy: Policy, gamma: Array) -> Resolvent:
        """(I − γ P_π)⁻¹."""
        return _TracedResolvent(anp.einsum("sab,satb->stb", policy, transition), gamma)

    def expect(self, transition: Array, value: Array) -> Array:
        """Σ_s' P(s'|s,a) value(s')."""
        return anp.einsum("satb,tb->sab", transition, value)

    def push(self, transition: Array, weight: Array) -> Array:
        """Σ_s,a weight(s,a) P(s'|s,a)."""
        return anp.einsum("satb,sab->tb", transition, weight)

    def neumann_sum(self, transition: Array, weight: Array, b: Array) -> Array:
        """Σ_n Mⁿ b, ∞ where it is not known to be finite."""
        finite = np.isfinite(Floats().neumann_sum(getval(transition), getval(weight), getval(b)))
        x = _TracedResolvent(
            anp.einsum("sab,satb->stb", anp.where(finite[:, None], weight, 0.0), transition), 1.0
        ).solve(b)
        return anp.where(finite, x, np.inf)

    def chain_chi2(self, transition: Array, new: Policy, old: Policy) -> Array:
        """χ²(P_new(·|s) ‖ P_old(·|s))."""
        change, base = (anp.einsum("sab,satb->stb", weight, transition) for weight in (new - old, old))
        where = getval(base) > 0
        terms = anp.where(where, change**2 / anp.where(where, base, 1.0), 0.0)
        return anp.sum(terms, axis=1) + np.where(~where & (getval(change) != 0), np.inf, 0.0).sum(1)


class _TracedResolvent:
    """M⁻¹ = (I − γ P)⁻¹, P (S, S, B), eliminated once for values and adjoints."""

    def __init__(self, transition: Array, gamma: Array) -> None:
        self._transition = transition
        solved = linear.resolvent(np.array(getval(transition)), getval(gamma))
        self._solve = _adjoint(solved.solve, solved.solve_transposed, gamma, transposed=False)
        self._solve_transposed = _adjoint(solved.solve_transposed, solved.solve, gamma, transposed=True)

    def solve(self, b: Array) -> Array:
        """The x with x = b + γPx."""
        return self._solve(self._transition, b)

    def solve_transposed(self, b: Array) -> Array:
        """The y with y = b + γPᵀy."""
        return self._solve_transposed(self._transition, b)


def _adjoint(
    solve: Callable[[np.ndarray], np.ndarray],
    back: Callable[[np.ndarray], np.ndarray],
    gamma: Array,
    *,
    transposed: bool,
) -> Callable[[Array, Array], Array]:
    """(P, b) -> x, whose gradient in P is γ λ xᵀ (x λᵀ, where the solve is transposed)."""

    @primitive
    def solved(_: np.ndarray, b: np.ndarray) -> np.ndarray:
        return solve(b)

    def of_transition(x: np.ndarray, *_: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        rule = "sb,tb->tsb" if transposed else "sb,tb->stb"
        return lambda g: gamma * np.einsum(rule, back(g), x)

    defvjp(solved, of_transition, lambda *_: back)
    return solved


_Term = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _with_derivatives(function: Callable[..., np.ndarray | float], of_p: _Term, of_q: _Term) -> Callable[..., Array]:
    """A divergence, a sum along an axis of terms of p and q (or, without an axis, the terms), with the terms' derivatives."""

    @primitive
    def divergence_of(p: np.ndarray, q: np.ndarray, **axis: int) -> np.ndarray | float:
        return function(p, q, **axis)

    def by(derivative: _Term) -> Callable[..., Callable[[np.ndarray], np.ndarray]]:
        def backward(_: np.ndarray, p: np.ndarray, q: np.ndarray, **axis: int) -> Callable[[np.ndarray], np.ndarray]:
            with np.errstate(all="ignore"):
                slope = derivative(p, q)
            slope = np.where(np.isfinite(slope), slope, 0.0)  # an entry that is 0 stays 0
            return lambda g: slope * (np.expand_dims(g, axis["axis"]) if axis else g)

        return backward

    defvjp(divergence_of, by(of_p), by(of_q))
    return divergence_of


Traced.kl_div = staticmethod(
    _with_derivatives(divergence.kl_div, lambda p, q: -np.log1p((q - p) / p), lambda p, q: (q - p) / q)
)
Traced.chi2 = staticmethod(
    _with_derivatives(divergence.chi2, lambda p, q: 2 * (p - q) / q, lambda p, q: (q - p) * (q + p) / q**2)
)
Traced.jensen_shannon = staticmethod(
    _with_derivatives(
        divergence.jensen_shannon,
        lambda p, q: -np.log1p((q - p) / (2 * p)) / 2,
        lambda p, q: -np.log1p((p - q) / (2 * q)) / 2,
    )
)
Traced.hellinger2 = staticmethod(
    _with_derivatives(
        divergence.hellinger2, lambda p, q: (1 - np.sqrt(q / p)) / 2, lambda p, q: (1 - np.sqrt(p / q)) / 2
    )
)
