"""The audit of recorded training runs: `audit(mdp, policies)` computes exactly what happened at each update."""

from trpo_theory.recorded.auditing import audit
from trpo_theory.recorded.record import Audit, AuditedBound

__all__ = ["Audit", "AuditedBound", "audit"]
