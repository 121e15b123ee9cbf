"""What goes wrong with a large run: killed, interrupted, no room, no permission, damaged files, lost workers."""

import contextlib
import errno
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from cheap import sample, sampled, two_instruments

from trpo_theory.claims import catalogue
from trpo_theory.cli import main
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.io import _atomic
from trpo_theory.search.instruments import mutation
from trpo_theory.verification import backends, read_run, search_task
from trpo_theory.verification.chunk import chunks
from trpo_theory.verification.execute import execute
from trpo_theory.verification.run_directory import _manifest_bytes
from trpo_theory.verification.table import to_bytes

chunking = sys.modules["trpo_theory.verification.chunk"]
verifying = sys.modules.get("trpo_theory.verification.verifying") or __import__(
    "trpo_theory.verification.verifying", fromlist=["verify"]
)

CALL = (
    "verify",
    "divergence/chi2-half",
    "order/upper",
    "--instances",
    "3000",
    "--states",
    "3",
    "--actions",
    "2",
    "--json",
)
SCRIPT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit that it is ignored
import trpo_theory.verification.chunk as chunk
chunk.CHUNK = 200
import trpo_theory.verification.verifying
from trpo_theory.cli import main
from trpo_theory.verification.run_directory import RunDirectory
save = RunDirectory.save
def slow(self, name, tallies):
    save(self, name, tallies)
    if len(list(self._files())) >= 5:
        time.sleep(60)
RunDirectory.save = slow
if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
"""
"""Halts after five chunks, for the signal to find it there on any machine."""


@pytest.fixture(autouse=True, scope="module")
def small():
    """Chunks of 200 instances, as in the script's process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunking, "CHUNK", 200)
        patch.setattr(verifying, "CHUNK", 200)
        yield


def content(directory):
    """Every file but those under a temporary name, by its path."""
    files = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items()}


def run(capsys, *arguments):
    """Exit status, stdout and stderr of one call."""
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run: its JSON, and its files."""
    directory = tmp_path_factory.mktemp("whole")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main([*CALL, "--out", str(directory)]) == 0
    files = content(directory)
    assert sum(name.endswith(".parquet") for name in files) == 17
    return json.loads(printed.getvalue()), files


def assert_refused(outcome, *parts):
    status, out, err = outcome
    assert status == 2
    assert out == ""
    assert err.startswith("trpo-theory: got ")
    assert err.count("\n") == 1
    assert "fix: " in err
    for part in parts:
        assert part in err


def is_alive(group):
    """Whether a process of the group lives."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


# --- killed, interrupted ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
@sampled(("sent", "jobs"), [(signal.SIGKILL, 1), (signal.SIGINT, 2), (signal.SIGTERM, 2)], every=3)
def test_a_run_that_is_killed_goes_on_to_the_same_files_and_verdicts(capsys, tmp_path, whole, sent, jobs):
    script, directory = tmp_path / "script.py", tmp_path / "run"
    script.write_text(SCRIPT)
    call = [sys.executable, str(script), *CALL, "--out", str(directory), "--jobs", str(jobs)]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while len(list((directory / "chunks").glob("*.parquet"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.005)
    (os.kill if sent == signal.SIGTERM else os.killpg)(process.pid, sent)  # Ctrl-C goes to the group, SIGTERM to one
    out, err = process.communicate(timeout=30)
    assert len(list((directory / "chunks").glob("*.parquet"))) == 5
    assert out == ""
    deadline = time.monotonic() + 10
    while is_alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(process.pid)
    if sent != signal.SIGKILL:
        assert process.returncode == 130
        assert (
            err == f"trpo-theory: interrupted; what is done is in {directory}: the same command with --resume goes on\n"
        )
    assert {name: whole[1][name] for name in content(directory) if name.endswith(".parquet")} == {
        name: data for name, data in content(directory).items() if name.endswith(".parquet")
    }
    (directory / "chunks" / ".left.0123.tmp").write_bytes(b"half")

    assert_refused(run(capsys, *CALL, "--out", directory), "has the results of a run", "--resume")
    status, out, err = run(capsys, *CALL, "--out", directory, "--resume")
    assert status == 0
    assert json.loads(out) == whole[0]
    assert content(directory) == whole[1]
    assert str(directory) in err


def test_a_process_that_dies_is_replaced(tmp_path, monkeypatch):
    """Once, by its own hand; a second run of the task finds the mark."""

    def dies_once(task):
        mark, number = task
        if number == 3 and not os.path.exists(mark):
            with open(mark, "w"):
                os.kill(os.getpid(), signal.SIGKILL)
        return number**2

    tasks = [(str(tmp_path / "mark"), number) for number in range(6)]
    found = dict(backends.run(dies_once, tasks, jobs=2))
    assert found == {number: number**2 for number in range(6)}
    monkeypatch.setattr(backends, "_RETRIES", 1)
    with pytest.raises(NotSolved, match="fewer --jobs"):
        list(backends.run(lambda _: os.kill(os.getpid(), signal.SIGKILL), [1, 2], jobs=2))


# --- files -----------------------------------------------------------------------------------------------------


def restored(directory, files):
    for name, data in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(data)


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"x" * len(data)]
)
def test_a_damaged_file_is_computed_again_with_a_word(capsys, tmp_path, whole, damage):
    restored(tmp_path, whole[1])
    victim = next(name for name in whole[1] if name.startswith("chunks/3x2"))
    (tmp_path / victim).write_bytes(damage(whole[1][victim]))
    with pytest.raises(InvalidInput, match="damaged"):
        read_run(tmp_path)
    status, out, err = run(capsys, *CALL, "--out", tmp_path, "--resume")
    assert status == 0
    assert f"{victim.split('/')[1]} was damaged: it was computed again" in err
    assert json.loads(out) == whole[0]
    assert content(tmp_path) == whole[1]


def changed(old, new):
    return [new if word == old else word for word in CALL]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "part"),
    [
        (changed("3000", "3001"), "another instances: 3000, not 3001"),
        (changed("order/upper", "trpo/tv"), "another claims"),
        (changed("3", "4"), "another states: 3, not 4"),
        ([*CALL, "--seed", "1"], "another seed: 0, not 1"),
    ],
)
def test_a_run_of_other_settings_is_refused(capsys, tmp_path, whole, call, part):
    restored(tmp_path, whole[1])
    assert_refused(run(capsys, *call, "--out", tmp_path, "--resume"), part)
    assert content(tmp_path) == whole[1]


def test_a_run_of_another_version_is_refused(capsys, tmp_path, whole):
    restored(tmp_path, whole[1])
    manifest = json.loads(whole[1]["manifest.json"])
    manifest["versions"]["trpo-theory"] = "0.0.1"
    del manifest["sha256"]
    (tmp_path / "manifest.json").write_bytes(_manifest_bytes(manifest))
    assert_refused(run(capsys, *CALL, "--out", tmp_path, "--resume"), "version of trpo-theory", "0.0.1")
    (tmp_path / "manifest.json").write_text("{")
    assert_refused(run(capsys, *CALL, "--out", tmp_path, "--resume"), "manifest.json")


@pytest.mark.slow
def test_a_full_disk_is_one_message_and_what_is_there_stays(capsys, tmp_path, whole, monkeypatch):
    replace, done = os.replace, []

    def full(source, target):
        done.append(target)
        if len(done) > 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    monkeypatch.setattr(_atomic.os, "replace", full)
    assert_refused(run(capsys, *CALL, "--out", tmp_path), "No space left on device", "add --resume")
    monkeypatch.undo()
    there = content(tmp_path)
    assert len(there) == 5
    assert all(data == whole[1][name] for name, data in there.items())
    read_run(tmp_path)


@contextlib.contextmanager
def mounted(directory, options):
    directory.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)], capture_output=True)
    if mount.returncode:
        pytest.skip("no permission to mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", str(directory)], check=True)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounts are root's")
def test_a_small_disk_fills_up_and_a_larger_one_goes_on(capsys, tmp_path, whole):
    disk = tmp_path / "disk"
    with mounted(disk, "size=80k"):
        assert_refused(run(capsys, *CALL, "--out", disk / "run"), "No space left on device", "add --resume")
        there = content(disk / "run")
        assert "manifest.json" in there
        assert all(data == whole[1][name] for name, data in there.items())
        subprocess.run(["mount", "-o", "remount,size=10m", str(disk)], check=True)
        assert run(capsys, *CALL, "--out", disk / "run", "--resume")[0] == 0
        assert content(disk / "run") == whole[1]
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert_refused(run(capsys, *CALL, "--out", disk / "other"), "a directory that can be written")


# --- a cluster -------------------------------------------------------------------------------------------------


ONE_THREAD = ("--nthreads", "1", "--no-nanny")


@contextlib.contextmanager
def cluster(workers):
    """A scheduler and its workers on loopback: how to start one more, the address, and the workers' processes."""
    with contextlib.ExitStack() as stack:

        def start(*arguments):
            call = [sys.executable, "-m", f"distributed.cli.dask_{arguments[0]}", *arguments[1:], "--no-dashboard"]
            process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            stack.callback(lambda: (process.kill(), process.communicate()))
            return process

        scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0")
        assert scheduler.stderr
        address = next(line.split()[-1] for line in scheduler.stderr if "Scheduler at:" in line)
        yield start, address, [start("worker", address, *ONE_THREAD) for _ in range(workers)]


@pytest.mark.whole
@pytest.mark.slow
def test_workers_of_a_cluster_come_and_go():
    """A scheduler and three worker processes on loopback; one is killed in the middle, one comes: the same bytes."""
    pytest.importorskip("distributed")
    tasks = chunks([catalogue["trpo/tv-2"], catalogue["coupling/tv"]], 3000, 0, shape=(3, 2))
    here = {task.name: to_bytes(found) for task, found in execute(tasks)}
    with cluster(3) as (start, address, workers):
        there = {}
        for task, found in execute(tasks, dask=address):
            there[task.name] = to_bytes(found)
            if len(there) == 5:
                workers[0].kill()
                workers.append(start("worker", address, *ONE_THREAD))
    assert there == here


@pytest.mark.whole
@pytest.mark.slow
def test_a_claim_that_ends_its_process_on_a_cluster_is_an_error_and_the_worker_lives(tmp_path, capsys):
    """One worker, that nothing replaces: it judges the other claims, and those of the file as processes of this machine do."""
    pytest.importorskip("distributed")
    file = tmp_path / "mine.py"
    file.write_text(
        "import os\nfrom trpo_theory import claim\n"
        "@claim('mine/ends', statement='s')\ndef ends(q):\n    os._exit(7)\n"
        "@claim('mine/false', statement='s', expected=False)\ndef false(q):\n    print('looking')\n    return q.max_tv - 1\n"
        "@claim('mine/fails', statement='s')\ndef fails(q):\n    return q.nonsense\n"
    )
    ids = ("mine/ends", "mine/false", "mine/fails", "trpo/tv-2")
    call = ("verify", *ids, "--from", file, "--instances", 100, "--states", 2, "--json")
    with cluster(1) as (_, address, workers):
        status, out, err = run(capsys, *call, "--dask", address)
        assert workers[0].poll() is None
    assert status == 3, err
    verdicts = {claim["id"]: claim for claim in json.loads(out)["claims"]}
    assert [verdict["verdict"] for verdict in verdicts.values()] == ["error", "refuted", "error", "refuted"]
    assert "ended without a result" in verdicts["mine/ends"]["note"]
    assert "line 12: return q.nonsense" in verdicts["mine/fails"]["note"]
    assert run(capsys, *call)[:2] == (status, out)


# --- any file --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def short_searches():
    """By two instruments, of one generation each: what becomes of a run's files is tested, not what it finds."""
    with pytest.MonkeyPatch.context() as patch:
        two_instruments(patch)
        patch.setattr(mutation, "GENERATIONS", 1)
        patch.setattr(search_task, "_HARD", 1)
        yield


@pytest.fixture
def short():
    """As `small_run` was made."""
    with short_searches():
        yield


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    """The call and the files of a run of two claims, with a witness each."""
    directory = tmp_path_factory.mktemp("small")
    call = ["verify", "divergence/chi2-half", "order/upper", "--instances", "200", "--json", "--out"]
    with pytest.MonkeyPatch.context() as patch, short_searches():
        patch.setattr("trpo_theory.cli.verifying.print_json", lambda _: None)
        assert main([*call, str(directory)]) == 0
    return call, content(directory)


def flips(name, data):
    """Some bits of a file: of its first, last and a middle byte, and of one in each seventh of a short one."""
    if name.startswith("chunks/"):
        return [(len(data) // 2, 0)]  # test_run_directory.py flips the others
    places = {0, len(data) // 2, len(data) - 1} | ({len(data) * k // 7 for k in range(7)} if len(data) < 300 else set())
    return [(place, bit) for place in sorted(places) for bit in (0, 5)]


@pytest.mark.slow
@pytest.mark.sampled
def test_a_flipped_bit_of_any_file_is_noticed(capsys, tmp_path, short, small_run):
    call, files = small_run
    assert {name.split("/")[0] for name in files} == {
        *("manifest.json", "chunks", "SHA256SUMS", "verdicts.csv", "verdicts.md", "verdicts.tex"),
        *("divergence--chi2-half.json", "order--upper.json"),
    }
    for name, data in files.items():
        for place, bit in sample(flips(name, data), 3):
            restored(tmp_path, files)
            broken = bytearray(data)
            broken[place] ^= 1 << bit
            (tmp_path / name).write_bytes(broken)
            status, _, err = run(capsys, *call, tmp_path, "--resume")
            if name == "manifest.json":
                assert status == 2, (name, place, bit)
                continue
            assert status == 0
            assert any(line.startswith("note: ") and "again" in line for line in err.splitlines()), (name, place, bit)
            assert content(tmp_path) == files, (name, place, bit)


@pytest.mark.slow
def test_results_that_are_lost_are_noticed(capsys, tmp_path, short, small_run):
    call, files = small_run
    for lost, note in (
        ({"verdicts.csv"}, "verdicts.csv was damaged or lost"),
        ({"SHA256SUMS"}, "SHA256SUMS was damaged or lost"),
        ({name for name in files if "/" not in name and name != "manifest.json"}, ""),
    ):
        for name in content(tmp_path):
            (tmp_path / name).unlink()
        restored(tmp_path, {name: data for name, data in files.items() if name not in lost})
        status, _, err = run(capsys, *call, tmp_path, "--resume")
        assert status == 0
        assert (f"note: {note}" in err) if note else ("note" not in err)
        assert content(tmp_path) == files
