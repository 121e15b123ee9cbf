"""Rényi's divergence of old and new of order 0.9."""

from __future__ import annotations

from fractions import Fraction

from trpo_theory.sharp.renyi import RenyiOrder

DIVERGENCE = RenyiOrder(Fraction(9, 10), "nine-tenths").divergence()
