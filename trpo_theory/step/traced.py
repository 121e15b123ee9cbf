"""`Traced`: float64 whose operations are recorded by autograd, so that a formula over `Quantities` has an exact gradient.

A formula runs in it unchanged, as it does in balls; what autograd does not know (elimination, divergences without
cancellation) has its derivatives here. The resolvent's are adjoint solves: of x = M⁻¹ b, with g the gradient at x,
b has λ = M⁻ᵀ g and M has −λ xᵀ.
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
from trpo_theory.numerics.floats import Floats
from trpo_theory.step.quantities import Quantities

anp: Any = autograd.numpy  # whose functions no type checker sees
differentiated: Any = autograd.grad


def gradient(function: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    """The gradient at x of the sum of the function's values, 0 where it is not finite."""
    with np.errstate(all="ignore"):
        slope = differentiated(lambda at: anp.sum(function(at)))(x)
    return np.where(np.isfinite(slope), slope, 0.0)


def quantities(fields: dict[str, Any]) -> Quantities:
    """`Instances.quantities` of these fields, some of them what autograd records."""
    last = {name: anp.moveaxis(array, 0, -1) for name, array in fields.items()}
    return Quantities(Traced(), available=np.True_, batch_shape=(len(fields["gamma"]),), **last)


class Traced(Floats):
    """float64 with autograd's functions, for one batch: fields are (S, B), (S, A, B), (S, A, S, B)."""

    name = "float64, traced"
    xp = anp
    sqrt = staticmethod(anp.sqrt)
    log = staticmethod(anp.log)
    exp = staticmethod(anp.exp)
    minimum = staticmethod(anp.minimum)
    maximum = staticmethod(anp.maximum)
    where = staticmethod(anp.where)
    stack = staticmethod(anp.stack)
    plain = staticmethod(getval)

    @staticmethod
    def nan_to_inf(x: Any) -> Any:
        """∞ where x is no number."""
        return anp.where(np.isnan(getval(x)), np.inf, x)

    @staticmethod
    def close(x: Any, y: Any) -> Any:
        """A hypothesis has no derivative."""
        return Floats.close(getval(x), getval(y))

    @staticmethod
    def sum(x: Any, axis: int, where: Any = None) -> Any:
        """Σ along an axis, over the entries where `where` is true."""
        return anp.sum(x if where is None else anp.where(where, x, 0.0), axis=axis)

    @staticmethod
    def max(x: Any, axis: int, where: Any = None) -> Any:
        """The largest along an axis; where several tie, the mean of their gradients."""
        return anp.max(x if where is None else anp.where(where, x, -np.inf), axis=axis)

    @staticmethod
    def resolvent(transition: Any, policy: Any, gamma: Any) -> TracedResolvent:
        """(I − γ P_π)⁻¹."""
        return TracedResolvent(anp.einsum("sab,satb->stb", policy, transition), gamma)

    @staticmethod
    def expect(transition: Any, value: Any) -> Any:
        """Σ_s' P(s'|s,a) value(s')."""
        return anp.einsum("satb,tb->sab", transition, value)

    @staticmethod
    def push(transition: Any, weight: Any) -> Any:
        """Σ_s,a weight(s,a) P(s'|s,a)."""
        return anp.einsum("satb,sab->tb", transition, weight)


class TracedResolvent:
    """M⁻¹ = (I − γ P)⁻¹, P (S, S, B), eliminated once for values and adjoints."""

    def __init__(self, transition: Any, gamma: Any) -> None:
        self._transition = transition
        solved = linear.resolvent(np.array(getval(transition)), getval(gamma))
        self._solve = _adjoint(solved.solve, solved.solve_transposed, gamma, transposed=False)
        self._solve_transposed = _adjoint(solved.solve_transposed, solved.solve, gamma, transposed=True)

    def solve(self, b: Any) -> Any:
        """The x with x = b + γPx."""
        return self._solve(self._transition, b)

    def solve_transposed(self, b: Any) -> Any:
        """The y with y = b + γPᵀy."""
        return self._solve_transposed(self._transition, b)


def _adjoint(solve: Callable[[Any], Any], back: Callable[[Any], Any], gamma: Any, *, transposed: bool) -> Any:
    """(P, b) -> x, whose gradient in P is γ λ xᵀ (x λᵀ, where the solve is transposed)."""

    @primitive
    def solved(_: Any, b: Any) -> Any:
        return solve(b)

    def of_transition(x: Any, *_: Any) -> Any:
        rule = "sb,tb->tsb" if transposed else "sb,tb->stb"
        return lambda g: gamma * np.einsum(rule, back(g), x)

    defvjp(solved, of_transition, lambda *_: back)
    return solved


def _of_rows(function: Any, of_p: Callable[[Any, Any], Any], of_q: Callable[[Any, Any], Any]) -> Any:
    """A sum over axis 1 of terms of p and q (or, without an axis, the terms), with the terms' derivatives."""

    @primitive
    def told(p: Any, q: Any, **axis: int) -> Any:
        return function(p, q, **axis)

    def by(derivative: Callable[[Any, Any], Any]) -> Any:
        def backward(_: Any, p: Any, q: Any, **axis: int) -> Any:
            with np.errstate(all="ignore"):
                slope = derivative(p, q)
            slope = np.where(np.isfinite(slope), slope, 0.0)  # rows move in proportion: what is 0 stays
            return lambda g: slope * (np.expand_dims(g, axis["axis"]) if axis else g)

        return backward

    defvjp(told, by(of_p), by(of_q))
    return told


Traced.kl_div = staticmethod(_of_rows(divergence.kl_div, lambda p, q: -np.log1p((q - p) / p), lambda p, q: (q - p) / q))
Traced.chi2 = staticmethod(
    _of_rows(divergence.chi2, lambda p, q: 2 * (p - q) / q, lambda p, q: (q - p) * (q + p) / q**2)
)
Traced.jensen_shannon = staticmethod(
    _of_rows(
        divergence.jensen_shannon,
        lambda p, q: -np.log1p((q - p) / (2 * p)) / 2,
        lambda p, q: -np.log1p((p - q) / (2 * q)) / 2,
    )
)
Traced.hellinger2 = staticmethod(
    _of_rows(divergence.hellinger2, lambda p, q: (1 - np.sqrt(q / p)) / 2, lambda p, q: (1 - np.sqrt(p / q)) / 2)
)
