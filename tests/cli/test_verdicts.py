"""Verdicts on a terminal: what is shown of a few made up, in a wide and a narrow terminal."""

import sys
import types

import pytest

from trpo_theory.cli import main
from trpo_theory.cli.verdicts import few_effective, print_verdicts

WITNESS = types.SimpleNamespace(size_text="2 states, 2 actions, denominators to 75557863725914323201865")


def verdict(word, effective=500, witness=None, proof=None):
    return types.SimpleNamespace(
        id="mine/lemma-3",
        expected=True,
        verdict=word,
        as_expected=word in ("unrefuted", "proved"),
        instances=1000,
        effective=effective,
        min_slack=-1.5 if witness else 0.25,
        witness=witness,
        proof=proof,
        how=witness.size_text if witness else proof.text if proof else "",
        note="",
        searched=types.SimpleNamespace(text="1-3 states"),
        power="",
    )


@pytest.mark.parametrize(("columns", "below"), [(80, True), (140, False)])
def test_a_witness_is_below_the_table_where_its_column_does_not_fit(capsys, monkeypatch, columns, below):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    print_verdicts([verdict("refuted", witness=WITNESS)])
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines if "─" in line) <= columns
    words = " ".join(" ".join(lines).split())  # long lines are folded
    assert (f"mine/lemma-3: witness: {WITNESS.size_text}" in words) == below
    assert words.count(WITNESS.size_text) == 1


def test_where_witnesses_are_is_said_unless_they_were_written(capsys):
    for verdicts, written, said in (
        ([verdict("refuted", witness=WITNESS)], False, True),
        ([verdict("refuted", witness=WITNESS)], True, False),
        ([verdict("unrefuted")], False, False),
    ):
        print_verdicts(verdicts, written=written)
        assert ("to see a witness" in capsys.readouterr().out) == said


def test_few_effective_instances_are_said_of_the_unrefuted():
    assert few_effective(verdict("unrefuted", 9)).startswith("only 9 of 1000 instances")
    assert not few_effective(verdict("unrefuted", 10))
    assert not few_effective(verdict("refuted", 0, WITNESS))


def test_a_file_of_claims_in_the_place_of_an_id_is_told_its_option(capsys):
    assert main(["verify", "mine.py"]) == 2
    assert capsys.readouterr().err.rstrip().endswith("fix: pass --from mine.py")
