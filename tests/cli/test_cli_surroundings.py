"""Exit status 1 says that a check failed: closed and full outputs, long names, other encodings, empty paths are no 1."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cheap import sample, sampled, two_instruments

from trpo_theory.cli import main
from trpo_theory.cli.streams import in_ascii
from trpo_theory.search.instruments import mutation
from trpo_theory.search.worst_cases import evolve

WITNESS = str(Path(__file__).parent.parent / "witnesses" / "trpo--tv-2.json")
LONG = 300 * "n"
MDP = "zoo:coupling-tight?x=1/4"
STEP = ("--gamma", "1/2", "--old", "old")
VERBS = {
    "evaluate": (MDP, "--gamma", "1/2"),
    "bound": (MDP, *STEP, "--new", "new"),
    "update": (MDP, *STEP, "--problem", "max-kl", "--delta", "0.1"),
    "improve": (MDP, *STEP, "--problem", "max-kl", "--delta", "0.1", "--steps", "1"),
    "claims": (),
    "verify": ("coupling/tv", "--instances", "50"),
    "falsify": ("trpo/tv-2",),
    "certify": (WITNESS,),
    "worst-case": ("coupling/tv", "--gamma", "1/2", "--states", "2", "--effort", "1"),
    "sharp": ("--divergence", "max-tv", "--gamma", "1/2", "--radius", "1/4"),
}
"""A call of each verb, the audit of a recorded run excepted, that ends in status 0."""


def assert_one_line(status, err):
    assert status == 2
    assert err.startswith("trpo-theory: got ")
    assert err.count("\n") == 1
    assert "; fix: " in err


def called(command, *, shell_end="", **environment):
    """Exit status, stdout and stderr of a process of its own, its output redirected as a shell does."""
    words = [sys.executable, "-m", "trpo_theory.cli", *command]
    line = " ".join(f"'{word}'" for word in words) + shell_end
    done = subprocess.run(["bash", "-c", line], capture_output=True, env=os.environ | environment)
    return done.returncode, done.stdout, done.stderr.decode()


class Faulty(io.StringIO):
    """An output that fails when it is written, or only when its buffer is written out."""

    def __init__(self, error, *, late):
        super().__init__()
        self.error, self.late = error, late

    def write(self, text):
        if not self.late:
            raise self.error
        return len(text)

    def flush(self):
        if self.late:
            raise self.error


@pytest.fixture(autouse=True, scope="module")
def shorter():
    """Short searches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mutation, "GENERATIONS", 1)
        patch.setattr("trpo_theory.verification.falsifying.INSTANCES", 300)
        two_instruments(patch)
        for name in ("_ROUNDS", "_GENERATIONS", "_CLIMBERS"):
            patch.setattr(evolve, name, 1)
        yield


FAULTS = (OSError(28, "No space left on device"), True), (BrokenPipeError(32, "Broken pipe"), False)
"""What writing meets, and whether only when the buffer is written out."""


@pytest.mark.slow
@pytest.mark.sampled
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["table", "json"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_full_and_a_broken_output_are_2_for_every_verb(verb, form, capsys, monkeypatch):
    for error, late in sample(FAULTS, 2, start=[*VERBS].index(verb) + len(form)):  # one in a table, the other in JSON
        faulty = Faulty(error, late=late)
        monkeypatch.setattr("sys.stdout", faulty)
        assert_one_line(main([verb, *VERBS[verb], *form]), capsys.readouterr().err)
        assert sys.stdout is faulty


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux's")
@sampled("end", [" >/dev/full", " >&-", " | true; exit ${PIPESTATUS[0]}"], ids=["full", "closed", "head"], every=4)
@pytest.mark.parametrize("command", [("claims",), ("claims", "--json"), ("--help",)], ids=["table", "json", "help"])
def test_what_a_shell_does_to_an_output_is_2(command, end):
    status, out, err = called(command, shell_end=end)
    assert_one_line(status, err)
    assert out == b""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux's")
def test_a_stderr_that_fails_changes_no_status_and_pollutes_nothing():
    for end in (" 2>&-", " 2>/dev/full"):
        status, out, _ = called(("evaluate", "zoo:nonsense"), shell_end=end)
        assert (status, out) == (2, b"")


@pytest.mark.slow
@sampled("encoding", ["cp1252", "latin-1", "ascii", "utf-8", "cp437"], every=4)
def test_an_encoding_is_no_error(encoding, monkeypatch):
    """What it lacks is replaced by ASCII characters; in UTF-8 nothing is."""
    for verb in ("evaluate", "bound", "claims", "certify", "sharp"):
        raw = io.BytesIO()
        stream = io.TextIOWrapper(raw, encoding=encoding)
        monkeypatch.setattr("sys.stdout", stream)
        assert main([verb, *VERBS[verb]]) == 0
        stream.flush()
        text = raw.getvalue().decode(encoding)
        assert len(text.splitlines()) > 1
        assert "?" not in text.replace(MDP, "")
        assert stream.errors == "strict"


def test_ascii_in_a_process_of_its_own():
    status, out, err = called(("claims",), PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert (status, err) == (0, "")
    assert out.isascii()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("plain", "plain"),
        ("η(π̃) ≥ L − γε²/(1 − γ)²", "eta(pi~) >= L - gammaepsilon2/(1 - gamma)2"),
        ("Schrödinger … “Σ”", 'Schrodinger ... "Sigma"'),
        ("┌─┬┐", "+-++"),
        ("\udcff日本", r"\udcff\u65e5\u672c"),
        ("½ ‖x‖⁻¹ → Ærø, Łódź", "1/2 ||x||-1 -> Aero, Lodz"),
        ("Москва, щука, Жук", "Moskva, shchuka, Zhuk"),
    ],
)
def test_ascii_text(text, plain):
    assert in_ascii(text) == plain


@pytest.mark.parametrize(
    "command",
    [
        *[("evaluate", LONG + end) for end in (".json", ".npz", ".csv", ".POMDP", "")],
        ("evaluate", MDP, "--policy", LONG + ".npy"),
        ("update", *VERBS["update"], "--out", LONG + ".json"),
        ("update", *VERBS["update"], "--aggregate", LONG + ".json"),
        ("improve", *VERBS["improve"], "--out", LONG + ".npz"),
        ("audit", LONG + ".npz"),
        ("verify", "--from", LONG + ".py"),
        ("verify", *VERBS["verify"], "--out", LONG),
        ("falsify", *VERBS["falsify"], "--out", LONG + ".json"),
        ("certify", LONG + ".json"),
        ("worst-case", *VERBS["worst-case"], "--out", LONG + ".json"),
        ("sharp", *VERBS["sharp"], "--out", LONG + ".json"),
        ("sharp", *VERBS["sharp"], "--proof", LONG + ".json"),
    ],
    ids=lambda command: " ".join(word[:12] for word in command),
)
def test_names_of_300_characters_are_2(command, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status = main(list(command))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_line(status, captured.err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("verb", "option"),
    [
        *[(verb, "--out") for verb in ("update", "improve", "verify", "falsify", "worst-case", "sharp")],
        ("sharp", "--proof"),
        *[(verb, "--from") for verb in ("claims", "verify", "falsify", "certify", "worst-case")],
    ],
)
@pytest.mark.parametrize("path", ["", " "])
def test_an_empty_path_is_refused(verb, option, path, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status = main([verb, *VERBS[verb], option, path])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert_one_line(status, captured.err)
    assert option in captured.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--out", "--mdp"])
def test_an_empty_path_is_refused_by_an_audit(option, capsys):
    assert_one_line(main(["audit", "run.npz", option, ""]), capsys.readouterr().err)


def test_an_error_of_the_program_itself_is_no_failed_check(capsys, monkeypatch):
    monkeypatch.setattr("trpo_theory.cli.evaluation.opened", lambda *_: 1 / 0)
    assert_one_line(main(["evaluate", MDP]), capsys.readouterr().err)
