"""npz and json: what is written comes back to the last bit, exact numbers stay exact, and no half-written file appears."""

import json
import os
import re
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import trpo_theory as tt
from trpo_theory.errors import InvalidInput
from trpo_theory.io import mdp_from_fields, read_fields, read_mdp, read_policy, write_fields, write_mdp
from trpo_theory.io._atomic import atomic_write
from trpo_theory.io._json import parse_rational
from trpo_theory.io.evidence_files import write_evidence
from trpo_theory.model.mdp import FiniteMDP


def random_mdp(kind, seed=0, states=7, actions=3):
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(states), (states, actions))
    reward = rng.normal(size=(states, actions))
    initial = rng.dirichlet(np.ones(states))
    labels = {}
    if "unavailable" in kind:
        reward[rng.random((states, actions)) < 0.4] = -np.inf
        reward[:, 0] = 1 / 3
    if "labels" in kind:
        labels = {"state_labels": [f"s{i}-é" for i in range(states)], "action_labels": ["left", "1/2", "right"]}
    if "sparse" in kind:
        transition[transition < 0.1] = 0.0
        transition /= transition.sum(-1, keepdims=True)
        transition = sp.csr_array(transition.reshape(-1, states))
    return FiniteMDP(transition, reward, 0.97, initial, **labels)


def fields_of(mdp):
    parts = ("data", "indices", "indptr") if mdp.is_sparse else ()
    arrays = [getattr(mdp.transition, part) for part in parts] or [mdp.transition]
    return [array.tobytes() for array in (*arrays, mdp.reward, mdp.initial, mdp.available)], (
        mdp.gamma,
        mdp.state_labels,
        mdp.action_labels,
        mdp.is_sparse,
    )


KINDS = ["dense", "sparse", "dense unavailable", "sparse unavailable", "dense labels", "sparse unavailable labels"]


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize("kind", KINDS)
def test_round_trip_is_bit_exact(tmp_path, kind, suffix):
    mdp = random_mdp(kind)
    write_mdp(mdp, tmp_path / f"m{suffix}")
    again = read_mdp(tmp_path / f"m{suffix}")
    assert fields_of(again) == fields_of(mdp)
    write_mdp(again, tmp_path / f"twice{suffix}")
    assert (tmp_path / f"twice{suffix}").read_bytes() == (tmp_path / f"m{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_numpy_and_json_alone_read_what_is_written(tmp_path, suffix):
    mdp, path = random_mdp("dense unavailable"), tmp_path / f"m{suffix}"
    old = np.where(mdp.available, 1.0, 0.0)
    old /= old.sum(-1, keepdims=True)
    write_mdp(mdp, path, old=old)
    content = dict(np.load(path)) if suffix == ".npz" else json.loads(path.read_text())
    assert set(content) == {"transition", "reward", "gamma", "initial", "available", "old"}
    for name in ("transition", "reward", "gamma", "initial", "available"):
        assert np.array_equal(content[name], getattr(mdp, name))
    assert np.array_equal(read_policy(path, "old"), old)


def test_a_plain_savez_and_a_hand_written_json_are_read(tmp_path):
    transition = np.array([[[0.5, 0.5], [0, 1]], [[1, 0], [0.25, 0.75]]])
    parts = {"transition": transition, "reward": [[1, 2], [3, 4]], "initial": [1, 0]}
    np.savez(tmp_path / "a.npz", gamma=0.5, **parts)
    mdp = read_mdp(tmp_path / "a.npz")
    assert np.array_equal(mdp.transition, transition)
    assert np.array_equal(mdp.reward, [[1, 2], [3, 4]])
    (tmp_path / "a.json").write_text(
        '{"transition": [[["1/2", 0.5], [0, 1]], [["1", 0], ["0.25", "3/4"]]], "reward": [[1, "-inf"], [3, -Infinity]],'
        ' "gamma": "1/2", "initial": [1, 0], "state_labels": ["1/3", "b"], "available": null}'
    )
    mdp = read_mdp(tmp_path / "a.json")
    assert np.array_equal(mdp.available, [[True, False], [True, False]])
    assert np.array_equal(mdp.reward, [[1, 0], [3, 0]])
    assert np.array_equal(mdp.transition, np.where(mdp.available[..., None], transition, 0))
    assert mdp.state_labels == ("1/3", "b")
    assert mdp.gamma == 0.5


def test_gamma_is_overridden_or_supplied(tmp_path):
    fields = {"transition": [[[1]]], "reward": [1], "initial": [1]}
    (tmp_path / "m.json").write_text(json.dumps(fields))
    assert read_mdp(tmp_path / "m.json", 0.25).gamma == 0.25
    assert mdp_from_fields({**fields, "gamma": 1}, gamma=0.5).gamma == 0.5
    with pytest.raises(InvalidInput, match=r"add gamma to the file, or pass gamma=0\.99 \(--gamma 0\.99\)"):
        read_mdp(tmp_path / "m.json")
    with pytest.raises(InvalidInput) as caught:
        read_mdp(tmp_path / "m.json", 1.5)
    assert "m.json" not in str(caught.value)


def test_json_numbers_are_exact(tmp_path):
    path = tmp_path / "w.json"
    path.write_text(
        '{"old": [["1/3", "2/3"], [0, 1]], "slack": "-2/7", "x": "0.1", "n": 3, "f": 0.1, "claim": "3", "who": "A/b"}'
    )
    fields = read_fields(path)
    assert fields["old"] == [[Fraction(1, 3), Fraction(2, 3)], [0, 1]]
    assert fields["slack"] == Fraction(-2, 7)
    assert fields["x"] == Fraction(1, 10)
    assert fields["f"] == 0.1
    assert isinstance(fields["f"], float)
    assert (fields["n"], fields["claim"], fields["who"]) == (3, "3", "A/b")
    write_fields(fields, tmp_path / "again.json")
    assert read_fields(tmp_path / "again.json") == fields


def test_a_decimal_of_a_file_is_never_another_decimal(tmp_path):
    """A float where its shortest decimal is what is written, else the rational."""
    rng = np.random.default_rng(0)
    texts = ["0.1", "0.0", "0.00", "1e-320", "1.23456789e-320", "1e-400", "9.0071992547409931", "0.30000000000000004"]
    for _ in range(500):
        digits = "".join(map(str, rng.integers(0, 10, rng.integers(1, 26))))
        exponent = f"e{rng.integers(-330, 280)}" if rng.random() < 0.3 else ""
        texts.append(f"{rng.choice(['', '-'])}{rng.integers(0, 10)}.{digits}{exponent}")
    (tmp_path / "x.json").write_text(f'{{"x": [{", ".join(texts)}]}}')
    read = read_fields(tmp_path / "x.json")["x"]
    for text, number in zip(texts, read, strict=True):
        assert (Fraction(repr(number)) if isinstance(number, float) else number) == Fraction(text)
        assert float(number) == float(text)
    assert {type(number) for number in read} == {float, Fraction}
    assert [type(number) for number in read[:8]] == [float] * 4 + [Fraction] * 3 + [float]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1/3", Fraction(1, 3)),
        (" -4 / 6 ", Fraction(-2, 3)),
        ("1e-3", Fraction(1, 1000)),
        ("-inf", -np.inf),
        ("left", None),
    ],
)
def test_rationals_are_parsed(text, number):
    assert parse_rational(text) == number


def test_policies_are_read_from_every_format(tmp_path):
    policy = np.array([[0.25, 0.75], [1, 0]])
    np.save(tmp_path / "p.npy", policy)
    np.savez(tmp_path / "p.npz", policy=policy)
    (tmp_path / "list.json").write_text('[["1/4", "3/4"], [1, 0]]')
    (tmp_path / "object.json").write_text('{"policy": [[0.25, 0.75], [1, 0]]}')
    np.save(tmp_path / "fortran.npy", np.asfortranarray(policy))
    for name in ("p.npy", "p.npz", "list.json", "object.json", "fortran.npy"):
        assert np.array_equal(read_policy(tmp_path / name), policy)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_a_failure_while_writing_leaves_the_old_file(tmp_path, suffix, monkeypatch):
    path, mdp = tmp_path / f"m{suffix}", random_mdp("dense")
    write_mdp(mdp, path)
    before = path.read_bytes()

    def broken_replace(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", broken_replace)
    with pytest.raises(InvalidInput, match="No space left"):
        write_mdp(mdp.with_gamma(0.5), path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_an_exception_in_the_block_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(TypeError), atomic_write(path, text=True) as stream:
        stream.writelines(["new" * 10_000, 3])
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.txt"]
    with atomic_write(path, text=True) as stream:
        stream.write("é\n")
    assert path.read_bytes() == "é\n".encode()


def test_a_link_is_followed_and_permissions_are_kept(tmp_path):
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_mdp(random_mdp("dense"), link)
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert read_mdp(target).states == 7


@pytest.mark.parametrize("place", ["missing/m.npz", "taken.npz", "n\0ul.npz", "x" * 300 + ".npz"])
def test_places_that_cannot_be_written(tmp_path, place):
    (tmp_path / "taken.npz").mkdir()
    with pytest.raises(InvalidInput, match="fix: "):
        write_mdp(random_mdp("dense"), f"{tmp_path}/{place}")
    assert os.listdir(tmp_path) == ["taken.npz"]


def test_a_device_is_not_replaced():
    with pytest.raises(InvalidInput, match="device"), atomic_write("/dev/null"):
        pass
    assert not os.path.isfile("/dev/null")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux's")
def test_every_writer_says_why_a_full_device_cannot_be_written(tmp_path, monkeypatch):
    """The reason is the system's own, and the fix, a file of that name, works."""
    monkeypatch.chdir(tmp_path)
    mdp = random_mdp("dense")
    figure = tt.report.lines(pd.DataFrame({"x": [0, 1], "y": [0, 1]}), "x", "y", xlabel="x", ylabel="y")
    for write in (
        lambda path: write_mdp(mdp, path),
        lambda path: tt.io.write_run(tt.io.run_of([tt.uniform(mdp.available)] * 2, mdp), path),
        lambda path: write_evidence({"kind": "refutation"}, path),
        lambda path: tt.report.save_as(figure, path),
    ):
        with pytest.raises(InvalidInput, match="No space left on device") as caught:
            write("/dev/full")
        write(re.findall("'(.*)'", caught.value.fix)[0])
    assert sorted(os.listdir(tmp_path)) == ["full.json", "full.npz", "full.pdf"]


@pytest.mark.parametrize(("number", "fix"), [(28, "make room"), (13, "choose another directory")])
def test_the_fix_of_a_failed_write_is_the_reasons(tmp_path, monkeypatch, number, fix):
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(number, os.strerror(number))))
    with pytest.raises(InvalidInput, match=f"{os.strerror(number)}.*fix: {fix}"):
        write_mdp(random_mdp("dense"), tmp_path / "m.npz")


def test_batches_and_clashing_names_are_not_written(tmp_path):
    batch = FiniteMDP(np.ones((2, 1, 1, 1)), np.ones((2, 1)), 0.5)
    with pytest.raises(InvalidInput, match="batch"):
        write_mdp(batch, tmp_path / "m.npz")
    mdp = random_mdp("dense")
    with pytest.raises(InvalidInput, match="gamma"):
        write_mdp(mdp, tmp_path / "m.npz", gamma=np.full((7, 3), 1 / 3))
    with pytest.raises(InvalidInput, match="sums to 3"):
        write_mdp(mdp, tmp_path / "m.npz", old=np.ones((7, 3)))
    with pytest.raises(InvalidInput, match="keeps fractions"):
        write_fields({"x": Fraction(1, 3)}, tmp_path / "m.npz")
    with pytest.raises(InvalidInput, match="finite"):
        write_fields({"x": np.array([np.nan])}, tmp_path / "m.json")
    assert os.listdir(tmp_path) == []
