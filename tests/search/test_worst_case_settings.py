"""`worst_case` in other settings: closed forms, an oracle that shares nothing with the package, files read back, bad input."""

import json
import sys
from fractions import Fraction

import numpy as np
import pytest
from cheap import sampled
from settings_oracle import SettingsOracle

from trpo_theory import cli
from trpo_theory.bounds import Bound
from trpo_theory.bounds.decorator import claim
from trpo_theory.errors import InvalidInput
from trpo_theory.proofs.certifying import certify
from trpo_theory.search.battery import random_instances
from trpo_theory.search.settings import furnished
from trpo_theory.search.worst_cases import evolve as ratio_search
from trpo_theory.search.worst_cases.finding import worst_case

worst_case_room = sys.modules["trpo_theory.search.worst_cases.finding"]


@pytest.fixture(autouse=True, scope="module")
def shorter():
    """Short searches: what is tested is attained, or proved of whatever is found."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"_ROUNDS": 1, "_GENERATIONS": 5, "_CLIMBERS": 3, "_INSTANCES": 300}.items():
            patch.setattr(ratio_search, name, value)
        patch.setattr(worst_case_room, "CHAMPIONS", 1)
        yield


def oracle_ratio(found):
    """(centre − η(new))/penalty by tests/oracles/settings_oracle.py, whose record the formula reads."""
    bound, q = found.record, SettingsOracle.of(found.witness_fields(), found.record)
    gap = q.surrogate_gap - (0 if bound.shift is None else bound.shift(q))
    return -gap / bound.penalty(q)


def assert_enclosed(found):
    ratio, (lower, upper) = oracle_ratio(found), found.enclosure
    assert float(lower) - 1e-12 <= float(ratio) <= float(upper) + 1e-12


# --- closed forms -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@sampled(
    ("bound", "options"),
    [
        ("horizon/tv", {"horizon": 2, "actions": 3}),  # F1 at T = 2
        ("horizon/coupling", {"horizon": 3, "actions": 3}),  # F1, every T
        ("chi2/return", {"horizon": 2, "states": 3}),  # two tokens
        ("average/mixing-mean-tv", {}),  # chains of two states
        ("average/kemeny-mean-tv", {}),
    ],
    every=4,
)
def test_what_is_attained_is_attained(bound, options):
    found = worst_case(bound, effort=1, **{"states": 2} | options)
    assert 0.99 < found.ratio <= 1
    assert found.witness.gamma == 1
    assert found.witness.horizon == options.get("horizon")
    assert_enclosed(found)


@pytest.mark.slow
def test_half_the_constant_over_two_steps_is_refuted_by_a_factor_2():
    found = worst_case("horizon/tv-half", horizon=2, states=2, actions=3, effort=1)
    assert found.refutes
    assert 1.98 < found.ratio <= 2
    assert_enclosed(found)


# --- one of each setting ------------------------------------------------------------------------------------------

OWN = """
from trpo_theory import claim


@claim("mine/episodic", statement="s", criterion="episodic")
def episodic(q):
    return q.surrogate_gap + q.max_abs_expected_advantage * q.sum_s(q.visitation_new + q.visitation_old)
"""


@claim("mine/episodic", statement="s", criterion="episodic")
def episodic(q):
    return q.surrogate_gap + q.max_abs_expected_advantage * q.sum_s(q.visitation_new + q.visitation_old)


@claim("mine/cost", statement="s", costs=("c",))
def cost(q):
    own = q.max_abs_advantage + q.cost("c").max_abs_advantage
    return q.surrogate_gap + 4 * q.gamma / (1 - q.gamma) ** 2 * own * q.max_tv**2


@pytest.mark.slow
@sampled(
    ("bound", "gamma"),
    [("entropy/tv", "1/2"), ("geppo/mixture", "1/2"), ("average/doeblin/trpo/tv", None), (cost, "1/2"), (episodic, 1)],
    ids=["temperature", "references", "average", "costs", "episodic"],
    every=4,
)
def test_a_ratio_is_what_an_oracle_says_and_its_witness_has_what_the_setting_reads(bound, gamma):
    found = worst_case(bound, gamma=gamma, states=2, effort=1)
    assert 0 < found.enclosure[0] <= found.enclosure[1] <= 1
    setting = found.record.setting
    for name in ("horizon", "temperature", "costs", "model", "references", "weights"):
        assert (getattr(found.witness, name) is not None) == (name in setting)
    assert found.witness.reference is None
    assert found.witness.noise is None
    assert_enclosed(found)


@pytest.mark.slow
def test_an_episodic_witness_ends():
    witness = worst_case(episodic, states=3, effort=1).witness
    transition, reward = witness.transition, witness.reward
    assert (transition[-1, :, -1] == 1).all()
    assert not reward[-1].any()
    for policy in (witness.old, witness.new):
        chain = np.einsum("sa,sat->st", policy.astype(float), transition.astype(float))
        assert (np.linalg.matrix_power(chain, 3)[:, -1] > 0).all()


@pytest.mark.slow
def test_agents_have_policies_that_are_products():
    found = worst_case("agents/tv", gamma=0.5, states=2, effort=1)
    assert found.witness.actions == 4
    for policy in (found.witness.old, found.witness.new):
        for row in policy:
            joint = row.reshape(2, 2)
            assert (joint == joint.sum(1)[:, None] * joint.sum(0)).all()
    assert 0 < found.ratio <= 1


@pytest.mark.slow
def test_a_file_of_a_setting_reads_back(tmp_path, capsys):
    own, path = tmp_path / "mine.py", tmp_path / "witness.json"
    own.write_text(OWN)
    call = ["worst-case", "mine/episodic", "--from", str(own), "--states", "2", "--effort", "1", "--out", str(path)]
    assert cli.main([*call, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["gamma"] == 1
    assert printed["criterion"] == "episodic"
    assert printed["horizon"] is None
    assert cli.main(["certify", str(path), "--from", str(own)]) == 0
    assert "gamma = 1, episodic returns" in capsys.readouterr().out


@pytest.mark.slow
def test_the_horizon_is_in_the_theorem(tmp_path):
    path = tmp_path / "witness.json"
    found = worst_case("horizon/coupling", horizon=3, states=2, effort=1)
    found.write(path)
    again = certify(path)
    assert again.certified
    assert "gamma = 1, 3 steps" in again.theorem
    assert found.to_fields()["horizon"] == 3


def test_any_horizon_may_win_where_none_is_given():
    found = worst_case("horizon/tv-half", states=2, effort=1)
    assert found.refutes
    assert found.witness.horizon >= 2


def test_a_discount_over_a_horizon_is_the_one_asked_for():
    found = worst_case("horizon/coupling", gamma="1/3", horizon=2, states=2, effort=1)
    assert found.witness.gamma == Fraction(1, 3)
    assert_enclosed(found)


@pytest.mark.parametrize(
    ("bound", "options", "words"),
    [
        ("trpo/kl", {}, "got no discount for trpo/kl"),
        ("entropy/tv", {}, "got no discount"),
        ("entropy/tv", {"gamma": 1}, "gamma = 1"),
        ("horizon/tv", {"gamma": 2}, "gamma = 2"),
        ("horizon/tv", {"horizon": 0}, "horizon"),
        ("trpo/kl", {"gamma": 0.5, "horizon": 3}, "leave the horizon out"),
        ("average/atrpo", {"gamma": 0.9}, "leave gamma out"),
        ("average/atrpo", {"horizon": 3}, "leave the horizon out"),
        ("agents/tv", {"gamma": 0.5, "actions": 3}, "leave actions out"),
        (
            Bound("mine/one", lambda q: q.max_abs_advantage, "s", criterion="episodic"),
            {"states": 1, "effort": 1},
            "no instance",
        ),
    ],
)
def test_what_has_no_sense_is_refused_with_a_fix(bound, options, words):
    with pytest.raises(InvalidInput, match=words) as raised:
        worst_case(bound, **options)
    assert "fix: " in str(raised.value)


def test_an_end_costs_nothing_whatever_was_drawn():
    drawn = furnished(random_instances(np.random.default_rng(0), 20, 3, 2), frozenset({"episodic", "costs"}))
    assert drawn.costs[:, 0].any()
    assert not drawn.costs[:, -1].any()
    moved = furnished(drawn.replace(costs=drawn.costs + 1), frozenset({"episodic", "costs"}))
    assert not moved.costs[:, -1].any()
    assert (moved.costs[:, 0] == drawn.costs[:, 0] + 1).all()
