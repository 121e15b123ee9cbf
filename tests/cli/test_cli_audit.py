"""`trpo-theory audit`: the JSON that scripts rely on, the tables and files, exit statuses, and input that is refused."""

import json

import numpy as np
import pandas as pd
import pytest

import trpo_theory as tt
from trpo_theory.cli import main
from trpo_theory.report.audit_figure import audit_figure

SHARED = (0.4, 0.5, 0.7, 0.7)
"""On F6 η = γ p (1 − p): it rises, falls and stays."""


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture
def files(tmp_path):
    mdp = tt.zoo.f6(gamma=0.9).mdp
    policies = np.array([[[p, 1 - p]] * 3 for p in SHARED])
    recorded = tt.io.run_of(policies, mdp, logged={"target_kl": [0.01] * 3}, about={"algorithm": "by hand", "seed": 1})
    tt.io.write_run(recorded, tmp_path / "run.npz")
    np.savez(tmp_path / "bare.npz", policies=policies)
    np.savez(tmp_path / "single.npz", policies=policies.astype(np.float32))
    np.savez(tmp_path / "one.npz", policies=policies[:1])
    np.savez(tmp_path / "flat.npz", policies=policies[0])
    np.savez(tmp_path / "nan.npz", policies=np.full((2, 3, 2), np.nan))
    np.savez(tmp_path / "heavy.npz", policies=np.full((2, 3, 2), 0.6))
    np.savez(tmp_path / "other.npz", policy=policies)
    give_up = np.array([[[0.5, 0.5]] * 3, [[0.0, 1.0]] * 3])
    tt.io.write_run(tt.io.run_of(give_up, mdp), tmp_path / "infinite.npz")
    (tmp_path / "text.npz").write_text("no archive")
    return tmp_path


def test_json_has_the_fields_that_scripts_rely_on(files, capsys):
    status, out, err = run(capsys, "audit", files / "run.npz", "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert found["decreases"] == 1
    assert [update["index"] for update in found["updates"]] == [0, 1, 2]
    names = {"index", "expected_return_old", "expected_return_new", "surrogate", "max_kl", "reverse_max_kl", "mean_kl"}
    assert all(names | {"bounds"} <= update.keys() for update in found["updates"])
    returns = [0.9 * p * (1 - p) for p in SHARED]
    for k, update in enumerate(found["updates"]):
        old, new = SHARED[k : k + 2]
        assert update["expected_return_old"] == pytest.approx(returns[k], rel=1e-12)
        assert update["expected_return_new"] == pytest.approx(returns[k + 1], rel=1e-12)
        assert update["surrogate"] == pytest.approx(returns[k] + 0.9 * (new - old) * (1 - 2 * old), rel=1e-12)
        kl = old * np.log(old / new) + (1 - old) * np.log((1 - old) / (1 - new))
        assert update["mean_kl"] == pytest.approx(kl, rel=1e-10, abs=1e-15)
        assert {bound["id"] for bound in update["bounds"]} == set(tt.bounds.plain())
        assert all(
            bound.keys() == {"id", "penalty", "lower_bound", "slack", "holds", "vacuous"} for bound in update["bounds"]
        )
    assert found["target"] == 0.01
    assert (found["worst_return"], found["best_return"]) == (0.0, pytest.approx(0.9))


def test_bounds_are_those_of_the_verb_bound(files, capsys):
    """One formula, two ways to it: the audit's batch and `bound`'s one instance."""
    mdp = tt.zoo.f6(gamma=0.9).mdp
    tt.io.write_mdp(mdp, files / "mdp.npz")
    for name, p in (("old", SHARED[1]), ("new", SHARED[2])):
        np.save(files / f"{name}.npy", [[p, 1 - p]] * 3)
    _, single, _ = run(
        capsys, "bound", files / "mdp.npz", "--old", files / "old.npy", "--new", files / "new.npy", "--json"
    )
    _, audited, _ = run(capsys, "audit", files / "run.npz", "--json")
    wanted = json.loads(single)["bounds"]
    for bound, mine in zip(wanted, json.loads(audited)["updates"][1]["bounds"], strict=True):
        assert mine["id"] == bound["id"]
        assert mine["holds"] is bound["holds"] is True
        if bound["penalty"] == "inf":
            assert (mine["penalty"], mine["lower_bound"], mine["vacuous"]) == ("inf", "-inf", True)
        else:
            assert mine["penalty"] == pytest.approx(bound["penalty"], rel=1e-11)
            assert mine["slack"] == pytest.approx(bound["slack"], rel=1e-11)
            assert mine["vacuous"] is (bound["lower_bound"] < 0)


def test_an_infinite_divergence_is_strict_json(files, capsys):
    status, out, _ = run(capsys, "audit", files / "infinite.npz", "--json")

    def refuse(constant):
        raise AssertionError(constant)

    update = json.loads(out, parse_constant=refuse)["updates"][0]
    assert status == 0
    assert update["max_kl"] == update["mean_kl"] == "inf"
    assert update["reverse_max_kl"] == pytest.approx(np.log(2))


def test_the_mdp_and_its_discount_can_come_from_outside(files, capsys):
    status, out, err = run(capsys, "audit", files / "bare.npz", "--mdp", "zoo:f6", "--gamma", "9/10", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["updates"][0]["expected_return_old"] == pytest.approx(0.216)
    _, out, _ = run(capsys, "audit", files / "run.npz", "--gamma", "1/2", "--json")
    assert json.loads(out)["updates"][0]["expected_return_old"] == pytest.approx(0.12)


def test_a_person_gets_a_summary_the_bounds_and_the_worst_updates(files, capsys):
    status, out, err = run(capsys, "audit", files / "run.npz", "--target", "0.02")
    assert (status, err) == (0, "")
    assert "3 updates, 3 states, gamma 0.9" in out
    assert "updates that lowered eta" in out
    assert "-0.036" in out
    assert "0.02" in out
    assert "trpo/kl" in out
    assert "--hold-idle" in out  # the end of F6 is where no action matters
    assert "--json" in out
    worst = out[out.index("largest decrease of eta") :].splitlines()
    assert worst[4].split()[0] == "1"
    assert "--hold-idle" not in run(capsys, "audit", files / "run.npz", "--hold-idle")[1]


def test_rows_that_were_mended_are_a_note(files, capsys):
    status, out, err = run(capsys, "audit", files / "single.npz", "--mdp", "zoo:f6", "--json")
    assert status == 0
    assert err.startswith("note: rows of the policies were up to ")
    assert 1e-9 < json.loads(out)["renormalised"] < 1e-6


@pytest.mark.slow
def test_out_has_every_table_format_and_the_figure(files, capsys):
    status, out, _ = run(capsys, "audit", files / "run.npz", "--out", files / "tables")
    assert status == 0
    assert str(files / "tables") in out
    written = {path.name for path in (files / "tables").iterdir()}
    stems = ("audit", "audit-summary", "audit-bounds")
    assert written == {f"{stem}.{kind}" for stem in stems for kind in ("csv", "md", "tex", "html")} | {
        "audit.pdf",
        "audit.png",
    }
    frame = pd.read_csv(files / "tables" / "audit.csv")
    audit = tt.audit(tt.io.read_run(files / "run.npz"))
    assert frame["expected_return_new"].tolist() == audit.expected_return_new.tolist()
    assert (files / "tables" / "audit.pdf").read_bytes().startswith(b"%PDF")
    assert (files / "tables" / "audit.png").read_bytes().startswith(b"\x89PNG")
    assert "| trpo/kl" in (files / "tables" / "audit-bounds.md").read_text()


def test_a_bound_that_fails_is_status_1(files, capsys, monkeypatch):
    free = tt.bounds.Bound("free", lambda q: 0.0 * q.max_kl, r"\eta \ge L - penalty", "nowhere: L itself")
    monkeypatch.setattr(tt.bounds, "check_all", lambda q: [free.check(q)])
    status, out, _ = run(capsys, "audit", files / "run.npz", "--json")
    assert (status, json.loads(out)["failures"]) == (1, 2)
    assert run(capsys, "audit", files / "run.npz")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        (("missing.npz",), "missing.npz"),
        (("text.npz",), "text.npz"),
        (("bare.npz",), "policies without an MDP"),
        (("other.npz", "--mdp", "zoo:f6"), "no policies"),
        (("one.npz", "--mdp", "zoo:f6"), "a run with one policy"),
        (("flat.npz", "--mdp", "zoo:f6"), "a run with one policy"),
        (("nan.npz", "--mdp", "zoo:f6"), "nan in policies"),
        (("heavy.npz", "--mdp", "zoo:f6"), "sums to 1.2"),
        (("bare.npz", "--mdp", "zoo:forest"), "policies of shape (4, 3, 2)"),
        (("bare.npz", "--mdp", "zoo:nowhere"), "nowhere"),
        (("run.npz", "--gamma", "1"), "gamma = 1"),
        (("run.npz", "--gamma", "x"), "gamma = 'x'"),
        (("run.npz", "--target", "-1"), "target = -1"),
        (("run.npz", "--target", "much"), "--target = 'much'"),
        (("run.npz", "--out", "FILES/text.npz"), "the output directory"),
        ((), "missing argument"),
    ],
)
def test_bad_input_is_one_message_and_leaves_nothing_behind(arguments, got, files, capsys):
    before = sorted(path.name for path in files.iterdir())
    arguments = [argument.replace("FILES", str(files)) for argument in arguments]
    if arguments:
        arguments[0] = str(files / arguments[0])
    if got == "policies of shape (4, 3, 2)":  # forest has 3 states and 2 actions too: one more is needed
        arguments[2] = "zoo:forest?states=4"
    status, out, err = run(capsys, "audit", *arguments)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert got in err
    assert "; wanted " in err
    assert "; fix: " in err
    assert sorted(path.name for path in files.iterdir()) == before


def test_the_figure_shows_the_runs_own_numbers():
    """Lines are read back from the axes: η at every policy, the surrogate, the divergence and the bounds asked for."""
    policies = [[[p, 1 - p]] * 3 for p in SHARED]
    audit = tt.audit(tt.zoo.f6(gamma=0.9).mdp, policies, target=0.01)
    figure = audit_figure(audit, shown=("trpo/tv", "coupling/tv"))
    returns, divergences, lower = figure.axes
    lines = [{str(line.get_label()): line for line in axes.lines} for axes in (returns, divergences, lower)]
    assert list(lines[0]["η of the policy"].get_ydata()) == pytest.approx([0.9 * p * (1 - p) for p in SHARED])
    assert list(lines[0]["η fell (1 of 3)"].get_xdata()) == [2]
    assert list(lines[0]["η of the best policy"].get_ydata()) == pytest.approx([0.9, 0.9])
    assert list(lines[1]["target 0.01"].get_ydata()) == [0.01, 0.01]
    forward = lines[1]["mean KL(old‖new),\nwhere actions matter"].get_ydata()
    assert forward[0] == pytest.approx(0.4 * np.log(0.8) + 0.6 * np.log(1.2))
    assert np.isnan(forward[2])  # no step: nothing that a logarithmic axis can show
    assert list(lines[2]["trpo/tv"].get_ydata()) == audit.bounds["trpo/tv"].lower_bound.tolist()
    assert "trpo/kl" not in lines[2]
    assert divergences.get_yscale() == "log"
    assert lower.get_yscale() == "symlog"
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "discounted return",
        "KL of an update (nats)",
        "lower bound (discounted return)",
    ]
    assert lower.get_xlabel() == "updates done"
    with pytest.raises(tt.InvalidInput, match="did you mean"):
        audit_figure(audit, shown=("trpo/klx",))
