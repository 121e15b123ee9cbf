"""The power of the search: of false claims with known margins, how many are refuted, and how soon."""

from __future__ import annotations

from experiments.power.presentation import LEAD, TITLE, captions, figures, passed, summary, tables
from experiments.power.running import NAME, Settings, quick, run, total

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
