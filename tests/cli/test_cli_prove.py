"""`trpo-theory prove`: its JSON, its text, its exit statuses, and what it refuses."""

import json

import pytest
from cheap import in_this_process, two_instruments

from trpo_theory import claims
from trpo_theory.bounds.theorem import Theorem
from trpo_theory.cli import main


@pytest.fixture
def theorem(monkeypatch):
    """trpo/kl is proved in a section; trpo/kl-like claims of one's own are not."""
    monkeypatch.setitem(vars(claims.get("trpo/kl")), "proof", Theorem("Constants"))


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from trpo_theory import claim\n"
        "@claim('mine/order', statement='a')\n"
        "def order(q):\n"
        "    return q.value_new - q.value + q.max_abs_advantage * q.effective_horizon\n"
        "@claim('mine/equal', statement='a', relation='=')\n"
        "def equal(q):\n"
        "    return q.expected_return_new - q.surrogate\n"
        "@claim('mine/unequal', statement='a', relation='=', expected=False)\n"
        "def unequal(q):\n"
        "    return q.expected_return_new - q.surrogate\n"
        "@claim('mine/five', statement='a')\n"
        "def five(q):\n"
        "    return q.surrogate_gap + 5 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2\n"
        "@claim('mine/fails', statement='a', relation='=')\n"
        "def fails(q):\n"
        "    return q.no_such_quantity\n"
    )
    return str(file)


def proving(capsys, *arguments):
    status = main(["prove", *arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("theorem")
@pytest.mark.parametrize("named", [["trpo/kl"], ["--bound", "trpo/kl"]])
def test_a_theorem_in_json(capsys, named):
    status, fields = proving(capsys, *named)
    assert status == 0
    assert (fields["id"], fields["verdict"], fields["left"]) == ("trpo/kl", "proved", [])
    proof = fields["proof"]
    assert (proof["kind"], proof["by"]) == ("theorem", 'docs/theory.md, "Constants"')
    assert (proof["region"]["gamma"], proof["region"]["radius"]) == (None, None)


@pytest.mark.usefixtures("theorem")
def test_a_theorem_in_text(capsys):
    assert main(["prove", "trpo/kl"]) == 0
    assert capsys.readouterr().out == 'trpo/kl: proved: theorem (docs/theory.md, "Constants")\n'


def test_an_identity_that_fails_is_refuted_with_a_small_witness(capsys, mine, tmp_path):
    out = tmp_path / "witness.json"
    status, fields = proving(capsys, "mine/equal", "--from", mine, "--out", str(out))
    assert (status, fields["verdict"], fields["proof"]) == (1, "refuted", None)
    assert len(fields["witness"]["reward"]) <= 2
    assert main(["certify", str(out), "--from", mine]) == 0
    capsys.readouterr()
    assert main(["certify", str(out)]) == 2
    assert "pass --from mine.py" in capsys.readouterr().err


def test_a_bound_of_ones_own_follows_from_one_that_is_proved(capsys, mine):
    """5 > 4, the constant of trpo/tv: everywhere, and so in every region."""
    for region in ([], ["--gamma", "0.9", "--radius", "1e-6:1"]):
        status, fields = proving(capsys, "mine/five", "--from", mine, *region)
        assert (status, fields["verdict"], fields["left"], fields["proof"]["kind"]) == (0, "proved", [], "implied")
        assert fields["proof"]["by"].startswith("implied by ")
    assert fields["proof"]["region"]["gamma"] == ["9/10", "9/10"]
    assert fields["proof"]["region"]["radius"] == ["1/1000000", "1"]
    assert fields["proof"]["region"]["divergence"] == "max_tv"


@pytest.mark.slow
def test_verify_proves_a_bound_of_ones_own(capsys, mine, monkeypatch):
    two_instruments(monkeypatch)
    in_this_process(monkeypatch)
    assert main(["verify", "mine/five", "--from", mine, "--instances", "50", "--json"]) == 0
    (verdict,) = json.loads(capsys.readouterr().out)["claims"]
    assert (verdict["verdict"], verdict["proof"]["kind"]) == ("proved", "implied")
    assert verdict["proof"]["region"]["gamma"] is None


def test_a_claim_expected_false_that_is_refuted_is_as_expected(capsys, mine):
    assert proving(capsys, "mine/unequal", "--from", mine)[0] == 0


def test_what_no_method_says_anything_of_is_undecided(capsys, mine, tmp_path):
    out = tmp_path / "proof.json"
    status, fields = proving(capsys, "mine/order", "--from", mine, "--gamma", "0.5:0.9", "--out", str(out))
    assert (status, fields["verdict"], fields["proof"], fields["tried"]) == (3, "undecided", None, [])
    assert not out.exists()
    assert main(["prove", "mine/order", "--from", mine, "--gamma", "0.5:0.9"]) == 3
    printed = capsys.readouterr().out
    assert printed.startswith("mine/order: undecided: gamma in [1/2, 9/10]\n")
    assert "no method of proof says anything" in printed


def test_code_that_fails_is_one_message_with_its_line(capsys, mine):
    assert main(["prove", "mine/fails", "--from", mine]) == 3
    assert "no_such_quantity" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        ([], "got no claim"),
        (["trpo/kl", "--bound", "trpo/tv"], "got 'trpo/kl' and --bound 'trpo/tv'"),
        (["--bound", "id/flow"], "got --bound 'id/flow', which is a claim and no bound"),
        (["trpo/lk"], "got the claim 'trpo/lk'"),
        (["trpo/kl", "--gamma", "0.9:0.5"], "got an interval from 9/10 to 1/2"),
        (["trpo/kl", "--gamma", "0.9:1"], "got gamma = 1"),
        (["trpo/kl", "--gamma", ":"], "got --gamma ':'"),
        (["trpo/kl", "--radius", "1:2:3"], "got --radius '1:2:3'"),
        (["trpo/kl", "--radius", "x:1"], "got 'x' in radius"),
        (["trpo/kl", "--out", "proof.txt"], "got 'proof.txt' for a proof"),
    ],
)
def test_bad_input_is_one_message(capsys, arguments, got):
    assert main(["prove", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert got in err
    assert "wanted" in err
    assert len(err.splitlines()) == 1
