"""Scaling and speed against peers: numbers are checked first, then times are taken, both sides in one run."""

from __future__ import annotations

from experiments.scaling.presentation import LEAD, TITLE, captions, figures, summary, tables
from experiments.scaling.running import NAME, Settings, passed, quick, run, total

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
