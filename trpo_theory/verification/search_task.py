"""`Search`: the task that hunts for a counterexample to one claim and shrinks it."""

from __future__ import annotations

import functools
import zlib
from dataclasses import dataclass, replace

import numpy as np

from trpo_theory import claims
from trpo_theory.bounds.record import Claim
from trpo_theory.search.battery import battery
from trpo_theory.search.hunt import Batch, hunt
from trpo_theory.search.shrink import shrink
from trpo_theory.search.solved import hunt_solved
from trpo_theory.verification.chunk import SOLVED_SHARE
from trpo_theory.verification.named import Named, named, resolved, slug
from trpo_theory.verification.tally import Tally
from trpo_theory.verification.thorough import Keeping


@dataclass(frozen=True)
class Search:
    """A task: a battery and a directed search for a counterexample to one claim, which is shrunk.

    Attributes:
        claim: the claim, or what finds it.
        instances: the size of the battery.
        seed: of the run.
        hard: search wider and longer.
    """

    claim: Named
    instances: int
    seed: int
    hard: bool = False

    @property
    def name(self) -> str:
        """Of its file."""
        return f"search-{slug(resolved(self.claim).id)}"

    def shipped(self) -> Search:
        """For another process."""
        return replace(self, claim=named(self.claim))

    def run(self) -> list[Tally]:
        """What it found out."""
        claim = resolved(self.claim)
        generator = np.random.default_rng([self.seed, zlib.crc32(claim.id.encode())])
        if claim.problem is not None and claim.step is None:
            found = hunt_solved(claim, generator, self.instances // SOLVED_SHARE)
        else:
            found = hunt(
                claim,
                self._batches(claim),
                generator,
                hard=self.hard or claim.expected == "open",
                found=Keeping(claim.relation),
            )
        refuted = None if found.refuted is None else shrink(claim, *found.refuted)[0]
        return [Tally.of_hunt(claim.id, found, refuted)]

    def _batches(self, claim: Claim) -> list[Batch]:
        """The battery depends on the seed and on what is needed only, so that claims run on the same instances."""
        batteries = batteries_of(self.instances, self.seed)
        if claim.needs not in batteries:
            fresh = np.random.default_rng([self.seed, zlib.crc32(" ".join(sorted(claim.needs)).encode())])
            batteries[claim.needs] = [(part, part.quantities()) for part in battery(fresh, self.instances, claim.needs)]
        if claims.catalogue.get(claim.id) is claim:
            return batteries[claim.needs]
        # a formula that writes into its arrays is to hurt no other claim
        return [(part, None) for part, _ in batteries[claim.needs]]


@functools.lru_cache(maxsize=1)
def batteries_of(instances: int, seed: int) -> dict[frozenset[str], list[Batch]]:
    """Where the searches of one process keep what they share; those of earlier settings are dropped."""
    return {}
