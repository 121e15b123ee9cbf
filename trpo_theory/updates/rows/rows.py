"""What a row problem is: one state (or group of states), its old row and its advantages; and what solves it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True, eq=False)
class Rows:
    """Row problems side by side: maximise Σ_a p(a) A(a) against a divergence from old. Arrays are (A, N), a row a column.

    Attributes:
        old: the stored rows.
        deficit: (max A − A)/scale on old's support, in [0, 1]; off it that of the worst action, so that what old takes
            there, if anything, stays as rare as it is.
        scale: the largest max A − A on old's support, (N,); 0 in rows in which nothing can be gained.
        outside: the action that is best where none of old's support is, else −1, (N,).
    """

    old: np.ndarray
    deficit: np.ndarray
    scale: np.ndarray
    outside: np.ndarray

    @classmethod
    def of(cls, old: np.ndarray, advantage: np.ndarray, available: np.ndarray, *, rare: float) -> Rows:
        """The rows of old, advantage and available, each (A, N); old's support is where it exceeds rare, a probability."""
        support = old > rare
        if available.all() and support.all():
            deficit = np.maximum.reduce(advantage, 0) - advantage
            scale = np.maximum.reduce(deficit, 0)
            if (scale > 0).all():
                rows = cls(old, deficit / scale, scale, np.full(len(scale), -1))
                vars(rows)["ordinary"] = True
                return rows
        best = np.where(available, advantage, -np.inf).max(0)
        supported = np.where(support, advantage, -np.inf).max(0) >= best
        outside = np.where(supported, -1, np.where(available & ~support, advantage, -np.inf).argmax(0))
        deficit = np.where(support, best - advantage, 0.0)
        scale = deficit.max(0)
        deficit = np.where(support, deficit / np.where(scale > 0, scale, 1.0), np.where(scale > 0, 1.0, 0.0))
        return cls(old, deficit, scale, outside)

    def take(self, index: np.ndarray) -> Rows:
        """Some of the rows."""
        return type(self)(self.old[:, index], self.deficit[:, index], self.scale[index], self.outside[index])

    def balance(self, change: np.ndarray) -> None:
        """Make Σ_a change = 0 to the last digit of the rarest action's: the largest entry of old gives what others get."""
        columns: np.ndarray = np.arange(int(change.shape[1]))
        largest = self.old.argmax(0)
        change[largest, columns] -= change.sum(0)

    @cached_property
    def ordinary(self) -> bool:
        """Whether all rows can gain, and by actions of old's support."""
        return bool((self.scale > 0).all() and (self.outside < 0).all())

    @cached_property
    def mean(self) -> np.ndarray:
        """Σ old d, the gain of the best action over old in units of scale, (N,)."""
        return np.add.reduce(self.old * self.deficit, 0)

    @cached_property
    def most(self) -> np.ndarray:
        """The gain of the best action over old, (N,)."""
        return self.scale * self.mean

    @cached_property
    def best(self) -> np.ndarray:
        """old's mass on the best actions of its support, (N,)."""
        return np.where(self.deficit == 0, self.old, 0.0).sum(0)

    @cached_property
    def centred(self) -> np.ndarray:
        """d − Σ old d, (A, N)."""
        return self.deficit - self.mean

    @cached_property
    def variance(self) -> np.ndarray:
        """Var_old(d), in units of scale², (N,)."""
        return np.add.reduce(self.old * self.centred**2, 0)

    @cached_property
    def skew(self) -> np.ndarray:
        """E_old (d − Σ old d)³ / Var_old(d), in units of scale, (N,)."""
        return np.add.reduce(self.old * self.centred**2 * self.centred, 0) / self.variance


@dataclass(frozen=True, eq=False)
class Spent:
    """What the search for a shared multiplier reads of solutions of row problems, (N,), as in `Solved`."""

    divergence: np.ndarray
    gain: np.ndarray
    multiplier: np.ndarray
    slope: np.ndarray
    state: np.ndarray


class Local(NamedTuple):
    """Row problems at roots' states, (N,) or (G, B), to first order.

    Attributes:
        divergence: D.
        log_multiplier: log λ.
        slope: −d D/d log λ.
        steep: −d D/d log state.
    """

    divergence: np.ndarray
    log_multiplier: np.ndarray
    slope: np.ndarray
    steep: np.ndarray

    def shaped(self, shape: tuple[int, int]) -> Local:
        """Rows by group and instance, (G, B)."""
        return Local(*(part.reshape(shape) for part in self))


@dataclass(frozen=True, eq=False)
class Solved:
    """Solutions of row problems: (N,), but for change.

    Attributes:
        change: p − old, (A, N): exact where p itself rounds to old.
        new: p, (A, N): exact where it is so small that old + change is not.
        divergence: of the row, in its own unit (nats for a KL).
        gain: Σ (p − old) A, in discounted reward.
        multiplier: λ at which p maximises Σ p A − λ divergence.
        slope: −d divergence / d log λ.
        state: the root itself (u of the forward KL, β of the reverse), from which the next solve may start.
    """

    change: np.ndarray
    new: np.ndarray
    divergence: np.ndarray
    gain: np.ndarray
    multiplier: np.ndarray
    slope: np.ndarray
    state: np.ndarray
