"""The lattice of bounds: which implies which, proved; how tight each is; and claims with known margins, proved or refuted."""

from __future__ import annotations

from experiments.lattice.presentation import LEAD, TITLE, captions, figures, summary, tables
from experiments.lattice.running import NAME, Settings, passed, quick, run, total

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
