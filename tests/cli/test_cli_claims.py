"""claims, verify, falsify and certify on the command line: JSON contracts, exit statuses, claims of one's own, bad input."""

import contextlib
import json
import re
import shlex
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from cheap import sampled, two_instruments

from trpo_theory.claims import catalogue
from trpo_theory.cli import main
from trpo_theory.search.instruments import mutation
from trpo_theory.verification import search_task
from trpo_theory.verification.falsifying import falsify

WITNESSES = Path(__file__).parent.parent / "witnesses"

verifying = sys.modules.get("trpo_theory.verification.verifying") or __import__(
    "trpo_theory.verification.verifying", fromlist=["verify"]
)

HEAD = "from trpo_theory import claim\n"
MINE = HEAD + (
    "print('loading')\n"
    "@claim('mine/weak', statement='s', source='[draft2, Lemma 3]', note='see [/x] and [bold]there[/bold]')\n"
    "def weak(q):\n"
    "    print('looking')\n"
    "    return q.surrogate_gap + q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2\n"
    "@claim('mine/[/four]', statement='s', source='[/x]')\n"
    "def four(q):\n"
    "    return q.surrogate_gap + 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * q.max_tv**2\n"
    "@claim('mine/false', statement='s', expected=False)\n"
    "def false(q):\n"
    "    return 0.5 - q.max_tv\n"
    "@claim('mine/open', statement='s', expected='open')\n"
    "def open_one(q):\n"
    "    return 0.25 - q.max_tv\n"
    "@claim('mine/vacuous', statement='s', given=lambda q: q.gamma > 1)\n"
    "def vacuous(q):\n"
    "    return q.gamma\n"
)


def run(capsys, *arguments):
    """Exit status, stdout and stderr of one call."""
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def here(work, tasks):
    """Claims of a file in this process, where searches are short; test_lost_processes.py has them in another."""
    with contextlib.redirect_stdout(sys.stderr):
        yield from ((index, work(task)) for index, task in enumerate(tasks))


@pytest.fixture(autouse=True, scope="module")
def shorter():
    """Short searches: what is tested is what is said of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mutation, "GENERATIONS", 1)
        patch.setattr(search_task, "_HARD", 1)
        two_instruments(patch)
        patch.setitem(falsify.__kwdefaults__, "effort", 2)
        patch.setattr("trpo_theory.verification.falsifying.INSTANCES", 300)
        patch.setattr("trpo_theory.verification.execute.alone", here)
        yield


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


@pytest.fixture(scope="module")
def witness_text(tmp_path_factory):
    path = tmp_path_factory.mktemp("witness") / "witness.json"
    assert main(["falsify", "trpo/tv-2", "--out", str(path)]) == 0
    return path.read_text()


@pytest.fixture
def witness(tmp_path, witness_text):
    path = tmp_path / "witness.json"
    path.write_text(witness_text)
    return path


def assert_one_message(status, out, err, *parts):
    """Bad input: status 2, nothing on stdout, one message on stderr that says what, and the fix."""
    assert status == 2
    assert out == ""
    assert err.startswith("trpo-theory: got ")
    assert err.count("\n") == 1
    assert "wanted" in err
    assert "fix: " in err
    assert "Traceback" not in err
    for part in parts:
        assert part in err


# --- claims ----------------------------------------------------------------------------------------------------


def test_claims_lists_the_catalogue(capsys):
    status, out, err = run(capsys, "claims", "--json")
    assert (status, err) == (0, "")
    listed = json.loads(out)["claims"]
    assert [entry["id"] for entry in listed] == list(catalogue)
    assert {entry["expected"] for entry in listed if isinstance(entry["expected"], str)} == {"open"}
    assert all({"id", "expected", "source", "statement"} <= entry.keys() for entry in listed)
    status, out, _ = run(capsys, "claims")
    assert status == 0
    assert all(id in out for id in catalogue)


def test_claims_takes_ids_and_patterns(capsys):
    listed = json.loads(run(capsys, "claims", "trpo/tv", "chi2/*", "--json")[1])["claims"]
    assert [entry["id"] for entry in listed] == ["trpo/tv", *(id for id in catalogue if id.startswith("chi2/"))]
    assert run(capsys, "claims", "chi3/*")[0] == 2


def test_a_narrow_terminal_keeps_every_id(capsys, monkeypatch):
    """Sentences are folded there; names and numbers are neither folded nor cut."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    out = run(capsys, "claims")[1]
    assert all(f" {id} " in out for id in catalogue)
    assert "…" not in out
    tilde = "\N{COMBINING TILDE}"  # has no width
    assert max(len(re.sub(f"\x1b.*?m|{tilde}", "", line)) for line in out.splitlines()) == 80
    out = run(capsys, "bound", "zoo:coupling-tight?x=1/4", "--gamma", "1/2", "--old", "old", "--new", "new")[1]
    assert "chain-rule/kl               0.933845     0.0661549   0.533845" in out


def test_claims_of_a_file_are_listed_as_they_are_written(capsys, mine):
    status, out, err = run(capsys, "claims", "--from", mine)
    assert (status, err) == (0, "loading\n")
    for text in ("mine/weak", "[draft2, Lemma 3]", "mine/[/four]", "[/x]", "open"):
        assert text in out
    listed = json.loads(run(capsys, "claims", "--from", mine, "--json")[1])["claims"]
    assert [entry["expected"] for entry in listed] == [True, True, False, "open", True]


# --- verify ----------------------------------------------------------------------------------------------------


def test_verify_json(capsys):
    status, out, err = run(
        capsys, "verify", "trpo/tv-2", "coupling/tv", "mean-kl/linear-open", "--instances", 300, "--json"
    )
    assert (status, err) == (0, "")
    refuted, standing, unknown = json.loads(out)["claims"]
    for verdict in (refuted, standing, unknown):
        fields = (
            "id",
            "verdict",
            "expected",
            "instances",
            "effective",
            "trivial",
            "min_slack",
            "searched",
            "proof",
            "witness",
        )
        assert {*fields, "min_ratio", "min_share", "near", "note"} <= verdict.keys()
        assert 0 < verdict["effective"] <= verdict["effective"] + verdict["trivial"] <= verdict["instances"]
        searched = verdict["searched"]
        assert sum(searched["instances"].values()) == verdict["instances"]
        for name in ("states", "actions", "gamma", "one_minus_gamma", "tv", "kl", "reward"):
            low, high = (float(end) for end in searched[name])
            assert 0 <= low <= high
        assert searched["gamma"][1] <= 1
        assert searched["tv"][0] > 0  # effective instances have moved
        for axis, name in enumerate(("states", "actions")):
            lengths = [size[axis] for size in searched["sizes"]]
            assert searched[name] == [min(lengths), max(lengths)]
    assert (refuted["id"], refuted["verdict"], refuted["expected"]) == ("trpo/tv-2", "refuted", False)
    assert refuted["min_slack"] < 0
    assert refuted["witness"]["claim"] == "trpo/tv-2"
    assert Fraction(refuted["witness"]["slack"][1]) < 0
    assert (standing["verdict"], standing["expected"], standing["witness"]) == ("proved", True, None)
    assert standing["proof"].keys() == {"kind", "by", "region", "machine_checked", "formal"}
    assert standing["proof"]["kind"] == "theorem"
    assert standing["proof"]["by"] == catalogue["coupling/tv"].proof.by
    assert [verdict["proof"] for verdict in (refuted, unknown)] == [None, None]
    assert unknown["expected"] == "open"


def test_verify_prints_a_table(capsys):
    status, out, err = run(capsys, "verify", "order/upper", "id/flow", "--instances", 200)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert next(line.split()[:3] for line in lines if "order/upper" in line) == ["order/upper", "false", "refuted"]
    row = next(line for line in lines if "id/flow" in line)
    assert row.split()[:3] == ["id/flow", "true", "proved"]
    assert row.rstrip().endswith(f"theorem ({catalogue['id/flow'].proof.by})")
    assert re.search(
        r"^id/flow: searched: 1-\d+ states, 2-\d actions, gamma \S+ \.\. 1-\S+, .*; .*\d", out, re.MULTILINE
    )
    assert "order/upper: searched" not in out
    assert "all as expected" in out


@pytest.mark.slow
@sampled(
    ("ids", "status"),
    [
        (["mine/weak"], 1),  # expected true, refuted
        (["mine/[/four]"], 0),
        (["mine/false"], 0),
        (["mine/open"], 0),
        (["mine/vacuous"], 3),
        (["mine/vacuous", "mine/weak"], 1),
        (["mine/false", "mine/vacuous"], 3),
        (["mine/[/four]", "mine/false", "trpo/tv-2"], 0),  # of the file and of the catalogue
    ],
    every=4,
)
def test_exit_statuses_with_and_without_json(capsys, mine, ids, status):
    call = ("verify", *ids, "--from", mine, "--instances", 100)
    told, out, err = run(capsys, *call, "--json")
    assert told == status
    assert [verdict["id"] for verdict in json.loads(out)["claims"]] == ids
    assert set(err.split()) <= {"loading", "looking"}  # what a file prints goes there
    told, out, _ = run(capsys, *call)
    assert told == status
    assert all(id in out for id in ids)
    assert "loading" not in out
    if "mine/weak" in ids:
        assert "mine/weak: see [/x] and [bold]there[/bold]" in out


def test_a_false_claim_that_stands_is_status_1(capsys, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(HEAD + "@claim('a', statement='s', expected=False)\ndef a(q):\n    return q.max_abs_advantage\n")
    status, out, _ = run(capsys, "verify", "--from", file, "--instances", 50, "--json")
    assert status == 1
    assert json.loads(out)["claims"][0]["verdict"] == "unrefuted"


@pytest.mark.parametrize(
    ("expected", "slack", "status"),
    [
        ("True", "q.max_tv", 0),
        ("True", "q.max_tv - 1", 1),
        ("True", "1 + 0 * q.max_tv", 0),
        ("False", "q.max_tv", 1),
        ("False", "q.max_tv - 1", 0),
        ("'open'", "q.max_tv", 0),
        ("'open'", "q.max_tv - 1", 0),
        *((expected, "q.nonsense", 3) for expected in ("True", "False", "'open'")),
    ],
)
def test_the_exit_status_of_each_outcome(capsys, tmp_path, monkeypatch, expected, slack, status):
    monkeypatch.setattr("trpo_theory.verification.search_task._HARD", 1)
    file = tmp_path / "mine.py"
    file.write_text(HEAD + f"@claim('a', statement='s', expected={expected})\ndef a(q):\n    return {slack}\n")
    assert run(capsys, "verify", "--from", file, "--instances", 20)[0] == status


def test_falsify_says_what_was_searched(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("trpo_theory.verification.search_task._HARD", 1)
    monkeypatch.setattr("trpo_theory.verification.falsifying.INSTANCES", 50)
    file = tmp_path / "mine.py"
    file.write_text(
        HEAD
        + "@claim('a', statement='s')\ndef a(q):\n    return q.max_abs_advantage\n"
        + "@claim('b', statement='s', given=lambda q: q.max_tv == 0)\ndef b(q):\n    return q.surrogate_gap\n"
    )
    status, out, _ = run(capsys, "falsify", "a", "--from", file)
    assert status == 0
    assert re.search(r"unrefuted in \d+ instances, \d+ of which put it to the test; least slack \S+\nsearched: 1-", out)
    status, out, _ = run(capsys, "falsify", "b", "--from", file)
    assert status == 3
    assert "no instance put it to the test: in all" in out
    assert "least slack -" in out
    status, out, _ = run(capsys, "falsify", "b", "--from", file, "--json")
    found = json.loads(out)
    assert (found["verdict"], found["effective"], found["certified"]) == ("undecided", 0, False)
    assert found["trivial"] > 0
    assert found["searched"]["sizes"] == []
    assert found["searched"]["gamma"] is None
    assert sum(found["searched"]["instances"].values()) == found["instances"]


@pytest.mark.slow
def test_without_ids_all_of_the_file_are_verified(capsys, mine):
    _, out, _ = run(capsys, "verify", "--from", mine, "--instances", 50, "--json")
    ids = [verdict["id"] for verdict in json.loads(out)["claims"]]
    assert ids == ["mine/weak", "mine/[/four]", "mine/false", "mine/open", "mine/vacuous"]


@pytest.mark.whole
@pytest.mark.slow
def test_more_processes_print_the_same_and_only_json(mine):
    """In processes of their own: what a claim prints there must not reach stdout either."""
    call = [sys.executable, "-m", "trpo_theory.cli", "verify", "mine/false", "mine/weak", "--from", str(mine)]
    call += ["--instances", "100", "--json"]
    one, two = (subprocess.run([*call, "--jobs", jobs], capture_output=True, text=True) for jobs in ("1", "2"))
    assert one.returncode == two.returncode == 1
    assert json.loads(one.stdout) == json.loads(two.stdout)
    assert "Traceback" not in two.stderr


@pytest.mark.slow
def test_out_gets_a_table_and_the_witnesses(capsys, tmp_path, mine):
    directory = tmp_path / "new" / "results"
    call = ("verify", "trpo/tv-2", "mine/false", "mine/vacuous", "--from", mine, "--instances", 200)
    status, _, _ = run(capsys, *call, "--out", directory)
    assert status == 3
    names = {path.name for path in directory.iterdir()} - {"manifest.json", "chunks", "SHA256SUMS"}
    assert names == {"verdicts.tex", "verdicts.md", "verdicts.csv", "trpo--tv-2.json", "mine--false.json"}
    assert "trpo/tv-2" in (directory / "verdicts.csv").read_text()
    for suffix in ("csv", "md", "tex"):
        assert "mine/vacuous" in (directory / f"verdicts.{suffix}").read_text().replace(r"\allowbreak{}", "")
    searched = (directory / "verdicts.csv").read_text()
    assert "1-" in searched
    assert "KL" in searched
    assert run(capsys, "certify", directory / "trpo--tv-2.json")[0] == 0
    assert run(capsys, "certify", directory / "mine--false.json", "--from", mine)[0] == 0


# --- files of claims that are not good -------------------------------------------------------------------------

BAD_FILES = {
    "a syntax error": ("def f(:\n", "SyntaxError", "line 1: def f(:"),
    "an indentation": ("if True:\npass\n", "IndentationError", "line 2"),
    "an import": ("import nonsense_of_mine\n", "ModuleNotFoundError", "line 1: import nonsense_of_mine"),
    "a name": ("x = 1\ny = zz\n", "NameError", "line 2: y = zz"),
    "sys.exit": ("import sys\nsys.exit(0)\n", "SystemExit", "line 2: sys.exit(0)"),
    "no claims": ("x = 1\n", "no claims in mine.py", "@claim"),
    "nothing": ("", "no claims in mine.py", "@claim"),
    "binary": ("\0", "mine.py", "wanted"),
    "one id twice": (
        HEAD + "@claim('a', statement='s')\ndef a(q): return 1\n@claim('a', statement='s')\ndef b(q): return 1\n",
        "the id 'a' twice in mine.py",
        "rename",
    ),
    "no statement": (HEAD + "@claim('a', statement='')\ndef a(q): return 1\n", "statement", "line 2"),
    "a relation": (HEAD + "@claim('a', statement='s', relation='<')\ndef a(q): return 1\n", "relation", "line 2"),
    "an attribute": (HEAD + "@claim('a', statement='s', gven=1)\ndef a(q): return 1\n", "gven", "check the spelling"),
}


@pytest.mark.parametrize("verb", ["claims", "verify", "falsify"])
@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_one_message_that_names_its_line(capsys, tmp_path, name, verb):
    text, *parts = BAD_FILES[name]
    file = tmp_path / "mine.py"
    file.write_text(text)
    ids = ["a"] if verb == "falsify" else []
    assert_one_message(*run(capsys, verb, *ids, "--from", file), *parts)


FORMULAS = {
    "a name": ("    x = q.gamma\n    return x + nonsense", "NameError", "line 5: return x + nonsense"),
    "an attribute": ("    return q.nonsense", "AttributeError", "line 4: return q.nonsense"),
    "a ratio": ("    return 1 / 0", "ZeroDivisionError", "line 4: return 1 / 0"),
    "a condition": ("    return q.max_tv >= 0", "the slack is", "return the larger side"),
    "nothing": ("    q.max_tv", "the slack is None", "return the larger side"),
    "a text": ("    return 'a'", "TypeError", "a slack: a number"),
    "brackets": ("    return q.tv[[7]]  # [/x]", "IndexError", "line 4: return q.tv[[7]]  # [/x]"),
}


EXITS = {
    "an exit": ("    import sys; sys.exit(0)", "SystemExit: 0", "line 4"),
    "an interruption": ("    raise KeyboardInterrupt", "KeyboardInterrupt", "line 4"),
    "a loop": ("    return bad.formula(q)", "RecursionError", "line 4: return bad.formula(q)"),
    "memory": ("    raise MemoryError", "MemoryError", "line 4: raise MemoryError"),
    "a warning": (
        "    import warnings; warnings.simplefilter('error'); warnings.warn('x')",
        "UserWarning: x",
        "line 4",
    ),
}


@pytest.mark.parametrize("verb", ["verify", "falsify"])
@sampled("name", [*FORMULAS, *EXITS], every=2)
def test_an_error_within_a_formula_is_a_verdict_with_its_line(capsys, tmp_path, name, verb):
    body, *parts = (FORMULAS | EXITS)[name]
    file = tmp_path / "mine.py"
    file.write_text(HEAD + f"@claim('mine/bad', statement='s')\ndef bad(q):\n{body}\n")
    status, out, err = run(capsys, verb, "mine/bad", "--from", file)
    assert (status, err) == (3, "")
    for part in ("mine/bad", "error", *parts):
        assert part in out


def test_a_claim_that_exits_is_an_error_and_the_others_are_judged(capsys, tmp_path):
    good = "".join(
        f"@claim('mine/{n}', statement='s')\ndef f{n}(q):\n    return {n} + q.max_abs_advantage\n" for n in range(3)
    )
    file = tmp_path / "mine.py"
    file.write_text(HEAD + f"import sys\n@claim('mine/bad', statement='s')\ndef bad(q):\n    sys.exit(0)\n{good}")
    status, out, _ = run(capsys, "verify", "--from", file, "--instances", 100, "--json")
    assert status == 3
    judged = {claim["id"]: claim["verdict"] for claim in json.loads(out)["claims"]}
    assert judged == {"mine/bad": "error"} | {f"mine/{n}": "unrefuted" for n in range(3)}


def test_an_edited_claim_is_run_again_in_a_resumed_run_and_the_others_are_kept(capsys, tmp_path):
    file, out_dir = tmp_path / "mine.py", tmp_path / "run"
    file.write_text(MINE)
    call = ("verify", "--from", file, "--instances", 300, "--states", 2, "--out", out_dir, "--json")
    ids = ("mine/weak", "mine/false")
    run(capsys, *call, *ids)
    kept = {path.name: path.stat().st_mtime_ns for path in (out_dir / "chunks").iterdir()}
    file.write_text(MINE.replace("0.5 - q.max_tv", "1.5 - q.max_tv"))
    out = run(capsys, *call, *ids, "--resume")[1]
    verdicts = {claim["id"]: claim["verdict"] for claim in json.loads(out)["claims"]}
    assert verdicts == {"mine/weak": "refuted", "mine/false": "proved"}
    now = {path.name: path.stat().st_mtime_ns for path in (out_dir / "chunks").iterdir()}
    same = {name.split(".")[0] for name in now if now[name] == kept.get(name)}
    assert [name.startswith("search-mine-weak") for name in same] == [True]
    assert len(now) == len(kept) == 3


@pytest.mark.slow
def test_an_error_in_another_process_is_the_same_message(capsys, tmp_path):
    file = tmp_path / "mine.py"
    text = "".join(f"@claim('mine/{n}', statement='s')\ndef f{n}(q):\n    return {n}\n" for n in ("nonsense", "1"))
    file.write_text(HEAD + text)
    call = ("verify", "--from", file, "--instances", 20, "--jobs")
    two, one = run(capsys, *call, 2), run(capsys, *call, 1)
    assert two[0] == one[0] == 3
    messages = [[line for line in out.splitlines() if "its own code failed" in line] for _, out, _ in (two, one)]
    assert messages[0] == messages[1]  # the counts of the other claim are not: searches here are cut short
    assert "NameError: name 'nonsense' is not defined (line 4: return nonsense)" in messages[0][0]


# --- other bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ("verify trpo/tw", ["'trpo/tw'", "did you mean 'trpo/tv'"]),
        ("verify trpo/tv nonsense --json", ["'nonsense'"]),
        ("falsify trpo/tw", ["did you mean 'trpo/tv'"]),
        ("verify trpo/tv --instances 0", ["instances = 0"]),
        ("verify trpo/tv --instances x", ["--instances", "integer"]),
        ("verify trpo/tv --seed -1", ["seed = -1"]),
        ("verify trpo/tv --jobs 0", ["jobs = 0"]),
        ("verify trpo/tv --jobs -1", ["jobs = -1"]),
        ("falsify trpo/tv --seed -1", ["seed = -1"]),
        ("falsify", ["ID"]),
        ("certify", ["WITNESS"]),
        ("verify --from missing.py", ["missing.py", "a .py file that exists"]),
        ("verify --from directory.py", ["directory.py"]),
        ("verify --from notes.txt", ["notes.txt", ".py"]),
        ("claims --from missing.py", ["missing.py"]),
        ("verify trpo/tv --out notes.txt", ["notes.txt", "directory"]),
        ("verify trpo/tv --out notes.txt/deeper", ["directory"]),
        ("falsify trpo/tv --out witness.npz", ["witness.npz", "ends in .json"]),
        ("falsify trpo/tv --out witness", ["ends in .json"]),
        ("falsify trpo/tv --out missing/witness.json", ["'missing'", "make it first"]),
        ("falsify trpo/tv --out directory.json", ["directory.json"]),
        ("certify missing.json", ["missing.json"]),
        ("certify notes.txt", ["notes.txt"]),
        ("certify broken.json", ["broken.json"]),
        ("certify list.json", ["list"]),
        ("certify empty.json", ["without a claim"]),
        ("certify unknown.json", ["'trpo/tw'", "did you mean"]),
        ("certify bare.json", ["without transition"]),
        ("certify heavy.json", ["old"]),
        ("certify words.json", ["reward"]),
    ],
)
def test_bad_input_is_refused_before_any_search(capsys, tmp_path, monkeypatch, witness_text, arguments, parts):
    good = json.loads(witness_text)
    for name, content in {
        "notes.txt": "notes",
        "broken.json": witness_text[:100],
        "list.json": "[1]",
        "empty.json": "{}",
        "unknown.json": json.dumps(good | {"claim": "trpo/tw"}),
        "bare.json": '{"claim": "trpo/tv"}',
        "heavy.json": json.dumps(good | {"old": [[1, 1], [1, 1]]}),
        "words.json": json.dumps(good | {"reward": [["x", 1], [1, 1]]}),
    }.items():
        (tmp_path / name).write_text(content)
    for name in ("directory.json", "directory.py"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("trpo_theory.verification.search_task.run_all", lambda *_, **__: pytest.fail("it searched"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert_one_message(*run(capsys, *shlex.split(arguments)), *parts)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


# --- falsify and certify ---------------------------------------------------------------------------------------


def test_falsify_json_and_its_file_are_the_same_and_certified(capsys, tmp_path):
    path = tmp_path / "witness.json"
    status, out, err = run(capsys, "falsify", "trpo/tv-2", "--out", path, "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert (told["id"], told["verdict"], told["certified"]) == ("trpo/tv-2", "refuted", True)
    assert told["witness"] == json.loads(path.read_text())
    assert {"claim", "slack", "transition", "reward", "gamma", "initial", "old", "new"} <= told["witness"].keys()
    assert [path.name for path in tmp_path.iterdir()] == ["witness.json"]


@pytest.mark.slow
def test_falsify_prints_the_instance(capsys, tmp_path):
    status, out, _ = run(capsys, "falsify", "trpo/tv-2", "--out", tmp_path / "w.json")
    assert status == 0
    for part in ("trpo/tv-2: refuted, proved", "gamma = ", "state 0:", "action 1:", "written to"):
        assert part in out


@pytest.mark.slow
def test_falsify_what_stands(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("trpo_theory.verification.falsifying.INSTANCES", 50)
    path = tmp_path / "witness.json"
    path.write_text("an older one")
    status, out, _ = run(capsys, "falsify", "coupling/tv", "--out", path, "--json")
    assert status == 0
    told = json.loads(out)
    assert (told["verdict"], told["witness"], told["certified"]) == ("proved", None, False)
    assert path.read_text() == "an older one"
    status, out, _ = run(capsys, "falsify", "coupling/tv")
    assert status == 0
    assert out.startswith("coupling/tv: proved: theorem, machine-checked (docs/theory.md, ")
    assert "coupling/tv: no counterexample in " in out


@pytest.mark.parametrize(("id", "status"), [("mine/weak", 1), ("mine/false", 0), ("mine/open", 0), ("mine/vacuous", 3)])
def test_falsify_exit_statuses(capsys, mine, id, status, monkeypatch):
    monkeypatch.setattr("trpo_theory.verification.falsifying.INSTANCES", 100)
    assert run(capsys, "falsify", id, "--from", mine)[0] == status


def test_certify_json(capsys, witness):
    status, out, err = run(capsys, "certify", witness, "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert (told["id"], told["verdict"], told["certified"]) == ("trpo/tv-2", "refuted", True)
    assert {"expected_return_old", "expected_return_new", "surrogate", "max_tv", "max_kl"} <= told["quantities"].keys()
    status, out, _ = run(capsys, "certify", witness)
    assert status == 0
    assert re.match(r"trpo/tv-2: certified: refuted, slack (= -\d|in \[-)", out)  # a rational, or an interval
    assert "surrogate" in out


WORDS = {name: getattr(catalogue["coupling/tv"], name) for name in ("statement", "source")}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"slack": ["-7/3", "-7/3"]}, "refuted"),
        ({"slack": "x"}, "refuted"),
        ({"claim": "coupling/tv", **WORDS}, "proved"),
    ],
)
def test_a_witness_that_is_not_what_it_says_is_status_1(capsys, witness, changes, verdict):
    witness.write_text(json.dumps(json.loads(witness.read_text()) | changes))
    status, out, _ = run(capsys, "certify", witness, "--json")
    assert status == 1
    assert (json.loads(out)["verdict"], json.loads(out)["certified"]) == (verdict, False)
    status, out, _ = run(capsys, "certify", witness)
    assert status == 1
    assert "rejected" in out


def test_no_file_that_a_witness_names_is_run(capsys, mine, tmp_path, monkeypatch):
    path = tmp_path / "witness.json"
    assert run(capsys, "falsify", "mine/false", "--from", mine, "--out", path)[0] == 0
    assert json.loads(path.read_text())["file"] == "mine.py"
    mine.write_text(mine.read_text() + f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    assert_one_message(*run(capsys, "certify", path), "mine.py", "--from mine.py")  # though the file is beside it
    assert not (tmp_path / "ran").exists()
    status, out, _ = run(capsys, "certify", path, "--from", mine, "--json")
    assert (status, json.loads(out)["verdict"]) == (1, "refuted")  # the file has changed since
    assert "the file's file_sha256 is" in json.loads(out)["disagreements"][0]
    assert (tmp_path / "ran").exists()
    mine.write_text(MINE)
    status, out, _ = run(capsys, "certify", path, "--from", mine, "--json")
    assert status == 0
    assert json.loads(out)["certified"]

    mine.write_text(MINE.replace("0.5 - q.max_tv", "1.5 - q.max_tv"))
    assert run(capsys, "certify", path, "--from", mine)[0] == 1
    mine.write_text(MINE.replace("0.5 - q.max_tv", "nonsense"))
    status, out, err = run(capsys, "certify", path, "--from", mine)
    assert (status, out) == (3, "")
    assert "NameError" in err
    assert "return nonsense" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("verb", ["verify", "falsify", "certify"])
def test_an_id_of_the_catalogue_cannot_be_redefined(capsys, tmp_path, verb):
    own = tmp_path / "own.py"
    own.write_text(
        "from trpo_theory import claim\n"
        '@claim("trpo/tv", statement="s", source="t")\n'
        "def redefined(q):\n    return q.surrogate_gap - 1\n"
    )
    fields = json.loads((WITNESSES / "trpo--tv-2.json").read_text()) | {"claim": "trpo/tv"}
    fields |= {"statement": "s", "source": "t", "file": "own.py"}
    path = tmp_path / "witness.json"
    path.write_text(json.dumps(fields))
    argument = path if verb == "certify" else "trpo/tv"
    assert_one_message(*run(capsys, verb, argument, "--from", own), "trpo/tv", "an id that is not in the catalogue")
    assert_one_message(*run(capsys, "certify", path), "trpo/tv", "reserved")


@pytest.mark.parametrize("name", ["statement", "relation"])
def test_words_that_are_not_the_claims_own_are_refused(capsys, tmp_path, name):
    fields = json.loads((WITNESSES / "trpo--tv-2.json").read_text()) | {name: "="}
    path = tmp_path / "witness.json"
    path.write_text(json.dumps(fields))
    assert_one_message(*run(capsys, "certify", path), f"{name} = '='", "the claim's own")


# --- help ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_example_in_each_help_works(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for verb in ("claims", "verify", "falsify", "certify"):  # certify's file is the one that falsify's example writes
        status, out, _ = run(capsys, verb, "--help")
        assert status == 0
        example = shlex.split(" ".join(out.split("Example:")[1].split()))
        assert example[:2] == ["trpo-theory", verb]
        assert run(capsys, *example[1:])[0] == 0


def test_claims_paper_by_paper(capsys):
    assert main(["claims", "--by-paper", "cpo/*", "pcpo/*", "id/flow"]) == 0
    text = capsys.readouterr().out
    assert text.index("Achiam et al. 2017 (CPO)") < text.index("cpo/mean-tv ") < text.index("Yang et al. 2020 (PCPO)")
    assert "id/flow" not in text
    assert main(["claims", "--by-paper", "cpo/mean-tv", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["claims"]
    assert (row["paper"], row["where"], row["twins"]) == ("Achiam et al. 2017 (CPO)", "Corollary 1", ["cpo/mean-tv-1"])


def test_claims_paper_by_paper_on_a_narrow_terminal_cuts_nothing(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["claims", "--by-paper", "cpo/*", "kakade-langford*"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    for word in (
        "  cpo/any-critic-upper\n",
        "expected true; discounted; wording seen",
        "cpo/any-critic-upper-1",
        "kakade-langford/optimum-no-mismatch",
    ):
        assert word in text
