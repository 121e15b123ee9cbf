"""`Status`: what became of a solve."""

from __future__ import annotations

import enum


class Status(enum.StrEnum):
    """What became of a solve. It names no solver: what to try instead depends on which one failed (`UpdateSolution.advice`)."""

    OPTIMAL = "optimal"
    INACCURATE = "inaccurate: feasible, but the recomputed gap exceeds the tolerance; upper_bound holds all the same"
    FAILED = "failed: the solver gave no answer, old is returned; try another solver"
    HEURISTIC = "heuristic: a step that does not solve the problem; its gap says how much it leaves"
    CERTIFIED = "certified: the bound promises that this step raises the return"
    RECOVERY = (
        "recovery: no policy within the radius meets the limits on costs; the one that exceeds them least is returned"
    )
    UNCERTIFIED = "the bound certifies no step of this problem: old is returned"

    @property
    def solved(self) -> bool:
        """Whether it is what was asked for: an optimum, a step that claims to be none, a certified one, old where none is."""
        return self not in (Status.INACCURATE, Status.FAILED)
