"""An identity on exact instances: no proof, but a check without rounding; one that fails on one of them is refuted."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from trpo_theory.bounds.record import Claim
from trpo_theory.numerics.ball.raw import Undecided
from trpo_theory.proofs.evidence import FileKind
from trpo_theory.proofs.method import Attempt
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.region import Interval, Region
from trpo_theory.proofs.settle import settle
from trpo_theory.step.exact import ExactInstance

_INSTANCES = 100
"""That are tried. Chosen: a fraction of a second."""
_STATES, _ACTIONS = (1, 2, 3, 4), (2, 3, 4)
"""Sizes by turns. Chosen: small enough for exact solves in milliseconds; with one action new is always old."""
_DENOMINATOR = 12
"""Of the largest weights and rewards: chosen; products of such rationals have few digits."""
_SEED = 0
"""The same instances for every claim, so that a verdict can be had again."""


class _Identity:
    """A claim of relation "=", in exact rationals: equality at random points proves nothing, as a note says."""

    name = "identity"
    seconds = 1.0
    files: Mapping[str, FileKind] = {}

    def attempt(self, claim: Claim, region: Region) -> Attempt | None:
        """How many exact instances it holds on; one of them that refutes it."""
        if claim.relation != "=" or claim.is_solved or region.radius is not None:  # a radius of what is not known
            return None
        held = 0
        for instance in _instances(region.gamma):
            try:
                verdict = settle(claim, instance).verdict
            except Undecided:
                continue
            if verdict is Outcome.REFUTED:
                return Attempt(None, refuted=instance)
            held += verdict is Outcome.PROVED
        return Attempt(None, note=f"identity, checked at {held} exact instances") if held else None


def _instances(gamma: Interval | None) -> Iterator[ExactInstance]:
    """Small MDPs with policies in simple rationals, some of whose probabilities are 0, by turns of each size."""
    draw = random.Random(_SEED)
    ends = gamma or Interval(Fraction(0), Fraction(99, 100))
    for number in range(_INSTANCES):
        states, actions = _STATES[number % len(_STATES)], _ACTIONS[number % len(_ACTIONS)]
        share = Fraction(draw.randint(0, _DENOMINATOR), _DENOMINATOR)
        yield ExactInstance(
            transition=[[_row(draw, states) for _ in range(actions)] for _ in range(states)],
            reward=[[_number(draw) for _ in range(actions)] for _ in range(states)],
            gamma=ends.low + share * (ends.high - ends.low),
            initial=_row(draw, states),
            old=[_row(draw, actions) for _ in range(states)],
            new=[_row(draw, actions) for _ in range(states)],
            noise=[[_number(draw) for _ in range(actions)] for _ in range(states)],
            size=Fraction(draw.randint(1, _DENOMINATOR), _DENOMINATOR),
        )


def _row(draw: random.Random, length: int) -> list[Any]:
    weights = [draw.randint(0, _DENOMINATOR) for _ in range(length)]
    weights[draw.randrange(length)] += 1
    return [Fraction(weight, sum(weights)) for weight in weights]


def _number(draw: random.Random) -> Fraction:
    return Fraction(draw.randint(-_DENOMINATOR, _DENOMINATOR), draw.randint(1, 3))


METHOD = _Identity()
