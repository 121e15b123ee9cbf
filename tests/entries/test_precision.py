"""The tolerance of a row follows the format of its numbers, by every way in; the oracle is a row that was divided by hand."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from quantecon.markov import DiscreteDP

import trpo_theory as tt
from trpo_theory.cli import main
from trpo_theory.entries.precision import row_sum_atol, written_atol
from trpo_theory.errors import InvalidInput
from trpo_theory.integrations import record
from trpo_theory.io import from_gym, from_mdptoolbox, from_quantecon, from_triplets, run_of, write_fields
from trpo_theory.model.policy import softmax

S, A = 4, 3
DRAWN = np.random.default_rng(3).dirichlet(np.ones(S), size=(S, A))
REWARD = np.arange(12.0).reshape(S, A)
FORMATS = {"float32": 3e-7, "float16": 2e-3}
"""With how much an entry of at most 1 is off by rounding, and so a value of rewards below 12 and γ = 1/2, generously."""


def table_of(rows):
    return {s: {a: [(p, t, REWARD[s, a], False) for t, p in enumerate(rows[s, a])] for a in range(A)} for s in range(S)}


class Table:
    """An environment without a class of Gymnasium's, as people write them."""

    def __init__(self, rows):
        self.P, self.isd = table_of(rows), [1] + [0] * (S - 1)


def triplets(rows):
    state, action, successor = (x.ravel() for x in np.indices((S, A, S)))
    return from_triplets(state, action, successor, rows.ravel(), np.repeat(REWARD, S), 0.5)


def pairs(rows, form):
    state, action = (x.ravel() for x in np.indices((S, A)))
    ddp = DiscreteDP(REWARD.ravel(), sp.csr_matrix(DRAWN.reshape(-1, S)), 0.5, state, action)
    ddp.Q = form(rows.reshape(-1, S))
    return from_quantecon(ddp)


def file_of(rows, tmp_path, suffix):
    path = tmp_path / f"mdp{suffix}"
    initial = np.full(S, 1 / S)
    if suffix == ".npz":
        np.savez(path, transition=rows, reward=REWARD, gamma=0.5, initial=initial)
    else:
        fields = {"transition": rows.tolist(), "reward": REWARD.tolist(), "gamma": 0.5, "initial": initial.tolist()}
        path.write_text(json.dumps(fields))
    return tt.load(path)


def sparse_file(rows, tmp_path):
    matrix = sp.csr_array(rows.astype(np.float64).reshape(-1, S))
    parts = {f"transition_{name}": getattr(matrix, name) for name in ("data", "indices", "indptr", "shape")}
    parts["transition_data"] = matrix.data.astype(rows.dtype)
    np.savez(tmp_path / "sparse.npz", reward=REWARD, gamma=0.5, initial=np.full(S, 1 / S), **parts)
    return tt.load(tmp_path / "sparse.npz")


WAYS = {
    "array": lambda rows, _: tt.FiniteMDP(rows, REWARD, 0.5),
    "nested list": lambda rows, _: tt.FiniteMDP([[list(row) for row in one] for one in rows], REWARD, 0.5),
    "list of arrays": lambda rows, _: tt.FiniteMDP(list(rows), REWARD, 0.5),
    "triplets": lambda rows, _: triplets(rows),
    "mdptoolbox": lambda rows, _: from_mdptoolbox(rows.transpose(1, 0, 2), REWARD, 0.5),
    "mdptoolbox, a list": lambda rows, _: from_mdptoolbox(list(rows.transpose(1, 0, 2)), REWARD, 0.5),
    "quantecon, product": lambda rows, _: from_quantecon(type("D", (), {"R": REWARD, "Q": rows, "beta": 0.5})()),
    "quantecon, pairs": lambda rows, _: pairs(rows, np.asarray),
    ".npz": lambda rows, path: file_of(rows, path, ".npz"),
    "table": lambda rows, _: from_gym(table_of(rows), 0.5),
    "sparse .npz": sparse_file,
}
ONLY_SINGLE = {
    "sparse": lambda rows, _: tt.FiniteMDP(sp.csr_array(rows.reshape(-1, S)), REWARD, 0.5),
    "mdptoolbox, sparse": lambda rows, _: from_mdptoolbox(
        [sp.csr_array(one) for one in rows.transpose(1, 0, 2)], REWARD, 0.5
    ),
    "quantecon, sparse pairs": lambda rows, _: pairs(rows, sp.csr_matrix),
}
"""SciPy has no sparse matrices of float16."""


def cases():
    for name, way in {**WAYS, **ONLY_SINGLE}.items():
        for kind in FORMATS if name in WAYS else ("float32",):
            yield pytest.param(way, kind, id=f"{name}, {kind}")


@pytest.mark.parametrize(("way", "kind"), [*cases()])
def test_tables_of_single_and_half_precision_are_read_without_a_note(way, kind, tmp_path):
    rows = DRAWN.astype(kind)
    assert np.abs(rows.astype(float).sum(-1) - 1).max() > 1e-8
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mdp = way(rows, tmp_path)
    stored = mdp.transition.toarray().reshape(S, A, S) if mdp.is_sparse else mdp.transition
    wide = rows.astype(float)
    np.testing.assert_allclose(stored, wide / wide.sum(-1, keepdims=True), rtol=1e-12)
    exact = tt.optimal(tt.FiniteMDP(DRAWN, REWARD, 0.5)).value
    np.testing.assert_allclose(tt.optimal(mdp).value, exact, rtol=0, atol=100 * FORMATS[kind])


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("way", ["table", "object", "json"])
def test_what_lost_its_format_is_known_by_its_values(way, kind, tmp_path):
    """Python floats and JSON have no float32: rows whose entries all are float32 numbers are taken for those, with a note."""
    rows = DRAWN.astype(kind)
    wide = rows.astype(float)
    source = {"table": table_of(wide), "object": Table(wide), "json": rows}[way]
    with pytest.warns(tt.RowsRescaled, match=r"transition row \[\d, \d\] sums to .*, off by"):
        mdp = file_of(rows, tmp_path, ".json") if way == "json" else from_gym(source, 0.5)
    np.testing.assert_allclose(mdp.transition, wide / wide.sum(-1, keepdims=True), rtol=1e-12)


def policy_file(rows, tmp_path, suffix):
    path = str(tmp_path / f"policy{suffix}")
    if suffix == ".npy":
        np.save(path, rows)
    else:
        write_fields({"policy": rows}, path)
    return path


POLICIES = {
    "array": lambda rows, _: rows,
    "list of arrays": lambda rows, _: list(rows),
    "table": lambda rows, _: pd.DataFrame(rows),
    "list of series": lambda rows, _: [pd.Series(row) for row in rows],
    ".npy": lambda rows, path: policy_file(rows, path, ".npy"),
    ".npz": lambda rows, path: policy_file(rows, path, ".npz"),
}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("way", POLICIES)
def test_policies_of_single_and_half_precision_are_read(way, kind, tmp_path):
    rows = softmax(REWARD**2 / 30).astype(kind)
    wide = rows.astype(float)
    mdp = tt.FiniteMDP(DRAWN, REWARD, 0.5)
    assert np.abs(wide.sum(-1) - 1).max() > 1e-8
    got = tt.load_policy(POLICIES[way](rows, tmp_path), mdp)
    np.testing.assert_allclose(got, wide / wide.sum(-1, keepdims=True), rtol=1e-14)


def test_a_policy_of_single_precision_on_the_command_line(tmp_path, capsys):
    path = policy_file(np.float32([[1 / 3, 2 / 3], [0.1, 0.9]]), tmp_path, ".npy")
    assert main(["evaluate", "zoo:kakade", "--policy", path, "--json"]) == 0
    out, err = capsys.readouterr()
    assert not err
    assert "expected_return" in json.loads(out)


@pytest.mark.parametrize("kind", FORMATS)
def test_runs_of_single_and_half_precision(kind, tmp_path):
    mdp = tt.FiniteMDP(DRAWN, REWARD, 0.5)
    rows = np.array([softmax(k * REWARD / 5) for k in range(3)]).astype(kind)
    off = np.abs(rows.astype(float).sum(-1) - 1).max()
    for run in (run_of(rows, mdp), record(list(rows), mdp), record([list(row) for row in rows], mdp)):
        np.testing.assert_allclose(run.policies.sum(-1), 1, rtol=1e-14)
        assert run.renormalised == pytest.approx(off)
        tt.io.write_run(run, tmp_path / "run.npz")
        assert tt.io.read_run(tmp_path / "run.npz").renormalised == pytest.approx(off)


@pytest.mark.parametrize(
    ("value", "atol"),
    [
        (np.float32([1]), 1e-5),
        (np.float16([1]), 5e-3),
        (np.longdouble([1]), 1e-8),
        ([[np.float32(1)], [1.0]], 1e-5),
        ([0.5, 0.5], 1e-8),
        (np.array([np.float32(1), 1.0], dtype=object), 1e-5),
        (pd.DataFrame({"a": np.float32([1]), "b": [1.0]}), 1e-5),
        (pd.Series([1.0], dtype="Float32"), 1e-5),
        (None, 1e-8),
    ],
)
def test_the_tolerance_of_a_format(value, atol):
    assert row_sum_atol(value) == atol


@pytest.mark.parametrize(
    ("row", "atol"),
    [
        ([0.333333] * 3, 3e-6),
        ([0.3333] * 3, 3e-4),
        ([0.3] * 3, 3e-4),  # one digit was meant so
        ([0.987654, 1.23456e-05], 1e-5),  # six significant digits
        ([float(np.float32(1 / 3))] * 3, 1e-5),
        ([float(np.float16(1 / 3))] * 3, 1e-3),
        ([1 / 3] * 3, 1e-8),
        ([0.1429] * 7, 7e-4),
        ([0.0001] * 100, 1e-3),
    ],
)
def test_what_the_digits_of_a_row_explain(row, atol):
    assert written_atol(np.array(row)) == pytest.approx(atol)


def test_an_array_of_floats_in_python_is_held_to_float64():
    """Who computes rows can divide them: nothing is guessed of arrays that are passed."""
    with pytest.raises(InvalidInput, match=r"sums to 0.999999 .*within 1e-08"):
        tt.FiniteMDP([[[0.333333] * 3]] * 3, np.zeros(3), 0.5)
