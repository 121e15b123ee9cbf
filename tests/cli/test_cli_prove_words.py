"""What `prove` and `show` say of a claim of one's own: where it stands, where its hypotheses hold, and which proofs it took."""

import json
import math

import pytest
from cheap import in_this_process

from trpo_theory.cli import main
from trpo_theory.search.instruments.samples import Samples
from trpo_theory.verification import search_task
from trpo_theory.verification.verifying import verify

CLAIMS = """
from trpo_theory import claim

@claim("mine/three", statement="a", source="draft")
def three(q):
    return q.surrogate_gap + 6.2 * q.max_abs_advantage * q.polylog(-0.5, q.gamma) * q.max_kl

@claim("mine/tv", statement="a", source="draft", given=lambda q: q.gamma >= 0.5)
def tv(q):
    return q.surrogate_gap + 5 * q.max_abs_advantage * q.gamma / (1 - q.gamma)**2 * q.max_tv**2

@claim("mine/nowhere", statement="a", source="draft", given=lambda q: q.max_tv > 2)
def nowhere(q):
    return q.surrogate_gap + 0.1 * q.max_abs_advantage * q.max_tv

@claim("mine/joined", statement="a", source="draft")
def joined(q):
    return q.surrogate_gap + 2 * (0.7 + 0.5 * q.gamma) * q.max_abs_advantage * q.polylog(-0.5, q.gamma) * q.max_kl
"""


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Few random instances alone: what `show` searches is tested elsewhere."""
    in_this_process(monkeypatch)
    monkeypatch.setattr(search_task, "run_all", lambda hunt, effort: Samples().use(hunt, 1))
    monkeypatch.setitem(verify.__kwdefaults__, "instances", 300)


@pytest.fixture
def own(tmp_path):
    file = tmp_path / "own.py"
    file.write_text(CLAIMS)
    return "--from", str(file)


def share_of_tv(gamma, alpha):
    """Of 5 ε γ α²/(1 − γ)²: the closed form 4 γ α²/((1 − γ)(1 − γ(1 − α))) over it."""
    return 4 / 5 * (1 - gamma) / (1 - gamma * (1 - alpha))


@pytest.mark.parametrize("verb", ["prove", "show"])
def test_a_claim_of_ones_own_is_placed(verb, own, capsys):
    assert main([verb, "mine/tv", *own]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("mine/tv at radius"))
    assert line.startswith("mine/tv at radius 0.001: ")
    assert "times coupling/tv at gamma 0.9: weaker" in line
    assert "the sharp constant is 0.79" in line
    assert main([verb, "mine/tv", *own, "--json"]) == 0
    placed = json.loads(capsys.readouterr().out)["placed"]
    for one in placed["sharp"]:
        exact = share_of_tv(one["gamma"], one["radius"])
        assert one["lower"] <= exact <= one["upper"]
        assert one["upper"] - one["lower"] < 0.01 * exact


def test_it_is_compared_within_the_region_that_is_asked_for(own, capsys):
    ends = ("--gamma", "0.5:0.6", "--radius", "0.1:0.2")
    assert main(["prove", "mine/tv", *own, *ends, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["placed"]["radius"] == 0.1
    for one in (*found["placed"]["weaker"], *found["placed"]["sharp"]):
        assert (one["gamma"], one["radius"]) == (0.6, 0.1)
    (weaker,) = found["placed"]["weaker"]
    assert math.isclose(weaker["times"], 1 / share_of_tv(0.6, 0.1), rel_tol=1e-12)


def test_a_region_says_where_the_hypotheses_hold(own, capsys):
    assert main(["prove", "mine/tv", *own]) == 0
    assert "where the hypotheses hold (nowhere below gamma = 1/2)" in capsys.readouterr().out.splitlines()[0]
    assert main(["prove", "mine/tv", *own, "--gamma", "0.1:0.9", "--json"]) == 0
    region = json.loads(capsys.readouterr().out)["proof"]["region"]
    assert region["text"] == "gamma in [1/10, 9/10], where the hypotheses hold (nowhere below gamma = 1/2)"


@pytest.mark.parametrize(
    "arguments", [("mine/nowhere",), ("mine/tv", "--gamma", "0.1:0.4"), ("mean-kl/linear-2", "--gamma", "0.1:0.2")]
)
def test_where_the_hypotheses_hold_nowhere_nothing_is_called_proved(arguments, own, capsys):
    assert main(["prove", *arguments, *own]) == 3
    text = capsys.readouterr().out
    assert text.startswith(f"{arguments[0]}: vacuous: ")
    assert "the hypotheses hold nowhere in this region: the claim says nothing there" in text
    assert "proved" not in text.replace("to prove", "")


@pytest.mark.whole
@pytest.mark.slow
def test_parts_proved_by_two_methods_are_one_verdict(own, capsys):
    """At least chain-rule/kl from γ = 3/5 on, below it the sharp gap, which is not computed up to γ = .99995."""
    ends = ("--gamma", "0.5:0.99995", "--radius", "0.1:0.101")
    assert main(["prove", "mine/joined", *own, *ends]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        "mine/joined: proved: implied and sharp gap (implied by chain-rule/kl, for gamma in [3/5"
    )
    assert "sharp gap of max-kl" in lines[0]
    assert [line.split()[0] for line in lines[1:3]] == ["part:", "part:"]
