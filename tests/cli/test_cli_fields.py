"""fields: all that a claim may read."""

import json

import pytest

from trpo_theory.cli import main
from trpo_theory.step.quantities import Quantities


def test_every_name_is_listed_in_100_columns(capsys):
    assert main(["fields"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    first = {line.split()[0].split("(")[0] for line in lines if line.strip()}
    assert Quantities.names() <= first
    assert {"divergences", "moments", "reductions"} <= first


def test_json_has_every_name_with_its_formula(capsys):
    assert main(["fields", "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)["fields"]
    assert {field["name"] for field in fields} == Quantities.names()
    assert len(fields) == len(Quantities.names())
    by = {field["name"]: field for field in fields}
    assert by["max_kl"] == {
        "name": "max_kl",
        "call": "max_kl",
        "group": "divergences",
        "formula": "D = max_s KL(old_s ‖ new_s)",
        "shape": "(*batch)",
    }
    assert (by["value_new"]["group"], by["advantage"]["group"], by["gamma"]["group"]) == ("of new", "of old", "given")


def test_the_example_of_the_help_runs(capsys):
    main(["fields", "--help"])
    shown = capsys.readouterr().out
    example = shown.split("Example:")[1].split("trpo-theory")[1].split()
    assert main([example[0]]) == 0


def test_another_argument_is_refused(capsys):
    assert main(["fields", "max_kl"]) == 2
    assert "got" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [[], ["fields"], ["verify"]])
def test_help_has_a_short_name(capsys, verb):
    texts = []
    for name in ("-h", "--help"):
        assert main([*verb, name]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != ""
