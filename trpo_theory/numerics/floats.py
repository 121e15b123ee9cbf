"""`Floats`: the arithmetic of float64, for one instance or a batch. `transition` may be sparse, (S·A, S'), for one instance."""

from __future__ import annotations

import warnings
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np

from trpo_theory.entries.sparse import is_sparse, sp
from trpo_theory.errors import NotSolved, overflow
from trpo_theory.numerics import divergence
from trpo_theory.numerics import polylog as special
from trpo_theory.numerics import resolvent as linear
from trpo_theory.numerics.arithmetic import Arithmetic, Array, Policy, Resolvent, solved_from
from trpo_theory.numerics.float_array import FloatArray, in_floats, takes_exact

_CLOSE = 1e-9
"""Relative difference up to which floats count as equal in a hypothesis. Chosen: far above rounding, far below what is drawn."""

_DOUBLE_BELOW = 64
"""States up to which laws come of powers of the chain, in log₂ steps of S³, and not one by one. Chosen: about equal there."""

_FACTORISED = 2000
"""States of a sparse chain up to which Σ Mⁿ b is sought where rows of M sum to 1 or more: iterations need not converge there,
and LU of more fills up. Chosen: some seconds at most."""

_RESIDUAL = 1e-9
"""Of x = b + Mx, relative to x: what of a solution beyond it is not believed. Chosen as `_CLOSE`."""

_RECENTRED = 2
"""Times that a mean is subtracted again before a variance: a standard deviation is then off by ε³, of the values, and not by ε.
Chosen: it is multiplied with √E (X_t − 1)², which grows with t where old only reaches rare states."""

_LARGEST = float(np.finfo(np.float64).max) / 8
"""Of a value: sums of a few of them, such as Q − V, are floats, too."""


class Floats:
    """float64, with NumPy's functions; `Fraction` and other exact numbers are read as the nearest floats.

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

    sqrt: staticmethod[[Array], Array] = staticmethod(takes_exact(np.sqrt))
    log: staticmethod[[Array], Array] = staticmethod(takes_exact(np.log))
    exp: staticmethod[[Array], Array] = staticmethod(takes_exact(np.exp))
    minimum: staticmethod[[Array, Array], Array] = staticmethod(takes_exact(np.minimum))
    maximum: staticmethod[[Array, Array], Array] = staticmethod(takes_exact(np.maximum))
    where: staticmethod[..., Array] = staticmethod(takes_exact(np.where))
    kl_div: staticmethod[[Array, Array], Array] = staticmethod(takes_exact(divergence.kl_div))
    chi2: staticmethod[..., Array] = staticmethod(takes_exact(divergence.chi2))
    jensen_shannon: staticmethod[..., Array] = staticmethod(takes_exact(divergence.jensen_shannon))
    hellinger2: staticmethod[..., Array] = staticmethod(takes_exact(divergence.hellinger2))
    renyi: staticmethod[..., Array] = staticmethod(takes_exact(divergence.renyi))
    identity: staticmethod[[int], Array] = staticmethod(np.eye)
    polylog: staticmethod[[float | Fraction, Array], Array] = staticmethod(takes_exact(special.polylog))

    @staticmethod
    def nan_to_inf(x: Array) -> Array:
        """∞ where x is nan, as of 0 · ∞: a bound with such a penalty says nothing."""
        x = in_floats(x)
        return np.where(np.isnan(x), np.inf, x)[()]

    @staticmethod
    def close(x: Array, y: Array) -> Array:
        """Whether x = y to a relative 1e-9 of the larger: rounding must not decide a hypothesis."""
        x, y = in_floats(x), in_floats(y)
        return np.abs(np.subtract(x, y)) <= _CLOSE * np.maximum(np.abs(x), np.abs(y))

    @staticmethod
    def sum(x: Array, axis: int, where: Array | None = None) -> Array:
        """Σ along an axis, over the entries where `where` is true."""
        x = x if isinstance(x, FloatArray) else in_floats(x)
        return np.add.reduce(x if where is None else np.where(where, x, 0.0), axis=axis)

    @staticmethod
    def max(x: Array, axis: int, where: Array | None = None) -> Array:
        """The largest along an axis, over the entries where `where` is true; −∞ where it never is."""
        x = x if isinstance(x, FloatArray) else in_floats(x)
        return np.maximum.reduce(x if where is None else np.where(where, x, -np.inf), axis=axis)

    def row_distance(self, matrix: Array) -> Array:
        """max_{s,t} Σ_u |M(s,u) − M(t,u)|."""
        distances = [self.max(self.sum(abs(matrix[s:] - matrix[s]), 1), 0) for s in range(len(matrix))]
        return self.max(self.stack(distances), 0)

    def resolvent(self, transition: Array, policy: Policy, gamma: Array) -> Resolvent:
        """(I − γ P_π)⁻¹."""
        chain, gamma = in_floats(policy_transition(transition, policy)), in_floats(gamma)
        solved = linear.resolvent(chain, gamma)
        return _FloatArrayResolvent(solved) if isinstance(transition, FloatArray) else solved

    def expect(self, transition: Array, value: Array) -> Array:
        """Σ_s' P(s'|s,a) value(s'), shape (S, A, *batch)."""
        if is_sparse(transition):
            return (transition @ value).reshape(len(value), -1)
        if transition.ndim == 3:
            return transition @ value
        return np.einsum("sat...,t...->sa...", transition, value)

    def push(self, transition: Array, weight: Array) -> Array:
        """Σ_s,a weight(s,a) P(s'|s,a), shape (S', *batch)."""
        if is_sparse(transition):
            return transition.T @ weight.ravel()
        if transition.ndim == 3:
            return weight.reshape(-1) @ transition.reshape(-1, transition.shape[2])
        return np.einsum("sat...,sa...->t...", transition, weight)

    def laws(self, transition: Array, policy: Policy, start: Array, steps: int) -> Array:
        """The laws of s_0, ..., s_{steps−1}, (steps, S, *batch): p_{t+2ᵏ} = (P_πᵀ)^(2ᵏ) p_t for all t < 2ᵏ at once."""
        start = self._spread(start, policy)
        if is_sparse(transition):
            return self._stepped(transition, policy, start, steps)
        start = start + 0 * transition[0, 0]  # which may have a batch that old has not
        if len(policy) > _DOUBLE_BELOW:
            return self._stepped(transition, policy, start, steps)
        power, laws = self.xp.einsum("sa...,sat...->st...", policy, transition), start[None]
        while len(laws) < steps:
            further = laws[: steps - len(laws)]
            laws = self.xp.concatenate([laws, self.xp.einsum("ks...,st...->kt...", further, power)])
            if len(laws) < steps:
                power = self.xp.einsum("rs...,st...->rt...", power, power)
        return laws

    def _spread(self, start: Array, policy: Policy) -> Array:
        """The start over the whole batch."""
        return start + 0 * self.xp.sum(policy, axis=1)

    def _stepped(self, transition: Array, policy: Policy, start: Array, steps: int) -> Array:
        laws = [start]
        for _ in range(steps - 1):
            laws.append(self.push(transition, policy * laws[-1][:, None]))
        return self.stack(laws)

    def moments(self, laws: Array, f: Array) -> tuple[Array, Array]:
        """Σ p f and Σ p (f − mean)²; where one state has nearly all mass, its rounding of the mean is subtracted."""
        mean = self.sum(laws * f, 1)
        centred = f - mean[:, None]
        for _ in range(_RECENTRED):
            centred = centred - self.sum(laws * centred, 1)[:, None]
        return mean, self.sum(laws * centred**2, 1)

    def neumann_sum(self, transition: Array, weight: Array, b: Array) -> Array:
        """Σ_n Mⁿ b, ∞ where the solution of x = b + Mx is not ≥ 0, or not one to rounding."""
        chain = in_floats(policy_transition(transition, weight))
        return takes_exact(_neumann_sum)(chain, b)

    def chain_chi2(self, transition: Array, new: Policy, old: Policy) -> Array:
        """χ²(P_new(·|s) ‖ P_old(·|s)), from the policies' difference: it keeps its digits however close they are."""
        if is_sparse(transition):
            return _sparse_chain_chi2(transition, new, old)
        change, base = policy_transition(transition, new - old), policy_transition(transition, old)
        return takes_exact(divergence.chi2_of_change)(change, base, axis=1)

    @staticmethod
    def enclosed(x: Array) -> Array:
        """x itself, as NumPy's own array, which costs less in a recursion."""
        return in_floats(x)

    def nearest_floats(self, x: Array) -> Array:
        """The numbers as NumPy's."""
        return np.asarray(in_floats(self.plain(x)), dtype=np.float64)


class CheckedFloats(Floats):
    """float64 for what a user reads: a value or a visitation that overflows is an error, and so no infinity comes of one."""

    def resolvent(self, transition: Array, policy: Policy, gamma: Array) -> Resolvent:
        """(I − γ P_π)⁻¹, whose `solve` raises `NotSolved` for an overflow."""
        return _CheckedResolvent(super().resolvent(transition, policy, gamma))


class _CheckedResolvent:
    def __init__(self, solved: Resolvent) -> None:
        self._solved = solved

    def solve(self, b: Array) -> Array:
        return self.solve_from(b, None)

    def solve_from(self, b: Array, start: Array | None) -> Array:
        return self._checked(solved_from(self._solved, b, start), b, "a value")

    def solve_transposed(self, b: Array) -> Array:
        return self._checked(self._solved.solve_transposed(b), b, "a visitation")

    @staticmethod
    def _checked(x: Array, b: Array, what: str) -> Array:
        if not (np.abs(x) <= _LARGEST).all() and np.isfinite(b).all():
            raise overflow(what)
        return x


class _FloatArrayResolvent:
    """A resolvent whose solutions are `FloatArray`s, as the right-hand sides are."""

    def __init__(self, solved: Resolvent) -> None:
        self.solve, self.solve_transposed = takes_exact(solved.solve), takes_exact(solved.solve_transposed)


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
    if not is_sparse(transition):
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


def _neumann_sum(chain: Array, b: np.ndarray) -> np.ndarray:
    """Σ_n Mⁿ b for a chain M (S, S, *batch), dense or sparse."""
    states = len(b)
    if is_sparse(chain):
        chain = sp.csr_array(chain)
        ends = (b == 0) & (np.asarray(chain.sum(1)).ravel() == chain.diagonal())
        chain = sp.csr_array(sp.diags_array(np.where(ends, 0.0, 1.0)) @ chain)
        if states > _FACTORISED and chain.sum(1).max() >= 1:
            return np.full(b.shape, np.inf)
        apply = chain.__matmul__
    else:
        batch = np.broadcast_shapes(chain.shape[2:], b.shape[1:])
        b = np.broadcast_to(b, (states, *batch))
        ends = (b == 0) & (chain.sum(1) == chain[np.arange(states), np.arange(states)])
        chain = np.where(ends[:, None], 0.0, chain)  # what is never left adds nothing: 0 + 0 + ...

        def apply(x: np.ndarray) -> np.ndarray:
            return np.einsum("st...,t...->s...", chain, x)

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a matrix that is singular to the last digit
        try:
            x = linear.resolvent(chain, 1.0).solve(np.array(b))
        except (np.linalg.LinAlgError, NotSolved, RuntimeError):  # singular, and so of spectral radius 1 or more
            return np.full(b.shape, np.inf)
        x = np.where(ends, 0.0, x)  # there a factorisation leaves roundings of either sign
        missed = np.abs(b + apply(x) - x).max(0)
        found = (x >= 0).all(0) & (missed <= _RESIDUAL * x.max(0))
    return np.where(found, x, np.inf)


def _sparse_chain_chi2(transition: Any, new: np.ndarray, old: np.ndarray) -> np.ndarray:
    """As `Floats.chain_chi2`, for a transition (S·A, S'): each successor of a state once."""
    states, actions = old.shape
    rows = np.repeat(np.arange(states * actions), np.diff(transition.indptr))
    place = rows // actions * transition.shape[1] + transition.indices
    each, inverse = np.unique(place, return_inverse=True)
    change, base = (
        np.bincount(inverse, transition.data * weight.ravel()[rows], len(each)) for weight in (new - old, old)
    )
    with np.errstate(all="ignore"):
        terms = np.where(change == 0.0, 0.0, change * (change / base))
    return np.bincount(each // transition.shape[1], terms, states)
