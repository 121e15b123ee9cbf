"""How large a step can be trusted: certified steps, the updates that they take, and the clips that they allow."""

from __future__ import annotations

from experiments.trusted_steps.drawing import captions, figures
from experiments.trusted_steps.presentation import LEAD, TITLE, summary, tables
from experiments.trusted_steps.running import NAME, Case, Settings, passed, quick, run, total

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
