"""The longest run, Kemeny's constant and tau of `evaluate`: closed forms of two states, passage times solved in NumPy."""

import json
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

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


FAR = tt.FiniteMDP(
    [
        [[0, 0, 0, 1, 0], [0, 0, 0, 0.99995, 0.00005]],
        [[0, 1, 0, 0, 0], [0.375, 0.58, 0.045, 0, 0]],
        [[0.025, 0.018, 0, 0.142, 0.815], [0.0001, 0.4908, 0.0628, 0.0001, 0.4462]],
        [[0.378, 0, 0.209, 0.413, 0], [0.153, 0.06, 0.283, 0.497, 0.007]],
        [[0, 0, 0, 0, 1], [0, 0, 0, 0, 1]],
    ],
    [[-3, 0], [2, -1], [1, -3], [2, 2], [0, 0]],
    1.0,
    [0, 0, 1, 0, 0],
)
"""All states reach the end, and state 1 all but never where its second action hardly has a chance."""


def hardly(chance):
    return [[0.05, 0.95], [1 - chance, chance], [0.0, 1.0], [1e-20, 1.0], [0.5, 0.5]]


def exact_lengths(mdp, policy):
    """(I − K)⁻¹ 1 in rationals; the last state is the end."""
    n = mdp.states - 1
    play = [[Fraction(p) / sum(map(Fraction, row)) for p in row] for row in policy]
    rows = [[sum(play[s][a] * Fraction(mdp.transition[s, a, t]) for a in range(2)) for t in range(n)] for s in range(n)]
    rows = [[Fraction(s == t) - rows[s][t] for t in range(n)] + [Fraction(1)] for s in range(n)]
    for k in range(n):
        rows[k] = [x / rows[k][k] for x in rows[k]]
        rows = [
            row if i == k else [x - row[k] * y for x, y in zip(row, rows[k], strict=True)] for i, row in enumerate(rows)
        ]
    return [row[-1] for row in rows]


@pytest.mark.parametrize("chance", [1e-3, 1e-9, 1e-12, 1e-13])
def test_the_longest_run_is_that_of_rationals_to_what_the_bound_says(chance):
    """A bound on V's error is at least what one on lengths is: rewards are as large as 1."""
    found = tt.evaluate(FAR, hardly(chance))
    true = max(exact_lengths(FAR, hardly(chance)))
    assert abs(Fraction(float(found.longest_run)) - true) <= found.error_bound


@pytest.mark.parametrize("chance", [1e-17, 1e-100, 4.6e-194, 1e-300])
def test_runs_whose_length_floats_do_not_tell_have_no_return(chance):
    """LU finds some of either sign: it was −9e193 ± 9e179, of runs of one step."""
    with pytest.raises(tt.NotSolved, match="too long for floats"):
        tt.evaluate(FAR, hardly(chance))
    with pytest.raises(tt.NotSolved, match="too long for floats"):
        tt.compare(FAR, hardly(chance), hardly(0.5))


def test_a_price_of_entropy_under_which_runs_never_end_is_refused():
    with pytest.raises(tt.InvalidInput, match="for ever"):
        tt.optimal(FAR, temperature=1.0)


def test_a_state_that_is_left_for_good_has_no_weight_in_means():
    """Rounding gave it 1e-17 of either sign, which an infinite KL there made inf, −inf or nan of a mean."""
    moves = [[[0, 0, 1], [0.346, 0.0015, 0.6525]], [[0, 1, 0], [0, 0, 1]], [[0.4925, 0, 0.5075], [0, 0.06824, 0.93176]]]
    old, new = [[0.5, 0.5], [1, 0], [0.25, 0.75]], [[1, 0], [1, 0], [0, 1]]
    q = tt.compare(tt.FiniteMDP(moves, np.zeros((3, 2)), 0.5), old, old, criterion="average")
    assert q.visitation_old.tolist() == pytest.approx([0, 1, 0], abs=0, rel=1e-14)
    stepped = tt.compare(tt.FiniteMDP(moves, np.zeros((3, 2)), 0.5), old, new, criterion="average")
    assert stepped.mean_kl == 0
    sparse = tt.FiniteMDP(sp.csr_array(np.reshape(moves, (6, 3))), np.zeros((3, 2)), 0.5)
    assert tt.compare(sparse, old, new, criterion="average").mean_kl == 0
