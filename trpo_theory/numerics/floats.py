"""What a number is: the operations by which `Quantities` is written, here for float64, one instance or a batch.

`certified/` has the same operations for balls. The S axis is 0, the A axis 1, a batch trails; `transition` is
(S, A, S', *batch), or sparse (S·A, S') for one large instance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from trpo_theory.numerics import divergence
from trpo_theory.numerics import polylog as special
from trpo_theory.numerics import resolvent as linear


class Floats:
    """float64, with NumPy's functions."""

    name = "float64"
    xp = np
    """Where other functions of arrays are."""
    stack = staticmethod(np.stack)

    @staticmethod
    def plain(x: Any) -> Any:
        """The numbers alone, of which no derivative is kept."""
        return x

    sqrt = staticmethod(np.sqrt)
    log = staticmethod(np.log)
    exp = staticmethod(np.exp)
    minimum = staticmethod(np.minimum)
    maximum = staticmethod(np.maximum)
    where = staticmethod(np.where)
    kl_div = staticmethod(divergence.kl_div)
    chi2 = staticmethod(divergence.chi2)
    jensen_shannon = staticmethod(divergence.jensen_shannon)
    hellinger2 = staticmethod(divergence.hellinger2)
    renyi = staticmethod(divergence.renyi)
    identity = staticmethod(np.eye)
    polylog = staticmethod(special.polylog)

    @staticmethod
    def nan_to_inf(x: Any) -> Any:
        """∞ where x is 0 · ∞, which says nothing."""
        return np.where(np.isnan(x), np.inf, x)[()]

    @staticmethod
    def close(x: Any, y: Any) -> Any:
        """Whether x = y to a relative 1e-9 of the larger: rounding is not to decide a hypothesis."""
        return np.abs(np.subtract(x, y)) <= 1e-9 * np.maximum(np.abs(x), np.abs(y))

    @staticmethod
    def sum(x: Any, axis: int, where: Any = None) -> Any:
        """Σ along an axis, over the entries where `where` is true."""
        return np.sum(x, axis=axis) if where is None else np.sum(np.where(where, x, 0.0), axis=axis)

    @staticmethod
    def max(x: Any, axis: int, where: Any = None) -> Any:
        """The largest along an axis, over the entries where `where` is true; −∞ where it never is."""
        return np.max(x, axis=axis) if where is None else np.max(np.where(where, x, -np.inf), axis=axis)

    @staticmethod
    def resolvent(transition: Any, policy: Any, gamma: Any) -> linear.Resolvent:
        """(I − γ P_π)⁻¹."""
        return linear.resolvent(policy_transition(transition, policy), gamma)

    @staticmethod
    def expect(transition: Any, value: Any) -> Any:
        """Σ_s' P(s'|s,a) value(s'), shape (S, A, *batch)."""
        if sp.issparse(transition):
            return (transition @ value).reshape(len(value), -1)
        if transition.ndim == 3:
            return transition @ value
        return np.einsum("sat...,t...->sa...", transition, value)

    @staticmethod
    def push(transition: Any, weight: Any) -> Any:
        """Σ_s,a weight(s,a) P(s'|s,a), shape (S', *batch)."""
        if sp.issparse(transition):
            return transition.T @ weight.ravel()
        return np.einsum("sat...,sa...->t...", transition, weight)


def policy_transition(transition: Any, policy: Any) -> Any:
    """P_π(s, s') = Σ_a π(a|s) P(s'|s,a), shape (S, S', *batch)."""
    if not sp.issparse(transition):
        return np.einsum("sa...,sat...->st...", policy, transition)
    # Without sorting or summing: the rows of a state's actions lie side by side, so that reading them as one row
    # gives P_π with duplicate entries, which products do not mind.
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
