"""Rényi's divergence of old and new of order 0.1."""

from __future__ import annotations

from fractions import Fraction

from trpo_theory.sharp.renyi import RenyiOrder

DIVERGENCE = RenyiOrder(Fraction(1, 10), "tenth").divergence()
