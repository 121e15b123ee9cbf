"""Formulas in plain Python in balls: max and sorted of balls that overlap, ties, and what must stay undecided."""

import math
import statistics
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from trpo_theory.bounds.record import Claim
from trpo_theory.proofs.settle import settle
from trpo_theory.step.exact import ExactInstance

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
KL = mpmath.log(mpmath.mpf(9) / 8) / 2
"""Of (1/2, 1/2) from (1/3, 2/3): ½ log(3/2) + ½ log(3/4)."""


def instance():
    """Three states that make the same step, so that their divergences are equal, and transcendental; rewards differ."""
    return ExactInstance(
        transition=[[[THIRD] * 3] * 2] * 3,
        reward=[[0, 1], [0, 2], [0, -3]],
        gamma=0.5,
        initial=[THIRD] * 3,
        old=[[HALF, HALF]] * 3,
        new=[[THIRD, 2 * THIRD]] * 3,
    )


def decided(formula, **details):
    return settle(Claim("mine/plain", formula, "s", **details), instance())


def encloses(decision, number):
    return decision.lower <= Fraction(str(number)) + Fraction(1, 10**12) and decision.upper >= Fraction(
        str(number)
    ) - Fraction(1, 10**12)


def _nearest_to_zero(q):
    s = max(range(q.states), key=lambda s: q.kl[s])
    return q.kl[s] - 1


def _either_branch(q):
    return q.kl[0] - 1 if q.kl[0] > q.kl[1] else q.kl[2] - 1


def _ordered(q):
    first, middle, last = sorted(q.kl)
    return first + middle + last - 3


REFUTED = {
    "max": (lambda q: max(q.kl) - 1, KL - 1),
    "max of two": (lambda q: max(q.kl[0], q.kl[1], 0) - min(2, q.kl[2] + 1), -1),
    "min of a generator": (lambda q: min(abs(k) for k in q.kl) - 1, KL - 1),
    "sorted": (_ordered, 3 * KL - 3),
    "median": (lambda q: statistics.median(q.kl) - 1, KL - 1),
    "sum": (lambda q: sum(q.kl) - math.fsum([1, *q.kl]), -1),
    "a key": (_nearest_to_zero, KL - 1),
    "a branch": (_either_branch, KL - 1),
    "np.max of a list": (lambda q: np.max([q.kl[0], q.kl[1]]) - 1, KL - 1),
    "math": (lambda q: math.sqrt(q.gamma / 2) - math.exp(math.log(float(q.gamma))) - 1, -1),
    "a root": (lambda q: math.sqrt(q.gamma) - 1, mpmath.sqrt(mpmath.mpf(1) / 2) - 1),
    "norms": (lambda q: np.linalg.norm(q.tv) - 2, mpmath.sqrt(3) / 6 - 2),
    "rounded": (lambda q: round(float(q.kl[0]), 2) - int(7 * q.gamma), mpmath.mpf("-2.94")),
}


@pytest.mark.parametrize("name", REFUTED)
def test_what_is_false_is_refuted_with_its_value(name):
    formula, value = REFUTED[name]
    decision = decided(formula)
    assert str(decision.verdict) == "refuted"
    assert encloses(decision, value)
    assert decision.precision <= 128


UNDECIDED = {
    "the reward of a tied state": lambda q: q.reward[max(range(q.states), key=lambda s: q.kl[s]), 1],
    "a branch on a tie": lambda q: 1 if q.kl[0] >= q.kl[1] else -1,
    "its contrary": lambda q: 1 if q.kl[0] <= q.kl[1] else -1,
    "two false values": lambda q: -1 if q.kl[0] > q.kl[1] else -2,
}


@pytest.mark.parametrize("name", UNDECIDED)
def test_what_a_tie_decides_stays_undecided(name):
    """Of the third the exact numbers say −1 or 1; nothing that is proved may depend on which."""
    assert str(decided(UNDECIDED[name]).verdict) == "undecided"


def test_hypotheses_are_answered_both_ways_as_well():
    tie = decided(lambda q: q.gamma - 1, given=lambda q: q.kl[0] <= q.kl[1])
    assert str(tie.verdict) == "undecided"
    either = decided(lambda q: q.gamma - 1, given=lambda q: (q.gamma > 0) if q.kl[0] <= q.kl[1] else (q.gamma < 1))
    assert str(either.verdict) == "refuted"
    assert either.lower == -HALF


def test_linear_systems_are_solved_in_balls():
    def formula(q):
        chain = np.einsum("sa,sat->st", q.old, q.transition)
        value = np.linalg.solve(np.eye(q.states) - q.gamma * chain, (q.old * q.reward).sum(axis=1))
        return np.array([value[0] - max(q.value) - 1])

    # V = r + γ/(1 − γ) mean(r), r = (1/2, 1, −3/2): V(0) − V(1) − 1
    decision = decided(formula)
    assert (decision.lower, decision.upper) == (-Fraction(3, 2), -Fraction(3, 2))


def test_errors_of_math_are_those_of_math():
    assert str(decided(lambda q: -1 if _fails(q) else 1).verdict) == "refuted"


def _fails(q):
    try:
        math.log(q.gamma - 1)
    except ValueError:
        return True
    return False
