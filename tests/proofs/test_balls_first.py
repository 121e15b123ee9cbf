"""`decide` on long numbers: enclosing balls give the signs of exact rationals, also next to 0, and rationals decide the ties."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from cheap import long
from check_proof import check
from exact import ExactPolicy
from settings_oracle import SettingsOracle

import trpo_theory as tt
from trpo_theory import claims
from trpo_theory.numerics.ball.resolvent import BallResolvent
from trpo_theory.proofs.certified_bounds import certify_bounds
from trpo_theory.proofs.decide import decide
from trpo_theory.proofs.evaluations import ENCLOSING_BITS
from trpo_theory.proofs.settle import settle
from trpo_theory.proofs.witness import Witness, instance_fields
from trpo_theory.step.exact import ExactInstance

F = Fraction


def drawn(seed, states=5, actions=3, *, gamma=0.9, scale=1.0, concentration=1.0, tiny=False):
    """A step of floats; with tiny, rows have probabilities down to the least float."""
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.full(states, concentration), size=(states, actions))
    policies = rng.dirichlet(np.full(actions, concentration), size=(2, states))
    if tiny:
        transition[:, :, 0] = 5e-324
        policies[:, :, 0] = 1e-310
        transition, policies = (x / x.sum(-1, keepdims=True) for x in (transition, policies))
    initial = np.eye(states)[0] if tiny else rng.dirichlet(np.ones(states))
    reward = scale * rng.normal(size=(states, actions))
    return ExactInstance(
        transition=transition, reward=reward, gamma=gamma, initial=initial, old=policies[0], new=policies[1]
    )


HOSTILE = {
    "plain": {},
    "gamma = 1 - 1e-12": {"gamma": 1 - 1e-12},
    "rewards of 1e12": {"scale": 1e12},
    "rare moves": {"concentration": 0.02, "gamma": 0.999},
    "denormal probabilities": {"tiny": True},
    "all of them": {"tiny": True, "scale": 1e12, "gamma": 1 - 1e-9},
    "30 states": {"states": 30, "actions": 2},
}


def returns(instance, policy):
    """eta, by the oracle's rationals."""
    fields = {name: getattr(instance, name) for name in ("transition", "reward", "gamma", "initial")}
    found = ExactPolicy(**fields, policy=policy).expected_return
    return F(int(found.p), int(found.q))


@pytest.fixture
def no_exact_solutions(monkeypatch):
    """Linear systems in rationals raise."""

    def refused(self, *args):
        raise AssertionError("an exact solution")

    monkeypatch.setattr(BallResolvent, "_applied", refused)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("size", [1, F(1, 10**30), F(1, 10**100)], ids=["1", "1e-30", "1e-100"])
def test_signs_next_to_0_are_those_of_exact_rationals_without_an_exact_solution(name, size, no_exact_solutions):
    instance = drawn(3, **HOSTILE[name])
    gain = returns(instance, instance.new) - returns(instance, instance.old)
    for sign, verdict in ((1, "proved"), (-1, "refuted")):
        shift = sign * size * max(abs(gain), 1)
        found = decide(lambda q, shift=shift: q.expected_return_new - q.expected_return_old - gain + shift, instance)
        assert (found.verdict, found.precision in ENCLOSING_BITS) == (verdict, True)
        assert found.lower <= shift <= found.upper
        assert found.upper - found.lower < abs(shift) / 10**15


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "30 states"])
def test_ties_are_decided_exactly(name):
    instance = drawn(4, **HOSTILE[name])
    gain = returns(instance, instance.new) - returns(instance, instance.old)
    for relation in (">=", "="):
        found = decide(lambda q: q.expected_return_new - q.expected_return_old - gain, instance, relation=relation)
        assert (found.verdict, found.enclosure) == ("proved", "0")
    assert decide(lambda q: 1, instance, given=lambda q: q.expected_return_new == gain + q.expected_return_old).met
    assert (
        decide(lambda q: -1, instance, given=lambda q: q.expected_return_new > gain + q.expected_return_old).met
        is False
    )


def test_a_step_to_itself_needs_no_exact_solution(no_exact_solutions):
    """Its gap is 0 exactly in balls, too, and so are its divergences."""
    instance = drawn(5, states=6)
    still = instance.replace(new=instance.old)
    for id in ("trpo/kl", "chi2/advantage", "transition/mean-max", "chain-rule/kl"):
        found = decide(tt.bounds[id].slack, still)
        assert (found.verdict, found.enclosure) == ("proved", "0")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, long(2)])
def test_every_bound_has_the_sign_and_the_digits_that_exact_solutions_give(seed):
    """By the same formulas on the same numbers, of which the exact path makes no enclosure before logarithms."""
    instance = drawn(seed, 4, gamma=(0.5, 0.9, 0.99)[seed])
    short = instance.replace()
    vars(short)["_solution_bits"] = 0
    for bound in tt.bounds.plain().values():
        one, other = decide(bound.slack, instance), decide(bound.slack, short)
        assert (one.verdict, one.precision) == (other.verdict, 192), bound.id
        if one.lower is not None:
            assert one.lower <= other.upper
            assert other.lower <= one.upper
            assert one.upper - one.lower <= (other.upper - other.lower) + abs(one.upper) / 10**18


SETTINGS = {
    "episodic": ({"criterion": "episodic"}, {}),
    "average": ({"criterion": "average"}, {}),
    "horizon": ({"horizon": True}, {"horizon": 4}),
    "entropy": ({"temperature": True}, {"temperature": F(1, 3)}),
}


def in_setting(name, seed, leak):
    """A step of floats whose actions of state 0 reach an end, the last state, with probability `leak` alone."""
    _, extra = SETTINGS[name]
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(4), size=(4, 2))
    reward = rng.normal(size=(4, 2))
    if name == "episodic":
        transition[:, :, 3] = 0.0
        transition[0, :, 3] = leak * transition[0].sum(1)
        transition[3], reward[3] = [[0, 0, 0, 1]] * 2, 0.0
        transition /= transition.sum(2, keepdims=True)
    gamma = 1 if name != "entropy" else 0.9
    old, new = rng.dirichlet(np.ones(2), size=(2, 4))
    return ExactInstance(
        transition=transition, reward=reward, gamma=gamma, initial=[1, 0, 0, 0], old=old, new=new, **extra
    )


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("leak", [0.5, 1e-12])
def test_claims_of_every_setting_without_an_exact_solution(name, leak, no_exact_solutions):
    """Next to the return that the oracle has in 80 digits; an episode is some 1/leak steps long."""
    words, _ = SETTINGS[name]
    instance = in_setting(name, 1, leak)

    def claim(number):
        return tt.Claim("mine/return", lambda q: q.expected_return_new - number, "s", expected="open", **words)

    want = SettingsOracle.of(instance_fields(instance), claim(0)).expected_return_new
    want = F(int(want * 10**50), 10**50)
    for sign, verdict in ((-1, "proved"), (1, "refuted")):
        found = settle(claim(want + sign * abs(want) / 10**30), instance)
        assert (found.verdict, found.precision in ENCLOSING_BITS) == (verdict, True)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "episodic"])
def test_the_catalogue_of_every_setting_has_the_signs_that_exact_solutions_give(name):
    instance = in_setting(name, 2, 0.3)
    short = instance.replace()
    vars(short)["_solution_bits"] = 0
    words, _ = SETTINGS[name]
    setting = tt.Claim("mine/any", abs, "s", **words).setting
    mine = [
        one for one in claims.catalogue.values() if one.setting == setting and one.step is None and not one.is_solved
    ]
    assert len(mine) > 2
    for bound in mine:
        one, other = settle(bound, instance), settle(bound, short)
        assert one.verdict == other.verdict, bound.id
        if one.lower is not None:
            assert one.lower <= other.upper
            assert other.lower <= one.upper


@pytest.mark.whole
@pytest.mark.slow
def test_a_step_of_200_states_is_what_scaled_integers_say():
    """eta(new) - eta(old) of a dense MDP, by value iteration in integers over 2^200, gamma = 1/2: 150 steps leave 2^-150."""
    states, actions, bits = 200, 2, 200
    rng = np.random.default_rng(7)
    transition = rng.dirichlet(np.ones(states), size=(states, actions))
    reward, initial = rng.normal(size=(states, actions)), np.eye(states)[0]
    policies = rng.dirichlet(np.ones(actions), size=(2, states))
    scaled = [[[int(x * 2**80) for x in row] for row in rows] for rows in transition]
    found = []
    for policy in policies:
        rows, weights = [], [[F(x) for x in row] for row in policy]
        for s in range(states):
            shares = [w / sum(weights[s]) / sum(scaled[s][a]) for a, w in enumerate(weights[s])]
            shares = [int(x * 2 ** (2 * bits)) for x in shares]
            moves = sum(share * np.array(scaled[s][a], dtype=object) for a, share in enumerate(shares))
            rows.append([int(x) >> bits for x in moves])
        chain = np.array(rows, dtype=object)
        earned = [
            sum(w * F(r) for w, r in zip(weights[s], reward[s], strict=True)) / sum(weights[s]) for s in range(states)
        ]
        earned = np.array([int(x * 2**bits) for x in earned], dtype=object)
        value = earned
        for _ in range(150):
            value = earned + (chain.dot(value) >> (bits + 1))
        found.append(F(int(value[0]), 2**bits))
    gain = found[1] - found[0]
    mdp = tt.FiniteMDP(transition, reward, 0.5, initial)
    for sign, verdict in ((1, "proved"), (-1, "refuted")):
        bound = tt.bounds.Bound(
            "mine/gain",
            lambda q, sign=sign: sign * abs(gain) / 10**30 - gain + q.surrogate_gain,
            "s",
            "t",
            expected="open",
        )
        (one,) = certify_bounds(mdp, *policies, [bound])
        assert one.outcome == verdict


# --- files ------------------------------------------------------------------------------------------------------------


def _exchanged(fields):
    """Two states' moves are exchanged: an MDP as good as the other one."""
    fields["transition"][0], fields["transition"][1] = fields["transition"][1], fields["transition"][0]


def _moved(fields):
    """The mass of a row is given to other states, by 1e-12."""
    row = [F(x) for x in fields["transition"][0][0]]
    row[0], row[1] = row[0] + F(1, 10**6), row[1] - F(1, 10**6)
    fields["transition"][0][0] = [str(x) for x in row]


CORRUPTED = {
    "another slack": lambda fields: fields.update(slack=["-1/3", "-1/3"]),
    "another enclosure": lambda fields: fields.update(enclosure=["-1/3", "-1/3"]),
    "a wider slack": lambda fields: fields.update(slack=[str(2 * F(fields["slack"][0])), fields["slack"][1]]),
    "states exchanged": _exchanged,
    "a row that is another one": _moved,
    "the policies exchanged": lambda fields: fields.update(old=fields["new"], new=fields["old"]),
    "another discount": lambda fields: fields.update(gamma="91/100"),
    "another claim": lambda fields: fields.update(claim="trpo/kl"),
}


def test_a_file_with_long_numbers_is_small_checked_by_both_and_refused_if_corrupted(tmp_path, no_exact_solutions):
    """No field of it is believed: neither the slack, nor numbers of the MDP, nor the policies."""
    instance = drawn(11, 12, 2, gamma=0.9)
    claim = claims.get("order/upper")
    decision = settle(claim, instance)
    assert (decision.verdict, decision.precision) == ("refuted", 192)
    path = tmp_path / "witness.json"
    Witness(claim, instance, decision).write(path)
    fields = json.loads(path.read_text())
    assert all(len(end) < 40 for end in fields["slack"])
    assert tt.certify(path).certified
    assert check(path)[0] is True
    for name, value in CORRUPTED.items():
        worse = json.loads(path.read_text())
        value(worse)
        path.with_stem("worse").write_text(json.dumps(worse))
        try:
            certificate = tt.certify(path.with_stem("worse"))
        except tt.InvalidInput:
            continue
        assert not certificate.certified, name
