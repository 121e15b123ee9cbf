"""Names that are not known get the nearest ones and how to see all of them, from every verb; the sharp penalties have names."""

import json

import pytest

import trpo_theory as tt
from trpo_theory.cli import main
from trpo_theory.errors import InvalidInput

OWN = """
from trpo_theory import claim

@claim("mine/half", statement="L - ...", source="draft")
def half(q):
    return q.surrogate_gap + q.max_abs_advantage * q.max_tv
"""


def message_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([*arguments]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("worst-case", "nosuch", "--gamma", "0.5"),
        ("prove", "nosuch"),
        ("prove", "--bound", "nosuch"),
        ("show", "nosuch"),
        ("verify", "nosuch"),
        ("falsify", "nosuch"),
        ("claims", "nosuch"),
        ("bound", "zoo:nosuch", "--old", "old", "--new", "new"),
        ("update", "zoo:chain", "--old", "uniform", "--problem", "penalty", "--bound", "nosuch"),
    ],
)
def test_an_unknown_name_gets_three_names_and_how_to_list_them(arguments, capsys):
    text = message_of(capsys, *arguments)
    named = text.partition("names are ")[2].partition(" (")[0]
    assert len(named.split(", ")) == 3
    assert "lists them" in text or "has all" in text
    assert len(text) < 300


def test_a_near_name_comes_with_how_to_list_them(capsys):
    text = message_of(capsys, "prove", "trpo/kk")
    assert "did you mean 'trpo/kl' or " in text
    assert "`trpo-theory claims` lists them" in text


def test_a_claim_of_ones_own_has_its_file_in_the_message(tmp_path, capsys):
    file = tmp_path / "own.py"
    file.write_text(OWN)
    for verb in (("prove", "mine/hal"), ("worst-case", "mine/hal", "--gamma", "0.5")):
        text = message_of(capsys, *verb, "--from", str(file))
        assert "did you mean 'mine/half'" in text
        assert f"claims --from {file}" in text


def test_no_message_speaks_of_a_file_where_there_is_none(capsys):
    text = message_of(capsys, "prove", "trpo/kl", "--radius=-1:2")
    assert "got radius = -1" in text
    assert "change radius" in text
    assert "file" not in text


@pytest.mark.parametrize("of", [lambda: tt.bounds["nosuch"], lambda: tt.claims["nosuch"], lambda: tt.prove("nosuch")])
def test_python_functions_say_the_same(of):
    with pytest.raises(InvalidInput, match=r"the nearest of \d+ names are .*list\(tt\.(bounds|claims)\)"):
        of()


def test_a_sharp_gap_says_which_argument_is_text_or_out_of_order():
    with pytest.raises(
        InvalidInput, match=r"got radius = '1/4'.*pass a number, 0.25 or Fraction\('1/4'\), and not text"
    ):
        tt.sharp_gap("max-tv", "1/2", "1/4")
    with pytest.raises(
        InvalidInput, match=r'a name first, then the discount and the radius.*sharp_gap\("max-kl", gamma'
    ):
        tt.sharp_gap(0.5, 0.25, "max-tv")
    with pytest.raises(InvalidInput, match="pass radius as a number; check the order of the arguments"):
        tt.sharp_gap("max-tv", 0.5, "max")


def test_the_sharp_penalties_are_listed_by_their_pattern(capsys):
    assert main(["claims", "sharp/*", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["claims"]
    assert {one["id"] for one in listed} == set(tt.updates.SHARP)
    assert main(["claims", "--json"]) == 0
    assert not any(one["id"].startswith("sharp/") for one in json.loads(capsys.readouterr().out)["claims"])


def test_a_sharp_penalty_is_shown_with_its_theorem(capsys):
    assert main(["show", "sharp/max-kl"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("sharp/max-kl, expected true")
    assert (
        'verdict: proved: theorem, machine-checked for what a supersolution proves (docs/theory.md, "The sharp gap")'
        in text
    )
    assert "no instances are searched" in text
    assert main(["prove", "sharp/max-kl", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["proof"]["kind"] == "theorem"


def test_a_search_of_a_sharp_penalty_is_refused(capsys):
    for verb in (("falsify", "sharp/max-kl"), ("worst-case", "sharp/max-kl", "--gamma", "0.5")):
        assert "`trpo-theory sharp --divergence max-kl" in message_of(capsys, *verb)


def test_ids_of_sharp_penalties_are_reserved():
    mine = tt.claim("sharp/max-kl", statement="L - ...")(lambda q: q.surrogate_gap)
    with pytest.raises(InvalidInput, match="an id that is not in the catalogue"):
        tt.prove(mine)
