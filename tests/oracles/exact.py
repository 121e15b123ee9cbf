"""The oracle: one policy, or a step, on one small MDP, in exact rationals.

Floats are taken as the dyadic rationals that they are, so nothing here rounds. It shares no code with the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat


def rational(x: Any) -> fmpq:
    """A float, an integer or a fraction, exactly."""
    if isinstance(x, fmpq):
        return x
    if isinstance(x, (int, np.integer)):
        return fmpq(int(x))
    return fmpq(*(x if isinstance(x, Fraction) else float(x)).as_integer_ratio())


def rationals(array: Any) -> np.ndarray:
    """An object array of rationals."""
    array = np.asarray(array)
    out = np.empty(array.shape, dtype=object)
    out.ravel()[:] = [rational(x) for x in array.ravel()]
    return out


def nearest(x: Any) -> Any:
    """The nearest float (or array of them)."""
    if isinstance(x, fmpq):
        return float(Fraction(int(x.p), int(x.q)))
    return np.array([nearest(entry) for entry in np.ravel(x)]).reshape(np.shape(x))


def error(got: Any, exact: Any) -> float:
    """max |got − exact|, the difference taken before rounding."""
    differences = np.ravel(rationals(got) - np.asarray(exact, dtype=object))
    return max(abs(nearest(difference)) for difference in differences)


def relative_error(got: Any, exact: Any) -> float:
    """max |got − exact| / |exact|, entry by entry; where exact is 0 so must got be."""
    worst = 0.0
    for mine, true in zip(np.ravel(rationals(got)), np.ravel(np.asarray(exact, dtype=object)), strict=True):
        if true != 0:
            worst = max(worst, abs(nearest((mine - true) / true)))
        elif mine != 0:
            return float("inf")
    return worst


def solve(matrix: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The x with matrix · x = b, of rationals."""
    n = len(b)
    solution = fmpq_mat(n, n, list(matrix.ravel())).solve(fmpq_mat(n, 1, list(b)))
    out = np.empty(n, dtype=object)
    out[:] = [solution[i, 0] for i in range(n)]
    return out


def resolvent(chain: Any, gamma: Any, b: Any, *, transposed: bool = False) -> np.ndarray:
    """(I − γP)⁻¹ b, or with Pᵀ."""
    chain, gamma, b = rationals(chain), rational(gamma), rationals(b)
    matrix = rationals(np.eye(len(b))) - gamma * chain
    return solve(matrix.T.copy() if transposed else matrix, b)


def _total(terms: np.ndarray, axis: int) -> np.ndarray:
    return np.add.reduce(terms, axis=axis)


@dataclass
class ExactPolicy:
    """V, Q, A, ρ and η of a policy (S, A) on an MDP of one instance."""

    transition: Any
    reward: Any
    gamma: Any
    initial: Any
    policy: Any

    def __post_init__(self) -> None:
        self.gamma = rational(self.gamma)
        for name in ("transition", "reward", "initial", "policy"):
            setattr(self, name, rationals(getattr(self, name)))

    @cached_property
    def chain(self) -> np.ndarray:
        return _total(self.policy[:, :, None] * self.transition, 1)

    @cached_property
    def value(self) -> np.ndarray:
        return resolvent(self.chain, self.gamma, _total(self.policy * self.reward, 1))

    @cached_property
    def q_value(self) -> np.ndarray:
        return self.reward + self.gamma * _total(self.transition * self.value, 2)

    @cached_property
    def advantage(self) -> np.ndarray:
        return self.q_value - self.value[:, None]

    @cached_property
    def visitation(self) -> np.ndarray:
        return resolvent(self.chain, self.gamma, self.initial, transposed=True)

    @cached_property
    def expected_return(self) -> fmpq:
        return _total(self.initial * self.value, 0)


@dataclass
class ExactStep:
    """η(old), η(new), Ā and L_old(new): A where `available` is false counts as 0."""

    old: ExactPolicy
    new: ExactPolicy
    available: np.ndarray

    @cached_property
    def advantage(self) -> np.ndarray:
        return np.where(self.available, self.old.advantage, fmpq(0))

    @cached_property
    def expected_advantage(self) -> np.ndarray:
        return _total(self.new.policy * self.advantage, 1)

    @cached_property
    def surrogate_gain(self) -> fmpq:
        return _total(self.old.visitation * self.expected_advantage, 0)

    @cached_property
    def surrogate(self) -> fmpq:
        return self.old.expected_return + self.surrogate_gain

    @cached_property
    def surrogate_gap(self) -> fmpq:
        return self.new.expected_return - self.surrogate


def policy_on(mdp: Any, policy: Any) -> ExactPolicy:
    """Of a dense, unbatched FiniteMDP as stored."""
    return ExactPolicy(mdp.transition, mdp.reward, mdp.gamma, mdp.initial, policy)


def step_on(mdp: Any, old: Any, new: Any) -> ExactStep:
    """Of a dense, unbatched FiniteMDP as stored."""
    return ExactStep(policy_on(mdp, old), policy_on(mdp, new), mdp.available)
