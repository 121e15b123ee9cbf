"""`evaluate` and `update --cost` on one state, where the numbers are known."""

import json
import re
import shlex

import pytest
from cheap import long

import trpo_theory as tt
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


def test_a_constrained_update_says_where_the_policy_is(path, capsys, tmp_path):
    file = tmp_path / "new.json"
    command = ["update", path, "--old", "uniform", "--problem", "mean-kl", "--delta", "0.1", "--cost", "c:1.1"]
    assert main([*command, "--out", str(file)]) == 0
    assert f"the policy is in {file}" in capsys.readouterr().out
    assert json.loads(file.read_text())["policy"] == [pytest.approx([0.45, 0.55])]


def test_improve_keeps_a_limit(path, capsys):
    """new(1) = ½, 0.55: the limit 1.1 is reached in one step; the start exceeds the limit 0.9, which takes three."""
    command = ["improve", path, "--problem", "max-kl", "--delta", "0.01", "--steps", "9"]
    assert main([*command, "--cost", "c:1.1", "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)["steps"]
    assert [step["costs"]["c"] for step in steps] == [pytest.approx(1.1)]
    assert main([*command, "--cost", "c:0.5"]) == 0
    said = capsys.readouterr().out
    assert "J(c)" in said
    assert "steps without a policy within the limits: 3" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--problem", "penalty", "--coefficient", "2"], "drop --coefficient"),
        (["--problem", "trpo-step", "--delta", "0.1"], "a problem of max-kl"),
        (["--problem", "max-kl", "--delta", "certified", "--bound", "chi2/mean-max"], "drop --bound"),
        (["--problem", "max-kl"], "--delta 0.01"),
    ],
)
def test_limits_need_a_radius(path, capsys, options, said):
    assert main(["update", path, "--old", "uniform", *options, "--cost", "c:1"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["update", long("improve")])
def test_every_example_in_the_help_works(verb, capsys):
    assert main([verb, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    examples = re.findall(r"trpo-theory ((?:update|improve) .*?)(?= [A-Z][a-z]+[ :,]| *$)", text)
    assert len(examples) >= 4
    for example in examples:
        assert main([*shlex.split(example), "--json"]) == 0, example
        json.loads(capsys.readouterr().out)


def test_a_recovery_step_has_no_gap(path, capsys):
    command = ["improve", path, "--problem", "max-kl", "--delta", "0.01", "--steps", "1", "--cost", "c:0.5"]
    assert main([*command, "--json"]) == 0
    (step,) = json.loads(capsys.readouterr().out)["steps"]
    assert step["gap"] is None
    assert main(command) == 0
    assert "recovery" in capsys.readouterr().out


def test_settings_are_those_of_evaluate(capsys):
    """Up to an end, over a horizon and on average: the returns before and after are what evaluate says."""
    for setting in (["--gamma", "1", "--horizon", "5"], ["--criterion", "average"]):
        arguments = ["zoo:queue", *setting]
        assert main(["update", *arguments, "--old", "uniform", "--problem", "max-kl", "--delta", "0.1", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["upper_bound"] == pytest.approx(found["objective"], rel=1e-8)
        assert main(["evaluate", *arguments, "--json"]) == 0
        before = json.loads(capsys.readouterr().out)
        assert found["expected_return_old"] == pytest.approx(before["expected_return"], rel=1e-12)
        assert found["expected_return_new"] > found["expected_return_old"]


def test_the_best_soft_policy_is_evaluated(capsys):
    command = ["evaluate", "zoo:queue", "--criterion", "average", "--temperature", "0.5", "--json"]
    returns = []
    for policy in ("uniform", "optimal"):
        assert main([*command, "--policy", policy]) == 0
        returns.append(json.loads(capsys.readouterr().out)["expected_return"])
    best = tt.optimal(tt.load("zoo:queue", gamma=1), criterion="average", temperature=0.5)
    assert returns[0] < returns[1] == pytest.approx(best.expected_return, rel=1e-12)
    assert (
        main(["update", "zoo:queue", "--old", "uniform", "--problem", "max-kl", "--delta", "0.1", *command[4:6]]) == 2
    )
    assert "optimal(mdp, temperature=tau)" in capsys.readouterr().err
