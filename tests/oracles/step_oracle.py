"""The oracle of a step: the quantities that formulas read, of one small MDP, in mpmath at 60 digits, from the definitions.

It has the names of the package's record, so that a claim's formula runs on it, and shares no code with the package.
Axes: S, then A.
"""

from __future__ import annotations

from functools import cached_property
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np

MP = mpmath.mp.clone()
MP.dps = 60


def real(x: Any) -> Any:
    """In 60 digits."""
    return MP.mpf(x.numerator) / x.denominator if hasattr(x, "numerator") else MP.mpf(x)


def reals(x: Any) -> np.ndarray:
    """An object array in 60 digits."""
    array = np.array(x, dtype=object)
    out = np.empty(array.shape, dtype=object)
    out.ravel()[:] = [real(entry) for entry in array.ravel()]
    return out


def solve(matrix: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The x with matrix · x = b, by elimination, without pivots: those are dominant here."""
    rows, n = [{j: row[j] for j in np.flatnonzero(row != 0)} for row in matrix], len(b)
    right = list(b)
    below: list[list[int]] = [[] for _ in range(n)]
    for i, row in enumerate(rows):
        for j in row:
            if j < i:
                below[j].append(i)
    for k in range(n):
        for i in sorted(set(below[k])):
            factor = rows[i].pop(k, MP.zero) / rows[k][k]
            if factor == 0:
                continue
            for j, entry in rows[k].items():
                if j > k:
                    rows[i][j] = rows[i].get(j, MP.zero) - factor * entry
                    if k < j < i:
                        below[j].append(i)
            right[i] -= factor * right[k]
    x = np.empty(n, dtype=object)
    for k in range(n - 1, -1, -1):
        x[k] = (right[k] - sum((entry * x[j] for j, entry in rows[k].items() if j > k), MP.zero)) / rows[k][k]
    return x


def elementwise(function: Any) -> Any:
    """A function of numbers, of arrays."""

    def of(*arguments: Any) -> Any:
        arrays = np.broadcast_arrays(*(np.asarray(argument, dtype=object) for argument in arguments))
        if arrays[0].shape == ():
            return function(*(array.item() for array in arrays))
        out = np.empty(arrays[0].shape, dtype=object)
        out.ravel()[:] = [function(*entries) for entries in zip(*(array.ravel() for array in arrays), strict=True)]
        return out

    return of


def _divergence(term: Any) -> Any:
    """Σ_a term(p, q) over the pairs where either is not 0; by states."""

    def of(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        pairs = [[(x, y) for x, y in zip(*rows, strict=True) if x or y] for rows in zip(p, q, strict=True)]
        return np.array([MP.fsum(term(x, y) for x, y in row) for row in pairs], dtype=object)

    return of


kl = _divergence(lambda x, y: MP.zero if x == 0 else MP.inf if y == 0 else x * MP.log(x / y))
chi2 = _divergence(lambda x, y: MP.inf if y == 0 else (x - y) ** 2 / y)
affinity = _divergence(lambda x, y: MP.sqrt(x * y))


class StepOracle:
    """The quantities of a step; an entry of `reference`, `groups` and `noise` has the neutral value."""

    sqrt, log, exp = (staticmethod(elementwise(function)) for function in (MP.sqrt, MP.log, MP.exp))
    minimum, maximum = staticmethod(elementwise(min)), staticmethod(elementwise(max))
    arithmetic = SimpleNamespace(where=np.where)

    def __init__(
        self,
        transition: Any,
        reward: Any,
        gamma: Any,
        initial: Any,
        old: Any,
        new: Any,
        available: Any = None,
        size: Any = 1,
    ) -> None:
        self.transition, self.reward, self.gamma, self.initial = (
            reals(transition),
            reals(reward),
            real(gamma),
            reals(initial),
        )
        self.old, self.new, self.size = reals(old), reals(new), real(size)
        self.available = np.ones(self.old.shape, dtype=bool) if available is None else np.array(available)

    states, actions = (property(lambda self, axis=axis: self.old.shape[axis]) for axis in (0, 1))

    def replaced(self, **changes: Any) -> StepOracle:
        names = ("transition", "reward", "gamma", "initial", "old", "new", "available", "size")
        return StepOracle(**{name: getattr(self, name) for name in names} | changes)

    def _chain(self, policy: np.ndarray) -> np.ndarray:
        return (policy[:, :, None] * self.transition).sum(1)

    def _resolve(self, policy: np.ndarray, b: np.ndarray, *, transposed: bool = False) -> np.ndarray:
        matrix = reals(np.eye(len(b), dtype=int)) - self.gamma * self._chain(policy)
        return solve(matrix.T if transposed else matrix, b)

    @cached_property
    def value(self) -> np.ndarray:
        return self._resolve(self.old, (self.old * self.reward).sum(1))

    @cached_property
    def value_new(self) -> np.ndarray:
        return self._resolve(self.new, (self.new * self.reward).sum(1))

    @cached_property
    def q_value(self) -> np.ndarray:
        return np.where(self.available, self.reward + self.gamma * (self.transition * self.value).sum(2), MP.zero)

    @cached_property
    def advantage(self) -> np.ndarray:
        return np.where(self.available, self.q_value - self.value[:, None], MP.zero)

    @cached_property
    def visitation_old(self) -> np.ndarray:
        return self._resolve(self.old, self.initial, transposed=True)

    @cached_property
    def visitation_new(self) -> np.ndarray:
        return self._resolve(self.new, self.initial, transposed=True)

    @property
    def visitation_change(self) -> np.ndarray:
        return self.visitation_new - self.visitation_old

    @property
    def occupancy_old(self) -> np.ndarray:
        return (1 - self.gamma) * self.visitation_old

    @property
    def expected_return_old(self) -> Any:
        return (self.initial * self.value).sum()

    @property
    def expected_return_new(self) -> Any:
        return (self.initial * self.value_new).sum()

    @property
    def expected_advantage(self) -> np.ndarray:
        return (self.new * self.advantage).sum(1)

    @property
    def surrogate_gain(self) -> Any:
        return (self.visitation_old * self.expected_advantage).sum()

    @property
    def surrogate_gap(self) -> Any:
        return self.expected_return_new - self.expected_return_old - self.surrogate_gain

    @property
    def max_abs_advantage(self) -> Any:
        return abs(self.advantage).max()

    @property
    def max_abs_expected_advantage(self) -> Any:
        return abs(self.expected_advantage).max()

    @property
    def mixture_weight(self) -> Any:
        return max(1 - new / old for old, new in zip(self.old.ravel(), self.new.ravel(), strict=True) if old > 0)

    @property
    def target(self) -> np.ndarray:
        return self.old + (self.new - self.old) / self.mixture_weight

    @property
    def max_abs_target_advantage(self) -> Any:
        return abs((self.target * self.advantage).sum(1)).max()

    @property
    def mixing_new(self) -> Any:
        """Half the largest L1 distance of two rows of (I − γ P_new)⁻¹."""
        unit = reals(np.eye(len(self.initial), dtype=int))
        rows = [self._resolve(self.new, row, transposed=True) for row in unit]
        return max(abs(one - other).sum() for one in rows for other in rows) / 2

    @cached_property
    def kl(self) -> np.ndarray:
        return kl(self.old, self.new)

    @cached_property
    def reverse_kl(self) -> np.ndarray:
        return kl(self.new, self.old)

    @property
    def tv(self) -> np.ndarray:
        return abs(self.new - self.old).sum(1) / 2

    @property
    def chi2(self) -> np.ndarray:
        return chi2(self.old, self.new)

    @property
    def reverse_chi2(self) -> np.ndarray:
        return chi2(self.new, self.old)

    @property
    def hellinger2(self) -> np.ndarray:
        return 1 - affinity(self.old, self.new)

    @property
    def jensen_shannon(self) -> np.ndarray:
        middle = (self.old + self.new) / 2
        return (kl(self.old, middle) + kl(self.new, middle)) / 2

    def renyi(self, order: Any) -> np.ndarray:
        """Of order ½ only: −2 log Σ √(p q)."""
        if order != 0.5:
            raise NotImplementedError(order)
        return np.array([-2 * MP.log(x) for x in affinity(self.old, self.new)], dtype=object)

    max_kl = property(lambda self: self.kl.max())
    reverse_max_kl = property(lambda self: self.reverse_kl.max())
    max_tv = property(lambda self: self.tv.max())
    max_chi2 = property(lambda self: self.chi2.max())
    reverse_max_chi2 = property(lambda self: self.reverse_chi2.max())
    mean_kl = property(lambda self: self._mean(self.kl))
    mean_tv = property(lambda self: self._mean(self.tv))

    def _mean(self, by_state: np.ndarray) -> Any:
        return sum((d * x for d, x in zip(self.occupancy_old, by_state, strict=True) if d), MP.zero)

    def moments(self, law: np.ndarray, f: np.ndarray) -> tuple[Any, Any]:
        """Mean and variance of f under a law of states."""
        mean = (law * f).sum()
        return mean, (law * (f - mean) ** 2).sum()

    @property
    def expected_advantage_sd(self) -> Any:
        return MP.sqrt(self.moments(self.occupancy_old, self.expected_advantage)[1])

    @property
    def rms_advantage(self) -> Any:
        return MP.sqrt((self.occupancy_old[:, None] * self.old * self.advantage**2).sum())

    @property
    def reward_sd(self) -> Any:
        law = self.occupancy_old[:, None] * self.old
        mean = (law * self.reward).sum()
        return MP.sqrt((law * (self.reward - mean) ** 2).sum())

    @property
    def transition_chi2(self) -> np.ndarray:
        return chi2(self._chain(self.new), self._chain(self.old))

    def max_s(self, x: Any) -> Any:
        return np.asarray(x).max(0)

    def min_s(self, x: Any) -> Any:
        return np.asarray(x).min(0)

    def sum_s(self, x: Any) -> Any:
        return np.asarray(x).sum(0)

    def max_a(self, x: Any) -> Any:
        return np.where(self.available, x, -MP.inf).max(1)

    def sum_a(self, x: Any) -> Any:
        return np.where(self.available, x, MP.zero).sum(1)

    def close(self, x: Any, y: Any) -> Any:
        return abs(x - y) <= 1e-40

    def polylog(self, order: float, x: Any) -> Any:
        return MP.polylog(order, x)

    def by_time(self, chi2: np.ndarray, *, mean_too: bool = False, times: int = 12) -> Any:
        """Σ_t γᵗ sd_t(Ā) √v_t, for a chain that has ended after so many times; v by the maximum c, or by mean and spread too."""
        a, c, law, v, total = self.expected_advantage, chi2.max(), self.initial, MP.zero, MP.zero
        chain = self._chain(self.old)
        for t in range(times):
            variance = self.moments(law, a)[1]
            total += self.gamma**t * MP.sqrt(variance * v)
            mean, spread = self.moments(law, chi2)
            v += min(c * (1 + v), mean + 2 * MP.sqrt(spread * v) + c * v) if mean_too else c * (1 + v)
            law = (law[:, None] * chain).sum(0)
        assert self.moments(law, a)[1] == 0
        return total
