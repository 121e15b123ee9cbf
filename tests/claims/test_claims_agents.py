"""Claims about several agents: verdicts, and the numbers of games that are worked out by hand."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from cheap import sample

import trpo_theory as tt
from trpo_theory.step.exact import ExactInstance

IDS = [name for name in tt.claims if name.startswith("agents/")]
SOME = sample(IDS, 4)
FALSE = [name for name in IDS if tt.claims[name].expected is False]
LABELS = list(itertools.product("ab", repeat=2))


def one_state(reward, old, new, gamma=0):
    """The exact step of two agents whose first actions have these probabilities."""

    def product(first, second):
        x, y = Fraction(first), Fraction(second)
        return np.array([[x * y, x * (1 - y), (1 - x) * y, (1 - x) * (1 - y)]])

    return ExactInstance(
        transition=np.ones((1, 4, 1), dtype=int),
        reward=np.array([reward]),
        gamma=Fraction(gamma),
        initial=np.array([1]),
        old=product(*old),
        new=product(*new),
    )


def slack(name, instance):
    claim = tt.claims[name]
    return claim.slack(claim.stepped(instance.quantities()))


def test_there_are_twins():
    assert len(IDS) >= 20
    assert len(FALSE) >= 8


@pytest.fixture(scope="module")
def verdicts():
    """Of all that are asked about, on one population."""
    return tt.verify(SOME)


@pytest.mark.slow
@pytest.mark.sampled
@pytest.mark.parametrize("name", SOME)
def test_verdicts_are_as_expected(name, verdicts):
    verdict = verdicts[name]
    assert verdict.verdict == ("proved" if tt.claims[name].expected else "refuted")
    assert verdict.min_slack is None or verdict.verdict == "refuted" or verdict.min_slack >= 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["agents/own-surrogates", "agents/joint-tv-max", "agents/simultaneous-improves"])
def test_witnesses_are_products_and_certified(name):
    found = tt.falsify(name)
    assert found.verdict == "refuted"
    assert tt.certify(found.witness).certified
    for policy in (found.witness.instance.old, found.witness.instance.new):
        for table in policy.reshape(-1, *tt.claims[name].agents):
            assert (np.outer(table.sum(1), table.sum(0)) == table).all()


def test_equal_actions_attain_the_error_of_own_surrogates():
    x = Fraction(1, 8)
    instance = one_state([1, -1, -1, 1], ["1/2", "1/2"], [Fraction(1, 2) + x] * 2)
    q = instance.quantities().factored((2, 2))
    assert q.surrogate_gain == 4 * x**2
    assert all(q.moved([agent]).surrogate_gain == 0 for agent in range(2))
    assert slack("agents/own-surrogates-error", instance) == 0
    assert slack("agents/own-surrogates-error-half", instance) == -2 * x**2


def test_two_agents_that_improve_alone_lose_together():
    instance = one_state([0, 1, 1, -2], [1, 1], [0, 0])
    claim = tt.claims["agents/simultaneous-improves"]
    q = claim.posed(instance.quantities())
    assert [q.moved([agent]).surrogate_gain == 1 for agent in range(2)] == [True, True]
    assert q.expected_return_new - q.expected_return_old == -2
    # KL is infinite there, and 0 · ∞ no gain: with a little less, every hypothesis holds
    nearly = one_state([0, 1, 1, -2], [1, 1], ["1/1000"] * 2)
    assert claim.met(claim.posed(nearly.quantities()))
    assert slack("agents/simultaneous-improves", nearly) < -1
    assert slack("agents/simultaneous", nearly) < -3
    assert not tt.claims["agents/sequential"].met(tt.claims["agents/sequential"].posed(nearly.quantities()))


def test_an_agent_after_another_has_nearly_twice_the_advantage():
    p = Fraction(1, 1000)
    instance = one_state([1, -1, 0, 0], [p, p], [p, p])
    q = instance.quantities().factored((2, 2))
    assert q.max_abs_advantage == 1 + p * (1 - 2 * p)
    assert q.agent_advantage(1, after=[0])[0, 0] == 2 - 2 * p
    assert slack("agents/advantage-size-one", instance) == 1 + p * (1 - 2 * p) - (2 - 2 * p)
    assert slack("agents/advantage-size", instance) > 0


def test_joint_divergences_of_coins():
    instance = one_state([0, 0, 0, 1], ["1/2", "1/2"], ["1/4", "1/4"])
    q = instance.quantities().factored((2, 2))
    assert q.tv[0] == Fraction(9, 16) - Fraction(1, 4)
    assert [q.moved([agent]).tv[0] == Fraction(1, 4) for agent in range(2)] == [True, True]
    own = Fraction(1, 4) / Fraction(1, 4) + Fraction(1, 4) / Fraction(3, 4)  # Σ old²/new
    assert q.chi2[0] == own**2 - 1
    assert slack("agents/joint-chi2-sum", instance)[0] == -((own - 1) ** 2)


def test_penalties_against_plain_numpy():
    generator = np.random.default_rng(4)
    weights = generator.random((2, 4, 2)) + 0.1
    transition, reward = weights / weights.sum(-1, keepdims=True), generator.normal(size=(2, 4))
    gamma, initial = 0.6, np.array([0.3, 0.7])
    mdp = tt.FiniteMDP(transition, reward, gamma, initial, action_labels=LABELS)
    first = generator.random((2, 2, 2)) * 0.8 + 0.1  # policy, agent, state: probability of the first action
    rows = np.stack([first, 1 - first], -1)
    old, new = (np.einsum("sa,sb->sab", *both).reshape(2, 4) for both in rows)

    def solved(policy):
        chain = np.einsum("sa,sat->st", policy, transition)
        value = np.linalg.solve(np.eye(2) - gamma * chain, (policy * reward).sum(1))
        visits = np.linalg.solve(np.eye(2) - gamma * chain.T, initial)
        return value, visits, reward + gamma * transition @ value - value[:, None]

    value, visits, advantage = solved(old)
    kl = (rows[0] * np.log(rows[0] / rows[1])).sum(-1)  # agent, state
    tv = abs(rows[0] - rows[1]).sum(-1) / 2
    unit = abs(advantage).max() * gamma / (1 - gamma) ** 2
    gain = visits @ (new * advantage).sum(1)
    cube = advantage.reshape(2, 2, 2)
    own = visits @ (np.einsum("sab,sa,sb->s", cube, rows[1, 0], rows[0, 1]))
    own += visits @ (np.einsum("sab,sa,sb->s", cube, rows[0, 0], rows[1, 1]))
    cross = 4 * abs(advantage).max() / (1 - gamma) * (tv[0] * tv[1]).max()
    center = initial @ value + gain
    wanted = {
        "agents/hatrpo": center - 4 * unit * kl.max(1).sum(),
        "agents/pinsker": center - 2 * unit * kl.max(1).sum(),
        "agents/pinsker-max": center - 2 * unit * kl.max(),
        "agents/tv": center - 4 * unit * tv.max(1).sum() ** 2,
        "agents/tv-squares": center - 4 * unit * (tv.max(1) ** 2).sum(),
        "agents/simultaneous": initial @ value + own - 4 * unit * kl.max(1).sum(),
        "agents/simultaneous-cross": initial @ value + own - 4 * unit * kl.max(1).sum() - cross,
    }
    q = tt.compare(mdp, old, new)
    found = {name: float(tt.bounds.get(name).lower_bound(q)) for name in wanted}
    assert found == pytest.approx(wanted, rel=1e-11)
    assert {"agents/hatrpo", "agents/tv"} <= {check.id for check in tt.bounds.check_all(q)}
    plain = tt.compare(tt.FiniteMDP(transition, reward, gamma, initial), old, new)
    assert not any(check.id.startswith("agents/") for check in tt.bounds.check_all(plain))
    correlated = np.full((2, 4), [0.5, 0, 0, 0.5])
    assert not any(check.id.startswith("agents/") for check in tt.bounds.check_all(tt.compare(mdp, old, correlated)))
