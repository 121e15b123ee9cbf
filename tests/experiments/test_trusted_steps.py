"""The trusted steps: certified radii in closed form, clips at 30 digits, the maximiser of L by enumeration, counts by hand."""

import itertools
from dataclasses import replace

import mpmath
import numpy as np
import pandas as pd
import pytest

import trpo_theory as tt
from experiments import trusted_runs, trusted_steps
from experiments.trusted_steps import clips, methods, running

LAKE = running.Case("Lake", "gym:FrozenLake-v1", 0.9, (4, 4))
COLUMNS = np.arange(16) % 4


def of_uniform(gamma, sweeps=3000):
    """d_old, A and V of FrozenLake's uniform policy, by sweeps."""
    mdp = tt.load("gym:FrozenLake-v1", gamma=gamma)
    chain, value, visits, now = mdp.transition.mean(1), np.zeros(16), np.zeros(16), mdp.initial
    for step in range(sweeps):
        value = mdp.reward.mean(1) + gamma * chain @ value
        visits, now = visits + gamma**step * now, now @ chain
    advantage = mdp.reward + gamma * np.einsum("sat,t->sa", mdp.transition, value) - value[:, None]
    return mdp, visits * (1 - gamma), advantage


def eta_of(mdp, policy, gamma, sweeps=3000):
    value = np.zeros(mdp.states)
    for _ in range(sweeps):
        value = (policy * (mdp.reward + gamma * np.einsum("sat,t->sa", mdp.transition, value))).sum(1)
    return mdp.initial @ value


@pytest.mark.parametrize(("gamma", "known"), [(0.9, 4.190e-3), (0.99, 1.008e-4)])
def test_certified_radii_are_those_of_the_closed_form(gamma, known):
    """As no row is clipped, Ā = √c sd_s: chi2/expected-advantage certifies up to c = (1 − γ)/γ (E_d sd_s)²/E_d sd_s²."""
    case = replace(LAKE, gamma=gamma)
    settings = running.Settings(cases=(case,), bounds=("chi2/expected-advantage", "pinsker/kl"))
    first, second = running._steps(case, settings)
    _, occupancy, advantage = of_uniform(gamma)
    sd = np.sqrt((advantage**2).mean(1))
    radius = (1 - gamma) / gamma * (occupancy @ sd) ** 2 / (occupancy @ sd**2)
    assert first["radius"] == pytest.approx(radius, rel=1e-5)
    assert first["radius"] == pytest.approx(known, rel=5e-4)
    # pinsker/kl: the gain √c E_d sd_s/(1 − γ) against 2 γ max|A| KL/(1 − γ)², KL = c/2 to first order
    small = (1 - gamma) * (occupancy @ sd) / (gamma * np.abs(advantage).max())
    assert second["radius"] == pytest.approx(small**2, rel=1e-2)
    assert second["promise"] <= second["improvement"]


def test_penalties_at_the_common_step_are_those_of_the_definitions():
    settings = running.Settings(cases=(LAKE,), bounds=("trpo/kl", "chi2/expected-advantage"), common=0.01)
    old_one, new_one = running._steps(LAKE, settings)
    _, occupancy, advantage = of_uniform(0.9)
    sd = np.sqrt((advantage**2).mean(1))
    expected = 0.1 * sd  # not clipped: √c sd
    assert old_one["common_gain"] == pytest.approx(occupancy @ expected / 0.1, rel=1e-9)
    spread = np.sqrt(occupancy @ expected**2 - (occupancy @ expected) ** 2)
    kappa = np.sqrt(0.9 * 0.01 / (1 - 0.9 * 1.01))
    assert new_one["common_penalty"] == pytest.approx(spread * kappa / 0.1, rel=1e-9)
    moved = np.where(sd[:, None] > 0, 0.1 * advantage / np.where(sd > 0, sd, 1)[:, None], 0)
    max_kl = (-np.log1p(moved)).mean(1).max()
    assert old_one["common_max_kl"] == pytest.approx(max_kl, rel=1e-9)
    assert old_one["common_penalty"] == pytest.approx(4 * 0.9 * np.abs(advantage).max() * max_kl / 0.01, rel=1e-9)


@pytest.mark.parametrize(("gamma", "cv", "horizon"), [(0.9, 1.31, None), (0.99, 1.0, None), (1.0, 1.0, 1000)])
def test_clips_by_time_are_the_roots_at_thirty_digits(gamma, cv, horizon):
    found = clips.by_time(gamma, cv, horizon)
    with mpmath.workdps(30):
        g = mpmath.mpf(str(gamma))

        def slack(c):
            times = range(horizon if horizon else 8000)
            return mpmath.fsum(g**t * (1 - cv * mpmath.sqrt((1 + c) ** t - 1)) for t in times)

        assert (
            slack(mpmath.mpf(found) * (1 - mpmath.mpf("1e-9")))
            > 0
            > slack(mpmath.mpf(found) * (1 + mpmath.mpf("1e-9")))
        )
    known = {0.9: 0.0562, 0.99: 0.0822**2, 1.0: 0.0376**2}
    assert found == pytest.approx(known[gamma], rel=5e-3)


def test_clips_in_closed_form():
    assert clips.pooled(0.99, 1.0) == pytest.approx(1 / 198)
    assert clips.pooled(0.5, 0.0) == pytest.approx(1.0)
    assert clips.pooled(1.0, 1.0) == 0.0


def test_the_first_greedy_policy_of_a_class_maximises_the_surrogate():
    mdp, occupancy, advantage = of_uniform(0.9)
    aggregation = tt.StateAggregation(COLUMNS)
    returns = methods.greedy().returns(mdp, aggregation, 1)
    policies = [np.eye(4)[list(actions)][COLUMNS] for actions in itertools.product(range(4), repeat=4)]
    best = max(policies, key=lambda policy: float(occupancy @ (policy * advantage).sum(1)))
    assert returns[1] == pytest.approx(eta_of(mdp, best, 0.9), rel=1e-10)


def test_policy_iteration_ends_at_the_optimum_of_value_iteration():
    mdp = tt.load("gym:FrozenLake-v1", gamma=0.9)
    value = np.zeros(16)
    for _ in range(2000):
        value = (mdp.reward + 0.9 * np.einsum("sat,t->sa", mdp.transition, value)).max(1)
    returns = methods.greedy().returns(mdp, None, 20)
    assert returns[-1] == pytest.approx(mdp.initial @ value, rel=1e-12)
    assert len(returns) < 10


def test_updates_are_counted_as_by_hand():
    fate = running._fate(np.array([1.0, 2.0, 3.0, 2.5, 4.8]), best=5.0, optimal=6.0)
    assert (fate["to_0.5"], fate["to_0.9"]) == (2.0, 4.0)
    assert np.isnan(fate["to_0.99"])
    assert (fate["made"], fate["falls"], fate["largest_fall"]) == (4, 1, 0.5)
    assert fate["share"] == pytest.approx(0.95)


def test_certified_updates_take_as_many_steps_as_the_theory_says():
    """docs/theory.md: 18 with chi2/expected-advantage, 5 with chi2/second-order; none falls, by returns of another routine."""
    mdp = tt.load("gym:FrozenLake-v1", gamma=0.9)
    for bound, count in (("chi2/expected-advantage", 18), ("chi2/second-order", 5)):
        returns = methods.certified(bound).returns(mdp, None, 40)
        assert running._fate(returns, returns.max(), 1.0)["to_0.99"] == count
        assert (np.diff(returns) > 0).all()
        first = tt.update(mdp, tt.uniform(mdp.available), tt.ReverseMaxChi2(tt.Certified(bound)))
        assert returns[1] == pytest.approx(eta_of(mdp, first.policy, 0.9), rel=1e-10)


def test_a_proved_update_that_falls_fails_the_experiment():
    frames = {
        "bounds": pd.DataFrame({"promise": [1.0], "improvement": [2.0]}),
        "updates": pd.DataFrame({"kind": ["certified", "unproven"], "falls": [0, 3]}),
    }
    assert trusted_steps.passed(frames)
    frames["updates"].loc[0, "falls"] = 1
    assert not trusted_steps.passed(frames)


def test_recorded_updates_are_judged_by_three_numbers():
    """chi2/expected-advantage certifies those of c < (1 − γ)/(γ (1 + CV²)), the four holes and the goal held still."""
    mdp, occupancy, advantage = of_uniform(0.9)
    generator = np.random.default_rng(5)
    policies = [np.full((16, 4), 0.25)]
    better = 0.25 * (1 + 0.05 * advantage / np.maximum(np.sqrt((advantage**2).mean(1)), 1e-12)[:, None])
    for scale in (0.5, 1.0, 1.5, 3.0):
        policies += [0.25 + scale * (better - 0.25), policies[0]]
    policies += [generator.dirichlet(np.ones(4), 16)]
    frame = trusted_runs.judged(mdp, np.array(policies))
    for k in range(0, len(frame), 2):
        new = policies[k + 1].copy()
        new[[5, 7, 11, 12, 15]] = 0.25
        expected = (new * advantage).sum(1)
        c = (4 * (new - 0.25) ** 2).sum(1).max()
        mean = occupancy @ expected
        largest = 0.1 / 0.9 * mean**2 / (occupancy @ expected**2)
        assert frame["certified chi2/expected-advantage"][k] == (mean > 0 and c < largest)
        change = eta_of(mdp, policies[k + 1], 0.9) - eta_of(mdp, policies[k], 0.9)
        assert frame["fell"][k] == (change < 0)
        assert frame["expected_return_new"][k] - frame["expected_return_old"][k] == pytest.approx(change, abs=1e-12)
    assert frame["certified chi2/expected-advantage"].any()
    assert not frame["certified chi2/expected-advantage"].all()
    assert trusted_runs.passed({"": frame})


@pytest.mark.slow
@pytest.mark.peers
def test_a_network_that_sees_the_class_has_one_row_for_each():
    pytest.importorskip("sb3_contrib")
    settings = replace(trusted_runs.Settings(), updates=1, steps=128, parallel=4)
    run = trusted_runs.train(settings, "FrozenLake-v1", 0.9, COLUMNS, "TRPO", 0)
    assert run.policies.shape == (2, 16, 4)
    assert (run.policies == run.policies[:, COLUMNS]).all()
    assert len(np.unique(run.policies[1], axis=0)) == 4
