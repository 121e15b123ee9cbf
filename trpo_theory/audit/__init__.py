"""The audit of recorded training runs: `audit(mdp, policies)` says what really happened at each update."""

from trpo_theory.audit.auditing import audit
from trpo_theory.audit.record import Audit, AuditedBound

__all__ = ["Audit", "AuditedBound", "audit"]
