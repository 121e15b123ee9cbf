"""Penalties as functions of γ and divergences alone, compared with each other on boxes, in rationals rounded outward."""
