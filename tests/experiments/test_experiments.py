"""The experiments: rows against the definitions, verdicts, files, the same bytes twice, and going on after an interruption."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from inspect import signature
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import trpo_theory as tt
from experiments import __main__ as command
from experiments import catalogue, curves, errata, framework, lower_bound, pictures, report
from experiments.__main__ import main
from experiments.benchmarks import foundation
from experiments.contract import Experiment
from trpo_theory.report import Table

ROOT = Path(__file__).parent.parent.parent
FEW = lower_bound.Settings(environments=(("Lake", "gym:FrozenLake-v1"),), gammas=(0.9,), steps=(0.1, -0.5))


def returns_of(mdp, policy, gamma, sweeps=600):
    value = np.zeros(mdp.states)
    for _ in range(sweeps):
        value = (policy * (mdp.reward + gamma * mdp.transition @ value)).sum(1)
    return mdp.initial @ value


def test_rows_follow_from_the_definitions():
    frame = lower_bound.run(FEW)[""]
    mdp = tt.load("gym:FrozenLake-v1", gamma=0.9)
    uniform, optimal = np.full((16, 4), 0.25), np.array(tt.optimal(mdp).policy)
    old = 0.5 * uniform + 0.5 * optimal
    for row, new in zip(frame.to_dict("records"), (0.9 * old + 0.1 * optimal, 0.5 * old + 0.5 * uniform), strict=True):
        returns = [returns_of(mdp, policy, 0.9) for policy in (old, new)]
        assert row["expected_return_old"] == pytest.approx(returns[0], abs=1e-12)
        assert row["expected_return_new"] == pytest.approx(returns[1], abs=1e-12)
        assert row["max_kl"] == pytest.approx((old * np.log(old / new)).sum(1).max(), rel=1e-12)
        for bound in tt.bounds.plain():
            if row[f"{bound} verdict"] == "says nothing":
                assert (row[f"{bound} value"], row[f"{bound} slack"]) == (-np.inf, np.inf)
                continue
            assert row[f"{bound} verdict"] == "holds"
            assert row[f"{bound} value"] + row[f"{bound} slack"] == pytest.approx(returns[1], abs=1e-9)
            assert row[f"{bound} slack"] >= 0
    assert list(frame["kakade-langford/greedy verdict"]) == [
        "holds",
        "says nothing",
    ]  # the uniform policy is not greedy


def test_the_last_line_counts_what_was_checked_and_what_was_not(monkeypatch):
    """Of the bounds 4 are too costly where 48 states are many, and 2 have hypotheses that this environment does not meet."""
    monkeypatch.setattr(tt.bounds, "_MANY_STATES", 47)
    settings = lower_bound.Settings(environments=(("Cliff", "gym:CliffWalking-v1"),), gammas=(0.9,), steps=(0.1,))
    frames = lower_bound.run(settings)
    frame = frames[""]
    assert not frame.isna().to_numpy().any()
    costly = {"chi2/floor", *(bound for bound in tt.bounds if bound.startswith("mixing/"))}
    # It pays -1 a step, so that Q >= 0 fails; the optimal policy is not greedy for the advantage of the mixture.
    silent = {"pirotta/q", "kakade-langford/greedy"}
    for bound in tt.bounds.plain():
        expected = "not run" if bound in costly else "says nothing" if bound in silent else "holds"
        assert frame[f"{bound} verdict"][0] == expected
    summary = lower_bound.summary(frames)
    assert f"{len(tt.bounds.plain()) - 6} bounds checked on 1 environments: all hold." in summary
    assert "2 that say nothing" in summary
    assert "4 not run" in summary
    assert lower_bound.passed(frames)


def test_tables_show_seven_bounds_and_no_nan():
    steps, bounds = lower_bound.tables(lower_bound.run(FEW)).values()
    assert list(steps.frame)[6:] == list(lower_bound.SHOWN)
    assert "nan" not in steps.to_markdown() + steps.to_latex() + steps.to_csv()
    assert list(bounds.frame["bound"]) == list(tt.bounds.plain())


def test_the_share_of_a_penalty_that_is_used_is_one_where_a_bound_is_attained():
    """F1 attains coupling/tv, whose penalty is then L - eta(new), by 4 e g x^2 / ((1-g)(1-g(1-x)))."""
    family = tt.zoo.f1(gamma=0.5, x=0.25)
    row = {"environment": "F1", **lower_bound._row(tt.compare(family.mdp, family.old, family.new))}
    used = lower_bound.by_bound(pd.DataFrame([row])).set_index("bound")["most_used"]
    gap = 4 * 0.5 * 0.25**2 / (0.5 * (1 - 0.5 * 0.75))
    assert used["coupling/tv"] == pytest.approx(1, rel=1e-12)
    assert used["trpo/tv"] == pytest.approx(gap / (4 * 0.5 / 0.25 * 0.25**2), rel=1e-12)


def test_settings_cover_six_environments_and_three_gammas():
    settings = lower_bound.Settings()
    assert len({name for name, _ in settings.environments}) >= 6
    assert len(settings.gammas) >= 3


@pytest.mark.whole
@pytest.mark.slow
def test_same_settings_give_the_same_bytes(tmp_path, capsys):
    for directory in ("a", "b"):
        place = framework.Place(lower_bound, tmp_path / directory)
        place.run(FEW)
        place.present(place.frames())
        assert main(["pictures", "--quick", "--out", str(tmp_path / directory)]) == 0
    assert str(tmp_path / "b" / "index.html") in capsys.readouterr().out.replace("\n", "")
    files = [{p.relative_to(tmp_path / d): p.read_bytes() for p in (tmp_path / d).rglob("*.*")} for d in ("a", "b")]
    assert len([path for path in files[0] if path.suffix == ".tex"]) == 2 + 1
    assert {path.suffix for path in files[0]} == {".tex", ".md", ".csv", ".html", ".json", ".pdf", ".png", ".svg"}
    for path, content in files[0].items():
        if path.name != "manifest.json":  # it has the seconds
            assert content == files[1][path], path
    frame = framework.read_frame(tmp_path / "a" / "lower-bound" / "data" / "lower-bound.csv")
    assert frame.equals(lower_bound.run(FEW)[""])


def test_a_bound_that_fails_is_told(monkeypatch):
    wrong = tt.bounds.Bound("wrong/0", lambda q: -1.0 + 0 * q.max_tv, r"\eta \ge L + 1", "nobody")
    monkeypatch.setattr(tt.bounds, "catalogue", {"wrong/0": wrong})
    frames = lower_bound.run(FEW)
    assert lower_bound.passed(frames) is False
    assert "2 bounds checked on 1 environments: 2 FAIL" in lower_bound.summary(frames)


def test_unknown_names_are_refused(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["lower-bond"])
    assert exit_.value.code == 2
    message = capsys.readouterr().err
    assert "wanted one of lower-bound" in message
    assert "did you mean lower-bound?" in message


def test_a_file_for_a_directory_is_one_message(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    assert main(["pictures", "--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"


@dataclass(frozen=True)
class ToySettings:
    scale: float = 0.1
    rows: int = 3


def toy(runs, *, error=None, holds=True):
    """An experiment of a few lines that counts its runs."""

    def run(settings, advance=lambda: None):
        runs.append(settings)
        if error:
            raise error
        frame = pd.DataFrame(
            {
                "x": [settings.scale * k for k in range(settings.rows)],
                "text": ["", "a,b", 'say "b"'][: settings.rows],
                "hole": [np.nan, np.inf, -0.0][: settings.rows],
                "flag": [True, False, True][: settings.rows],
            }
        )
        return {"": frame, "timing": pd.DataFrame({"seconds": [time.perf_counter()]})}

    module = ModuleType("toy")
    module.__file__ = __file__
    parts = {
        **{"NAME": "toy", "TITLE": "A toy", "LEAD": "It has $x$.", "Settings": ToySettings, "run": run},
        **{"quick": lambda settings: replace(settings, rows=2), "total": lambda settings: 1},
        **{"tables": lambda frames: {"toy": Table(frames[""], "A caption.", "tab:toy")}, "figures": lambda frames: {}},
        **{"captions": dict, "summary": lambda frames: f"{len(frames[''])} rows.", "passed": lambda frames: holds},
    }
    for name, part in parts.items():
        setattr(module, name, part)
    return module


@pytest.fixture
def one(monkeypatch):
    """Makes a toy the only experiment."""

    def only(**options):
        runs = []
        module = toy(runs, **options)
        for room in (framework, command, report):
            monkeypatch.setattr(room, "registry", lambda: {"toy": module})
        return runs

    return only


def test_what_is_finished_is_presented_again_without_running(one, tmp_path, capsys):
    runs, out = one(), ["--out", str(tmp_path)]
    assert main(out) == 0
    first = (tmp_path / "toy" / "data" / "toy.csv").read_bytes()
    (tmp_path / "toy" / "toy.md").unlink()
    assert main(out) == 0
    assert len(runs) == 1
    assert (tmp_path / "toy" / "toy.md").exists()
    assert "finished already" in capsys.readouterr().err
    assert main([*out, "--fresh"]) == 0
    assert len(runs) == 2
    assert (tmp_path / "toy" / "data" / "toy.csv").read_bytes() == first
    assert main([*out, "--quick"]) == 0
    assert [settings.rows for settings in runs] == [3, 3, 2]
    manifest = json.loads((tmp_path / "toy" / "data" / "manifest.json").read_text())
    assert manifest["settings"] == {"scale": 0.1, "rows": 2}
    assert {name: file["timing"] for name, file in manifest["frames"].items()} == {"": False, "timing": True}


@pytest.mark.parametrize("damage", ["changed", "missing", "other code", "no manifest"])
def test_what_is_damaged_or_of_other_code_is_run_again(damage, one, tmp_path, monkeypatch):
    runs, out = one(), ["--out", str(tmp_path)]
    assert main(out) == 0
    data = tmp_path / "toy" / "data"
    if damage == "changed":
        (data / "toy.csv").write_text("x\n1\n")
    elif damage == "missing":
        (data / "toy-timing.csv").unlink()
    elif damage == "no manifest":
        (data / "manifest.json").write_text('{"frames": [')
    else:
        monkeypatch.setattr(framework, "code_of", lambda experiment: "other")
    assert main(out) == 0
    assert len(runs) == 2


def test_a_frame_is_read_as_it_was_written(one, tmp_path):
    one()
    assert main(["--out", str(tmp_path)]) == 0
    frame = framework.read_frame(tmp_path / "toy" / "data" / "toy.csv")
    assert list(frame["x"]) == [0.0, 0.1, 0.2]
    assert list(frame["text"]) == ["", "a,b", 'say "b"']
    assert str(frame["hole"].tolist()) == "[nan, inf, -0.0]"
    assert list(frame["flag"]) == [True, False, True]


def test_a_check_that_fails_and_bad_input_have_their_exit_status(one, tmp_path, capsys):
    one(holds=False)
    assert main(["--out", str(tmp_path / "a")]) == 1
    assert "A check failed: toy." in capsys.readouterr().out
    one(error=tt.InvalidInput(got="a", wanted="b", fix="c"))
    assert main(["--out", str(tmp_path / "b")]) == 2
    assert capsys.readouterr().err.strip() == "experiments: got a; wanted b; fix: c"
    assert not list((tmp_path / "b").rglob("*.*"))


def test_an_interruption_is_one_line_and_leaves_nothing_half_written(one, tmp_path, capsys):
    one(error=KeyboardInterrupt())
    assert main(["--out", str(tmp_path)]) == 130
    message = capsys.readouterr().err
    assert "interrupted" in message
    assert "the same command goes on" in message
    assert not list(tmp_path.rglob("*.*"))


HALTS = """
import pathlib, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit that it is ignored
from experiments import curves
from experiments.__main__ import main
def halts(*_):
    pathlib.Path(sys.argv[-1], "here").touch()
    time.sleep(60)
curves.run = halts
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.whole
@pytest.mark.slow
def test_ctrl_c_ends_the_program_without_a_traceback(tmp_path):
    run = subprocess.Popen(
        [sys.executable, "-c", HALTS, "pictures", "curves", "--quick", "--out", str(tmp_path)],
        **{"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True},
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "here").exists() and time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 130, errors
    assert "Traceback" not in errors
    assert errors.strip().splitlines()[-1].startswith("experiments: interrupted; what is finished is in")
    assert (tmp_path / "pictures" / "data" / "manifest.json").exists()
    assert not (tmp_path / "curves" / "data" / "manifest.json").exists()


def test_the_page_has_a_section_for_what_is_finished(one, tmp_path):
    one()
    assert main(["--out", str(tmp_path), "--quick"]) == 0
    page = (tmp_path / "index.html").read_text()
    assert '<a href="#toy">A toy</a>' in page
    assert "2 rows." in page
    assert "a short run" in page


def test_parts_of_a_wide_table_have_each_column_once_but_the_first():
    table = Table(pd.DataFrame({f"column {k}": [1.5 * k] for k in range(14)}), "c", "tab:c")
    parts = command.parts(table, 60)
    assert len(parts) > 1
    assert [column for part in parts for column in part[1:]] == list(range(1, 14))
    assert {part[0] for part in parts} == {0}


def test_every_experiment_keeps_the_contract():
    assert set(framework.registry()) >= {"lower-bound", "catalogue", "curves", "errata", "pictures"}
    for name, experiment in framework.registry().items():
        assert isinstance(experiment, Experiment), name
        for part in ("quick", "total", "run", "tables", "figures", "captions", "summary", "passed"):
            wanted = [*signature(getattr(Experiment, part)).parameters][1:]
            assert [*signature(getattr(experiment, part)).parameters] == wanted, (name, part)
        assert name == experiment.NAME == name.lower().replace("_", "-")
        assert experiment.TITLE
        assert experiment.Settings.__dataclass_params__.frozen
        settings = experiment.Settings()
        assert hash(settings) == hash(experiment.Settings())
        assert type(experiment.quick(settings)) is type(settings)
        assert experiment.total(experiment.quick(settings)) >= 1


def test_an_experiment_is_found_by_listing_and_refused_if_incomplete(monkeypatch, tmp_path):
    (tmp_path / "half_done.py").write_text('NAME = "half-done"\nTITLE = "Half"\n')
    (tmp_path / "helper.py").write_text('"""No experiment."""\n')
    import experiments

    monkeypatch.setattr(framework, "_ROOT", tmp_path)
    monkeypatch.setattr(experiments, "__path__", [str(tmp_path)])
    with pytest.raises(TypeError, match=r"got experiments/half_done without LEAD, Settings, quick, .*passed; wanted"):
        framework.registry.__wrapped__()
    sys.modules.pop("experiments.half_done", None)


@pytest.mark.parametrize(
    ("size", "short"),
    [("2 states, 3 actions, denominators to 10", "2 × 3, 10"), ("1 state, 1 action, integers", "1 × 1, 1"), ("", "")],
)
def test_the_size_of_a_witness_in_a_narrow_column(size, short):
    assert catalogue._short(size) == short


@pytest.mark.slow
def test_the_page_of_the_catalogue_is_made_from_its_files_alone(tmp_path):
    settings = catalogue.Settings(claims=("errata/eta-with-advantage", "id/flow"), instances=50, jobs=1)
    place = framework.Place(catalogue, tmp_path)
    place.run(settings)
    rows = {row.id: row for row in catalogue.claim_rows(place.frames())}
    assert (rows["id/flow"].verdict, rows["id/flow"].expected, rows["id/flow"].witness) == ("proved", True, None)
    assert " states, " in rows["id/flow"].searched
    told = rows["errata/eta-with-advantage"]
    assert (told.verdict, told.expected) == ("refuted", False)
    assert told.witness["claim"] == told.id
    frames = place.frames()
    assert catalogue.passed(frames)
    assert catalogue.summary(frames).startswith("2 claims: 1 refuted")
    frames[""].loc[0, "as_expected"] = False
    assert not catalogue.passed(frames)
    assert "1 NOT as expected" in catalogue.summary(frames)
    assert "id/flow" in catalogue.tables(place.frames())["catalogue-identities"].to_markdown()


def test_every_erratum_is_of_the_catalogue_and_beside_it_stands_a_true_claim():
    for one in errata.ERRATA:
        assert tt.claims.get(one.claim).expected in (False, "open"), one
        assert tt.claims.get(one.holds).expected is True, one
    assert len({one.claim for one in errata.ERRATA}) == len(errata.ERRATA)


@pytest.mark.slow
def test_the_slack_beside_an_erratum_is_that_of_the_witness():
    """trpo/tv is trpo/tv-2 with twice its penalty: from eta(new) - L and one penalty the slacks of both, in fractions."""
    frames = errata.run(errata.Settings(claims=("trpo/tv-2",), instances=200, jobs=1))
    row, witness = frames[""].iloc[0], json.loads(frames["witnesses"].iloc[0]["content"])
    q = tt.compare(
        tt.FiniteMDP(*(_floats(witness[name]) for name in ("transition", "reward", "gamma", "initial"))),
        *(np.array(_floats(witness[name])) for name in ("old", "new")),
    )
    gap = float(q.expected_return_new - q.surrogate)
    assert float(Fraction(row["holds_slack"])) - gap == pytest.approx(
        2 * (float(Fraction(row["slack"])) - gap), rel=1e-9
    )
    assert float(Fraction(row["slack"])) < 0 <= float(Fraction(row["holds_slack"]))
    assert errata.passed(frames)


def _floats(value):
    return [_floats(entry) for entry in value] if isinstance(value, list) else float(Fraction(str(value)))


def test_curves_rise_and_keep_their_promise():
    settings = curves.Settings(environments=(("swim", "zoo:river-swim"),), bounds=("chain-rule/kl",), updates=3)
    frames = curves.run(settings)
    frame = frames[""]
    assert list(frame["method"].unique()) == [
        *("(11) chain-rule/kl", "(12) δ = 0.01", "(13) δ = 0.01", "policy iteration"),
    ]
    mdp = tt.load("zoo:river-swim", gamma=0.9)
    step = tt.update(mdp, tt.uniform(mdp.available), tt.Penalty(bound="chain-rule/kl"))
    first = frame.iloc[0]
    assert first["expected_return"] == pytest.approx(returns_of(mdp, step.policy, 0.9), rel=1e-9)
    assert frames["returns"]["first_return"][0] == pytest.approx(
        returns_of(mdp, tt.uniform(mdp.available), 0.9), rel=1e-9
    )
    assert (frame.loc[frame["method"].str.startswith("(12)"), "max_kl"] <= 0.01 * (1 + 1e-9)).all()
    assert curves.passed(frames)
    fallen = frame.copy()
    fallen.loc[1, "expected_return"] = fallen.loc[0, "expected_return"] - 1e-6
    assert not curves.passed({**frames, "": fallen})
    promised = frame.copy()
    promised.loc[0, "promised"] = promised.loc[0, "expected_return"] + 1e-6
    assert not curves.passed({**frames, "": promised})


def test_pictures_check_themselves():
    frames = pictures.run(pictures.Settings(updates=2))
    assert pictures.passed(frames)
    square = frames["square"].copy()
    square.loc[1, "max_kl"] *= 1.01
    assert not pictures.passed({**frames, "square": square})
    row = frames["square"].iloc[1]
    new, old = row[["new_0", "new_1"]].to_numpy(float), row[["old_0", "old_1"]].to_numpy(float)
    kl = old * np.log(old / new) + (1 - old) * np.log((1 - old) / (1 - new))
    assert kl.max() == pytest.approx(0.05, rel=1e-9)
    assert row["max_kl"] == pytest.approx(kl.max(), rel=1e-9)


def test_the_benchmarks_two_sides_agree():
    """The plain loop, which is written by hand, is the oracle of the batch."""
    what, _, _, difference = foundation.batch_against_loop(np.random.default_rng(1), 40)
    assert "7 bounds" in what
    assert difference < 1e-9


def test_the_screen_that_is_timed_covers_the_true_bounds_in_maxima():
    """By their statements: those that speak of max-KL, forward, or of max-TV, and of no mean over states or actions."""
    maxima = (r"D_{\mathrm{KL}}^{\max}(\pi,\tilde\pi)", r"\alpha", r"\max_s\|\tilde\pi_s - \pi_s\|_1")
    expected = {
        bound.id
        for bound in tt.bounds.plain().values()
        if any(name in bound.statement for name in maxima)
        and not any(mean in bound.statement for mean in (r"\mathbb{E}", r"\mathrm{rms}"))
    }
    assert set(foundation._SCREENED_WITH_MIXING) == expected
    assert "of 13 max-KL and max-TV bounds" in foundation.screen_pace(
        np.random.default_rng(2), foundation._SCREENED_WITH_MIXING, 40
    )
