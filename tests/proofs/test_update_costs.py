"""Proofs of updates under limits on costs: by both checkers, in a closed form, and files that say anything else."""

from __future__ import annotations

import contextlib
import json
from fractions import Fraction

import numpy as np
import pytest
from check_proof import check

import trpo_theory as tt
from trpo_theory.cli import main
from trpo_theory.errors import InvalidInput

KINDS = (tt.MaxKL, tt.MeanKL, tt.ReverseMaxChi2, tt.ReverseMeanChi2)


def two_costs(groups=None):
    """An MDP with two costs and old, and limits that both bind within a radius of 0.05."""
    rng = np.random.default_rng(7)
    transition, reward, one, other = rng.dirichlet(np.ones(3), (3, 3)), *rng.normal(size=(3, 3, 3))
    mdp = tt.FiniteMDP(transition, reward, 0.9, costs={"a": one, "b": other})
    old = np.full((3, 3), 1 / 3) if groups else rng.dirichlet(np.ones(3), 3)
    costs = tt.evaluate(mdp, old).costs
    return mdp, old, {name: float(cost.expected_return) - 0.01 for name, cost in costs.items()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("groups", [None, (0, 0, 1)])
def test_both_checkers_prove_it(kind, groups, tmp_path):
    mdp, old, limits = two_costs(groups)
    aggregation = tt.StateAggregation(groups) if groups else None
    found = tt.update(mdp, old, kind(0.05, costs=limits), aggregation=aggregation)
    proof = tt.certify_update(found)
    assert found.objective * (1 - 1e-6) <= proof.objective <= proof.upper_bound <= found.upper_bound * (1 + 1e-9)
    assert proof.relative_gap <= 1e-6
    proof.write(tmp_path / "proof.json")
    theorem = json.loads((tmp_path / "proof.json").read_text())["theorem"]
    certificate = tt.certify(tmp_path / "proof.json")
    assert check(tmp_path / "proof.json") == (True, theorem) == (certificate.certified, certificate.theorem)
    assert "surrogates L_c(new) of costs <= " in theorem


def in_one_state(path):
    """r = c = (0, 1): from ½ on, the limit 11/10 on J_c = 2 new(1) leaves a gain of 1/10, whatever the radius above it."""
    fields = {"transition": [[[1], [1]]], "reward": [[0, 1]], "gamma": 0.5, "initial": [1], "costs": {"c": [[0, 1]]}}
    path.write_text(json.dumps(fields))
    return ["update", str(path), "--old", "uniform", "--problem", "max-kl", "--delta", "0.1"]


def test_the_command_line_proves_the_limit_as_it_is_written(tmp_path, capsys):
    command, proof = in_one_state(tmp_path / "mdp.json"), tmp_path / "proof.json"
    assert main([*command, "--cost", "c:11/10", "--certify", "--out", str(proof)]) == 0
    assert f"the proof is in {proof}" in capsys.readouterr().out
    fields = json.loads(proof.read_text())
    assert [Fraction(limit) for limit in fields["limits"]] == [Fraction(11, 10)]
    low, high = map(Fraction, fields["enclosure"])
    assert Fraction(1, 10) - Fraction(1, 10**8) < low <= Fraction(1, 10) <= high < Fraction(1, 10) + Fraction(1, 10**8)
    assert "costs <= 11/10, among all policies" in fields["theorem"]
    assert main(["certify", str(proof)]) == 0
    assert check(proof)[0]
    assert main([*command, "--cost", "c:0.1", "--certify"]) == 2
    assert "status is recovery" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        {"limits": ["109/100"]},
        {"prices": ["1/2"]},
        {"prices": ["-1"]},
        {"prices": ["1", "1"]},
        {"costs": [[["0"], ["11/10"]]]},
        {"limits": None, "prices": None},
        {"limits": None, "prices": None, "costs": None},
        {"prices": None},
        {"new": [["1/2", "1/2"]]},
        {"new": [["2/5", "3/5"]]},
        {"delta": None, "coefficient": "1", "problem": "penalty"},
    ],
    ids=str,
)
def test_both_checkers_reject_another_file(change, tmp_path):
    command, path = in_one_state(tmp_path / "mdp.json"), tmp_path / "proof.json"
    assert main([*command, "--cost", "c:1.1", "--certify", "--out", str(path)]) == 0
    fields = json.loads(path.read_text(), parse_float=str) | change
    path.write_text(json.dumps({name: value for name, value in fields.items() if value is not None}))
    assert not check(path)[0]
    with contextlib.suppress(InvalidInput):
        assert not tt.certify(path).certified


def test_other_returns_have_no_proof():
    mdp, old, limits = two_costs()
    for problem in (tt.MaxKL(0.05), tt.MaxKL(0.05, costs={name: limit + 9 for name, limit in limits.items()})):
        with pytest.raises(InvalidInput, match="discounted returns"):
            tt.certify_update(tt.update(mdp, old, problem, horizon=3))
