"""`Status`: what became of a solve."""

from __future__ import annotations

import enum


class Status(enum.StrEnum):
    """What became of a solve. It names no solver: what to try instead depends on which one failed (`UpdateSolution.advice`)."""

    OPTIMAL = "optimal"
    INACCURATE = "inaccurate: feasible, but the recomputed gap exceeds the tolerance; upper_bound holds all the same"
    FAILED = "failed: the solver gave no answer, old is returned; try another solver"
    HEURISTIC = "heuristic: a step that does not solve the problem; its gap says how much it leaves"

    @property
    def solved(self) -> bool:
        """Whether the answer is what the solver promises: an optimum, or a heuristic step that claims to be none."""
        return self in (Status.OPTIMAL, Status.HEURISTIC)
