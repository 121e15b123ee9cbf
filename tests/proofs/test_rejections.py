"""Files that say more than is proved, numbers beyond floats, and messages that show what differs."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from check_proof import check

import trpo_theory as tt
from trpo_theory.claims.from_file import read_claims
from trpo_theory.cli import main
from trpo_theory.io.evidence_files import exact_content
from trpo_theory.proofs.certified_file import told_apart
from trpo_theory.sharp.gap import sharp_gap

WITNESSES = Path(__file__).resolve().parent.parent / "witnesses"


@pytest.fixture(scope="module")
def sharp(tmp_path_factory):
    """A sharp-lower file whose third action is taken in the first state only."""
    path = tmp_path_factory.mktemp("sharp") / "h.json"
    sharp_gap("max-tv", 0.5, 0.25).write(path)
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def update(tmp_path_factory):
    where = tmp_path_factory.mktemp("update")
    tt.io.write_mdp(tt.zoo.dirichlet(np.random.default_rng(0), states=3, actions=2, gamma=0.9), where / "mdp.npz")
    call = ["update", str(where / "mdp.npz"), "--old", "uniform", "--problem", "max-kl", "--delta", "1/100"]
    assert main([*call, "--certify", "--out", str(where / "proof.json")]) == 0
    assert main([*call, "--out", str(where / "policy.json")]) == 0
    return {name: json.loads((where / f"{name}.json").read_text()) for name in ("proof", "policy")}


def written(path, fields):
    path.write_text(json.dumps(fields))
    return path


def printed(capsys, path, *options):
    capsys.readouterr()
    status = main(["certify", str(path), *map(str, options), "--json"])
    return status, json.loads(capsys.readouterr().out)


def refused(path):
    with pytest.raises(tt.InvalidInput) as caught:
        tt.certify(path)
    return caught.value


# --- the actions of a sharp witness ----------------------------------------------------------------------------


def with_a_large_reward(fields):
    """The action that neither policy takes leads on, with reward 1000."""
    fields = json.loads(json.dumps(fields))
    assert not fields["available"][1][2]
    fields["transition"][1][2], fields["reward"][1][2] = [0, 1], 1000
    return fields


@pytest.mark.parametrize("available", [[[True] * 3] * 2, None, [[True, True, False], [True, True, False]]], ids=str)
def test_available_is_what_was_proved(available, sharp, tmp_path, capsys):
    """With the third action max|A| is 1000, and the theorem false of what `bound FILE` reads."""
    fields = with_a_large_reward(sharp)
    assert tt.certify(written(tmp_path / "true.json", fields)).certified
    status, found = printed(capsys, written(tmp_path / "false.json", fields | {"available": available}))
    assert (status, found["certified"]) == (1, False)
    assert "available" in found["disagreements"][0]


def test_without_available_every_action_is_taken(sharp):
    fields = {name: value for name, value in with_a_large_reward(sharp).items() if name != "available"}
    assert "the file's available" not in tt.certify(sharp).summary
    assert not tt.certify(fields).certified
    two = {name: [row[:2] for row in fields[name]] for name in ("reward", "transition")}
    moved = {"old": [[0.5, 0.5]] * 2, "new": [[0.75, 0.25], [0.25, 0.75]]}
    certificate = tt.certify(fields | two | moved)
    assert not any("available" in one for one in certificate.disagreements)


# --- numbers that floats do not have ---------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", ["-1e-400", "1", "1e400"])
def test_a_discount_is_compared_as_a_rational(gamma, sharp, update, tmp_path):
    for fields in (sharp, update["proof"]):
        error = refused(written(tmp_path / "file.json", fields | {"gamma": gamma}))
        assert error.got == f"gamma = {gamma}"
        assert "gamma < 1" in error.wanted


@pytest.mark.parametrize("amount", ["1e400", "-1e-400"])
def test_an_amount_is_a_finite_float(amount, sharp, update, tmp_path):
    for fields, name in ((sharp, "radius"), (update["proof"], "delta")):
        error = refused(written(tmp_path / "file.json", fields | {name: amount}))
        assert error.got == f"{name} = {amount}"


def test_other_numbers_beyond_floats_are_no_error_of_the_program(sharp, update, tmp_path, capsys):
    error = refused(written(tmp_path / "file.json", update["proof"] | {"multiplier": ["1", "1e400", "1"]}))
    assert error.got == "multiplier[1] = 1e400"
    status, found = printed(capsys, written(tmp_path / "file.json", sharp | {"reward": [["1e400", 0, 0], [0, 0, 0]]}))
    assert (status, found["verdict"]) == (3, "undecided")
    assert "beyond floats" in found["disagreements"][0]
    rewards = update["proof"] | {"reward": [["1e400", 0]] * 3}
    status, found = printed(capsys, written(tmp_path / "file.json", rewards))
    assert (status, found["verdict"], found["certified"]) == (1, "proved", False)


@pytest.mark.parametrize(
    ("field", "value", "got"),
    [
        ("size", "1e400", "size = 1e400"),
        ("size", "-1e400", "size = -1e400"),
        ("size", '"1e400"', "size = 1e400"),
        ("noise", "[[0, 1e400], [0, 0]]", "1e400 in noise"),
        ("groups", "[0, 1e400]", "1e400 in groups"),
        ("reference", "7", "reference = 7"),
        ("made_by", "1e400", "made_by = 1e400"),
        ("note", "[1e400]", "note = [1e400]"),
    ],
)
def test_what_no_proof_reads_is_refused_where_it_is_no_finite_number(field, value, got, tmp_path):
    text = (WITNESSES / "trpo--tv-2.json").read_text().rstrip().removesuffix("}")
    path = tmp_path / "file.json"
    path.write_text(f'{text}, "{field}": {value}}}')
    assert refused(path).got == got
    path.write_text(f'{text}, "size": 2, "noise": [[0, 1], [0, 0]], "made_by": "me"}}')
    assert tt.certify(path).certified


def test_a_row_beyond_floats_is_named(sharp, tmp_path):
    error = refused(written(tmp_path / "file.json", sharp | {"old": [["1e400", 0, 0], ["1/2", "1/2", 0]]}))
    assert error.got == "old[0] that sums to 1 + inf"


# --- the file of claims that a witness names -------------------------------------------------------------------

OWN = (
    "from trpo_theory import claim\n"
    "@claim('mine/tv-2', statement='s')\n"
    "def mine(q):\n"
    "    return q.expected_return_new - q.surrogate + 2 * q.max_abs_advantage * q.gamma / (1 - q.gamma) * q.max_tv ** 2\n"
)


@pytest.fixture
def own(tmp_path):
    """A file of claims, and the fields of a witness of one of them."""
    path = tmp_path / "own.py"
    path.write_text(OWN)
    fields = json.loads((WITNESSES / "trpo--tv-2.json").read_text())
    fields |= {"claim": "mine/tv-2", "statement": "s", "source": "", "relation": ">=", "reward": fields["reward"]}
    fields |= {"file": "own.py", "file_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    fields = {name: value for name, value in fields.items() if name not in ("note", "theorem", "enclosure", "slack")}
    certificate = tt.certify(fields, claims=read_claims(path))
    assert certificate.verdict == "refuted"
    slack = certificate.enclosure.strip("[]").split(", ")
    return path, fields | {"slack": [slack[0], slack[-1]]}


def test_the_file_of_claims_is_compared(own, tmp_path, capsys):
    path, fields = own
    file = tmp_path / "file.json"
    status, found = printed(capsys, written(file, fields), "--from", path)
    assert (status, found["certified"]) == (0, True)
    assert "notes" not in found
    for changes, name in (({"file_sha256": "0" * 64}, "file_sha256"), ({"file_sha256": None, "file": "b.py"}, "file")):
        status, found = printed(capsys, written(file, fields | changes), "--from", path)
        assert (status, found["certified"]) == (1, False)
        assert f"the file's {name} is" in found["disagreements"][0]
    path.write_text(OWN + "# changed since\n")
    status, found = printed(capsys, written(file, fields), "--from", path)
    assert (status, found["certified"]) == (1, False)


def test_a_file_of_claims_may_be_renamed(own, tmp_path, capsys):
    path, fields = own
    renamed = path.rename(tmp_path / "renamed.py")
    status, found = printed(capsys, written(tmp_path / "file.json", fields), "--from", renamed)
    assert (status, found["certified"], len(found["notes"])) == (0, True, 1)
    assert "renamed.py has the same content" in found["notes"][0]


def test_a_hash_of_no_file_is_rejected():
    fields = json.loads((WITNESSES / "trpo--tv-2.json").read_text())
    assert "file_sha256" in tt.certify(fields | {"file_sha256": "0" * 64}).summary


# --- words that are no part of the theorem ---------------------------------------------------------------------


def test_another_source_is_a_note(tmp_path, capsys):
    fields = json.loads((WITNESSES / "trpo--tv-2.json").read_text())
    file = written(tmp_path / "file.json", fields | {"source": "a paper that proves it all"})
    status, found = printed(capsys, file)
    assert (status, found["certified"], len(found["notes"])) == (0, True, 1)
    assert main(["certify", str(file)]) == 0
    out = capsys.readouterr().out
    assert "note: the file's source is not" in out
    assert "proves it all" not in out + json.dumps(found)


@pytest.mark.parametrize("note", ["nothing of the kind", ""])
def test_another_note_is_a_note(note, tmp_path, capsys):
    fields = json.loads((WITNESSES / "trpo--tv-2.json").read_text())
    status, found = printed(capsys, written(tmp_path / "file.json", fields | {"note": note}))
    own = tt.claims.get("trpo/tv-2").note
    assert (status, found["certified"], len(found.get("notes", []))) == (0, True, int(note != own))


@pytest.mark.parametrize("name", ["statement", "relation", "theorem"])
def test_other_words_are_not(name, tmp_path):
    fields = json.loads((WITNESSES / "trpo--tv-2.json").read_text())
    file = written(tmp_path / "file.json", fields | {name: "something else"})
    assert main(["certify", str(file)]) in (1, 2)


# --- files that prove nothing ----------------------------------------------------------------------------------


def test_a_sharp_witness_of_an_earlier_version_is_recognised(sharp, tmp_path):
    names = ("transition", "reward", "gamma", "initial", "old", "new")
    error = refused(
        written(tmp_path / "file.json", {name: sharp[name] for name in names} | {"state_labels": ["G", "B"]})
    )
    assert "a sharp witness of an earlier version" in error.got
    assert error.fix == "make it again with `trpo-theory sharp ... --out FILE`"


def test_a_policy_is_recognised(update, tmp_path):
    assert refused(written(tmp_path / "file.json", update["policy"])).fix == (
        "trpo-theory update ... --certify --out FILE.json"
    )


# --- messages that show the difference -------------------------------------------------------------------------


def test_an_index_is_a_plain_one(update, tmp_path):
    transition = [[[0.5, 0.25, 0.5], [1, 0, 0]]] + [[[1, 0, 0], [1, 0, 0]]] * 2
    error = refused(written(tmp_path / "file.json", update["proof"] | {"transition": transition}))
    assert error.got.startswith("transition[0, 0] that sums to 1 + 0.25")


def test_a_slack_is_shown_as_a_reader_writes_it(tmp_path):
    fields = json.loads((WITNESSES / "trpo--tv-2.json").read_text())
    certificate = tt.certify(written(tmp_path / "file.json", fields | {"slack": ["-1/4", "-1/4"]}))
    nested = tt.certify(written(tmp_path / "file.json", fields | {"slack": {"a": ["-1/4"]}}))
    assert "{'a': [-1/4]}, which is" in nested.summary
    assert "[-1/4, -1/4], which is no tight enclosure of it, [-1/80, -1/80]" in certificate.summary


@pytest.mark.parametrize("by", ["1e-12", "1e-30", "1e-1000"])
def test_numbers_that_differ_are_shown_with_digits_that_differ(by, update):
    fields = exact_content(update["proof"])
    lower, upper = map(Fraction, fields["enclosure"])
    changed = tt.certify(fields | {"enclosure": [lower - Fraction(by), upper]})
    one, other = changed.disagreements[0].removeprefix("the file's enclosure is ").split(", not ")
    assert one != other


def test_a_theorem_is_shown_whole(update):
    theorem = update["proof"]["theorem"]
    changed = tt.certify(update["proof"] | {"theorem": theorem[:-1] + "~"})
    assert theorem in changed.disagreements[0]
    assert theorem[:-1] + "~" in changed.disagreements[0]


def test_long_texts_are_shown_around_their_difference():
    one, other = told_apart("a" * 5000 + "b" * 5000, "a" * 5000 + "c" * 5000)
    assert one != other
    assert max(len(one), len(other)) < 1000


# --- a setting that is not the claim's -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["horizon", "temperature", "costs", "model", "weights"])
@pytest.mark.parametrize("witness", ["trpo--tv-2", "average--tv-alone", "update-gap"])
def test_what_another_setting_reads_is_rejected(name, witness, update, tmp_path, capsys):
    """As the independent checker does: a theorem on discounted returns says nothing of a horizon that its file names."""
    fields = update["proof"] if witness == "update-gap" else json.loads((WITNESSES / f"{witness}.json").read_text())
    states, actions = len(fields["transition"]), len(fields["transition"][0])
    values = {
        "horizon": 3,
        "temperature": "1/2",
        "costs": [[["1"]] * actions] * states,
        "model": fields["transition"],
        "weights": ["1"],
    }
    assert printed(capsys, written(tmp_path / "as-it-is.json", fields))[0] == 0
    path = written(tmp_path / "more.json", fields | {name: values[name]})
    status, result = printed(capsys, path)
    assert (status, result["certified"]) == (1, False)
    assert not check(path)[0]


@pytest.mark.parametrize("kind", ["refutation", "worst-case"])
def test_a_discount_of_1_is_bad_input_and_no_error_of_the_claim(kind, tmp_path):
    fields = json.loads((WITNESSES / "trpo--tv-2.json").read_text()) | {"gamma": 1}
    if kind == "worst-case":
        fields = {name: fields[name] for name in ("transition", "reward", "gamma", "initial", "old", "new")}
        fields |= {"kind": kind, "bound": "trpo/tv", "ratio": ["1/2", "1/2"]}
    error = refused(written(tmp_path / "g.json", fields))
    assert error.got.startswith("gamma = 1 for trpo/tv")


def test_a_worst_case_without_what_its_bound_reads_is_refused(tmp_path):
    fields = json.loads((WITNESSES / "trpo--tv-2.json").read_text())
    fields = {name: fields[name] for name in ("transition", "reward", "gamma", "initial", "old", "new")}
    path = written(tmp_path / "w.json", fields | {"kind": "worst-case", "bound": "horizon/tv", "ratio": ["1/2", "1/2"]})
    assert refused(path).got == "a file without horizon"
