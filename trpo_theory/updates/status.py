# pyright: strict
"""`Status`: what became of a solve, in words that say what to do next."""

from __future__ import annotations

import enum


class Status(enum.StrEnum):
    """What became of a solve; each value says what to do next."""

    OPTIMAL = "optimal"
    INACCURATE = "inaccurate: feasible, but the recomputed gap exceeds the tolerance; use Dual(), or a tighter solver"
    FAILED = "failed: the solver gave no answer, old is returned; use Dual()"
    HEURISTIC = "heuristic: a step that does not solve the problem; its gap says how much it leaves"

    @property
    def solved(self) -> bool:
        """Whether the answer is what the solver promises: an optimum, or a heuristic step that claims to be none."""
        return self in (Status.OPTIMAL, Status.HEURISTIC)
