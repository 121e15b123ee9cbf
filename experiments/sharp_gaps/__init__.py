"""Sharp gaps: the worst (L - eta(new))/eps over all finite MDPs, proved from both sides, over each bound's penalty."""

from __future__ import annotations

from experiments.sharp_gaps.presentation import LEAD, TITLE, captions, figures, summary, tables
from experiments.sharp_gaps.running import NAME, Settings, passed, quick, run, total

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
