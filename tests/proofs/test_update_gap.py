"""Proofs of gaps in balls: they enclose what mpmath finds, and a wrong answer is not certified as a good one."""

import dataclasses

import mpmath
import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.proofs.update_gap import certify_update
from trpo_theory.updates import MaxKL, MaxTV, MeanKL, Penalty, update

PROBLEMS = [
    Penalty(bound="pinsker/kl"),
    Penalty(1.0),
    Penalty(0.0),
    MaxKL(1e-20),
    MaxKL(0.01),
    MeanKL(1e-12),
    MeanKL(0.3),
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
