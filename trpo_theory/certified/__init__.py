"""Proofs in exact rationals and balls; the only importer of the ball library."""

from __future__ import annotations

from trpo_theory.certified.balls import Balls
from trpo_theory.certified.decide import Decision, Verdict, decide
from trpo_theory.certified.instance import ExactInstance, quantities
from trpo_theory.certified.number import Ball, BallArray
from trpo_theory.certified.raw import Undecided, precision
from trpo_theory.certified.update_gap import CertifiedGap, certify_update

__all__ = [
    "Ball",
    "BallArray",
    "Balls",
    "CertifiedGap",
    "Decision",
    "ExactInstance",
    "Undecided",
    "Verdict",
    "certify_update",
    "decide",
    "precision",
    "quantities",
]
