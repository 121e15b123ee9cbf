"""Proofs of gaps in balls: they enclose what mpmath finds, and a wrong answer is not certified as a good one."""

import dataclasses

import mpmath
import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.proofs import update_rows
from trpo_theory.proofs.update_gap import certify_update
from trpo_theory.updates import MaxKL, MaxTV, MeanKL, Penalty, ReverseMaxChi2, ReverseMeanChi2, update

PROBLEMS = [
    Penalty(bound="pinsker/kl"),
    Penalty(1.0),
    Penalty(0.0),
    MaxKL(1e-20),
    MaxKL(0.01),
    MeanKL(1e-12),
    MeanKL(0.3),
    ReverseMaxChi2(1e-20),
    ReverseMaxChi2(0.5),
    ReverseMeanChi2(0.01),
    ReverseMeanChi2(1e6),
]


def instance(seed, gamma, deterministic):
    rng = np.random.default_rng(seed)
    mdp = tt.zoo.dirichlet(rng, states=6, actions=4, gamma=gamma)
    old = np.eye(4)[rng.integers(4, size=6)] if deterministic else tt.zoo.random_policy(rng, (6, 4))
    return mdp, old


@pytest.mark.slow
@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("gamma", [0.5, 0.99, 0.99999])
@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_the_dual_solvers_gap_is_proved(problem, gamma, deterministic):
    solution = update(*instance(0, gamma, deterministic), problem)
    proof = certify_update(solution)
    assert proof.objective <= proof.upper_bound
    assert proof.gap <= 1e-10 * max(proof.upper_bound, 1e-12)
    assert proof.objective == pytest.approx(solution.objective, rel=1e-8, abs=1e-13)


@pytest.mark.parametrize("problem", [Penalty(1.0), MaxKL(0.05), MeanKL(0.05)], ids=str)
def test_the_upper_bound_is_above_the_optimum_by_mpmath(problem):
    """The optimum by a scalar search at 40 digits, for two actions and two states that differ only in sign."""
    mdp = tt.FiniteMDP([[[1, 0], [1, 0]]] * 2, [[1.0, 0.0], [0.0, 0.0]], 0.5, [1, 0])
    old = np.array([[0.25, 0.75], [0.5, 0.5]])
    proof = certify_update(update(mdp, old, problem))
    with mpmath.workdps(40):
        rho, spread = mpmath.mpf(2), mpmath.mpf(1)  # state 0 keeps itself; A(s0, a0) - A(s0, a1) = 1
        quarter = mpmath.mpf(1) / 4

        def kl(p):
            return quarter * mpmath.log(quarter / p) + 3 * quarter * mpmath.log(3 * quarter / (1 - p))

        if isinstance(problem, Penalty):
            p = (1 + mpmath.sqrt(3)) / 4  # KL'(p) = rho: 3/(4(1 - p)) - 1/(4p) = 2
            optimum = rho * spread * (p - quarter) - kl(p)
        else:
            radius = mpmath.mpf(problem.delta)  # d(s0) = 1: mean and max agree
            p = mpmath.findroot(lambda p: kl(p) - radius, (0.26, 0.9), solver="bisect", verify=False)
            optimum = rho * spread * (p - quarter)
        assert proof.upper_bound >= optimum * (1 - mpmath.mpf("1e-15"))
        assert proof.objective <= optimum * (1 + mpmath.mpf("1e-15"))
        assert proof.upper_bound == pytest.approx(float(optimum), rel=1e-12)


def test_a_wrong_answer_keeps_its_gap():
    solution = update(*instance(1, 0.9, False), MaxKL(0.01))
    half = dataclasses.replace(
        solution, change_rows=solution.change_rows / 2, new_rows=solution.surrogate.old + solution.change_rows / 2
    )
    proof = certify_update(half)
    assert proof.gap > 0.4 * proof.upper_bound
    bad_prices = dataclasses.replace(solution, multiplier_rows=solution.multiplier_rows * 3)
    assert certify_update(bad_prices).gap > 0.1 * solution.objective


def test_an_infeasible_answer_is_refused():
    solution = update(*instance(1, 0.9, False), MaxKL(0.01))
    tighter = dataclasses.replace(solution, problem=MaxKL(0.005))
    with pytest.raises(tt.NotSolved, match="over its constraint"):
        certify_update(tighter)


def test_siblings_and_batches_are_refused():
    mdp, old = instance(0, 0.9, False)
    with pytest.raises(tt.InvalidInput, match="float certificates only"):
        certify_update(update(mdp, old, MaxTV(0.1)))
    batch = tt.FiniteMDP(np.stack([mdp.transition] * 2), np.stack([mdp.reward] * 2), 0.9, mdp.initial)
    with pytest.raises(tt.InvalidInput, match="one at a time"):
        certify_update(update(batch, old, MaxKL(0.1)))


def test_a_best_action_that_is_nearly_extinct_is_certified():
    """Its optimum is that of an action outside old's support, to 1e-280: mass 1 - exp(-delta) moves there."""
    mdp = tt.FiniteMDP(np.ones((1, 2, 1)), [[1.0, 0.0]], 0.0, [1.0])
    old = np.array([[1e-286, 1 - 1e-286]])
    proof = certify_update(update(mdp, old, MaxKL(0.01)))
    assert proof.objective == pytest.approx(-np.expm1(-0.01), rel=1e-12)
    assert 0 <= proof.gap < 1e-12


# --- the MDP itself, and solutions that are none --------------------------------------------------------------------


def two_actions(gamma, low, high):
    """One state, old uniform: A = ±(high − low)/2, and max-KL of a (1/2 + x, 1/2 − x) is −log(1 − 4x²)/2."""
    return tt.FiniteMDP(np.ones((1, 2, 1)), [[low, high]], gamma, [1.0]), np.full((1, 2), 0.5)


@pytest.mark.parametrize(
    ("gamma", "low", "high"),
    [(1 - 1e-9, 1.0, 1 + 1e-6), (0.9, 1e10, 1e10 + 1e-5), (1 - 1e-12, 1e10, 1e10 + 4e-6), (0.999, -1.0, 1.0)],
)
def test_the_ends_are_those_of_the_mdp_and_not_of_its_floats(gamma, low, high):
    mdp, old = two_actions(gamma, low, high)
    proof = certify_update(update(mdp, old, MaxKL(0.01)))
    with mpmath.workdps(60):
        x = mpmath.sqrt(-mpmath.expm1(-2 * mpmath.mpf("0.01"))) / 2
        optimum = x * (mpmath.mpf(high) - mpmath.mpf(low)) / (1 - mpmath.mpf(repr(gamma)))
        assert proof.objective <= optimum <= proof.upper_bound
        assert proof.upper_bound <= optimum * (1 + mpmath.mpf("1e-12"))


@pytest.mark.parametrize(
    "problem", [Penalty(1.0), MaxKL(0.01), MeanKL(0.01), ReverseMaxChi2(0.5), ReverseMeanChi2(0.01)], ids=str
)
def test_a_tampered_solution_proves_nothing_false(problem):
    """Whatever stands in it, the proved ends are those of some policy and of all of them, or nothing is proved."""
    rng = np.random.default_rng(5)
    solution = update(*instance(3, 0.9, False), problem)
    optimum = certify_update(solution).upper_bound * (1 + 1e-12)
    refused = 0
    for trial in range(60):
        changed = {}
        for name in ("change_rows", "new_rows", "multiplier_rows"):
            array = np.array(getattr(solution, name))
            if rng.random() < 0.5:
                index = tuple(rng.integers(n) for n in array.shape)
                array[index] = (array[index] + 0.1) * rng.choice([-1.0, 1e-9, 3.0, 1e9]) if trial % 2 else -array[index]
            changed[name] = array
        try:
            proof = certify_update(dataclasses.replace(solution, **changed))
        except tt.NotSolved:
            refused += 1
            continue
        assert proof.objective <= optimum
        assert proof.upper_bound >= optimum * (1 - 1e-8)
    assert 5 < refused < 60


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"multiplier_rows": -1.0}, "multiplier"),
        ({"multiplier_rows": np.nan}, "not finite"),
        ({"new_rows": -0.5, "change_rows": -0.5}, "no distribution"),
    ],
)
def test_what_is_no_solution_is_refused(changes, match):
    solution = update(*instance(1, 0.9, False), MaxKL(0.01))
    arrays = {name: np.array(getattr(solution, name)) for name in changes}
    for name, value in changes.items():
        arrays[name][(0,) * arrays[name].ndim] = value
    with pytest.raises(tt.NotSolved, match=match):
        certify_update(dataclasses.replace(solution, **arrays))


@pytest.mark.parametrize(
    "problem",
    [Penalty(bound="pinsker/kl"), MaxKL(0.01), MeanKL(0.01), ReverseMaxChi2(0.01), ReverseMeanChi2(0.01)],
    ids=str,
)
def test_old_policies_with_entries_of_any_size_are_certified(problem):
    """13 of 54 of these were an OverflowError."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        mdp = tt.zoo.garnet(rng, states=10, actions=4, branching=3, gamma=[0.9, 0.99, 0.9999][seed % 3])
        old = rng.dirichlet(np.full(4, 0.02), size=10)
        assert 0 < old[old > 0].min() < 1e-38
        proof = certify_update(update(mdp, old, problem))
        assert 0 <= proof.gap <= 1e-9 * proof.upper_bound


def test_some_hundred_states_are_certified():
    rng = np.random.default_rng(0)
    mdp = tt.zoo.dirichlet(rng, states=150, actions=3, gamma=0.99)
    proof = certify_update(update(mdp, tt.zoo.random_policy(rng, (150, 3)), MeanKL(0.01)))
    assert 0 < proof.gap < 1e-9 * proof.upper_bound


def test_an_mdp_that_is_too_large_is_refused_with_the_way_out():
    mdp, old = instance(0, 0.9, False)
    solution = update(mdp, old, MaxKL(0.01))
    alone = certify_update(dataclasses.replace(solution, mdp=None))
    assert alone.gap <= 1e-9 * alone.upper_bound
    with pytest.raises(tt.InvalidInput, match="solve"):
        update_rows.check_size(2000, 2)


@pytest.mark.parametrize("problem", [ReverseMaxChi2, ReverseMeanChi2])
@pytest.mark.parametrize("old", [[0.15, 0.71, 0.14], [0.3, 0.01, 0.69]])
def test_best_actions_that_tie_leave_no_gap_in_chi_square(problem, old):
    """One state, r = (0, 1, 1): with V = p(1 − p), p old's share of the first action, the optimum is sqrt(δV)/(1 − γ)."""
    mdp = tt.FiniteMDP(np.ones((1, 3, 1)), [[0.0, 1.0, 1.0]], 0.99)
    proof = certify_update(update(mdp, [old], problem(0.05)))
    optimum = 100 * np.sqrt(0.05 * old[0] * (1 - old[0]))
    assert proof.objective == pytest.approx(optimum, rel=1e-9)
    assert proof.gap <= 1e-9 * optimum
