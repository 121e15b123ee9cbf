"""Instances drawn at random, and the zoo's families over their parameters."""

from __future__ import annotations

from trpo_theory.search.battery import FAMILY_SHARE, battery, random_instances
from trpo_theory.search.draws.families import KINDS, family_instances
from trpo_theory.search.hunt import Hunt
from trpo_theory.search.instrument import Instrument


class Samples(Instrument):
    """The battery: random instances of every kind and the zoo's families, the same for all claims of a run."""

    name = "random instances and zoo families"
    goes_on = False

    def run(self, hunt: Hunt, effort: int) -> None:
        """Try out the battery, once whatever the effort: each of `falsify`'s searches has a fresh one."""
        drawn = hunt.drawn()
        if hunt.only is not None:
            families = int(FAMILY_SHARE * hunt.instances)
            parts = [random_instances(hunt.generator, hunt.instances - families, *hunt.only.shape)]
            drawn = [(part, None) for part in [*parts, *family_instances(hunt.generator, max(1, families // KINDS))]]
        elif drawn is None:
            drawn = [(part, None) for part in battery(hunt.generator, hunt.instances, hunt.claim.instance_needs)]
        for instances, q in drawn:
            hunt.try_out(instances, q)
        hunt.prove()
