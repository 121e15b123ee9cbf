"""`evaluate` and `update --cost` on one state, where the numbers are known."""

import json

import pytest

from trpo_theory.cli import main


@pytest.fixture
def path(tmp_path):
    fields = {"transition": [[[1], [1]]], "reward": [[0, 1]], "gamma": 0.5, "initial": [1], "costs": {"c": [[0, 1]]}}
    file = tmp_path / "mdp.json"
    file.write_text(json.dumps(fields))
    return str(file)


def test_evaluate_has_the_return_of_each_cost(path, capsys):
    assert main(["evaluate", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["costs"] == {"c": 1.0}


def test_update_keeps_a_limit(path, capsys):
    command = ["update", path, "--old", "uniform", "--problem", "max-kl", "--delta", "0.1"]
    assert main([*command, "--cost", "c:1.1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["objective"] == pytest.approx(0.1)
    assert found["costs"]["c"] == pytest.approx({"limit": 1.1, "surrogate": 1.1, "expected_return": 1.1, "price": 1.0})
    assert main([*command, "--cost", "c:0.1"]) == 0
    assert "recovery" in capsys.readouterr().out


@pytest.mark.parametrize(("cost", "said"), [("c", "NAME:LIMIT"), ("d:1", "wanted c"), ("c:x", "the limit of c")])
def test_another_limit_is_refused(path, capsys, cost, said):
    assert main(["update", path, "--old", "uniform", "--problem", "max-kl", "--delta", "0.1", "--cost", cost]) == 2
    assert said in capsys.readouterr().err
