"""Modified policy iteration on a sparse MDP: of a policy that will soon change, some sweeps instead of its exact value."""

from __future__ import annotations

from typing import Any

import numpy as np

_SWEEPS = 20
"""Of x ← r_π + κ K_π x after each Bellman backup. Measured on grids, tori and Garnet MDPs: with 5 to 50 it
costs at most about twice as much as with the best number."""
_SETTLED_SWEEPS = 60
"""Likewise where the backup has changed no action. Chosen: a backup costs about as much as 6 sweeps, and would gain nothing."""
_BACKUPS = 150
"""At most so many. Chosen: they cost about as much as one sparse LU factorisation of a grid."""
_FEW = 0.005
"""A share of states: where fewer change their action, and no more than before, exact evaluations take over. Measured on grids."""
_SPREADING = 1.25
"""The growth by which changes of the policy are spreading, from few states to many, as around the goal of a grid. Chosen."""
_CONVERGING = 0.85
"""The factor of the residual a backup below which no exact evaluation is needed: 1e-15 is reached in 200 of them. Chosen."""
_PATIENCE = 4
"""So many slow backups in a row are waited for. Chosen."""
_FRONTIER = 0.001
"""A share of states: so few changes are a frontier that moves by one state a backup, which `LocalBackups` do faster. Chosen."""
_CHECKED, _ENOUGH = 5, 1e-3
"""After so many sweeps each, whether the residual has contracted by this factor, and further ones gain little. Chosen."""
_SETTLED = 8 * float(np.finfo(np.float64).eps)
"""Of the values: a residual of this size is rounding. Chosen."""


class ModifiedPolicyIteration:
    """π ← greedy for V, V ← (r_π + κ K_π ·)^m V, in turn, until exact evaluations are faster.

    A residual d of V and π becomes κ K_π d by a sweep, and a constant part of it is summed to infinity at once where all rows of
    K sum to 1, so that what must contract is its span. Source: Puterman and Shin (1978); Puterman (2005), sections 6.5 and 6.6.

    The result is a guess, of which nothing is claimed: policy iteration goes on from there.

    Args:
        transition: K, sparse (S·A, S).
        reward: r(s, a), (S, A); −∞ for an unavailable action.
        gamma: κ.
        levels: whether all rows of K sum to 1, and κ < 1.
    """

    def __init__(self, transition: Any, reward: np.ndarray, gamma: float, levels: bool) -> None:
        self._transition, self._reward, self._gamma, self._levels = transition, reward, gamma, levels
        states, actions = reward.shape
        self.settles: bool = True  # whether the last run of it ended before its limit
        self._first_rows = np.arange(states) * actions
        self._largest_reward = float(np.abs(reward, where=np.isfinite(reward), out=np.zeros_like(reward)).max())

    def from_start(self) -> tuple[np.ndarray, np.ndarray]:
        """(V, action), each (S,), from V = 0 and the best rewards.

        Of several best rewards the action is picked by a scrambled sequence: where all actions earn the same, such a policy leads
        everywhere, and the first action may lead nowhere.
        """
        states, actions = self._reward.shape
        place = np.arange(states * actions, dtype=np.float64).reshape(states, actions)
        scrambled = np.mod(place**2 * 0.6180339887498949, 1.0)
        tied = self._reward >= self._reward.max(1, keepdims=True)
        return self.onward(np.zeros(states), np.where(tied, scrambled, -1.0).argmax(1))

    @np.errstate(over="ignore", invalid="ignore")
    def onward(self, value: np.ndarray, action: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(V, action) from a V and a policy, (S,) each; V is not finite where it overflows."""
        changed, before, slow, q = len(value), np.inf, 0, self._backed_up(value)
        self.settles = False
        for _ in range(_BACKUPS):
            value = self._swept(value, q, action, _SETTLED_SWEEPS if changed == 0 else _SWEEPS)
            q = self._backed_up(value)
            best = q.argmax(1)
            highest = q.ravel()[self._first_rows + best]
            size = float(np.abs(value).max()) + self._largest_reward
            better = highest - q.ravel()[self._first_rows + action] > 32 * np.finfo(np.float64).eps * size
            action = np.where(better, best, action)
            change = highest - value
            residual = self._size_of(change)
            now = int(np.count_nonzero(better))
            few = now <= _FEW * len(value) and now < max(_SPREADING * changed, 1)
            frontier = 0 < now <= _FRONTIER * len(value)
            slow = slow + 1 if few and residual > _CONVERGING * before else 0
            if slow > (0 if frontier else _PATIENCE) or (now == 0 and residual <= _SETTLED * size):
                self.settles = True
                break
            changed, before = now, residual
        action = self._without_ties(q, action)
        if self._levels:  # what a policy never leaves has its value at once: at an end it is 0, and not a rounding
            rows = self._first_rows + action
            kept = self._transition[rows].diagonal() == 1
            value = np.where(kept, self._reward.ravel()[rows] / (1 - self._gamma), value)
        return value, action

    def _backed_up(self, value: np.ndarray) -> np.ndarray:
        """Q of V, (S, A)."""
        q = self._transition @ value
        q *= self._gamma
        q = q.reshape(self._reward.shape)
        q += self._reward
        return q

    def _swept(self, value: np.ndarray, q: np.ndarray, action: np.ndarray, sweeps: int) -> np.ndarray:
        """V after one backup by the policy's own Q(s, action), and further sweeps; what is left is summed as far as constant."""
        rows = self._first_rows + action
        chain = self._transition[rows]
        first = q.ravel()[rows]
        change, total = first - value, np.zeros(len(value))  # small changes added one by one to V would be rounded away
        enough = _ENOUGH * self._size_of(change)
        for sweep in range(1, sweeps + 1):
            change = chain @ change
            change *= self._gamma
            total += change
            if sweep % _CHECKED == 0 and self._size_of(change) <= enough:
                break
        if self._levels:
            total += self._gamma / (1 - self._gamma) * 0.5 * (change.max() + change.min())
        return first + total

    def _size_of(self, change: np.ndarray) -> float:
        """Of what a sweep has changed: its span, or its largest entry."""
        return float(np.ptp(change) if self._levels else np.abs(change).max())

    def _without_ties(self, q: np.ndarray, action: np.ndarray) -> np.ndarray:
        """Of actions whose Q is the same to the last digit, the one of the best reward, or the first."""
        own = q.ravel()[self._first_rows + action]
        earns_most = self._reward.argmax(1)
        first = np.where(q.ravel()[self._first_rows + earns_most] == own, earns_most, (q == own[:, None]).argmax(1))
        return first
