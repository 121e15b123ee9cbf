"""Worst cases in closed form at other sizes than their own, for claims that speak of sizes."""

from __future__ import annotations

import math

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.search.agreement import names_sizes
from trpo_theory.search.battery import family_instances
from trpo_theory.search.dividing import divided, without_idle_actions
from trpo_theory.search.draws.chains import chains_and_cycles
from trpo_theory.search.hunt import Hunt
from trpo_theory.search.hypotheses import Fitting
from trpo_theory.search.impose import impose
from trpo_theory.search.instrument import Instrument
from trpo_theory.step.instances import Instances, joined

_SIZES = sorted(
    [
        *((states, actions) for states in range(2, 9) for actions in range(2, 7)),
        *((2, actions) for actions in (8, 9, 10, 12)),
        *((states, 2) for states in (9, 10, 12, 16)),
    ],
    key=math.prod,
)
"""(S, A) that are tried. Chosen."""
_EACH = 30
"""Of each family at each size. Chosen."""
_CHAINS = (4, 5, 6, 7, 8, 10, 12, 16)
"""States of the chains and cycles that are drawn. Chosen."""
_REACHING, _WANTED = 30, 64
"""Generations of a search for instances that meet the hypotheses, and how many end it, where none does. Chosen, as there."""
_MOST_STATES = 3
"""Of families that are divided. Chosen: worst cases of bounds have two or three."""


class OtherSizes(Instrument):
    """Divides the states and actions of the zoo's families, where that could matter: to sizes at which the hypotheses hold."""

    name = "zoo families of other sizes"

    def suits(self, claim: Claim) -> bool:
        """Those that speak of how many states or actions there are, or which are available."""
        return super().suits(claim) and names_sizes(claim)

    def run(self, hunt: Hunt, effort: int) -> None:
        """All sizes whose refutation would be the smallest; chains of all lengths; actions that nobody takes made unavailable."""
        if not hunt.screen.batched or hunt.only is not None:
            return
        needs, each = hunt.claim.instance_needs, _EACH * effort
        parts = hunt.shared(
            f"of other sizes, {each}", lambda generator: [impose(part, needs) for part in _made(generator, each)]
        )
        for part, known in parts:
            if not hunt.findings.wants(part.shape):
                continue
            q = part.quantities() if known is None else known
            if hunt.screen.met(q).any():
                hunt.try_out(part, known)
        if not hunt.sizes_met() and not hunt.screen.written_for_one:
            _reach(hunt, [part for part, _ in parts], effort)
        hunt.prove()


def _made(generator: np.random.Generator, each: int) -> list[Instances]:
    """So many of each family at each size, and of the chains and cycles of each length."""
    drawn = family_instances(generator, each)
    sources = [batch for batch in drawn if batch.shape[0] <= _MOST_STATES and batch.available is None]
    parts = [part for batch in sources if len(part := without_idle_actions(batch))]
    for states, actions in _SIZES:
        fit = [batch for batch in sources if batch.shape[0] <= states and batch.shape[1] <= actions]
        parts.append(joined([divided(batch, states, actions) for batch in fit]))
    return [*parts, *(chains_and_cycles(generator, each, states) for states in _CHAINS)]


def _reach(hunt: Hunt, parts: list[Instances], effort: int) -> None:
    """Look for instances that meet the hypotheses at the size where they are nearest to being met."""
    fitting = Fitting(hunt.screen, hunt.generator)
    nearest = min(parts, key=lambda part: hunt.screen.violation(part).min())
    found = fitting.reach(nearest, _REACHING * effort, _WANTED)
    if len(found):
        hunt.try_out(found)
