"""An inequality between divergences of rows, by pairs of rows with two entries: docs/theory.md, "Divergences of a row"."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from trpo_theory.bounds.record import Claim
from trpo_theory.proofs.evidence import FileKind
from trpo_theory.proofs.joint_range.deciding import binary_instance, decided, read
from trpo_theory.proofs.method import Attempt
from trpo_theory.proofs.proof import Proof
from trpo_theory.proofs.region import EVERYTHING, Region


class _JointRange:
    """Claims that read divergences of rows only, or their largest or mean over states: for all MDPs and policies at once."""

    name: str = "joint range"
    seconds: float = 5.0
    files: Mapping[str, FileKind] = {}

    def attempt(self, claim: Claim, region: Region) -> Attempt | None:
        """Decide it on all binary pairs, where those suffice; whatever region is asked for."""
        slack = read(claim)
        if slack is None:
            return None
        found = decided(slack)
        if found.refuted is not None:
            gamma = Fraction(1, 2) if region.gamma is None else region.gamma.low
            return Attempt(None, refuted=binary_instance(found.refuted, gamma))
        if not found.why:
            return Attempt(None, note=f"{self.name}: {found.note}")
        by = f'binary pairs: {found.why}; docs/theory.md, "Divergences of a row"'
        return Attempt(Proof(self.name, by, EVERYTHING))


METHOD = _JointRange()
