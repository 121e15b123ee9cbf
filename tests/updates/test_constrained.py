"""The constrained update against linear programs, a conic solver on the problem as it stands, and one state by hand."""

import cvxpy as cp
import numpy as np
import pytest
from scipy.optimize import linprog

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.updates import MaxKL, MaxTV, MeanKL, Penalty, constrained_update
from trpo_theory.updates.status import Status

GAMMA = 0.9


def case(seed, states=4, actions=3):
    """An MDP with two costs, old, and from NumPy alone ρ, A and the return of r and of each cost."""
    rng = np.random.default_rng(seed)
    transition, start = rng.dirichlet(np.ones(states), (states, actions)), rng.dirichlet(np.ones(states))
    rewards = {name: rng.normal(size=(states, actions)) for name in ("r", "a", "b")}
    old = rng.dirichlet(np.ones(actions), states)
    mdp = tt.FiniteMDP(transition, rewards["r"], GAMMA, start, costs={name: rewards[name] for name in "ab"})
    system = np.eye(states) - GAMMA * np.einsum("sa,sat->st", old, transition)
    rho, advantages, returns = np.linalg.solve(system.T, start), {}, {}
    for name, reward in rewards.items():
        value = np.linalg.solve(system, (old * reward).sum(1))
        advantages[name] = reward + GAMMA * transition @ value - value[:, None]
        returns[name] = start @ value
    return mdp, old, rho, advantages, returns


@pytest.mark.parametrize("kind", [MaxKL, MeanKL])
@pytest.mark.parametrize("offset", [-0.05, 0.02])
@pytest.mark.parametrize("seed", [0, 2])
def test_the_optimum_is_that_of_a_conic_solver(kind, offset, seed):
    mdp, old, rho, advantages, returns = case(seed)
    x = cp.Variable(old.shape)
    rows = cp.sum(cp.multiply(old, np.log(old) - cp.log(x)), axis=1)
    moved = {name: cp.sum(cp.multiply(rho[:, None] * array, x)) for name, array in advantages.items()}
    held = rows if kind is MaxKL else (1 - GAMMA) * rho @ rows
    limits = [held <= 0.01, cp.sum(x, axis=1) == 1, moved["a"] <= offset, moved["b"] <= offset]
    wanted = cp.Problem(cp.Maximize(moved["r"]), limits).solve(solver="CLARABEL")
    found = constrained_update(mdp, old, kind(0.01), {name: returns[name] + offset for name in "ab"})
    assert found.status is Status.OPTIMAL
    assert found.objective == pytest.approx(wanted, rel=1e-5)
    assert found.objective <= found.upper_bound <= found.objective * (1 + 1e-6)
    assert found.divergence <= 0.01 * (1 + 1e-9)
    new = found.policy - old
    for name in "ab":
        moved_by = (rho[:, None] * advantages[name] * new).sum()
        assert moved_by <= offset + 1e-9
        assert found.cost_surrogates[name] == pytest.approx(returns[name] + moved_by, abs=1e-9)
        assert found.prices[name] * (offset - moved_by) == pytest.approx(0, abs=1e-6), "complementary slackness"


@pytest.mark.parametrize("seed", [1, 3, 4])
def test_without_a_radius_it_is_a_linear_program(seed):
    mdp, old, rho, advantages, returns = case(seed)
    weights = {name: (rho[:, None] * array).ravel() for name, array in advantages.items()}
    rows = np.kron(np.eye(len(old)), np.ones(old.shape[1]))
    limits = {"a": -0.4, "b": 0.1}
    program = linprog(
        -weights["r"], np.stack([weights[name] for name in limits]), list(limits.values()), rows, np.ones(len(old))
    )
    given = {name: returns[name] + limit for name, limit in limits.items()}
    found = constrained_update(mdp, old, MaxTV(1.0), given)
    assert found.objective == pytest.approx(-program.fun, rel=1e-7)
    for name, marginal in zip(limits, program.ineqlin.marginals, strict=True):
        assert found.prices[name] == pytest.approx(-marginal, rel=1e-5, abs=1e-7)


def test_in_one_state_it_is_the_linear_program_over_occupancies():
    reward, cost = np.array([[1.0, 3.0, 2.0]]), np.array([[0.0, 4.0, 1.0]])
    mdp = tt.FiniteMDP(np.ones((1, 3, 1)), reward, 0.5, costs={"c": cost})
    program = linprog(-reward[0], cost, [3.0], np.ones((1, 3)), [2.0])
    found = constrained_update(mdp, [[1.0, 0.0, 0.0]], MaxTV(1.0), {"c": 3.0})
    assert found.quantities.expected_return_new == pytest.approx(-program.fun, rel=1e-9)
    assert found.costs_new["c"] == pytest.approx(3.0)


def test_a_binary_choice_by_hand():
    """r = (0, 1), c = (0, 1) in one state: new(1) = ½ + x gains 2 x and costs 2 x more: the limit 1.1 gives x = 0.05."""
    mdp = tt.FiniteMDP([[[1], [1]]], [[0, 1]], 0.5, costs={"c": [[0, 1]]})
    found = constrained_update(mdp, [[0.5, 0.5]], MaxKL(0.1), {"c": 1.1})
    np.testing.assert_allclose(found.policy, [[0.45, 0.55]], atol=1e-12)
    assert found.prices["c"] == pytest.approx(1.0, rel=1e-6)


def test_a_limit_that_no_policy_within_the_radius_meets_gives_the_recovery_step():
    """One cost: the recovery step is that of the update for the reward −c, in closed form for one state."""
    mdp = tt.FiniteMDP([[[1], [1]]], [[0, 1]], 0.5, costs={"c": [[0, 1]]})
    delta = -0.5 * np.log(1 - 0.6**2)  # KL(½, ½ ‖ ½ + x, ½ − x) = −½ log(1 − 4 x²) for x = 0.3
    found = constrained_update(mdp, [[0.5, 0.5]], MaxKL(delta), {"c": 0.3})
    assert found.status is Status.RECOVERY
    np.testing.assert_allclose(found.policy, [[0.8, 0.2]], atol=1e-9)
    assert found.cost_surrogates["c"] == pytest.approx(0.4)
    assert found.prices["c"] * (found.cost_surrogates["c"] - 0.3) > 0


def test_two_costs_that_exclude_each_other_share_the_excess():
    mdp = tt.FiniteMDP(np.ones((1, 2, 1)), [[0, 1]], 0.5, costs={"a": [[0, 1]], "b": [[1, 0]]})
    found = constrained_update(mdp, [[0.9, 0.1]], MaxTV(1.0), {"a": 0.5, "b": 0.5})
    assert found.status is Status.RECOVERY
    # excesses over what the costs may fall by, (2 p − 0.5)/0.2 and (2 (1 − p) − 0.5)/1.8 for new = (1 − p, p)
    p = (1.5 / 1.8 + 0.5 / 0.2) / (2 / 0.2 + 2 / 1.8)
    np.testing.assert_allclose(found.policy, [[1 - p, p]], atol=1e-7)


def test_a_start_that_exceeds_its_limit_is_led_back_where_the_radius_allows_it():
    mdp, old, _, _, returns = case(5)
    found = constrained_update(mdp, old, MaxKL(0.05), {"a": returns["a"] - 0.1})
    assert found.status is Status.OPTIMAL
    assert found.cost_surrogates["a"] <= returns["a"] - 0.1 + 1e-9


@pytest.mark.parametrize(
    ("problem", "limits", "said"),
    [
        (Penalty(1.0), {"a": 1.0}, "a trust region"),
        (MaxKL(0.1), {}, "a limit a cost"),
        (MaxKL(0.1), {"z": 1.0}, "wanted a, b"),
        (MaxKL(0.1), {"a": np.inf}, "a finite number"),
    ],
)
def test_anything_else_is_refused(problem, limits, said):
    mdp, old, *_ = case(0)
    with pytest.raises(InvalidInput, match=said):
        constrained_update(mdp, old, problem, limits)
