"""The report as one HTML page that works offline: sections of tables and figures, the catalogue, the explorer."""

from __future__ import annotations

from trpo_theory.report.page.blocks import Figure, Html, Shown
from trpo_theory.report.page.catalogue import Catalogue, ClaimRow
from trpo_theory.report.page.definitions import Definitions
from trpo_theory.report.page.document import Page, Section
from trpo_theory.report.page.explorer import Explorer
from trpo_theory.report.page.papers import PaperRow, Papers

__all__ = [
    "Catalogue",
    "ClaimRow",
    "Definitions",
    "Explorer",
    "Figure",
    "Html",
    "Page",
    "PaperRow",
    "Papers",
    "Section",
    "Shown",
]
