"""Modified policy iteration on a sparse MDP: of a policy that will soon change, some sweeps instead of its exact value."""

from __future__ import annotations

from typing import Any

import numpy as np

from trpo_theory.solve.chosen import ChosenRows, largest, taken, tie

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
        self._chosen = ChosenRows(transition, reward, gamma)
        self.settles: bool = True  # whether the last run of it ended before its limit
        self._forgets = False  # whether the last sweeps were enough: an exact evaluation then needs but some more
        self._largest_reward = float(np.abs(reward, where=np.isfinite(reward), out=np.zeros_like(reward)).max())

    def from_start(self) -> tuple[np.ndarray, np.ndarray]:
        """(V, action), each (S,), from V = 0 and the best rewards.

        Of several best rewards the action is picked by a scrambled sequence: where all actions earn the same, such a policy leads
        everywhere, and the first action may lead nowhere.
        """
        actions = self._reward.shape[1]
        action, tied = self._reward.argmax(1), self._reward >= largest(self._reward)[:, None]
        several = np.flatnonzero(np.count_nonzero(tied, axis=1) > 1)
        place = several[:, None] * actions + np.arange(actions, dtype=np.float64)
        action[several] = np.where(tied[several], np.mod(place**2 * 0.6180339887498949, 1.0), -1.0).argmax(1)
        return self._improved(np.zeros(len(action)), action, self._reward)

    def onward(self, value: np.ndarray, action: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(V, action) from a V and a policy, (S,) each; V is not finite where it overflows."""
        return self._improved(value, action.copy(), self._chosen.backed_up(value))

    @np.errstate(over="ignore", invalid="ignore")
    def _improved(self, value: np.ndarray, action: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(V, action) from V, a policy that is overwritten, and Q of V."""
        changed, before, slow, chosen = len(value), np.inf, 0, self._chosen
        own, self.settles = taken(q, action), False
        for _ in range(_BACKUPS):
            value = self._swept(value, own, action, _SETTLED_SWEEPS if changed == 0 else _SWEEPS)
            q = chosen.backed_up(value)
            own, highest = taken(q, action), largest(q)
            size = float(np.abs(value).max()) + self._largest_reward
            better = np.flatnonzero(highest - own > tie(size))
            action[better] = q[better].argmax(1)
            own[better] = highest[better]
            residual = self._size_of(highest - value)
            now = len(better)
            few = now <= _FEW * len(value) and now < max(_SPREADING * changed, 1)
            frontier = 0 < now <= _FRONTIER * len(value)
            slow = slow + 1 if few and residual > _CONVERGING * before else 0
            settled = now == 0 and (self._forgets or residual <= _SETTLED * size)
            if settled or slow > (0 if frontier else _PATIENCE):
                self.settles = True
                break
            changed, before = now, residual
        action = self._without_ties(q, own)
        if self._levels:  # what a policy never leaves has its value at once: at an end it is 0, and not a rounding
            rows = chosen.rows(action)
            kept = self._transition[rows].diagonal() == 1
            value = np.where(kept, self._reward.ravel()[rows] / (1 - self._gamma), value)
        return value, action

    def _swept(self, value: np.ndarray, first: np.ndarray, action: np.ndarray, sweeps: int) -> np.ndarray:
        """V after one backup by the policy's own Q(s, action), and further sweeps; what is left is summed as far as constant."""
        chain = self._chosen.chain(action)
        change, total = first - value, np.zeros(len(value))  # small changes added one by one to V would be rounded away
        enough, self._forgets = _ENOUGH * self._size_of(change), False
        for sweep in range(1, sweeps + 1):
            change = chain @ change
            total += change
            if sweep % _CHECKED == 0 and self._size_of(change) <= enough:
                self._forgets = True
                break
        if self._levels:
            total += self._gamma / (1 - self._gamma) * 0.5 * (change.max() + change.min())
        return first + total

    def _size_of(self, change: np.ndarray) -> float:
        """Of what a sweep has changed: its span, or its largest entry."""
        return float(np.ptp(change) if self._levels else np.abs(change).max())

    def _without_ties(self, q: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Of actions whose Q is the same as the policy's to the last digit, the one of the best reward, or the first."""
        earns_most = self._reward.argmax(1)
        return np.where(taken(q, earns_most) == own, earns_most, (q == own[:, None]).argmax(1))
