"""`Blocks`: the rows of a surrogate, solved block by block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trpo_theory.updates.problems import Problem
from trpo_theory.updates.rows.divergence import RowDivergence
from trpo_theory.updates.rows.rows import Rows, Solved, Spent
from trpo_theory.updates.solvers.answer import Answer
from trpo_theory.updates.surrogate import Surrogate

_BLOCK = 2**18
"""Entries of a block of rows, 2 MB of floats: its temporaries stay in cache, and memory stays that of the answer."""

_MOSTLY = 0.7
"""Where fewer instances than this share still move, they are solved alone: chosen below 1, as gathering them costs time."""


RowMethod = Callable[[Rows, np.ndarray, np.ndarray | None], Solved]
"""`at_radius` or `at_multiplier` of a `RowDivergence`: rows, arguments (N,) and guesses (N,)."""

SpentMethod = Callable[[Rows, np.ndarray, np.ndarray | None], Solved | Spent]
"""One of those, or `spent_at`."""


class Blocks:
    """The rows of a surrogate as a problem's divergence sees them; only sums and roots are kept between solves."""

    shape: tuple[int, int, int]
    divergence: RowDivergence
    visited: np.ndarray
    starts: range

    def __init__(self, surrogate: Surrogate, problem: Problem, divergence: RowDivergence | None = None) -> None:
        actions, groups, batch = self.shape = surrogate.old.shape
        self.divergence = divergence or problem.divergence
        self.visited = surrogate.visitation > 0
        self._flat = [part.reshape(actions, -1) for part in (surrogate.old, surrogate.advantage, surrogate.available)]
        self.starts = range(0, groups * batch, max(_BLOCK // actions, 1))
        self._kept = self._shared(surrogate.rows_seen) if len(self.starts) == 1 else None
        self.guess: np.ndarray | None = None
        self._last: list[np.ndarray] = []
        self._solved: tuple[bool, np.ndarray, Solved] | None = None

    def _shared(self, seen: dict[RowDivergence, Rows]) -> Rows:
        """The rows, made once for a solver and for the certificate of its answer."""
        if self.divergence not in seen:
            seen[self.divergence] = self.divergence.rows(*self._flat)
        return seen[self.divergence]

    def _rows(self, block: slice) -> Rows:
        if self._kept is not None:
            return self._kept
        return self.divergence.rows(*(part[:, block] for part in self._flat))

    def ordinary(self) -> Rows | None:
        """All rows, where they fit in one block, are visited and can all gain by actions of old's support; else None."""
        rows = self._kept
        return rows if rows is not None and rows.ordinary and bool(self.visited.all()) else None

    def each(self, function: Callable[[Rows, slice], tuple[np.ndarray, ...]]) -> list[np.ndarray]:
        """The (N,) arrays that function returns block by block, joined."""
        width = self.starts.step
        parts = [
            function(self._rows(slice(start, start + width)), slice(start, start + width)) for start in self.starts
        ]
        return list(parts[0]) if len(parts) == 1 else [np.concatenate(columns) for columns in zip(*parts, strict=True)]

    def solve(
        self, method: SpentMethod, argument: np.ndarray, active: np.ndarray | None = None
    ) -> tuple[np.ndarray, ...]:
        """Divergence, gain, multiplier and slope (G, B), each from the last solve's roots.

        Args:
            method: of the divergence.
            argument: the radius or multiplier of each instance, (B,).
            active: the instances, (B,), that must be solved again; the others may keep their last values.
        """
        values = self._per_row(argument)
        if active is not None and self._last and self._kept is not None and active.mean() < _MOSTLY:
            some = np.flatnonzero(np.broadcast_to(active, self.shape[1:]).reshape(-1))
            guess = None if self.guess is None else self.guess[some]
            solved = method(self._kept.take(some), values[some], guess)
            self._solved = None
            for kept, part in zip(self._last, _parts(solved), strict=True):
                kept[some] = part
            return tuple(part.reshape(self.shape[1:]) for part in self._last[:-1])

        def one(rows: Rows, block: slice) -> tuple[np.ndarray, ...]:
            solved = method(rows, values[block], self.guess_of(block))
            if self._kept is not None:
                at_radius = method == self.divergence.at_radius
                self._solved = (at_radius, values, solved) if isinstance(solved, Solved) else None
            return _parts(solved)

        self._last = self.each(one)
        self.guess = self._last[-1]
        return tuple(part.reshape(self.shape[1:]) for part in self._last[:-1])

    def answer(self, method: RowMethod, argument: np.ndarray) -> Answer:
        """The change and multipliers at a radius or multiplier (B,), as that of the solves before."""
        values = self._per_row(argument)
        last, self._solved = self._solved, None  # handed out once: callers may write into an answer
        if last is not None and last[0] == (method == self.divergence.at_radius) and np.array_equal(last[1], values):
            parts = (last[2].change, last[2].new, last[2].multiplier, last[2].state)
            change, new, multiplier, guess = (part.reshape(*part.shape[:-1], *self.shape[1:]) for part in parts)
            return Answer(change, new, multiplier, guess)
        if self._kept is not None:
            solved = method(self._kept, values, self.guess)
            change, new = solved.change.reshape(self.shape), solved.new.reshape(self.shape)
            return Answer(change, new, solved.multiplier.reshape(self.shape[1:]), solved.state.reshape(self.shape[1:]))
        change, new = np.empty((2, self.shape[0], self.shape[1] * self.shape[2]))

        def one(rows: Rows, block: slice) -> tuple[np.ndarray, ...]:
            solved = method(rows, values[block], self.guess_of(block))
            change[:, block], new[:, block] = solved.change, solved.new
            return solved.multiplier, solved.state

        multiplier, guess = (part.reshape(self.shape[1:]) for part in self.each(one))
        return Answer(change.reshape(self.shape), new.reshape(self.shape), multiplier, guess)

    def guess_of(self, block: slice) -> np.ndarray | None:
        """Where the roots of a block stood, if they have been solved for."""
        return None if self.guess is None else self.guess[block]

    def _per_row(self, argument: np.ndarray) -> np.ndarray:
        """(B,) -> (N,): 0 for rows that are never visited."""
        return np.where(self.visited, argument, 0.0).reshape(-1)

    def critical(self) -> np.ndarray:
        """The multipliers below which mass leaves old's support, (G, B)."""
        parts = self.each(lambda rows, _: (self.divergence.critical_multiplier(rows),))
        return parts[0].reshape(self.shape[1:])

    def can_gain(self) -> np.ndarray:
        """Rows in which some action is better than what old does, (G, B)."""
        return self.each(lambda rows, _: (rows.scale > 0,))[0].reshape(self.shape[1:])

    def deviation(self) -> np.ndarray:
        """sd_old(A) of the rows that can gain, (G, B); not its square, which rewards of 1e±160 would take out of range."""

        def one(rows: Rows, _: slice) -> tuple[np.ndarray, ...]:
            return (rows.scale * np.sqrt(rows.variance),)

        return self.each(one)[0].reshape(self.shape[1:])


def _parts(solved: Solved | Spent) -> tuple[np.ndarray, ...]:
    return solved.divergence, solved.gain, solved.multiplier, solved.slope, solved.state
