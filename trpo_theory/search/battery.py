"""The battery that every claim is run against: random, sparse, deterministic, aggregated and worst-case instances, tiny steps."""

from __future__ import annotations

import numpy as np

from trpo_theory.search.draws import numbers
from trpo_theory.search.draws.chains import chains_and_cycles
from trpo_theory.search.draws.families import KINDS, family_instances
from trpo_theory.search.draws.numbers import GAMMAS
from trpo_theory.search.draws.policies import two_policies
from trpo_theory.search.draws.rows import random_rows, share
from trpo_theory.search.draws.structures import (
    oddities,
    random_available,
    with_available,
    with_worst_reward,
)
from trpo_theory.search.impose import impose
from trpo_theory.step.instances import Instances, joined

__all__ = [
    "GAMMAS",
    "SHAPES",
    "battery",
    "family_instances",
    "random_instances",
    "random_rows",
    "share",
    "with_worst_reward",
]

SHAPES = {
    (1, 2): 3,
    (1, 3): 1,
    (1, 4): 1,
    (1, 5): 1,
    (1, 6): 1,
    (2, 2): 4,
    (2, 3): 4,
    (2, 4): 3,
    (3, 2): 3,
    (3, 3): 4,
    (4, 2): 2,
    (4, 3): 2,
    (5, 3): 2,
}
"""(S, A) of the random instances, and their shares. Chosen: counterexamples that were found have few states."""
MASKED = ((1, 4), (2, 4), (4, 3))
"""Sizes some of whose instances have actions that cannot be taken. Chosen: a mask makes formulas slower."""
CHAINS = (4, 5, 7, 8)
"""States of the chains and cycles. Chosen: one size more than there are anyway."""
FAMILY_SHARE = 0.2
"""Of a battery: from the zoo's families in closed form. Chosen."""
_CHAIN_SHARE = 0.03
"""Of a battery: chains and cycles. Chosen."""


def battery(
    generator: np.random.Generator,
    instances: int,
    needs: frozenset[str] = frozenset(),
    *,
    family_share: float = FAMILY_SHARE,
) -> list[Instances]:
    """About so many instances, a batch for each size; `needs` as of a claim."""
    rest = instances * (1 - family_share - _CHAIN_SHARE) / sum(SHAPES.values())
    parts = [
        random_instances(generator, max(1, round(rest * share)), *shape, masked=shape in MASKED)
        for shape, share in SHAPES.items()
    ]
    each = max(1, round(instances * _CHAIN_SHARE / len(CHAINS)))
    parts += [chains_and_cycles(generator, each, states) for states in CHAINS]
    parts += family_instances(generator, max(1, round(instances * family_share / KINDS)))
    by_shape: dict[tuple[int, int], list[Instances]] = {}
    for part in parts:
        by_shape.setdefault(part.shape, []).append(part)
    return [impose(joined(group), needs) for group in by_shape.values()]


def random_instances(
    generator: np.random.Generator, count: int, states: int, actions: int, *, masked: bool = False
) -> Instances:
    """Of every kind, mixed: how dense the rows are, how close the policies, whether states share rows, which reward.

    masked: whether in some of them some actions cannot be taken.
    """
    shape = (count, states, actions)
    transition = random_rows(generator, (*shape, states))
    groups = np.broadcast_to(np.arange(states), (count, states)).copy()
    shared = generator.random(count) < 0.2
    groups[shared] = generator.integers(0, 2, (int(shared.sum()), 1)) * generator.integers(
        0, max(1, states), (int(shared.sum()), states)
    )
    available = random_available(generator, groups, actions) if masked else None
    old, new = two_policies(generator, shape, available)
    made = Instances(
        transition=transition,
        reward=numbers.rewards(generator, shape),
        gamma=numbers.gammas(generator, count),
        initial=numbers.initials(generator, count, states),
        old=old,  # `oddities` has states of a group share a row
        new=new,
        reference=random_rows(generator, shape),
        noise=numbers.errors(generator, shape),
        groups=groups,
        size=10 ** generator.uniform(-2, 2, count),
    )
    if available is not None:
        made = with_available(made, available)
    return with_worst_reward(oddities(generator, made), generator.random(count) < 0.4)
