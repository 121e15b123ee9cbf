"""(11) against (12) against (13): solution, return and time; that (12) is not hard; CVXPY against Dual as γ → 1."""

from __future__ import annotations

from experiments.updates.presentation import LEAD, TITLE, captions, figures, summary, tables
from experiments.updates.running import NAME, Settings, passed, quick, run, total

__all__ = [
    "LEAD",
    "NAME",
    "TITLE",
    "Settings",
    "captions",
    "figures",
    "passed",
    "quick",
    "run",
    "summary",
    "tables",
    "total",
]
