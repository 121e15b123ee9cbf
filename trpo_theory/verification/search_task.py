"""`Search`: the task that hunts for a counterexample to one claim and shrinks it."""

from __future__ import annotations

import functools
import zlib
from dataclasses import dataclass

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed
from trpo_theory.search.battery import battery
from trpo_theory.search.hunt import Batch, Hunt, Make
from trpo_theory.search.instruments import run_all
from trpo_theory.search.shrink import shrink
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
        proved: the claim has a proof on paper: no instances are improved, where those at hand put it to the test.
    """

    instances: int
    seed: int
    hard: bool = False
    proved: bool = False

    @property
    def name(self) -> str:
        """The stem of its file's name."""
        return f"{'screen' if self.proved else 'search'}-{slug(restored(self.claim).id)}"

    def run(self) -> list[Tally]:
        """The claim's tally; what its own code raised, if it fails."""
        return [tally_or_error(restored(self.claim), self._tally)]

    def _tally(self, claim: Claim) -> Tally:
        hunt = Hunt(
            claim,
            np.random.default_rng([self.seed, zlib.crc32(claim.id.encode())]),
            instances=self.instances,
            drawn=lambda: self._drawn(claim),
            shared=lambda kind, make: self._shared(claim, kind, make),
            findings=KeepingFindings(claim.relation),
            proved=self.proved,
        )
        error = ""
        try:
            run_all(hunt, _HARD if self.hard or claim.expected == "open" else 1)
        except ClaimFailed as failed:  # what was found before counts
            error = failed.complaint
        found = hunt.findings.refuted
        refuted = None if found is None else shrink(claim, *found, screen=hunt.screen)[0]
        return Tally.of_findings(claim.id, hunt.findings, refuted, error or hunt.screen.complaint)

    def _drawn(self, claim: Claim) -> list[Batch]:
        """The battery."""
        return self._shared(claim, "", lambda generator: battery(generator, self.instances, claim.instance_needs))

    def _shared(self, claim: Claim, kind: str, make: Make) -> list[Batch]:
        """These depend only on the seed and on what the claim needs, so that claims run on the same instances."""
        known = batteries_of(self.instances, self.seed)
        needs = claim.instance_needs
        for other in [other for other in known if other not in (needs, frozenset())]:
            del known[other]
        batches = known.setdefault(needs, {})
        if kind not in batches:
            words = " ".join([*sorted(needs), *filter(None, [kind])])
            fresh = np.random.default_rng([self.seed, zlib.crc32(words.encode())])
            batches[kind] = [(part, part.quantities()) for part in make(fresh)]
        return readable_by(claim, batches[kind])


@functools.lru_cache(maxsize=1)
def batteries_of(instances: int, seed: int) -> dict[frozenset[str], dict[str, list[Batch]]]:
    """What the searches of one process share, by what they need and what it is: what claims without needs do, and the latest.

    More of them would take much memory, with their quantities; claims of one setting follow one another in the catalogue.
    """
    return {}
