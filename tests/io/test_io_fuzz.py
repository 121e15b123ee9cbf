"""Every reader on files damaged at random: an answer or one message, soon and in bounded memory; and so at the command line.

60 mutants a reader as a rule; 10,000 with --hypothesis-profile=deep; every tenth goes through its verb of the command line.
"""

from __future__ import annotations

import contextlib
import io
import json
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn, TypeVar

import mutants
import numpy as np
import pytest
import scipy.sparse as sp
from cheap import is_deep, is_whole

from trpo_theory.cli import main
from trpo_theory.errors import InvalidInput, NotSolved
from trpo_theory.io import read_fields, read_policy, read_run, write_mdp, write_run
from trpo_theory.io.runs import run_of
from trpo_theory.loading.sources import load, load_aggregation
from trpo_theory.model.mdp import FiniteMDP
from trpo_theory.proofs.certifying import certify
from trpo_theory.sharp.prove_upper import check_supersolution

T = TypeVar("T")
resource = pytest.importorskip("resource")

SECONDS = 5
MEMORY = 2**30
"""What a reader of a file of some hundred bytes may allocate."""
WITNESSES = Path(__file__).parent.parent / "witnesses"
POMDP = """discount: 0.9
values: reward
states: left right
actions: stay go
observations: 2
start: 0.5 0.5
T: stay identity
T: go
0.5 0.5
0.25 0.75
O: * identity
R: stay : * : * : * 1
R: go : left : right : * 2
"""
MDP = """discount: 0.95
values: cost
states: 3
actions: 2
start include: 0 1
T: * uniform
T: 0 : 1
0.0 0.5 0.5
T: 1 : 2 : 2 1.0
T: 1 : 2 : 0 0.0
T: 1 : 2 : 1 0.0
R: 0 : 0 1 2 3
R: * : 1 : 2 -4e0
"""
TRIPLETS = """state,action,successor,probability,reward
0,0,1,0.5,1
0,0,0,0.5,2
0,1,0,1.0,-1
1,0,0,1.0,3e0
1,1,1,1.0,0.25
"""
CLAIMS = """from trpo_theory import claim


@claim("mine/lemma-3", statement="eta(new) >= L - 4", source="a draft")
def lemma_3(q):
    return q.expected_return_new - q.surrogate + 4 * q.max_tv
"""


class TooSlow(BaseException):
    """Not an Exception, so that nothing takes it for the reader's own."""


def small(directory: Path) -> FiniteMDP:
    mdp = FiniteMDP(
        [[[0.5, 0.5], [0.0, 1.0]], [[1.0, 0.0], [0.25, 0.75]]],
        [[1.0, 2.0], [3.0, 4.0]],
        0.9,
        [1.0, 0.0],
        state_labels=["a", "b"],
    )
    write_mdp(mdp, directory / "good.npz")
    return mdp


def saved(save, *args, **fields) -> bytes:
    stream = io.BytesIO()
    save(stream, *args, **fields)
    return stream.getvalue()


def written(write, directory: Path, name: str, *args, **options) -> bytes:
    write(*args, directory / name, **options)
    return (directory / name).read_bytes()


def sparse(mdp: FiniteMDP) -> FiniteMDP:
    return FiniteMDP(sp.csr_array(mdp.transition.reshape(-1, mdp.states)), mdp.reward, mdp.gamma, mdp.initial)


TABLE = [[0.25, 0.75], [0.5, 0.5]]
EVALUATE = (load, "evaluate FILE")
POLICY = (read_policy, "evaluate GOOD --policy FILE")
AGGREGATE = (load_aggregation, "update GOOD --old uniform --problem max-kl --delta 0.01 --aggregate FILE")
READERS = {
    "mdp.npz": (*EVALUATE, lambda d: written(write_mdp, d, "w.npz", small(d), old=np.array(TABLE))),
    "sparse.npz": (*EVALUATE, lambda d: written(write_mdp, d, "w.npz", sparse(small(d)))),
    "mdp.json": (*EVALUATE, lambda d: written(write_mdp, d, "w.json", small(d))),
    "sparse.json": (*EVALUATE, lambda d: written(write_mdp, d, "w.json", sparse(small(d)))),
    "mdp.csv": (lambda path: load(path, gamma=0.9), "evaluate FILE --gamma 0.9", lambda d: TRIPLETS.encode()),
    "model.POMDP": (*EVALUATE, lambda d: POMDP.encode()),
    "model.MDP": (*EVALUATE, lambda d: MDP.encode()),
    "policy.npy": (*POLICY, lambda d: saved(np.save, np.array(TABLE))),
    "policy.npz": (*POLICY, lambda d: saved(np.savez, policy=np.array(TABLE))),
    "policy.json": (*POLICY, lambda d: json.dumps({"policy": TABLE}).encode()),
    "run.npz": (read_run, "audit FILE", lambda d: written(write_run, d, "w.npz", a_run(small(d)))),
    "map.npy": (*AGGREGATE, lambda d: saved(np.save, np.array([0, 1]))),
    "map.json": (*AGGREGATE, lambda d: b"[0, 1]"),
    "map.txt": (*AGGREGATE, lambda d: b"0\n1\n"),
    "witness.json": (certify, "certify FILE", lambda d: (WITNESSES / "blog--no-surrogate.json").read_bytes()),
    "proof.json": (
        lambda path: check_supersolution(read_fields(path)),
        "certify FILE",
        lambda d: (WITNESSES.parent / "proofs" / "max-tv.json").read_bytes(),
    ),
}


def a_run(mdp: FiniteMDP):
    return run_of([TABLE, TABLE[::-1], TABLE], mdp, logged={"kl": [0.1, 0.2]}, about={"by": "me", "seed": 3})


def mutant(name: str, content: bytes, rng: np.random.Generator) -> bytes:
    suffix = Path(name).suffix
    if suffix == ".npz":
        damage = (mutants.npz_damaged, mutants.npz_damaged, mutants.npz_damaged, mutants.bytes_damaged)
    elif suffix == ".npy":
        damage = (mutants.npy_damaged, mutants.bytes_damaged)
    elif suffix == ".json":
        damage = (mutants.json_damaged, mutants.json_damaged, mutants.text_damaged, mutants.bytes_damaged)
    else:
        damage = (mutants.text_damaged, mutants.text_damaged, mutants.bytes_damaged)
    return damage[int(rng.integers(len(damage)))](content, rng)


def how_many() -> int:
    return 10_000 if is_deep() else 60 if is_whole() else 20


@pytest.fixture
def bounded():
    """An address space that ends 1 GB from here, and an alarm."""

    def alarm(*_: object) -> NoReturn:
        raise TooSlow

    page = resource.getpagesize()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * page
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, hard))
    before = signal.signal(signal.SIGALRM, alarm)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def within_bounds(act: Callable[[], T], content: bytes) -> T:
    """What act returns; an exception, a hang or a shortage of memory fails the test."""
    begin = time.process_time()
    signal.setitimer(signal.ITIMER_REAL, 6 * SECONDS)
    try:
        return act()
    except BaseException as error:
        pytest.fail(f"{type(error).__name__}: {error}\nfrom {content[:3000]!r}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert time.process_time() - begin < SECONDS, content


def message_of(read: Callable[[Path], object], path: Path) -> str:
    """What was wrong, or nothing."""
    try:
        read(path)
    except (InvalidInput, NotSolved) as error:
        return str(error)
    return ""


def at_the_command_line(words: list[str]) -> tuple[int, str]:
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
        out.flush()
        return status, err.getvalue()


def check_message(said: str) -> None:
    for part in ("got ", "; wanted ", "; fix: "):
        assert part in said, said
    assert "fit in" not in said, said
    assert "Traceback" not in said, said
    assert len(said) < 3000, said


@pytest.mark.sampled
@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_no_damage_escapes(tmp_path, bounded, name):
    read, verb, sample = READERS[name]
    content = sample(tmp_path)
    small(tmp_path)
    path = tmp_path / name
    words = verb.replace("FILE", str(path)).replace("GOOD", str(tmp_path / "good.npz")).split()
    path.write_bytes(content)
    assert message_of(read, path) == ""
    assert at_the_command_line(words) == (0, "")
    rng = np.random.default_rng(list(name.encode()))
    refused = 0
    for k in range(how_many()):
        damaged = mutant(name, content, rng)
        path.write_bytes(damaged)
        said = within_bounds(partial(message_of, read, path), damaged)
        if said:
            check_message(said)
            refused += 1
        if k % 10 == 0:
            form = ["--json"] if k % 20 else []
            status, told = within_bounds(partial(at_the_command_line, words + form), damaged)
            assert status in (0, 1, 2, 3)
            assert status != 2 or said or told
            if status == 2 or said:
                check_message(told)
    assert refused > how_many() / 5


def test_a_file_of_claims_that_is_no_python_is_one_message(tmp_path, bounded):
    """Damaged files of claims are read only where they do not compile: others would be run."""
    rng = np.random.default_rng(5)
    path = tmp_path / "mine.py"
    found = 0
    while found < how_many() // 10:
        damaged = mutant("mine.py", CLAIMS.encode(), rng)
        try:
            compile(damaged, "mine.py", "exec")
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            found += 1
            path.write_bytes(damaged)
            status, said = within_bounds(partial(at_the_command_line, ["claims", "--from", str(path)]), damaged)
            assert status == 2
            assert said.startswith("trpo-theory: got an error in mine.py: "), said
