"""`Floats`: the arithmetic of float64, for one instance or a batch. `transition` may be sparse, (S·A, S'), for one instance."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import scipy.sparse as sp

from trpo_theory.numerics import divergence
from trpo_theory.numerics import polylog as special
from trpo_theory.numerics import resolvent as linear
from trpo_theory.numerics.arithmetic import Arithmetic, Array, Policy, Resolvent

_CLOSE = 1e-9
"""Relative difference up to which floats count as equal in a hypothesis. Chosen: far above rounding, far below what is drawn."""


class Floats:
    """float64, with NumPy's functions.

    Beyond `Arithmetic` it has `xp`, the module with other functions of arrays (NumPy, or autograd's), and `plain`, the
    numbers of an array without what autograd records of them: for searches, which run on floats only.
    """

    name: str = "float64"
    xp: ModuleType | Any = np
    stack: staticmethod[..., Array] = staticmethod(np.stack)

    @staticmethod
    def plain(x: Array) -> Array:
        """The numbers alone."""
        return x

    sqrt: staticmethod[[Array], Array] = staticmethod(np.sqrt)
    log: staticmethod[[Array], Array] = staticmethod(np.log)
    exp: staticmethod[[Array], Array] = staticmethod(np.exp)
    minimum: staticmethod[[Array, Array], Array] = staticmethod(np.minimum)
    maximum: staticmethod[[Array, Array], Array] = staticmethod(np.maximum)
    where: staticmethod[..., Array] = staticmethod(np.where)
    kl_div: staticmethod[[Array, Array], Array] = staticmethod(divergence.kl_div)
    chi2: staticmethod[..., Array] = staticmethod(divergence.chi2)
    jensen_shannon: staticmethod[..., Array] = staticmethod(divergence.jensen_shannon)
    hellinger2: staticmethod[..., Array] = staticmethod(divergence.hellinger2)
    renyi: staticmethod[..., Array] = staticmethod(divergence.renyi)
    identity: staticmethod[[int], Array] = staticmethod(np.eye)
    polylog: staticmethod[[float, Array], Array] = staticmethod(special.polylog)

    @staticmethod
    def nan_to_inf(x: Array) -> Array:
        """∞ where x is nan, as of 0 · ∞: a bound with such a penalty says nothing."""
        return np.where(np.isnan(x), np.inf, x)[()]

    @staticmethod
    def close(x: Array, y: Array) -> Array:
        """Whether x = y to a relative 1e-9 of the larger: rounding must not decide a hypothesis."""
        return np.abs(np.subtract(x, y)) <= _CLOSE * np.maximum(np.abs(x), np.abs(y))

    @staticmethod
    def sum(x: Array, axis: int, where: Array | None = None) -> Array:
        """Σ along an axis, over the entries where `where` is true."""
        return np.sum(x, axis=axis) if where is None else np.sum(np.where(where, x, 0.0), axis=axis)

    @staticmethod
    def max(x: Array, axis: int, where: Array | None = None) -> Array:
        """The largest along an axis, over the entries where `where` is true; −∞ where it never is."""
        return np.max(x, axis=axis) if where is None else np.max(np.where(where, x, -np.inf), axis=axis)

    def resolvent(self, transition: Array, policy: Policy, gamma: Array) -> Resolvent:
        """(I − γ P_π)⁻¹."""
        return linear.resolvent(policy_transition(transition, policy), gamma)

    def expect(self, transition: Array, value: Array) -> Array:
        """Σ_s' P(s'|s,a) value(s'), shape (S, A, *batch)."""
        if sp.issparse(transition):
            return (transition @ value).reshape(len(value), -1)
        if transition.ndim == 3:
            return transition @ value
        return np.einsum("sat...,t...->sa...", transition, value)

    def push(self, transition: Array, weight: Array) -> Array:
        """Σ_s,a weight(s,a) P(s'|s,a), shape (S', *batch)."""
        if sp.issparse(transition):
            return transition.T @ weight.ravel()
        return np.einsum("sat...,sa...->t...", transition, weight)


def as_floats(arithmetic: Arithmetic) -> Floats:
    """An arithmetic that is known to be one of floats, with what only these have.

    Raises:
        TypeError: for balls.
    """
    if not isinstance(arithmetic, Floats):
        raise TypeError(f"a search runs on floats, not on {arithmetic.name}")
    return arithmetic


def policy_transition(transition: Array, policy: Policy) -> Array:
    """P_π(s, s') = Σ_a π(a|s) P(s'|s,a), shape (S, S', *batch)."""
    if not sp.issparse(transition):
        return np.einsum("sa...,sat...->st...", policy, transition)
    # Without sorting or summing: the rows of a state's actions are adjacent, so that reading them as one row gives P_π
    # with duplicate entries, which matrix products add up.
    states, actions = policy.shape
    rows = np.diff(transition.indptr)
    weights = np.repeat(policy.ravel(), rows)
    kept = weights != 0.0
    indptr = transition.indptr[::actions]
    if not kept.all():
        used = (rows * (policy.ravel() != 0)).reshape(states, actions).sum(1)
        indptr = np.concatenate([[0], np.cumsum(used)]).astype(transition.indptr.dtype)
        parts = transition.data[kept] * weights[kept], transition.indices[kept], indptr
    else:
        parts = transition.data * weights, transition.indices, indptr
    return sp.csr_array(parts, shape=(states, states))
