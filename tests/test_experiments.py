"""The first experiment: its rows against the definitions, its verdict, its files, the same bytes twice."""

import numpy as np
import pandas as pd
import pytest

import trpo_theory as tt
from experiments import lower_bound
from experiments.__main__ import main
from experiments.benchmarks import foundation

FEW = lower_bound.Settings(environments=(("Lake", "gym:FrozenLake-v1"),), gammas=(0.9,), steps=(0.1, -0.5))


def test_rows_follow_from_the_definitions():
    frame = lower_bound.run(FEW)
    mdp = tt.load("gym:FrozenLake-v1", gamma=0.9)
    uniform, optimal = np.full((16, 4), 0.25), np.array(tt.optimal(mdp).policy)
    old = 0.5 * uniform + 0.5 * optimal
    for row, new in zip(frame.to_dict("records"), (0.9 * old + 0.1 * optimal, 0.5 * old + 0.5 * uniform), strict=True):
        returns = []
        for policy in (old, new):
            value = np.zeros(16)
            for _ in range(600):
                value = (policy * (mdp.reward + 0.9 * mdp.transition @ value)).sum(1)
            returns.append(value[0])
        assert row["expected_return_old"] == pytest.approx(returns[0], abs=1e-12)
        assert row["expected_return_new"] == pytest.approx(returns[1], abs=1e-12)
        assert row["max_kl"] == pytest.approx((old * np.log(old / new)).sum(1).max(), rel=1e-12)
        for bound in tt.bounds:
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
    """Of the bounds 3 are too costly where 48 states are many, and 2 have hypotheses that this environment does not meet."""
    monkeypatch.setattr(tt.bounds, "_SMALL", 47)
    settings = lower_bound.Settings(environments=(("Cliff", "gym:CliffWalking-v1"),), gammas=(0.9,), steps=(0.1,))
    frame = lower_bound.run(settings)
    assert not frame.isna().to_numpy().any()
    costly = {bound for bound in tt.bounds if bound.startswith("mixing/")}
    # It pays -1 a step, so that Q >= 0 fails; the optimal policy is not greedy for the advantage of the mixture.
    silent = {"pirotta/q", "kakade-langford/greedy"}
    for bound in tt.bounds:
        expected = "not run" if bound in costly else "says nothing" if bound in silent else "holds"
        assert frame[f"{bound} verdict"][0] == expected
    summary = lower_bound.summary(frame)
    assert f"{len(tt.bounds) - 5} bounds checked on 1 environments: all hold." in summary
    assert "2 that say nothing" in summary
    assert "3 not run" in summary
    assert lower_bound.passed(frame)


def test_tables_show_seven_bounds_and_no_nan():
    (table,) = lower_bound.tables(lower_bound.run(FEW)).values()
    assert list(table.frame)[6:] == list(lower_bound.SHOWN)
    assert "nan" not in table.to_markdown() + table.to_latex() + table.to_csv()


def test_settings_cover_six_environments_and_three_gammas():
    settings = lower_bound.Settings()
    assert len({name for name, _ in settings.environments}) >= 6
    assert len(settings.gammas) >= 3


def test_same_settings_give_the_same_bytes(tmp_path, capsys):
    for directory in ("a", "b"):
        assert main(["lower-bound", "--quick", "--out", str(tmp_path / directory)]) == 0
    out = capsys.readouterr().out
    assert "all hold" in out
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("a", "b"))
    assert first == second
    assert len([name for name in first if name.endswith(".tex")]) == 7
    frame = pd.read_csv(tmp_path / "a" / "lower-bound.csv")
    assert frame["environment"].nunique() == 7


def test_a_bound_that_fails_is_told(monkeypatch, capsys, tmp_path):
    wrong = tt.bounds.Bound("wrong/0", lambda q: -1.0 + 0 * q.max_tv, r"\eta \ge L + 1", "nobody")
    monkeypatch.setattr(tt.bounds, "catalogue", {"wrong/0": wrong})
    frame = lower_bound.run(FEW)
    assert lower_bound.passed(frame) is False
    assert "2 bounds checked on 1 environments: 2 FAIL" in lower_bound.summary(frame)


def test_unknown_names_are_refused(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["lower-bond"])
    assert exit_.value.code == 2
    assert "wanted one of lower-bound" in capsys.readouterr().err


def test_the_benchmarks_two_sides_agree():
    """The plain loop, which is written by hand, is the oracle of the batch."""
    what, _, _, difference = foundation.batch_against_loop(np.random.default_rng(1), 40)
    assert "7 bounds" in what
    assert difference < 1e-9


def test_the_screen_that_is_timed_covers_the_true_bounds_in_maxima():
    """By their statements: those that speak of max-KL, forward, or of max-TV, and of no mean over states."""
    maxima = (r"D_{\mathrm{KL}}^{\max}(\pi,\tilde\pi)", r"\alpha", r"\max_s\|\tilde\pi_s - \pi_s\|_1")
    expected = {
        bound.id
        for bound in tt.bounds.catalogue.values()
        if any(name in bound.statement for name in maxima) and r"\mathbb{E}" not in bound.statement
    }
    assert set(foundation._SCREENED_WITH_MIXING) == expected
    assert "of 13 max-KL and max-TV bounds" in foundation.screen_pace(
        np.random.default_rng(2), foundation._SCREENED_WITH_MIXING, 40
    )
