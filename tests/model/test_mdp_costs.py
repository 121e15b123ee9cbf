"""Costs of a `FiniteMDP`: reduced as rewards are, kept by what makes a new MDP of an old one."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp

import trpo_theory as tt
from trpo_theory.errors import InvalidInput

P = np.array([[[0.25, 0.75], [1.0, 0.0]], [[0.5, 0.5], [0.0, 1.0]]])
R = np.array([[1.0, 0.0], [2.0, -1.0]])
PER_STATE = [3.0, 5.0]
PER_PAIR = [[1.0, 2.0], [3.0, 4.0]]
PER_STEP = [[[4.0, 8.0], [1.0, 9.0]], [[2.0, 6.0], [9.0, 7.0]]]
WANTED = {"s": [[3, 3], [5, 5]], "sa": PER_PAIR, "sas": [[1 + 6, 1], [4, 7]]}
COSTS = {"s": PER_STATE, "sa": PER_PAIR, "sas": PER_STEP}


def arrays(mdp):
    return {name: cost.tolist() for name, cost in mdp.costs.items()}


def test_each_form_is_reduced_to_the_mean_of_a_state_and_action():
    assert arrays(tt.FiniteMDP(P, R, 0.5, costs=COSTS)) == WANTED
    assert arrays(tt.FiniteMDP(P, R, 0.5)) == {}


def test_sparse_ones_too():
    rows = sp.csr_array(P.reshape(4, 2))
    given = COSTS | {"sas": sp.csr_array(np.reshape(PER_STEP, (4, 2)))}
    assert arrays(tt.FiniteMDP(rows, R, 0.5, costs=given)) == WANTED


def test_a_batch_has_a_cost_each():
    mdp = tt.FiniteMDP(np.stack([P, P]), np.stack([R, R]), 0.5, costs={"c": [PER_PAIR, 2 * np.array(PER_PAIR)]})
    assert mdp.costs["c"].tolist() == [PER_PAIR, [[2, 4], [6, 8]]]


def test_an_unavailable_action_costs_nothing():
    mdp = tt.FiniteMDP(P, R, 0.5, available=[[1, 0], [1, 1]], costs={"c": PER_PAIR})
    assert mdp.costs["c"].tolist() == [[1, 0], [3, 4]]


@pytest.mark.parametrize(
    "again",
    [copy.deepcopy, lambda mdp: pickle.loads(pickle.dumps(mdp)), lambda mdp: mdp.with_gamma(0.25)],
    ids=["deepcopy", "pickle", "with_gamma"],
)
def test_what_makes_a_new_mdp_keeps_them(again):
    mdp = again(tt.FiniteMDP(P, R, 0.5, costs=COSTS))
    assert arrays(mdp) == WANTED
    assert repr(mdp).endswith("dense, costs=s, sa, sas)")


def test_they_are_frozen():
    mdp = tt.FiniteMDP(P, R, 0.5, costs=COSTS)
    with pytest.raises(ValueError, match="read-only"):
        mdp.costs["s"][0, 0] = 1
    with pytest.raises(TypeError):
        mdp.costs["new"] = mdp.reward


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ([PER_PAIR], "a list as costs"),
        ({"c": [1.0, 2.0, 3.0]}, "cost 'c' of shape"),
        ({"c": [[1.0, -np.inf], [0.0, 0.0]]}, "cost 'c'"),
        ({"c": [[1.0, np.nan], [0.0, 0.0]]}, "cost 'c'"),
        ({"": PER_PAIR}, "a cost named ''"),
        ({3: PER_PAIR}, "a cost named 3"),
        ({" c": PER_PAIR}, "a cost named ' c'"),
    ],
)
def test_anything_else_is_refused(costs, said):
    with pytest.raises(InvalidInput, match=said):
        tt.FiniteMDP(P, R, 0.5, costs=costs)


def test_a_horizon_has_them_in_each_step_and_none_at_its_end():
    mdp = tt.finite_horizon(tt.FiniteMDP(P, R, 1.0, costs={"c": PER_PAIR}), 2)
    assert mdp.costs["c"].tolist() == [*PER_PAIR, *PER_PAIR, [0, 0]]
