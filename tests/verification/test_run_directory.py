"""A run directory believes nothing that is not as it was written, is one process's at a time, and knows claims by their code."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from trpo_theory.claims import catalogue
from trpo_theory.claims.from_file import read_claims
from trpo_theory.errors import InvalidInput
from trpo_theory.search.least import Least
from trpo_theory.verification import read_run
from trpo_theory.verification.fingerprint import fingerprint
from trpo_theory.verification.lock import NAME
from trpo_theory.verification.portable import witness_name
from trpo_theory.verification.run_directory import RunDirectory, _manifest_bytes
from trpo_theory.verification.tally import Tally

SETTINGS = {"claims": ["a", "b"], "seed": 0}
CODES = {"a": "a (code 1)", "b": "b (code 1)"}
TASKS = {"one": [Tally("a", instances=3, least=Least(0.5)), Tally("b", instances=4)], "two": [Tally("a"), Tally("b")]}


def opened(path, *, codes=CODES, resume=True, **settings):
    return RunDirectory(path, SETTINGS | settings, codes, resume=resume)


@pytest.fixture
def run(tmp_path):
    with opened(tmp_path / "run", resume=False) as directory:
        for name, tallies in TASKS.items():
            directory.save(name, tallies)
    return tmp_path / "run"


def loaded(path, **options):
    """What a resumed run takes from the directory, and what it says is damaged."""
    with opened(path, **options) as directory:
        return {name: list(directory.load(name, ("a", "b")).values()) for name in TASKS}, directory.damaged


def file_of(run, task):
    (file,) = (run / "chunks").glob(f"{task}.*")
    return file


def test_what_was_written_is_read(run):
    assert loaded(run) == (TASKS, [])
    assert sorted(path.name for path in run.iterdir()) == ["chunks", "manifest.json"]
    assert read_run(run)["a"].instances == 3


@pytest.mark.slow
def test_every_flipped_bit_is_detected(run):
    """Of a chunk's file each bit of every 29th byte and all of its last 64, and of the manifest each bit of every byte."""
    file, manifest = file_of(run, "one"), run / "manifest.json"
    content = file.read_bytes()
    places = [*range(0, len(content), 29), *range(len(content) - 64, len(content))]
    with opened(run) as directory:
        for place in places:
            for bit in range(8):
                directory.damaged.clear()
                broken = bytearray(content)
                broken[place] ^= 1 << bit
                file.write_bytes(broken)
                assert directory.load("one", ("a", "b")) == {}
                assert directory.damaged == [file.name]
        file.write_bytes(content)
    content = manifest.read_bytes()
    for place in range(len(content)):
        for bit in range(8):
            broken = bytearray(content)
            broken[place] ^= 1 << bit
            manifest.write_bytes(broken)
            with pytest.raises(InvalidInput, match=r"manifest\.json"):
                read_run(run)
    with pytest.raises(InvalidInput, match=r"manifest\.json"):
        opened(run)


def test_a_damaged_file_is_replaced(run):
    file = file_of(run, "one")
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with opened(run) as directory:
        assert directory.load("one", ("a", "b")) == {}
        directory.save("one", TASKS["one"])
    assert file.read_bytes() == content
    assert loaded(run) == (TASKS, [])


def test_swapped_chunks_are_detected(run):
    """By their content alone, by their names alone, and with names to fit."""
    one, two = file_of(run, "one"), file_of(run, "two")
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    assert loaded(run) == ({"one": [], "two": []}, [one.name, two.name])
    one.write_bytes(first)
    two.write_bytes(second)
    one.rename(run / "chunks" / "swap")
    two.rename(run / "chunks" / two.name.replace("two", "one"))
    (run / "chunks" / "swap").rename(run / "chunks" / one.name.replace("one", "two"))
    known, damaged = loaded(run)
    assert known == {"one": [], "two": []}
    assert len(damaged) == 2


def test_a_chunk_of_another_run_is_detected(run, tmp_path):
    with opened(tmp_path / "other", resume=False, seed=1) as other:
        other.save("one", TASKS["one"])
    file = file_of(run, "one")
    file.unlink()
    foreign = file_of(tmp_path / "other", "one")
    shutil.copy(foreign, run / "chunks")
    assert loaded(run) == ({"one": [], "two": TASKS["two"]}, [foreign.name])


def test_a_lost_manifest_is_refused(run):
    (run / "manifest.json").unlink()
    for resume in (True, False):
        with pytest.raises(InvalidInput, match=r"a run that is not known.*no manifest\.json"):
            opened(run, resume=resume, seed=1)
    assert len(list((run / "chunks").iterdir())) == 2


@pytest.mark.parametrize(("earlier", "checksum"), [(None, False), (None, True), (2, True)])
def test_a_run_of_an_earlier_format_is_refused_in_one_message(run, earlier, checksum):
    manifest = json.loads((run / "manifest.json").read_bytes())
    del manifest["format"], manifest["sha256"]
    manifest |= {} if earlier is None else {"format": earlier}
    content = _manifest_bytes(manifest) if checksum else json.dumps(manifest).encode()
    (run / "manifest.json").write_bytes(content)
    for read in (opened, read_run):
        with pytest.raises(InvalidInput, match=r"written by an earlier version.*fix: name another directory"):
            read(run)
    assert (run / "manifest.json").read_bytes() == content


def test_an_edited_claim_is_run_again_and_the_others_are_kept(run):
    edited = CODES | {"b": "b (code 2)"}
    known, damaged = loaded(run, codes=edited)
    assert known == {"one": TASKS["one"][:1], "two": TASKS["two"][:1]}
    assert damaged == []
    assert set(read_run(run)) == {"a"}
    with opened(run, codes=edited) as directory:
        directory.save("one", TASKS["one"])
    assert loaded(run, codes=edited)[0] == {"one": TASKS["one"], "two": TASKS["two"][:1]}
    assert len(list((run / "chunks").iterdir())) == 2


def test_a_claim_that_failed_is_run_again(run):
    with opened(run) as directory:
        directory.save("one", [Tally("a", error="NameError"), TASKS["one"][1]])
    assert loaded(run)[0]["one"] == TASKS["one"][1:]


# --- one process at a time -------------------------------------------------------------------------------------


def test_a_second_one_is_refused_and_a_third_after_the_first_is_not(run):
    with (
        opened(run),
        pytest.raises(InvalidInput, match=rf"another process is at work \(process {os.getpid()}\).*fix: wait"),
    ):
        opened(run)
    opened(run).close()
    assert not (run / NAME).exists()


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_the_lock_of_a_dead_process_is_none(run):
    code = (
        "import pathlib, sys, time; from trpo_theory.verification.lock import Lock\n"
        "Lock(pathlib.Path(sys.argv[1])); print(flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(run)], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    with pytest.raises(InvalidInput, match=f"process {process.pid}"):
        opened(run)
    process.kill()
    process.communicate()
    assert (run / NAME).exists()
    assert loaded(run) == (TASKS, [])
    assert not (run / NAME).exists()


# --- what a claim is known by ----------------------------------------------------------------------------------

FILE = """
import helpers
import numpy as np
from helpers import twice
from trpo_theory import claim
FACTOR, TABLE = 2.0, {"a": [1, 2]}
def helper(q):
    return FACTOR * q.max_tv
@claim("mine/one", statement="s")
def one(q):
    return helper(q)
@claim("mine/two", statement="s", given=lambda q: q.gamma < 0.9)
def two(q):
    return q.max_tv
@claim("mine/three", statement="s")
def three(q):
    return (lambda x: twice(x) + TABLE["a"][0])(np.minimum(q.max_tv, 1)) if "x" in {"x", "y", "z"} else helpers.other(q)
@claim("mine/four", statement="s")
def four(q):
    return four.formula(q) if q.gamma < 0 else q.max_tv
"""
HELPERS = "def twice(x):\n    return 2 * x\ndef other(q):\n    return q.max_tv\n"


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("mine", "FACTOR, TABLE = 2.0", "FACTOR, TABLE = 2.5", {"one"}),
        ("mine", "FACTOR * q", "FACTOR + q", {"one"}),
        ("mine", "return helper(q)", "return helper(q) + 1", {"one"}),
        ("mine", "q.gamma < 0.9", "q.gamma < 0.8", {"two"}),
        ("mine", '"mine/two", statement="s"', '"mine/two", statement="s", relation="="', {"two"}),
        ("mine", '"mine/two", statement="s"', '"mine/two", statement="s", needs="uniform-old"', {"two"}),
        ("mine", '"a": [1, 2]', '"a": [3, 2]', {"three"}),
        ("mine", "q.max_tv, 1)", "q.max_kl, 1)", {"three"}),
        ("helpers", "2 * x", "3 * x", {"three"}),
        ("helpers", "return q.max_tv", "return q.max_kl", {"three"}),
        ("mine", "q.gamma < 0 else", "q.gamma < 1 else", {"four"}),
        ("mine", "\ndef helper", "\n# a comment\n\ndef helper", set()),
        ("mine", 'statement="s"', 'statement="other"', set()),
    ],
)
def test_the_fingerprint_of_a_claim_changes_with_what_it_refers_to_only(tmp_path, monkeypatch, file, old, new, changed):
    def prints(text, helpers, where):
        where.mkdir()
        (where / "mine.py").write_text(text)
        (where / "helpers.py").write_text(helpers)
        sys.modules.pop("helpers", None)
        return {claim.id.split("/")[1]: fingerprint(claim) for claim in read_claims(where / "mine.py")}

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = prints(FILE, HELPERS, tmp_path / "before")
    texts = {"mine": FILE, "helpers": HELPERS}
    assert old in texts[file]
    after = prints(
        *(text.replace(old, new) if name == file else text for name, text in texts.items()), tmp_path / "after"
    )
    assert {name for name in before if before[name] != after[name]} == changed
    sys.modules.pop("helpers", None)


@pytest.mark.slow
def test_the_fingerprint_does_not_depend_on_the_process(tmp_path):
    (tmp_path / "mine.py").write_text(FILE)
    (tmp_path / "helpers.py").write_text(HELPERS)
    code = (
        "import sys; from trpo_theory.claims.from_file import read_claims\n"
        "from trpo_theory.verification.fingerprint import fingerprint\n"
        "print(*map(fingerprint, read_claims(sys.argv[1])))"
    )
    call = [sys.executable, "-c", code, str(tmp_path / "mine.py")]
    found = {
        subprocess.run(
            call, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert fingerprint(catalogue["trpo/tv"]) == "trpo/tv"


# --- names of witnesses ----------------------------------------------------------------------------------------


def test_every_id_has_a_file_of_its_own():
    assert witness_name("trpo/tv-2") == "trpo--tv-2"
    ids = [
        "a/b",
        "a--b",
        "a-/b",
        "a/-b",
        "A/b",
        "a/B",
        "a b",
        "a_b",
        "a/b/",
        "manifest",
        "verdicts",
        "a" * 200,
        "a" * 201,
        "γ",
        "ζ",
    ]
    ids += [witness_name(id) for id in ids] + list(catalogue)
    names = {witness_name(id).lower() for id in dict.fromkeys(ids)}
    assert len(names) == len(dict.fromkeys(ids))
    assert not names & {"manifest", "verdicts"}
    assert all(len(name) <= 110 and "/" not in name and name.isascii() for name in names)
