"""The sharp gap over a horizon: closed forms, published bounds above it, and files that certify what they say."""

import itertools
import json
from fractions import Fraction

import numpy as np
import pytest
from cheap import long, sampled

import trpo_theory as tt
from trpo_theory.cli import main

F = Fraction


def two_steps(radius):
    """G_2 at γ = 1: 2 TV_max √(1 − e^(−2D)), TV_max the largest total variation at KL ≤ D.

    Rows (p, 1 − p) against (q, 1 − q) attain it: p on a fine grid, q by bisection.
    """
    p = np.linspace(0.02, 0.98, 48001)
    low, high = np.zeros_like(p), 1 - p
    for _ in range(60):
        step = (low + high) / 2
        with np.errstate(divide="ignore"):
            spent = p * np.log(p / (p + step)) + (1 - p) * np.log((1 - p) / (1 - p - step))
        low, high = np.where(spent <= radius, step, low), np.where(spent <= radius, high, step)
    return 2 * float(low.max()) * np.sqrt(-np.expm1(-2 * radius))


@sampled("radius", [0.001, 0.01, 0.1, 1.0], every=2)
def test_two_steps_have_their_closed_form(radius):
    gap = tt.sharp_gap("max-kl", 1, radius, horizon=2, certify=True)
    assert gap.lower <= two_steps(radius) * (1 + 1e-7)
    assert two_steps(radius) <= gap.upper * (1 + 1e-7)
    assert gap.upper <= 1.0011 * gap.lower


@pytest.mark.parametrize(
    ("horizon", "exact"), [(2, F(1, 4)), (3, F(11, 16)), (5, F(499, 256)), (10, F(1631913, 262144))]
)
def test_f1_attains_the_gap_in_total_variation(horizon, exact):
    """Coupling: 4 α Σ_{t<T} (1 − (1 − α)^t) at α = 1/4, which F1 attains."""
    assert exact == 4 * F(1, 4) * sum(1 - F(3, 4) ** t for t in range(horizon))
    gap = tt.sharp_gap("max-tv", 1, F(1, 4), horizon=horizon, certify=True)
    assert gap.lower <= exact <= gap.upper
    assert gap.upper == pytest.approx(float(exact), rel=1e-6)
    assert gap.lower == pytest.approx(float(exact), rel=1e-6)


def test_ten_steps_are_below_the_published_bounds_and_above_fewer_steps():
    radius = 0.01
    gaps = [tt.sharp_gap("max-kl", 1, radius, horizon=horizon, width=0.01) for horizon in (3, 5, 10)]
    assert all(one.upper < two.lower for one, two in itertools.pairwise(gaps))
    for gap in gaps:
        chain_rule = 2 * radius * np.sqrt(np.arange(gap.horizon)).sum()
        assert 0.75 * chain_rule < gap.lower < gap.upper < chain_rule < radius * gap.horizon * (gap.horizon - 1)
    # coarse lower ends of an independent code
    assert gaps[0].lower > 0.042617
    assert gaps[2].lower > 0.31619


@pytest.mark.whole
def test_a_long_horizon_of_a_discount_is_the_gap_without_one():
    gap, limit = tt.sharp_gap("max-kl", 0.5, 0.01, horizon=60), tt.sharp_gap("max-kl", 0.5, 0.01)
    assert gap.lower <= limit.upper
    assert limit.lower <= gap.upper * (1 + 1e-9)
    assert gap.upper == pytest.approx(limit.upper, rel=1e-3)


def returns(fields, policy, horizon):
    """V of a policy over the horizon, by recursion in rationals, with γ = 1."""
    transition, reward = fields["transition"], fields["reward"]
    value = [F(0)] * len(reward)
    for _ in range(horizon):
        value = [
            sum(p * (r + sum(t * v for t, v in zip(row, value, strict=True))) for p, r, row in zip(*rows, strict=True))
            for rows in zip(policy, reward, transition, strict=True)
        ]
    return value


def test_its_witness_is_evaluated_again_in_plain_rationals(tmp_path):
    gap = tt.sharp_gap("max-kl", 1, F(1, 100), horizon=3, certify=True, width=0.02)
    gap.write(tmp_path / "witness.json")
    written = json.loads((tmp_path / "witness.json").read_text())
    assert written["horizon"] == 3

    def exact(value):
        return [exact(one) for one in value] if isinstance(value, list) else F(str(value))

    fields = {name: exact(written[name]) for name in ("transition", "reward", "old", "new", "initial")}
    old, new = fields["old"], fields["new"]
    # V_old is 0 but for the rewards' rounding, so that A is the reward, and L = Σ_t E_old Ā
    ahead, visits = F(0), fields["initial"]
    expected = [
        sum(q * r for q, r in zip(row, rewards, strict=True))
        for row, rewards in zip(new, fields["reward"], strict=True)
    ]
    for _ in range(3):
        ahead += sum(v * a for v, a in zip(visits, expected, strict=True))
        visits = [
            sum(
                v * p * row[t]
                for v, policy, rows in zip(visits, old, fields["transition"], strict=True)
                for p, row in zip(policy, rows, strict=True)
            )
            for t in range(len(old))
        ]
    eta = sum(v * p for v, p in zip(returns(fields, new, 3), fields["initial"], strict=True))
    assert float(ahead - eta) == pytest.approx(gap.lower, rel=1e-7)


@pytest.mark.parametrize("normaliser", ["max", long("expected")])
def test_files_certify_what_they_say_and_nothing_else(tmp_path, capsys, normaliser):
    lower, upper = tmp_path / "lower.json", tmp_path / "upper.json"
    call = ["sharp", "--divergence", "max-kl", "--gamma", "1", "--radius", "1/100", "--horizon", "4", "--certify"]
    assert main([*call, "--normaliser", normaliser, "--out", str(lower), "--proof", str(upper)]) == 0
    for path, begins in (
        (lower, "there is a finite MDP that ends after 4 steps"),
        (upper, "for every finite MDP that ends after 4"),
    ):
        capsys.readouterr()
        assert main(["certify", str(path), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["theorem"].startswith(begins)
        fields = json.loads(path.read_text())
        changed = tmp_path / "changed.json"
        changed.write_text(json.dumps({**fields, "horizon": 3}))
        assert main(["certify", str(changed)]) != 0
    fields = json.loads(upper.read_text())
    for name in ("w", "price", "mu"):
        steps = json.loads(json.dumps(fields["steps"]))
        steps[2][name] = [0.9 * one for one in steps[2][name]]
        changed.write_text(json.dumps({**fields, "steps": steps}))
        assert main(["certify", str(changed)]) == 3, name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"horizon": 1}, "horizon"),
        ({"horizon": 5000}, "horizon"),
        ({"divergence": "mean-kl"}, "largest divergence"),
        ({"horizon": None}, "gamma"),
    ],
)
def test_bad_input_is_one_message(changes, words):
    arguments = {"divergence": "max-kl", "gamma": 1, "radius": 0.1, "horizon": 3} | changes
    with pytest.raises(tt.InvalidInput, match=words):
        tt.sharp_gap(**arguments)


def test_bounds_over_the_horizon_stand_beside_the_gap():
    radius, steps = F(1, 50), 4
    kl = {row["id"]: row for row in tt.sharp_gap("max-kl", 1, radius, horizon=steps, certify=True).bounds}
    tv = {row["id"]: row for row in tt.sharp_gap("max-tv", 1, radius, horizon=steps, certify=True).bounds}
    missed = sum(1 - (1 - radius) ** t for t in range(steps))
    expected = {
        "horizon/pinsker": radius * steps * (steps - 1),
        "horizon/chain-rule": 2 * float(radius) * sum(t**0.5 for t in range(steps)),
        "trm/pinsker-marginal": 4 / 3 * float(radius) * steps**1.5,
        "horizon/tv": 2 * radius**2 * steps * (steps - 1),
        "horizon/coupling": 4 * radius * missed,
    }
    found = kl | tv
    assert found.keys() == expected.keys()
    for id, penalty in expected.items():
        assert found[id]["penalty"] == pytest.approx(float(penalty), rel=1e-13)
        assert 0.3 < found[id]["ratio"] <= 1
    assert found["horizon/coupling"]["ratio"] == pytest.approx(1, abs=1e-6)  # sharp
    assert tt.sharp_gap("max-kl", 1, radius, "expected", horizon=3).bounds == []


def test_the_command_line_shows_them(capsys):
    assert main(["sharp", "--divergence", "max-tv", "--gamma", "1", "--radius", "1/4", "--horizon", "3"]) == 0
    out = capsys.readouterr().out
    assert "horizon/coupling" in out
    assert "0.6875" in out
