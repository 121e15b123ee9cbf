"""An identity on exact instances: no proof, but a check without rounding; one that fails on one of them is refuted."""

from __future__ import annotations

from collections.abc import Mapping

from trpo_theory.bounds.record import Claim
from trpo_theory.numerics.ball.raw import Undecided
from trpo_theory.proofs.evidence import FileKind
from trpo_theory.proofs.method import Attempt
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.region import Region
from trpo_theory.proofs.settle import settle
from trpo_theory.proofs.small_instances import small_instances

_INSTANCES = 100
"""That are tried. Chosen: a fraction of a second."""


class _Identity:
    """A claim of relation "=", in exact rationals: equality at random points proves nothing, as a note says."""

    name: str = "identity"
    seconds: float = 1.0
    files: Mapping[str, FileKind] = {}

    def attempt(self, claim: Claim, region: Region) -> Attempt | None:
        """How many exact instances it holds on; one of them that refutes it."""
        if claim.relation != "=" or claim.is_solved or region.radius is not None:  # a radius of what is not known
            return None
        held = 0
        for instance in small_instances(_INSTANCES, region.gamma):
            try:
                verdict = settle(claim, instance).verdict
            except Undecided:
                continue
            if verdict is Outcome.REFUTED:
                return Attempt(None, refuted=instance)
            held += verdict is Outcome.PROVED
        return Attempt(None, note=f"identity, checked at {held} exact instances") if held else None


METHOD = _Identity()
