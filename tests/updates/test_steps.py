"""The practical step, importance sampling and iteration: against definitions in plain NumPy, and each other's bounds."""

import numpy as np
import pytest
from cheap import sampled

import trpo_theory as tt
from trpo_theory.updates import (
    MaxKL,
    MeanKL,
    Penalty,
    Reason,
    Solver,
    Status,
    Surrogate,
    TRPOStep,
    importance_sampled,
    improve,
    shipped,
    solve,
    update,
)
from trpo_theory.updates.solvers.answer import Answer


def problem(seed, states=5, actions=3, gamma=0.9):
    rng = np.random.default_rng(seed)
    mdp = tt.zoo.dirichlet(rng, states=states, actions=actions, gamma=gamma)
    return mdp, tt.zoo.random_policy(rng, (states, actions)), rng


def by_definition(mdp, old):
    """V, A, d and rho in plain NumPy."""
    chain = np.einsum("sa,sat->st", old, mdp.transition)
    eye = np.eye(mdp.states)
    value = np.linalg.solve(eye - mdp.gamma * chain, (old * mdp.reward).sum(1))
    advantage = mdp.reward + mdp.gamma * mdp.transition @ value - value[:, None]
    rho = np.linalg.solve(eye - mdp.gamma * chain.T, mdp.initial)
    return value, advantage, rho


# --- the practical step ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("delta", [1e-8, 1e-3, 0.1])
def test_the_step_is_the_natural_gradient_of_a_dense_solve(seed, delta):
    mdp, old, _ = problem(seed)
    _, advantage, rho = by_definition(mdp, old)
    d = (1 - mdp.gamma) * rho
    fisher = np.zeros((15, 15))
    for s in range(5):
        fisher[3 * s : 3 * s + 3, 3 * s : 3 * s + 3] = d[s] * (np.diag(old[s]) - np.outer(old[s], old[s]))
    gradient = (d[:, None] * old * advantage).ravel()
    direction = np.linalg.pinv(fisher, rcond=1e-12) @ gradient
    length = np.sqrt(2 * delta / (direction @ fisher @ direction))
    solution = update(mdp, old, TRPOStep(delta, conjugate_gradients=60))
    for k in range(10):
        logits = np.log(old) + length * 0.5**k * direction.reshape(5, 3)
        new = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        kl = (old * np.log(old / new)).sum(1)
        if d @ kl <= delta * (1 + 1e-6) and d @ ((new - old) * advantage).sum(1) > 0:
            break
    if abs(d @ kl / delta - 1) > 1e-5:  # else rounding decides whether this try passes
        np.testing.assert_allclose(solution.policy, new, rtol=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_the_step_is_feasible_and_leaves_what_its_gap_says(seed):
    mdp, old, _ = problem(seed)
    exact = update(mdp, old, MeanKL(0.01))
    for step in (TRPOStep(0.01), shipped(0.01)):
        solution = update(mdp, old, step)
        assert solution.status is Status.HEURISTIC
        assert 0 < solution.mean_kl <= 0.01
        assert 0 < solution.objective <= exact.objective * (1 + 1e-12)
        left = exact.objective - solution.objective
        assert solution.gap == pytest.approx(left + float(solution.data_error[0]), abs=1e-12)


def test_a_small_step_is_nearly_the_exact_one():
    """As delta -> 0 the quadratic model is exact: the natural gradient solves (13) to first order."""
    mdp, old, _ = problem(3)
    # the radius is an upper limit on the quadratic model, so that the line search may halve the step once
    ratio = [
        update(mdp, old, TRPOStep(d, 100)).objective / update(mdp, old, MeanKL(d)).objective for d in (1e-6, 1e-10)
    ]
    assert all(0.499 < r <= 1 + 1e-9 for r in ratio)


def test_unused_actions_stay_unused_and_an_optimum_stays():
    mdp = tt.load("gym:FrozenLake-v1", gamma=0.9)
    best = np.array(tt.optimal(mdp).policy)
    solution = update(mdp, best, TRPOStep(0.01))
    assert (solution.policy == best).all()
    assert solution.objective == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"delta": -1.0}, "radius"),
        ({"delta": 0.1, "conjugate_gradients": 0}, "conjugate_gradients"),
        ({"delta": 0.1, "damping": -1.0}, "damping"),
        ({"delta": 0.1, "backtrack": 2.0}, "backtrack"),
        ({"delta": 0.1, "backtracks": 0}, "backtracks"),
    ],
)
def test_bad_settings_are_refused(options, words):
    with pytest.raises(tt.InvalidInput, match=words):
        TRPOStep(**options)


# --- importance sampling, equation (14) -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_equation_14_is_equation_7_where_old_has_support(seed):
    mdp, old, rng = problem(seed)
    new = tt.zoo.random_policy(rng, (5, 3))
    value, advantage, rho = by_definition(mdp, old)
    estimate = importance_sampled(mdp, old, new)
    assert estimate.supported
    assert estimate.exact == pytest.approx(rho @ (old * (new / old) * advantage).sum(1), rel=1e-11)
    assert estimate.exact == pytest.approx(float(tt.compare(mdp, old, new).surrogate_gain), rel=1e-9)
    with_q = importance_sampled(mdp, old, new, use_q=True)
    assert with_q.exact - estimate.exact == pytest.approx(rho @ value, rel=1e-10)


def test_without_support_they_differ_as_in_f1():
    """id/importance: F1 at gamma .5, x .25: L is 1.0, (14) gives 0.5."""
    f1 = tt.zoo.f1(gamma=0.5, x=0.25)
    with pytest.raises(tt.InvalidInput, match="absolutely continuous"):
        importance_sampled(f1.mdp, f1.old, f1.new)
    estimate = importance_sampled(f1.mdp, f1.old, f1.new, require_support=False)
    assert not estimate.supported
    assert estimate.surrogate_gain == pytest.approx(1.0, rel=1e-14)
    assert estimate.exact == pytest.approx(0.5, rel=1e-14)


@pytest.mark.parametrize("sparse", [False, True])
def test_sampled_estimates_are_within_their_standard_errors(sparse):
    """40 estimates: their z-scores have mean 0 and variance 1, to within 5 sigma."""
    mdp, old, rng = problem(1, gamma=0.8)
    if sparse:
        import scipy.sparse as sp

        mdp = tt.FiniteMDP(sp.csr_array(mdp.transition.reshape(15, 5)), mdp.reward, 0.8, mdp.initial)
    new = tt.zoo.random_policy(rng, (5, 3))
    scores = []
    for seed in range(40):
        estimate = importance_sampled(mdp, old, new, trajectories=3000, generator=np.random.default_rng(seed))
        scores.append((estimate.mean - estimate.exact) / estimate.standard_error)
    assert abs(np.mean(scores)) < 5 / np.sqrt(40)
    assert 0.4 < np.var(scores) < 2.2


def test_sampling_needs_a_generator_and_two_trajectories():
    mdp, old, _ = problem(0)
    with pytest.raises(tt.InvalidInput, match="generator"):
        importance_sampled(mdp, old, old, trajectories=10)
    with pytest.raises(tt.InvalidInput, match="trajectories"):
        importance_sampled(mdp, old, old, trajectories=1, generator=np.random.default_rng(0))


# --- iteration -------------------------------------------------------------------------------------------------------


def test_iteration_reaches_the_optimum_and_says_so():
    mdp = tt.load("gym:FrozenLake-v1", gamma=0.99)
    trace = improve(mdp, MeanKL(0.01), 50)
    assert trace.reason is Reason.OPTIMAL
    assert trace.expected_return == pytest.approx(float(tt.optimal(mdp).expected_return), rel=1e-11)
    assert trace.decreases == 0
    frame = trace.to_frame()
    assert list(frame["index"]) == list(range(len(trace.steps)))
    assert (frame["mean_kl"] <= 0.01 * (1 + 1e-9)).all()


def test_each_step_is_the_update_from_where_the_last_one_ended():
    mdp, old, _ = problem(2)
    trace = improve(mdp, MaxKL(0.05), 3, old=old)
    policy = old
    for step in trace.steps:
        value, advantage, rho = by_definition(mdp, policy)
        solution = update(mdp, policy, MaxKL(0.05))
        new = solution.policy
        assert step.surrogate == pytest.approx(mdp.initial @ value + rho @ (new * advantage).sum(1), rel=1e-10)
        policy = new
        assert step.expected_return == pytest.approx(mdp.initial @ by_definition(mdp, policy)[0], rel=1e-10)


@pytest.mark.slow
def test_penalised_iteration_never_falls_and_stationary_points_end_it():
    mdp, old, _ = problem(4, gamma=0.5)
    trace = improve(mdp, Penalty(bound="chain-rule/kl"), 30, old=old)
    assert trace.decreases == 0
    assert trace.reason is Reason.STEPS
    stuck = tt.zoo.f6(gamma=0.9)
    everywhere = tt.StateAggregation([0, 0, 0])
    trace = improve(stuck.mdp, MaxKL(0.0), 5, old=stuck.old, aggregation=everywhere)
    assert trace.reason is Reason.STATIONARY
    assert trace.steps == ()


@pytest.mark.slow
@sampled(("gamma", "radius"), [(0.9, 0.01), (0.95, 0.01), (0.95, 0.05)], every=4)
def test_iteration_reaches_the_optimum_where_the_best_action_has_nearly_died_out(gamma, radius):
    mdp = tt.load("gym:CliffWalking-v1", gamma=gamma)
    trace = improve(mdp, MaxKL(radius), 100)
    assert trace.reason is Reason.OPTIMAL
    assert trace.expected_return == pytest.approx(float(tt.optimal(mdp).expected_return), rel=1e-11)
    assert {step.status for step in trace.steps} == {Status.OPTIMAL}
    assert trace.decreases == 0


class Answering(Solver):
    """A solver whose answer is old times a factor, with a status."""

    def __init__(self, factor, status):
        self.factor, self.status = factor, status

    def solve(self, surrogate, problem):
        new = surrogate.old * self.factor
        return Answer(new - surrogate.old, new, np.ones(surrogate.visitation.shape), status=self.status)

    def __str__(self):
        return "answering"


def test_an_answer_that_is_no_policy_is_the_solvers_failure_and_one_that_is_missing_ends_the_iteration():
    mdp, old, _ = problem(0)
    with pytest.raises(tt.NotSolved, match="answering did not solve MaxKL"):
        improve(mdp, MaxKL(0.1), 5, old=old, solver=Answering(0.997, None))
    trace = improve(mdp, MaxKL(0.1), 5, old=old, solver=Answering(1.0, Status.FAILED))
    assert trace.reason is Reason.FAILED
    assert [step.status for step in trace.steps] == [str(Status.FAILED)]
    assert (trace.policy == old).all()


def test_f6_falls_under_max_kl():
    f6 = tt.zoo.f6(gamma=0.9, p=0.4)
    radius = float(0.4 * np.log(0.4 / 0.7) + 0.6 * np.log(0.6 / 0.3))
    trace = improve(f6.mdp, MaxKL(radius), 1, old=f6.old, aggregation=tt.StateAggregation([0, 0, 0]))
    assert trace.initial_return == pytest.approx(0.216, rel=1e-14)
    assert trace.expected_return == pytest.approx(0.189, rel=1e-12)
    assert trace.decreases == 1


def test_steps_must_be_a_positive_integer():
    mdp, _, _ = problem(0)
    with pytest.raises(tt.InvalidInput, match="steps"):
        improve(mdp, MaxKL(0.1), 0)


# --- surrogates made by hand ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("advantage", np.zeros((2, 2, 1)), "advantage of shape"),
        ("visitation", np.ones((4, 1)), "visitation of shape"),
        ("old", np.full((3, 2, 1), 0.4), "sums to 1.2"),
        ("advantage", np.full((3, 2, 1), np.nan), "advantage with NaN"),
        ("visitation", -np.ones((2, 1)), "negative"),
    ],
)
def test_a_surrogate_that_does_not_fit_is_refused(part, value, words):
    parts = {
        "old": np.full((3, 2, 1), 1 / 3),
        "advantage": np.arange(6.0).reshape(3, 2, 1),
        "available": np.ones((3, 2, 1), dtype=bool),
        "visitation": np.ones((2, 1)),
        "gamma": np.array([0.5]),
        "max_abs_advantage": np.array([5.0]),
    }
    assert solve(Surrogate(**parts), MaxKL(0.1)).status is Status.OPTIMAL
    with pytest.raises(tt.InvalidInput, match=words):
        solve(Surrogate(**{**parts, part: value}), MaxKL(0.1))
