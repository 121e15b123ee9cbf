"""`Chunk`: a number of instances of one recipe against many claims at once, in floats; ball arithmetic decides the rest."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trpo_theory import claims as catalogue
from trpo_theory.bounds.record import Claim
from trpo_theory.errors import ClaimFailed
from trpo_theory.search.battery import battery, random_instances
from trpo_theory.search.hunt import Batch, Hunt
from trpo_theory.search.impose import impose
from trpo_theory.search.instruments.samples import Samples
from trpo_theory.search.instruments.solver_steps import SolverSteps
from trpo_theory.step.instances import Instances
from trpo_theory.verification.kept_findings import KeepingFindings, RecheckingFindings
from trpo_theory.verification.portable import Portable, is_of_file, portable, restored, slug
from trpo_theory.verification.tally import Tally

CHUNK = 20_000
"""Instances in a chunk. Chosen: a second or so of work, and tens of megabytes."""


@dataclass(frozen=True)
class Chunk:
    """A task: its instances depend on the seed, the recipe and the index only, and not on who runs it, when, or for which claims.

    Attributes:
        claims: those that are tested, or what another process finds them by; their instances have one recipe.
        needs: the parts of `bounds.record_checks.NEEDS` that the instances must have.
        solved: the id of the one claim whose problem is solved for new; "" for claims that take new as it is drawn.
        index: of the chunk.
        instances: how many; a battery has about so many.
        seed: of the run.
        shape: (S, A) of all of them; None for the battery's mixture of sizes and families.
    """

    claims: tuple[Portable, ...]
    needs: frozenset[str]
    solved: str
    index: int
    instances: int
    seed: int
    shape: tuple[int, int] | None = None

    @property
    def recipe(self) -> str:
        """What its instances are, in words: the name of its kind of chunks, and what their seeds are made of."""
        if self.solved:
            return f"solved {self.solved}"
        size = f"{self.shape[0]}x{self.shape[1]}" if self.shape else "battery"
        return " ".join([size, *sorted(self.needs)])

    @property
    def name(self) -> str:
        """The stem of its file's name."""
        return f"{slug(self.recipe)}-{self.index:06d}"

    @property
    def generator(self) -> np.random.Generator:
        """Its own stream: a child of the seed's and the recipe's."""
        return np.random.default_rng(
            np.random.SeedSequence([self.seed, zlib.crc32(self.recipe.encode())], spawn_key=(self.index,))
        )

    @property
    def ids(self) -> tuple[str, ...]:
        """Of its claims."""
        return tuple(restored(claim).id for claim in self.claims)

    @property
    def runs_files(self) -> bool:
        """Whether a claim's code is in a file of the user's."""
        return any(is_of_file(claim) for claim in self.claims)

    def only(self, ids: Collection[str]) -> Chunk:
        """The same instances for some of its claims."""
        return replace(self, claims=tuple(claim for claim in self.claims if restored(claim).id in ids))

    def shipped(self) -> Chunk:
        """A copy that can be pickled."""
        return replace(self, claims=tuple(portable(claim) for claim in self.claims))

    def run(self) -> list[Tally]:
        """The tallies, in the order of the claims; of a claim whose own code fails, the error."""
        chosen = [restored(claim) for claim in self.claims]
        batches: list[Batch] = [] if self.solved else [(part, part.quantities()) for part in self.drawn()]
        return [tally_or_error(claim, lambda claim: self._tally(claim, batches)) for claim in chosen]

    def drawn(self) -> list[Instances]:
        """The instances, a batch a size."""
        if self.shape is None:
            return battery(self.generator, self.instances, self.needs)
        return [impose(random_instances(self.generator, self.instances, *self.shape), self.needs)]

    def _tally(self, claim: Claim, batches: list[Batch]) -> Tally:
        findings = (KeepingFindings if self.solved else RecheckingFindings)(claim.relation)
        drawn = readable_by(claim, batches)
        hunt = Hunt(claim, self.generator, instances=self.instances, drawn=lambda: drawn, findings=findings)
        error = ""
        try:
            (SolverSteps() if self.solved else Samples()).use(hunt, 1)
            hunt.prove_near()
        except ClaimFailed as failed:  # what was found before counts
            error = failed.complaint
        refuted = findings.refuted[0] if findings.refuted else None
        return Tally.of_findings(claim.id, findings, refuted, error or hunt.screen.complaint)


def readable_by(claim: Claim, batches: list[Batch]) -> list[Batch]:
    """With their quantities for a claim of the catalogue only: a formula that writes into them must not corrupt the others'."""
    if catalogue.catalogue.get(claim.id) is claim:
        return batches
    return [(instances, None) for instances, _ in batches]


def tally_or_error(claim: Claim, tallied: Callable[[Claim], Tally]) -> Tally:
    """The claim's tally; one that says what its own code raised, so that the other claims are judged all the same."""
    try:
        return tallied(claim)
    except ClaimFailed as error:
        return Tally(claim.id, error=error.complaint)


def chunks(
    claims: Sequence[Claim], instances: int, seed: int, *, shape: tuple[int, int] | None = None, searched: int = 0
) -> list[Chunk]:
    """The chunks that make up so many instances for every claim: all of them of a shape, or what a search has not tried."""
    groups: dict[tuple[frozenset[str], str], list[Claim]] = {}
    for claim in claims:
        solved = claim.id if claim.is_solved else ""
        groups.setdefault((frozenset() if solved else claim.instance_needs, solved), []).append(claim)
    made = []
    for (needs, solved), group in groups.items():
        first = 0 if shape and not solved else searched
        for index, start in enumerate(range(first, instances, CHUNK)):
            size = min(CHUNK, instances - start)
            made.append(Chunk(tuple(group), needs, solved, index, size, seed, None if solved else shape))
    return made
