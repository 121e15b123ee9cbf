"""Costs in files: what is written comes back, and texts are read exactly."""

import json
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

import trpo_theory as tt
from trpo_theory import io
from trpo_theory.errors import InvalidInput
from trpo_theory.loading.sources import open_source
from trpo_theory.step.exact import ExactInstance

P = [[[0.5, 0.5], [0.0, 1.0]], [[1.0, 0.0], [0.25, 0.75]]]
R = [[1.0, 0.1], [0.0, 2.0]]
COSTS = {"fuel": [[0.1, 1 / 3], [2.0, -1.0]], "name": [[1.0, 2.0], [3.0, 4.0]]}


@pytest.mark.parametrize("suffix", ["npz", "json"])
@pytest.mark.parametrize("sparse", [False, True])
def test_what_is_written_is_read(tmp_path, suffix, sparse):
    transition = sp.csr_array(np.reshape(P, (4, 2))) if sparse else P
    path = tmp_path / f"mdp.{suffix}"
    io.write_mdp(tt.FiniteMDP(transition, R, 0.5, costs=COSTS), path)
    assert {name: cost.tolist() for name, cost in tt.load(path).costs.items()} == COSTS


def test_a_json_object_has_any_form_of_cost_and_is_exact(tmp_path):
    path = tmp_path / "mdp.json"
    costs = {"name": ["1/3", 0.1], "sas": [[[0, 1], [0, 1]], [[1, 0], [1, 0]]]}
    path.write_text(json.dumps({"transition": P, "reward": R, "gamma": 0.5, "initial": [1, 0], "costs": costs}))
    source = open_source(path)
    assert source.mdp.costs["sas"].tolist() == [[0.5, 1], [1, 0.25]]
    uniform = [["1/2", "1/2"]] * 2
    exact = ExactInstance.from_fields({**source.exact, "old": uniform, "new": uniform})
    assert exact.costs[:, 0, 0].tolist() == [Fraction(1, 3), Fraction(1, 10)]
    assert exact.costs[1, 1, 1] == Fraction(1, 4)


def test_columns_of_a_csv_file_are_averaged_as_rewards_are(tmp_path):
    path = tmp_path / "mdp.csv"
    path.write_text(
        "state,action,successor,probability,reward,cost:Fuel\n0,0,0,0.25,1,0.1\n0,0,1,0.75,1,0.3\n1,0,1,1,0,2\n"
    )
    source = open_source(path, gamma=0.5)
    np.testing.assert_allclose(source.mdp.costs["Fuel"], [[0.25], [2.0]])
    assert source.exact["costs"] == {"Fuel": [[Fraction(1, 4)], [2]]}


def test_a_proof_file_has_one_array(tmp_path):
    path = tmp_path / "witness.json"
    array = [[[1, 5], [2, 6]], [[3, 7], [4, 8]]]
    fields = {"transition": P, "reward": R, "gamma": 0.5, "initial": [1, 0], "costs": array}
    path.write_text(json.dumps(fields))
    assert {name: cost.tolist() for name, cost in tt.load(path).costs.items()} == {
        "c": [[1, 2], [3, 4]],
        "c2": [[5, 6], [7, 8]],
    }


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"costs": [1, 2]}, "costs of shape"),
        ({"costs": {"c": [[1, 2, 3]]}}, "cost 'c' of shape"),
        ({"costs": {"c": R}, "cost:c": R}, "the cost 'c' twice"),
        ({"cost": {"c": R}}, "the key 'cost'"),
    ],
)
def test_anything_else_is_refused(fields, said):
    with pytest.raises(InvalidInput, match=said):
        io.mdp_from_fields({"transition": P, "reward": R, "gamma": 0.5, "initial": [1, 0], **fields})
