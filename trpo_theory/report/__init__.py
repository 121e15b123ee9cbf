"""Results as tables that are read (LaTeX, Markdown, HTML, CSV) and figures (PDF, PNG). No mathematics."""

from __future__ import annotations

from trpo_theory.report.tables import Table, show, write

__all__ = ["Table", "show", "write"]
