"""The command line: JSON contracts, tables, exit statuses, and forty kinds of bad input."""

import json
import subprocess
import sys
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.sparse as sp
from exact import step_on

import trpo_theory as tt
from trpo_theory.cli import main


def run(capsys, *arguments):
    """Exit status, stdout and stderr of one call."""
    status = main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture
def files(tmp_path):
    """A directory of inputs, good and bad."""
    mdp = tt.zoo.forest()
    tt.io.write_mdp(mdp, tmp_path / "forest.npz")
    tt.io.write_mdp(mdp, tmp_path / "forest.json")
    good = json.loads((tmp_path / "forest.json").read_text())

    def variant(name, **changes):
        (tmp_path / name).write_text(json.dumps({**good, **changes}))

    heavy, negative = np.array(good["transition"], dtype=float), np.array(good["transition"], dtype=float)
    heavy[0, 0, 0] += 0.01
    negative[0, 0, :2] += [-0.2, 0.2]
    variant("heavy.json", transition=heavy.tolist())
    variant("negative.json", transition=negative.tolist())
    variant("ragged.json", transition=[[[1, 0], [1]], [[1, 0], [0, 1]]])
    variant("shape.json", transition=[[1, 0], [0, 1]])
    variant("reward.json", reward=[[1, 2]])
    variant("gamma-one.json", gamma=1)
    variant("gamma-large.json", gamma=1.5)
    variant("gamma-word.json", gamma="x")
    variant("zero-denominator.json", gamma="1/0")
    variant("initial.json", initial=[1, 1, 1])
    variant("rational.json", gamma="9/10", initial=["1/3", "1/3", "1/3"])
    (tmp_path / "no-gamma.json").write_text(json.dumps({k: v for k, v in good.items() if k != "gamma"}))
    (tmp_path / "keys.json").write_text(json.dumps({"transitions": good["transition"], "reward": good["reward"]}))
    (tmp_path / "list.json").write_text("[1, 2]")
    (tmp_path / "nan.json").write_text(json.dumps({**good, "reward": [[float("nan")] * 2] * 3}))
    (tmp_path / "infinite.json").write_text(json.dumps({**good, "reward": [[float("inf")] * 2] * 3}))
    (tmp_path / "broken.json").write_text('{"transition": [[')
    (tmp_path / "binary.json").write_bytes(bytes(range(256)))
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "truncated.npz").write_bytes((tmp_path / "forest.npz").read_bytes()[:300])
    (tmp_path / "text.npz").write_text("not a zip")
    np.savez(tmp_path / "pickled.npz", transition=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "keys.npz", P=np.ones((1, 1, 1)), R=np.ones((1, 1)))
    (tmp_path / "mdp.txt").write_text("?")
    (tmp_path / "bad.csv").write_text("a,b,c\n1,2,3\n")
    (tmp_path / "bad.POMDP").write_text("discount: 0.9\nstates: 2\nactions: 1\nT: 0 : 0\n0.5 0.6\n")
    sparse = tt.FiniteMDP(sp.csr_array(mdp.transition.reshape(6, 3)), mdp.reward, mdp.gamma, mdp.initial)
    tt.io.write_mdp(sparse, tmp_path / "sparse.npz")
    np.save(tmp_path / "uniform.npy", np.full((3, 2), 0.5))
    np.save(tmp_path / "other.npy", np.full((4, 2), 0.5))
    np.save(tmp_path / "transposed.npy", np.full((2, 3), 1 / 3))
    np.save(tmp_path / "nan.npy", np.full((3, 2), np.nan))
    np.save(tmp_path / "heavy.npy", np.full((3, 2), 0.6))
    np.savez(tmp_path / "keys-policy.npz", pi=np.full((3, 2), 0.5))
    (tmp_path / "policy.json").write_text('{"policy": [["1/2", "1/2"], [0, 1], [1, 0]]}')
    return tmp_path


BAD = [
    ("evaluate", "FILES/heavy.json"),
    ("evaluate", "FILES/negative.json"),
    ("evaluate", "FILES/ragged.json"),
    ("evaluate", "FILES/shape.json"),
    ("evaluate", "FILES/reward.json"),
    ("evaluate", "FILES/gamma-one.json"),
    ("evaluate", "FILES/gamma-large.json"),
    ("evaluate", "FILES/gamma-word.json"),
    ("evaluate", "FILES/zero-denominator.json"),
    ("evaluate", "FILES/initial.json"),
    ("evaluate", "FILES/no-gamma.json"),
    ("evaluate", "FILES/keys.json"),
    ("evaluate", "FILES/list.json"),
    ("evaluate", "FILES/nan.json"),
    ("evaluate", "FILES/infinite.json"),
    ("evaluate", "FILES/broken.json"),
    ("evaluate", "FILES/binary.json"),
    ("evaluate", "FILES/empty.json"),
    ("evaluate", "FILES/empty.npz"),
    ("evaluate", "FILES/truncated.npz"),
    ("evaluate", "FILES/text.npz"),
    ("evaluate", "FILES/pickled.npz"),
    ("evaluate", "FILES/keys.npz"),
    ("evaluate", "FILES/mdp.txt"),
    ("evaluate", "FILES/bad.csv", "--gamma", "0.9"),
    ("evaluate", "FILES/bad.POMDP"),
    ("evaluate", "FILES/missing.npz"),
    ("evaluate", "FILES"),
    ("evaluate", "gym:FrozenLake-v1"),
    ("evaluate", "gym:FrozenLak-v1", "--gamma", "0.9"),
    ("evaluate", "gym:Blackjack-v1", "--gamma", "0.9"),
    ("evaluate", "gym:Taxi-v4?fickle_passenger=true", "--gamma", "0.9"),
    ("evaluate", "gym:FrozenLake-v1?colour=red", "--gamma", "0.9"),
    ("evaluate", "gym:FrozenLake-v1?is_slippery", "--gamma", "0.9"),
    ("evaluate", "gym:", "--gamma", "0.9"),
    ("evaluate", "zoo:f9", "--gamma", "0.9"),
    ("evaluate", "zoo:f1?y=1", "--gamma", "0.9"),
    ("evaluate", "zoo:f1?x=a", "--gamma", "0.9"),
    ("evaluate", "zoo:forest", "--gamma", "1"),
    ("evaluate", "zoo:forest", "--gamma", "1.5"),
    ("evaluate", "zoo:forest", "--gamma", "-0.1"),
    ("evaluate", "zoo:forest", "--gamma", "x"),
    ("evaluate", "zoo:forest", "--gamma", "nan"),
    ("evaluate", "zoo:forest", "--gamma", "1e999"),
    ("evaluate", "zoo:forest", "--policy", "unifrom"),
    ("evaluate", "zoo:forest", "--policy", "old"),
    ("evaluate", "zoo:forest", "--policy", "FILES/other.npy"),
    ("evaluate", "zoo:forest", "--policy", "FILES/transposed.npy"),
    ("evaluate", "zoo:forest", "--policy", "FILES/nan.npy"),
    ("evaluate", "zoo:forest", "--policy", "FILES/heavy.npy"),
    ("evaluate", "zoo:forest", "--policy", "FILES/keys-policy.npz"),
    ("evaluate", "zoo:forest", "--policy", "FILES/missing.npy"),
    ("evaluate", "zoo:forest", "--policy", "FILES/mdp.txt"),
    ("bound", "zoo:forest", "--old", "uniform"),
    ("bound", "zoo:forest", "--old", "uniform", "--new", "FILES/other.npy"),
    ("bound", "zoo:walk?n=600", "--old", "old", "--new", "new", "--certify"),
    ("bound", "FILES/sparse.npz", "--old", "uniform", "--new", "optimal", "--certify"),
    ("evaluate",),
    ("evaluate", "zoo:forest", "--polcy", "uniform"),
    ("evaluat", "zoo:forest"),
]


@pytest.mark.parametrize("arguments", BAD, ids=" ".join)
def test_bad_input_is_one_message_and_status_2(capsys, files, arguments):
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    status, out, err = run(capsys, *(argument.replace("FILES", str(files)) for argument in arguments), "--json")
    assert status == 2, (out, err)
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("trpo-theory: got ")
    for word in ("wanted", "fix: "):
        assert word in err
    assert "Traceback" not in err
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before


def test_evaluate_json(capsys, files):
    status, out, err = run(capsys, "evaluate", str(files / "rational.json"), "--policy", "optimal", "--json")
    fields = json.loads(out)
    assert (status, err) == (0, "")
    assert set(fields) == {"expected_return", "states", "actions", "gamma", "value", "criterion", "horizon"}
    assert fields["value"] == pytest.approx([26.244, 29.484, 33.484], abs=1e-12)
    assert fields["expected_return"] == pytest.approx((26.244 + 29.484 + 33.484) / 3, abs=1e-12)
    assert (fields["states"], fields["actions"], fields["gamma"]) == (3, 2, 0.9)


def test_gamma_overrides_the_files(capsys, files):
    for gamma in ("0.5", "1/2"):
        status, out, _ = run(capsys, "evaluate", str(files / "forest.npz"), "--gamma", gamma, "--json")
        assert status == 0
        assert json.loads(out)["gamma"] == 0.5


def test_bound_json_on_f1(capsys):
    status, out, err = run(capsys, "bound", "zoo:f1?x=1/4", "--gamma", "1/2", "--old", "old", "--new", "new", "--json")
    fields = json.loads(out)
    assert (status, err) == (0, "")
    assert set(fields) == {
        *("expected_return_old", "expected_return_new", "surrogate", "max_kl", "reverse_max_kl", "mean_kl"),
        *("max_tv", "reverse_max_chi2", "max_abs_advantage", "rms_advantage", "bounds"),
    }
    assert fields["expected_return_new"] - fields["surrogate"] == pytest.approx(-0.4, abs=1e-14)
    assert fields["max_tv"] == 0.25
    assert fields["reverse_max_kl"] == "inf"  # old never takes a3: strict JSON has no infinity
    by_id = {bound["id"]: bound for bound in fields["bounds"]}
    assert set(by_id) == set(tt.bounds.plain())
    assert by_id["coupling/tv"]["penalty"] == pytest.approx(0.4, rel=1e-14)
    assert by_id["coupling/tv"]["slack"] == pytest.approx(0, abs=1e-15)
    assert all(set(bound) == {"id", "penalty", "lower_bound", "slack", "holds"} for bound in fields["bounds"])
    assert all(bound["holds"] is True for bound in fields["bounds"])


def test_bound_counts_the_bounds_that_certify_the_step(capsys):
    """F1 has an action that matters in each state that is visited: the lower bounds of JSON are what is promised."""
    step = ("bound", "zoo:f1?x=1/4", "--gamma", "1/2", "--old", "old", "--new", "new")
    fields = json.loads(run(capsys, *step, "--json")[1])
    promises = [float(row["lower_bound"]) - fields["expected_return_old"] for row in fields["bounds"]]
    last = run(capsys, *step)[1].splitlines()[-1]
    assert last.startswith(f"certified by {sum(one > 1e-9 for one in promises)} of {len(promises)} bounds; ")
    assert float(last.split(">=")[1]) == pytest.approx(max(promises), rel=1e-5)


def test_a_failed_bound_is_status_1(capsys, monkeypatch):
    wrong = tt.bounds.Bound("wrong", lambda q: 0 * q.max_tv, r"\eta \ge L", "nobody")
    monkeypatch.setattr(tt.bounds, "catalogue", {"wrong": wrong})
    arguments = ("bound", "zoo:f1", "--gamma", "1/2", "--old", "old", "--new", "new")
    assert run(capsys, *arguments)[0] == 1
    assert json.loads(run(capsys, *arguments, "--json")[1])["bounds"][0]["holds"] is False


def test_what_says_nothing_is_not_said_to_hold(capsys):
    """On F1 the reverse KL is infinite."""
    arguments = ("bound", "zoo:f1", "--gamma", "1/2", "--old", "old", "--new", "new")
    for option in ((), ("--certify",)):
        status, out, _ = run(capsys, *arguments, *option)
        lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
        assert status == 0
        assert lines["pinsker/reverse-kl"].split()[1:] == ["inf", "-inf", "inf", "says", "nothing"]
        assert lines["coupling/tv"].split()[-1] == ("proved" if option else "yes")


CERTIFY = ("bound", "zoo:f1?x=1/4", "--gamma", "1/2", "--old", "old", "--new", "new", "--certify")


def test_certify_json_on_f1(capsys):
    """The closed forms: a gap of -2/5, alpha = 1/4, eps = 1, so that the slack of coupling/tv is 0 exactly."""
    status, out, err = run(capsys, *CERTIFY, "--json")
    fields = json.loads(out)
    assert (status, err) == (0, "")
    rows = {row["id"]: row for row in fields["bounds"]}
    assert set(rows) == set(tt.bounds.plain())
    assert all(set(row) == {"id", "penalty", "lower_bound", "slack", "holds", "enclosure"} for row in rows.values())
    assert all(row["holds"] is True for row in rows.values())
    for bound, slack in {"coupling/tv": "0", "trpo/tv": "1/10", "kakade-langford": "4/15"}.items():
        assert rows[bound]["enclosure"] == slack
        assert rows[bound]["slack"] == float(Fraction(slack))
    assert rows["pinsker/reverse-kl"]["enclosure"] == rows["pinsker/reverse-kl"]["penalty"] == "inf"


def test_certify_agrees_with_exact_rationals_where_actions_are_unavailable(capsys, tmp_path):
    """Everything is dyadic, so that the oracle's rows are the ones that are proved about."""
    rng = np.random.default_rng(5)
    available = np.array([[True, True, True], [True, False, True], [False, True, True]])
    transition = np.array([[rng.multinomial(16, np.ones(3) / 3) for _ in range(3)] for _ in range(3)]) / 16
    mdp = tt.FiniteMDP(transition, rng.integers(-8, 9, (3, 3)) / 4, 0.875, [0.5, 0.25, 0.25], available=available)
    old = np.array([[0.5, 0.25, 0.25], [0.5, 0, 0.5], [0, 0.75, 0.25]])
    new = np.array([[0.25, 0.25, 0.5], [0.75, 0, 0.25], [0, 0.5, 0.5]])
    tt.io.write_mdp(mdp, tmp_path / "mdp.npz")
    np.save(tmp_path / "old.npy", old)
    np.save(tmp_path / "new.npy", new)
    policies = ("--old", str(tmp_path / "old.npy"), "--new", str(tmp_path / "new.npy"))
    status, out, _ = run(capsys, "bound", str(tmp_path / "mdp.npz"), *policies, "--certify", "--json")
    assert status == 0
    step = step_on(mdp, old, new)
    with mpmath.workdps(40):
        gap, eps = (mpmath.mpf(int(x.p)) / int(x.q) for x in (step.surrogate_gap, abs(step.advantage).max()))
        logs = [
            sum(p * mpmath.log(p / q) for p, q in zip(*rows, strict=True) if p) for rows in zip(old, new, strict=True)
        ]
        gamma, alpha = mpmath.mpf("0.875"), mpmath.mpf("0.25")
        slacks = {
            "trpo/tv": gap + 4 * eps * gamma / (1 - gamma) ** 2 * alpha**2,
            "coupling/tv": gap + 4 * eps * gamma * alpha**2 / ((1 - gamma) * (1 - gamma * (1 - alpha))),
            "trpo/kl": gap + 4 * eps * gamma / (1 - gamma) ** 2 * max(logs),
        }
        for row in json.loads(out)["bounds"]:
            assert row["holds"] is True
            if row["id"] in slacks:
                slack = slacks.pop(row["id"])
                lower, upper = (mpmath.mpf(end) for end in row["enclosure"].strip("[]").split(", "))
                assert lower < slack < upper
                assert upper - lower < 1e-8 * slack
                assert row["slack"] == pytest.approx(float(slack), rel=1e-14)
    assert not slacks


def test_certify_refutes_what_floats_cannot_tell(capsys, monkeypatch):
    """coupling/tv less 1e-30 is false on F1, where coupling/tv is attained."""
    true = tt.bounds["coupling/tv"]
    wrong = tt.bounds.Bound("wrong", lambda q: true.formula(q) - 1e-30, r"\eta \ge L", "nobody")
    monkeypatch.setattr(tt.bounds, "catalogue", {"wrong": wrong})
    assert run(capsys, *CERTIFY[:-1])[0] == 0
    status, out, _ = run(capsys, *CERTIFY)
    assert status == 1
    assert out.split()[-1] == "REFUTED"
    row = json.loads(run(capsys, *CERTIFY, "--json")[1])["bounds"][0]
    assert (row["holds"], row["slack"], row["lower_bound"]) == (False, -1e-30, 0.6)


def test_what_balls_leave_open_is_undecided(capsys, monkeypatch):
    """A slack of log 2 + log 3 - log 6 is 0, but no precision tells; a bound that is refuted beside it counts more."""
    tie = tt.bounds.Bound(
        "tie",
        lambda q: q.log(2 + 0 * q.max_tv) + q.log(3 + 0 * q.max_tv) - q.log(6 + 0 * q.max_tv) - q.surrogate_gap,
        r"\eta \ge L - penalty",
        "",
    )
    wrong = tt.bounds.Bound("wrong", lambda q: 0 * q.max_tv, r"\eta \ge L", "nobody")
    monkeypatch.setattr(tt.bounds, "catalogue", {"tie": tie})
    status, out, _ = run(capsys, *CERTIFY)
    assert status == 3
    assert out.split()[-1] == "undecided"
    assert json.loads(run(capsys, *CERTIFY, "--json")[1])["bounds"][0]["holds"] is None
    monkeypatch.setattr(tt.bounds, "catalogue", {"tie": tie, "wrong": wrong})
    status, out, _ = run(capsys, *CERTIFY, "--json")
    assert status == 1
    assert [row["holds"] for row in json.loads(out)["bounds"]] == [None, False]


def test_certified_numbers_are_right_where_a_step_is_tiny(capsys, tmp_path):
    """64 bits prove the bound, but of the KL of a step of 2^-24 they give four digits.

    The oracle: pinsker/kl is to trpo/tv as max-KL to 2 max-TV^2.
    """
    f1 = tt.zoo.f1(gamma=0.5, x=0.25)
    old, step = np.array(f1.new), 2.0**-24
    new = old.copy()
    old[0], new[0] = (0.25, 0.75, 0), (0.25 + step, 0.75 - step, 0)
    tt.io.write_mdp(f1.mdp, tmp_path / "f1.npz")
    np.save(tmp_path / "old.npy", old)
    np.save(tmp_path / "new.npy", new)
    policies = ("--old", str(tmp_path / "old.npy"), "--new", str(tmp_path / "new.npy"))
    status, out, _ = run(capsys, "bound", str(tmp_path / "f1.npz"), *policies, "--certify", "--json")
    penalty = {row["id"]: row["penalty"] for row in json.loads(out)["bounds"]}
    assert status == 0
    with mpmath.workdps(60):
        pairs = [(p, q) for p, q in zip(old.ravel(), new.ravel(), strict=True) if p != q]
        assert len(pairs) == 2
        kl = sum(mpmath.mpf(p) * mpmath.log(mpmath.mpf(p) / mpmath.mpf(q)) for p, q in pairs)
        ratio = float(kl / (2 * mpmath.mpf(step) ** 2))
    assert penalty["pinsker/kl"] / penalty["trpo/tv"] == pytest.approx(ratio, rel=1e-14)


@pytest.mark.slow
def test_bounds_too_costly_to_prove_are_left_out_with_a_note(capsys):
    arguments = (
        "bound",
        "zoo:walk?n=32&x=1/4",
        "--gamma",
        "1/2",
        "--old",
        "old",
        "--new",
        "new",
        "--certify",
        "--json",
    )
    status, out, err = run(capsys, *arguments)
    assert status == 0
    ids = {row["id"] for row in json.loads(out)["bounds"]}
    left_out = set(err.strip().partition(": left out for more than 64 states: ")[2].split(", "))
    assert left_out == {"mixing/mean-tv", "mixing/tv", "mixing/kl", "chi2/floor"}
    assert ids == set(tt.bounds.plain()) - left_out


def test_tables_are_readable(capsys):
    status, out, err = run(capsys, "evaluate", "gym:FrozenLake-v1", "--gamma", "0.99", "--policy", "optimal")
    assert status == 0
    assert "expected return of optimal: 0.542025" in out
    assert "time limit of FrozenLake-v1, 100 steps" in err
    status, out, _ = run(capsys, "evaluate", "gym:Taxi-v4", "--gamma", "0.9")
    assert "(480 more states: --json has them all)" in out
    status, out, _ = run(capsys, "bound", "zoo:f1", "--gamma", "0.5", "--old", "old", "--new", "new")
    assert status == 0
    assert "coupling/tv" in out


def test_policies_from_files(capsys, files):
    for name in ("uniform.npy", "policy.json"):
        status, out, _ = run(capsys, "evaluate", str(files / "forest.json"), "--policy", str(files / name), "--json")
        assert status == 0
        assert np.isfinite(json.loads(out)["expected_return"])


def test_numerical_failure_is_status_3(capsys, monkeypatch):
    def fail(*_, **__):
        raise tt.NotSolved("got a residual; wanted none; fix: nothing")

    monkeypatch.setattr("trpo_theory.solve.evaluation.evaluate", fail)
    status, out, err = run(capsys, "evaluate", "zoo:forest", "--gamma", "0.9")
    assert (status, out) == (3, "")
    assert err.startswith("trpo-theory: got a residual")


@pytest.mark.parametrize("verb", ["evaluate", "bound"])
def test_the_example_in_each_help_works(capsys, verb):
    import shlex

    status, out, _ = run(capsys, verb, "--help")
    assert status == 0
    text = " ".join(out.split("Example:")[1].split())
    example = shlex.split(text)
    assert example[0] == "trpo-theory"
    assert run(capsys, *example[1:])[0] == 0


@pytest.mark.slow
def test_it_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "trpo_theory.cli", "evaluate", "zoo:forest", "--json"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["states"] == 3


def test_sharp_names_its_files_as_they_are(tmp_path, capsys):
    """A path in square brackets is no markup, and a wrong suffix is mended with the file's own name."""
    command = ["sharp", "--divergence", "max-tv", "--gamma", "1/2", "--radius", "1/4", "--proof"]
    assert main([*command, str(tmp_path / "up.txt")]) == 2
    said = capsys.readouterr().err
    assert "for a proof; wanted" in said
    assert "fix: name it up.json" in said
    assert main([*command, str(tmp_path / "[up].json")]) == 0
    assert "[up].json" in capsys.readouterr().out.replace("\n", "")
    assert (tmp_path / "[up].json").exists()
