"""`Search`: the task that hunts for a counterexample to one claim and shrinks it."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed
from trpo_theory.search.battery import battery
from trpo_theory.search.hunt import Batch, Hunt, imposed_witnesses
from trpo_theory.search.instruments import run_all
from trpo_theory.search.shrink import shrink
from trpo_theory.search.witnesses import sharp_witnesses
from trpo_theory.step.instances import Instances
from trpo_theory.verification.chunk import readable_by, tally_or_error
from trpo_theory.verification.claim_task import ClaimTask
from trpo_theory.verification.kept_findings import KeepingFindings
from trpo_theory.verification.portable import restored, slug
from trpo_theory.verification.tally import Tally

_HARD = 8
"""A hard search is made on wider sizes too, and is so many times as long. Chosen."""


@dataclass(frozen=True)
class Search(ClaimTask):
    """A task: a battery and a directed search for a counterexample to one claim, which is shrunk.

    Attributes:
        instances: the size of the battery.
        seed: of the run.
        hard: search wider and longer.
    """

    instances: int
    seed: int
    hard: bool = False

    @property
    def name(self) -> str:
        """The stem of its file's name."""
        return f"search-{slug(restored(self.claim).id)}"

    def run(self) -> list[Tally]:
        """The claim's tally; what its own code raised, if it fails."""
        return [tally_or_error(restored(self.claim), self._tally)]

    def _tally(self, claim: Claim) -> Tally:
        hunt = Hunt(
            claim,
            np.random.default_rng([self.seed, zlib.crc32(claim.id.encode())]),
            instances=self.instances,
            drawn=lambda: self._drawn(claim),
            witnesses=lambda: self._witnesses(claim),
            findings=KeepingFindings(claim.relation),
        )
        error = ""
        try:
            run_all(hunt, _HARD if self.hard or claim.expected == "open" else 1)
        except ClaimFailed as failed:  # what was found before counts
            error = failed.complaint
        refuted = None if hunt.findings.refuted is None else shrink(claim, *hunt.findings.refuted)[0]
        return Tally.of_findings(claim.id, hunt.findings, refuted, error or hunt.screen.complaint)

    def _drawn(self, claim: Claim) -> list[Batch]:
        """The battery depends only on the seed and on what the claim needs, so that claims run on the same instances."""

        def made() -> list[Instances]:
            fresh = np.random.default_rng([self.seed, zlib.crc32(" ".join(sorted(claim.instance_needs)).encode())])
            return battery(fresh, self.instances, claim.instance_needs)

        return self._shared(claim, "battery", made)

    def _witnesses(self, claim: Claim) -> list[Batch]:
        """Those of the sharp gap, likewise; of the few claims that need something each their own, as they take memory."""
        return (
            imposed_witnesses(claim.instance_needs)
            if claim.instance_needs
            else self._shared(claim, "witnesses", sharp_witnesses)
        )

    def _shared(self, claim: Claim, kind: str, make: Callable[[], list[Instances]]) -> list[Batch]:
        known = batteries_of(self.instances, self.seed)
        if (kind, claim.instance_needs) not in known:
            known[kind, claim.instance_needs] = [(part, part.quantities()) for part in make()]
        return readable_by(claim, known[kind, claim.instance_needs])


@functools.lru_cache(maxsize=1)
def batteries_of(instances: int, seed: int) -> dict[tuple[str, frozenset[str]], list[Batch]]:
    """What the searches of one process share, by what it is and what they need; that of earlier settings is dropped."""
    return {}
