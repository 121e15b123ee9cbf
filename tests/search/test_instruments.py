"""The instruments of a search: what each tries out is counted in one place, and what a slack is made of is seen."""

from fractions import Fraction

import numpy as np
import pytest
from exact import step_on

import trpo_theory as tt
from trpo_theory.bounds.record import Claim
from trpo_theory.claims import catalogue
from trpo_theory.proofs.settle import settle
from trpo_theory.search import findings, instruments
from trpo_theory.search.battery import random_instances
from trpo_theory.search.hunt import Hunt
from trpo_theory.search.instruments import INSTRUMENTS, ascent, mutation, run_all, solver_steps
from trpo_theory.search.instruments.ascent import Ascent, climb
from trpo_theory.search.scales import best_of, share_of_terms
from trpo_theory.search.screen import Screen
from trpo_theory.search.screened import Screened
from trpo_theory.search.shortfall import Shortfall
from trpo_theory.search.slack_kind import SlackKind, kind_of
from trpo_theory.search.witnesses import FEW_STATES, sharp_witnesses


def made(formula, **details):
    return Claim("mine/made", formula, "a statement", **details)


KINDS = {
    "a bound": (catalogue["trpo/tv"], SlackKind.LOWER),
    "a false bound": (made(lambda q: q.surrogate_gap + q.max_abs_advantage * q.max_tv**2 / 9), SlackKind.LOWER),
    "from above": (
        made(lambda q: q.max_abs_advantage * q.max_tv / (1 - q.gamma) ** 2 - q.surrogate_gap),
        SlackKind.UPPER,
    ),
    "a difference of returns": (made(lambda q: q.expected_return_new - q.expected_return_old), SlackKind.REWARD),
    "an identity": (made(lambda q: q.surrogate_gap + 0, relation="="), SlackKind.REWARD),
    "divergences": (made(lambda q: q.max_kl - 2 * q.max_tv**2), SlackKind.FREE),
    "mostly infinite": (made(lambda q: q.surrogate_gap + q.max_kl), SlackKind.LOWER),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_a_slack_is_made_of_is_seen_from_its_values(name):
    claim, kind = KINDS[name]
    assert kind_of(Screen(claim)) is kind


@pytest.mark.parametrize("kind", [SlackKind.LOWER, SlackKind.UPPER])
def test_the_best_use_most_of_the_penalty_and_none_has_a_gap_that_helps(kind):
    generator = np.random.default_rng(0)
    gap, penalty = generator.normal(size=400), generator.exponential(size=400) * 5
    slack = kind.sign * gap + penalty
    screened = Screened(
        slack,
        np.full(400, True),
        np.full(400, 1e-12),
        gap,
        np.ones(400),
        np.full(400, True),
        *np.full((2, 400), np.nan),
    )
    against = kind.sign * gap < 0
    used = np.where(against, np.abs(gap) / penalty, 0)
    order = share_of_terms(screened, kind)
    np.testing.assert_allclose(order[against], ((1 - used) / (1 + used))[against])
    np.testing.assert_allclose(order[~against], 1)
    by_use = np.argsort(-used)[:20]
    assert set(by_use) <= set(best_of(kind, screened))
    parts = (screened.take(np.arange(*ends)) for ends in ((0, 150), (150, 400)))
    assert best_of(kind, *parts).tolist() == best_of(kind, screened).tolist()


def test_a_claim_falls_short_by_the_share_of_its_penalty_that_is_used():
    claim, instances = catalogue["trpo/tv"], random_instances(np.random.default_rng(1), 40, 3, 2)
    values = Shortfall(claim, Screen(claim), SlackKind.LOWER)(instances)
    known = np.flatnonzero(np.isfinite(values) & (np.abs(values) > 1e-6))
    assert len(known) > 10
    for i in known[:6]:
        one = instances.take([i])
        mdp = tt.FiniteMDP(one.transition[0], one.reward[0], float(one.gamma[0]), one.initial[0])
        step = step_on(mdp, one.old[0], one.new[0])
        gamma, largest = step.old.gamma, max(abs(step.advantage).ravel())
        tv = max(abs(step.new.policy - step.old.policy).sum(1)) / 2
        used = -step.surrogate_gap / (4 * gamma / (1 - gamma) ** 2 * largest * tv**2)
        assert values[i] == pytest.approx(float(Fraction(int(used.p), int(used.q))), rel=1e-9)


@pytest.mark.slow
def test_an_ascent_rises_and_never_above_what_a_theorem_allows():
    claim = made(
        lambda q: (
            q.surrogate_gap
            + Fraction(999, 1000)
            * 4
            * q.max_abs_advantage
            * q.gamma
            * q.max_tv**2
            / ((1 - q.gamma) * (1 - q.gamma * (1 - q.max_tv)))
        )
    )
    hunt = Hunt(claim, np.random.default_rng(3), instances=100)
    hunt.try_out(random_instances(np.random.default_rng(2), 400, 2, 3))
    objective = Shortfall(claim, hunt.screen, hunt.kind)
    before = objective(hunt.best((2, 3))[0]).max()
    for _ in range(4):
        climb(hunt, objective, (2, 3), 30)
    after = objective(hunt.best((2, 3))[0]).max()
    assert 1.01 * before < after <= 1000 / 999 + 1e-9  # coupling/tv is a theorem, and attained


def test_only_what_suits_a_claim_is_used_and_everything_is_counted():
    solved = catalogue["update/penalty-monotone"]
    names = [instrument.name for instrument in INSTRUMENTS]
    assert len(set(names)) == len(names)
    plain, needy = made(lambda q: q.max_tv), made(lambda q: q.max_tv, needs="one-row")
    assert not Ascent().suits(needy)
    assert Ascent().suits(plain)
    for claim in (plain, needy, solved):
        suited = [instrument.name for instrument in INSTRUMENTS if instrument.suits(claim)]
        assert ("solver steps" in suited) == claim.is_solved
        assert len(suited) == 1 or not claim.is_solved


@pytest.mark.slow
def test_what_is_tried_out_is_counted_and_the_best_of_it_kept(monkeypatch):
    monkeypatch.setattr("trpo_theory.search.instruments.mutation.GENERATIONS", 3)
    seen = []
    claim = made(lambda q: q.surrogate_gap + 3 * q.max_abs_advantage * q.max_tv / (1 - q.gamma) ** 2)
    hunt = Hunt(claim, np.random.default_rng(0), instances=200)
    count = hunt.count
    monkeypatch.setattr(
        hunt, "count", lambda instances, screened: (seen.append(len(instances)), count(instances, screened))
    )
    run_all(hunt)
    assert hunt.findings.counts.instances == sum(seen)


def test_a_long_search_stops_where_a_short_one_refutes():
    claim = made(lambda q: q.expected_return_new - q.expected_return_old)
    tried = {}
    for effort in (1, 10**6):
        hunt = Hunt(claim, np.random.default_rng(0), instances=50)
        run_all(hunt, effort)
        assert hunt.findings.refuted is not None
        tried[effort] = hunt.findings.counts.coverage.tried
    assert tried[1] == tried[10**6]


def test_slacks_within_rounding_are_decided_once_and_of_every_size(monkeypatch):
    claim, decided = made(lambda q: q.max_tv), []
    monkeypatch.setattr(findings, "settle", lambda *case: (decided.append(case[1]), settle(*case))[1])
    found = findings.Findings()
    shapes = [(1, 2), (2, 2), (3, 2), (25, 2), (26, 2)]
    generator = np.random.default_rng(0)
    for states, actions in shapes * 4:
        drawn = random_instances(generator, 20, states, actions)
        yes, one, unknown = np.full(20, True), np.ones(20), np.full(20, np.nan)
        found.add(drawn, Screened(-1e-14 * generator.random(20), yes, 1e-12 * one, one, one, yes, unknown, unknown))
        found.prove(claim)
    assert (decided, found.near) == ([], 400)
    found.prove_near(claim)
    assert {(one.states, one.actions) for one in decided} == set(shapes[:-1])
    assert found.near == 400 - len(decided)
    assert 12 <= len(decided) <= 24
    found.prove_near(claim)
    assert found.near == 400 - len(decided)


def test_few_instances_that_are_solved_have_a_discount_next_to_1(monkeypatch):
    seen = []
    monkeypatch.setattr(solver_steps, "_solved", lambda claim, drawn, *_: (seen.append(drawn.gamma), drawn)[1])
    hunt = Hunt(catalogue["update/penalty-monotone"], np.random.default_rng(0), instances=20_000)
    solver_steps.SolverSteps().use(hunt, 1)
    near = [int((1 - gamma < 0.000999).sum()) for gamma in seen]
    assert max(near) == 1
    assert 0 < sum(near) < len(seen)


def test_what_is_proved_on_paper_is_screened_and_searched_no_further_unless_asked(monkeypatch):
    monkeypatch.setattr(mutation, "GENERATIONS", 1)
    monkeypatch.setattr(ascent, "STEPS", 1)
    proved, searched = (
        tt.verify("trpo/tv", instances=2000, proofs=proofs)["trpo/tv"].searched.tried for proofs in (True, False)
    )
    assert set(proved) == {"sharp witnesses", "random instances and zoo families"}
    assert set(searched) == {*proved, "mutation", "gradient ascent"}
    assert searched["random instances and zoo families"] == proved["random instances and zoo families"]
    few, every = (sum(map(len, sharp_witnesses(most))) for most in (FEW_STATES, None))
    assert (proved["sharp witnesses"], searched["sharp witnesses"]) == (few, every)
    assert 800 < few < every - 400


def test_what_is_proved_on_paper_is_searched_where_few_instances_put_it_to_the_test(monkeypatch):
    monkeypatch.setattr(mutation, "GENERATIONS", 1)
    monkeypatch.setattr(instruments, "_ENOUGH", 10**6)
    assert "mutation" in tt.verify("divergence/chi2", instances=100)["divergence/chi2"].searched.tried
