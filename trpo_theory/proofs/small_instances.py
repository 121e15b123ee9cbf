"""`small_instances`: a few exact instances, the same for every claim, on which claims are decided in milliseconds."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from trpo_theory.proofs.region import Interval
from trpo_theory.step.exact import ExactInstance

_STATES, _ACTIONS = (1, 2, 3, 4), (2, 3, 4)
"""Sizes by turns. Chosen: small enough for exact solves in milliseconds; with one action new is always old."""
_DENOMINATOR = 12
"""Of the largest weights and rewards: chosen; products of such rationals have few digits."""
_SEED = 0
"""The same instances for every claim, so that a verdict can be had again."""


def small_instances(
    count: int, gamma: Interval | None = None, steps: Sequence[Fraction] = (Fraction(1),)
) -> Iterator[ExactInstance]:
    """Small MDPs with policies in simple rationals, some of whose probabilities are 0, by turns of each size.

    Args:
        count: how many.
        gamma: the discounts; from 0 to 99/100 if left out.
        steps: shares of the way from old to a random policy that new goes, by turns.
    """
    draw = random.Random(_SEED)
    ends = gamma or Interval(Fraction(0), Fraction(99, 100))
    for number in range(count):
        states, actions = _STATES[number % len(_STATES)], _ACTIONS[number % len(_ACTIONS)]
        share = Fraction(draw.randint(0, _DENOMINATOR), _DENOMINATOR)
        old, other = ([_row(draw, actions) for _ in range(states)] for _ in range(2))
        step = steps[number % len(steps)]
        yield ExactInstance(
            transition=[[_row(draw, states) for _ in range(actions)] for _ in range(states)],
            reward=[[_number(draw) for _ in range(actions)] for _ in range(states)],
            gamma=ends.low + share * (ends.high - ends.low),
            initial=_row(draw, states),
            old=old,
            new=[
                [(1 - step) * p + step * x for p, x in zip(*rows, strict=True)] for rows in zip(old, other, strict=True)
            ],
            noise=[[_number(draw) for _ in range(actions)] for _ in range(states)],
            size=Fraction(draw.randint(1, _DENOMINATOR), _DENOMINATOR),
        )


def _row(draw: random.Random, length: int) -> list[Any]:
    weights = [draw.randint(0, _DENOMINATOR) for _ in range(length)]
    weights[draw.randrange(length)] += 1
    return [Fraction(weight, sum(weights)) for weight in weights]


def _number(draw: random.Random) -> Fraction:
    return Fraction(draw.randint(-_DENOMINATOR, _DENOMINATOR), draw.randint(1, 3))
