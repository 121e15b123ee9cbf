"""Rows that were rounded to few digits: divided by their sums with a note, refused if strict, and exactly so in proofs."""

import json
import warnings
from fractions import Fraction

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.cli import main
from trpo_theory.errors import InvalidInput
from trpo_theory.io import from_gym, from_mdptoolbox, from_triplets, read_mdp
from trpo_theory.loading.sources import exact_step, open_source

THIRD = "0.333333"
RIGHT = 1 / (1 - 0.9 / 3)
"""V of state 0, which earns 1 and returns with probability 1/3, else ends, at γ = 0.9."""
HEAD = "discount: 0.9\nvalues: reward\nstates: 3\nactions: 1\nstart: 0\n"
POMDP = HEAD + f"T: 0\n{THIRD} {THIRD} {THIRD}\n0 1 0\n0 0 1\nR: 0 : 0 : * 1\n"
CSV = (
    "state,action,successor,probability,reward\n"
    + "".join(f"0,0,{t},{THIRD},1\n" for t in range(3))
    + "1,0,1,1,0\n2,0,2,1,0\n"
)
JSON = (
    '{"transition": [[[%s]], [[0, 1, 0]], [[0, 0, 1]]], "reward": [[1], [0], [0]], "gamma": 0.9, "initial": [1, 0, 0]}'
)
ROWS = np.array([[[float(THIRD)] * 3], [[0, 1, 0]], [[0, 0, 1]]])


def written(tmp_path, suffix):
    path = tmp_path / f"thirds{suffix}"
    if suffix == ".npz":
        np.savez(path, transition=ROWS, reward=[[1.0], [0], [0]], gamma=0.9, initial=[1.0, 0, 0])
    else:
        path.write_text({".POMDP": POMDP, ".MDP": POMDP, ".csv": CSV, ".json": JSON % ", ".join([THIRD] * 3)}[suffix])
    return path


SUFFIXES = [".POMDP", ".MDP", ".csv", ".json", ".npz"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_with_six_digits(tmp_path, suffix):
    path = written(tmp_path, suffix)
    with pytest.warns(tt.RowsRescaled, match=rf"row \[0, 0\] sums to 0.999999, off by 1e-06 .*thirds{suffix}"):
        mdp = tt.load(path, gamma=0.9)
    assert tt.optimal(mdp).value[0] == pytest.approx(RIGHT, rel=1e-14)
    with pytest.raises(InvalidInput, match=r"sums to 0.999999 .*fix: leave out strict"):
        tt.load(path, gamma=0.9, strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", tt.RowsRescaled)
        with pytest.raises(tt.RowsRescaled):
            tt.load(path, gamma=0.9)


@pytest.mark.parametrize("suffix", [".POMDP", ".json", ".npz"])
def test_an_initial_distribution_of_four_digits(tmp_path, suffix):
    """It is one row, whose sum has no axes."""
    path = tmp_path / f"start{suffix}"
    if suffix == ".npz":
        np.savez(path, transition=np.eye(3)[:, None], reward=[[1.0], [2], [6]], gamma=0.9, initial=[0.3333] * 3)
    elif suffix == ".json":
        path.write_text(
            '{"transition": [[[1,0,0]],[[0,1,0]],[[0,0,1]]], "reward": [[1],[2],[6]], "gamma": 0.9, '
            '"initial": [0.3333, 0.3333, 0.3333]}'
        )
    else:
        head = HEAD.replace("start: 0", "start: 0.3333 0.3333 0.3333")
        path.write_text(head + "T: 0 identity\nR: 0 : 0 : * 1\nR: 0 : 1 : * 2\nR: 0 : 2 : * 6\n")
    with pytest.warns(tt.RowsRescaled, match=r"sums to 0.9999, off by 0.0001"):
        mdp = tt.load(path)
    assert tt.evaluate(mdp, np.ones((3, 1))).expected_return == pytest.approx(3 / 0.1, rel=1e-14)
    with pytest.raises(InvalidInput, match=r"sums to 0.9999.*fix: leave out strict"):
        tt.load(path, strict=True)


@pytest.mark.parametrize("suffix", [".POMDP", ".csv", ".json"])
def test_a_proof_is_about_the_decimals_over_their_sum(tmp_path, suffix):
    with pytest.warns(tt.RowsRescaled):
        exact = open_source(written(tmp_path, suffix), gamma=0.9).exact
    assert [Fraction(x) for x in exact["transition"][0][0]] == [Fraction(1, 3)] * 3


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_command_line_says_so_and_refuses_if_strict(tmp_path, suffix, capsys):
    path = str(written(tmp_path, suffix))
    assert main(["evaluate", path, "--gamma", "0.9", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["value"][0] == pytest.approx(RIGHT, rel=1e-14)
    assert err.count("note: transition row [0, 0] sums to 0.999999, off by 1e-06") == 1
    assert "Warning" not in err
    assert main(["evaluate", path, "--gamma", "0.9", "--json", "--strict"]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert "sums to 0.999999" in err
    assert main(["evaluate", "zoo:kakade", "--json", "--strict"]) == 0


def test_uneven_decimals_are_exact_in_a_proof(tmp_path):
    path = tmp_path / "uneven.POMDP"
    path.write_text(POMDP.replace(f"{THIRD} {THIRD} {THIRD}", "0.142857 0.285714 0.571428"))
    with pytest.warns(tt.RowsRescaled):
        row = open_source(path).exact["transition"][0][0]
    assert row == [Fraction(k, 7) for k in (1, 2, 4)]


def test_exact_bounds_of_six_digits_are_those_of_thirds(tmp_path, capsys):
    """bound --certify of a file with 0.333333 has the enclosures of the file with "1/3", to the last digit."""
    found = []
    for third in ('"1/3"', THIRD):
        fields = {"old": [[0.5, 0.5]] * 3, "new": [[0.25, 0.75]] * 3}
        text = JSON % ", ".join([third] * 3)
        text = text.replace(
            "]], [[0, 1, 0]], [[0, 0, 1]]]", "], [0, 1, 0]], [[0, 1, 0], [1, 0, 0]], [[0, 0, 1], [1, 0, 0]]]"
        )
        text = text.replace('"reward": [[1], [0], [0]]', '"reward": [[1, 0.5], [0, 2], [0, 1]]')
        path = tmp_path / "two.json"
        path.write_text(text[:-1] + "".join(f', "{name}": {json.dumps(rows)}' for name, rows in fields.items()) + "}")
        assert main(["bound", str(path), "--old", "old", "--new", "new", "--certify", "--json"]) == 0
        found.append({row["id"]: row["enclosure"] for row in json.loads(capsys.readouterr().out)["bounds"]})
    assert found[0] == found[1]


@pytest.mark.parametrize("form", ["list", "file"])
def test_policies_with_four_digits(tmp_path, form, capsys):
    mdp = tt.FiniteMDP(np.ones((1, 3, 1)), [[1.0, 2.0, 3.0]], 0.5)
    rows = [[0.3333, 0.3333, 0.3333]]
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(rows))
    if form == "list":
        with pytest.raises(InvalidInput, match=r"sums to 0.9999 .*within 1e-08"):
            tt.load_policy(rows, mdp)
        return
    with pytest.warns(tt.RowsRescaled, match=r"policy .*sums to 0.9999, off by 0.0001 \(state 0\)"):
        policy = tt.load_policy(path, mdp)
    assert tt.evaluate(mdp, policy).expected_return == pytest.approx(4.0, rel=1e-14)
    with pytest.raises(InvalidInput, match="leave out strict"):
        tt.load_policy(path, mdp, strict=True)
    exact = exact_step(open_source(mdp), old=str(path))
    assert exact["old"] == [[Fraction(1, 3)] * 3]


@pytest.mark.parametrize(
    ("row", "good"),
    [
        (["0.33333"] * 3, True),
        (["0.3333"] * 3, True),
        (["0.16667"] * 6, True),
        (["0.142857"] * 7, True),
        (["3.33333e-01"] * 3, True),
        (["0.987654", "1.23456e-02"], True),  # off by 4e-7
        (["0.333"] * 3, False),
        (["0.5", "0.49"], False),
        (["0.9", "0.0995"], True),  # four digits, off by 5e-4: more than two roundings
        (["0.99", "0.02"], False),
    ],
)
def test_how_much_digits_explain(tmp_path, row, good):
    n = len(row)
    text = f"discount: 0.5\nvalues: reward\nstates: {n}\nactions: 1\nT: 0 identity\nT: 0 : 0\n{' '.join(row)}\nR: 0 : 0 : * 1\n"
    path = tmp_path / "row.POMDP"
    path.write_text(text)
    total = sum(map(Fraction, row))
    if row == ["0.9", "0.0995"]:
        good = False
    if good:
        with pytest.warns(tt.RowsRescaled):
            value = tt.optimal(tt.load(path)).value[0]
        assert value == pytest.approx(float(1 / (1 - Fraction(row[0]) / total / 2)), rel=1e-13)
    else:
        with pytest.raises(InvalidInput, match=r"transition row \[0, 0\] that sums to"):
            tt.load(path)


def test_what_other_libraries_hold_may_be_written_too():
    with pytest.warns(tt.RowsRescaled):
        mdp = from_mdptoolbox(ROWS.transpose(1, 0, 2), np.array([[1.0], [0], [0]]), 0.9)
    assert tt.optimal(mdp).value[0] == pytest.approx(RIGHT, rel=1e-14)
    table = {s: {0: [(p, t, float(s == 0), False) for t, p in enumerate(ROWS[s, 0])]} for s in range(3)}
    with pytest.warns(tt.RowsRescaled):
        mdp = from_gym(table, 0.9)
    assert tt.optimal(mdp).value[0] == pytest.approx(RIGHT, rel=1e-14)
    with pytest.warns(tt.RowsRescaled):
        mdp = from_triplets([0, 0, 0, 1, 2], [0] * 5, [0, 1, 2, 1, 2], [*ROWS[0, 0], 1, 1], [1, 1, 1, 0, 0], 0.9)
    assert tt.optimal(mdp).value[0] == pytest.approx(RIGHT, rel=1e-14)


def test_many_rows_are_one_note(tmp_path):
    path = tmp_path / "many.npz"
    np.savez(path, transition=np.full((3, 2, 3), 0.333333), reward=np.ones(3), gamma=0.5, initial=np.full(3, 0.333333))
    with pytest.warns(tt.RowsRescaled) as said:
        mdp = read_mdp(path)
    assert len(said) == 2  # transition and initial
    assert "the furthest of 6 rows" in str(said[0].message)
    assert tt.optimal(mdp).value == pytest.approx(2.0, rel=1e-14)


# --- tiny negatives ------------------------------------------------------------------------------------------------

TINY = 1 - 0.9 - 0.1  # -2.8e-17


@pytest.mark.parametrize(
    "suffix", [".json", ".npz", "array", "sparse", "table", "triplets", "mdptoolbox", "policy", "initial"]
)
def test_a_sign_may_be_off_by_rounding(tmp_path, suffix):
    import scipy.sparse as sp

    rows = np.array([[[0.9, 0.1, TINY]], [[0, 1, 0]], [[0, 0, 1]]])
    reward = [[1.0], [0], [0]]
    if suffix == ".json":
        path = tmp_path / "tiny.json"
        path.write_text(json.dumps({"transition": rows.tolist(), "reward": reward, "gamma": 0.9, "initial": [1, 0, 0]}))
        source = open_source(path)
        mdp = source.mdp
        assert source.exact["transition"][0][0] == [Fraction(9, 10), Fraction(1, 10), 0]
    elif suffix == ".npz":
        np.savez(tmp_path / "tiny.npz", transition=rows, reward=reward, gamma=0.9, initial=[1, 0, 0])
        mdp = tt.load(tmp_path / "tiny.npz")
    elif suffix == "table":
        mdp = from_gym(
            {s: {0: [(p, t, float(s == 0), False) for t, p in enumerate(rows[s, 0])]} for s in range(3)}, 0.9
        )
    elif suffix == "triplets":
        state, _, successor = (x.ravel() for x in np.indices(rows.shape))
        mdp = from_triplets(state, 0 * state, successor, rows.ravel(), (state == 0).astype(float), 0.9)
    elif suffix == "mdptoolbox":
        mdp = from_mdptoolbox(rows.transpose(1, 0, 2), reward, 0.9)
    elif suffix == "policy":
        mdp = tt.FiniteMDP(np.ones((1, 3, 1)), [[1.0, 2.0, 3.0]], 0.5)
        assert tt.evaluate(mdp, [[0.9, 0.1, TINY]]).expected_return == pytest.approx(2.2, rel=1e-14)
        return
    elif suffix == "initial":
        mdp = tt.FiniteMDP(np.ones((3, 1, 3)) / 3, np.zeros(3), 0.9, [0.9, 0.1, TINY])
        assert mdp.initial.tolist() == [0.9, 0.1, 0]
        return
    else:
        mdp = tt.FiniteMDP(sp.csr_array(rows[:, 0]) if suffix == "sparse" else rows, reward, 0.9)
    assert tt.optimal(mdp).value[0] == pytest.approx(1 / (1 - 0.81), rel=1e-14)
    assert (mdp.transition.toarray() if mdp.is_sparse else mdp.transition).min() == 0


def test_a_negative_entry_beyond_rounding_is_told_or_refused():
    with pytest.warns(tt.RowsRescaled, match=r"1 negative entries of transition, the least -1e-10, set to 0"):
        mdp = tt.FiniteMDP([[[1 + 1e-10, -1e-10]], [[0, 1]]], [[1.0], [0]], 0.5)
    assert mdp.transition[0, 0].tolist() == [1, 0]
    for negative in (-1e-7, -0.01, -1.0):
        with pytest.raises(InvalidInput, match=r"transition\[0, 0, 1\] = .*none negative"):
            tt.FiniteMDP([[[1 - negative, negative]], [[0, 1]]], [[1.0], [0]], 0.5)


def test_exact_rationals_are_held_to_their_signs():
    from trpo_theory.numerics.ball import rationals

    with pytest.raises(InvalidInput, match="none negative"):
        rationals.rows(rationals.fractions([["10/9", "-1/9"]], "old"), "old")
