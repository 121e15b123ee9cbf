"""Inequalities between divergences of a row, proved by binary pairs: docs/theory.md, "Divergences of a row"."""
