"""The sharp gap's witnesses: a bound that is false by a few per cent is refuted by one float evaluation."""

from __future__ import annotations

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.search.closed_forms import GAMMAS, walks
from trpo_theory.search.distinct import distinct
from trpo_theory.search.hunt import Hunt
from trpo_theory.search.impose import impose
from trpo_theory.search.instrument import Instrument
from trpo_theory.search.stretching import stretched_to_fit
from trpo_theory.search.witnesses import FEW_STATES, sharp_witnesses, variations
from trpo_theory.step.instances import Instances

_GRID = distinct(np.concatenate([1 - np.geomspace(1.0, 1e-6, 61)[1:], np.geomspace(1e-6, 0.5, 12), GAMMAS]))
"""Discounts among which those are looked for that a claim's hypotheses allow."""
_TRIED = 6
"""Discounts that the witnesses are tried at where hypotheses exclude their own. Chosen."""
_STRETCHES = np.array([1.0, 1e-2, 1e-4])
"""Steps of those, as shares of the witnesses' own. Chosen."""
_LARGEST_STRETCHED = 35
"""Of those whose steps are stretched. Chosen: larger ones cost as much as all of these."""


class SharpWitnesses(Instrument):
    """Tries out the witnesses; where the hypotheses exclude the discounts of all of them, at discounts that they allow."""

    name = "sharp witnesses"
    goes_on = False

    def suits(self, claim: Claim) -> bool:
        """Whether it is an inequality about any new: on an identity a large witness has nothing to say."""
        return super().suits(claim) and claim.relation == ">="

    def run(self, hunt: Hunt, effort: int) -> None:
        """All of them, once, as long as a refutation of their size would be the smallest."""
        needs, met = hunt.claim.instance_needs, False
        for batch, q in hunt.witnesses():
            if hunt.findings.wants(batch.shape):
                met |= bool(hunt.try_out(batch, q).met.any())
                hunt.prove()
        if not met and hunt.only is None:
            gammas = _allowed(hunt)
            small = sharp_witnesses(FEW_STATES) if len(gammas) else []
            for batch in small:
                hunt.try_out(impose(variations(batch, gammas, _STRETCHES), needs))
        elif hunt.claim.given is not None and hunt.screen.batched and not needs:
            _stretch(hunt)
        hunt.prove()


def _stretch(hunt: Hunt) -> None:
    """Try the witnesses out with steps as long as the hypotheses allow, where these limit steps."""
    for batch in sharp_witnesses(FEW_STATES if hunt.proved else _LARGEST_STRETCHED):
        if hunt.findings.wants(batch.shape):
            fitting = stretched_to_fit(hunt.screen, batch)
            if len(fitting):
                hunt.try_out(fitting)
                hunt.prove()


def _allowed(hunt: Hunt) -> np.ndarray:
    """Some discounts, far apart, at which a small step meets the hypotheses."""
    steps = [walks(_GRID, np.full(len(_GRID), x), 1) for x in (1e-5, 1e-2, 0.3)]
    met = np.any([_met(hunt, step) for step in steps], axis=0)
    found = _GRID[met]
    return found[distinct(np.linspace(0, len(found) - 1, _TRIED).astype(int))] if len(found) else found


def _met(hunt: Hunt, instances: Instances) -> np.ndarray:
    return hunt.screen(impose(instances, hunt.claim.instance_needs)).met
