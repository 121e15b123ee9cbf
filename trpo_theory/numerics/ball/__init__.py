"""Exact rationals and balls; the only importer of the ball library."""
