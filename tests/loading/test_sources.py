"""What the words, files and objects that stand for an MDP or a policy open, and what is refused in one message."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.loading.reader import number, rational
from trpo_theory.loading.sources import exact_step, load, load_aggregation, load_policy, open_source

TWO_STATES = {"transition": [[[0.5, 0.5]], [[0.0, 1.0]]], "reward": [[1.0], [0.0]], "gamma": 0.5, "initial": [1, 0]}


@pytest.fixture
def written(tmp_path):
    """A file with an MDP and a policy."""
    path = tmp_path / "two.json"
    path.write_text(json.dumps({**TWO_STATES, "old": [[1.0], [1.0]]}))
    return path


def test_words_files_and_objects_open_the_same_mdp(written):
    mdp = load(written)
    # V(0) = 1 + ½ · ½ V(0), V(1) = 0
    np.testing.assert_allclose(tt.evaluate(mdp, [[1.0], [1.0]]).value, [4 / 3, 0], rtol=1e-15)
    assert load(mdp) is mdp
    assert np.array_equal(load(str(written)).transition, mdp.transition)


@pytest.mark.parametrize("text", ["zoo:puterman?gamma=99/100", "zoo:puterman?gamma=0.99"])
def test_options_are_read_as_numbers(text):
    assert load(text).gamma == 0.99


@pytest.mark.parametrize("source", ["zoo:puterman?gamma=0.5", "gym:FrozenLake-v1?gamma=0.5"])
def test_an_explicit_discount_overrides_the_text(source):
    assert load(source).gamma == 0.5
    assert load(source, gamma="3/4").gamma == 0.75


def test_an_explicit_discount_overrides_the_file(written):
    assert load(written).gamma == 0.5
    assert load(written, gamma=0.25).gamma == 0.25


def test_policies_come_along_with_a_file(written):
    source = open_source(written)
    assert np.array_equal(load_policy("old", source), [[1.0], [1.0]])
    with pytest.raises(tt.InvalidInput, match="uniform, optimal, old"):
        load_policy("new", source)
    with pytest.raises(
        tt.InvalidInput, match=r"policy 'new', but the MDP \(its file, .*\) has no 'new'; .*fix: add the policy"
    ):
        load_policy("new", source)


def test_uniform_is_over_the_available_actions_and_optimal_earns_most():
    mdp = load("zoo:puterman", gamma=0.95)
    assert np.array_equal(load_policy("uniform", mdp)[mdp.available == 0], np.zeros((~mdp.available).sum()))
    np.testing.assert_array_equal(load_policy("uniform", mdp).sum(1), 1)
    returns = [tt.evaluate(mdp, load_policy(word, mdp)).expected_return for word in ("uniform", "optimal")]
    assert returns[0] < returns[1] == pytest.approx(-60 / 7, rel=1e-14)  # Puterman (2005), section 3.1


def test_a_time_limit_is_noted():
    (note,) = open_source("gym:FrozenLake-v1", gamma=0.9).notes
    assert "100 steps" in note


def test_aggregations_are_read_from_files_and_sequences(tmp_path):
    (tmp_path / "map.json").write_text("[0, 1, 0]")
    from_file = load_aggregation(tmp_path / "map.json")
    assert np.array_equal(from_file.group, load_aggregation([0, 1, 0]).group)


@pytest.mark.parametrize(("text", "value"), [("0.99", 0.99), ("99/100", 0.99), ("1e-3", 0.001), (0.5, 0.5)])
def test_numbers(text, value):
    assert number(text, "gamma") == value


@pytest.mark.parametrize("text", ["", "x", "1/0", "9" * 41, "1e999", "1e999999999", "-inf", "1_000"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(tt.InvalidInput, match="wanted a number"):
        number(text, "gamma")


@pytest.mark.parametrize("text", ["1/3", "0.99", "-2/7", "0.12345678901234567890123", "1e-300", "3"])
def test_a_string_is_the_rational_that_it_says(text):
    exact = rational(text, "gamma")
    assert isinstance(exact, Fraction)
    assert exact == Fraction(text)
    assert number(text, "gamma") == float(Fraction(text))


GAMMA = {
    "1/3": Fraction(1, 3),
    "0.9": Fraction(9, 10),
    "0.70000000000000000001": Fraction(70000000000000000001, 10**20),
}


@pytest.mark.parametrize("text", GAMMA)
@pytest.mark.parametrize("name", ["zoo:forest", "gym:FrozenLake-v1", "zoo:coupling-tight?x=1/4"])
def test_a_discount_is_kept_as_it_is_written(name, text):
    given = open_source(name, gamma=text)
    named = open_source(f"{name}{'&' if '?' in name else '?'}gamma={text}")
    for source in (given, named):
        assert source.exact == {"gamma": GAMMA[text]}
        assert source.mdp.gamma == float(GAMMA[text])
    assert open_source(f"{name}{'&' if '?' in name else '?'}gamma={text}", gamma="1/7").exact["gamma"] == Fraction(1, 7)
    assert "gamma" not in open_source(f"{name}{'&' if '?' in name else '?'}gamma={text}", gamma=0.5).exact


def test_a_file_is_exact_and_so_are_policies_of_their_own(tmp_path):
    long = "0.12345678901234567890"
    (tmp_path / "mdp.json").write_text(
        f'{{"transition": [[[1], [1]]], "reward": [[{long}, "1/3"]], "gamma": {long}, "initial": [1], "old": [[0.5, "1/2"]]}}'
    )
    (tmp_path / "policy.json").write_text('{"policy": [["1/3", "2/3"]]}')
    np.save(tmp_path / "policy.npy", [[0.25, 0.75]])
    source = open_source(tmp_path / "mdp.json")
    step = exact_step(source, old="old", new=str(tmp_path / "policy.json"))
    assert step["reward"] == [[Fraction(long), Fraction(1, 3)]]
    assert step["gamma"] == Fraction(long)
    assert step["old"] == [[0.5, Fraction(1, 2)]]
    assert step["new"] == [[Fraction(1, 3), Fraction(2, 3)]]
    assert source.mdp.reward[0, 0] == float(long)
    assert "new" not in exact_step(source, new=str(tmp_path / "policy.npy"))
    assert "new" not in exact_step(source, new="uniform")
    assert "gamma" not in open_source(tmp_path / "mdp.json", gamma=0.5).exact


@pytest.mark.parametrize("source", [3, "mdp.txt", "gym:FrozenLake-v1", "zoo:nowhere", "missing.json"])
def test_bad_sources_are_one_message(source):
    with pytest.raises((tt.InvalidInput, FileNotFoundError), match=r"fix: |No such file"):
        load(source)
