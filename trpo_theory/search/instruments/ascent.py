"""Local ascent with gradients, rewards and steps in closed form."""

from __future__ import annotations

import numpy as np

from trpo_theory.bounds.record import Claim
from trpo_theory.search.climbing import ascend
from trpo_theory.search.forms import FORMS, formed
from trpo_theory.search.hunt import Hunt
from trpo_theory.search.instrument import Instrument
from trpo_theory.search.objective import Objective
from trpo_theory.search.shortfall import Shortfall

SHAPES = ((2, 2), (2, 3), (3, 2), (3, 3))
"""Sizes that are climbed, in the order in which a witness is wanted. Chosen."""
_WIDER = ((4, 2), (5, 2), (6, 2))
"""Sizes that a longer search adds. Chosen."""
_PARENTS = 6
"""Of the best of a size, so many get rewards and steps of every form. Chosen."""
_CLIMBERS = 4
"""Of those, so many are climbed from. Chosen."""
STEPS = 12
"""Of each climb, for `verify`. Chosen: what it costs is a part of the mutation's time."""


class Ascent(Instrument):
    """Climbs from the best instances of a size along gradients, with the rewards that make the gap largest (`forms`)."""

    name = "gradient ascent"
    descends = True

    def suits(self, claim: Claim) -> bool:
        """Inequalities whose instances need no structure that a step along a gradient would lose: a false identity needs none."""
        return super().suits(claim) and not claim.instance_needs and claim.relation == ">="

    def run(self, hunt: Hunt, effort: int) -> None:
        """The small sizes, each as long as a refutation of that size would be the smallest."""
        if not hunt.screen.batched:
            return
        objective = Shortfall(hunt.claim, hunt.screen, hunt.kind)
        if "groups" in objective.uses:
            return
        for shape in hunt.sizes((*SHAPES, *_WIDER) if effort > 1 else SHAPES):
            if hunt.wants(shape):
                climb(hunt, objective, shape, STEPS * effort)
                hunt.prove()


def climb(
    hunt: Hunt,
    objective: Objective,
    shape: tuple[int, int],
    steps: int,
    *,
    climbers: int = _CLIMBERS,
    exact: bool = False,
) -> None:
    """So many steps from the best of a size, in the best of all forms; γ moves, unless one is given."""
    parents, _ = hunt.best(shape)
    parents = parents.take(np.argsort(-objective(parents), kind="stable")[:_PARENTS])
    forms = np.repeat(np.arange(FORMS), len(parents))
    children = formed(parents.take(np.tile(np.arange(len(parents)), FORMS)), forms, objective.visits)
    values = objective(children)
    best = np.argsort(-values, kind="stable")[:climbers]
    best = best[np.isfinite(values[best])]
    if len(best):
        gamma_moves = hunt.only is None
        start = children.take(best)
        reached, _ = ascend(objective, start, forms[best], steps=steps, exact=exact, gamma_moves=gamma_moves)
        hunt.try_out(reached)
