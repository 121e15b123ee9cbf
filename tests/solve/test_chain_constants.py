"""The longest run, Kemeny's constant and tau of `evaluate`: closed forms of two states, passage times solved in NumPy."""

import json

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory import cli

STAY = 0.75
"""Probability of staying in the transient state of two."""
LEAVING = tt.FiniteMDP([[[1.0, 0.0]], [[1 - STAY, STAY]]], [[0.0], [1.0]], 1.0, [0.0, 1.0])
ONLY = [[1.0], [1.0]]


def random_chain(states, seed):
    rows = np.random.default_rng(seed).dirichlet(np.ones(states), states)
    return tt.FiniteMDP(rows[:, None], np.zeros((states, 1)), 1.0), rows


def test_a_geometric_time_to_the_end():
    found = tt.evaluate(LEAVING, ONLY)
    assert float(found.longest_run) == pytest.approx(1 / (1 - STAY), rel=1e-14)
    assert found.kemeny is found.mixing is None


def test_a_transient_state_counts_in_the_trace():
    """Z = ((1, 0), (−p/(1−p), 1/(1−p))): trace 1 + 1/(1−p), rows 2/(1−p) apart, while from 0 no time passes until d is met."""
    found = tt.evaluate(LEAVING, ONLY, criterion="average")
    assert float(found.kemeny) == pytest.approx(1 + 1 / (1 - STAY), rel=1e-13)
    assert float(found.mixing) == pytest.approx(1 / (1 - STAY), rel=1e-13)
    assert found.longest_run is None


@pytest.mark.parametrize("seed", range(4))
def test_of_a_recurrent_chain_it_is_one_more_than_the_mean_passage_time_to_d(seed):
    mdp, moves = random_chain(5, seed)
    law = np.linalg.lstsq(np.vstack([np.eye(5) - moves.T, np.ones(5)]), np.eye(6)[-1])[0]
    to = np.zeros((5, 5))  # expected steps from s to t
    for t in range(5):
        others = np.arange(5) != t
        to[others, t] = np.linalg.solve(np.eye(4) - moves[np.ix_(others, others)], np.ones(4))
    found = tt.evaluate(mdp, np.ones((5, 1)), criterion="average")
    np.testing.assert_allclose(1 + to @ law, float(found.kemeny), rtol=1e-10)
    fundamental = np.linalg.inv(np.eye(5) - moves + law)
    apart = max(np.abs(one - other).sum() / 2 for one in fundamental for other in fundamental)
    assert float(found.mixing) == pytest.approx(apart, rel=1e-10)


def test_the_command_line_says_them_in_words(capsys):
    assert cli.main(["evaluate", "zoo:queue", "--criterion", "average"]) == 0
    out = capsys.readouterr().out
    assert "gamma" not in out
    for words in (
        "average rewards",
        "gain (average reward a step) of uniform",
        "Kemeny's constant kappa",
        "tau",
        "bias",
    ):
        assert words in out
    assert cli.main(["evaluate", "zoo:queue", "--criterion", "average", "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)
    assert "longest_run" not in fields
    assert fields["kemeny"] > fields["mixing"] + 1 > 1


def test_a_random_mdp_of_the_zoo_without_a_discount(capsys):
    assert cli.main(["evaluate", "zoo:garnet", "--gamma", "1", "--horizon", "3", "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)
    assert fields["gamma"] == 1
    assert not {"kemeny", "mixing", "longest_run"} & fields.keys()
    one = tt.load("zoo:garnet")
    assert tt.load("zoo:garnet", gamma=1).gamma == 1
    np.testing.assert_array_equal(tt.load("zoo:garnet", gamma=1).transition, one.transition)
