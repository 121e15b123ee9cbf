"""V, A and ρ in balls: they contain the exact rationals, whatever the discount, the rewards and the probabilities are."""

from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq

from trpo_theory.errors import NotSolved
from trpo_theory.numerics.ball.chain import enclosed_policy
from trpo_theory.numerics.ball.raw import precision, raw
from trpo_theory.step.exact import ExactInstance


def fields_of(seed, gamma, *, states=4, actions=3, offset=0.0, tiny=False):
    rng = np.random.default_rng(seed)
    concentration = 0.02 if tiny else 1.0
    policy = rng.dirichlet(np.full(actions, concentration), size=states)
    return {
        "gamma": Fraction(repr(gamma)),
        "transition": rng.dirichlet(np.full(states, concentration), size=(states, actions)),
        "reward": offset + rng.normal(size=(states, actions)),
        "initial": np.eye(states)[0],
        "available": np.ones((states, actions), dtype=bool),
    }, policy


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.999, 1 - 1e-9, 1 - 1e-12])
@pytest.mark.parametrize("offset", [0.0, 1e10])
@pytest.mark.parametrize("tiny", [False, True])
def test_the_balls_contain_the_exact_solution_and_are_small(gamma, offset, tiny):
    with precision(8192):  # of the comparisons
        for seed in range(3):
            fields, policy = fields_of(seed, gamma, offset=offset, tiny=tiny)
            found = enclosed_policy(**fields, policy=policy, bits=192)
            q = ExactInstance(**fields, old=policy, new=policy).quantities()
            for name, balls in (("value", found.value), ("visitation_old", found.visitation)):
                for ball, exact in zip(balls, getattr(q, name), strict=True):
                    assert ball.contains(exact.raw)
                    assert ball.rel_accuracy_bits() > 45
            for row, exact_row in zip(found.advantage, q.advantage, strict=True):
                for ball, exact in zip(row, exact_row, strict=True):
                    assert ball.contains(exact.raw)


def test_fractions_are_taken_exactly_and_unreached_states_have_no_visitation():
    third = Fraction(1, 3)
    found = enclosed_policy(
        gamma=third,
        transition=np.array([[[1, 0]], [[third, 1 - third]]], dtype=object),
        reward=np.array([[third], [1]], dtype=object),
        initial=np.array([1, 0], dtype=object),
        policy=np.array([[1], [1]], dtype=object),
        available=np.ones((2, 1), dtype=bool),
        bits=128,
    )
    assert found.visitation[0].contains(raw(Fraction(3, 2)))
    assert found.visitation[1].is_zero()
    assert found.value[0].contains(fmpq(1, 2))


def test_a_discount_that_floats_cannot_solve_for_is_refused():
    fields, policy = fields_of(0, 0.5)
    fields["gamma"] = 1 - Fraction(1, 10**40)
    with pytest.raises(NotSolved, match="further from 1"):
        enclosed_policy(**fields, policy=policy, bits=192)
