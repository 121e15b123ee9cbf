"""Experiments 3, 4, 6 and 10: their numbers against closed forms, finite differences and other libraries."""

import importlib
import io
import math
import sys
import types
from dataclasses import replace

import mpmath
import numpy as np
import pandas as pd
import pytest
from cheap import sampled
from scipy.optimize import brentq, minimize_scalar

import trpo_theory as tt
from experiments import safe_steps, scaling, step_sizes, updates
from experiments.benchmarks import peers
from experiments.benchmarks.updates import surrogate
from experiments.step_sizes.gradient import Sampler, exact_gradient

LAKE = ("FrozenLake 4x4", "gym:FrozenLake-v1")
TWO = ("two states", "zoo:kakade")
SMALL = {
    "updates": (
        updates,
        updates.Settings(
            mdps=(TWO,), steps=3, conic=("CLARABEL",), conic_gammas=(0.1, 1e-4), sizes=(5, 7), conic_most=5, repeats=1
        ),
    ),
    "safe-steps": (safe_steps, safe_steps.Settings(environments=(LAKE,), bounds=safe_steps.Settings.linear, cap=5)),
    "step-sizes": (
        step_sizes,
        replace(step_sizes.Settings(), cases=step_sizes.Settings().cases[:3], iterations=8, episodes=(5,), seeds=3),
    ),
    "scaling": (
        scaling,
        scaling.Settings(batch=50, screened=(20,), dense=10, sparse=(500,), sizes=(5, 10), conic_most=5),
    ),
}


@pytest.fixture(scope="module")
def ran():
    return {name: module.run(settings) for name, (module, settings) in SMALL.items()}


def value_of(mdp, policy):
    """V and the return by np.linalg.solve."""
    p, r = np.einsum("sa,sat->st", policy, mdp.transition), (policy * mdp.reward).sum(1)
    value = np.linalg.solve(np.eye(mdp.states) - float(mdp.gamma) * p, r)
    return value, float(mdp.initial @ value)


def softmax(theta):
    weight = np.exp(theta)
    return weight / weight.sum(-1, keepdims=True)


def differences(mdp, group, theta, h=1e-5):
    """Central differences of the return in every logit."""
    out = np.zeros(theta.shape)
    for place in np.ndindex(theta.shape):
        up, down = theta.copy(), theta.copy()
        up[place] += h
        down[place] -= h
        out[place] = (value_of(mdp, softmax(up)[group])[1] - value_of(mdp, softmax(down)[group])[1]) / (2 * h)
    return out


# What every experiment owes the framework


@pytest.mark.slow
@sampled("name", SMALL, every=4, start=1)
def test_the_contract(name, ran):
    module, settings = SMALL[name]
    assert name == module.NAME
    calls = []
    again = module.run(settings, lambda: calls.append(1))
    assert len(calls) == module.total(settings)
    for key, frame in ran[name].items():
        assert key.endswith("timing") or frame.to_csv() == again[key].to_csv()
        assert key.endswith("timing") or not any("second" in column for column in frame)
    assert module.passed(again)
    assert type(module.quick(module.Settings())) is module.Settings


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_all_is_presented_from_the_files(name, ran):
    module, _ = SMALL[name]
    frames = {key: pd.read_csv(io.StringIO(frame.to_csv(index=False))) for key, frame in ran[name].items()}
    for table in module.tables(frames).values():
        assert "nan" not in table.to_markdown() + table.to_latex() + table.to_html()
    figures = module.figures(frames)
    assert set(figures) == set(module.captions())
    for draw in figures.values():
        for axes in draw().axes:
            assert not axes.axison or axes.get_xlabel() or "step-sizes" in module.NAME or axes.get_title()
    assert "nan" not in module.summary(frames)
    assert module.passed(frames)


# Step sizes


@pytest.mark.parametrize("p", [0.1, 0.4, 0.5, 0.9])
def test_the_gradient_of_f6_in_closed_form(p):
    """η = γ p (1 − p), and dp/dθ = ± p (1 − p)."""
    mdp = tt.zoo.f6(gamma=0.9, p=p).mdp
    gradient, eta = exact_gradient(mdp, np.array([[[p, 1 - p]]]), np.zeros(3, dtype=int))
    slope = 0.9 * (1 - 2 * p) * p * (1 - p)
    np.testing.assert_allclose(gradient[0, 0], [slope, -slope], atol=1e-15)
    np.testing.assert_allclose(eta, [0.9 * p * (1 - p)], rtol=1e-14)


def test_the_gradient_against_differences_on_a_lake_that_shares_rows():
    mdp = tt.load("gym:FrozenLake-v1", gamma=0.9)
    group, theta = np.arange(16) // 4, np.random.default_rng(0).standard_normal((2, 4, 4))
    gradient, _ = exact_gradient(mdp, softmax(theta), group)
    expected = [differences(mdp, group, one) for one in theta]
    np.testing.assert_allclose(gradient, expected, atol=1e-9, rtol=1e-6)
    assert np.abs(gradient).max() > 1e-4


@pytest.mark.parametrize(("source", "groups"), [("zoo:kakade", [0, 1]), ("zoo:f6?p=2/5", [0, 0, 0])])
def test_reinforce_is_unbiased(source, groups):
    mdp, group = tt.load(source, gamma=0.7), np.array(groups)
    theta = np.random.default_rng(1).standard_normal((group.max() + 1, 2))
    rows = np.broadcast_to(softmax(theta), (2000, *theta.shape))
    drawn = Sampler.of(mdp, group).gradient(rows, 20, 90, np.random.default_rng(2))
    error = drawn.std(0) / math.sqrt(len(drawn))
    expected = differences(mdp, group, theta)
    assert (np.abs(drawn.mean(0) - expected) <= 4.5 * error + 1e-9).all()
    assert (error < 0.1 * np.abs(expected).max()).all()


def test_the_sampler_knows_where_episodes_end_and_what_follows():
    mdp = tt.load("gym:FrozenLake-v1", gamma=0.9)
    sampler = Sampler.of(mdp, np.arange(16))
    assert list(np.flatnonzero(sampler.ended)) == [5, 7, 11, 12, 15]
    for row, (follow, total) in enumerate(zip(sampler.successor, sampler.cumulative, strict=True)):
        odds = np.diff(total, prepend=0.0)
        np.testing.assert_allclose(odds, mdp.transition.reshape(64, 16)[row][follow], atol=1e-15)


@pytest.mark.slow
def test_climbing_f6_is_the_recursion_of_one_number():
    """With logits ± θ the row is (p, 1 − p) and log p/(1 − p) moves by 2 · step · γ (1 − 2p) p (1 − p)."""
    case = step_sizes.Case("F6", "zoo:f6?p=2/5", 0.9, (0, 0, 0), (0, 2))
    settings = step_sizes.Settings(cases=(case,), per_decade=1, iterations=12, episodes=(), kept=100)
    frames = step_sizes.run(settings)
    for step in (1.0, 10.0, 100.0):
        p, expected = 0.4, []
        for _ in range(13):
            expected.append(0.9 * p * (1 - p))
            p = 1 / (1 + math.exp(-math.log(p / (1 - p)) - 2 * step * 0.9 * (1 - 2 * p) * p * (1 - p)))
        curve = frames["curves"].query("method == 'exact' and step == @step")
        np.testing.assert_allclose(curve["median"], expected, rtol=1e-9, atol=1e-12)
        row = frames[""].query("step == @step").iloc[0]
        assert row["final"] == pytest.approx(expected[-1], rel=1e-9)
        falls = max(max(-np.diff(expected)), 0.0)
        assert row["largest_fall"] == pytest.approx(falls if falls > 1e-10 else 0.0, rel=1e-8)
        assert row["share_fell"] == (falls > 1e-10)
        assert row["share_below_start"] == (expected[-1] < 0.216)
    assert set(frames[""].query("step >= 10")["share_fell"]) == {1.0}
    assert set(frames["updates"].query("method == '(11)'")["share_fell"]) == {0.0}


@pytest.mark.parametrize(("frame", "where"), [("updates", "method == '(11)'"), ("", "policies == 'all policies'")])
def test_a_fall_where_none_can_be_is_told(ran, frame, where):
    frames = {name: part.copy() for name, part in ran["step-sizes"].items()}
    rows = frames[frame].query(where)
    frames[frame].loc[rows.index[0], "share_fell"] = 1.0
    assert not step_sizes.passed(frames)


def test_it_also_fails_where_nothing_collapses(ran):
    frames = {name: part.copy() for name, part in ran["step-sizes"].items()}
    frames[""]["share_fell"] = 0.0
    assert not step_sizes.passed(frames)


# Problems (11), (12) and (13)


def tilted(mdp, old, radius):
    """Of each state (two actions, old uniform) the gain in A of the row at KL = radius, and that row; by bisection."""
    value, _ = value_of(mdp, old)
    q = mdp.reward + float(mdp.gamma) * mdp.transition @ value
    advantage = q - value[:, None]
    best = brentq(lambda x: -0.5 * math.log1p(-4 * x * x) - radius, 0.0, 0.5 - 1e-15, xtol=1e-16, rtol=1e-14)
    return best * np.abs(advantage[:, 0] - advantage[:, 1])


def visitation(mdp, policy):
    p = np.einsum("sa,sat->st", policy, mdp.transition)
    return np.linalg.solve(np.eye(mdp.states) - float(mdp.gamma) * p.T, mdp.initial)


def test_two_states_by_bisection(ran):
    """Uniform old and two actions: KL(½ ± x) = −½ log(1 − 4x²), and (11) is a search over one radius."""
    mdp, old = tt.zoo.kakade(gamma=0.95), np.full((2, 2), 0.5)
    rho = visitation(mdp, old)
    frame = ran["updates"][""].set_index("problem")
    assert frame.loc["(12)", "surrogate_gain"] == pytest.approx(rho @ tilted(mdp, old, 0.01), rel=1e-11)
    value, _ = value_of(mdp, old)
    epsilon = np.abs(mdp.reward + 0.95 * mdp.transition @ value - value[:, None]).max()
    c = 2 * epsilon * 0.95 / 0.05**2

    def loss(log_radius):
        radius = math.exp(log_radius)
        return c * radius - rho @ tilted(mdp, old, radius)

    found = minimize_scalar(loss, bounds=(-20, 0), method="bounded", options={"xatol": 1e-9})
    assert frame.loc["(11)", "objective"] == pytest.approx(-found.fun, rel=1e-10)
    assert frame.loc["(11)", "max_kl"] == pytest.approx(math.exp(found.x), rel=1e-4)
    assert frame.loc["(13)", "mean_kl"] == pytest.approx(0.01, rel=1e-11)
    assert (
        frame.loc["(13)", "surrogate_gain"] > frame.loc["(12)", "surrogate_gain"] > frame.loc["(11)", "surrogate_gain"]
    )
    assert list(frame["expected_return_old"]) == pytest.approx([value_of(mdp, old)[1]] * 3, rel=1e-13)


def test_clarabel_is_lost_where_gamma_nears_1(ran):
    conic = ran["updates"]["conic"].query("solver == 'clarabel'").set_index("one_minus_gamma")
    assert conic.loc[0.1, "relative_gap"] < 1e-5
    late = conic.loc[1e-4]
    assert late["status"] == "failed" or late["relative_gap"] > 1e-2


@pytest.mark.parametrize(
    ("frame", "column", "value"),
    [
        ("", "relative_gap", 1e-8),
        ("", "falls", 1),
        ("separate", "relative_difference", 1e-8),
        ("separate", "conic_difference", -1e-6),
        ("conic", "relative_gap", -1e-6),
    ],
)
def test_the_check_of_updates_can_fail(ran, frame, column, value):
    frames = {name: part.copy() for name, part in ran["updates"].items()}
    frames[frame].loc[0, column] = value
    assert not updates.passed(frames)


# Provably safe steps


def test_small_safe_steps_scale_as_one_over_c_squared(ran):
    """max (κ √t − C t) over t is at t = κ²/(4 C²), where half of the surrogate's gain is guaranteed."""
    frame = ran["safe-steps"][""].query("gamma == 0.99").set_index("bound")
    gamma = mpmath.mpf("0.99")
    trpo, pinsker = 4 * gamma / (1 - gamma) ** 2, 2 * gamma / (1 - gamma) ** 2
    chain = 2 * mpmath.polylog(mpmath.mpf(-1) / 2, gamma)
    assert frame.loc["trpo/kl", "max_kl_ratio"] == 1
    assert frame.loc["pinsker/kl", "max_kl_ratio"] == pytest.approx(float((trpo / pinsker) ** 2), rel=1e-3)
    assert frame.loc["chain-rule/kl", "max_kl_ratio"] == pytest.approx(float((trpo / chain) ** 2), rel=1e-3)
    assert list(frame["guaranteed"] / frame["improvement"]) == pytest.approx([0.5] * 3, rel=1e-2)


def test_improvements_are_those_of_two_solves():
    mdp = tt.load("gym:CliffWalking-v1", gamma=0.9)
    old = np.full((48, 4), 0.25)
    step = tt.update(mdp, old, tt.Penalty(bound="chain-rule/kl"))
    expected = value_of(mdp, step.policy)[1] - value_of(mdp, old)[1]
    assert safe_steps._improvement(mdp, step) == pytest.approx(expected, rel=1e-11)


def test_steps_are_counted_until_the_share_is_reached():
    settings = safe_steps.Settings(
        environments=(TWO,), gammas=(0.5,), bounds=safe_steps.Settings.linear, cap=60, share=0.5
    )
    frames = safe_steps.run(settings)
    for row in frames[""].to_dict("records"):
        mdp, policy = tt.zoo.kakade(gamma=0.5), np.full((2, 2), 0.5)
        first = value_of(mdp, policy)[1]
        shares = []
        while len(shares) < 60 and (not shares or shares[-1] < 0.5):
            policy = tt.update(mdp, policy, tt.Penalty(bound=row["bound"])).policy
            shares.append((value_of(mdp, policy)[1] - first) / (row["expected_return_optimal"] - first))
        assert shares[-1] >= 0.5
        assert row["steps"] == len(shares)


@pytest.mark.parametrize(("column", "value"), [("improvement", 0.0), ("relative_gap", 1e-8), ("falls", 1)])
def test_the_check_of_safe_steps_can_fail(ran, column, value):
    frames = {name: part.copy() for name, part in ran["safe-steps"].items()}
    frames[""].loc[0, column] = value
    assert not safe_steps.passed(frames)


# Peers


@pytest.mark.whole
@pytest.mark.slow
def test_a_peer_that_is_not_installed_is_left_out_and_named(monkeypatch):
    monkeypatch.setattr(peers, "installed", lambda module: module == "mdptoolbox")
    frames = scaling.run(SMALL["scaling"][1])
    rows = frames[""].set_index("peer")["status"]
    assert set(rows["QuantEcon"]) == {"not installed"}
    assert rows["pymdptoolbox"] == "run"
    table = scaling.tables(frames)["scaling-peers"]
    assert "QuantEcon is not installed" in table.caption
    assert "QuantEcon" not in set(table.frame["peer"])
    assert "QuantEcon is not installed: left out." in scaling.summary(frames)
    assert scaling.passed(frames)


def test_mdpsolver_is_asked_for_what_it_takes(monkeypatch):
    """It is given lists (the rewards S by A, the transitions S by A by S), and its vector is what is compared."""
    mdp = tt.zoo.puterman(gamma=0.9)
    seen = {}

    class Model:
        def mdp(self, **given):
            seen.update(given)

        def solve(self, **given):
            seen.update(given)

        def getValueVector(self):
            return [1.0, 2.0]

    monkeypatch.setitem(sys.modules, "mdpsolver", types.SimpleNamespace(model=Model))
    assert list(peers.mdpsolver_optimum(mdp)()) == [1.0, 2.0]
    assert seen["discount"] == 0.9
    assert seen["tranMatWithZeros"] == mdp.transition.tolist()
    assert seen["rewards"] == mdp.reward.tolist()
    assert seen["algorithm"] == "pi"


def test_the_peers_agree_with_a_solution_by_hand():
    """The forest of pymdptoolbox, and V = (2 + ½ V₂, 1 + ½ V₂) of a chain whose second state stays."""
    mdp = tt.zoo.forest(gamma=0.9)
    for optimum in (peers.quantecon_optimum, peers.mdptoolbox_optimum):
        np.testing.assert_allclose(optimum(mdp)(), [26.244, 29.484, 33.484], rtol=1e-12)
    chain = tt.FiniteMDP([[[[0.0, 1.0]], [[0.0, 1.0]]]], [[[2.0], [1.0]]], [0.5], [[1.0, 0.0]])
    for values in (peers.numpy_values, peers.quantecon_values):
        np.testing.assert_allclose(values(chain, np.zeros((1, 2), dtype=int))(), [[3.0, 2.0]], rtol=1e-14)


@pytest.mark.parametrize(
    ("frame", "column", "value"),
    [("", "difference", 1e-7), ("sparse", "residual", 1e-11), ("update", "relative_gap", 1e-8)],
)
def test_the_check_of_scaling_can_fail(ran, frame, column, value):
    frames = {name: part.copy() for name, part in ran["scaling"].items()}
    frames[frame].loc[0, column] = value
    assert not scaling.passed(frames)


@pytest.mark.peers
@sampled("kernel", ["max_kl", "penalty", "mean_kl"], 3)
def test_compiled_scalar_code_finds_the_same_objectives(kernel):
    """Rows one after the other, by plain Newton steps: what `waits` takes as the floor is also an oracle of the solver."""
    pytest.importorskip("numba")
    floors = importlib.import_module("experiments.benchmarks.floors")
    rows = surrogate(7, 4)
    old, advantage = (np.ascontiguousarray(part[..., 0].T) for part in (rows.old, rows.advantage))
    parts = old, advantage.max(1, keepdims=True) - advantage
    rho, discount = np.ascontiguousarray(rows.visitation[:, 0]), 0.9
    problem, found = {
        "max_kl": (tt.MaxKL(0.02), lambda: floors.max_kl(*parts, rho, 0.02)),
        "penalty": (tt.Penalty(3.0), lambda: floors.penalty(*parts, rho, 3.0)),
        "mean_kl": (tt.MeanKL(0.02), lambda: floors.mean_kl(*parts, (1 - discount) * rho, 0.02) / (1 - discount)),
    }[kernel]
    assert found() == pytest.approx(tt.updates.solve(rows, problem).objective, rel=1e-11)
