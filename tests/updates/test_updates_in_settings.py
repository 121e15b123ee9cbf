"""Updates with other returns than discounted ones: KKT conditions on exact A and ρ, linear programs, other libraries.

A and ρ come from exact rationals: up to an end by the chain of the other states, over a horizon by recursions, on average by
d P = d and the bias.
"""

from __future__ import annotations

import exact
import kkt
import mdptoolbox.mdp
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

import trpo_theory as tt
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.updates import Certified, MaxKL, MaxTV, MeanKL, Penalty, Reason, ReverseMaxChi2, ReverseMeanKL
from trpo_theory.updates.data_error import old_policy
from trpo_theory.updates.status import Status

STATES, ACTIONS, STEPS = 4, 3, 5
SETTINGS = ({"criterion": "episodic"}, {"criterion": "average"}, {"horizon": STEPS})


def case(setting, seed=0, gamma=1.0):
    """An MDP, old, and A (G, A) and ρ (G,) in exact rationals; its last state is an end where runs must end."""
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(STATES), (STATES, ACTIONS))
    reward, start = rng.normal(size=(STATES, ACTIONS)), rng.dirichlet(np.ones(STATES))
    if setting.get("criterion") == "episodic":
        transition[-1], reward[-1] = np.eye(STATES)[-1], 0.0
    old = rng.dirichlet(np.ones(ACTIONS), STATES)
    mdp = tt.FiniteMDP(transition, reward, gamma, start)
    return mdp, old, *exact_old(mdp, old, setting)


def exact_old(mdp, old, setting):
    """A and ρ, in the rows of the problem; rows of probabilities over their exact sums."""
    p, r, pi, start = (exact.rationals(x) for x in (mdp.transition, mdp.reward, old, mdp.initial))
    p, pi, start = p / p.sum(2, keepdims=True), pi / pi.sum(1, keepdims=True), start / start.sum()
    gamma = exact.rational(mdp.gamma)
    chain, earned = np.einsum("sa,sat->st", pi, p), (pi * r).sum(1)
    if "horizon" in setting:
        value, law, advantages, laws = exact.rationals(np.zeros(len(old))), start, [], []
        for _ in range(setting["horizon"]):
            q = r + gamma * np.einsum("sat,t->sa", p, value)
            value = (pi * q).sum(1)
            advantages.insert(0, q - value[:, None])
            laws.append(law)
            law = gamma * law @ chain
        return np.concatenate(advantages), np.concatenate(laws)
    one = exact.rationals(np.eye(len(old)))
    if setting["criterion"] == "average":  # d (I − P + 1 1ᵀ) = 1ᵀ, (I − P + 1 dᵀ) h = r − g
        rho = exact.solve((one - chain + one[0][0]).T.copy(), one.sum(0))
        gain = rho @ earned
        value = exact.solve(one - chain + rho[None], earned - gain)
        return r - gain + np.einsum("sat,t->sa", p, value) - value[:, None], rho
    going = exact.rationals(np.arange(len(old)) < len(old) - 1)
    cut = chain * going[None]
    value = exact.solve(one - gamma * cut, earned * going)
    rho = exact.solve((one - gamma * cut).T.copy(), start * going)
    return r + gamma * np.einsum("sat,t->sa", p, value * going) - value[:, None], rho


def rows_old(old, setting):
    return np.tile(old, (setting.get("horizon", 1), 1))


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize(
    "problem", [MaxKL(0.02), MeanKL(0.02), Penalty(3.0), ReverseMaxChi2(0.02), ReverseMeanKL(0.01)]
)
def test_the_kkt_conditions_hold_with_the_exact_advantages(setting, problem):
    mdp, old, advantage, rho = case(setting)
    found = tt.update(mdp, old, problem, **setting)
    flat = found.surrogate.policy_rows
    change, new = (flat(x).reshape(-1, ACTIONS) for x in (found.change_rows, found.new_rows))
    known = (exact.nearest(advantage), np.ones_like(change, dtype=bool), exact.nearest(rho))
    rows = kkt.rows_of(rows_old(old, setting), *known, change, new, found.multiplier)
    amount = {"coefficient": 3.0} if isinstance(problem, Penalty) else {"delta": problem.delta}
    violations = kkt.violations(problem.name, rows, 1 - 1 / exact.nearest(rho.sum()), **amount)
    assert violations.worst <= 1e-7
    assert found.status is Status.OPTIMAL
    best = float(kkt.objective(problem.name, rows, **{k: v for k, v in amount.items() if k == "coefficient"}))
    assert best - 1e-9 * abs(best) <= found.upper_bound <= best * (1 + 1e-9)
    assert found.objective == pytest.approx(best, rel=1e-9)
    assert found.expected_return_new > found.expected_return_old


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sparse", [False, True])
def test_the_errors_of_floats_are_bounded(setting, seed, sparse):
    mdp, old, advantage, rho = case(setting, seed, gamma=1.0 if seed else 0.9)
    if sparse:
        flat = sp.csr_array(mdp.transition.reshape(-1, STATES))
        mdp = tt.FiniteMDP(flat, mdp.reward, mdp.gamma, mdp.initial)
    known = old_policy(tt.compare(mdp, old, old, **setting))
    missed = np.abs(exact.nearest(exact.rationals(known.advantage) - advantage)).max(1)
    assert (missed <= known.advantage_error).all()
    assert known.advantage_error.max() <= 1e-11
    of_states = np.abs(exact.nearest(exact.rationals(known.visitation) - rho))
    assert (of_states <= known.visitation_error).all()
    assert of_states.sum() <= known.total_error <= 1e-11


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_no_policy_within_the_radius_gains_more_than_the_upper_bound(setting):
    mdp, old, advantage, rho = case(setting, seed=3)
    weight, before = exact.nearest(rho)[:, None] * exact.nearest(advantage), rows_old(old, setting)
    found, rng = tt.update(mdp, old, MaxKL(0.05), **setting), np.random.default_rng(1)
    for _ in range(200):
        new = rng.dirichlet(np.ones(ACTIONS), len(before))
        share = 1.0
        while (before * np.log(before / (mixed := before + share * (new - before)))).sum(1).max() > 0.05:
            share *= 0.9
        assert (weight * (mixed - before)).sum() <= found.upper_bound


def test_the_return_over_a_horizon_is_that_of_backward_induction():
    mdp, old, *_ = case({"horizon": STEPS})
    found = tt.update(mdp, old, MaxTV(1.0), horizon=STEPS)
    assert found.policy.shape == (STEPS, STATES, ACTIONS)
    value = np.zeros(STATES)
    for rows in found.policy[::-1]:
        value = (rows * (mdp.reward + mdp.transition @ value)).sum(1)
    assert found.expected_return_new == pytest.approx(mdp.initial @ value, abs=1e-12)
    again = tt.update(mdp, found.policy, MaxKL(0.01), horizon=STEPS)
    assert again.expected_return_old == pytest.approx(found.expected_return_new, abs=1e-12)


def test_steps_that_share_rows_are_a_linear_program():
    """Policies that are the same in every step: A is averaged over the steps, and total variation 1 leaves no radius."""
    mdp, old, advantage, rho = case({"horizon": STEPS})
    weight = (exact.nearest(rho)[:, None] * exact.nearest(advantage)).reshape(STEPS, STATES, ACTIONS).sum(0)
    program = linprog(-weight.ravel(), A_eq=np.kron(np.eye(STATES), np.ones(ACTIONS)), b_eq=np.ones(STATES))
    shared = tt.StateAggregation(np.tile(np.arange(STATES), STEPS))
    found = tt.update(mdp, old, MaxTV(1.0), aggregation=shared, horizon=STEPS)
    assert found.objective == pytest.approx(-program.fun - (weight * old).sum(), rel=1e-9)
    assert (found.policy == found.policy[0]).all()
    pairs = tt.StateAggregation([0, 0, 1, 1])
    both = np.repeat(old[::2], 2, 0)
    apart = tt.update(mdp, both, MaxKL(0.01), aggregation=pairs, horizon=STEPS).policy
    assert (apart[:, ::2] == apart[:, 1::2]).all()
    assert not (apart == apart[0]).all()
    with pytest.raises(InvalidInput, match=r"each of the 4 states, or for each of the 20 \(step, state\)"):
        tt.update(mdp, old, MaxKL(0.01), aggregation=tt.StateAggregation([0, 1]), horizon=STEPS)


@pytest.mark.peers
def test_an_average_is_improved_up_to_mdptoolboxs():
    mdp, *_ = case({"criterion": "average"}, seed=5)
    solver = mdptoolbox.mdp.RelativeValueIteration(np.moveaxis(mdp.transition, 1, 0), mdp.reward, epsilon=1e-12)
    solver.run()
    trace = tt.improve(mdp, MaxKL(0.5), 30, criterion="average")
    assert trace.reason is Reason.OPTIMAL
    assert trace.expected_return == pytest.approx(float(solver.average_reward), abs=1e-9)
    assert trace.decreases == 0


def test_over_a_horizon_an_iteration_starts_at_a_policy_for_each_step_or_at_the_best():
    mdp, *_ = case({"horizon": STEPS})
    old = np.random.default_rng(1).dirichlet(np.ones(ACTIONS), (STEPS, STATES))
    value, best = np.zeros(STATES), np.zeros(STATES)
    for rows in old[::-1]:
        value = (rows * (mdp.reward + mdp.transition @ value)).sum(1)
        best = (mdp.reward + mdp.transition @ best).max(1)
    trace = tt.improve(mdp, MaxKL(0.05), 2, old=old, horizon=STEPS)
    assert trace.initial_return == pytest.approx(mdp.initial @ value, rel=1e-12)
    assert len(trace.steps) == 2
    assert trace.decreases == 0
    ended = tt.improve(mdp, MaxKL(0.05), 2, old="optimal", horizon=STEPS)
    assert ended.reason is Reason.OPTIMAL
    assert ended.initial_return == pytest.approx(mdp.initial @ best, rel=1e-12)
    with pytest.raises(InvalidInput, match="wanted one policy to start from"):
        tt.improve(mdp, MaxKL(0.05), 2, old=old[None], horizon=STEPS)


def test_an_episode_is_improved_up_to_the_linear_program_over_occupancies():
    setting = {"criterion": "episodic"}
    mdp, *_ = case(setting, seed=2)
    going = STATES - 1
    flow = np.repeat(np.eye(going), ACTIONS, 1) - mdp.transition[:going, :, :going].reshape(-1, going).T
    program = linprog(-mdp.reward[:going].ravel(), A_eq=flow, b_eq=mdp.initial[:going])
    trace = tt.improve(mdp, MeanKL(0.5), 40, **setting)
    assert trace.reason is Reason.OPTIMAL
    assert trace.expected_return == pytest.approx(-program.fun, abs=1e-9)


def test_a_penalty_over_a_horizon_is_the_bounds_own():
    mdp, old, *_ = case({"horizon": STEPS})
    for bound in ("horizon/chain-rule", "horizon/coupling"):
        found = tt.update(mdp, old, Penalty(bound=bound), horizon=STEPS)
        q = tt.compare(mdp, old, found.policy, horizon=STEPS)
        assert found.status is Status.OPTIMAL
        assert found.penalty == pytest.approx(float(tt.bounds[bound].penalty(q)), rel=1e-9)
        assert found.expected_return_new - found.expected_return_old >= found.objective > 0
    alpha, size = float(q.max_tv), float(q.max_abs_advantage)
    by_hand = 4 * size * alpha * sum(1 - (1 - alpha) ** t for t in range(STEPS))
    assert found.penalty == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize(
    ("setting", "bound"),
    [({"horizon": STEPS}, "horizon/mean-max"), ({"criterion": "average"}, "average/mixing-mean-tv")],
)
def test_a_bound_of_the_setting_certifies_a_radius(setting, bound):
    mdp, old, *_ = case(setting)
    found = tt.update(mdp, old, MaxKL(Certified(bound)), **setting)
    q = tt.compare(mdp, old, found.policy, **setting)
    assert 0 < found.promise <= found.expected_return_new - found.expected_return_old
    assert found.promise == pytest.approx(float(q.surrogate_gain - tt.bounds[bound].penalty(q)), rel=1e-6)


@pytest.mark.parametrize(
    ("problem", "setting", "said"),
    [
        (Penalty(bound="chain-rule/kl"), {"horizon": STEPS}, "use horizon/chain-rule"),
        (Penalty(bound="trpo/kl"), {"criterion": "average"}, "give a coefficient"),
        (Penalty(bound="horizon/tv"), {"criterion": "average"}, "a bound of average rewards"),
        (MaxKL(Certified("chi2/mean-max")), {"criterion": "average"}, "use average/mixing-mean-tv"),
        (MaxKL(0.1), {"temperature": 0.5}, "optimal"),
        (MaxKL(0.1), {"criterion": "average", "horizon": 3}, "one of both"),
        (MaxKL(0.1), {"horizon": 0}, "horizon"),
        (MaxKL(0.1), {"criterion": "averge"}, "did you mean|average"),
        (MaxKL(0.1), {"criterion": "episodic"}, "an end"),
        (MaxKL(0.1), {}, "average"),
    ],
)
def test_what_does_not_apply_is_refused(problem, setting, said):
    mdp, old, *_ = case({"criterion": "average"})
    with pytest.raises(InvalidInput, match=said):
        tt.update(mdp, old, problem, **setting)
    with pytest.raises(InvalidInput, match=said):
        tt.improve(mdp, problem, 2, old=old, **setting)


def test_an_update_to_a_policy_that_never_ends_is_not_taken():
    """To stay earns 1, to leave nothing: within total variation 1 the best never leaves."""
    mdp = tt.FiniteMDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[1, 0], [0, 0]], 1.0, [1, 0])
    trace = tt.improve(mdp, MaxTV(1.0), 3)
    assert trace.reason is Reason.NO_RETURN
    np.testing.assert_allclose(trace.policy, [[0.5, 0.5], [0.5, 0.5]])


def test_runs_that_are_too_long_for_floats_say_so():
    rate = 1e-17
    mdp = tt.FiniteMDP([[[1 - rate, rate]], [[0.0, 1.0]]], [[1.0], [0.0]], 1.0, [1, 0])
    with pytest.raises(NotSolved, match="use a horizon"):
        tt.update(mdp, np.ones((2, 1)), MaxKL(0.1))


@pytest.mark.parametrize(("rate", "status"), [(1e-2, Status.OPTIMAL), (1e-6, Status.INACCURATE)])
def test_what_floats_do_not_know_of_long_runs_is_said(rate, status):
    """Two actions that leave with rates p and 2p, a reward of 1 a step: A is ±1/3, Σ ρ = 2/(3p)."""
    fields = {"transition": [[[1 - rate, rate], [1 - 2 * rate, 2 * rate]], [[0, 1], [0, 1]]]}
    mdp = tt.FiniteMDP(**fields, reward=[[1, 1], [0, 0]], gamma=1.0, initial=[1, 0])
    found = tt.update(mdp, [[0.5, 0.5], [0.5, 0.5]], MaxTV(0.1))
    best = 2 / (3 * rate) * 0.1 * (2 / 3)  # Σ ρ (new − old) A = 2/(3p) · (0.1 · 1/3 + 0.1 · 1/3)
    assert found.status is status
    assert found.objective == pytest.approx(best, rel=1e-5)
    assert found.upper_bound >= best * (1 - 1e-7)
    assert ("floats cannot tell A or rho" in found.advice) == (status is Status.INACCURATE)
