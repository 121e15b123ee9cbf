"""`Proof`: how a claim is proved, and for which instances."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trpo_theory.proofs.evidence import Evidence
from trpo_theory.proofs.region import Region


@dataclass(frozen=True)
class Proof:
    """How a claim is proved, and for which instances.

    Attributes:
        kind: "theorem" (a proof on paper), "implied", "sharp gap", "joint range", "identity", "computed cover", ...
        by: a phrase that a reader can follow: 'docs/theory.md, "Constants"', "implied by trpo/kl".
        region: the instances that it holds for.
        machine_checked: of what a proof assistant checked too: "machine-checked", or "machine-checked for gamma >= 1/4".
        formal: where that is: "formal/total_variation.v, coupling_tv".
        evidence: what writes the file from which `certify` proves it again; None where there is none, as for a proof on paper.
    """

    kind: str
    by: str
    region: Region
    machine_checked: str = ""
    formal: str = ""
    evidence: Evidence | None = field(default=None, compare=False, repr=False)

    @property
    def text(self) -> str:
        """Beside the word "proved": "theorem (docs/theory.md, ...)", with the region where it is not everything."""
        kind = f"{self.kind}, {self.machine_checked}" if self.machine_checked else self.kind
        how = self.by if self.by.startswith(self.kind) else f"{kind} ({self.by})"
        if self.region.is_whole:
            return how + (f", {self.region.given}" if self.region.given else "")
        return f"{how}, {self.region.text}"

    def to_fields(self) -> dict[str, Any]:
        """What JSON calls `proof`: kind, by, region; machine_checked and formal where a proof assistant checked it."""
        fields = {"kind": self.kind, "by": self.by, "region": self.region.to_fields()}
        return fields | ({"machine_checked": self.machine_checked, "formal": self.formal} if self.formal else {})
