"""`Dual(compiled=True)`: KKT conditions in 80 digits, policies in 100, A and ρ from balls; and NumPy where it knows nothing."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from fractions import Fraction

import hostile
import kkt
import numpy as np
import pytest
import scipy.sparse as sp

import trpo_theory as tt
from trpo_theory.bounds import Bound
from trpo_theory.updates import MaxKL, MeanKL, Penalty, Problem, ReverseMaxKL, Status, Surrogate, solve, update
from trpo_theory.updates.data_error import enclosed_old_policy
from trpo_theory.updates.old_chain import complement
from trpo_theory.updates.solvers.answer import Answer
from trpo_theory.updates.weak_duality import DualBound

pytest.importorskip("numba")
from trpo_theory.updates.compiled import calls, jit  # after the line that skips this file without Numba

COMPILED = tt.Dual(compiled=True)
DELTA = 0.03
ROOT = Bound("mine/root", lambda q: q.max_abs_advantage * q.gamma * q.sqrt(q.max_kl), "penalty ε γ √D", "this test")
PROBLEMS: tuple[Problem, ...] = (MaxKL(DELTA), MeanKL(DELTA), Penalty(1 / DELTA))


def instance(rng, states=4, actions=3, gamma=0.9):
    """An MDP, and a policy that takes every action."""
    mdp = tt.zoo.dirichlet(rng, states=states, actions=actions, gamma=gamma)
    return mdp, tt.zoo.random_policy(rng, (states, actions))


def surrogate(mdp, policy) -> Surrogate:
    found = calls.compiled_surrogate(mdp, policy)
    assert found is not None
    return found


@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
@pytest.mark.parametrize("states", [1, 5, 300])
def test_the_answer_meets_the_kkt_conditions(problem, states):
    """Of rows of Dirichlet policies and normal advantages."""
    rng = np.random.default_rng(states)
    old = rng.dirichlet(np.full(4, 2.0), states).T[..., None]
    advantage = rng.normal(size=old.shape)
    advantage -= (old * advantage).sum(0)
    rho = rng.dirichlet(np.full(states, 2.0))[:, None] * 2
    rows = Surrogate(old, advantage, old > 0, rho, np.array([0.5]), np.abs(advantage).max((0, 1)))
    assert calls.compiled_answer(rows, problem) is not None
    found = solve(rows, problem, solver=COMPILED)
    numbers = {"coefficient": problem.coefficient} if isinstance(problem, Penalty) else {"delta": DELTA}
    parts = (part[..., 0].T for part in (old, advantage, old > 0))
    of_rows = kkt.rows_of(*parts, rho[:, 0], found.change, found.policy, found.multiplier)
    assert kkt.violations(problem.name, of_rows, 0.5, **numbers).worst <= 1e-11
    assert found.status is Status.OPTIMAL
    assert float(kkt.objective(problem.name, of_rows, **{k: v for k, v in numbers.items() if k == "coefficient"})) == (
        pytest.approx(found.objective, rel=1e-12)
    )


@pytest.mark.parametrize("problem", [MaxKL(0.01), MeanKL(0.01), Penalty(bound="trpo/kl")], ids=str)
def test_no_upper_bound_is_below_a_policy_on_hostile_mdps(problem):
    """As tests/updates/test_hostile.py: discounts next to 1, probabilities down to 1e-300, where NumPy helps out."""
    known = 0
    for seed in range(12):
        fields, old = hostile.hostile(seed)
        mdp = tt.FiniteMDP(**fields)
        found = update(mdp, old, problem, solver=COMPILED)
        known += calls.compiled_answer(found.surrogate, problem) is not None
        if isinstance(problem, MaxKL):
            value = hostile.feasible_value(fields, old, 0.01)
        elif isinstance(problem, MeanKL):
            value = hostile.mean_value(fields, old, 0.01, float(np.max(found.multiplier)))
        else:
            value = hostile.penalised_value(
                fields, old, float(found.max_kl), lambda gamma: 4 * gamma / (1 - gamma) ** 2
            )
        left = 1 - hostile.mp.mpf(repr(fields["gamma"]))
        noise = hostile.mp.mpf(10) ** -90 * float(np.abs(fields["reward"]).max()) / left**2
        assert found.upper_bound >= value - noise, seed
        if found.status is Status.OPTIMAL:
            assert found.objective >= value * (1 - hostile.mp.mpf("1e-8")) - noise, seed
    assert known


@pytest.mark.parametrize("gamma", [0.0, 0.9, 0.999, 1 - 1e-6, 1 - 1e-9])
@pytest.mark.parametrize("offset", [0.0, 1e10])
def test_the_errors_of_a_and_of_visits_are_bounded(gamma, offset):
    """By balls; some actions and successors are missing."""
    rng = np.random.default_rng(0)
    for states in (1, 4, 40):
        mdp, policy = instance(rng, states, 3, gamma)
        transition = np.where(rng.random(mdp.transition.shape) < 0.3, 0.0, mdp.transition)
        transition[..., 0] += transition.sum(-1) == 0
        available = rng.random(policy.shape) < 0.8
        available[:, 0] = True
        policy = np.where(available, policy, 0.0)
        policy /= policy.sum(1, keepdims=True)
        reward = np.where(available, offset + mdp.reward, -np.inf)
        mdp = tt.FiniteMDP(transition / transition.sum(-1, keepdims=True), reward, gamma, mdp.initial)
        found, true = surrogate(mdp, policy), enclosed_old_policy(mdp, policy)
        off = np.abs(found.advantage[..., 0].T - true.advantage).max(1)
        assert (off <= found.advantage_error[:, 0] + true.advantage_error).all()
        assert np.abs(found.visitation[:, 0] - true.visitation).sum() <= found.total_error[0] + true.total_error
        assert (found.visitation_error == found.total_error).all()
        assert (policy == found.old[..., 0].T).all()
        assert (available == found.available[..., 0].T).all()
        assert found.max_abs_advantage == np.abs(found.advantage).max()
        assert found.advantage_error.max() <= 1e-13 * np.ptp(mdp.reward[available]) * states / (1 - gamma) + 1e-9
        assert found.total_error[0] <= 1e-12 * states / (1 - gamma) ** 2


def test_what_an_error_of_the_data_adds_is_that_of_pinsker():
    """Of one state whose A may be off by 1e-6: 2e-6 times half of √(2δ), for each of two actions, and likewise of ρ."""
    mdp, policy = tt.FiniteMDP(np.ones((1, 2, 1)), [[0.0, 1.0]], 0.9, [1.0]), np.array([[0.5, 0.5]])
    rows = surrogate(mdp, policy)
    sure = solve(rows, MaxKL(0.01), solver=COMPILED)
    rough = solve(dataclasses.replace(rows, advantage_error=rows.advantage_error + 1e-6), MaxKL(0.01), solver=COMPILED)
    assert float(rough.data_error[0]) == pytest.approx(1e-5 * np.sqrt(0.02), rel=1e-6)
    assert rough.upper_bound == pytest.approx(sure.upper_bound + 1e-5 * np.sqrt(0.02), rel=1e-9)
    assert (sure.status, rough.status) == (Status.OPTIMAL, Status.INACCURATE)


@pytest.mark.parametrize("kind", ["max", "mean", "penalty"])
def test_it_agrees_with_numpy_to_what_both_say_they_know(kind):
    """Also where errors of A or ρ, rare actions, ties or tiny and huge rewards decide."""
    rng, compared = np.random.default_rng(5), 0
    for case in range(60):
        mdp, old = instance(
            rng, int(rng.integers(1, 9)), int(rng.integers(2, 6)), float(rng.choice([0.1, 0.9, 0.9999]))
        )
        reward = np.round(mdp.reward, 0) if case % 5 == 1 else mdp.reward * 10.0 ** rng.integers(-180, 180)
        mdp = tt.FiniteMDP(mdp.transition, reward, mdp.gamma, mdp.initial)
        if case % 3 == 0:
            old = np.exp((20, 80)[case % 2] * rng.standard_normal(old.shape))
            old /= old.sum(1, keepdims=True)
        size = 10.0 ** rng.uniform(-10, 1)
        unit = float(np.abs(reward).max()) + 1e-200
        problem = {"max": MaxKL(size), "mean": MeanKL(size), "penalty": Penalty(size * unit)}[kind]
        plain, found = update(mdp, old, problem), update(mdp, old, problem, solver=COMPILED)
        rows = found.surrogate
        if case % 4 == 0:  # what errors add is read where they are large
            worse = {"advantage_error": 1e-4 * unit, "visitation_error": 1e-3, "total_error": 1e-3 * len(old)}
            worse = {name: getattr(rows, name) + size for name, size in worse.items()}
            rows = dataclasses.replace(plain.surrogate, **worse)
            plain, found = solve(rows, problem), solve(rows, problem, solver=COMPILED)
            assert found.data_error == pytest.approx(plain.data_error, rel=1e-6)
        compared += calls.compiled_certificate(rows, problem, tt.Dual().solve(rows, problem)) is not None
        off = 4 * max(plain.rounding, found.rounding) + 2 * (plain.data_error + found.data_error)[0] * (case % 4 > 0)
        assert abs(found.objective - plain.objective) <= off + 1e-12 * abs(plain.objective), case
        assert abs(found.upper_bound - plain.upper_bound) <= off + 1e-12 * abs(plain.upper_bound), case
        assert found.status is plain.status, case
    assert compared >= 20


@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_rows_that_stay_and_actions_that_old_does_not_take(problem):
    """States that are never seen, states of one action or without a better one, and what old never takes, against KKT."""
    rng = np.random.default_rng(3)
    old = np.array(
        [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [1e-120, 0.4, 0.6], [0.3, 0.3, 0.4], [0.2, 1e-30, 0.8], [0.5, 0.5, 0.0]]
    )
    available = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 0]], dtype=bool)
    reward = np.array(
        [[1.0, 0.0, -9.0], [0.5, 0.0, 0.0], [-9.0, 1.0, 0.0], [0.0] * 3, [0.0, 1.0, 0.5], [0.0, 1.0, 0.0]]
    )
    transition = np.tile(rng.dirichlet(np.ones(6)), (6, 3, 1))
    transition[..., 5] = 0.0  # the last state is never seen
    initial = np.append(np.full(5, 0.2), 0.0)
    rows = transition / transition.sum(-1, keepdims=True)
    mdp = tt.FiniteMDP(rows, np.where(available, reward, -np.inf), 0.5, initial, available=available)
    found, plain = update(mdp, old, problem, solver=COMPILED), update(mdp, old, problem)
    assert (found.note, plain.note) == (calls.NOTE, "")
    assert found.policy == pytest.approx(plain.policy, abs=1e-12)
    assert (found.policy[[1, 3, 5]] == old[[1, 3, 5]]).all()
    assert found.status is Status.OPTIMAL
    assert found.upper_bound == pytest.approx(plain.upper_bound, rel=1e-13)
    numbers = {"coefficient": problem.coefficient} if isinstance(problem, Penalty) else {"delta": DELTA}
    advantage, seen = found.surrogate.advantage[..., 0].T, np.arange(6) < 5
    parts = (part[seen] for part in (old, advantage, available, found.surrogate.visitation[:, 0]))
    answer = (part[seen] for part in (found.change, found.policy, found.multiplier))
    assert kkt.violations(problem.name, kkt.rows_of(*parts, *answer), 0.5, **numbers).worst <= 1e-11


@pytest.mark.parametrize("problem", [MaxKL(0.05), MeanKL(0.05), Penalty(0.5)], ids=str)
def test_a_loop_stays_in_compiled_code_while_its_policy_becomes_deterministic(problem):
    mdp, policy = instance(np.random.default_rng(4))
    for _ in range(120):
        found, plain = update(mdp, policy, problem, solver=COMPILED), update(mdp, policy, problem)
        assert found.note == calls.NOTE or plain.nothing_left
        assert found.objective == pytest.approx(plain.objective, rel=1e-6, abs=1e-300)
        assert found.status is plain.status
        policy = found.policy
    assert policy.min() < 1e-20


def test_what_it_does_not_know_is_left_to_numpy():
    rng = np.random.default_rng(1)
    mdp, policy = instance(rng)
    rows = surrogate(mdp, policy)
    best = rows.advantage[..., 0].T.argmax(1)[:, None] == np.arange(3)
    never = np.where(best, 0.0, policy)
    never /= never.sum(1, keepdims=True)
    unknown: dict[str, tuple[Surrogate, Problem]] = {
        "a best action that old never takes": (surrogate(mdp, never), MaxKL(0.1)),
        "nothing to gain": (dataclasses.replace(rows, advantage=0 * rows.advantage), MaxKL(0.1)),
        "another divergence": (rows, ReverseMaxKL(0.1)),
        "a radius of 0": (rows, MeanKL(0.0)),
        "no penalty": (rows, Penalty(0.0)),
        "a penalty that is not linear": (rows, Penalty(bound=ROOT)),
        "groups": (Surrogate.of(tt.compare(mdp, "uniform", "uniform"), tt.StateAggregation([0, 0, 1, 1])), MaxKL(0.1)),
        "another criterion": (Surrogate.of(tt.compare(mdp, policy, policy, criterion="average")), MaxKL(0.1)),
    }
    for what, (of, problem) in unknown.items():
        assert calls.compiled_answer(of, problem) is None, what
        assert calls.compiled_certificate(of, problem, tt.Dual().solve(of, problem)) is None, what
        assert solve(of, problem, solver=COMPILED).upper_bound == solve(of, problem).upper_bound, what
    large, ended = tt.zoo.dirichlet(rng, states=65), tt.load("gym:FrozenLake-v1", gamma=1.0)
    sparse = tt.FiniteMDP(sp.csr_array(mdp.transition.reshape(-1, 4)), mdp.reward, 0.9, mdp.initial)
    for other in (large, ended, sparse):
        assert calls.compiled_surrogate(other, tt.uniform(other.available)) is None
    assert calls.compiled_surrogate(mdp, np.stack([policy, policy])) is None
    for setting in ({"criterion": "average"}, {"horizon": 3}, {"criterion": "discounted"}):
        plain, found = (update(mdp, policy, MaxKL(0.1), solver=solver, **setting) for solver in (tt.Dual(), COMPILED))
        assert found.objective == pytest.approx(plain.objective, rel=1e-12), setting
    both = update(mdp, np.stack([policy, policy]), MaxKL(0.1), solver=COMPILED)
    assert both.objective == pytest.approx(np.repeat(update(mdp, policy, MaxKL(0.1), solver=COMPILED).objective, 2))


def test_a_loop_of_updates_and_limits_on_costs_take_it():
    mdp, _ = instance(np.random.default_rng(2))
    plain, found = (tt.improve(mdp, MaxKL(0.01), 3, solver=solver) for solver in (tt.Dual(), COMPILED))
    assert found.expected_return == pytest.approx(plain.expected_return, rel=1e-12)
    assert complement(np.array(0.9)) == float(1 - Fraction("0.9"))
    assert str(COMPILED) == str(tt.Dual())


def test_without_numba_one_reads_what_to_install():
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import trpo_theory as tt\n"
        "tt.Dual()\n"
        "try: tt.Dual(compiled=True)\n"
        "except tt.InvalidInput as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("got Dual(compiled=True), and no Numba that can be imported (")
    assert run.stdout.rstrip().endswith("'.[fast]' in a checkout, or numba by itself; or leave compiled out")
    with pytest.raises(tt.InvalidInput, match="got compiled = 'yes'"):
        tt.Dual(compiled="yes")


def test_code_is_kept_by_what_it_was_made_of(tmp_path, monkeypatch):
    (tmp_path / "one.py").write_text("x = 1")
    monkeypatch.setattr(jit, "_READ", (tmp_path,))
    monkeypatch.setattr(jit, "_FOLDER", tmp_path / "package")
    first = jit._cache.__wrapped__("")
    (tmp_path / "one.py").write_text("x = 2")
    assert jit._cache.__wrapped__("") != first
    assert jit._cache.__wrapped__(str(tmp_path)).parent == tmp_path


def test_where_nothing_can_be_kept_each_process_compiles(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way of a folder")
    monkeypatch.setattr(jit, "_FOLDER", tmp_path / "file")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    place = jit._cache.__wrapped__(str(tmp_path / "file"))
    assert place is not None
    assert place.parent == tmp_path / "home" / ".cache" / "trpo_theory"
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.setattr(jit, "_cache", jit._cache.__wrapped__)
    assert jit._cache("") is None
    assert jit.entry("f8", "f8")(lambda x: x + 1)(2.0) == 3


def test_surrogates_made_by_hand_need_not_be_of_floats_next_to_each_other():
    """Numbers that all their types hold: the answer is that of their doubles."""
    rows = surrogate(*instance(np.random.default_rng(4), states=2))
    rows = dataclasses.replace(rows, old=np.full((3, 2, 1), [[[0.25]], [[0.5]], [[0.25]]]))
    rows = dataclasses.replace(rows, advantage=np.array([[[4.0], [2]], [[-1], [-3]], [[-2], [4]]]))
    rows = dataclasses.replace(rows, visitation=np.array([[3.0], [7.0]]))
    names = ("old", "advantage", "visitation")
    for problem in PROBLEMS:
        wanted = solve(rows, problem, solver=COMPILED)
        others = [{name: getattr(rows, name).astype(kind) for name in names} for kind in ("f2", "f4", ">f8")]
        others += [{"advantage": rows.advantage.astype(int)}, {"visitation": rows.visitation.astype(int)}]
        others += [{"available": rows.available.astype(int)}, {"gamma": np.array(0.9)}]
        others += [{name: np.repeat(getattr(rows, name), 2, -1)[..., ::2] for name in names}]
        for other in others:
            if not ("gamma" in other and isinstance(problem, Penalty)):
                found = solve(dataclasses.replace(rows, **other), problem, solver=COMPILED)
                assert found.objective == pytest.approx(wanted.objective, rel=1e-6), other


@pytest.mark.parametrize("multiplier", [1e-15, 1e-20])
def test_a_root_of_another_multiplier_proves_nothing_small(multiplier):
    """Two actions: within 20 nats some policy takes the better one but for e⁻⁴⁰, and gains 1/2, whatever root is passed."""
    half = np.full((2, 1, 1), 0.5)
    advantage = np.array([[[0.5]], [[-0.5]]])
    rows = Surrogate(half, advantage, half > 0, np.ones((1, 1)), np.zeros(1), np.full(1, 0.5))
    answer = Answer(0 * half, half, np.full((1, 1), multiplier), np.full((1, 1), 0.5e-12))
    known = calls.compiled_certificate(rows, MaxKL(20.0), answer)
    assert known is not None
    for upper in (known[0], DualBound(rows, MaxKL(20.0), answer.multiplier, answer.guess).upper):
        assert 0.5 * (1 - 1e-14) <= upper[0] <= 0.5


@pytest.mark.parametrize("exponent", [-280, 0, 280])
def test_a_penalty_of_huge_rewards_is_met(exponent):
    """Rows that are nearly deterministic, at a radius of 2e-19: λ/V is beyond the largest float."""
    old = np.array([[1 - 3e-15, 1e-15, 2e-15], [2e-15, 3e-15, 1 - 5e-15]])
    reward = np.array([[0.0, 1, -3], [1, 2, -1]]) * 10.0**exponent
    mdp = tt.FiniteMDP(np.full((2, 3, 2), 0.5), reward * 10.0**8, 0.9, [0.5, 0.5])
    problem = Penalty(1e17 * 10.0**exponent)
    found = update(mdp, old, problem, solver=COMPILED)
    assert calls.compiled_answer(found.surrogate, problem) is not None
    assert found.surrogate.visitation[:, 0] @ np.ravel(found.multiplier) == pytest.approx(
        problem.coefficient, rel=1e-12
    )
