"""Step sizes: the plain policy gradient (1), exact and sampled, against (11)-(13); where and how it collapses."""

from __future__ import annotations

from experiments.step_sizes.presentation import LEAD, TITLE, captions, figures, summary, tables
from experiments.step_sizes.running import NAME, Case, Settings, passed, quick, run, total

__all__ = [
    "LEAD",
    "NAME",
    "TITLE",
    "Case",
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
