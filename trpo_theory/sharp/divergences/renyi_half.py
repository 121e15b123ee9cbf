"""Rényi's divergence of old and new of order ½: −2 log Σ √(old new)."""

from __future__ import annotations

from fractions import Fraction

from trpo_theory.sharp.renyi import RenyiOrder

DIVERGENCE = RenyiOrder(Fraction(1, 2), "half").divergence()
