"""`q.cost` and `Evaluation.costs` against NumPy from the definitions, with every criterion."""

import numpy as np
import pytest
from numpy.linalg import matrix_power, solve

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.step.exact import ExactInstance

RNG = np.random.default_rng(5)
P = RNG.dirichlet(np.ones(3), (3, 2))
R, C, D = RNG.normal(size=(3, 3, 2))
START = RNG.dirichlet(np.ones(3))
OLD, NEW = RNG.dirichlet(np.ones(2), (2, 3))
MDP = tt.FiniteMDP(P, R, 0.75, START, costs={"fuel": C, "heat": D})


def chain(policy):
    return np.einsum("sa,sat->st", policy, P)


def discounted(cost, policy):
    return START @ solve(np.eye(3) - 0.75 * chain(policy), (policy * cost).sum(1))


def over_five_steps(cost, policy):
    return sum(0.75**t * START @ matrix_power(chain(policy), t) @ (policy * cost).sum(1) for t in range(5))


def average(cost, policy):
    stationary = matrix_power(chain(policy), 4000)[0]
    return stationary @ (policy * cost).sum(1)


@pytest.mark.parametrize(
    ("options", "oracle"),
    [({}, discounted), ({"horizon": 5}, over_five_steps), ({"criterion": "average"}, average)],
    ids=["discounted", "horizon", "average"],
)
def test_returns_of_costs(options, oracle):
    q = tt.compare(MDP, OLD, NEW, **options)
    assert q.cost_names == ("fuel", "heat")
    for name, cost in (("fuel", C), ("heat", D)):
        assert q.cost(name).expected_return_old == pytest.approx(oracle(cost, OLD), rel=1e-10)
        assert q.cost(name).expected_return_new == pytest.approx(oracle(cost, NEW), rel=1e-10)
        found = tt.evaluate(MDP, NEW, **options).costs[name]
        assert found.expected_return == pytest.approx(oracle(cost, NEW), rel=1e-10)


def test_the_advantage_and_the_surrogate_of_a_cost():
    q = tt.compare(MDP, OLD, NEW).cost("heat")
    value = solve(np.eye(3) - 0.75 * chain(OLD), (OLD * D).sum(1))
    advantage = D + 0.75 * P @ value - value[:, None]
    visitation = solve(np.eye(3) - 0.75 * chain(OLD).T, START)
    np.testing.assert_allclose(q.advantage, advantage, atol=1e-12)
    assert q.surrogate_gain == pytest.approx(visitation @ (NEW * advantage).sum(1), rel=1e-10)
    assert q.max_tv == pytest.approx(np.abs(NEW - OLD).sum(1).max() / 2)


def test_a_batch_of_mdps_and_of_policies():
    scale = np.array([1.0, 2.0, -3.0])
    many = tt.FiniteMDP(np.stack([P] * 3), np.stack([R] * 3), 0.75, START, costs={"c": scale[:, None, None] * C})
    np.testing.assert_allclose(tt.compare(many, OLD, NEW).cost("c").expected_return_new, scale * discounted(C, NEW))
    steps = tt.compare(MDP, OLD, np.stack([OLD, NEW])).cost("fuel").expected_return_new
    np.testing.assert_allclose(steps, [discounted(C, OLD), discounted(C, NEW)])
    np.testing.assert_allclose(tt.evaluate(many, NEW).costs["c"].expected_return, scale * discounted(C, NEW))


def test_a_temperature_prices_the_reward_and_no_cost():
    found = tt.evaluate(MDP, NEW, temperature=0.5)
    assert found.costs["fuel"].expected_return == pytest.approx(discounted(C, NEW), rel=1e-12)


def test_an_unknown_cost_is_refused():
    with pytest.raises(InvalidInput, match="fuel, heat"):
        tt.compare(MDP, OLD, NEW).cost("water")


def test_the_exact_instance_has_them_in_rationals():
    mdp = tt.FiniteMDP([[[1], [1]]], [[0, 1]], 0.5, costs={"c": [[0.25, 0.5]]})
    q = ExactInstance.of(mdp, [[1, 0]], [[0.5, 0.5]]).quantities().with_cost_names(("c",))
    assert str(q.cost("c").expected_return_new) == "Ball(3/4)"
    named = ExactInstance(
        transition=[[[1], [1]]],
        reward=[[0, 1]],
        gamma=0.5,
        initial=[1],
        old=[[1, 0]],
        new=[[1, 0]],
        costs={"c": ["1/3"]},
    )
    assert str(named.costs.tolist()) == "[[[Fraction(1, 3)], [Fraction(1, 3)]]]"
