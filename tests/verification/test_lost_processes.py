"""A claim whose code ends the process that it runs in is an error; the others are judged as they are without it."""

import json
import os
import subprocess
import sys

import pytest
from cheap import sampled

from trpo_theory.cli import main
from trpo_theory.verification import backends, read_run

CLAIMS = """
import os, signal
from trpo_theory import claim

@claim("mine/ends", statement="its process ends", expected=False)
def ends(q):
    {how}

@claim("mine/false", statement="eta(new) >= L", expected=False)
def false(q):
    return q.surrogate_gap
"""
HOW = {
    "a signal": "os.kill(os.getpid(), signal.SIGKILL)",
    "sometimes": "os._exit(0) if len(q.value) == 4 else None\n    return -q.surrogate_gap",
}


def judged(directory, how, *options):
    """Exit status and verdicts of a call in a process of its own, which a claim could end."""
    (directory / "mine.py").write_text(CLAIMS.format(how=how))
    call = [sys.executable, "-m", "trpo_theory.cli", "verify", "--from", str(directory / "mine.py"), "--json"]
    size = ("--instances", "300", "--states", "4", "--actions", "2")
    done = subprocess.run([*call, *size, *options], capture_output=True, text=True)
    found = {one["id"]: one for one in json.loads(done.stdout)["claims"]}
    if found["mine/false"]["witness"]:
        found["mine/false"]["witness"].pop("file_sha256")
    return done.returncode, found, done.stderr


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    """The verdicts where no process ends."""
    status, found, _ = judged(tmp_path_factory.mktemp("without"), "return -q.surrogate_gap")
    assert status == 0
    return found


@pytest.mark.whole
@pytest.mark.slow
@sampled(("how", "jobs"), [("a signal", "2"), ("sometimes", "1")], every=2, start=1)
def test_the_claim_is_an_error_and_the_others_are_judged(how, jobs, tmp_path, without):
    status, found, err = judged(tmp_path, HOW[how], "--jobs", jobs)
    assert status == 3
    assert found["mine/ends"]["verdict"] == "error"
    assert "process" in found["mine/ends"]["note"]
    assert "Traceback" not in err
    assert found["mine/false"] == without["mine/false"]


@pytest.mark.whole
@pytest.mark.slow
def test_an_error_of_a_run_directory_is_tried_again(tmp_path):
    (tmp_path / "mine.py").write_text(CLAIMS.format(how="os._exit(0)"))
    call = ["verify", "--from", str(tmp_path / "mine.py"), "--instances", "300", "--out", str(tmp_path / "run")]
    assert main([*call, "--json"]) == 3
    assert read_run(tmp_path / "run")["mine/ends"].error
    (tmp_path / "mine.py").write_text(CLAIMS.format(how="return q.surrogate_gap"))
    assert main([*call, "--resume"]) == 0


def ends_at_three(number):
    return os._exit(0) if number == 3 else number**2


@pytest.mark.slow
def test_one_process_for_all_tasks_but_after_one_that_ends_it():
    assert dict(backends.alone(ends_at_three, range(6))) == {0: 0, 1: 1, 2: 4, 3: None, 4: 16, 5: 25}
    processes = [number for _, number in backends.alone(lambda _: os.getpid(), range(3))]
    assert len(set(processes)) == 1
    assert os.getpid() not in processes


def grows(number):
    """By 400 MB, at which loky replaces the process."""
    import time

    kept.append(bytearray(400 * 2**20 if number == 1 else 1))
    time.sleep(1.1)  # loky looks once a second
    return number


kept = []


@pytest.mark.whole
@pytest.mark.slow
def test_a_process_that_has_grown_is_replaced_without_a_warning():
    pytest.importorskip("psutil")  # by which loky measures it
    assert dict(backends.alone(grows, range(3))) == {number: number for number in range(3)}


@pytest.mark.slow
def test_an_exception_is_raised_and_no_process_is_left(tmp_path):
    found = backends.alone(lambda x: (os.getpid(), 1 / x), [1, 0])
    _, (process, _) = next(found)
    with pytest.raises(ZeroDivisionError):
        next(found)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
