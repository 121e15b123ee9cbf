"""The constrained update against linear programs, a conic solver on the problem as it stands, and one state by hand."""

import cvxpy as cp
import numpy as np
import pytest
from scipy.optimize import linprog

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.updates import Certified, MaxKL, MaxTV, MeanKL, Penalty, constrained_update
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


@pytest.mark.parametrize("setting", [{"criterion": "average"}, {"horizon": 3}])
def test_in_other_settings_it_is_a_linear_program_too(setting):
    """Total variation 1 leaves no radius; ρ and A of every cost by recursions in NumPy."""
    mdp, old, *_ = case(6)
    mdp = tt.FiniteMDP(mdp.transition, mdp.reward, 1.0, mdp.initial, costs=mdp.costs)
    chain = np.einsum("sa,sat->st", old, mdp.transition)
    parts = {}
    for name, reward in {"r": mdp.reward, **mdp.costs}.items():
        earned = (old * reward).sum(1)
        if "horizon" in setting:
            value, law, weights, laws = np.zeros(4), mdp.initial, [], []
            for _ in range(3):
                q = reward + mdp.transition @ value
                value = (old * q).sum(1)
                weights.insert(0, q - value[:, None])
                laws.append(law)
                law = law @ chain
            parts[name] = np.concatenate(laws)[:, None] * np.concatenate(weights), mdp.initial @ value
        else:
            law = np.linalg.lstsq(np.vstack([np.eye(4) - chain.T, np.ones(4)]), np.eye(5)[4], rcond=None)[0]
            bias = np.linalg.solve(np.eye(4) - chain + law, earned - law @ earned)
            q = reward - law @ earned + mdp.transition @ bias
            parts[name] = law[:, None] * (q - bias[:, None]), law @ earned
    before = np.tile(old, (setting.get("horizon", 1), 1))
    moves = np.stack([parts[name][0].ravel() for name in "ab"])
    limits = {name: parts[name][1] - 0.05 for name in "ab"}
    room = np.array([limits[name] - parts[name][1] for name in "ab"]) + moves @ before.ravel()
    rows = np.kron(np.eye(len(before)), np.ones(3))
    program = linprog(-parts["r"][0].ravel(), moves, room, rows, np.ones(len(before)))
    found = tt.update(mdp, old, MaxTV(1.0, costs=limits), **setting)
    assert found.status is Status.OPTIMAL
    assert found.objective == pytest.approx(-program.fun - (parts["r"][0] * before).sum(), rel=1e-7)
    assert found.upper_bound >= found.objective
    for name in "ab":
        assert found.cost_surrogates[name] <= limits[name] + 1e-9


def test_a_batch_is_solved_one_by_one():
    one, other = case(0), case(2)
    old = one[1]
    names = ("transition", "reward", "initial")
    arrays = {name: np.stack([getattr(case_of[0], name) for case_of in (one, other)]) for name in names}
    costs = {name: np.stack([case_of[0].costs[name] for case_of in (one, other)]) for name in "ab"}
    limits = {"a": one[4]["a"] - 0.02}
    batch = tt.FiniteMDP(arrays["transition"], arrays["reward"], GAMMA, arrays["initial"], costs=costs)
    found = tt.update(batch, old, MeanKL(0.01, costs=limits))
    for k, case_of in enumerate((one, other)):
        alone = tt.update(case_of[0], old, MeanKL(0.01, costs=limits))
        np.testing.assert_allclose(found.policy[k], alone.policy, atol=1e-12)
        for name in ("objective", "upper_bound"):
            assert getattr(found, name)[k] == pytest.approx(getattr(alone, name), rel=1e-9)
        assert found.prices["a"][k] == pytest.approx(alone.prices["a"], abs=1e-9)
        assert found.costs_new["a"][k] == pytest.approx(alone.costs_new["a"])


def test_policies_that_share_rows_keep_the_limit():
    mdp, old, *_, returns = case(3)
    old = np.repeat(old[::2], 2, 0)
    system = np.eye(4) - GAMMA * np.einsum("sa,sat->st", old, mdp.transition)
    rho, weights = np.linalg.solve(system.T, mdp.initial), {}
    for name, reward in {"r": mdp.reward, **mdp.costs}.items():
        value = np.linalg.solve(system, (old * reward).sum(1))
        advantage = reward + GAMMA * mdp.transition @ value - value[:, None]
        weights[name] = (rho[:, None] * advantage).reshape(2, 2, 3).sum(1)
        returns[name] = mdp.initial @ value
    rows = np.kron(np.eye(2), np.ones(3))
    limit = -0.2
    program = linprog(
        -weights["r"].ravel(), weights["a"].reshape(1, -1), [limit + (weights["a"] * old[::2]).sum()], rows, np.ones(2)
    )
    pairs = tt.StateAggregation([0, 0, 1, 1])
    found = tt.update(mdp, old, MaxTV(1.0, costs={"a": returns["a"] + limit}), aggregation=pairs)
    assert found.objective == pytest.approx(-program.fun - (weights["r"] * old[::2]).sum(), rel=1e-7)
    assert (found.policy[::2] == found.policy[1::2]).all()


def test_improve_keeps_limits_and_ends_at_the_linear_program_over_occupancies():
    """In one state surrogates are the costs themselves: all but recovery steps keep the limit, up to the best within it."""
    reward, cost = np.array([[1.0, 3.0, 2.0]]), np.array([[0.0, 4.0, 1.0]])
    mdp = tt.FiniteMDP(np.ones((1, 3, 1)), reward, 0.5, costs={"c": cost})
    program = linprog(-reward[0], cost, [3.0], np.ones((1, 3)), [2.0])
    trace = tt.improve(mdp, MaxKL(0.05, costs={"c": 3.0}), 200)
    assert trace.expected_return == pytest.approx(-program.fun, rel=1e-6)
    assert trace.reason is tt.updates.Reason.STATIONARY
    before = 10 / 3
    for step in trace.steps:
        recovers = step.status == str(Status.RECOVERY)
        assert step.costs["c"] < before if recovers else step.costs["c"] <= 3.0 + 1e-8
        before = step.costs["c"]
    assert trace.exceeded == sum(step.costs["c"] > 3.0 + 1e-8 for step in trace.steps) == 0
    never = tt.improve(mdp, MaxKL(0.05, costs={"c": -1.0}), 200)
    assert never.reason is tt.updates.Reason.INFEASIBLE
    assert never.steps[-1].costs["c"] < 0.1
    assert never.exceeded == len(never.steps)


@pytest.mark.parametrize(
    ("problem", "limits", "said"),
    [
        (Penalty(1.0), {"a": 1.0}, "a trust region"),
        (MaxKL(0.1), {}, "a limit a cost"),
        (MaxKL(0.1), {"z": 1.0}, "wanted a, b"),
        (MaxKL(0.1), {"a": np.inf}, "a finite number"),
        (MaxKL(Certified("chi2/mean-max")), {"a": 1.0}, "a radius that is a number"),
    ],
)
def test_anything_else_is_refused(problem, limits, said):
    mdp, old, *_ = case(0)
    with pytest.raises(InvalidInput, match=said):
        constrained_update(mdp, old, problem, limits)
