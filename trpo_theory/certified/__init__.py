"""Proofs in exact rationals and balls; the only importer of the ball library."""

from __future__ import annotations

from trpo_theory.certified.update_gap import CertifiedGap, certify_update

__all__ = ["CertifiedGap", "certify_update"]
