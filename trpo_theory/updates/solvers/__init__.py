"""Solvers of the update problems, one file each."""
