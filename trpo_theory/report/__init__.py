"""Results as tables that are read: LaTeX (booktabs), Markdown, CSV. No mathematics."""

from __future__ import annotations

from trpo_theory.report.tables import Table, show, write

__all__ = ["Table", "show", "write"]
