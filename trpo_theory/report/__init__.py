"""Tables (LaTeX, Markdown, HTML, CSV), figures (PDF, PNG) and the HTML report of results. No mathematics."""

from __future__ import annotations

from trpo_theory.report.tables import Table, show, write

__all__ = ["Table", "show", "write"]
