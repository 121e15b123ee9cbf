"""The first experiment: its rows against the definitions, its verdict, its files, the same bytes twice."""

import numpy as np
import pandas as pd
import pytest

import trpo_theory as tt
from experiments import lower_bound
from experiments.__main__ import main

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
            assert row[f"{bound} value"] + row[f"{bound} slack"] == pytest.approx(returns[1], abs=1e-9)
            assert row[f"{bound} slack"] >= 0


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
    assert not lower_bound.passed(frame)
    assert "2 FAIL" in lower_bound.summary(frame)


def test_unknown_names_are_refused(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["lower-bond"])
    assert exit_.value.code == 2
    assert "wanted one of lower-bound" in capsys.readouterr().err
