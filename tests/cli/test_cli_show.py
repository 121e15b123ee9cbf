"""`trpo-theory show`: what the record says, word for word, and the verdict with its proof or witness."""

import json

import pytest

from trpo_theory.claims import catalogue
from trpo_theory.cli import main
from trpo_theory.search.instruments.samples import Samples
from trpo_theory.verification import search_task
from trpo_theory.verification.verifying import verify


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Few random instances alone: how hard the search is is not what is tested."""
    monkeypatch.setattr(search_task, "run_all", lambda hunt, effort: Samples().use(hunt, 1))
    monkeypatch.setitem(verify.__kwdefaults__, "instances", 300)


@pytest.mark.whole
def test_a_proved_bound(capsys):
    assert main(["show", "trpo/kl"]) == 0
    shown = capsys.readouterr().out
    assert "4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_kl" in shown
    assert f"verdict: proved: theorem, machine-checked ({catalogue['trpo/kl'].proof.by})" in shown
    assert "machine-checked: formal/kullback_leibler.v, equation_nine\n" in shown
    for part in (catalogue["trpo/kl"].statement, catalogue["trpo/kl"].source, "penalty:", "searched: 1-"):
        assert part in shown
    assert "hypotheses" not in shown


@pytest.mark.slow
def test_a_refuted_identity_in_json_and_its_witness_in_text(capsys):
    assert main(["show", "errata/eta-with-advantage", "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)
    assert (fields["verdict"], fields["relation"], fields["expected"]) == ("refuted", "=", False)
    assert fields["statement"] == catalogue["errata/eta-with-advantage"].statement
    assert fields["witness"]["claim"] == fields["id"]
    assert fields["formula"].startswith(("def ", "lambda "))
    assert main(["show", "errata/eta-with-advantage"]) == 0
    shown = capsys.readouterr().out
    assert "slack, which is claimed to be = 0:" in shown
    assert "verdict: refuted: " in shown
    assert "state 0:" in shown


def test_hypotheses_are_shown_as_they_are_written(capsys, monkeypatch):
    monkeypatch.setitem(verify.__kwdefaults__, "instances", 3000)  # its hypotheses are rarely met
    assert main(["show", "order/surrogate-up"]) == 0
    shown = capsys.readouterr().out
    assert "hypotheses:\n    def _small_step_up(q: Quantities) -> Truth:" in shown
    assert "verdict: refuted: " in shown


def test_an_unknown_claim_is_bad_input(capsys):
    assert main(["show", "no/such"]) == 2
    assert "the claim 'no/such'" in capsys.readouterr().err
